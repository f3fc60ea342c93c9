"""The clock, and the ticker on the real scheduler: events instead of timing."""

import logging
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from bot.ports import Clock
from bot.scheduler import SystemClock, Ticker

LONG = 3_600
WITHIN = 20  # seconds; far more than needed


class Calls:
    """Counts calls, holds them back, and lets a test wait for them."""

    def __init__(self) -> None:
        self.times: list[datetime] = []
        self.begun = threading.Semaphore(0)
        self.may_end = threading.Semaphore(0)
        self.at_once = 0
        self.most_at_once = 0

    def __call__(self, at: datetime) -> None:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.times.append(at)
        self.begun.release()
        assert self.may_end.acquire(timeout=WITHIN)
        self.at_once -= 1

    def wait(self) -> None:
        assert self.begun.acquire(timeout=WITHIN)


@pytest.fixture
def ticker() -> Iterator[Ticker]:
    ticker = Ticker(SystemClock())
    yield ticker
    ticker.stop()


@pytest.fixture
def calls(ticker: Ticker) -> Iterator[Calls]:
    """Leave no call behind that waits."""
    calls = Calls()
    yield calls
    calls.may_end.release(100)


def test_the_clock_tells_an_aware_time_in_utc() -> None:
    clock: Clock = SystemClock()

    first, second = clock.now(), clock.now()

    assert first.tzinfo is UTC
    assert first <= second


def test_the_first_call_comes_at_once_with_the_time(ticker: Ticker, calls: Calls) -> None:
    calls.may_end.release()

    ticker.start(calls, every_seconds=LONG)
    calls.wait()

    assert [at.tzinfo for at in calls.times] == [UTC]


def test_calls_follow_each_other(ticker: Ticker, calls: Calls) -> None:
    calls.may_end.release(3)

    ticker.start(calls, every_seconds=0.02, jitter=0.01)
    for _ in range(3):
        calls.wait()

    assert calls.times == sorted(calls.times)


def test_a_call_can_be_had_at_once(ticker: Ticker, calls: Calls) -> None:
    calls.may_end.release(2)
    ticker.start(calls, every_seconds=LONG)
    calls.wait()

    ticker.now()

    calls.wait()


def test_what_is_asked_for_during_a_call_comes_after_it_and_once(ticker: Ticker, calls: Calls) -> None:
    ticker.start(calls, every_seconds=LONG)
    calls.wait()

    for _ in range(5):
        ticker.now()
    calls.may_end.release(2)
    calls.wait()
    calls.may_end.release()
    ticker.stop()

    assert len(calls.times) == 2
    assert calls.most_at_once == 1


def test_calls_that_are_late_do_not_pile_up(
    ticker: Ticker, calls: Calls, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, "apscheduler")
    due = threading.Semaphore(0)
    ticker._scheduler.add_listener(lambda _: due.release())
    ticker.start(calls, every_seconds=0.01)
    calls.wait()
    for _ in range(8):  # submissions and refusals
        assert due.acquire(timeout=WITHIN)
    assert len(calls.times) == 1

    calls.may_end.release(100)
    ticker.stop()

    assert calls.most_at_once == 1


def test_a_call_that_fails_is_logged_and_followed_by_the_next(
    ticker: Ticker, caplog: pytest.LogCaptureFixture
) -> None:
    again = threading.Event()
    times: list[datetime] = []

    def tick(at: datetime) -> None:
        times.append(at)
        if len(times) == 1:
            raise RuntimeError("the world failed")
        again.set()

    ticker.start(tick, every_seconds=0.02)

    assert again.wait(WITHIN)
    assert "the world failed" in caplog.text


def test_stopping_waits_for_the_call_that_runs(ticker: Ticker, calls: Calls) -> None:
    ticker.start(calls, every_seconds=LONG)
    calls.wait()
    ticker.now()  # what has not begun does not begin any more
    stopping = threading.Thread(target=ticker.stop)
    stopping.start()
    while ticker._is_running:
        threading.Event().wait(0.001)
    assert stopping.is_alive()

    calls.may_end.release()
    stopping.join(WITHIN)

    assert not stopping.is_alive()
    assert (len(calls.times), calls.at_once) == (1, 0)


def test_a_call_that_asks_for_another_does_not_hold_the_stop_up(ticker: Ticker) -> None:
    begun, may_go = threading.Event(), threading.Event()

    def tick(_: datetime) -> None:
        begun.set()
        assert may_go.wait(WITHIN)
        ticker.now()

    ticker.start(tick, every_seconds=LONG)
    assert begun.wait(WITHIN)
    stopping = threading.Thread(target=ticker.stop)
    stopping.start()
    while ticker._is_running:
        threading.Event().wait(0.001)
    may_go.set()
    stopping.join(WITHIN)

    assert not stopping.is_alive()


def test_stopping_and_asking_are_harmless_at_any_time(ticker: Ticker, calls: Calls) -> None:
    ticker.now()
    ticker.stop()
    calls.may_end.release(9)
    ticker.start(calls, every_seconds=LONG)
    calls.wait()
    ticker.stop()
    ticker.stop()
    ticker.now()

    assert len(calls.times) == 1


@pytest.mark.parametrize(("every", "jitter"), [(0, 0), (-1, 0), (1, -1), (float("nan"), 0)])
def test_seconds_to_tick_by_are_positive(ticker: Ticker, calls: Calls, every: float, jitter: float) -> None:
    with pytest.raises(ValueError, match="no seconds to tick by"):
        ticker.start(calls, every_seconds=every, jitter=jitter)


def test_nothing_is_started_twice(ticker: Ticker, calls: Calls) -> None:
    calls.may_end.release(9)
    ticker.start(calls, every_seconds=LONG)

    with pytest.raises(ValueError, match="ticks already"):
        ticker.start(calls, every_seconds=LONG)


def test_a_missed_hour_is_one_late_call(ticker: Ticker, calls: Calls) -> None:
    """A laptop that slept: the job is an hour overdue, and runs once."""
    calls.may_end.release(9)
    ticker.start(calls, every_seconds=LONG)
    calls.wait()
    (job,) = ticker._scheduler.get_jobs()

    job.modify(next_run_time=SystemClock().now() - timedelta(hours=10))
    calls.wait()
    ticker.stop()

    assert len(calls.times) == 2
