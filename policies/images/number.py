"""Numbers as Go's ``strconv.ParseFloat`` reads them, which is how a numerical policy reads tags."""

import math
import re

# Go's syntax of literals: a single underscore may stand between digits, and behind 0x.
_DIGITS = r"[0-9]+(?:_[0-9]+)*"
_HEX = r"[0-9A-Fa-f]+(?:_[0-9A-Fa-f]+)*"
_DECIMAL_NUMBER = re.compile(rf"[+-]?(?:{_DIGITS}(?:\.(?:{_DIGITS})?)?|\.{_DIGITS})(?:[eE][+-]?{_DIGITS})?")
_HEX_NUMBER = re.compile(rf"[+-]?0[xX](?:_?{_HEX}(?:\.(?:{_HEX})?)?|\.{_HEX})[pP][+-]?{_DIGITS}")
_SPECIAL = re.compile(r"[+-]?inf(?:inity)?|nan", re.IGNORECASE | re.ASCII)


def parse_number(text: str) -> float | None:
    """Return the 64-bit float that ``text`` says, None where Go reports an error.

    Unlike Python: no surrounding space, no digits but 0-9, no signed ``nan``, nothing beyond the range of a float;
    hexadecimal floats have an exponent.
    """
    if _DECIMAL_NUMBER.fullmatch(text):
        return _finite(float(text))
    if _SPECIAL.fullmatch(text):
        return float(text)
    if _HEX_NUMBER.fullmatch(text):
        try:
            return float.fromhex(text.replace("_", ""))
        except OverflowError:
            return None
    return None


def _finite(value: float) -> float | None:
    """Return ``value`` but where it left the range of a float."""
    return None if math.isinf(value) else value
