"""The rounds tell how the passes went: their age, whether the ledger was written, and who asked for everything."""

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from bot.engine import Engine, PassReport
from bot.errors import BotError, TransientError
from bot.measures import MEASURES, Measure
from bot.pacing import Pace
from bot.rounds import STALE, Rounds
from policies.entries.entry import Entry, Kind

AT = datetime(2026, 11, 20, 14, 28, tzinfo=UTC)


@dataclass
class Passes:
    """An engine whose passes go as they are told to, with a clock of its own."""

    left: list[str] = field(default_factory=list)
    fails: Exception | None = None
    asked: list[bool] = field(default_factory=list)  # whether only what was due
    at: datetime = AT

    @property
    def clock(self) -> "Passes":
        return self

    def now(self) -> datetime:
        return self.at

    def run_pass(self, *, is_due_only: bool) -> PassReport:
        self.asked.append(is_due_only)
        if self.fails:
            raise self.fails
        return PassReport(left=list(self.left))

    def look(self) -> Any:
        raise BotError("nothing has been looked at yet")

    def reading(self) -> str:
        return ""


@pytest.fixture
def passes() -> Passes:
    return Passes()


def rounds_of(passes: Passes, **more: Any) -> Rounds:
    return Rounds(cast("Engine", passes), **more)


def counted(measure: Measure) -> float:
    return MEASURES.taken()[measure][""]


def test_before_the_first_pass_nothing_is_known(passes: Passes) -> None:
    rounds = rounds_of(passes)

    assert rounds.pass_age() is None
    assert not rounds.is_writable()
    assert rounds.promotions() == {}
    assert rounds.health()["pass_age_seconds"] is None


def test_the_age_is_that_of_the_last_pass_that_ended_well(passes: Passes) -> None:
    rounds = rounds_of(passes)
    rounds.tick(AT)
    passes.at, passes.fails = AT + timedelta(seconds=90), TransientError("the repository is away")

    rounds.tick(passes.at)

    assert rounds.pass_age() == timedelta(seconds=90)
    assert not rounds.is_writable()
    assert rounds.health()["ledger_writable"] is False


@pytest.mark.parametrize(
    ("left", "is_writable"),
    [
        ([], True),
        (["production/web: no reference"], True),
        (["ledger-read-only: signed with another key"], False),
        (["x", "not-recorded: the host refuses the push"], False),
    ],
    ids=["nothing", "a-place", "read-only", "refused"],
)
def test_a_ledger_that_was_not_written_is_told(passes: Passes, left: list[str], *, is_writable: bool) -> None:
    rounds, passes.left = rounds_of(passes), left

    rounds.tick(AT)

    assert rounds.is_writable() is is_writable
    passes.left = []
    rounds.tick(AT)
    assert rounds.is_writable()


def test_everything_is_asked_once_for_all_who_wanted_it(passes: Passes) -> None:
    rounds = rounds_of(passes)
    rounds.tick(AT)
    rounds.ask_everything()
    rounds.ask_everything()

    rounds.tick(AT)
    rounds.tick(AT)

    assert passes.asked == [True, False, True]


@pytest.mark.parametrize("error", [TransientError("away"), KeyError("a fault")])
def test_passes_and_their_failures_are_counted(passes: Passes, error: Exception) -> None:
    rounds = rounds_of(passes)
    before = counted(Measure.PASSES), counted(Measure.PASSES_FAILED)

    rounds.tick(AT)
    passes.fails = error
    rounds.tick(AT)

    assert (counted(Measure.PASSES), counted(Measure.PASSES_FAILED)) == (before[0] + 2, before[1] + 1)


def test_a_long_interval_is_no_hanging(passes: Passes) -> None:
    rounds = rounds_of(passes, every=timedelta(hours=1))

    assert rounds._stale == STALE + timedelta(hours=1)


def test_a_pass_is_asked_for_when_it_is_time_for_what_waits(passes: Passes) -> None:
    woken = threading.Event()
    pace = Pace((0.01, 0.01))
    pace.lets([Entry(kind=Kind.SEEN, at="2026-11-20T14:28:00Z", key="seen/1")], {}, has_moves=False)
    rounds = Rounds(cast("Engine", passes), every=timedelta(hours=1), wake=woken.set, pace=pace)

    rounds.tick(AT)

    assert rounds.pushes() == (0, 1)
    assert woken.wait(10)
