"""Which of many texts can be a version that is high enough: one search over all of them instead of one in each."""

import math
import re
from collections.abc import Sequence

_MANY = 2_000  # texts; below it a search costs more than it saves
_FEW = 20  # numbers that are written out one by one
_NOT_CUT = "(?![0-9])"  # the number ends here


def sample(texts: Sequence[str]) -> Sequence[str]:
    """Return every hundredth or so of many texts: lists are often sorted, and their ends say little."""
    return texts[:: len(texts) // (_MANY // 2)] if len(texts) > _MANY else ()


def reaching(texts: Sequence[str], least: tuple[int, int, int], highest_major: float) -> Sequence[str]:
    """Leave out texts that are surely no version from ``least`` up to all of ``highest_major``."""
    if len(texts) <= _MANY:
        return texts
    if least[0] > highest_major:
        return ()
    lines = "\n" + "\n".join(texts)
    if lines.count("\n") > len(texts):  # a text with lines in it would be taken for several
        return texts
    return [line[1:] for line in re.findall(f"\nv?(?:{_pattern(least, highest_major)})[^\n]*", lines)]


def _pattern(least: tuple[int, int, int], highest_major: float) -> str:
    """Return a pattern of how those versions begin. A number that is missing counts as zero."""
    major, minor, patch = least
    if not minor and not patch:
        return _numbers(major, highest_major)
    minors = (
        _numbers(minor)
        if not patch
        else rf"{_numbers(minor + 1)}|{_numbers(minor, minor)}\.{_numbers(patch)}"
    )
    same = rf"{_numbers(major, major)}\.(?:{minors})"
    return same if highest_major <= major else f"{_numbers(major + 1, highest_major)}|{same}"


def _numbers(low: int, high: float = math.inf) -> str:
    """Return a pattern of the numbers from ``low``; up to ``high`` where those are few, else without end."""
    if high - low < _FEW:
        written = [str(number) for number in range(low, int(high) + 1)]
    else:
        digits = str(low)
        written = [digits, f"[0-9]{{{len(digits) + 1},}}"]
        written += [
            f"{digits[:at]}[{int(digit) + 1}-9][0-9]{{{len(digits) - at - 1}}}"
            for at, digit in enumerate(digits)
            if digit != "9"
        ]
    return f"0*(?:{'|'.join(written)}){_NOT_CUT}"
