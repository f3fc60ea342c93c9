"""Windows, daylight saving both ways, and working time."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.errors import PolicyError
from policies.times.calendar import (
    HORIZON,
    Calendar,
    Closed,
    DateRange,
    Weekly,
    Window,
    intervals,
    working_time,
    zone_of,
)
from policies.times.windows import is_in, opens, parse_dates, parse_window, parse_working, touched

BERLIN = "Europe/Berlin"
PLAIN = Calendar()
OFFICE = Calendar(BERLIN, (parse_working("Mon-Fri 08:00-18:00"),), (parse_dates("2026-12-24..2027-01-01"),))
ZONES = ["", BERLIN, "America/New_York", "Australia/Lord_Howe", "Asia/Beirut", "Pacific/Apia", "Asia/Kolkata"]


def utc(text: str) -> datetime:
    """Return an instant written without zone, in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "window", "spelled"),
    [
        ("Fri 15:00 - Mon 08:00", Weekly((4,), 900, 3900), "Fri 15:00 - Mon 08:00"),
        ("fri 15:00-mon 08:00", Weekly((4,), 900, 3900), "Fri 15:00 - Mon 08:00"),
        ("Sun 22:00 - Mon 06:00", Weekly((6,), 1320, 480), "Sun 22:00 - Mon 06:00"),
        ("Fri 15:00 - Fri 14:00", Weekly((4,), 900, 10020), "Fri 15:00 - Fri 14:00"),
        ("Fri 18:00 - Sat 00:00", Weekly((4,), 1080, 360), "Fri 18:00-24:00"),
        ("Mon-Fri 08:00-18:00", Weekly((0, 1, 2, 3, 4), 480, 600), "Mon-Fri 08:00-18:00"),
        ("Mon-Fri 22:00-06:00", Weekly((0, 1, 2, 3, 4), 1320, 480), "Mon-Fri 22:00-06:00"),
        ("Mon, Wed 9:00-10:30", Weekly((0, 2), 540, 90), "Mon,Wed 09:00-10:30"),
        ("Sat-Mon 00:00-24:00", Weekly((0, 5, 6), 0, 1440), "Mon,Sat,Sun"),
        ("Sat-Sun", Weekly((5, 6), 0, 1440), "Sat-Sun"),
        ("Tue", Weekly((1,), 0, 1440), "Tue"),
        ("22:00-06:00", Weekly((0, 1, 2, 3, 4, 5, 6), 1320, 480), "Mon-Sun 22:00-06:00"),
        ("closed", Closed(), "closed"),
        ("2026-12-24", parse_dates("2026-12-24"), "2026-12-24"),
        ("2026-12-24 .. 2027-01-01", parse_dates("2026-12-24..2027-01-01"), "2026-12-24..2027-01-01"),
    ],
)
def test_a_window_is_read_and_spelled(text: str, window: Window, spelled: str) -> None:
    assert parse_window(text) == window
    assert str(window) == spelled
    assert parse_window(spelled) == window


def test_a_whole_day_that_does_not_begin_at_midnight_is_spelled_with_its_times() -> None:
    assert str(Weekly((0, 1), 480, 1440)) == "Mon-Tue 08:00-08:00"


FORMS = "Fri 15:00 - Mon 08:00, Mon-Fri 08:00-18:00, Sat-Sun, 2026-12-24..2027-01-01 or closed"
A_WINDOW = f"is not a window; expected {FORMS}"
A_TIME = "; expected 00:00 to 23:59, or 24:00 for an end"
TWO_TIMES = "begins and ends at the same time; expected two times, or the days alone"
A_DATE = "is no date of the calendar; expected 2026-12-24 or 2026-12-24..2027-01-01"
A_DAY = "; expected Mon, Tue, Wed, Thu, Fri, Sat, Sun"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", A_WINDOW),
        ("Freitag", A_WINDOW),
        ("Foo 08:00-10:00", f"names the day 'foo'{A_DAY}"),
        ("Mon-Foo", f"names the day 'foo'{A_DAY}"),
        ("Foo 08:00 - Mon 10:00", f"names the day 'foo'{A_DAY}"),
        ("Mon 08:00 - Foo 10:00", f"names the day 'foo'{A_DAY}"),
        ("Mon-Fri 8-18", A_WINDOW),
        ("Mon 08:00", A_WINDOW),
        ("Mon 08:00-08:00", TWO_TIMES),
        ("08:00-08:00", TWO_TIMES),
        ("00:00-00:00", TWO_TIMES),
        ("Mon 08:00 - Mon 08:00", TWO_TIMES),
        ("Mon 00:00 - Sun 24:00", TWO_TIMES),
        ("Mon 24:00 - Tue 08:00", f"has the time 24:00{A_TIME}"),
        ("Mon 24:00-08:00", f"has the time 24:00{A_TIME}"),
        ("Mon 08:60-09:00", f"has the time 08:60{A_TIME}"),
        ("Mon 08:00-24:01", f"has the time 24:01{A_TIME}"),
        ("Fri 15:00 - Mon 24:01", f"has the time 24:01{A_TIME}"),
        ("Mon\n08:00-09:00", A_WINDOW),
        ("\u0661\u0661:00-12:00", A_WINDOW),
        ("x" * 80, A_WINDOW),
        ("2026-02-30", A_DATE),
        ("2026-12-24..2026-12-32", A_DATE),
        ("2026-12-24..2026-12-23", "ends before it begins; expected the earlier day first"),
        ("9999-12-31", A_DATE),
        ("1999-12-31", A_DATE),
        ("1999-12-31..2026-01-01", A_DATE),
        ("2199-12-31..2200-01-01", A_DATE),
    ],
)
def test_what_is_no_window_is_refused_with_its_reason(text: str, reason: str) -> None:
    with pytest.raises(PolicyError) as caught:
        parse_window(text)

    assert str(caught.value) == f"{text!r} {reason}"


def test_a_window_that_is_too_long_to_be_one_is_told_by_its_beginning() -> None:
    with pytest.raises(PolicyError) as caught:
        parse_window("x" * 81)

    assert str(caught.value) == f"{'x' * 80!r} is too long; expected {FORMS}"


@pytest.mark.parametrize(
    ("text", "window", "spelled"),
    [
        ("Fri", Weekly((4,), 0, 1440), "Fri"),
        ("Mon-Mon", Weekly((0,), 0, 1440), "Mon"),
        ("Mon,Tue-Wed,Mon", Weekly((0, 1, 2), 0, 1440), "Mon-Wed"),
        ("Fri 15:00 - Mon 24:00", Weekly((4,), 900, 4860), "Fri 15:00 - Tue 00:00"),
        ("Sun 15:00 - Mon 00:00", Weekly((6,), 900, 540), "Sun 15:00-24:00"),
        ("23:59-24:00", Weekly(tuple(range(7)), 1439, 1), "Mon-Sun 23:59-24:00"),
        ("Mon 23:59 - Tue 00:01", Weekly((0,), 1439, 2), "Mon 23:59 - Tue 00:01"),
        ("Mon,Tue 23:59-00:01", Weekly((0, 1), 1439, 2), "Mon-Tue 23:59-00:01"),
        ("2000-01-01..2199-12-31", parse_dates("2000-01-01..2199-12-31"), "2000-01-01..2199-12-31"),
        ("2026-12-24..2026-12-24", parse_dates("2026-12-24"), "2026-12-24"),
    ],
)
def test_a_window_at_its_bounds_is_read_and_spelled(text: str, window: Window, spelled: str) -> None:
    assert parse_window(text) == window
    assert str(window) == spelled


def test_a_date_is_the_day_that_is_written() -> None:
    assert parse_dates("2026-12-24..2027-01-01") == DateRange(date(2026, 12, 24), date(2027, 1, 1))
    assert parse_dates("2026-12-24") == DateRange(date(2026, 12, 24), date(2026, 12, 24))


def test_working_hours_are_weekly_and_dates_are_dates() -> None:
    hours = "expected Mon-Fri 08:00-18:00 or Sat 09:00-12:00"
    for text, reason in (
        ("closed", f"'closed' is not a window; {hours}"),
        ("x" * 81, f"{'x' * 80!r} is too long; {hours}"),
    ):
        with pytest.raises(PolicyError) as caught:
            parse_working(text)
        assert str(caught.value) == reason


@pytest.mark.parametrize("text", ["Mon", "x" * 81])
def test_what_is_no_date_is_refused_by_its_beginning(text: str) -> None:
    with pytest.raises(PolicyError) as caught:
        parse_dates(text)

    assert str(caught.value) == f"{text[:80]!r} {A_DATE}"


@pytest.mark.parametrize(
    "name", ["Europe", "Mars/Olympus", "../etc/passwd", "a/\x00", "localtime", "x" * 300]
)
def test_a_zone_that_nobody_knows_is_refused(name: str) -> None:
    with pytest.raises(PolicyError) as caught:
        zone_of(name)

    expected = "is not a time zone; expected a name such as Europe/Berlin or UTC"
    assert str(caught.value) == f"{name[:60]!r} {expected}"


@pytest.mark.parametrize(("name", "found"), [("", "UTC"), ("UTC", "UTC"), (BERLIN, BERLIN)])
def test_a_zone_is_known_by_its_name(name: str, found: str) -> None:
    assert zone_of(name).key == found


# Berlin skips 02:00-03:00 on 2026-03-29 at 01:00 UTC and shows it twice on 2026-10-25, until 01:00 UTC.
@pytest.mark.parametrize(
    ("window", "since", "found"),
    [
        ("Sun 02:30-05:00", "2026-03-29", [("2026-03-29T01:00", "2026-03-29T03:00")]),
        ("Sun 01:00-02:30", "2026-03-29", [("2026-03-29T00:00", "2026-03-29T01:00")]),
        ("Sun 02:10-02:50", "2026-03-29", []),
        ("Sun 02:30-05:00", "2026-10-25", [("2026-10-25T00:30", "2026-10-25T04:00")]),
        ("Sun 01:00-02:30", "2026-10-25", [("2026-10-24T23:00", "2026-10-25T01:30")]),
        ("Sun 02:15-02:45", "2026-10-25", [("2026-10-25T00:15", "2026-10-25T01:45")]),
        ("Sat 22:00-06:00", "2026-03-29", [("2026-03-28T21:00", "2026-03-29T04:00")]),
        ("2026-03-29", "2026-03-29", [("2026-03-28T23:00", "2026-03-29T22:00")]),
        ("2026-10-25", "2026-10-25", [("2026-10-24T22:00", "2026-10-25T23:00")]),
    ],
)
def test_the_clock_that_skips_or_repeats_an_hour_never_interrupts_a_window(
    window: str, since: str, found: list[tuple[str, str]]
) -> None:
    day = utc(since)

    got = list(intervals(parse_window(window), PLAIN, BERLIN, day, day + timedelta(hours=20)))

    assert got == [(utc(begin), utc(end)) for begin, end in found]


@pytest.mark.parametrize("minute", range(1, 60))
def test_a_beginning_that_the_clock_skips_begins_to_the_second_when_it_skips(minute: int) -> None:
    window = parse_window(f"Sun 02:{minute:02}-05:00")

    got = list(intervals(window, PLAIN, BERLIN, utc("2026-03-29"), utc("2026-03-29T20:00")))

    assert got == [(utc("2026-03-29T01:00"), utc("2026-03-29T03:00"))]


# Havana shows 00:00-01:00 twice on 2026-11-01: until 04:00 UTC it is 31 October, from 05:00 UTC 00:00 comes again.
@pytest.mark.parametrize(
    ("window", "found"),
    [
        ("2026-11-01", ("2026-11-01T04:00", "2026-11-02T05:00")),
        ("2026-10-31", ("2026-10-31T04:00", "2026-11-01T05:00")),
        ("Sun", ("2026-11-01T04:00", "2026-11-02T05:00")),
    ],
)
def test_a_day_whose_midnight_comes_twice_begins_the_first_time_and_ends_the_second(
    window: str, found: tuple[str, str]
) -> None:
    middle = utc("2026-11-01T04:30" if "31" not in window else "2026-10-31T12:00")

    got = list(intervals(parse_window(window), PLAIN, "America/Havana", middle, middle))

    assert got == [(utc(found[0]), utc(found[1]))]


def test_a_day_that_had_begun_before_the_clock_went_back_to_the_day_before_is_looked_at() -> None:
    # in St. John's it became 23:01 of Saturday again one minute after Sunday 7 November 2010 had begun
    saturday_again = utc("2010-11-07T02:45")

    assert is_in(parse_window("Sun"), PLAIN, "America/St_Johns", saturday_again) == utc("2010-11-08T03:30")


@pytest.mark.parametrize(
    ("since", "until", "is_seen"),
    [
        ("2026-11-23T06:00", "2026-11-23T07:59:59", False),
        ("2026-11-23T06:00", "2026-11-23T08:00", True),
        ("2026-11-23T18:00", "2026-11-23T19:00", True),
        ("2026-11-23T18:00:01", "2026-11-23T19:00", False),
    ],
)
def test_an_interval_touches_a_span_from_its_first_moment_to_its_end(
    since: str, until: str, *, is_seen: bool
) -> None:
    window = parse_window("Mon 08:00-18:00")

    assert bool(list(intervals(window, PLAIN, "", utc(since), utc(until)))) is is_seen


def test_a_day_that_a_zone_skipped_whole_has_no_window() -> None:
    around = (utc("2011-12-29"), utc("2012-01-01"))  # Samoa had no 30 December 2011

    assert list(intervals(parse_dates("2011-12-30"), PLAIN, "Pacific/Apia", *around)) == []
    assert list(intervals(parse_window("Fri 08:00-18:00"), PLAIN, "Pacific/Apia", *around)) == []


@pytest.mark.parametrize(
    ("at", "end"),
    [
        ("2026-11-27T13:59", None),
        ("2026-11-27T14:00", "2026-11-30T07:00"),
        ("2026-11-30T06:59", "2026-11-30T07:00"),
        ("2026-11-30T07:00", None),
    ],
)
def test_a_weekend_is_frozen_over_the_end_of_the_week(at: str, end: str | None) -> None:
    assert is_in(parse_window("Fri 15:00 - Mon 08:00"), PLAIN, BERLIN, utc(at)) == (utc(end) if end else None)


def test_where_one_window_is_on_twice_it_ends_with_the_last() -> None:
    calendar = Calendar(closed=(parse_dates("2026-12-24..2026-12-30"), parse_dates("2026-12-25")))

    assert is_in(Closed(), calendar, "", utc("2026-12-25T12:00")) == utc("2026-12-31")


@pytest.mark.parametrize(("days", "is_found"), [(399, True), (400, False)])
def test_after_four_hundred_windows_on_end_it_is_said_that_none_ends(days: int, *, is_found: bool) -> None:
    first = date(2026, 1, 1)
    each = [DateRange(first + timedelta(number), first + timedelta(number)) for number in range(days)]

    assert (opens(each, PLAIN, "", utc("2026-01-01")) is not None) is is_found


def test_windows_that_touch_open_when_the_last_one_ends() -> None:
    windows = [parse_window("Fri 15:00 - Mon 08:00"), Closed()]

    assert opens(windows, OFFICE, BERLIN, utc("2026-12-25T12:00")) == utc("2027-01-04T07:00")
    assert opens(windows, OFFICE, BERLIN, utc("2026-12-22T12:00")) == utc("2026-12-22T12:00")
    assert opens([parse_window("Mon-Sun")], OFFICE, BERLIN, utc("2026-12-22T12:00")) is None


def test_a_window_that_was_in_force_in_between_is_seen() -> None:
    windows = [parse_window("Sat-Sun")]
    friday, tuesday = utc("2026-11-27T12:00"), utc("2026-12-01T12:00")

    assert touched(windows, PLAIN, "", friday, tuesday)
    assert not touched(windows, PLAIN, "", friday, friday + timedelta(hours=3))
    assert touched(windows, PLAIN, "", friday, utc("2026-11-28T00:00"))
    assert not touched(windows, PLAIN, "", utc("2026-11-30T00:00"), tuesday)


@pytest.mark.parametrize(
    ("since", "hours", "end"),
    [
        ("2026-11-23T09:00", 2, "2026-11-23T11:00"),
        ("2026-11-23T16:00", 2, "2026-11-24T08:00"),
        ("2026-11-27T16:30", 1, "2026-11-30T07:30"),  # over the weekend
        ("2026-11-28T12:00", 1, "2026-11-30T08:00"),
        ("2026-12-23T16:00", 2, "2027-01-04T08:00"),  # over the closed days
        ("2026-12-25T12:00", 0, "2027-01-04T07:00"),
        ("2026-11-23T07:00", 10, "2026-11-23T17:00"),  # all of a day, and no moment of the next
        ("2026-11-23T17:00", 0, "2026-11-24T07:00"),
        ("2026-03-27T16:00", 3, "2026-03-30T08:00"),  # over the night of the summer time
    ],
)
def test_working_time_passes_only_while_people_work(since: str, hours: int, end: str) -> None:
    assert working_time(OFFICE, utc(since), timedelta(hours=hours)) == utc(end)


def test_without_a_calendar_every_hour_counts() -> None:
    assert working_time(PLAIN, utc("2026-11-28"), timedelta(hours=5)) == utc("2026-11-28T05:00")


def test_closed_dates_alone_stop_the_clock_for_whole_days() -> None:
    calendar = Calendar(closed=(parse_dates("2026-11-28"), parse_dates("2026-11-28..2026-11-29")))

    assert working_time(calendar, utc("2026-11-27T23:00"), timedelta(hours=2)) == utc("2026-11-30T01:00")
    assert working_time(calendar, utc("2026-11-28T00:00"), timedelta(0)) == utc("2026-11-30")


def test_hours_that_overlap_count_once() -> None:
    calendar = Calendar("", (parse_working("Mon 08:00-12:00"), parse_working("Mon 09:00-10:00")))

    assert working_time(calendar, utc("2026-11-23T08:00"), timedelta(hours=5)) == utc("2026-11-30T09:00")


def test_a_closed_day_within_the_hours_is_left_out() -> None:
    calendar = Calendar("", (parse_working("Mon 08:00 - Fri 18:00"),), (parse_dates("2026-11-25"),))

    assert working_time(calendar, utc("2026-11-23T08:00"), timedelta(hours=41)) == utc("2026-11-26T01:00")


def test_what_would_take_for_ever_ends_at_the_horizon() -> None:
    calendar = Calendar("", (parse_working("Mon 00:00-00:01"),))
    since = utc("2026-11-23")

    assert working_time(calendar, since, timedelta(days=300)) == since + HORIZON
    assert timedelta(days=1830) == HORIZON


MINUTES = st.integers(0, 1439)
WEEKLY = st.builds(
    Weekly,
    st.sets(st.integers(0, 6), min_size=1).map(lambda found: tuple(sorted(found))),
    MINUTES,
    st.integers(1, 1439),
)
DATES = st.dates(utc("2000-01-01").date(), utc("2199-12-31").date())
RANGES = st.tuples(DATES, DATES).map(lambda two: DateRange(min(two), max(two)))
INSTANTS = st.datetimes(datetime(2010, 1, 1), datetime(2035, 1, 1)).map(  # noqa: DTZ001  given its zone
    lambda at: at.replace(tzinfo=UTC, microsecond=0)
)
CALENDARS = st.builds(
    Calendar,
    st.sampled_from(ZONES),
    st.lists(WEEKLY, max_size=3).map(tuple),
    st.lists(RANGES.filter(lambda one: (one.last - one.first).days < 30), max_size=2).map(tuple),
)


@given(WEEKLY | RANGES)
def test_a_window_that_is_spelled_is_read_as_itself(window: Window) -> None:
    assert parse_window(str(window)) == window


@settings(deadline=None)
@given(st.lists(WEEKLY | RANGES, max_size=3), st.sampled_from(ZONES), INSTANTS)
def test_what_opens_is_open_and_was_closed_until_then(windows: list[Window], zone: str, at: datetime) -> None:
    found = opens(windows, PLAIN, zone, at)

    if found is None or found == at:
        assert found is None or not any(is_in(one, PLAIN, zone, at) for one in windows)
        return
    assert not any(is_in(one, PLAIN, zone, found) for one in windows)
    assert any(is_in(one, PLAIN, zone, found - timedelta(seconds=1)) for one in windows)
    assert touched(windows, PLAIN, zone, at, found)


@given(WEEKLY, st.sampled_from(ZONES), INSTANTS)
def test_a_window_is_on_when_the_wall_clock_is_well_within_it(
    window: Weekly, zone: str, at: datetime
) -> None:
    """Away from changes of the clock, the wall's reading alone decides."""
    where = zone_of(zone)
    wall = at.astimezone(where)
    near = [(at + timedelta(hours=hour)).astimezone(where).utcoffset() for hour in range(-30, 31, 6)]
    if len(set(near)) > 1:
        return
    reading = wall.weekday() * 1440 + wall.hour * 60 + wall.minute
    expected = any((reading - day * 1440 - window.start) % 10080 < window.minutes for day in window.days)

    assert (is_in(window, PLAIN, zone, at) is not None) is expected


@settings(max_examples=50, deadline=None)
@given(CALENDARS, INSTANTS, st.timedeltas(timedelta(0), timedelta(hours=12)), st.integers(0, 3600))
def test_working_time_is_no_shorter_than_time_and_never_turns_back(
    calendar: Calendar, since: datetime, span: timedelta, more: int
) -> None:
    end = working_time(calendar, since, span)

    assert min(since + span, since + HORIZON) <= end
    assert end <= working_time(calendar, since, span + timedelta(seconds=more))
    assert end <= working_time(calendar, since + timedelta(seconds=more), span)
