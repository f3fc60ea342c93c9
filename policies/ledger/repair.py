"""Add up what keeps the ledger itself: who is who, which key signs, what is not shown, what was given up."""

from collections.abc import Mapping, MutableMapping
from dataclasses import replace
from typing import Final, TypeVar

from policies.canonical import Json, digest_of
from policies.entries.entry import Entry, Kind, Link
from policies.entries.redacted import ended_by, hidden
from policies.entries.remembered import Standing
from policies.entries.tables import Apply, Tables

# from here on it is remembered which entries have words to erase
WORDS_DECIDE: Final = "2026-11-26T00:00:00Z"
WORDS_FROM: Final = "words-from"  # counted: the number of the first entry of which that is remembered
_K = TypeVar("_K")


def _identity(state: Tables, entry: Entry, _oid: str) -> None:
    if entry.signer:
        state.signer = entry.signer
    if entry.linked:
        counted = f"identity/person/{entry.linked.person}"
        state.counts[counted] = state.count(counted) + 1
        for name in _matches_of(state, entry.linked):
            del state.links[name]
        state.links[entry.linked.person] = entry.linked


def _matches_of(state: Tables, link: Link) -> list[str]:
    """Return the matches by e-mail that end because somebody showed that one of the accounts is theirs."""
    return [
        name
        for name, one in state.links.items()
        if one.domain and (one.forge_id == link.forge_id or one.slack_user == link.slack_user)
    ]


def note_words(state: Tables, entry: Entry) -> None:
    """Remember that an entry has words that two people may take out."""
    if entry.at >= WORDS_DECIDE:
        state.counts.setdefault(WORDS_FROM, entry.seq)
    if entry.note and WORDS_FROM in state.counts:
        state.worded[entry.seq] = True


def has_words(state: Tables, seq: int) -> bool:
    """Whether an entry has words of a person; of older ones nobody says that it has none."""
    first = state.counts.get(WORDS_FROM)
    return first is None or seq < first or seq in state.worded


def _redact(state: Tables, entry: Entry, _oid: str) -> None:
    state.redacted[entry.erases] = entry.seq
    _hide(state, entry.erases, hidden(entry.seq))


def _hide(state: Tables, seq: int, instead: str) -> None:
    """Take the words of one entry out of all that stands by it."""
    for name, one in list(state.promotions.items()):
        if one.seq == seq and one.note:
            state.promotions[name] = replace(one, note=instead)
    for promotion in [ended_by(key) for key, number in state.keys.items() if number == seq]:
        ended = state.promotions.get(promotion)
        if ended and ended.ended_note:
            state.promotions[promotion] = replace(ended, ended_note=instead)
    _hide_standing(state.holds, seq, instead)
    _hide_standing(state.blocks, seq, instead)
    _hide_standing(state.freezes, seq, instead)


def _hide_standing(standing: MutableMapping[_K, Standing], seq: int, instead: str) -> None:
    for place, one in list(standing.items()):
        if one.seq == seq and one.note:
            standing[place] = replace(one, note=instead)


def _fork(state: Tables, entry: Entry, _oid: str) -> None:
    for lost in (entry.lost, *also_lost(entry)):
        state.forks.setdefault(lost, entry.seq)


def also_lost(entry: Entry) -> tuple[str, ...]:
    """Return the other ends of the ledger that two people gave up in one word."""
    named = entry.evidence.get("ends")
    return tuple(str(one) for one in named) if isinstance(named, list) else ()


def _quarantine(state: Tables, entry: Entry, _oid: str) -> None:
    counted = quarantined_on(entry)
    state.counts[counted] = state.count(counted) + 1


def quarantine_input(source: Json, about: Json, detail: Json) -> str:
    """Return the hash by which junk is known: who sent it, what it was about, what is wrong with it."""
    return digest_of([source, about, detail])


def quarantined_on(entry: Entry) -> str:
    """Return what is counted of quarantines: those of one day."""
    return f"quarantine/{entry.at[:10]}"


APPLY: Mapping[Kind, Apply] = {
    Kind.IDENTITY: _identity,
    Kind.REDACT: _redact,
    Kind.FORK: _fork,
    Kind.QUARANTINE: _quarantine,
}
