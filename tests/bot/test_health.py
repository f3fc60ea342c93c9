"""What is reported on commits becomes entries: the first healthy at once, any change after two looks."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, cast

import pytest

from bot.errors import TransientError
from bot.looking.health import MAX_COMMITS, MAX_LOOKS, Watch
from bot.looking.survey import Survey
from bot.ports import Forge
from bot.repository.mirror import Mirror
from bot.repository.objects import Oid
from policies.entries.entry import Entry, Kind
from policies.entries.reports import Report, ReportState
from tests.bot.ledger_builders import COMMIT, Story, oid, pinned

NAME = "kustomization/apps/staging"
HEALTHY, UNHEALTHY = ReportState.SUCCESS, ReportState.FAILURE
PLACE = ("staging", "checkout-api")


@dataclass
class World:
    """A story with health declared in staging, a line of commits, and what is reported on each."""

    story: Story = field(default_factory=Story)
    line: list[str] = field(default_factory=lambda: [COMMIT])  # newest first
    said: dict[str, ReportState] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    is_down: bool = False
    watch: Watch = field(init=False)
    left: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.watch = Watch(cast("Mirror", self), cast("Forge", self))

    def first_parents(self, _tip: Oid, *, limit: int) -> list[Oid]:
        return [Oid(one) for one in self.line[:limit]]

    def reports(self, commit: str) -> Sequence[Report]:
        if self.is_down:
            raise TransientError("the forge is down")
        self.asked.append(commit)
        return [Report(commit, NAME, self.said[commit])] if commit in self.said else []

    def survey(self) -> Survey:
        look, _ = self.story.look()
        staging = replace(look.world.rules.environments["staging"], health=(NAME,))
        rules = replace(look.world.rules, environments={**look.world.rules.environments, "staging": staging})
        return replace(look, at=self.story.at, world=replace(look.world, rules=rules))

    def look(self, minutes: float = 1) -> tuple[Entry, ...]:
        """Look after so many minutes, and return what is news."""
        self.story.at += timedelta(minutes=minutes)
        self.left = self.watch.look(self.survey())
        return self.watch.news(self.survey())

    def push(self, state: ReportState | None = None) -> str:
        """Push a commit that moves nothing."""
        commit = oid(f"commit {len(self.line)}")
        self.line.insert(0, commit)
        if state:
            self.said[commit] = state
        return commit

    def bump(self, tag: str = "1.4.2") -> str:
        self.story.see(tag)
        entry = self.story.bump(tag)
        self.line.insert(0, entry.commit)
        return entry.commit

    def record(self, entries: Sequence[Entry]) -> None:
        for one in entries:
            fields: dict[str, Any] = {"commit": one.commit, "image": one.image, "evidence": one.evidence}
            self.story.add(one.kind, environment=one.environment, service=one.service, **fields)


def test_the_first_healthy_is_news_at_once_and_is_said_once() -> None:
    world = World()
    world.said[COMMIT] = HEALTHY

    (entry,) = world.look()

    assert (entry.kind, entry.commit, entry.image) == (Kind.HEALTHY, COMMIT, pinned("1.4.1"))
    assert entry.evidence["statuses"] == [{"commit": COMMIT, "name": NAME, "state": "success", "at": ""}]
    world.record([entry])
    assert world.look() == ()


def test_an_unhealthy_is_news_after_two_looks() -> None:
    world = World()
    world.said[COMMIT] = UNHEALTHY

    assert world.look() == ()
    (entry,) = world.look()

    assert entry.kind is Kind.UNHEALTHY
    assert entry.evidence["looked"] == world.survey().at.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_two_looks_at_one_answer_are_one() -> None:
    world = World()
    world.said[COMMIT] = UNHEALTHY
    world.look()

    assert world.look(0.1) == ()  # nothing was asked anew
    assert world.asked == [COMMIT]


def test_a_failure_that_is_gone_at_the_second_look_was_none() -> None:
    world = World()
    world.said[COMMIT] = HEALTHY
    world.record(world.look())
    world.said[COMMIT] = UNHEALTHY
    assert world.look() == ()
    world.said[COMMIT] = HEALTHY

    assert world.look() == ()
    world.said[COMMIT] = UNHEALTHY
    assert world.look() == ()
    assert [one.kind for one in world.look()] == [Kind.UNHEALTHY]


def test_a_later_commit_with_the_same_pin_speaks_for_one_that_was_skipped() -> None:
    world = World()
    world.bump()
    later = world.push(HEALTHY)

    (entry,) = world.look()

    assert (entry.commit, entry.image) == (later, pinned("1.4.2"))


def test_what_was_reported_before_the_move_says_nothing_of_it() -> None:
    world = World()
    world.said[COMMIT] = HEALTHY
    world.bump()

    assert world.look() == ()
    assert COMMIT not in world.asked


def test_the_newest_report_counts() -> None:
    world = World()
    world.said[world.bump()] = HEALTHY
    world.record(world.look())
    world.push(UNHEALTHY)
    world.push()

    world.look()
    (entry,) = world.look()

    assert (entry.kind, entry.commit) == (Kind.UNHEALTHY, world.line[1])


def test_a_pin_that_the_ledger_does_not_know_is_not_spoken_of() -> None:
    world = World()
    world.said[COMMIT] = HEALTHY
    world.story.pins[PLACE] = replace(world.story.pins[PLACE], image=pinned("9.9.9"))

    assert world.look() == ()


def test_a_commit_that_is_not_on_the_line_is_not_asked() -> None:
    world = World(line=[oid("elsewhere")])

    assert world.look() == ()
    assert world.asked == []


def test_a_long_line_is_asked_at_its_end_and_at_its_beginning() -> None:
    world = World()
    start = world.bump()
    for _ in range(3 * MAX_COMMITS):
        world.push()

    world.look()

    assert world.asked == [*world.line[:MAX_COMMITS], start]
    assert len(world.asked) <= MAX_LOOKS


def test_a_forge_that_fails_is_named_and_nothing_is_said() -> None:
    world = World(is_down=True)

    assert world.look() == ()
    assert world.left == ["staging/checkout-api: its health was not asked: the forge is down"]


def test_without_a_forge_nothing_is_looked_at() -> None:
    world = World()
    world.watch.forge = None

    assert world.look() == ()
    assert world.left == []


@pytest.mark.parametrize("state", [ReportState.PENDING, None])
def test_what_is_not_reported_is_not_known(state: ReportState | None) -> None:
    world = World()
    if state:
        world.said[COMMIT] = state

    assert world.look() == ()
    assert world.look() == ()
