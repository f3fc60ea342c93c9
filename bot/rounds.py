"""Rounds: pass after pass while the bot serves; the world may fail, the rounds go on. And whether we are well."""

import logging
import threading
from collections.abc import Mapping
from datetime import datetime, timedelta

from bot.engine import Engine, PassReport
from bot.errors import BotError

STALE = timedelta(minutes=15)  # without an end of a pass for so long something hangs
_log = logging.getLogger(__name__)


class Rounds:
    """Makes a pass at each tick, says in the log what it did, and remembers how it went."""

    def __init__(self, engine: Engine) -> None:
        """Make passes with this engine."""
        self._engine = engine
        self._lock = threading.Lock()
        self._ended: datetime | None = None
        self._problem = ""
        self._left: frozenset[str] = frozenset()

    def tick(self, at: datetime) -> None:
        """Make a pass over what is due; raises nothing, for the next tick tries again."""
        problem = ""
        try:
            self._log(self._engine.run_pass(is_due_only=True))
        except BotError as error:
            problem = str(error)
            _log.warning("the pass waits for the next tick: %s", error)
        except Exception:  # noqa: BLE001  one broken pass must not end the rounds
            problem = "a fault of the program; the log says more"
            _log.exception("a pass failed")
        with self._lock:
            self._ended, self._problem = at, problem

    def _log(self, report: PassReport) -> None:
        """Say what was done; what is left is said once, not at every tick."""
        for line in report.done:
            _log.info("done: %s", line)
        for line in dict.fromkeys(report.left):
            if line not in self._left:
                _log.warning("left: %s", line)
        self._left = frozenset(report.left)

    def health(self) -> Mapping[str, object]:
        """Tell whether people can be answered: something was looked at, and passes end."""
        with self._lock:
            ended, problem = self._ended, self._problem
        try:
            decision = self._engine.look().decision
        except BotError as error:
            return {"ok": False, "problem": problem or str(error)}
        is_stale = ended is None or self._engine.clock.now() - ended > STALE
        seen = {"looked": f"{decision.at:%Y-%m-%dT%H:%M:%SZ}", "commit": decision.commit}
        return {"ok": not is_stale, **seen, "problem": "no pass has ended lately" if is_stale else problem}
