"""What the holder of the ledger's own key may append of the review that a rollback's rule asks for."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from policies.codes import Code
from policies.entries.carried import carry, restore
from policies.entries.entry import Entry, Kind
from policies.entries.tables import Tables
from policies.ledger.emergency import reminds, rollback_due
from policies.ledger.population import population
from policies.ledger.state import Stage
from policies.rules.rules import Apart, Line
from tests.policies.gate_worlds import ruled
from tests.policies.ledger_builders import Story, at_stage, person, story

Made = Callable[[], tuple[Story, Entry]]
REVIEWED = Apart((Line(1),), review=timedelta(days=2))


def _town(apart: Apart = REVIEWED) -> Story:
    """Return a production that runs 1.1.0, whose rule asks that a way back is looked at."""
    return ruled(at_stage(Stage.LANDED), rollback=apart)


def _back(found: Story, by: str = "bob", **changes: Any) -> Entry:
    due = {"until": rollback_due(REVIEWED, found.at)}
    return found.rollback("1.0.0", by, **(due | changes))


def _asked(apart: Apart = REVIEWED, **changes: Any) -> tuple[Story, Entry]:
    found = _town(apart)
    return found, _back(found, **changes)


def _landed() -> Story:
    found = _town()
    found.add(_back(found))
    return found.landed()


def _review(found: Story, by: str = "dan", **changes: Any) -> tuple[Story, Entry]:
    about = {"closes": next(iter(found.state.open), 0), "note": "baskets were empty"}
    return found, found.word(Kind.REVIEW, person(by), **(about | changes))


def _of_two(by: str) -> tuple[Story, Entry]:
    found = _town(replace(REVIEWED, approvals=(Line(2),)))
    found.add(_back(found))
    found.add(found.about(Kind.APPROVE, person("ada")))
    return _review(found.landed(), by)


def _overdue() -> Story:
    found = _landed()
    found.at += timedelta(days=2, minutes=1)
    return found


def _intent_while_overdue() -> tuple[Story, Entry]:
    found = _landed()
    found.staged("1.2.0")
    found.add(found.propose("1.2.0"))
    found.at += timedelta(days=2)
    ruled(found, expire=timedelta(days=9), rollback=REVIEWED)
    found.add(
        found.about(Kind.VOID, why="rule-moved", voided=found.promotion().rule.hash, **_as_it_is(found))
    )
    found.approved()
    return found, found.about(Kind.INTENT)


def _as_it_is(found: Story) -> dict[str, Any]:
    now = found.promotion()
    return {"image": now.image, "change": now.change, "head": now.head}


def _in_staging() -> tuple[Story, Entry]:
    found = ruled(story().staged("1.1.0"), "staging", rollback=REVIEWED)
    return found, _back(found, environment="staging")


FORBIDDEN: list[tuple[str, Made, Code]] = [
    ("a rollback without the date that its rule asks for", lambda: _asked(until=""), Code.OUT_OF_LINE),
    (
        "a rollback whose review is due later",
        lambda: _asked(until="2027-01-01T00:00:00Z"),
        Code.OUT_OF_LINE,
    ),
    (
        "a rollback with a date that its rule does not ask for",
        lambda: _asked(Apart((Line(1),))),
        Code.OUT_OF_LINE,
    ),
    ("a review by who went back", lambda: _review(_landed(), "bob"), Code.REQUESTER),
    ("a review by who approved it", lambda: _of_two("ada"), Code.REQUESTER),
    (
        "a review before it landed",
        lambda: (f := _town(), f.add(_back(f)), _review(f))[2],
        Code.NOT_OVER,
    ),
    ("a review without a sentence", lambda: _review(_landed(), note=""), Code.NOTE_MISSING),
    ("a merge while the review is overdue", _intent_while_overdue, Code.REVIEW_OVERDUE),
]


@pytest.mark.parametrize(
    ("made", "code"), [(made, code) for _, made, code in FORBIDDEN], ids=[name for name, _, _ in FORBIDDEN]
)
def test_nobody_may_append(made: Made, code: Code) -> None:
    found, entry = made()

    assert code in {one.code for one in found.reasons(entry)}


ALLOWED: list[tuple[str, Made]] = [
    ("a rollback with its date", _asked),
    ("a rollback by commit with its date", _in_staging),
    ("a review by a bystander", lambda: _review(_landed())),
    ("a review by another bystander", lambda: _of_two("dan")),
    ("a review that is late", lambda: _review(_overdue())),
]


@pytest.mark.parametrize("made", [made for _, made in ALLOWED], ids=[name for name, _ in ALLOWED])
def test_the_rule_lets_through(made: Made) -> None:
    found, entry = made()

    found.add(entry)


def test_a_review_closes_it_and_an_overdue_one_is_told_by_the_state_alone() -> None:
    found, entry = _review(_overdue())
    assert found.state.overdue("production", found.at) == [entry.closes]

    found.add(entry)

    assert not found.state.open


def test_what_did_not_happen_needs_no_review() -> None:
    found = _town()
    found.add(_back(found))
    assert found.state.open

    found.add(found.about(Kind.CANCEL, person("bob")))

    assert not found.state.open


def test_a_new_year_carries_the_open_review() -> None:
    found, later = _landed(), Tables("2027")

    restore(later, carry(found.state, found.entries, found.at))

    assert later.open == found.state.open


def test_people_are_reminded_when_half_of_the_time_is_over() -> None:
    opened = next(iter(_landed().state.open.values()))
    assert opened.due

    assert reminds(opened.at, opened.due) == opened.at + timedelta(days=1)


def test_an_auditor_reads_that_a_rollback_waits_for_its_review() -> None:
    found = _landed()
    assert population(found.state, found.entries)[-1].needs_review

    _, entry = _review(found)
    found.add(entry)

    assert population(found.state, found.entries)[-1].review
