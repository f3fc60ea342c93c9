"""Gates in worlds that the table of gates does not hold: other names of an image, reviews, windows and reminders."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from policies.codes import Code
from policies.decide import _not_merged, tried_again_at
from policies.entries.entry import By
from policies.entries.promotion import Approval
from policies.entries.reviews import Attested, ReviewState, review_in
from policies.gates import approvals
from policies.gates.promised import expires, reminds
from policies.gates.waits import _window
from policies.images.image import Repository
from policies.ledger.state import Stage
from policies.ledger.tally import may_approve
from policies.rules.effective import NO_CALENDAR
from policies.rules.rules import Evidence
from policies.times.windows import parse_window
from policies.verdict import PASSED, Waiting
from tests.policies.gate_worlds import case, ruled
from tests.policies.ledger_builders import START, at_stage, oid, rules, story

MIRROR = Repository.parse("mirror.example/web")


def test_an_image_has_another_name_where_it_is_pulled_by_another() -> None:
    about = case(story())
    elsewhere = replace(about.rule.service, images=(MIRROR,))
    named = replace(about, rules=replace(about.rules, there={("production", "web"): elsewhere}))

    assert about.image_in("production") == about.image
    assert [one.repository for one in named.image_in("production")] == [MIRROR]
    assert [one.digest for one in named.image_in("production")] == [about.image[0].digest]
    assert named.image_in("nowhere") == about.image


@pytest.mark.parametrize("review", [0, 918273], ids=["presses alone", "one of them a review"])
def test_where_one_review_is_asked_for_presses_alone_wait(review: int) -> None:
    found = ruled(story(), evidence=Evidence.ONE_REVIEW).asked().approved()
    about = case(found, environment="production", is_asked=True)
    assert about.promotion
    given = [replace(about.promotion.approvals[0], review=review), about.promotion.approvals[1]]
    about = replace(about, promotion=replace(about.promotion, approvals=tuple(given)))

    verdict = approvals(about)

    assert verdict == PASSED if review else getattr(verdict, "code", None) is Code.REVIEW_MISSING


def test_people_are_reminded_when_half_of_the_time_is_over() -> None:
    found = at_stage(Stage.OPEN)
    about = case(found, environment="production", is_asked=True)
    assert about.promotion

    half = reminds(NO_CALENDAR, about.rule, about.promotion) - about.promotion.opened
    whole = expires(NO_CALENDAR, about.rule, about.promotion) - about.promotion.opened

    assert half * 2 == whole


def test_the_window_that_an_instant_is_in_is_named() -> None:
    about = case(story())
    window = parse_window("Fri 15:00 - Mon 08:00")
    where = replace(about.rule.environment, freeze=(window,))

    assert _window(where.freeze, NO_CALENDAR, "", datetime(2026, 11, 28, 12, tzinfo=UTC)) == window
    assert _window(where.freeze, NO_CALENDAR, "", datetime(2026, 11, 25, 12, tzinfo=UTC)) is None


@pytest.mark.parametrize(("count", "detail"), [(1, "1 review"), (2, "2 reviews")])
def test_a_merge_that_waits_for_reviews_at_the_forge_says_how_many(count: int, detail: str) -> None:
    found = replace(at_stage(Stage.OPEN).promotion(), attempted=START, attempts=1, reviews=count)

    assert _not_merged(found, START) == Waiting(Code.FORGE_REVIEW, detail)


def test_a_review_that_came_since_is_worth_a_try_at_once() -> None:
    found = replace(at_stage(Stage.OPEN).promotion(), attempted=START, attempts=3, reviews=1)
    later = Approval(By("bob", "review"), START + timedelta(minutes=1), 9, review=1)

    assert tried_again_at(replace(found, approvals=())) == START + timedelta(minutes=4)
    assert tried_again_at(replace(found, approvals=(later,))) is None


def test_where_no_service_is_only_who_is_nowhere_asked_may_approve() -> None:
    bare = replace(rules(), services={})

    assert may_approve(bare, "staging", "", "dan")
    assert not may_approve(bare, "production", "", "ada")


def test_a_review_is_read_back_from_what_it_is_written_as() -> None:
    review = Attested(918273, "bob", 77, oid("head"), ReviewState.APPROVED, "2026-11-23T09:00:00Z")

    assert review_in({"review": review.as_json()}) == review
