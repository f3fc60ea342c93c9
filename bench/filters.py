"""Filters on hostile patterns: RE2's time grows as the length of the text does; beside it Python's ``re``.

python -m bench.filters [--rounds N]
"""

import argparse
import math
import re
import statistics
import time
from collections.abc import Callable

from policies.images.tag_filter import compiled

# Each makes a backtracking engine try all ways to split the text, which doubles, squares or cubes with its length.
HOSTILE = {
    "^(a+)+$": "a",
    "^(a|aa)*$": "a",
    "^(a*)*b$": "a",
    "(?:a?){30}a{30}b": "a",
    "(.*)(.*)(.*)=": "a",
    "(x+x+)+y": "x",
    r"^(([a-z0-9])+\.?)+\s$": "a",
    r"^main-(?:[0-9a-f]+-?)+-(?P<ts>[0-9]+)z$": "main-" + "a",
}
LENGTHS = (32_000, 64_000, 128_000, 256_000, 512_000)
SHORT = range(14, 26, 2)  # what a backtracking engine is asked, until it takes too long
PATIENCE = 0.2  # seconds
MOST = 1.3  # the exponent by which time may grow: 1 is linear, 2 squares


def text_of(letter: str, length: int) -> str:
    """Return a text that nearly matches."""
    return letter + letter[-1] * (length - len(letter)) + "!"


def seconds(search: Callable[[str], object], text: str, rounds: int) -> float:
    """Return the least time of a search, which others on the machine disturb least."""
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        search(text)
        times.append(time.perf_counter() - began)
    return min(times)


def exponent(times: list[float], lengths: list[int]) -> float:
    """Return how time grows with length, as the slope of a line through the logarithms."""
    xs, ys = [math.log(length) for length in lengths], [math.log(spent) for spent in times]
    return statistics.linear_regression(xs, ys).slope


def main() -> None:
    """Measure each pattern."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    asked = parser.parse_args()
    print(f"{'pattern':<44} {'512,000 characters':>18} {'grows by':>9}   python's re")
    for pattern, letter in HOSTILE.items():
        search = compiled(pattern).search
        times = [seconds(search, text_of(letter, length), asked.rounds) for length in LENGTHS]
        slope = exponent(times, list(LENGTHS))
        verdict = "linear" if slope <= MOST else "NOT LINEAR"
        print(
            f"{pattern:<44} {times[-1] * 1000:15.3f} ms {slope:9.2f}   {verdict}; {backtracking(pattern, letter)}"
        )


def backtracking(pattern: str, letter: str) -> str:
    """Say how long Python's own engine takes for a text of a few characters."""
    search = re.compile(pattern).search
    spent, length = 0.0, 0
    for length in SHORT:
        spent = seconds(search, text_of(letter, length), 1)
        if spent > PATIENCE:
            break
    return f"{spent * 1000:.2f} ms for {length}"


if __name__ == "__main__":
    main()
