"""Facts from outside: what is unknown, missing or stale never passes."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.canonical import Json
from policies.codes import Code
from policies.entries.facts import MAX_AGE, MAX_FACTS, MAX_SKEW, Fact, Finding, from_json, to_json, verdict_of
from policies.verdict import PASSED, Failed, Passed, Waiting

AT = datetime(2026, 11, 26, 15, 30, tzinfo=UTC)
GOOD = Fact("ci", Finding.PASSED, "", "", AT)
LATE = Fact("ci", Finding.WAITING, "checks-pending", "lint is pending", AT)
BAD = Fact("ci", Finding.FAILED, "checks-failed", "lint failed", AT)
ODD = Fact("ci", Finding.FAILED, "made-up", "what", AT)


@pytest.mark.parametrize(
    ("fact", "verdict"),
    [
        (GOOD, PASSED),
        (LATE, Waiting(Code.CHECKS_PENDING, "lint is pending")),
        (BAD, Failed(Code.CHECKS_FAILED, "lint failed")),
        (ODD, Failed(Code.GATE_UNKNOWN, "what")),
    ],
)
def test_a_fresh_fact_is_the_gates_verdict(fact: Fact, verdict: object) -> None:
    assert verdict_of([fact], "ci", AT) == verdict


@pytest.mark.parametrize(
    ("age", "passes"),
    [
        (timedelta(0), True),
        (MAX_AGE, True),
        (MAX_AGE + timedelta(seconds=1), False),
        (-MAX_SKEW, True),
        (-MAX_SKEW - timedelta(seconds=1), False),
    ],
)
def test_a_fact_that_is_too_old_or_of_the_future_is_unknown(age: timedelta, *, passes: bool) -> None:
    verdict = verdict_of([GOOD], "ci", AT + age)

    assert isinstance(verdict, Passed) is passes
    assert passes or verdict == Waiting(Code.GATE_UNKNOWN, "ci was looked at too long ago")


def test_a_gate_without_a_fact_waits() -> None:
    assert verdict_of([GOOD], "other", AT) == Waiting(Code.GATE_UNKNOWN, "other has not been looked at yet")


def test_facts_go_into_an_entry_and_come_back() -> None:
    assert from_json(to_json([GOOD])) == (GOOD,)


def test_a_gate_that_is_named_twice_is_unknown() -> None:
    assert from_json(
        [*to_json([GOOD]), *to_json([BAD]), *to_json([Fact("b", Finding.PASSED, "", "", AT)])]
    ) == (Fact("b", Finding.PASSED, "", "", AT),)


ROW = {"gate": "ci", "verdict": "passed", "code": "", "detail": "", "looked": "2026-11-26T15:30:00Z"}


@pytest.mark.parametrize(
    "value",
    [
        None,
        {},
        "passed",
        [],
        ["passed"],
        [{**ROW, "more": "x"}],
        [{name: text for name, text in ROW.items() if name != "looked"}],
        [{**ROW, "verdict": "ok"}],
        [{**ROW, "verdict": True}],
        [{**ROW, "looked": "yesterday"}],
        [{**ROW, "looked": 1}],
        [[ROW]],
    ],
)
def test_evidence_that_is_not_of_the_form_says_nothing(value: Json) -> None:
    assert from_json(value) == ()


def test_more_facts_than_a_rule_can_ask_for_are_not_read() -> None:
    many: list[Json] = [{**ROW, "gate": str(number)} for number in range(MAX_FACTS + 5)]

    assert len(from_json(many)) == MAX_FACTS


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(sorted(ROW.values())),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(sorted(ROW)) | st.text(), inner),
)


@given(JSON | st.lists(st.fixed_dictionaries({name: JSON | st.just(text) for name, text in ROW.items()})))
def test_whatever_stands_in_evidence_is_read_or_left_out(value: Json) -> None:
    for fact in from_json(value):
        assert fact.verdict in set(Finding)


@given(
    st.lists(
        st.builds(
            Fact, st.sampled_from(["a", "b"]), st.sampled_from(Finding), st.text(), st.text(), st.just(AT)
        )
    )
)
def test_only_a_fact_that_passed_passes(facts: list[Fact]) -> None:
    mine = [one for one in facts if one.gate == "a"]

    if isinstance(verdict_of(facts, "a", AT), Passed):
        assert mine[0].verdict is Finding.PASSED
