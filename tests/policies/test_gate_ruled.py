"""Which gates a rule asks: exactly those that its keys turn on, beside those that no key turns off."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from policies.gates import SKIPPABLE, TABLE, Before, Case, Row, is_ruled
from policies.rules.rules import ConfigRule, Limit, OutsideGate, Takes
from policies.times.windows import parse_window
from policies.verdict import PASSED, Verdict
from tests.policies.gate_worlds import case, ruled
from tests.policies.ledger_builders import story

HOUR = timedelta(hours=1)
NOT_BEFORE = {"soak": HOUR, "takes": Takes.SAME, "after": ()}


def asked(about: Case) -> set[str]:
    """Return the names of the gates that the rule asks."""
    return {row.name for row in TABLE if is_ruled(row.gate, about)}


def of(**changes: Any) -> set[str]:
    return asked(case(ruled(story(), **changes), environment="production"))


@pytest.mark.parametrize(
    ("changes", "more", "fewer"),
    [
        ({}, set(), set()),
        ({"approvals": ()}, {"jump"}, set()),
        ({"approvals": (), "jump": None}, set(), set()),
        ({"jump": 3}, set(), set()),
        ({"after": ()}, set(), {"previous"}),
        (NOT_BEFORE, set(), {"previous"}),
        ({"takes": Takes.SAME}, {"takes"}, set()),
        ({"soak": HOUR}, {"soak"}, set()),
        ({"age": HOUR}, {"age"}, set()),
        ({"freeze": (parse_window("Sat-Sun"),)}, {"window"}, set()),
        ({"limit": Limit(4, HOUR)}, {"limit"}, set()),
        ({"catch_up": True}, set(), {"known-before"}),
        ({"config": ConfigRule.GUARD}, {"config"}, set()),
        *(
            ({"gates": (OutsideGate(kind, "mine"),)}, {kind}, set())
            for kind in ("checks", "http", "prometheus", "signature", "labels")
        ),
    ],
    ids=str,
)
def test_a_key_of_the_rule_asks_its_gate_and_no_other(
    changes: dict[str, Any], more: set[str], fewer: set[str]
) -> None:
    assert of(**changes) == (of() | more) - fewer


def test_a_rule_that_says_little_asks_what_no_key_turns_off() -> None:
    assert of() == {
        "downgrade", "went-back", "digest", "blocked", "previous", "known-before", "hold", "freeze", "expired",
        "approvals", "merge-within",
    }  # fmt: skip


def test_health_is_asked_where_one_of_the_environments_before_says_who_tells_it() -> None:
    watched = ruled(story(), "staging", health=("kustomization/apps",))
    before = ("staging", "production")

    assert asked(case(watched, environment="production")) == of() | {"health"}
    assert asked(case(ruled(watched, after=before), environment="production")) == of() | {"health"}
    assert asked(case(ruled(watched, after=()), environment="production")) == of() - {"previous"}


def test_platforms_are_asked_where_the_service_names_some() -> None:
    about = case(story(), environment="production")
    service = replace(about.rule.service, platforms=("linux/arm64",))

    assert asked(replace(about, rule=replace(about.rule, service=service))) == of() | {"platforms"}


def test_what_may_be_skipped_is_named_once_by_a_word() -> None:
    assert SKIPPABLE == (
        "previous", "health", "soak", "age", "hold", "freeze", "config", "limit", "checks", "http", "prometheus",
        "labels",
    )  # fmt: skip


def test_a_gate_asks_what_the_first_line_of_its_docstring_says() -> None:
    def gate(_: Case) -> Verdict:
        """Is it so?

        More of it.
        """
        return PASSED

    def mute(_: Case) -> Verdict:
        return PASSED

    row = Row("so", gate, (), "", Before.ALONE)
    assert row.question == "Is it so?"
    assert not replace(row, gate=mute).question
