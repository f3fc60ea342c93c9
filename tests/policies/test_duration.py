"""Durations as Go writes them, and days."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.errors import PolicyError
from policies.times.duration import duration, spell


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("0", timedelta(0)),
        ("0s", timedelta(0)),
        ("90s", timedelta(seconds=90)),
        ("1h30m", timedelta(minutes=90)),
        ("30m1h", timedelta(minutes=90)),
        ("1.5h", timedelta(minutes=90)),
        (".5h", timedelta(minutes=30)),
        ("1.h", timedelta(hours=1)),
        ("+5m", timedelta(minutes=5)),
        ("2d", timedelta(days=2)),
        ("1d12h", timedelta(hours=36)),
        ("250ms", timedelta(milliseconds=250)),
        ("7us", timedelta(microseconds=7)),
        ("7\u00b5s", timedelta(microseconds=7)),
        ("7\u03bcs", timedelta(microseconds=7)),
        ("1000ns", timedelta(microseconds=1)),
        ("0.1s", timedelta(milliseconds=100)),
        ("007m", timedelta(minutes=7)),
        ("2562047h47m16.854775s", timedelta(microseconds=9223372036854775)),
    ],
)
def test_a_duration_is_read(text: str, span: timedelta) -> None:
    assert duration(text) == span


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is not a duration"),
        ("5", "is not a duration"),
        ("h", "is not a duration"),
        (".h", "is not a duration"),
        ("1 h", "is not a duration"),
        ("1h ", "is not a duration"),
        ("1h\n", "is not a duration"),
        ("-1h", "is not a duration"),
        ("1w", "is not a duration"),
        ("1H", "is not a duration"),
        ("1e3s", "is not a duration"),
        ("\u0661h", "is not a duration"),
        ("1" * 70 + "s", "is not a duration"),
        ("1ns", "is finer than a microsecond"),
        ("2562048h", "is too long"),
        ("99999999999999999999d", "is too long"),
    ],
)
def test_what_is_no_duration_is_refused(text: str, reason: str) -> None:
    with pytest.raises(PolicyError, match=f"{reason}.*; expected "):
        duration(text)


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (timedelta(0), "0s"),
        (timedelta(hours=3, minutes=12), "3h12m"),
        (timedelta(days=2), "2d"),
        (timedelta(days=1, seconds=1, microseconds=2003), "1d1s2ms3us"),
    ],
)
def test_a_span_is_written_for_people(span: timedelta, text: str) -> None:
    assert spell(span) == text


def test_a_negative_span_is_not_written() -> None:
    with pytest.raises(PolicyError, match="is negative"):
        spell(timedelta(microseconds=-1))


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=100_000)))
def test_what_is_written_is_read_as_the_same_span(span: timedelta) -> None:
    assert duration(spell(span)) == span
