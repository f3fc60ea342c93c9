"""``approvals: as ENVIRONMENT``: the lines of an environment before, for each service as they are meant there."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace

from policies.rulebook.findings import Findings, shown
from policies.rulebook.layers import MAX_EXCEPTIONS, Layered, circles
from policies.rules.places import Environment
from policies.rules.terms import Line

Place = tuple[str, str]  # an environment and a service, '' = every service without an exception there
Places = Mapping[Place, Environment]


def filled(
    environments: Mapping[str, Environment], exceptions: Places, said: Layered, findings: Findings
) -> tuple[dict[str, Environment], dict[Place, Environment]]:
    """Return environments and exceptions whose lines are those of the environments that they name."""
    plain = {(name, ""): where for name, where in environments.items()}
    places = {**plain, **_lent(environments, exceptions, findings)}
    lines = _lines(places)
    _note(environments, lines, said, findings)
    _note_exceptions(environments, exceptions, lines, said, findings)
    found = {place: replace(where, approvals=lines[place]) for place, where in places.items()}
    return {name: found.pop((name, "")) for name in environments}, found


def _lent(
    environments: Mapping[str, Environment], exceptions: Places, findings: Findings
) -> dict[Place, Environment]:
    """Return the exceptions, and one for each environment that takes its approvals from one that has one."""
    takers: dict[str, list[str]] = defaultdict(list)
    for name, where in environments.items():
        takers[where.approvals_as].append(name)
    found, walked = dict(exceptions), list(exceptions)
    for name, service in walked:
        for taker in takers[name]:
            if (taker, service) in found:
                continue
            if len(found) == MAX_EXCEPTIONS:
                what = f"there are more than {MAX_EXCEPTIONS} exceptions"
                findings.add(environments[taker].at, what, "fewer, or none by approvals: as")
                return found
            found[taker, service] = environments[taker]
            walked.append((taker, service))
    return found


def _lines(places: Places) -> dict[Place, tuple[Line, ...]]:
    """Return the lines that count at each place: none where the way leads back, or to no environment."""
    found: dict[Place, tuple[Line, ...]] = {}
    for start in places:
        way: list[Place] = []
        place = start
        while place in places and place not in found:
            way.append(place)
            found[place] = places[place].approvals
            to = places[place].approvals_as
            if to:
                place = (to, place[1]) if (to, place[1]) in places else (to, "")
        found.update(dict.fromkeys(way, found.get(place, ())))
    return found


def _note(
    environments: Mapping[str, Environment],
    lines: Mapping[Place, tuple[Line, ...]],
    said: Layered,
    findings: Findings,
) -> None:
    """Note environments that take approvals from one that has none."""
    named = {name: where.approvals_as for name, where in environments.items() if where.approvals_as}
    circular = {name for circle in circles(named) for name in circle}
    for name, to in named.items():
        at = said.sources[name, ""]["approvals"].at
        if to not in environments:
            findings.unknown(at, "environment", to, set(environments) - {name})
        elif name in circular:
            what = f"approvals of {name} are as its own, in a circle"
            findings.add(at, what, "an environment that says its approvals")
        elif not lines[name, ""]:
            what = f"approvals of {name} are as {to}, which asks nobody"
            findings.add(at, what, "an environment that asks for approvals")


def _note_exceptions(
    environments: Mapping[str, Environment],
    exceptions: Places,
    lines: Mapping[Place, tuple[Line, ...]],
    said: Layered,
    findings: Findings,
) -> None:
    """Note exceptions that take approvals, other than their environment does, from where there are none."""
    for (name, service), where in exceptions.items():
        to = where.approvals_as
        if to and to != environments[name].approvals_as and not lines[name, service]:
            at = said.sources[name, service]["approvals"].at
            what = f"approvals of {shown(service)} in {name} are as {shown(to)}"
            findings.add(at, what, "another environment that asks for approvals")
