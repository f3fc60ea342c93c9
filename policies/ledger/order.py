"""What is dated out of its order. The chain says what came first; a clock only says when, and may be wrong or lie."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from policies.entries.entry import Entry, parse_time, write_time
from policies.entries.membership import SKEW


@dataclass(frozen=True, slots=True)
class Between:
    """When something may have come, by what stands around it, as the ledger writes it; '' = that side is open."""

    after: str = ""
    before: str = ""

    def has(self, at: str) -> bool:
        """Whether a time may be right: it is within, or not further off than clocks differ."""
        return not (is_past(self.after, at) or is_past(at, self.before))

    def meets(self, first: str, end: str) -> bool:
        """Whether some of it lies from ``first`` on and before ``end``."""
        return (not self.before or self.before >= first) and (not self.after or self.after < end)

    def __str__(self) -> str:
        after, before = self.after or "the beginning", self.before or "now"
        return f"between {after} and {before}"


def misdated_of(entries: Sequence[tuple[str, Entry]], now: datetime | None) -> Mapping[int, Between]:
    """Return the entries, oldest first, whose time breaks their order, by number. ``now``: in UTC, see ``misdated``."""
    found = misdated([entry.at for _, entry in entries], write_time(now) if now else "")
    return {entries[index][1].seq: span for index, span in found.items()}


def misdated(times: Sequence[str], now: str = "") -> Mapping[int, Between]:
    """Return what breaks the order of times in which things came, each with the times that it came between.

    The fewest are taken without which the others follow each other; what is off by no more than clocks differ is not.
    ``now``: where it is known, whatever is ahead of it breaks the order. O(n log n).
    """
    past = [index for index, time in enumerate(times) if not is_past(time, now)]
    if len(past) == len(times) and all(one <= other for one, other in pairwise(times)):
        return {}
    fitting = [past[index] for index in _longest([times[index] for index in past])]
    return dict(_off(times, fitting, now))


def _off(times: Sequence[str], fitting: Sequence[int], now: str) -> Iterator[tuple[int, Between]]:
    ends = [-1, *fitting, len(times)]
    for last, following in pairwise(ends):
        after = times[last] if last >= 0 else ""
        before = times[following] if following < len(times) else ""
        span, known = Between(after, before), Between(after, before or now)
        yield from ((at, span) for at in range(last + 1, following) if not known.has(times[at]))


def _longest(times: Sequence[str]) -> list[int]:
    """Return the indexes of a longest run of times none of which is earlier than the one before.

    Of several the one whose first came first, then whose second did: who comes later has to fit in.
    """
    ranks = {time: rank for rank, time in enumerate(sorted(set(times)))}
    # the latest time that a run of each length begins with, from behind, as minus its rank
    starts: list[int] = []
    lengths = [0] * len(times)  # of the longest run that begins there
    for index in reversed(range(len(times))):
        rank = -ranks[times[index]]
        lengths[index] = bisect_right(starts, rank) + 1
        starts[lengths[index] - 1 : lengths[index]] = [rank]
    found: list[int] = []
    for index, time in enumerate(times):
        if lengths[index] == len(starts) - len(found) and (not found or time >= times[found[-1]]):
            found.append(index)
    return found


def is_past(one: str, other: str) -> bool:
    """Whether a time is later than another by more than clocks differ; nothing is where one is open."""
    return bool(one and other) and one > other and parse_time(one) - parse_time(other) > SKEW
