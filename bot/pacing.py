"""The pace of pushes: people go at once; what the bot says of itself waits a little and goes together.

Hosts want about six pushes a minute to a repository at most. What is held back is kept nowhere but here, and made
anew by the next pass; only what cannot be made anew (a refusal) is remembered until it goes.
"""

import random
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from policies.entries.entry import Bot, Entry, Kind, Placed

PER_MINUTE = 6.0  # GitHub, "Repository limits": pushes a minute
BURST = 10.0
KEPT_FOR_PEOPLE = 3.0  # of the burst: the bot alone never takes the last ones
NORMAL_TICK = 15.0  # seconds; a shorter tick is for a host of one's own, and the pace follows it
_MINUTE = 60.0
MAX_LATER = 200  # refusals that wait; a flood of them is not worth a record

# What may wait: it says what was found, and moves nothing. A place that is new does not wait, see ``may_wait``.
PATIENT = frozenset({"seen", "rules", "shown", "external", "refused", "config", "quarantine"})


@dataclass(slots=True)
class Pace:
    """When the bot may push of itself. Thread-safe. ``linger``: how long it waits at least and at most, in seconds."""

    linger: tuple[float, float] = (0.0, 0.0)
    per_minute: float = PER_MINUTE
    is_limited: bool = True
    now: Callable[[], float] = time.monotonic
    draw: Callable[[float, float], float] = random.uniform
    later: list[Entry] = field(default_factory=list)
    _tokens: float = BURST
    _filled: float | None = None
    _pushed: deque[float] = field(default_factory=deque)
    _waits: dict[str, tuple[float, int]] = field(default_factory=dict)  # by kind: when it is time, how many
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def at_once(cls) -> "Pace":
        """Return a pace that never waits: for one pass, and for tests."""
        return cls(is_limited=False)

    @classmethod
    def of_tick(cls, seconds: float) -> "Pace":
        """Return the pace of a bot that looks so often: at the normal tick 5 to 15 s, six a minute."""
        scale = min(seconds, NORMAL_TICK) / NORMAL_TICK
        return cls((5.0 * scale, 15.0 * scale), PER_MINUTE / scale)

    # --- what happens ---------------------------------------------------------------------------------------

    def pushed(self) -> None:
        """Note a push, whoever wanted it: people may overdraw, and the bot waits for it."""
        with self._lock:
            at = self._fill()
            self._tokens = max(self._tokens - 1, -BURST)
            self._pushed.append(at)

    def went(self, entries: Iterable[Entry]) -> None:
        """Note what is on the remote now: it waits no more."""
        with self._lock:
            for one in entries:
                self._waits.pop(one.kind.value, None)
                self.later = [kept for kept in self.later if kept.key != one.key]

    def keep(self, entry: Entry) -> None:
        """Remember what cannot be made anew until it goes."""
        with self._lock:
            if len(self.later) < MAX_LATER and all(one.key != entry.key for one in self.later):
                self.later.append(entry)

    # --- what may be done -----------------------------------------------------------------------------------

    def lets(self, entries: Iterable[Entry], shown: Mapping[str, Placed], *, has_moves: bool) -> bool:
        """Say whether these may be pushed now; what may not is waited for from the first time on."""
        found = list(entries)
        if not self.is_limited or any(_is_carried(one) for one in found):
            return True
        with self._lock:
            at = self._fill()
            is_patient = not has_moves and all(may_wait(one, shown) for one in found)
            for kind, count in Counter(one.kind.value for one in found).items():
                due, _ = self._waits.get(kind, (at + (self.draw(*self.linger) if is_patient else 0.0), 0))
                self._waits[kind] = (due, count)
            is_time = not is_patient or any(self._waits[one.kind.value][0] <= at for one in found)
            return is_time and self._tokens - 1 >= KEPT_FOR_PEOPLE

    def seconds(self) -> float | None:
        """Return in how many seconds it is time for what waits; nothing where nothing waits."""
        with self._lock:
            at = self._fill()
            if self._waits and self._tokens - 1 < KEPT_FOR_PEOPLE:
                return (KEPT_FOR_PEOPLE + 1 - self._tokens) * _MINUTE / self.per_minute
            return min((due - at for due, _ in self._waits.values() if due > at), default=None)

    def waiting(self) -> int:
        """Return how many entries wait."""
        with self._lock:
            self._fill()
            return sum(count for _, count in self._waits.values())

    def last_minute(self) -> int:
        """Return how many pushes there were in the last minute."""
        with self._lock:
            self._fill()
            return len(self._pushed)

    def _fill(self) -> float:
        at = self.now()
        gone = at - (self._filled if self._filled is not None else at)
        self._tokens = min(BURST, self._tokens + gone * self.per_minute / _MINUTE)
        self._filled = at
        while self._pushed and self._pushed[0] <= at - _MINUTE:
            self._pushed.popleft()
        for kind in [kind for kind, (due, _) in self._waits.items() if due < at - _MINUTE]:
            del self._waits[kind]  # another replica has said it
        return at


def may_wait(entry: Entry, shown: Mapping[str, Placed]) -> bool:
    """Whether an entry only says what was found. A place that is new is said at once: else a replica shows it again."""
    if entry.kind is Kind.SHOWN:
        return all(
            (known := shown.get(one.what)) is not None and known.message == one.message for one in entry.shown
        )
    return entry.kind.value in PATIENT


def _is_carried(entry: Entry) -> bool:
    """Whether a person says it, or waits for it: what a promotion goes through follows from people's words."""
    return not isinstance(entry.by, Bot) or (bool(entry.promotion) and entry.kind is not Kind.REFUSED)
