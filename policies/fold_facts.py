"""Add up what the bot notes: the start, rules, sightings, places of cards, moves by others, reviews."""

from collections.abc import Mapping
from datetime import timedelta

from policies.entry import Entry, Kind
from policies.fold_promotions import moved
from policies.remembered import Open, Seen, Standing
from policies.tables import Apply, Tables

EXTERNAL_HOLD = timedelta(hours=24)  # LEDGER, `external`: holds the service where the bot moves by itself


def _genesis(state: Tables, entry: Entry, _oid: str) -> None:
    state.genesis = entry
    _empty(state, entry)


def _empty(state: Tables, entry: Entry) -> None:
    named = entry.evidence.get("empty", ())
    if isinstance(named, list):
        state.empty.update({str(name): True for name in named})


def _rules(state: Tables, entry: Entry, _oid: str) -> None:
    state.rules = entry
    _empty(state, entry)


def _seen(state: Tables, entry: Entry, _oid: str) -> None:
    for one in entry.seen:
        state.seen.setdefault((one.service, one.repository, one.tag), Seen(one, entry.time))


def _shown(state: Tables, entry: Entry, _oid: str) -> None:
    for place in entry.shown:
        if place.what not in state.shown or state.shown[place.what].seq <= place.seq:
            state.shown[place.what] = place


def _external(state: Tables, entry: Entry, _oid: str) -> None:
    place = (entry.environment, entry.service)
    moved(state, entry, entry.image, entry.previous)
    if entry.why != "guarded":
        until = entry.time + EXTERNAL_HOLD
        if place not in state.holds or not state.holds[place].outlasts(until):
            state.holds[place] = Standing(entry.by, entry.time, entry.note, "external", until, entry.seq)
    else:
        state.open[entry.seq] = Open(entry.kind, entry.environment, entry.service, entry.commit, entry.time)


def _review(state: Tables, entry: Entry, _oid: str) -> None:
    state.open.pop(entry.closes, None)


APPLY: Mapping[Kind, Apply] = {
    Kind.GENESIS: _genesis,
    Kind.RULES: _rules,
    Kind.SEEN: _seen,
    Kind.SHOWN: _shown,
    Kind.EXTERNAL: _external,
    Kind.REVIEW: _review,
}
