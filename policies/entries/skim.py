"""An entry's line read without judging it: for a first look at a ledger that is read in full afterwards.

Of a line that ``entry.parse`` takes the same entry comes out; of another one anything may, or any error.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

import orjson

from policies.entries.entry import VERSION, Entry, Kind
from policies.entries.fields import FIELDS
from policies.entries.values import BOT, By, EntryError, Pinned, Placed, RuleAt, Sighting, Voice

_KEPT = 1 << 14  # images, rules and people that a ledger names again and again


def skim(line: bytes) -> Entry:
    """Read one line. Raises: EntryError, ValueError, TypeError, KeyError, AttributeError."""
    read = orjson.loads(line)
    if read["v"] != VERSION:
        raise EntryError("the entry has another version")
    read["kind"] = _KINDS[read["kind"]]
    for name, make in _MAKE.items():
        if name in read:
            read[name] = make(read[name])
    return Entry(**read)


_KINDS: Final = {kind.value: kind for kind in Kind}


def _by(value: Any) -> Voice:
    if isinstance(value, dict) and "forge" not in value and "bot" not in value:
        slack = value.get("slack") or _NO_SLACK
        return _presses(value["person"], value["via"], slack["team"], slack["user"])
    return BOT if "bot" in value else FIELDS["by"](value)


_NO_SLACK: Final = {"team": "", "user": ""}
_presses = lru_cache(_KEPT)(By)
_pinned = lru_cache(_KEPT)(Pinned)
_ruled = lru_cache(_KEPT)(RuleAt)


def _images(value: Any) -> tuple[Pinned, ...]:
    return tuple(_pinned(one["repository"], one["tag"], one["digest"]) for one in value)


def _rule(value: Any) -> RuleAt:
    return _ruled(value["commit"], tuple(value["files"]), value["hash"])


def _seen(value: Any) -> tuple[Sighting, ...]:
    return tuple(Sighting(**one) for one in value)


def _shown(value: Any) -> tuple[Placed, ...]:
    return tuple(Placed(**one) for one in value)


# what is not text, a count or evidence: those that most entries have the short way, the others as they are judged
_MAKE: Final[Mapping[str, Callable[[Any], Any]]] = {
    "by": _by,
    "image": _images,
    "previous": _images,
    "rule": _rule,
    "seen": _seen,
    "shown": _shown,
    **{name: FIELDS[name] for name in ("members", "also", "linked", "commits")},
}
