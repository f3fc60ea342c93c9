"""Spans of time as Go writes them, and ``d``: ``90s``, ``1h30m``, ``2d``."""

import re
from datetime import timedelta
from fractions import Fraction

from policies.errors import PolicyError

_MICROSECONDS = {
    "ns": Fraction(1, 1000),
    "us": Fraction(1),
    "µs": Fraction(1),  # U+00B5, the micro sign
    "μs": Fraction(1),  # U+03BC, the Greek letter; Go takes both
    "ms": Fraction(1_000),
    "s": Fraction(1_000_000),
    "m": Fraction(60_000_000),
    "h": Fraction(3_600_000_000),
    "d": Fraction(86_400_000_000),
}
_PART = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h|d)", re.ASCII)
_WHOLE = re.compile(rf"\+?(?:{_PART.pattern})+", re.ASCII)
_LONGEST = (1 << 63) // 1000  # microseconds in Go's largest duration, about 292 years
_MAX_TEXT = 64


def duration(text: str) -> timedelta:
    """Return the span that ``text`` writes, never negative, exact to the microsecond. Raises: PolicyError."""
    if text in {"0", "+0"}:  # Go, time.ParseDuration: a bare zero needs no unit
        return timedelta(0)
    if len(text) > _MAX_TEXT or _WHOLE.fullmatch(text) is None:
        raise PolicyError(f"{text[:_MAX_TEXT]!r} is not a duration; expected a form such as 30m, 1h30m or 2d")
    total = sum((Fraction(number) * _MICROSECONDS[unit] for number, unit in _parts(text)), Fraction(0))
    if total.denominator != 1:
        raise PolicyError(f"{text!r} is finer than a microsecond; expected whole microseconds")
    if total > _LONGEST:
        raise PolicyError(f"{text!r} is too long; expected at most 292 years")
    return timedelta(microseconds=int(total))


def spell(span: timedelta) -> str:
    """Write a span for people, as ``duration`` reads it: ``3h12m``, ``1d``, ``0s``.

    Raises: PolicyError where the span is negative.
    """
    left = span // timedelta(microseconds=1)
    if left < 0:
        raise PolicyError(f"{span!r} is negative; expected a span from an earlier to a later time")
    parts: list[str] = []
    for unit in ("d", "h", "m", "s", "ms", "us"):
        count, left = divmod(left, int(_MICROSECONDS[unit]))
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def _parts(text: str) -> list[tuple[str, str]]:
    """Split into number and unit; a number ends or begins with a dot as in Go, which Fraction does not read."""
    return [(f"0{number}".rstrip("."), unit) for number, unit in _PART.findall(text)]
