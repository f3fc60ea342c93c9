"""What a new year's first entry carries of the old year: the tables, written as plain rows and read back the same."""

from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import cache
from typing import Any, Final, get_args, get_origin, get_type_hints

from pydantic import TypeAdapter, ValidationError

from policies.canonical import Json
from policies.entries.entry import Entry, EntryError, parse, write_time
from policies.entries.tables import Tables
from policies.errors import PolicyError
from policies.growing import Growing, Trail

KEPT: Final = timedelta(days=90)  # keys, commits and promotions that are over
# From here on what waits for a review brings its promotion along: who had a part in it may not close it.
REVIEWED_DECIDE: Final = datetime(2026, 11, 26, tzinfo=UTC)
KEPT_MOVES: Final = 20  # of each place, and as many looks at its health

# table -> how it is read; what follows from others, or stands in the entry itself, is not written
_LEFT_OUT: Final = frozenset(
    {"year", "seq", "tip", "genesis", "rules", "signer", "at", "sighted", "before", "marks"}
)
_NAMES: Final = tuple(one.name for one in fields(Tables) if one.name not in _LEFT_OUT)


def carry(state: Tables, entries: Iterable[tuple[str, Entry]], at: datetime) -> dict[str, Json]:
    """Return what goes over into the new year at a time (UTC); ``entries`` are those of the old branch.

    Everything that is open, all that was seen and counted, where things are shown; of what is over the last 90 days.
    """
    since = at - KEPT
    first = next((entry.seq for _, entry in entries if entry.time >= since), state.seq + 1)
    kept = {name: dict(getattr(state, name).items()) for name in _NAMES}
    kept["moves"] = {place: tuple(moves)[-KEPT_MOVES:] for place, moves in kept["moves"].items()}
    kept["health"] = {place: tuple(looks)[-KEPT_MOVES:] for place, looks in kept["health"].items()}
    named = {move.promotion for moves in kept["moves"].values() for move in moves} | set(state.live.values())
    if at >= REVIEWED_DECIDE:
        named |= {one.promotion for one in state.open.values()}
    kept["promotions"] = {
        name: one
        for name, one in kept["promotions"].items()
        if one.is_live or name in named or (one.done is not None and one.done >= since)
    }
    ran = {
        (*place, one.repository, one.tag)
        for place, moves in kept["moves"].items()
        for move in moves
        for one in move.image
    }
    kept["events"] = {
        key: events for key, events in kept["events"].items() if key in ran or events[-1].seq >= first
    }
    live = tuple(f"/{name}/" for name in state.live.values())
    kept["keys"] = {
        key: seq for key, seq in kept["keys"].items() if seq >= first or any(one in f"{key}/" for one in live)
    }
    for name in ("commits", "ours"):
        kept[name] = {commit: seq for commit, seq in kept[name].items() if seq >= first}
    found: dict[str, Json] = {"year": state.year, "tip": state.tip, "seq": state.seq}
    if state.rules is not None:
        found["rules"] = state.rules.line().decode()
    tables: dict[str, Json] = {name: _rows(rows) for name, rows in kept.items() if rows}
    return {**found, "tables": tables}


def restore(state: Tables, carried: Mapping[str, Json]) -> None:
    """Fill the tables of an empty state. Raises: PolicyError where it cannot be read; the state is then as it was."""
    tables, rules = carried.get("tables"), carried.get("rules", "")
    if not isinstance(tables, Mapping) or not tables.keys() <= set(_NAMES) or not isinstance(rules, str):
        raise PolicyError("what is carried over has other tables than this program knows")
    try:
        read = {name: _adapter(name).validate_python(rows) for name, rows in tables.items()}
        judging = parse(rules.encode()) if rules else None
    except (ValidationError, EntryError, ValueError) as error:
        raise PolicyError(f"what is carried over cannot be read: {str(error)[:200]}") from error
    for name, rows in read.items():
        table = getattr(state, name)
        is_trail = name in {"moves", "health", "events"}
        for key, value in rows:
            table[key] = Trail(value) if is_trail else value
    state.rules = judging
    for seen in state.seen.values():
        one = seen.sighting
        state.sighted[one.service] = (state.sighted.get(one.service) or Trail()).and_then(one)
        if one.before:
            state.before[one.service] = (*state.before.get(one.service, ()), one.tag)


def first_number(carried: Mapping[str, Json]) -> int:
    """Return the number of an entry that carries this: numbers go on from year to year."""
    seq = carried.get("seq", 0)
    return seq + 1 if isinstance(seq, int) and not isinstance(seq, bool) and seq >= 0 else 1


@cache
def _adapter(name: str) -> TypeAdapter[Any]:
    """Return what reads the rows of a table, by the types of its keys and values."""
    hint = get_type_hints(Tables)[name]
    if get_origin(hint) not in {dict, Growing}:
        raise PolicyError(f"{name} is no table")
    key, value = get_args(hint)
    if get_origin(value) is Trail:
        value = tuple[get_args(value)[0], ...]  # type: ignore[misc]  # made while it runs
    return TypeAdapter(list[tuple[key, value]])  # type: ignore[valid-type]  # the same


def _rows(table: Mapping[Any, Any]) -> list[Json]:
    """Return a table as rows of key and value, in the order in which they came."""
    return [[_plain(key), _plain(value)] for key, value in table.items()]


def _plain(value: Any) -> Json:
    match value:
        case datetime():
            return write_time(value)
        case Enum():
            return str(value.value)
        case frozenset():
            return sorted(_plain(one) for one in value)  # type: ignore[type-var]  # of text
        case tuple() | Trail():
            return [_plain(one) for one in value]
        case _ if is_dataclass(value) and not isinstance(value, type):
            return {
                one.name: _plain(said)
                for one in fields(value)
                if _is_said(one, said := getattr(value, one.name))
            }
        case _:
            return value  # type: ignore[no-any-return]  # text, count or truth: plain already


def _is_said(field: Any, value: Any) -> bool:
    """Whether a field has to be written: none that is nothing, and none that stands at its default."""
    return value is not None and (field.default is MISSING or value != field.default)
