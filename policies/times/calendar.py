"""The calendar: weekly windows, date ranges, closed days; what they are in UTC, and how long working time takes."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from policies.errors import PolicyError

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
DAY = 24 * 60  # minutes
WEEK = 7 * DAY
HORIZON = timedelta(days=5 * 366)  # so far ahead is looked; what has not come by then is said to come then
_SECOND = timedelta(seconds=1)

Interval = tuple[datetime, datetime]  # from, up to and without; both UTC


@dataclass(frozen=True, slots=True)
class Weekly:
    """Begins on each of these days (Monday = 0) at a minute of the day, and lasts so many minutes of the wall clock."""

    days: tuple[int, ...]
    start: int
    minutes: int

    def __str__(self) -> str:
        end = self.start + self.minutes
        if len(self.days) == 1 and end > DAY:
            first, last = DAYS[self.days[0]], DAYS[(self.days[0] + end // DAY) % 7]
            return f"{first} {_clock(self.start)} - {last} {_clock(end % DAY)}"
        days = _spell_days(self.days)
        if self.start == 0 and self.minutes == DAY:
            return days
        return f"{days} {_clock(self.start)}-{_clock(end if end <= DAY else end % DAY)}"


@dataclass(frozen=True, slots=True)
class DateRange:
    """Whole days, from the first to the last, both within."""

    first: date
    last: date

    def __str__(self) -> str:
        return f"{self.first}" if self.first == self.last else f"{self.first}..{self.last}"


@dataclass(frozen=True, slots=True)
class Closed:
    """The dates on which the calendar is closed."""

    def __str__(self) -> str:
        return "closed"


Window = Weekly | DateRange | Closed


@dataclass(frozen=True, slots=True)
class Calendar:
    """When people work: in which zone ('' = UTC), at which hours (none = always), and on which dates they do not."""

    zone: str = ""
    working: tuple[Weekly, ...] = ()
    closed: tuple[DateRange, ...] = ()


def zone_of(name: str) -> ZoneInfo:
    """Return the zone of a name such as Europe/Berlin; '' = UTC. Raises: PolicyError."""
    try:
        if not name or name == "UTC" or "/" in name:
            return ZoneInfo(name or "UTC")
    except (ValueError, OSError, KeyError):  # KeyError: the zone is not in the database
        pass
    raise PolicyError(f"{name[:60]!r} is not a time zone; expected a name such as Europe/Berlin or UTC")


def intervals(
    window: Window, calendar: Calendar, zone: str, since: datetime, until: datetime
) -> Iterator[Interval]:
    """Yield the parts of a window that touch [since, until], in the order of their beginnings.

    A beginning that the clock skips begins when it skips; one that comes twice begins the first time. An end that the
    clock skips ends when it skips; one that comes twice ends the second time. So a window is never interrupted.
    """
    where = zone_of(zone)
    if isinstance(window, Weekly):
        yield from _weekly(window, where, since, until)
        return
    dates = (window,) if isinstance(window, DateRange) else calendar.closed
    for one in sorted(dates, key=lambda each: each.first):
        yield from _touching(_dates(one, where), since, until)


def _touching(found: Interval, since: datetime, until: datetime) -> Iterator[Interval]:
    if found[0] < found[1] and found[1] >= since and found[0] <= until:
        yield found


def _dates(window: DateRange, zone: ZoneInfo) -> Interval:
    first, after = (datetime.combine(day, time()) for day in (window.first, window.last + timedelta(days=1)))
    return _instant(first, zone, is_end=False), _instant(after, zone, is_end=True)


def _weekly(window: Weekly, zone: ZoneInfo, since: datetime, until: datetime) -> Iterator[Interval]:
    lasts = timedelta(minutes=window.minutes)
    day = since.astimezone(zone).date() - timedelta(days=2 + lasts.days)
    last = until.astimezone(zone).date() + timedelta(days=1)
    while day <= last:
        if day.weekday() in window.days:
            begins = datetime.combine(day, time()) + timedelta(minutes=window.start)
            ends = _instant(begins + lasts, zone, is_end=True)
            yield from _touching((_instant(begins, zone, is_end=False), ends), since, until)
        day += timedelta(days=1)


@lru_cache(maxsize=65536)
def _instant(wall: datetime, zone: ZoneInfo, *, is_end: bool) -> datetime:
    """Return when the clock on the wall shows this, in UTC; see ``intervals`` for what it skips or shows twice."""
    first = wall.replace(tzinfo=zone, fold=0)
    if first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != wall:
        return _skip(wall, zone)
    return wall.replace(tzinfo=zone, fold=int(is_end)).astimezone(UTC)


def _skip(wall: datetime, zone: ZoneInfo) -> datetime:
    """Return the instant at which the clock skips this reading: PEP 495, a gap has the earlier offset at fold 0."""
    before = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    after = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    while after - before > _SECOND:
        middle = (before + (after - before) // 2).replace(microsecond=0)
        if middle.astimezone(zone).replace(tzinfo=None) < wall:
            before = middle
        else:
            after = middle
    return after


def working_time(calendar: Calendar, since: datetime, span: timedelta) -> datetime:
    """Return when so much working time has passed since then (UTC), at most ``HORIZON`` later.

    Without working hours every hour is one, but for the dates on which the calendar is closed.
    """
    left, reached, end = span, since, since + HORIZON
    if not calendar.working and not calendar.closed:
        return since + span
    while reached < end:
        week = min(end, reached + timedelta(days=7))
        for begins, ends in _open(calendar, reached, week):
            if left <= ends - begins:
                return begins + left
            left -= ends - begins
        reached = week
    return end


def _open(calendar: Calendar, since: datetime, until: datetime) -> Iterator[Interval]:
    """Yield the working time within [since, until], in order, each moment once."""
    hours = [
        found for one in calendar.working for found in intervals(one, calendar, calendar.zone, since, until)
    ]
    closed = sorted(intervals(Closed(), calendar, calendar.zone, since, until))
    reached = since
    for begins, ends in sorted(hours) if calendar.working else [(since, until)]:
        reached = max(reached, begins)
        for shut, opened in closed:
            if shut < ends and opened > reached:
                if shut > reached:
                    yield reached, min(shut, until)
                reached = opened
        if reached < min(ends, until):
            yield reached, min(ends, until)
        reached = max(reached, ends)


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _spell_days(days: tuple[int, ...]) -> str:
    """Write days as ranges: Mon-Fri, or Mon,Wed."""
    if len(days) > 1 and days == tuple(range(days[0], days[-1] + 1)):
        return f"{DAYS[days[0]]}-{DAYS[days[-1]]}"
    return ",".join(DAYS[day] for day in days)
