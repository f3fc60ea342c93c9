"""Renames: what services and environments were called before, and the tables read through it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from operator import attrgetter
from typing import Final, TypeVar

from policies.canonical import Json
from policies.entries.remembered import Place
from policies.entries.tables import Tables
from policies.growing import Growing, Trail
from policies.rules.rules import Rules

K = TypeVar("K")
V = TypeVar("V")
# from here on what a person answered for is carried over, too: before, a guard held it again under the new name
ANSWERS_DECIDE: Final = datetime(2026, 11, 28, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Renames:
    """Old names and what they are called now."""

    services: Mapping[str, str] = field(default_factory=dict)
    environments: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Json]:
        """Return them as a `rules` entry carries them: nothing where there are none."""
        found = {"services": self.services, "environments": self.environments}
        return {name: dict(names) for name, names in found.items() if names}

    def service(self, name: str) -> str:
        """Return what a service is called now."""
        return self.services.get(name, name)

    def environment(self, name: str) -> str:
        """Return what an environment is called now."""
        return self.environments.get(name, name)

    def place(self, place: Place) -> Place:
        """Return what a place is called now."""
        return self.environment(place[0]), self.service(place[1])


def renames(rules: Rules) -> Renames:
    """Return what the rules say was called otherwise (``was``); a name that is in use was not."""
    return Renames(
        _former({name: one.was for name, one in rules.services.items()}),
        _former({name: one.was for name, one in rules.environments.items()}),
    )


def _former(was: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, olds in was.items():
        for old in olds:
            if old not in was:
                found.setdefault(old, name)
    return found


def renames_of(told: Json | None) -> Renames:
    """Read what an entry carries; what is of another form is none."""
    tables = told if isinstance(told, Mapping) else {}
    return Renames(_names(tables.get("services")), _names(tables.get("environments")))


def _names(told: Json | None) -> dict[str, str]:
    if not isinstance(told, Mapping):
        return {}
    return {old: new for old, new in told.items() if isinstance(new, str)}


def carry(state: Tables, names: Renames, at: datetime) -> None:
    """Carry over what the tables know under old names. Promotions that are open keep theirs, and end as removed.

    ``at``: when it was written down that they are old (UTC).
    """
    service, environment, place = names.service, names.environment, names.place
    state.moves = _rekeyed(state.moves, place, _joined)
    state.health = _rekeyed(state.health, place, _joined)
    state.events = _rekeyed(state.events, lambda key: (*place((key[0], key[1])), *key[2:]), _joined)
    state.sighted = _rekeyed(state.sighted, service, lambda one, other: Trail((*one, *other)))
    state.before = _rekeyed(state.before, service, lambda one, other: (*one, *other))
    state.seen = _rekeyed(state.seen, lambda key: (service(key[0]), *key[1:]), _first)
    state.built = _rekeyed(state.built, lambda key: (service(key[0]), *key[1:]), _first)
    state.holds = renamed(state.holds, place)
    state.blocks = renamed(state.blocks, lambda key: (*place((key[0], key[1])), key[2]))
    state.unblocked = renamed(state.unblocked, lambda key: (*place((key[0], key[1])), key[2]))
    state.accepted = renamed(state.accepted, lambda key: (service(key[0]), key[1]))
    if at >= ANSWERS_DECIDE:
        state.answered = renamed(state.answered, lambda key: (*place((key[0], key[1])), *key[2:]))
    state.empty, state.lost = renamed(state.empty, service), renamed(state.lost, service)
    state.freezes, state.unfrozen = (
        renamed(state.freezes, environment),
        renamed(state.unfrozen, environment),
    )
    state.stood = renamed(state.stood, lambda key: (*place((key[0], key[1])), key[2]))
    state.configured = renamed(state.configured, environment)
    state.open = {
        seq: replace(one, environment=environment(one.environment), service=service(one.service))
        for seq, one in state.open.items()
    }


def _rekeyed(table: Growing[K, V], key_of: Callable[[K], K], merge: Callable[[V, V], V]) -> Growing[K, V]:
    if all(key_of(key) == key for key in table):
        return table
    found: Growing[K, V] = Growing()
    for key, value in table.items():
        new = key_of(key)
        found[new] = merge(found[new], value) if new in found else value
    return found


def renamed(table: dict[K, V], key_of: Callable[[K], K]) -> dict[K, V]:
    """Return a table under new names; what stands under the new name already stays."""
    kept = {key: value for key, value in table.items() if key_of(key) == key}
    return {**{key_of(key): value for key, value in table.items()}, **kept}


def _joined(one: Trail[V], other: Trail[V]) -> Trail[V]:
    return Trail(sorted((*one, *other), key=attrgetter("seq")))


def _first(one: V, _other: V) -> V:
    return one
