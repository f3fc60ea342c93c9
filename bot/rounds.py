"""Rounds: pass after pass while the bot serves; the world may fail, the rounds go on. And whether we are well."""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.engine import Engine, PassReport
from bot.errors import BotError
from bot.measures import MEASURES, Measure
from bot.pacing import Pace

STALE = timedelta(minutes=15)  # without an end of a pass for so long after it was due something hangs
_UNWRITTEN = (
    "ledger-read-only",
    "not-recorded",
    "observing",
)  # codes of what a pass leaves because it cannot write
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Ended:
    """How the passes stand: when one ended, when one ended well, what went wrong, why the ledger is not written."""

    at: datetime | None = None
    well: datetime | None = None
    problem: str = ""
    unwritten: str = "no pass has ended yet"


class Rounds:
    """Makes a pass at each tick, says in the log what it did, and remembers how it went."""

    def __init__(
        self,
        engine: Engine,
        *,
        every: timedelta = timedelta(),
        wake: Callable[[], None] | None = None,
        pace: Pace | None = None,
    ) -> None:
        """Make passes with this engine; ``every`` is how often they are due.

        ``wake`` asks for one in between, when it is time for what waits by the ``pace``.
        """
        self._engine = engine
        self._pace = pace or Pace.at_once()
        self._every, self._wake = every, wake
        self._alarm: threading.Timer | None = None
        self._stale = STALE + every
        self._lock = threading.Lock()
        self._ended = _Ended()
        self._left: frozenset[str] = frozenset()
        self._is_all = False

    def ask_everything(self) -> None:
        """Let the next pass ask all registries, also those whose interval has not passed."""
        with self._lock:
            self._is_all = True

    def tick(self, at: datetime) -> None:
        """Make a pass over what is due; raises nothing, for the next tick tries again."""
        problem, unwritten, began = "", "", time.monotonic()
        try:
            report = self._engine.run_pass(is_due_only=not self._took_all())
            unwritten = next((line for line in report.left if line.startswith(_UNWRITTEN)), "")
            self._log(report)
        except BotError as error:
            problem = unwritten = str(error)
            _log.warning("the pass waits for the next tick: %s", error)
        except Exception:  # noqa: BLE001  one broken pass must not end the rounds
            problem = unwritten = "a fault of the program; the log says more"
            _log.exception("a pass failed")
        self._measure(time.monotonic() - began, is_failed=bool(problem))
        with self._lock:
            self._ended = _Ended(at, self._ended.well if problem else at, problem, unwritten)
        self._set_alarm()

    def _set_alarm(self) -> None:
        """Look again when it is time for what waits, where the next tick would be later."""
        seconds = self._pace.seconds()
        if self._alarm is not None:
            self._alarm.cancel()
        if seconds is None or self._wake is None or seconds >= self._every.total_seconds():
            return
        self._alarm = threading.Timer(seconds, self._wake)
        self._alarm.daemon = True
        self._alarm.start()

    def pushes(self) -> tuple[int, int]:
        """Return how many pushes there were in the last minute, and how many entries wait."""
        return self._pace.last_minute(), self._pace.waiting()

    def _took_all(self) -> bool:
        with self._lock:
            was, self._is_all = self._is_all, False
            return was

    @staticmethod
    def _measure(seconds: float, *, is_failed: bool) -> None:
        MEASURES.count(Measure.PASSES)
        MEASURES.count(Measure.PASSES_FAILED, by=int(is_failed))
        MEASURES.put(Measure.PASS_SECONDS, seconds)

    def _log(self, report: PassReport) -> None:
        """Say what was done; what is left is said once, not at every tick."""
        for line in report.done:
            _log.info("done: %s", line)
        for line in dict.fromkeys(report.left):
            if line not in self._left:
                _log.warning("left: %s", line)
        self._left = frozenset(report.left)

    def pass_age(self) -> timedelta | None:
        """Return how long ago a pass ended well; nothing where none did."""
        with self._lock:
            well = self._ended.well
        return self._engine.clock.now() - well if well is not None else None

    def is_writable(self) -> bool:
        """Whether the last pass could write to the ledger."""
        with self._lock:
            return not self._ended.unwritten

    def promotions(self) -> Mapping[str, int]:
        """Return how many promotions there are at each stage, as seen last."""
        try:
            look = self._engine.look()
        except BotError:
            return {}
        found = look.state.promotions.values() if look.is_checked else ()
        return Counter(promotion.stage.value for promotion in found)

    def health(self) -> Mapping[str, object]:
        """Tell whether people can be answered: something was looked at, and passes end.

        A ledger that cannot be written to is told and is no sickness: whoever asks is answered why.
        """
        with self._lock:
            ended = self._ended
        age = self.pass_age()
        reading = f"reading: {said}" if (said := self._engine.reading()) else ""
        facts = {
            "pass_age_seconds": None if age is None else round(age.total_seconds(), 1),
            "ledger_writable": not ended.unwritten,
        }
        try:
            decision = self._engine.look().decision
        except BotError as error:
            return {"ok": False, **facts, "problem": reading or ended.problem or str(error)}
        is_stale = self._engine.clock.now() - (ended.at or decision.at) > self._stale
        seen = {"looked": f"{decision.at:%Y-%m-%dT%H:%M:%SZ}", "commit": decision.commit}
        problem = "no pass has ended lately" if is_stale else reading or ended.problem or ended.unwritten
        return {"ok": not is_stale, **facts, **seen, "problem": problem}
