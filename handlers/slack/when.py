"""Times as people type them after ``until``: 2h, 3d, 18:00, 2026-12-24, 2026-12-24 08:00; all UTC."""

import re
from datetime import UTC, datetime, timedelta

from policies.errors import PolicyError
from policies.times.duration import duration

_TIME = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_DAY = timedelta(days=1)
EXPECTED = "2h, 3d, 18:00 (UTC), 2026-12-24 or 2026-12-24 08:00"


def until(words: tuple[str, ...], at: datetime) -> datetime:
    """Return the time that words name, later than ``at``, whole seconds, UTC. Raises: PolicyError."""
    if words and words[-1].upper() in {"UTC", "Z"}:
        words = words[:-1]
    found = _read(words, at.astimezone(UTC).replace(microsecond=0))
    if found is None:
        raise PolicyError(f"{' '.join(words)[:60]!r} is not a time; expected {EXPECTED}")
    if found <= at:
        raise PolicyError(f"{found:%Y-%m-%d %H:%M} UTC is not in the future")
    return found


def _read(words: tuple[str, ...], at: datetime) -> datetime | None:
    match words:
        case (one,) if found := _TIME.fullmatch(one):
            today = at.replace(hour=int(found[1]), minute=int(found[2]), second=0)
            return today if today > at else today + _DAY
        case (one,) if _DATE.fullmatch(one):
            return _date(one)
        case (day, time) if _DATE.fullmatch(day) and (found := _TIME.fullmatch(time)):
            start = _date(day)
            return start and start.replace(hour=int(found[1]), minute=int(found[2]))
        case (one,):
            return _after(one, at)
        case _:
            return None


def _date(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        return None


def _after(text: str, at: datetime) -> datetime | None:
    try:
        return (at + duration(text)).replace(microsecond=0)
    except (PolicyError, OverflowError):
        return None
