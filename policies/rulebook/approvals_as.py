"""``approvals: as ENVIRONMENT``: the lines of an environment before, for each service as they are meant there."""

from collections.abc import Mapping
from dataclasses import replace

from policies.rulebook.findings import Findings, shown
from policies.rulebook.layers import Layered, circles
from policies.rules.places import Environment
from policies.rules.terms import Position

Exceptions = Mapping[tuple[str, str], Environment]


def filled(
    environments: Mapping[str, Environment], exceptions: Exceptions, said: Layered, findings: Findings
) -> tuple[dict[str, Environment], dict[tuple[str, str], Environment]]:
    """Return environments and exceptions whose lines are those of the environments that they name."""
    named = {name: where.approvals_as for name, where in environments.items() if where.approvals_as}
    broken = {name for circle in circles(named) for name in circle}
    for one in broken:
        at = _place(said, one, "")
        findings.add(
            at, f"approvals of {one} are as its own, in a circle", "an environment that says its approvals"
        )
    plain = dict(environments)
    found = dict(exceptions)
    for name in _in_order(named, broken):
        _fill(name, plain, found, said, findings)
    for (name, service), where in exceptions.items():
        if where.approvals_as and name not in named:
            _fill_one((name, service), plain, found, said, findings)
    return plain, found


def _fill(
    name: str,
    plain: dict[str, Environment],
    found: dict[tuple[str, str], Environment],
    said: Layered,
    findings: Findings,
) -> None:
    """Fill an environment, and each service for which it or the one that it names has an exception."""
    where = plain[name]
    source = plain.get(where.approvals_as)
    if source is None:
        others = set(plain) - {name}
        findings.unknown(_place(said, name, ""), "environment", where.approvals_as, others)
        return
    if not source.approvals:
        what = f"approvals of {name} are as {source.name}, which asks nobody"
        findings.add(_place(said, name, ""), what, "an environment that asks for approvals")
    services = [service for there, service in list(found) if there in {name, source.name}]
    plain[name] = replace(where, approvals=source.approvals)
    for service in dict.fromkeys(services):
        found.setdefault((name, service), where)
        _fill_one((name, service), plain, found, said, findings)


def _fill_one(
    place: tuple[str, str],
    plain: Mapping[str, Environment],
    found: dict[tuple[str, str], Environment],
    said: Layered,
    findings: Findings,
) -> None:
    where = found[place]
    if not where.approvals_as:
        return
    source = found.get((where.approvals_as, place[1])) or plain.get(where.approvals_as)
    if source is None or source.name == place[0]:
        what = f"approvals of {shown(place[1])} in {place[0]} are as {shown(where.approvals_as)}"
        findings.add(_place(said, *place), what, "another environment that asks for approvals")
        return
    found[place] = replace(where, approvals=source.approvals)


def _place(said: Layered, environment: str, service: str) -> Position:
    sources = said.sources.get((environment, service)) or said.sources[environment, ""]
    return sources["approvals"].at


def _in_order(named: Mapping[str, str], broken: set[str]) -> list[str]:
    """Return environments so that each comes after the one whose approvals it takes."""
    found: dict[str, None] = {}
    for name in named:
        chain = [name]
        while (to := named.get(chain[-1])) and to not in found and to not in broken:
            chain.append(to)
        found.update(dict.fromkeys(one for one in reversed(chain) if one in named and one not in broken))
    return list(found)
