"""The clock and what ticks by it: the only place that asks what time it is."""

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from bot.ports import Clock

Tick = Callable[[datetime], None]


class SystemClock:
    """The time of this machine. Implements ``bot.ports.Clock``."""

    def now(self) -> datetime:
        """Return the present instant, UTC, aware."""
        return datetime.now(UTC)  # noqa: TID251  this is the place


# A tick that is longer than the interval is left out: meant so, and no news for an operator.
logging.getLogger("apscheduler").setLevel(logging.ERROR)


class Ticker:
    """Calls one function again and again, one call at a time, never two at once.

    A call that is due while another one runs is left out; one that was asked for by ``now`` is not.
    """

    def __init__(self, clock: Clock) -> None:
        """Start nothing yet."""
        self._clock = clock
        self._changing = threading.Lock()
        self._is_asked = False
        self._is_running = False
        self._tick: Tick = _nothing
        # Jobs live in memory alone: what is due is known from the world. One thread, so that calls queue up.
        self._scheduler = BackgroundScheduler(
            jobstores={"default": MemoryJobStore()},
            executors={"default": ThreadPoolExecutor(max_workers=1)},
            # No grace time: a busy or suspended process is late, and does not skip; what piled up is one call.
            job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1},
            timezone=UTC,
        )

    def start(self, tick: Tick, *, every_seconds: float, jitter: float = 0) -> None:
        """Call ``tick`` with the time, now and every so many seconds, each up to ``jitter`` seconds late.

        What it raises is logged, and it is called again. Raises: ValueError.
        """
        if not every_seconds > 0 or jitter < 0:
            raise ValueError(f"{every_seconds} and {jitter} are no seconds to tick by")
        with self._changing:
            if self._is_running:
                raise ValueError("it ticks already")
            self._is_running, self._is_asked, self._tick = True, False, tick
            trigger = IntervalTrigger(seconds=every_seconds, jitter=jitter, timezone=UTC)
            self._scheduler.add_job(self._run, trigger, next_run_time=self._clock.now())
            self._scheduler.start()

    def now(self) -> None:
        """Call at once; where a call runs, when it has ended. Asking again before it begins changes nothing."""
        with self._changing:
            if self._is_running and not self._is_asked:
                self._is_asked = True
                self._scheduler.add_job(self._run_asked)

    def stop(self) -> None:
        """Stop, and wait for a call that runs. Not from within a call. Stopping twice is once."""
        with self._changing:
            was_running, self._is_running = self._is_running, False
        # The scheduler holds its own locks while it waits; a call that asks for another one must not want them.
        if was_running:
            self._scheduler.shutdown(wait=True)

    def _run_asked(self) -> None:
        with self._changing:
            self._is_asked = False
        self._run()

    def _run(self) -> None:
        if self._is_running:
            self._tick(self._clock.now())


def _nothing(_: datetime) -> None:
    """Do nothing: nothing has been started."""
