"""What a change of the rules means, in words: for whom which effective rule becomes another one."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeVar

from policies.rulebook.findings import visible
from policies.rulebook.markdown import inert
from policies.rules.rules import Environment, Host, Person, Rules, Team, effective
from policies.rules.shown import ENVIRONMENT_VALUES, SERVICE_VALUES, listed
from policies.times.calendar import Calendar
from policies.times.duration import spell

MAX_PLACES = 50_000  # services times environments that are compared
MAX_SHOWN = 300  # characters of one value
_NAMED = 5  # services in one sentence
_T = TypeVar("_T")

_PHRASES: Mapping[str, str] = MappingProxyType(
    {
        "approvals": "who may approve WHAT in WHERE",
        "rollback": "who may put WHAT back in WHERE",
        "emergency": "who may call an emergency for WHAT in WHERE",
        "exclude": "who may not approve WHAT in WHERE",
        "evidence": "where approvals of WHAT in WHERE have to be given",
        "after": "where WHAT has to have run before it comes to WHERE",
        "soak": "how long WHAT soaks before it comes to WHERE",
        "freeze": "when WHAT stands still in WHERE",
        "channel": "where WHAT in WHERE is said",
    }
)


@dataclass(frozen=True, slots=True)
class Change:
    """One sentence: ``about`` what, what it ``was``, and what it ``becomes``; '' = it was not, or is no more."""

    about: str
    was: str = ""
    becomes: str = ""

    def __str__(self) -> str:
        if not self.was:
            return f"{self.about}: new, {self.becomes}" if self.becomes else self.about
        return f"{self.about}: was {self.was}, {f'becomes {self.becomes}' if self.becomes else 'is removed'}"


def changes(old: Rules, new: Rules) -> tuple[Change, ...]:
    """Return what is other in effective rules: who approves first, then the rest of each environment, then people."""
    if max(len(one.environments) * len(one.services) for one in (old, new)) > MAX_PLACES:
        return (
            Change(
                f"there are more than {MAX_PLACES} services in environments, which is too much to compare"
            ),
        )
    return (
        *_places(old, new),
        *_services(old, new),
        *_tables("team", old.teams, new.teams, _team),
        *_tables("person", old.people, new.people, _person),
        *_tables("group", old.groups, new.groups, listed),
        *_tables("registry", old.registries, new.registries, _host),
        *_tables("calendar", {"": old.calendar}, {"": new.calendar}, _calendar),
    )


def _places(old: Rules, new: Rules) -> Iterator[Change]:
    for name in old.environments:
        if name not in new.environments:
            yield Change(f"environment {name} is removed")
    for name, where in new.environments.items():
        if name not in old.environments:
            yield Change(f"environment {name}", becomes=f"approvals {_value('approvals', where)}")
            continue
        yield from _environment(old, new, name)


def _environment(old: Rules, new: Rules, name: str) -> Iterator[Change]:
    """Yield what is other in one environment; services of which the same is other share a sentence."""
    found: dict[tuple[str, str, str], list[str]] = {}
    both = [one for one in new.services if effective(old, name, one) and effective(new, name, one)]
    compared: dict[tuple[int, int], list[tuple[str, str, str]]] = {}
    for service in both:
        was, now = old.environment_for(name, service), new.environment_for(name, service)
        pair = (id(was), id(now))
        if pair not in compared:
            compared[pair] = list(_differences(was, now))
        for difference in compared[pair]:
            found.setdefault(difference, []).append(service)
    if not both:
        plain = _differences(old.environments[name], new.environments[name])
        found = {difference: [] for difference in plain}
    for (key, before, after), services in found.items():
        what = "everything" if len(services) == len(both) else _named(services)
        about = _PHRASES.get(key, "KEY of WHAT in WHERE")
        words = about.replace("KEY", key).replace("WHAT", what).replace("WHERE", name)
        yield Change(words, before, after)


def _differences(was: Environment, now: Environment) -> Iterator[tuple[str, str, str]]:
    """Yield key, old and new value."""
    for key in ENVIRONMENT_VALUES:
        before, after = _value(key, was), _value(key, now)
        if before != after:
            yield key, before, after
    if was.paths != now.paths:
        yield "path", listed(was.paths), listed(now.paths)


def _value(key: str, where: Environment) -> str:
    return str(ENVIRONMENT_VALUES[key](where))


def _services(old: Rules, new: Rules) -> Iterator[Change]:
    for name in old.services:
        if name not in new.services:
            yield Change(f"service {name} is removed")
    for name, what in new.services.items():
        before = old.services.get(name)
        if before is None:
            owner = f", owner {what.owner}" if what.owner else ""
            yield Change(f"service {name}", becomes=f"{listed(what.images)} {what.versions_text}{owner}")
            continue
        for key, read in SERVICE_VALUES.items():
            was, becomes = read(before), read(what)
            if was != becomes:
                yield Change(f"{key} of {name}", was, becomes)


def _tables(
    kind: str, old: Mapping[str, _T], new: Mapping[str, _T], shown: Callable[[_T], str]
) -> Iterator[Change]:
    for name in dict.fromkeys([*old, *new]):
        was = shown(old[name]) if name in old else ""
        becomes = shown(new[name]) if name in new else ""
        if was != becomes:
            yield Change(f"{kind} {name}".strip(), was, becomes)


def _team(team: Team) -> str:
    return team.source or listed(team.people)


def _person(person: Person) -> str:
    accounts = {"slack": person.slack, "github": person.github}
    return listed(f"{where} {account}" for where, account in accounts.items() if account)


def _host(host: Host) -> str:
    flags = {"plain HTTP": host.http, "private addresses": host.private}
    more = [f"authority {host.ca}"] * bool(host.ca) + [f"{host.concurrency} at once"] * bool(host.concurrency)
    more += [f"asked every {spell(host.interval)}"] if host.interval else []
    return listed([*(name for name, is_allowed in flags.items() if is_allowed), *more])


def _calendar(calendar: Calendar) -> str:
    parts = [
        calendar.zone or "UTC",
        f"working {listed(calendar.working)}" if calendar.working else "always working",
        f"closed {listed(calendar.closed)}" if calendar.closed else "",
    ]
    return ", ".join(part for part in parts if part)


def _named(services: list[str]) -> str:
    more = len(services) - _NAMED
    return ", ".join(services[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def spelled(found: Iterable[Change], most: int) -> Iterator[str]:
    """Yield a line of Markdown for each change; what was written stands in code: it brings no links and no names."""
    every = list(found)
    for one in every[:most]:
        yield f"- {Change(inert(one.about), *(part and _code(part) for part in (one.was, one.becomes)))}"
    if len(every) > most:
        yield f"- and {len(every) - most} more"


def _code(text: str) -> str:
    plain = " ".join(visible(text).replace("`", "'").split())
    return f"`{plain if len(plain) <= MAX_SHOWN else plain[:MAX_SHOWN] + '...'}`"
