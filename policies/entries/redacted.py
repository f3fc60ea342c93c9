"""Redaction: whose words two people took out of every view. The bytes stay in Git; what is shown says who hid them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from policies.canonical import Json
from policies.entries.entry import Entry

_HIDDEN = re.compile(r"\(redacted, see #[0-9]+\)", re.ASCII)
ENDS: Final = frozenset({"reject", "cancel", "ended"})  # keys of what ends a promotion with somebody's words
TEXTS: Final = frozenset(
    {"detail", "note"}
)  # keys of evidence with text for people, that nothing is judged by


def hidden(by: int) -> str:
    """Return what stands in the place of words that the entry numbered ``by`` took out."""
    return f"(redacted, see #{by})"


def is_hidden(text: str) -> bool:
    """Whether a text stands in the place of words that were taken out."""
    return _HIDDEN.fullmatch(text) is not None


def ended_by(key: str) -> str:
    """Return the promotion that an entry with this key ended, '' where it ended none."""
    kind, _, promotion = key.partition("/")
    return promotion if kind in ENDS else ""


def veiled(
    entries: Iterable[tuple[str, Entry]], redacted: Mapping[int, int]
) -> tuple[tuple[str, Entry], ...]:
    """Return entries as they may be shown. ``redacted``: number of an entry -> number of the one that hides its words.

    Where evidence has text (under a key of ``TEXTS``) that is the same words, they are hidden there too. A name, a
    verdict or a code stays, also where somebody's words happen to be the same.
    """
    found = tuple(entries)
    words = {
        entry.note: hidden(redacted[entry.seq]) for _, entry in found if entry.note and entry.seq in redacted
    }
    shown = without_notes(found, redacted)
    return tuple((oid, _unsaid(entry, words)) for oid, entry in shown) if words else shown


def without_notes(
    entries: Iterable[tuple[str, Entry]], redacted: Mapping[int, int]
) -> tuple[tuple[str, Entry], ...]:
    """Return entries without the notes that are hidden, also in what a new year carries; evidence is as it was.

    No gate judges by a note: these entries are judged as those of the branch are.
    """
    found = tuple(entries)
    return tuple((oid, _veil(entry, redacted)) for oid, entry in found) if redacted else found


def _veil(entry: Entry, redacted: Mapping[int, int]) -> Entry:
    if entry.note and entry.seq in redacted:
        entry = replace(entry, note=hidden(redacted[entry.seq]))
    if entry.carried:
        ended = _ended(entry.carried.get("tables"), redacted)
        entry = replace(entry, carried=_carried(dict(entry.carried), redacted, ended))
    return entry


def _unsaid(entry: Entry, words: Mapping[str, str]) -> Entry:
    also = tuple(replace(one, evidence=_texts(dict(one.evidence), words)) for one in entry.also)
    return replace(entry, evidence=_texts(dict(entry.evidence), words), also=also)


def _texts(value: dict[str, Json], words: Mapping[str, str]) -> dict[str, Json]:
    return {
        name: words.get(item, item) if name in TEXTS and isinstance(item, str) else _within(item, words)
        for name, item in value.items()
    }


def _within(value: Json, words: Mapping[str, str]) -> Json:
    match value:
        case list():
            return [_within(item, words) for item in value]
        case dict():
            return _texts(value, words)
        case _:
            return value


def _ended(tables: Json | None, redacted: Mapping[int, int]) -> dict[str, int]:
    """Return the promotions that a hidden entry of an earlier year ended, and by which entry it is hidden."""
    keys = tables.get("keys") if isinstance(tables, dict) else None
    found = {}
    for row in keys if isinstance(keys, list) else []:
        match row:
            case [str(key), int(seq)] if seq in redacted and ended_by(key):
                found[ended_by(key)] = redacted[seq]
            case _:
                pass
    return found


def _carried(
    value: dict[str, Json], redacted: Mapping[int, int], ended: Mapping[str, int]
) -> dict[str, Json]:
    found = {name: _plain(item, redacted, ended) for name, item in value.items()}
    seq, promotion = found.get("seq"), found.get("id")
    if isinstance(seq, int) and seq in redacted and found.get("note"):
        found["note"] = hidden(redacted[seq])
    if isinstance(promotion, str) and promotion in ended and found.get("ended_note"):
        found["ended_note"] = hidden(ended[promotion])
    return found


def _plain(value: Json, redacted: Mapping[int, int], ended: Mapping[str, int]) -> Json:
    match value:
        case list():
            return [_plain(item, redacted, ended) for item in value]
        case dict():
            return _carried(value, redacted, ended)
        case _:
            return value
