"""A process that works for days does not grow by it, and pushes as seldom as hosts want it."""

import math
from collections import Counter

import pytest

from tests.campaign.length import LENGTH
from tests.campaign.soak import PASSES_OF_A_ROUND, Size, Soak, busiest, judged, soaked


@pytest.mark.timeout(3600)
def test_a_process_that_works_for_days_does_not_grow() -> None:
    found = soaked(LENGTH.soak_passes, math.inf)

    assert found.wrong == []
    assert found.passes == LENGTH.soak_passes
    assert found.promotions >= LENGTH.soak_passes // PASSES_OF_A_ROUND - 1
    assert found.busiest > 0


MEGABYTE = 1 << 20


@pytest.mark.parametrize(
    ("later", "wrong"),
    [
        (Size(200 * MEGABYTE, 20, 100), 0),
        (Size(300 * MEGABYTE, 20, 20_000), 0),
        (Size(300 * MEGABYTE, 20, 100), 1),
        (Size(200 * MEGABYTE, 60, 100), 1),
    ],
)
def test_what_grows_is_seen(later: Size, wrong: int) -> None:
    assert len(judged(Soak(sizes=[Size(190 * MEGABYTE, 18, 90), later]))) == wrong


def test_too_many_pushes_in_a_minute_are_seen() -> None:
    passed = Counter({("1 09:00", "before-ledger-push"): 6, ("1 09:00", "before-bump-push"): 1})
    passed |= Counter({("1 09:01", "before-ledger-push"): 5, ("1 09:01", "before-message"): 50})

    assert busiest(passed) == 7
    assert len(judged(Soak(busiest=busiest(passed)))) == 1
