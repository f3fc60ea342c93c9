"""``approvals: as``: whose lines fill those of an environment, for each service, and where nobody would be asked."""

import itertools
from dataclasses import replace

import pytest

from policies.rulebook.approvals_as import filled
from policies.rulebook.findings import Findings
from policies.rulebook.layers import MAX_EXCEPTIONS, Layered
from policies.rules.rules import Environment, Layer, Line, Position, Rules, Source
from tests.policies.test_rules_like import refused, rules_of

AT = Position("p.yaml", 7, 3)


def written(name: str, approvals: str, **exceptions: str) -> str:
    """Write an environment, and what it says of approvals for services."""
    excepted = ", ".join(f"{service}: {{approvals: {said}}}" for service, said in exceptions.items())
    more = f", exceptions: {{{excepted}}}" if excepted else ""
    return f"{name}: {{path: {name}, channel: c, approvals: {approvals}{more}}}"


def asked(rules: Rules) -> dict[str, str]:
    """Return how many people are asked in each environment, for web and for api."""

    def of(name: str, service: str) -> str:
        return " and ".join(str(line) for line in rules.environment_for(name, service).approvals)

    return {name: f"{of(name, 'web')}, {of(name, 'api')}" for name in rules.environments}


LENT: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {
    "one asks as another": (
        (written("a", "as b"), written("b", "2")),
        {"a": "2, 2", "b": "2, 2"},
    ),
    "in a row": (
        (written("a", "as b"), written("b", "as c"), written("c", "3")),
        {"a": "3, 3", "b": "3, 3", "c": "3, 3"},
    ),
    "with the exception of the one that is named": (
        (written("a", "as b"), written("b", "2", web="4")),
        {"a": "4, 2", "b": "4, 2"},
    ),
    "with the exception of the last in a row": (
        (written("a", "as b"), written("b", "as c"), written("c", "2", web="4")),
        {"a": "4, 2", "b": "4, 2", "c": "4, 2"},
    ),
    "an exception keeps lines of its own": (
        (written("a", "as b", web="1"), written("b", "2", web="4", api="5")),
        {"a": "1, 5", "b": "4, 5"},
    ),
    "an exception alone asks as another": (
        (written("a", "1", web="as b", api="as b"), written("b", "2", api="3")),
        {"a": "2, 3", "b": "2, 3"},
    ),
    "exceptions in a row": (
        (written("a", "1", web="as b"), written("b", "1", web="as c"), written("c", "3")),
        {"a": "3, 1", "b": "3, 1", "c": "3, 3"},
    ),
    "an environment, then an exception, then an environment": (
        (written("a", "as b"), written("b", "1", web="as c"), written("c", "as d"), written("d", "4")),
        {"a": "4, 1", "b": "4, 1", "c": "4, 4", "d": "4, 4"},
    ),
    "an exception that leads away from a way that would end nowhere": (
        (written("a", "2", web="as b"), written("b", "as a", web="3")),
        {"a": "3, 2", "b": "3, 2"},
    ),
    "an exception asks nobody where its environment asks as another": (
        (written("a", "as b", web="none"), written("b", "2", web="4")),
        {"a": ", 2", "b": "4, 2"},
    ),
    "an exception that asks nobody is lent as it is": (
        (written("a", "as b"), written("b", "2", web="none")),
        {"a": ", 2", "b": ", 2"},
    ),
}


@pytest.mark.parametrize(("environments", "expected"), LENT.values(), ids=LENT)
def test_the_lines_are_those_that_count_there_in_whatever_order_it_is_written(
    environments: tuple[str, ...], expected: dict[str, str]
) -> None:
    for order in itertools.permutations(environments):
        assert asked(rules_of(*order)) == expected


def test_an_exception_of_something_else_asks_as_its_environment_does() -> None:
    first = "a: {path: a, channel: c, approvals: as b, exceptions: {web: {soak: 1h}}, after: b}"

    rules = rules_of(first, written("b", "2", web="4"))

    assert asked(rules) == {"a": "4, 2", "b": "4, 2"}
    assert rules.environment_for("a", "web").soak != rules.environment_for("a", "api").soak


def test_such_an_exception_may_ask_nobody_where_that_is_said_for_the_service() -> None:
    first = "a: {path: a, channel: c, approvals: as b, exceptions: {web: {soak: 1h}}, after: b}"

    assert asked(rules_of(first, written("b", "2", web="none"))) == {"a": ", 2", "b": ", 2"}


_TOO_MANY = "p.yaml:7:3: there are more than 5000 exceptions; expected fewer, or none by approvals: as"
_ALONE = "expected an environment that says its approvals"
_NOBODY = "expected an environment that asks for approvals"
_OTHER = "expected another environment that asks for approvals"
REFUSED: dict[str, tuple[tuple[str, ...], list[str]]] = {
    "as itself": (
        (written("a", "as a"),),
        [f"2:28: approvals of a are as its own, in a circle; {_ALONE}"],
    ),
    "as each other": (
        (written("a", "as b"), written("b", "as a"), written("c", "as b")),
        [
            f"2:28: approvals of a are as its own, in a circle; {_ALONE}",
            f"3:28: approvals of b are as its own, in a circle; {_ALONE}",
            f"4:28: approvals of c are as b, which asks nobody; {_NOBODY}",
        ],
    ),
    "as nobody": (
        (written("prod", "as stagin"), written("staging", "1")),
        ["2:34: unknown environment 'stagin'; expected 'staging', did you mean that?"],
    ),
    "as what is not like its own name": (
        (written("eu", "as eus"), written("asia", "1")),
        ["2:30: unknown environment 'eus'; expected one of asia"],
    ),
    "as one that asks nobody": (
        (written("a", "as b"), written("b", "none")),
        [f"2:28: approvals of a are as b, which asks nobody; {_NOBODY}"],
    ),
    "as one that observes": (
        (written("a", "as b"), written("b", "observe")),
        [f"2:28: approvals of a are as b, which asks nobody; {_NOBODY}"],
    ),
    "an exception as nobody": (
        (written("a", "1", web="as x"),),
        [f"2:61: approvals of 'web' in a are as 'x'; {_OTHER}"],
    ),
    "an exception as its own environment": (
        (written("a", "1", web="as a"),),
        [f"2:61: approvals of 'web' in a are as 'a'; {_OTHER}"],
    ),
    "an exception as one that asks nobody": (
        (written("a", "1", web="as b"), written("b", "none")),
        [f"2:61: approvals of 'web' in a are as 'b'; {_OTHER}"],
    ),
    "an exception as one that asks nobody for the service": (
        (written("a", "1", web="as b"), written("b", "1", web="none")),
        [f"2:61: approvals of 'web' in a are as 'b'; {_OTHER}"],
    ),
    "exceptions as each other": (
        (written("a", "1", web="as b"), written("b", "1", web="as a")),
        [
            f"2:61: approvals of 'web' in a are as 'b'; {_OTHER}",
            f"3:61: approvals of 'web' in b are as 'a'; {_OTHER}",
        ],
    ),
    "an exception as one that asks as the exception": (
        (written("a", "as b"), written("b", "1", web="as a")),
        [f"3:61: approvals of 'web' in b are as 'a'; {_OTHER}"],
    ),
    "an exception of an environment that is refused itself": (
        (written("a", "as b", web="as b"), written("b", "none")),
        [f"2:28: approvals of a are as b, which asks nobody; {_NOBODY}"],
    ),
}


@pytest.mark.parametrize(("environments", "findings"), REFUSED.values(), ids=REFUSED)
def test_where_nobody_would_be_asked_it_is_refused_with_its_place(
    environments: tuple[str, ...], findings: list[str]
) -> None:
    assert refused(*environments) == findings


def test_an_exception_that_is_lent_keeps_the_rest_of_its_own_environment() -> None:
    first = "a: {path: a, channel: c, approvals: as b, soak: 1h, after: b}"
    rules = rules_of(
        first, "b: {path: b, channel: d, approvals: 2, exceptions: {web: {approvals: 4, age: 1d}}}"
    )

    found = rules.environment_for("a", "web")

    assert (found.name, found.channel, found.approvals, found.approvals_as) == ("a", "c", (Line(4),), "b")
    assert found.soak == rules.environments["a"].soak
    assert found.age == rules.environments["a"].age
    assert set(rules.exceptions) == {("a", "web"), ("b", "web")}


@pytest.mark.parametrize(("more", "expected"), [(0, []), (1, [_TOO_MANY])])
def test_what_is_lent_counts_among_the_exceptions(more: int, expected: list[str]) -> None:
    first = Environment("a", ("a",), "c", (Line(2),), AT)
    environments = {"a": first, "b": replace(first, name="b", approvals=(), approvals_as="a")}
    exceptions = {("a", f"s{number}"): first for number in range(MAX_EXCEPTIONS // 2)}
    exceptions |= {("b", f"other-{number}"): environments["b"] for number in range(more)}
    said = Layered({}, {}, {("b", ""): {"approvals": Source(Layer.OWN, AT)}})
    findings = Findings()

    _, found = filled(environments, exceptions, said, findings)

    assert [str(one) for one in findings.found] == expected
    assert len(found) == MAX_EXCEPTIONS == 5_000
