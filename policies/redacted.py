"""Redaction: whose words two people took out of every view. The bytes stay in Git; what is shown says who hid them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from policies.canonical import Json
from policies.entry import Entry

_HIDDEN = re.compile(r"\(redacted, see #[0-9]+\)", re.ASCII)
ENDS: Final = frozenset({"reject", "cancel", "ended"})  # keys of what ends a promotion with somebody's words


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

    The same words are hidden wherever they stand again: in evidence, and in what a new year carries over.
    """
    found = tuple(entries)
    if not redacted:
        return found
    words = {
        entry.note: hidden(redacted[entry.seq]) for _, entry in found if entry.note and entry.seq in redacted
    }
    return tuple((oid, _veil(entry, redacted, words)) for oid, entry in found)


def _veil(entry: Entry, redacted: Mapping[int, int], words: Mapping[str, str]) -> Entry:
    if entry.note and entry.seq in redacted:
        entry = replace(entry, note=hidden(redacted[entry.seq]))
    if entry.carried:
        ended = _ended(entry.carried.get("tables"), redacted)
        entry = replace(entry, carried=_told(dict(entry.carried), redacted, words, ended))
    if entry.evidence and words:
        entry = replace(entry, evidence=_told(dict(entry.evidence), {}, words, {}))
    return entry


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


def _told(
    value: dict[str, Json], redacted: Mapping[int, int], words: Mapping[str, str], ended: Mapping[str, int]
) -> dict[str, Json]:
    found = {name: _plain(item, redacted, words, ended) for name, item in value.items()}
    seq, promotion = found.get("seq"), found.get("id")
    if isinstance(seq, int) and seq in redacted and found.get("note"):
        found["note"] = hidden(redacted[seq])
    if isinstance(promotion, str) and promotion in ended and found.get("ended_note"):
        found["ended_note"] = hidden(ended[promotion])
    return found


def _plain(
    value: Json, redacted: Mapping[int, int], words: Mapping[str, str], ended: Mapping[str, int]
) -> Json:
    match value:
        case str():
            return words.get(value, value)
        case list():
            return [_plain(item, redacted, words, ended) for item in value]
        case dict():
            return _told(value, redacted, words, ended)
        case _:
            return value
