"""Figures of deployment: what counts, from when to when, and that the ledger alone decides them."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.entries.entry import Kind
from policies.entries.promotion import Stage
from policies.ledger.figures import WINDOW, Figures, Spread, figures, window
from policies.ledger.state import State, fold
from tests.policies.ledger_builders import IMAGE, Story, person, story

MINUTE = timedelta(minutes=1)
HERE = (("production", "web"),)
EVERYWHERE = (("staging", "web"), *HERE)
SPANS = st.lists(st.timedeltas(timedelta(0), timedelta(days=400)), min_size=1, max_size=30)


def _all(found: Story, places: Iterable[tuple[str, str]] = HERE) -> Figures:
    return figures(found.state, places, *window(found.state, found.at))


def test_a_version_that_was_approved_is_a_deployment_with_its_times() -> None:
    found = story().asked("1.1.0").approved().landed()

    told = _all(found)

    assert (told.deployments, told.failed, told.rollbacks, told.by_hand) == (1, 0, 0, 0)
    # a minute an entry: seen, bump, propose, approve, approve, intent, merged, landed
    assert told.lead == Spread(1, 7 * MINUTE, 7 * MINUTE)
    assert told.waited == Spread(1, 2 * MINUTE, 2 * MINUTE)
    assert (told.restored, dict(told.ended)) == (None, {})


def test_a_move_by_rule_is_a_deployment_for_which_nobody_was_waited_for() -> None:
    told = _all(story().staged("1.1.0"), EVERYWHERE)

    assert (told.deployments, told.waited) == (1, None)
    assert told.lead == Spread(1, MINUTE, MINUTE)


def test_what_was_there_before_has_no_lead_time() -> None:
    found = story().staged("1.1.0")
    about = ("web", IMAGE, "1.1.0")
    seen = found.state.seen[about]
    found.state.seen[about] = replace(seen, sighting=replace(seen.sighting, before=True))

    assert _all(found, EVERYWHERE).lead is None


def test_a_deployment_that_a_rollback_left_has_failed_and_was_restored() -> None:
    found = story().asked("1.1.0").approved().landed()
    found.add(found.rollback("1.0.0", environment="production"))
    found.add(found.about(Kind.INTENT))
    found.add(found.about(Kind.MERGED))
    found.add(found.about(Kind.LANDED))

    told = _all(found)

    assert (told.deployments, told.failed, told.rollbacks) == (1, 1, 1)
    assert told.restored == Spread(1, 4 * MINUTE, 4 * MINUTE)


def test_a_rollback_without_approvals_counts_too() -> None:
    found = story().staged("1.1.0")
    found.add(found.rollback("1.0.0", environment="staging"))

    told = _all(found, EVERYWHERE)

    assert (told.deployments, told.failed, told.rollbacks) == (1, 1, 1)
    assert told.restored == Spread(1, MINUTE, MINUTE)


def test_a_move_by_hand_is_no_deployment() -> None:
    found = story()
    found.add(found.external("1.1.0"))

    told = _all(found)

    assert (told.deployments, told.by_hand) == (0, 1)


def test_requests_that_moved_nothing_are_counted_by_how_they_ended() -> None:
    found = story().asked("1.1.0")
    found.add(found.about(Kind.REJECT, person("ada")))
    found.add(found.propose("1.1.0"))

    told = _all(found)

    assert (told.deployments, dict(told.ended)) == (0, {Stage.REJECTED: 1})
    assert dict(figures(found.state, (("staging", "web"),), *window(found.state, found.at)).ended) == {}


def test_an_approval_that_is_lent_from_before_the_request_is_nothing_to_wait_for() -> None:
    found = story().asked("1.1.0").approved().landed()
    (name,) = found.state.promotions
    promotion = found.state.promotions[name]
    found.state.promotions[name] = replace(promotion, opened=promotion.opened + WINDOW)

    assert _all(found).waited is None


def test_only_what_landed_in_the_window_counts() -> None:
    found = story().staged("1.1.0")
    (move,) = found.state.moves["staging", "web"]

    def count(since: datetime, until: datetime) -> int:
        return figures(found.state, EVERYWHERE, since, until).deployments

    assert count(move.at - MINUTE, move.at) == 1
    assert count(move.at, move.at + WINDOW) == 0
    assert count(move.at - WINDOW, move.at - MINUTE) == 0


def test_the_window_begins_with_the_ledger_where_that_is_younger() -> None:
    found = story()
    assert found.state.genesis
    began, late = found.state.genesis.time, found.at + 2 * WINDOW

    assert window(found.state, found.at) == (began, found.at)
    assert window(found.state, late) == (late - WINDOW, late)
    assert window(State("2026"), late) == (late - WINDOW, late)


def test_the_same_ledger_gives_the_same_figures() -> None:
    found = story().asked("1.1.0").approved().landed()

    again = fold("2026", found.entries)

    assert figures(again, EVERYWHERE, *window(again, found.at)) == _all(found, EVERYWHERE)
    assert figures(again, EVERYWHERE[::-1], *window(again, found.at)) == _all(found, EVERYWHERE)


@pytest.mark.parametrize(
    ("minutes", "median", "most"),
    [
        ([7], 7, 7),
        ([3, 1], 2, 3),
        ([1, 2, 9], 2, 9),
        (list(range(1, 11)), 5.5, 9),
        (list(range(1, 21)), 10.5, 18),
    ],
)
def test_a_spread_is_the_middle_and_the_slow_end(minutes: list[int], median: float, most: int) -> None:
    assert Spread.of(one * MINUTE for one in minutes) == Spread(len(minutes), median * MINUTE, most * MINUTE)


def test_nothing_has_no_spread() -> None:
    assert Spread.of([]) is None


@given(SPANS)
def test_half_is_within_the_median_and_nine_of_ten_within_the_slow_end(spans: list[timedelta]) -> None:
    found = Spread.of(spans)

    assert found
    second = timedelta(seconds=1)
    assert 2 * sum(one < found.median + second for one in spans) >= len(spans)
    assert 10 * sum(one < found.most + second for one in spans) >= 9 * len(spans)
    assert min(spans) - second < found.median <= found.most <= max(spans)
