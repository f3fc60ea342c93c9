"""A simulation in words."""

from datetime import timedelta

import pytest

from policies.codes import MEANINGS, Code
from policies.simulate import Difference, Outcome, Simulation
from policies.simulate_text import lines, sum_of
from policies.verdict import Failed
from tests.policies.ledger_builders import START

STOPPED = Difference(
    Outcome.STOPPED, "production", "web", "1.1.0", START, None, (Failed(Code.FROZEN, "the sale"),)
)
EARLIER = Difference(Outcome.EARLIER, "production", "web", "1.2.0", START, START - timedelta(hours=1))
ALLOWED = Difference(Outcome.ALLOWED, "production", "web", "1.3.0", None, START)


def simulation(moves: int, *differences: Difference) -> Simulation:
    """Return a simulation of a month."""
    return Simulation(START, START + timedelta(days=30), moves, differences, ())


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (simulation(1), "1 move from 2026-11-23 to 2026-12-23: 1 as they were, 0 differences"),
        (simulation(3, STOPPED), "3 moves from 2026-11-23 to 2026-12-23: 2 as they were, 1 difference"),
        (
            simulation(3, STOPPED, ALLOWED),
            "3 moves from 2026-11-23 to 2026-12-23: 2 as they were, 2 differences",
        ),
    ],
)
def test_the_sum_counts_moves_and_differences(found: Simulation, expected: str) -> None:
    assert sum_of(found) == expected


def test_a_line_says_what_would_have_been_and_why() -> None:
    assert list(lines(simulation(2, STOPPED, EARLIER, ALLOWED))) == [
        f"production: web 1.1.0 would have been stopped, moved 2026-11-23T09:00:00Z: frozen, {MEANINGS[Code.FROZEN]}",
        "production: web 1.2.0 could have moved earlier, from 2026-11-23T08:00:00Z on, moved 2026-11-23T09:00:00Z",
        "production: web 1.3.0 would have been let through, from 2026-11-23T09:00:00Z on, did not move",
    ]
