"""What happens next, and when: every gate that knows a time has it printed by `plan` and `why`, and given in JSON."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from handlers.shell.next_steps import next_of
from handlers.shell.tables import plan_json, plan_table, why_json, why_lines
from handlers.slack.reasons import moment
from policies import gates
from policies.codes import Code
from policies.decide import Candidate, Decision, Row, Standing
from policies.entries.entry import Kind, write_time
from policies.gates import Case, Gate
from policies.images.evidence import Silent
from policies.ledger.state import Stage
from policies.rules.rules import Line as Asked
from policies.rules.rules import Merges, Opens, Team, Via
from policies.verdict import Failed, NotYet, Waiting
from tests.handlers.samples import AT, PROMOTION, RULES, LookOfValues, promotion, state
from tests.handlers.samples import environment as environment_of
from tests.policies.gate_worlds import case
from tests.policies.ledger_builders import START, person, story
from tests.policies.test_gates import ALL

WORDS: dict[Code, str] = {
    Code.SOAKING: "soak ends",
    Code.TOO_YOUNG: "old enough",
    Code.LIMIT_REACHED: "limit frees",
    Code.FREEZE_WINDOW: "window opens",
    Code.HELD: "hold ends",
    Code.FROZEN: "freeze ends",
}


def _standing(kind: Kind, **about: str) -> Case:
    """Something that a person set for six hours."""
    found = story()
    until = write_time(found.at + timedelta(hours=6))
    found.add(found.stand(kind, person("ada"), until=until, **about))
    return case(found, "1.1.0", "production")


CASES = {
    **ALL,
    "held for a time": (gates.held, lambda: _standing(Kind.HOLD, service="web"), Code.HELD),
    "frozen for a time": (
        gates.frozen,
        lambda: _standing(Kind.FREEZE, environment="production"),
        Code.FROZEN,
    ),
}
WAITS = {
    name: (gate, make)
    for name, (gate, make, code) in CASES.items()
    if code is not None and isinstance(found := gate(make()), Waiting) and found.until
}
LATER = START + timedelta(hours=6, minutes=30)
AGAIN = Waiting(Code.FORGE_REFUSED, "refused, 3 times", LATER)


def _decision(
    at: datetime, *reasons: NotYet, expires: datetime | None = None
) -> tuple[Decision, Row, Candidate]:
    verdict = Standing.REFUSED if any(isinstance(one, Failed) for one in reasons) else Standing.WAITING
    one = Candidate("1.1.0", "", verdict, reasons, expires=expires)
    row = Row("production", "web", "1.0.0", verdict, one.codes, (one,))
    return Decision(at, "0" * 40, (row,)), row, one


def _plan(decision: Decision) -> str:
    out = StringIO()
    Console(file=out, width=400).print(plan_table(decision))
    return out.getvalue()


@pytest.mark.parametrize(("gate", "make"), WAITS.values(), ids=WAITS)
def test_what_waits_for_a_known_time_says_so(gate: Gate, make: Callable[[], Case]) -> None:
    asked = make()
    found = gate(asked)
    assert isinstance(found, Waiting)
    assert found.until
    decision, row, one = _decision(asked.at, found)

    said = f"{WORDS[Code(found.code)]} {moment(found.until, asked.at)}"

    assert f"{found.code.value} ({said})" in _plan(decision)
    lines = why_lines(row, [one], asked.at)
    assert lines[1] == f"1.1.0: waiting, at the earliest {moment(found.until, asked.at)}"
    assert lines[2].endswith(f"; {said}")
    (planned,) = plan_json(decision)["rows"][0]["candidates"]
    assert planned["until"] == write_time(found.until)
    assert why_json(decision, row, [one])["versions"][0]["reasons"][0]["until"] == write_time(found.until)


def test_the_gates_that_know_a_time_are_these() -> None:
    assert {Code(gate(make()).code) for gate, make in WAITS.values()} == set(WORDS)  # type: ignore[union-attr]  # waiting


def test_a_row_says_of_each_thing_in_the_way_what_happens_next() -> None:
    soak, people = Waiting(Code.SOAKING, "2h are needed", LATER), Waiting(Code.APPROVALS_MISSING, "0 of 2")
    decision, row, one = _decision(START, soak, people, expires=START + timedelta(days=1))

    assert f"soaking (soak ends {LATER:%H:%M} UTC), approvals-missing, expires " in _plan(decision)
    assert (
        why_lines(row, [one], START)[1] == f"1.1.0: waiting, at the earliest {moment(LATER, START)}, "
        f"expires {moment(START + timedelta(days=1), START)}"
    )
    (planned,) = plan_json(decision)["rows"][0]["candidates"]
    assert planned["until"] == write_time(LATER)  # as the table says; what people answer has no time
    (version,) = why_json(decision, row, [one])["versions"]
    assert [reason["until"] for reason in version["reasons"]] == [write_time(LATER), None]
    assert version["expires"] == write_time(START + timedelta(days=1))


def test_what_the_forge_refused_says_when_it_is_tried_again() -> None:
    decision, _, _ = _decision(START, AGAIN)

    assert f"forge-refused (tried again {LATER:%H:%M} UTC)" in _plan(decision)


@pytest.mark.parametrize(
    ("later", "said"),
    [(timedelta(minutes=5), "%H:%M UTC"), (timedelta(days=1), "%Y-%m-%d %H:%M UTC")],
    ids=["today", "another day"],
)
def test_a_moment_names_its_day_where_it_is_another(later: timedelta, said: str) -> None:
    assert moment(START + later, START) == f"{START + later:{said}}"


@pytest.mark.parametrize(
    "others",
    [
        [Waiting(Code.APPROVALS_MISSING)],
        [Waiting(Code.SOAKING, "", LATER), Waiting(Code.NOT_IN_PREVIOUS)],
        [Waiting(Code.SOAKING, "", LATER), Failed(Code.BLOCKED)],
    ],
    ids=["people alone", "something without a time", "something refused"],
)
def test_no_time_is_given_where_none_is_known(others: list[NotYet]) -> None:
    decision, _, _ = _decision(START, Waiting(Code.NOT_REQUESTED), *others)

    assert plan_json(decision)["rows"][0]["candidates"][0]["until"] is None


SOAK = Waiting(Code.SOAKING, "", AT + timedelta(hours=2))
UNASKED = Waiting(Code.NOT_REQUESTED)


def _next(*reasons: NotYet, environment: str = "production", **where: Any) -> str:
    lines = () if environment == "staging" else (Asked(1, ("owners",)), Asked(1, ("release-managers",)))
    place = replace(environment_of(environment, *lines), **where)
    rules = replace(
        RULES,
        environments={**RULES.environments, environment: place},
        teams={**RULES.teams, "owners": Team("owners", ("bob",))},
    )
    opened = promotion(Stage.OPEN, "ada")
    look = LookOfValues(rules, state=state(opened))
    live = PROMOTION if UNASKED not in reasons and environment == "production" else ""
    standing = Standing.REFUSED if any(isinstance(one, Failed) for one in reasons) else Standing.WAITING
    return next_of(look, environment, "checkout-api", Candidate("1.4.2", "", standing, reasons, live), AT)


@pytest.mark.parametrize(
    ("reasons", "where", "said"),
    [
        ((UNASKED,), {}, "somebody asks for it, then 2 approvals: 1 of owners, 1 of release-managers"),
        (
            (SOAK, UNASKED),
            {},
            "soak ends 16:28 UTC, then somebody asks for it, then 2 approvals: 1 of owners, 1 of release-managers",
        ),
        ((UNASKED,), {"approvals": (Asked(1),)}, "somebody asks for it, then 1 approval"),
        (
            (UNASKED,),
            {"opens": Opens.AT_ONCE, "approvals": (Asked(1),)},
            "Countersign asks for it, then 1 approval",
        ),
        (
            (Waiting(Code.KNOWN_BEFORE), UNASKED),
            {"approvals": (Asked(1),)},
            "somebody asks for it, then 1 approval",
        ),
        (
            (Waiting(Code.KNOWN_BEFORE), UNASKED),
            {"opens": Opens.AT_ONCE, "approvals": (Asked(1),)},
            "somebody asks for it, then 1 approval",
        ),
        (
            (Waiting(Code.KNOWN_BEFORE),),
            {"environment": "staging"},
            "a newer version comes, or `catch-up` takes it along",
        ),
        (
            (Waiting(Code.KNOWN_BEFORE),),
            {"environment": "staging", "via_said": Via.PULL_REQUEST},
            "somebody asks for it, or `catch-up` takes it along, then moves by itself",
        ),
        ((Waiting(Code.APPROVALS_MISSING),), {}, "1 approval: 1 of owners, then merges by itself"),
        ((SOAK,), {}, "soak ends 16:28 UTC, then merges by itself"),
        ((SOAK,), {"merges": Merges.BY_HAND}, "soak ends 16:28 UTC, then somebody merges it at the forge"),
        ((Waiting(Code.MERGING),), {}, "merges by itself"),
        ((Waiting(Code.BY_HAND),), {"merges": Merges.BY_HAND}, "somebody merges it at the forge"),
        ((Waiting(Code.WAITING_FOR_A_GO),), {}, "an approver gives it anew, then merges by itself"),
        (
            (Waiting(Code.NOT_IN_PREVIOUS), UNASKED),
            {"approvals": (Asked(1),)},
            "it runs in the environment before, then somebody asks for it, then 1 approval",
        ),
        ((SOAK,), {"environment": "staging"}, "soak ends 16:28 UTC, then moves by itself"),
        ((Failed(Code.BLOCKED), UNASKED), {}, ""),
    ],
)
def test_each_waiting_version_says_what_happens_next(
    reasons: tuple[NotYet, ...], where: dict[str, Any], said: str
) -> None:
    assert _next(*reasons, **where) == said


def test_what_waits_for_an_unforeseen_reason_says_who_finds_its_end() -> None:
    said = _next(Waiting(Silent.SLOW), environment="staging")

    assert said.startswith("a later pass finds that this is over: the registry did not answer in time")


def test_the_next_step_stands_below_its_version_and_in_json() -> None:
    decision, row, one = _decision(START, UNASKED)
    steps = {"1.1.0": "somebody asks for it"}

    assert why_lines(row, [one], START, None, steps)[-1] == "  next: somebody asks for it"
    assert why_json(decision, row, [one], None, steps)["versions"][0]["next"] == "somebody asks for it"
    assert why_json(decision, row, [one])["versions"][0]["next"] is None


def test_what_a_code_says_is_not_said_twice() -> None:
    asked = Waiting(Code.NOT_REQUESTED, "nobody has asked for it")
    _, row, one = _decision(START, asked, Waiting(Code.HELD, "by ada"))
    lines = why_lines(row, [one], START)

    assert lines[2] == "  not-requested: nobody has asked for it yet"
    assert lines[3].endswith("(by ada)")
