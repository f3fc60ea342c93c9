"""What is asked outside before a version is offered: answers may be older, and it is asked after all else."""

from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest

from policies import gates
from policies.codes import Code
from policies.deciding import Decider
from policies.entries.facts import Fact, Finding, to_json
from policies.gates.outside import GATES as OUTSIDE
from policies.gates.outside import asks as can_be_asked
from policies.rules.rules import OutsideGate
from policies.verdict import PASSED, Failed, Passed, Waiting
from policies.world import World
from tests.policies.gate_worlds import case, ruled
from tests.policies.ledger_builders import pinned, story
from tests.policies.test_gate_laws import _world
from tests.policies.test_rollout import asks, ready

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
OF_THE_DIGEST = ("signature", "labels")
GATES = {row.name: row.gate for row in gates.TABLE}


def answered(kind: str, age: timedelta, *, is_offer: bool, finding: Finding = Finding.PASSED) -> gates.Case:
    found = ruled(story().staged("1.1.0"), gates=(OutsideGate(kind, kind),))
    code = "" if finding is Finding.PASSED else "label-differs"
    about = case(found, "1.1.0", "production", facts=(Fact(kind, finding, code, "", found.at - age),))
    return replace(about, is_offer=is_offer)


@pytest.mark.parametrize("kind", ["checks", "http", "prometheus", "signature", "labels"])
def test_what_moves_needs_a_fresh_answer_and_an_offer_takes_an_older_one_about_a_digest(kind: str) -> None:
    gate, longest = GATES[kind], DAY if kind in OF_THE_DIGEST else 10 * MINUTE

    assert isinstance(gate(answered(kind, longest, is_offer=True)), Passed)
    late = gate(answered(kind, longest + MINUTE, is_offer=True))
    assert getattr(late, "code", None) is Code.GATE_UNKNOWN
    moves = gate(answered(kind, 11 * MINUTE, is_offer=False))
    assert getattr(moves, "code", None) is Code.GATE_UNKNOWN


@pytest.mark.parametrize("on", ["head", "target", "source", ""])
def test_checks_of_a_pull_request_are_not_waited_for_before_there_is_one(on: str) -> None:
    settings = {"names": ("ci",)} | ({"on": (on,)} if on else {})
    found = ruled(story().staged("1.1.0"), gates=(OutsideGate("checks", "checks", settings),))
    about = case(found, "1.1.0", "production")

    assert isinstance(gates.checks(replace(about, is_offer=True)), Passed) is (on == "head")
    assert not isinstance(gates.checks(about), Passed)


def test_an_offer_takes_an_older_answer_about_the_platforms_of_an_image() -> None:
    about = answered("labels", HOUR, is_offer=True)
    service = replace(about.rule.service, platforms=("linux/arm64",))
    known = Fact(gates.PLATFORMS, Finding.PASSED, "", "", about.at - HOUR)
    about = replace(about, rule=replace(about.rule, service=service), facts=(known,))

    assert gates.platforms(about) == PASSED
    assert gates.platforms(replace(about, is_offer=False)) != PASSED


def test_what_is_asked_of_a_pull_requests_head_are_checks_alone() -> None:
    assert not can_be_asked(OutsideGate("checks", "ci", {"on": ("head",)}), is_offer=True)
    assert can_be_asked(OutsideGate("checks", "ci", {"on": ("head",)}), is_offer=False)
    assert can_be_asked(OutsideGate("http", "ci", {"on": ("head",)}), is_offer=True)


def test_the_gates_that_ask_outside_are_these() -> None:
    kinds = ("checks", "http", "prometheus", "signature", "labels", "platforms")

    assert frozenset(GATES[kind] for kind in kinds) == OUTSIDE
    assert {gate(case(story())) for gate in OUTSIDE} == {PASSED}  # where the rule asks for none of them


@pytest.mark.parametrize(
    "order", list(permutations((Finding.PASSED, Finding.WAITING, Finding.FAILED))), ids=str
)
@pytest.mark.parametrize("count", [1, 2, 3])
def test_of_several_gates_of_a_kind_the_worst_answer_counts(order: tuple[Finding, ...], count: int) -> None:
    codes = {Finding.PASSED: "", Finding.WAITING: "condition-not-met", Finding.FAILED: "label-differs"}
    named = tuple(OutsideGate("http", f"http-{number}") for number in range(count))
    about = case(ruled(story().staged("1.1.0"), gates=named), "1.1.0", "production")
    facts = tuple(
        Fact(gate.name, what, codes[what], "", about.at) for gate, what in zip(named, order, strict=False)
    )

    told = gates.http(replace(about, facts=facts))

    worst = max(order[:count], key=[Finding.PASSED, Finding.WAITING, Finding.FAILED].index)
    expected = {Finding.PASSED: Passed, Finding.WAITING: Waiting, Finding.FAILED: Failed}[worst]
    assert isinstance(told, expected)


def _codes(*, is_soaked: bool, facts: tuple[Fact, ...] = ()) -> list[str]:
    found = ruled(
        story().staged("1.1.0"),
        gates=(OutsideGate("labels", "labels"),),
        soak=timedelta() if is_soaked else timedelta(hours=1),
    )
    about = replace(case(found, "1.1.0", "production", facts=facts), is_offer=True)
    return [one.code for one in gates.before_offer(about)]


def test_outside_is_asked_after_all_else() -> None:
    assert _codes(is_soaked=False) == [Code.SOAKING, Code.NOT_REQUESTED]
    assert _codes(is_soaked=True) == [Code.GATE_UNKNOWN, Code.NOT_REQUESTED]
    failed = Fact("labels", Finding.FAILED, "label-differs", "", story().staged("1.1.0").at)
    assert _codes(is_soaked=False, facts=(failed,)) == [Code.SOAKING, Code.LABEL_DIFFERS, Code.NOT_REQUESTED]


@pytest.mark.parametrize(
    ("finding", "age", "code"),
    [
        (None, MINUTE, None),  # an entry of the time before proposals said what was looked up
        (Finding.PASSED, 23 * 60 * MINUTE, None),
        (Finding.PASSED, 25 * 60 * MINUTE, Code.GATE_UNKNOWN),
        (Finding.FAILED, MINUTE, Code.LABEL_DIFFERS),
    ],
)
def test_a_proposal_of_the_bot_is_held_to_what_it_says_was_looked_up(
    finding: Finding | None, age: timedelta, code: Code | None
) -> None:
    found = ready()
    ruled(found, "at-once", gates=(OutsideGate("labels", "labels"),))
    said = "label-differs" if finding is Finding.FAILED else ""
    facts = (Fact("labels", finding, said, "", found.at - age),) if finding else ()
    evidence = {"facts": to_json(facts)} if facts else {}

    refusal = found.refusal(asks(found, where="at-once", evidence=evidence))

    assert (refusal.code if refusal else None) is code


def test_a_row_that_hangs_on_platforms_is_decided_anew_when_they_are_known() -> None:
    found = story().staged("1.1.0")
    assert found.state.rules
    commit = found.state.rules.commit
    was = found.book.versions[commit]
    services = {"web": replace(was.services["web"], platforms=("linux/arm64",))}
    found.book.versions[commit] = replace(was, services=services)
    decider = Decider()

    def codes(*facts: Fact) -> tuple[str, ...]:
        world: World = _world(found, ())
        about = ("production", "web", (pinned("1.1.0").digest,))
        row = decider.decide(replace(world, facts={about: facts}), found.at).row("production", "web")
        assert row
        return next(one.codes for one in row.candidates if one.version == "1.1.0")

    assert codes() == ("gate-unknown", "not-requested")
    assert codes(Fact(gates.PLATFORMS, Finding.PASSED, "", "", found.at)) == ("not-requested",)
