"""What a new year carries: written as rows, read back the same."""

from datetime import timedelta

import pytest

from policies.entries.carried import _adapter, carry, first_number, restore
from policies.entries.remembered import Span
from policies.entries.tables import Tables
from policies.errors import PolicyError
from policies.ledger.state import State
from tests.policies.ledger_builders import START, pinned, story


def test_what_was_seen_before_and_who_had_a_part_are_carried_over() -> None:
    found = story()
    found.add(found.seen("1.1.0", before=True))
    found.state.lost["web"] = frozenset({"1.0.9", "1.0.8"})
    span = (Span(START, START + timedelta(hours=1)),)
    for spot in (("production", "", None), ("", "web", None), ("", "web", pinned("1.1.0"))):
        found.state.stood[spot] = span
    new = Tables("2027")

    restore(new, carry(found.state, found.entries, found.at))

    assert new.before == {"web": ("1.1.0",)}
    assert new.lost["web"] == {"1.0.8", "1.0.9"}
    assert new.rules == found.state.rules
    assert new.stood == found.state.stood


def test_a_year_without_rules_carries_none() -> None:
    carried = carry(State("2026"), [], START + timedelta(days=30))

    assert "rules" not in carried
    assert first_number(carried) == 1


def test_what_is_no_table_has_no_reader() -> None:
    with pytest.raises(PolicyError, match="year is no table"):
        _adapter("year")
