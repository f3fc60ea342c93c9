"""Windows as the rules write them: ``Fri 15:00 - Mon 08:00``, ``Mon-Fri 08:00-18:00``, dates, ``closed``."""

import re
from collections.abc import Sequence
from datetime import date, datetime

from policies.errors import PolicyError
from policies.times.calendar import DAY, DAYS, WEEK, Calendar, Closed, DateRange, Weekly, Window, intervals

MAX_TEXT = 80
_MAX_STEPS = 400  # windows that touch each other, before it is said that there is no end
_FORMS = "Fri 15:00 - Mon 08:00, Mon-Fri 08:00-18:00, Sat-Sun, 2026-12-24..2027-01-01 or closed"
_HOURS = "Mon-Fri 08:00-18:00 or Sat 09:00-12:00"
_YEARS = range(2000, 2200)
_NAMES = {name.lower(): number for number, name in enumerate(DAYS)}
_CLOCK = r"([0-9]{1,2}:[0-9]{2})"
_DAY = r"([a-z]{3})"
_DAYS = r"([a-z]{3}(?:-[a-z]{3})?(?:,[a-z]{3}(?:-[a-z]{3})?)*)"
_FROM_TO = re.compile(rf"{_DAY} {_CLOCK} ?- ?{_DAY} {_CLOCK}", re.ASCII)
_EACH = re.compile(rf"{_DAYS}(?: {_CLOCK} ?- ?{_CLOCK})?", re.ASCII)
_DAILY = re.compile(rf"{_CLOCK} ?- ?{_CLOCK}", re.ASCII)
_DATE = r"([0-9]{4}-[0-9]{2}-[0-9]{2})"
_DATES = re.compile(rf"{_DATE}(?: ?\.\. ?{_DATE})?", re.ASCII)


def parse_window(text: str) -> Window:
    """Read a window of a freeze. Raises: PolicyError."""
    if text.lower() == "closed":
        return Closed()
    if _DATES.fullmatch(text):
        return parse_dates(text)
    return _weekly(text, _FORMS)


def parse_working(text: str) -> Weekly:
    """Read hours at which people work. Raises: PolicyError."""
    return _weekly(text, _HOURS)


def parse_dates(text: str) -> DateRange:
    """Read a day, or a first and a last day with two dots between them. Raises: PolicyError."""
    found = _DATES.fullmatch(text)
    try:
        first = date.fromisoformat(found[1]) if found else None
        last = date.fromisoformat(found[2] or found[1]) if found else None
    except ValueError:
        first = last = None
    if first is None or last is None or first.year not in _YEARS or last.year not in _YEARS:
        raise PolicyError(
            f"{text[:MAX_TEXT]!r} is no date of the calendar; expected 2026-12-24 or 2026-12-24..2027-01-01"
        )
    if last < first:
        raise PolicyError(f"{text!r} ends before it begins; expected the earlier day first")
    return DateRange(first, last)


def _weekly(text: str, expected: str) -> Weekly:
    """Read a weekly window in one of its three forms. Raises: PolicyError."""
    if len(text) > MAX_TEXT:
        raise PolicyError(f"{text[:MAX_TEXT]!r} is too long; expected {expected}")
    plain = re.sub(r" *, *", ",", text.lower())
    if found := _FROM_TO.fullmatch(plain):
        day, start = _day(found[1], text), _minute(found[2], text, most=DAY - 1)
        last = _day(found[3], text) * DAY + _minute(found[4], text)
        return Weekly((day,), start, _lasting(last - day * DAY - start, WEEK, text))
    if found := _EACH.fullmatch(plain):
        days = _days(found[1], text)
        if found[2] is None:
            return Weekly(days, 0, DAY)
        return _hours(days, found[2], found[3], text)
    if found := _DAILY.fullmatch(plain):
        return _hours(tuple(range(7)), found[1], found[2], text)
    raise PolicyError(f"{text!r} is not a window; expected {expected}")


def _hours(days: tuple[int, ...], first: str, last: str, text: str) -> Weekly:
    start, end = _minute(first, text, most=DAY - 1), _minute(last, text)
    if (start, end) == (0, DAY):
        return Weekly(days, 0, DAY)
    return Weekly(days, start, _lasting(end - start, DAY, text))


def _lasting(minutes: int, turn: int, text: str) -> int:
    """Return how long it lasts where an end before the beginning is the next day's, or week's."""
    if minutes % turn == 0:
        raise PolicyError(f"{text!r} begins and ends at the same time; expected two times, or the days alone")
    return minutes % turn


def _days(text: str, whole: str) -> tuple[int, ...]:
    """Read days and ranges of days, which may go over the end of the week."""
    found: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        begin = _day(first, whole)
        count = (_day(last, whole) - begin) % 7 if last else 0
        found.update((begin + number) % 7 for number in range(count + 1))
    return tuple(sorted(found))


def _day(name: str, text: str) -> int:
    if name not in _NAMES:
        raise PolicyError(f"{text!r} names the day {name!r}; expected {', '.join(DAYS)}")
    return _NAMES[name]


def _minute(clock: str, text: str, *, most: int = DAY) -> int:
    """Read a time as minutes of the day; 24:00 only ends."""
    hours, minutes = (int(part) for part in clock.split(":"))
    found = hours * 60 + minutes
    if minutes > 59 or found > most:  # noqa: PLR2004  minutes of an hour
        raise PolicyError(f"{text!r} has the time {clock}; expected 00:00 to 23:59, or 24:00 for an end")
    return found


# --- asking ---------------------------------------------------------------------------------------------------


def is_in(window: Window, calendar: Calendar, zone: str, at: datetime) -> datetime | None:
    """Return when the window ends (UTC) in which this instant (UTC) is; nothing where it is in none."""
    ends = [end for begin, end in intervals(window, calendar, zone, at, at) if begin <= at < end]
    return max(ends, default=None)


def opens(windows: Sequence[Window], calendar: Calendar, zone: str, at: datetime) -> datetime | None:
    """Return the first instant from then on (UTC) that is in none of these windows; nothing where none is found."""
    reached = at
    for _ in range(_MAX_STEPS):
        ends = [end for one in windows if (end := is_in(one, calendar, zone, reached))]
        if not ends:
            return reached
        reached = max(ends)
    return None


def touched(
    windows: Sequence[Window], calendar: Calendar, zone: str, since: datetime, until: datetime
) -> bool:
    """Whether any of these windows was in force at some moment after ``since`` and up to ``until`` (both UTC)."""
    return any(end > since for one in windows for _begin, end in intervals(one, calendar, zone, since, until))
