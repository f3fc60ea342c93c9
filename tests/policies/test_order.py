"""What is dated out of its order, and between which times it came: by the chain, not by what it says of itself."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.entries.entry import write_time
from policies.ledger.order import Between, misdated

BEGIN = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def at(minutes: float) -> str:
    """Return an instant so many minutes after the beginning."""
    return write_time(BEGIN + timedelta(minutes=minutes))


def between(after: float | None, before: float | None) -> Between:
    """Return a span by minutes."""
    return Between(*("" if one is None else at(one) for one in (after, before)))


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [
        ([], {}),
        ([0], {}),
        ([0, 0, 1, 1, 2], {}),
        ([0, 10, 5, 20], {}),  # by no more than clocks may differ
        ([0, 10, 4, 20], {2: (10, 20)}),
        ([0, 10, 4], {2: (10, None)}),
        ([0, -900], {1: (0, None)}),  # of as many on both sides those are wrong that came later
        ([0, 10, -900, -899], {2: (10, None), 3: (10, None)}),
        ([-60 * 24 * 3000, 0, 1], {}),  # whether the first is right nothing before it tells
        ([900, 0, 10, 20], {0: (None, 0)}),
        ([0, 900, 10, 20], {1: (0, 10)}),  # one clock that was ahead makes none of the others wrong
        ([0, 900, 901, 10, 20, 30], {1: (0, 10), 2: (0, 10)}),
        ([0, 10, -900, 20, -800, 30], {2: (10, 20), 4: (20, 30)}),
        ([0, 10, 20, 900, 30, -900, 40, 50], {3: (20, 30), 5: (30, 40)}),
        ([0, 10, 20, 13, 30], {3: (20, 30)}),
    ],
)
def test_the_fewest_are_wrong(
    minutes: list[float], expected: dict[int, tuple[float | None, float | None]]
) -> None:
    found = misdated([at(one) for one in minutes])

    assert found == {index: between(*span) for index, span in expected.items()}


@pytest.mark.parametrize(
    ("minutes", "now", "expected"),
    [
        ([0, 10], 10, {}),
        ([0, 10], 5, {}),
        ([0, 10], 4, {1: (0, None)}),
        ([0, 900, 901, 902], 10, {1: (0, None), 2: (0, None), 3: (0, None)}),
        ([0, 900, 901, 5], 10, {1: (0, 5), 2: (0, 5)}),
        ([0, 1], -10, {0: (None, None), 1: (None, None)}),
        ([0, 3, -900], 1, {2: (3, None)}),  # the reader's clock is a little behind
    ],
)
def test_what_is_ahead_of_now_is_wrong(
    minutes: list[float], now: float, expected: dict[int, tuple[float | None, float | None]]
) -> None:
    found = misdated([at(one) for one in minutes], at(now))

    assert found == {index: between(*span) for index, span in expected.items()}


@given(st.lists(st.integers(0, 40), max_size=12))
def test_what_is_left_goes_on_and_no_fewer_would_do(minutes: list[int]) -> None:
    times = [at(10 * one) for one in minutes]

    found = misdated(times)
    left = [time for index, time in enumerate(times) if index not in found]

    assert left == sorted(left)
    assert len(left) == max(
        (
            len(kept)
            for picked in range(1 << len(times))
            if (kept := [one for index, one in enumerate(times) if picked >> index & 1]) == sorted(kept)
        ),
        default=0,
    )
    for index, span in found.items():
        assert not span.has(times[index])
    assert misdated(times, at(10_000)) == found


def test_a_span_may_be_open_on_a_side() -> None:
    assert between(None, None).has(at(-1))
    assert between(0, None).has(at(-5))
    assert not between(0, None).has(at(-5.1))
    assert between(None, 0).has(at(5))
    assert not between(None, 0).has(at(5.1))


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        (between(None, None), True),
        (between(0, 10), True),
        (between(0, 9), True),
        (between(-10, -1), False),
        (between(-10, 0), True),
        (between(19, 30), True),
        (between(20, 30), False),
        (between(-10, None), True),
        (between(20, None), False),
        (between(None, -1), False),
    ],
)
def test_a_span_meets_days(span: Between, *, expected: bool) -> None:
    assert span.meets(at(0), at(20)) is expected


@pytest.mark.parametrize(
    ("span", "said"),
    [
        (between(0, 1), "between 2026-11-23T09:00:00Z and 2026-11-23T09:01:00Z"),
        (between(None, None), "between the beginning and now"),
    ],
)
def test_a_span_says_itself(span: Between, said: str) -> None:
    assert str(span) == said


def test_the_ends_of_the_calendar_are_times_as_well() -> None:
    assert misdated(["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", at(0), at(1)]) == {
        1: Between("0001-01-01T00:00:00Z", at(0))
    }
