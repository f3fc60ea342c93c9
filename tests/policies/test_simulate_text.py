"""A simulation in words."""

from datetime import timedelta

import pytest

from policies.codes import MEANINGS, Code
from policies.images.selection import Fate
from policies.simulate import Difference, Outcome, Simulation
from policies.simulate_text import lines, sum_of
from policies.verdict import Failed, Waiting
from tests.policies.ledger_builders import START

STOPPED = Difference(
    Outcome.STOPPED, "production", "web", "1.1.0", START, None, (Failed(Code.FROZEN, "the sale"),)
)
EARLIER = Difference(Outcome.EARLIER, "production", "web", "1.2.0", START, START - timedelta(hours=1))
UNKNOWN = Difference(
    Outcome.UNKNOWN,
    "production",
    "web",
    "1.4.0",
    START,
    None,
    (Waiting(Code.GATE_UNKNOWN, "http has not been looked at yet"),),
)
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
        (
            simulation(3, STOPPED, UNKNOWN),
            "3 moves from 2026-11-23 to 2026-12-23: 1 as they were, 1 difference, 1 not known",
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


def test_what_hangs_on_a_gate_that_nobody_asked_is_said_on_its_line() -> None:
    (line,) = lines(simulation(1, UNKNOWN))

    assert line == (
        "production: web 1.4.0 is not known, moved 2026-11-23T09:00:00Z: "
        f"gate-unknown, {MEANINGS[Code.GATE_UNKNOWN]}"
    )


def test_a_version_that_is_not_taken_any_more_is_said_in_words() -> None:
    left = Difference(Outcome.STOPPED, "staging", "web", "1.1.0", START, None, (Failed(Fate.OUT_OF_RANGE),))

    (line,) = lines(simulation(1, left))

    assert line.endswith("out-of-range, the changed `versions` do not take it")
