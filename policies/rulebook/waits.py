"""What has to pass first: ``soak``, ``age``, ``limit``, ``freeze``; ``zone`` and ``calendar``, by which they look."""

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TypeVar

from policies.errors import PolicyError
from policies.rulebook.document import Entry
from policies.rulebook.fields import Fields, fields
from policies.rulebook.findings import Findings, shown
from policies.rulebook.keys import CALENDAR
from policies.rulebook.text import Table, Text
from policies.rules.places import NO_TIME, ONE_MAJOR
from policies.rules.terms import ANY_JUMP, Limit, Position
from policies.times.calendar import Calendar, Window, zone_of
from policies.times.duration import duration
from policies.times.windows import parse_dates, parse_window, parse_working

YEAR = timedelta(days=366)
MAX_WINDOWS = 50
MAX_DATES = 1_000
_LIMIT = re.compile(r"(?P<count>[1-9][0-9]{0,8}) +per +(?P<span>[^ ]+)", re.ASCII)
_JUMP = re.compile(r"0|[1-9][0-9]?", re.ASCII)
_T = TypeVar("_T")


def soak(found: Fields) -> timedelta:
    """Return how long it has to run in the environment before; 0 = not asked."""
    return found.span("soak", default=NO_TIME, least=NO_TIME, most=YEAR)


def age(found: Fields) -> timedelta:
    """Return how long ago it has to be seen first; 0 = not asked."""
    return found.span("age", default=NO_TIME, least=NO_TIME, most=YEAR)


def limit(found: Fields) -> Limit | None:
    """Return how many moves may be made within a span; ``none`` = any number."""
    text = found.text("limit")
    if text is None or text.value == "none":
        return None
    read = _LIMIT.fullmatch(text.value)
    if read is None:
        found.findings.add(text.at, f"limit is {shown(text.value)}", "a form such as 4 per 1h, or none")
        return None
    try:
        span = duration(read["span"])
    except PolicyError as error:
        found.findings.refuse(text.at, error)
        return None
    if not timedelta(seconds=1) <= span <= YEAR or span.microseconds:
        found.findings.add(text.at, f"limit is {shown(text.value)}", "whole seconds, from 1s to 366d")
    return Limit(int(read["count"]), span)


def jump(found: Fields) -> int | None:
    """Return how many major versions a move may climb without a person; ``any`` = none is too many."""
    text = found.text("jump")
    if text is None:
        return ONE_MAJOR
    if text.value != ANY_JUMP and _JUMP.fullmatch(text.value) is None:
        found.findings.add(text.at, f"jump is {shown(text.value)}", "0, 1, 2 ... 99, or any")
        return ONE_MAJOR
    return None if text.value == ANY_JUMP else int(text.value)


def freeze(found: Fields, calendar: Calendar) -> tuple[Window, ...]:
    """Return the windows in which nothing moves."""
    texts = found.texts("freeze") or ()
    windows = _read(texts, parse_window, "freeze", MAX_WINDOWS, found)
    for text in texts:
        if text.value.lower() == "closed" and not calendar.closed:
            found.findings.add(
                text.at, "freeze is closed and the calendar has no closed", "calendar: {closed: ...}"
            )
    return tuple(dict.fromkeys(windows))


def zone(found: Fields, calendar: Calendar) -> str:
    """Return the zone of times: what is said, else the calendar's."""
    return _zone(found) or calendar.zone


def calendar(section: Mapping[str, Entry], findings: Findings) -> Calendar:
    """Read when people work."""
    at = next((entry.name.at for entry in section.values()), Position("", 1, 1))
    table = Table(at, tuple((entry.name, entry.node) for entry in section.values()))
    found = fields(table, CALENDAR, findings) or Fields(at, {}, findings)
    return Calendar(
        zone=_zone(found),
        working=_read(found.texts("working") or (), parse_working, "working", MAX_WINDOWS, found),
        closed=_read(found.texts("closed") or (), parse_dates, "closed", MAX_DATES, found),
    )


def _zone(found: Fields) -> str:
    text = found.text("zone")
    if text is None:
        return ""
    try:
        zone_of(text.value)
    except PolicyError as error:
        found.findings.refuse(text.at, error)
    return text.value


def _read(
    texts: tuple[Text, ...], parse: Callable[[str], _T], key: str, most: int, found: Fields
) -> tuple[_T, ...]:
    """Parse each text; one that does not parse is noted where it stands."""
    if len(texts) > most:
        found.findings.add(found.place(key), f"{key} has {len(texts)} entries", f"at most {most}")
        return ()
    read: list[_T] = []
    for text in texts:
        try:
            read.append(parse(text.value))
        except PolicyError as error:
            found.findings.refuse(text.at, error)
    return tuple(read)
