"""Add up what the bot notes: the start, rules, sightings, places of cards, moves by others, reviews."""

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from policies.canonical import Json
from policies.entries import stood
from policies.entries.authors import MOVERS, Authors
from policies.entries.carried import restore
from policies.entries.entry import Entry, EntryError, Kind, parse_time
from policies.entries.remembered import Fortune, Health, Open, Place, Seen, Standing
from policies.entries.tables import Apply, Tables
from policies.errors import PolicyError
from policies.growing import Trail
from policies.ledger.promotions import moved
from policies.ledger.renames import carry, renames_of

PULLS_TOLD: Final = "2026-11-26T00:00:00Z"  # from here on what is open names its pull requests
_PAGE = re.compile(r"https?://[A-Za-z0-9.:-]{1,100}(/[A-Za-z0-9._-]{1,100}){2}", re.ASCII)
EXTERNAL_HOLD = timedelta(hours=24)  # LEDGER, `external`: holds the service where the bot moves by itself


def _genesis(state: Tables, entry: Entry, _oid: str) -> None:
    if entry.carried:
        with suppress(PolicyError):  # the validator has refused it: then nothing is carried
            restore(state, entry.carried)
        state.keys[entry.key] = entry.seq
    state.genesis, state.signer = entry, entry.signer
    _empty(state, entry)


def built_in(evidence: Mapping[str, Json]) -> dict[tuple[str, str, str], datetime]:
    """Return when sighted images were built (UTC), as an entry attests it; what is not of the form is left out."""
    found = {}
    rows = evidence.get("built", [])
    for row in rows if isinstance(rows, list) else []:
        match row:
            case {"service": str(service), "repository": str(repository), "tag": str(tag), "at": str(at)}:
                with suppress(EntryError):
                    found[service, repository, tag] = parse_time(at)
            case _:
                pass
    return found


def _empty(state: Tables, entry: Entry) -> None:
    named = entry.evidence.get("empty", ())
    if isinstance(named, list):
        state.empty.update({str(name): True for name in named})


def _rules(state: Tables, entry: Entry, _oid: str) -> None:
    state.rules = entry
    if names := entry.evidence.get("renamed"):
        carry(state, renames_of(names), entry.time)
    _empty(state, entry)


def _seen(state: Tables, entry: Entry, _oid: str) -> None:
    times = built_in(entry.evidence)
    for one in entry.seen:
        key = (one.service, one.repository, one.tag)
        if key in state.seen and state.seen[key].sighting.digest != one.digest:
            key = (one.service, one.repository, f"{one.tag}@{one.digest}")  # of a tag that moved
        if key in state.seen:
            continue
        state.seen[key] = Seen(one, entry.time)
        state.sighted[one.service] = (state.sighted.get(one.service) or Trail()).and_then(one)
        if one.before:
            state.before[one.service] = (*state.before.get(one.service, ()), one.tag)
        if at := times.get((one.service, one.repository, one.tag)):
            state.built[one.service, one.repository, one.tag] = at


def _shown(state: Tables, entry: Entry, _oid: str) -> None:
    for place in entry.shown:
        if place.what not in state.shown or state.shown[place.what].seq <= place.seq:
            state.shown[place.what] = place


def _external(state: Tables, entry: Entry, _oid: str) -> None:
    place = (entry.environment, entry.service)
    moved(state, entry, entry.shares)
    if entry.why == "unguarded":
        until = entry.time + EXTERNAL_HOLD
        if place not in state.holds or not state.holds[place].outlasts(until):
            stood.note(state, (*place, None), state.holds.get(place), entry.time)
            state.holds[place] = Standing(entry.speaker, entry.time, entry.note, "external", until, entry.seq)
    elif entry.why == "guarded":
        state.open[entry.seq] = _opened(entry)


def _opened(entry: Entry) -> Open:
    movers = Authors.attested(entry.evidence, MOVERS)
    pulls = _pulls(entry.evidence) if entry.at >= PULLS_TOLD else ()
    return Open(
        entry.kind, entry.environment, entry.service, entry.commit, entry.time, movers=movers, pulls=pulls
    )


def _pulls(evidence: Mapping[str, Json]) -> tuple[tuple[int, str], ...]:
    """Return the pull requests that an entry names, each once; what is of another form names none."""
    told, page = evidence.get("pulls"), evidence.get("page")
    named = told.values() if isinstance(told, Mapping) else ()
    numbers = {one for row in named if isinstance(row, list) for one in row if type(one) is int and one > 0}
    is_page = isinstance(page, str) and _PAGE.fullmatch(page) is not None
    return tuple((one, f"{page}/pull/{one}" if is_page else "") for one in sorted(numbers))


def _review(state: Tables, entry: Entry, _oid: str) -> None:
    state.open.pop(entry.closes, None)


def _looked(state: Tables, entry: Entry, _oid: str) -> None:
    seen = Health(entry.commit, entry.image, entry.time, entry.kind is Kind.HEALTHY, entry.seq)
    looked(state, (entry.environment, entry.service), seen)
    counted = f"{entry.kind}/{entry.environment}/{entry.service}/{entry.commit}"
    state.counts[counted] = state.count(counted) + 1


def looked(state: Tables, place: Place, seen: Health) -> None:
    """Add what was seen of a place."""
    state.health[place] = (state.health.get(place) or Trail()).and_then(seen)
    what = Fortune.HEALTHY if seen.is_healthy else Fortune.UNHEALTHY
    state.note(place, seen.image, what, at=seen.at, seq=seen.seq)


def _config(state: Tables, entry: Entry, _oid: str) -> None:
    state.configured[entry.environment] = entry.commit
    if entry.why == "guarded":
        state.open[entry.seq] = _opened(entry)


APPLY: Mapping[Kind, Apply] = {
    Kind.GENESIS: _genesis,
    Kind.RULES: _rules,
    Kind.SEEN: _seen,
    Kind.SHOWN: _shown,
    Kind.EXTERNAL: _external,
    Kind.REVIEW: _review,
    Kind.HEALTHY: _looked,
    Kind.UNHEALTHY: _looked,
    Kind.CONFIG: _config,
}
