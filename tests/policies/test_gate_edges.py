"""Gates in worlds that the table of gates does not hold: other names of an image, reviews, windows and reminders."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from policies.codes import Code
from policies.decide import _not_merged, tried_again_at
from policies.entries.entry import Bot, By, Kind, Pinned, Sighting
from policies.entries.promotion import Approval
from policies.entries.remembered import Fortune
from policies.entries.remembered import Standing as Freeze
from policies.entries.reviews import Attested, ReviewState, review_in
from policies.gates import (
    Case,
    age,
    approvals,
    digest,
    downgrade,
    expired,
    frozen,
    held,
    jump,
    limit,
    merge_within,
    notes,
    was_frozen,
)
from policies.gates.before import each_before, has_run
from policies.gates.case import holds
from policies.gates.promised import expires, is_expired, reminds
from policies.gates.waits import _window
from policies.guards import moved
from policies.images.image import Digest, Repository, Tag
from policies.images.selection_policy import SelectionPolicy
from policies.ledger.state import Seen, Stage
from policies.ledger.tally import may_approve
from policies.rules.effective import NO_CALENDAR
from policies.rules.rules import Evidence, Limit
from policies.times.calendar import Calendar
from policies.times.windows import parse_window, parse_working
from policies.verdict import PASSED, Failed, Verdict, Waiting
from tests.policies.gate_worlds import case, ruled
from tests.policies.ledger_builders import START, at_stage, oid, person, pinned, rules, story

MIRROR = Repository.parse("mirror.example/web")


def test_an_image_has_another_name_where_it_is_pulled_by_another() -> None:
    about = case(story())
    elsewhere = replace(about.rule.service, images=(MIRROR,))
    named = replace(about, rules=replace(about.rules, there={("production", "web"): elsewhere}))

    assert about.image_in("production") == about.image
    assert [one.repository for one in named.image_in("production")] == [MIRROR]
    assert [one.digest for one in named.image_in("production")] == [about.image[0].digest]
    assert named.image_in("nowhere") == about.image


def test_of_a_service_that_no_rule_has_any_more_the_image_has_the_name_that_it_has() -> None:
    about = case(story())
    bare = replace(about, rules=replace(about.rules, services={}))

    assert bare.image_in("production") == about.image


def test_what_stands_there_holds_an_image_where_it_has_each_of_its_parts() -> None:
    web, worker = _of_two(pinned("1.1.0").digest, pinned("1.1.0").digest)

    assert holds((web, worker), (worker, web))
    assert holds((web, worker), (web,))
    assert not holds((web,), (web, worker))
    assert not holds((), ())


@pytest.mark.parametrize("is_followed", [False, True])
def test_what_stood_there_without_a_digest_says_nothing_of_a_tag_that_moves(*, is_followed: bool) -> None:
    about = case(story())
    known, unknown = _of_two(pinned("1.1.0").digest, "")
    if is_followed:
        service = replace(about.rule.service, versions=SelectionPolicy.digest_of("latest"))
        about = replace(about, rule=replace(about.rule, service=service))

    def stood(*images: Pinned) -> tuple[Pinned, ...]:
        return replace(about, baseline={("staging", "web"): images}).stood_in("staging")

    assert stood(known) == (known,)
    assert stood(known, unknown) == (() if is_followed else (known, unknown))


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


def test_what_the_bot_holds_or_freezes_without_a_note_is_told_by_why() -> None:
    about = case(story())
    about.state.holds["staging", "web"] = Freeze(Bot(), START, "", "tags-lost")
    about.state.freezes["staging"] = Freeze(Bot(), START, "", "an audit")

    assert held(about) == Waiting(Code.HELD, "tags-lost")
    assert frozen(about) == Waiting(Code.FROZEN, "an audit")


def test_from_what_is_pinned_by_its_digest_alone_any_version_is_a_step_on() -> None:
    about = case(story(), "a")
    service = replace(about.rule.service, versions=SelectionPolicy.alphabetical("desc"))
    about = replace(about, rule=replace(about.rule, service=service))

    assert downgrade(replace(about, current=(pinned(""),))) == PASSED
    assert _code(downgrade(replace(about, current=(pinned("A"),)))) is Code.DOWNGRADE


def test_a_first_sighting_without_a_digest_says_nothing_of_a_later_one() -> None:
    about = case(story())
    image = about.image[0]
    about.state.seen["web", image.repository, image.tag] = Seen(
        Sighting("web", image.repository, image.tag, ""), START
    )

    assert digest(about) == PASSED
    answers = {(Repository(image.repository), Tag(image.tag)): Digest(image.digest)}
    assert list(moved(about.rules, about.state, answers)) == []


def test_a_version_that_has_no_major_makes_no_jump_and_one_that_was_taken_on_may() -> None:
    found = ruled(story(), approvals=())
    far = case(found, "3.0.0", "production")

    assert _code(jump(far)) is Code.MAJOR_JUMP
    assert jump(case(found, "nightly", "production")) == PASSED
    for kind, by in ((Kind.BLOCK, Bot()), (Kind.UNBLOCK, person("ada"))):
        why = {"why": Code.MAJOR_JUMP} if kind is Kind.BLOCK else {}
        found.add(found.stand(kind, by, image=(pinned("3.0.0"),), **why))
    assert jump(case(found, "3.0.0", "production")) == PASSED


def test_a_tag_that_moved_is_what_somebody_took_on() -> None:
    found = story()
    found.add(found.seen("1.1.0"))
    moved_on = replace(pinned("1.1.0"), digest="sha256:" + "c" * 64)

    assert _code(digest(case(found, image=moved_on))) is Code.DIGEST_MOVED
    for kind, by in ((Kind.BLOCK, Bot()), (Kind.UNBLOCK, person("ada"))):
        why = {"why": Code.DIGEST_MOVED} if kind is Kind.BLOCK else {}
        found.add(found.stand(kind, by, image=(moved_on,), **why))
    assert digest(case(found, image=moved_on)) == PASSED


@pytest.mark.parametrize(("after", "is_over"), [(timedelta(0), False), (timedelta(seconds=1), True)])
def test_a_request_is_over_when_its_working_time_is(after: timedelta, *, is_over: bool) -> None:
    office = Calendar("", (parse_working("Mon-Fri 08:00-18:00"),))
    about = case(at_stage(Stage.OPEN), "1.1.0", "production", is_asked=True)
    assert about.promotion
    due = expires(office, about.rule, about.promotion)

    assert due > about.promotion.opened + about.rule.environment.expire
    assert is_expired(office, about.rule, about.promotion, due + after) is is_over


SECOND = timedelta(seconds=1)


def _code(verdict: object) -> Code | None:
    return getattr(verdict, "code", None)


@pytest.mark.parametrize(("after", "code"), [(timedelta(0), None), (SECOND, Code.WAITING_FOR_A_GO)])
def test_an_approval_is_fresh_up_to_the_end_of_its_time(after: timedelta, code: Code | None) -> None:
    about = case(at_stage(Stage.OPEN), "1.1.0", "production", is_asked=True)
    assert about.promotion
    last = about.promotion.approvals[-1].at
    early = replace(about.promotion.approvals[0], at=last - timedelta(hours=3))
    promotion = replace(about.promotion, approvals=(about.promotion.approvals[-1], early))
    due = last + about.rule.environment.merge_within

    assert _code(merge_within(replace(about, promotion=promotion, at=due + after))) is code


@pytest.mark.parametrize(("after", "code"), [(timedelta(0), None), (SECOND, Code.EXPIRED)])
@pytest.mark.parametrize("is_voided", [False, True])
def test_a_request_is_young_up_to_the_end_of_its_time(
    after: timedelta, code: Code | None, *, is_voided: bool
) -> None:
    about = case(at_stage(Stage.OPEN), "1.1.0", "production", is_asked=True)
    assert about.promotion
    since = about.promotion.opened + timedelta(hours=5 * is_voided)
    promotion = replace(about.promotion, refreshed=since if is_voided else None)
    due = since + about.rule.environment.expire

    assert expires(NO_CALENDAR, about.rule, promotion) == due
    assert reminds(NO_CALENDAR, about.rule, promotion) == since + about.rule.environment.expire / 2
    assert _code(expired(replace(about, promotion=promotion, at=due + after))) is code


@pytest.mark.parametrize(("hours", "is_asked_again"), [(-1, False), (0, False), (1, True)])
def test_a_freeze_that_was_lifted_after_the_last_approval_asks_again(
    hours: float, *, is_asked_again: bool
) -> None:
    about = case(at_stage(Stage.OPEN), "1.1.0", "production", is_asked=True)
    assert about.promotion
    last = max(one.at for one in about.promotion.approvals)
    about.state.unfrozen["production"] = last + timedelta(hours=hours)
    about.state.unfrozen["staging"] = last + timedelta(hours=1)

    asked = merge_within(replace(about, at=last + timedelta(hours=2)))

    assert _code(asked) is (Code.WAITING_FOR_A_GO if is_asked_again else None)


def _of_two(*digests: str) -> tuple[Pinned, ...]:
    return tuple(
        pinned("1.1.0", digest=digest, repository=f"ghcr.io/example/{name}")
        for name, digest in zip(("web", "worker"), digests, strict=True)
    )


def test_of_two_images_the_one_that_was_seen_last_says_how_old_it_is() -> None:
    found = ruled(story(), age=timedelta(hours=2))
    early, late = found.at - timedelta(hours=9), found.at - timedelta(hours=1)
    image = _of_two(pinned("1.1.0").digest, pinned("1.1.0").digest)
    about = replace(case(found, environment="production"), image=image)
    for one, at in zip(image, (early, late), strict=True):
        seen = Seen(Sighting("web", one.repository, one.tag, one.digest), at)
        about.state.seen["web", one.repository, one.tag] = seen

    verdict = age(about)

    assert isinstance(verdict, Waiting)
    assert (verdict.code, verdict.until) == (Code.TOO_YOUNG, late + timedelta(hours=2))
    assert verdict.detail == f"first seen {late:%Y-%m-%d %H:%M} UTC, 2h are needed"
    unseen = pinned("1.1.0", repository="ghcr.io/example/other")
    assert _code(age(replace(about, image=(*image, unseen)))) is Code.AGE_UNKNOWN
    assert _code(age(replace(about, image=()))) is Code.AGE_UNKNOWN


def test_of_two_images_each_has_to_have_run_and_each_digest_is_looked_at() -> None:
    found = story()
    image = _of_two(pinned("1.1.0").digest, "")
    about = replace(case(found), image=image)

    verdict = digest(about)

    assert verdict == Waiting(Code.DIGEST_UNKNOWN, "the digest of 1.1.0 is not known")


def test_a_mix_of_what_was_left_and_what_came_at_once_has_not_run() -> None:
    about = replace(case(story()), image=_of_two(pinned("1.1.0").digest, pinned("1.1.0").digest))
    place, (first, second) = ("staging", "web"), about.image
    about.state.note(place, [first], Fortune.MOVED, at=START, seq=9)
    about.state.note(place, [second], Fortune.BACK, at=START, seq=9)

    assert not has_run(about, "staging")
    about.state.note(place, about.image, Fortune.MOVED, at=START, seq=10)
    assert has_run(about, "staging")


def test_an_answer_that_waits_for_a_time_comes_before_one_that_waits_for_ever() -> None:
    about = case(ruled(story(), after=("a", "b", "c")), environment="production")
    soon, later_on = START + timedelta(hours=1), START + timedelta(hours=2)
    answers: dict[str, Verdict] = {
        "a": Waiting(Code.SOAKING, "", later_on),
        "b": Waiting(Code.SOAKING, "", soon),
        "c": Failed(Code.BLOCKED),
    }
    either = replace(about.rule, environment=replace(about.rule.environment, after_any=True))

    def asked(_: Case, before: str) -> Verdict:
        return answers[before]

    assert each_before(about, asked) == answers["c"]
    assert each_before(replace(about, rule=either), asked) == answers["b"]
    answers["c"] = Waiting(Code.SOAKING)
    assert each_before(about, asked) == answers["c"]
    answers["c"] = PASSED
    assert each_before(about, asked) == answers["a"]
    assert each_before(replace(about, rule=either), asked) == PASSED


def test_a_way_back_with_approvals_needs_no_go_however_old_they_are() -> None:
    about = case(at_stage(Stage.OPEN), "1.1.0", "production", is_asked=True)
    assert about.promotion
    late = replace(about, at=about.at + timedelta(hours=9))
    back = replace(about.promotion, kind=Kind.ROLLBACK)

    assert _code(merge_within(late)) is Code.WAITING_FOR_A_GO
    assert merge_within(replace(late, promotion=back)) == PASSED


@pytest.mark.parametrize(
    ("ends", "code"),
    [(-SECOND, None), (timedelta(0), Code.WAITING_FOR_A_GO), (SECOND, Code.WAITING_FOR_A_GO)],
)
def test_a_freeze_that_ended_before_the_last_approval_asks_nobody_again(
    ends: timedelta, code: Code | None
) -> None:
    about = case(at_stage(Stage.OPEN), "1.1.0", "production", is_asked=True)
    assert about.promotion
    last = max(one.at for one in about.promotion.approvals)
    about.state.freezes["production"] = Freeze(Bot(), START, "", "", until=last + ends)

    assert _code(merge_within(replace(about, at=last + timedelta(hours=1)))) is code


@pytest.mark.parametrize(
    ("zone", "of_all", "is_frozen"),
    [
        ("", "", False),
        ("Europe/Berlin", "", True),
        ("", "Europe/Berlin", True),
        ("UTC", "Europe/Berlin", False),
    ],
)
def test_a_window_since_the_approval_is_one_of_the_environments_zone_or_of_the_calendars(
    zone: str, of_all: str, *, is_frozen: bool
) -> None:
    """The window is from 09:30 to 10:00 UTC for a clock in Berlin."""
    found = ruled(
        at_stage(Stage.OPEN),
        freeze=(parse_window("Mon 10:30-11:00"),),
        zone=zone,
        calendar=Calendar(of_all),
    )
    about = case(found, "1.1.0", "production", is_asked=True)

    assert was_frozen(replace(about, at=START + timedelta(minutes=70)), START) is is_frozen


def test_an_age_that_is_not_known_passes_where_a_person_answered_for_every_image() -> None:
    found = ruled(story(), age=timedelta(hours=2))
    image = _of_two(pinned("1.1.0").digest, pinned("1.1.0").digest)
    about = replace(case(found, environment="production"), image=image)

    for number, code in enumerate((Code.AGE_UNKNOWN, None)):
        held = Freeze(Bot(), about.at, "", Code.AGE_UNKNOWN, image=(image[number],))
        about.state.holds["production", "web"] = held
        found.add(found.stand(Kind.RESUME, person("ada"), environment="production"))
        assert _code(age(about)) is code

    assert notes(about, (age,)) == {"age": "passed"}


def test_moves_of_promotions_count_for_the_limit_and_ways_back_do_not() -> None:
    found = ruled(at_stage(Stage.LANDED), limit=Limit(1, timedelta(hours=1)))
    about = case(found, "1.2.0", "production")
    (move,) = about.state.moves["production", "web"]
    forward = about.state.promotions[move.promotion]

    assert _code(limit(about)) is Code.LIMIT_REACHED
    about.state.promotions[move.promotion] = replace(forward, kind=Kind.ROLLBACK)
    assert limit(about) == PASSED


def test_the_limit_opens_when_the_first_move_that_counts_is_long_enough_ago() -> None:
    found = ruled(story().staged("1.1.0", "1.2.0", "1.3.0"), "staging", limit=Limit(2, timedelta(hours=1)))
    about = case(found, "1.9.0")
    made = sorted(one.at for one in about.state.moves["staging", "web"])

    assert limit(about) == Waiting(
        Code.LIMIT_REACHED, "2 per 1h have been made", made[-2] + timedelta(hours=1)
    )
