"""The pace: people at once, moves without lingering, what the bot says of itself later and together."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.ledger import Appended, Proposal
from bot.pacing import BURST, KEPT_FOR_PEOPLE, MAX_LATER, Pace, may_wait
from policies.entries.entry import Bot, By, Entry, Kind, Placed
from policies.ledger.keys import expected_key
from policies.words import Approve
from tests.bot.ledger_worlds import World, bot, kustomization, world
from tests.repositories import commit_to, git

AT = "2026-11-23T10:00:00Z"
BOT = Bot()
ADA = By("ada", "button", "T0", "U0ADA")


@dataclass
class Watch:
    """A clock that is set by hand."""

    seconds: float = 1000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.seconds


def entry(kind: Kind, by: Bot | By = BOT, promotion: str = "", **fields: object) -> Entry:
    """Return something to say."""
    made = Entry(kind=kind, at=AT, key=f"{kind}/1", by=by, promotion=promotion)
    return replace(made, **fields)  # type: ignore[arg-type]  # a test's choice


def pace(watch: Callable[[], float], **changes: object) -> Pace:
    """Return a pace that lingers ten seconds."""
    return Pace((5.0, 15.0), now=watch, draw=lambda _low, _high: 10.0, **changes)  # type: ignore[arg-type]


def test_what_the_bot_says_of_itself_waits_from_the_first_time_on() -> None:
    watch = Watch()
    found = pace(watch)
    seen, external = entry(Kind.SEEN), entry(Kind.EXTERNAL)

    assert not found.lets([seen], {}, has_moves=False)
    watch.seconds += 6
    assert not found.lets([seen, external], {}, has_moves=False)
    assert (found.waiting(), found.seconds()) == (2, 4.0)
    watch.seconds += 4
    assert found.lets([seen, external], {}, has_moves=False)
    found.went([seen, external])

    assert (found.waiting(), found.seconds()) == (0, None)
    assert not found.lets([seen], {}, has_moves=False)  # and the next ones wait anew


@pytest.mark.parametrize(
    "said",
    [
        entry(Kind.APPROVE, ADA, "1" * 12),
        entry(Kind.FREEZE, ADA),
        entry(Kind.INTENT, promotion="1" * 12),
        entry(Kind.LANDED, promotion="1" * 12),
    ],
    ids=lambda one: one.kind.value,
)
def test_people_and_what_they_wait_for_go_at_once_even_when_nothing_is_left(said: Entry) -> None:
    found = pace(Watch())
    for _ in range(50):
        found.pushed()

    assert found.lets([entry(Kind.SEEN), said], {}, has_moves=False)


def test_a_move_does_not_linger_but_leaves_some_pushes_to_people() -> None:
    watch = Watch()
    found = pace(watch)
    bump = entry(Kind.BUMP)

    moved = 0
    while found.lets([entry(Kind.SEEN), bump], {}, has_moves=True):
        found.pushed()
        moved += 1
    assert moved == BURST - KEPT_FOR_PEOPLE
    assert found.seconds() == pytest.approx(10.0)
    watch.seconds += 10
    assert found.lets([bump], {}, has_moves=True)


def test_a_place_that_is_new_does_not_wait_and_its_end_does() -> None:
    first = entry(Kind.SHOWN, shown=(Placed("card/1", "C1", "1.1", 1),))
    known = {"card/1": Placed("card/1", "C1", "1.1", 1)}

    assert not may_wait(first, {})
    assert not may_wait(first, {"card/1": Placed("card/1", "C1", "9.9", 1)})
    assert may_wait(replace(first, shown=(Placed("card/1", "C1", "1.1", 2),)), known)


@given(st.lists(st.tuples(st.floats(0, 20), st.booleans()), max_size=200))
def test_the_bot_alone_never_pushes_more_than_its_bucket(steps: list[tuple[float, bool]]) -> None:
    watch = Watch()
    found = pace(watch)
    pushes: list[float] = []

    for seconds, has_moves in steps:
        watch.seconds += seconds
        if found.lets([entry(Kind.BUMP if has_moves else Kind.SEEN)], {}, has_moves=has_moves):
            found.pushed()
            found.went([entry(Kind.BUMP), entry(Kind.SEEN)])
            pushes.append(watch.seconds)

    for index, since in enumerate(pushes):
        within = [one for one in pushes[index:] if one < since + 60]
        assert len(within) <= BURST - KEPT_FOR_PEOPLE + 6 + 1


@pytest.mark.parametrize(
    ("tick", "linger", "rate"), [(15, (5, 15), 6), (3600, (5, 15), 6), (1, (1 / 3, 1), 90)]
)
def test_the_pace_follows_the_tick(tick: int, linger: tuple[float, float], rate: float) -> None:
    found = Pace.of_tick(tick)

    assert found.linger == pytest.approx(linger)
    assert found.per_minute == pytest.approx(rate)


def test_what_people_overdraw_the_bot_waits_for_and_no_longer() -> None:
    watch = Watch()
    found = pace(watch)
    bump = entry(Kind.BUMP)
    for _ in range(500):
        found.pushed()

    assert not found.lets([bump], {}, has_moves=True)
    due = found.seconds()
    assert due == pytest.approx((BURST + KEPT_FOR_PEOPLE + 1) * 10.0)
    assert due is not None
    watch.seconds += due - 1
    assert not found.lets([bump], {}, has_moves=True)
    watch.seconds += 1
    assert found.lets([bump], {}, has_moves=True)


def test_a_bucket_that_rests_holds_one_burst_and_no_more() -> None:
    watch = Watch()
    found = pace(watch)
    found.pushed()
    watch.seconds += 10**6

    moved = 0
    while found.lets([entry(Kind.BUMP)], {}, has_moves=True):
        found.pushed()
        moved += 1

    assert moved == BURST - KEPT_FOR_PEOPLE
    assert found.last_minute() == moved


def test_what_another_replica_has_said_is_not_waited_for_for_ever() -> None:
    watch = Watch()
    found = pace(watch)
    assert not found.lets([entry(Kind.SEEN)], {}, has_moves=False)

    watch.seconds += 10 + 60 + 1

    assert (found.waiting(), found.seconds()) == (0, None)


def test_refusals_that_wait_are_kept_once_each_and_not_without_end() -> None:
    found = pace(Watch())

    for number in [*range(MAX_LATER + 5), 0, 1]:
        found.keep(entry(Kind.REFUSED, key=f"refused/{number}"))

    assert [one.key for one in found.later] == [f"refused/{number}" for number in range(MAX_LATER)]
    found.went([entry(Kind.REFUSED, key="refused/7")])
    assert "refused/7" not in {one.key for one in found.later}


def test_one_pass_alone_never_waits() -> None:
    found = Pace.at_once()
    for _ in range(50):
        found.pushed()

    assert found.lets([entry(Kind.SEEN)], {}, has_moves=False)
    assert found.lets([entry(Kind.BUMP)], {}, has_moves=True)


# --- on a real ledger


@pytest.fixture
def told(tmp_path: Path) -> World:
    """Open a promotion, at a pace that waits from then on."""
    found = world(tmp_path)
    found.stage("1.1.0")
    found.ask("1.1.0")
    return found


def test_a_person_takes_along_what_waits_in_one_push(told: World) -> None:
    watch = Watch()
    told.desk.mirror.pace = pace(watch)
    by_hand = kustomization("0.9.0")
    commit_to(told.remote, {"apps/staging/kustomization.yaml": by_hand})
    before = len(told.entries)

    assert told.run() == ()
    assert len(told.entries) == before
    assert told.desk.pace.waiting() == 1
    pushes = told.desk.pace.last_minute()
    told.say("ada", Approve(told.promotion.id))

    assert [one.kind for _, one in told.entries[before:]] == [Kind.APPROVE]
    watch.seconds += 10
    assert [one.kind for _, one in told.run()] == [Kind.EXTERNAL]
    assert told.desk.pace.last_minute() == pushes + 2


def test_a_refusal_waits_and_goes_with_the_next_push(told: World) -> None:
    told.desk.mirror.pace = pace(Watch())
    state = told.state
    evidence = {"person": "carol", "decision": "approve"}
    about = told.about(Kind.REFUSED, why="requester", evidence=evidence)
    told.desk.pace.keep(replace(about, key=expected_key(state, about)))
    before = len(told.entries)

    assert told.done(lambda _look, _tip: Proposal()) == ()
    answer = told.say("ada", Approve(told.promotion.id))

    assert isinstance(answer, Appended)
    assert [one.kind for _, one in answer.entries] == [Kind.REFUSED, Kind.APPROVE]
    assert len(told.entries) == before + 2
    assert told.desk.pace.later == []


def test_a_refusal_that_does_not_hold_any_more_is_dropped(told: World) -> None:
    told.desk.mirror.pace = pace(Watch())
    stale = entry(
        Kind.REFUSED, promotion="f" * 12, key=f"refused/{'f' * 12}/carol/requester", why="requester"
    )
    told.desk.pace.keep(stale)

    answer = told.say("ada", Approve(told.promotion.id))

    assert isinstance(answer, Appended)
    assert [one.kind for _, one in answer.entries] == [Kind.APPROVE]


def test_two_replicas_write_once_what_both_found(told: World, tmp_path: Path) -> None:
    other = World(
        told.remote, bot(told.remote, tmp_path / "other", told.signer), told.signer, told.at, told.tags
    )
    other.desk.mirror.fetch()
    other.look()
    clocks = [Watch(), Watch()]
    for one, watch in zip((told, other), clocks, strict=True):
        one.desk.mirror.pace = pace(watch)
    commit_to(told.remote, {"apps/staging/kustomization.yaml": kustomization("0.9.0")})

    assert (told.run(), other.run()) == ((), ())
    clocks[0].seconds += 10
    clocks[1].seconds += 12
    assert len(told.run()) == 1
    assert other.run() == ()

    assert other.desk.pace.seconds() is None
    clocks[1].seconds += 61
    assert other.desk.pace.waiting() == 0
    subjects = git(told.remote, "log", "--format=%s", "refs/heads/ledger/2026")
    assert subjects.count("external:") == 1
