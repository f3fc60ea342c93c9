"""What was asked before something moved, asked again in the state that its entry followed."""

import pytest

from policies.entry import Entry, Kind
from policies.reperformed import Judged, reperformed
from policies.state import Stage
from policies.verdict import Passed
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
