"""What was asked before something moved, asked again in the state that its entry followed."""

from datetime import timedelta
from typing import Any

import pytest

from policies.allowed.reperformed import Judged, reperformed
from policies.entries.entry import Entry, Kind
from policies.gates import TABLE, Before, is_ruled
from policies.ledger.state import Stage
from policies.rules.rules import ConfigRule, Limit, OutsideGate, Takes
from policies.verdict import Passed
from tests.policies.gate_worlds import case, ruled
from tests.policies.ledger_builders import Story, at_stage, story


def again(found: Story, entry: Entry) -> tuple[Judged, ...]:
    """Ask again what was asked before one entry."""
    ((seq, judged),) = reperformed("2026", found.entries, found.book, {entry.seq})
    assert seq == entry.seq
    return judged


def first(found: Story, kind: Kind) -> Entry:
    """Return the first entry of a kind."""
    return next(entry for _, entry in found.entries if entry.kind is kind)


@pytest.mark.parametrize(
    ("kind", "gate"), [(Kind.BUMP, "soak"), (Kind.INTENT, "approvals"), (Kind.PROPOSE, "blocked")]
)
def test_what_moved_had_passed_its_gates(kind: Kind, gate: str) -> None:
    found = at_stage(Stage.LANDED)

    judged = again(found, first(found, kind))

    assert gate in {one.gate for one in judged}
    assert all(isinstance(one.verdict, Passed) for one in judged)


def test_gates_have_the_names_of_the_table_and_say_whether_the_rule_asks_them() -> None:
    found = at_stage(Stage.LANDED)

    judged = again(found, first(found, Kind.INTENT))

    names = {row.name for row in TABLE if Before.MERGED in row.before}
    assert {one.gate for one in judged} == names
    assert {"previous", "hold", "freeze", "approvals"} <= {one.gate for one in judged if one.is_asked}
    assert {
        "takes",
        "health",
        "soak",
        "age",
        "window",
        "limit",
        "config",
        "http",
        "signature",
        "platforms",
    } <= {one.gate for one in judged if not one.is_asked}


@pytest.mark.parametrize(
    ("gate", "changes"),
    [
        ("jump", {"approvals": ()}),
        ("soak", {"soak": timedelta(hours=1)}),
        ("age", {"age": timedelta(hours=1)}),
        ("limit", {"limit": Limit(4, timedelta(hours=1))}),
        ("takes", {"takes": Takes.SAME}),
        ("config", {"config": ConfigRule.GUARD}),
        ("http", {"gates": (OutsideGate("http", "http"),)}),
    ],
)
def test_a_key_of_the_rule_asks_a_gate(gate: str, changes: dict[str, Any]) -> None:
    row = next(one for one in TABLE if one.name == gate)

    assert not is_ruled(row.gate, case(story(), environment="production"))
    assert is_ruled(row.gate, case(ruled(story(), **changes), environment="production"))


def test_an_intent_of_a_promotion_that_is_not_there_is_asked_of_any_merge() -> None:
    found = at_stage(Stage.LANDED)
    intent = first(found, Kind.INTENT)
    found.entries = [
        one for one in found.entries if one[1].kind in {Kind.GENESIS, Kind.RULES} or one[1] == intent
    ]

    judged = again(found, intent)

    assert any(not isinstance(one.verdict, Passed) for one in judged)


def test_before_there_are_rules_nothing_was_asked() -> None:
    found = story()

    assert again(found, found.entries[0][1]) == ()
