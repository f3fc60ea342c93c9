"""People approve in GitHub: the review of exactly this pull request counts, and is taken back as it was given."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.answers import Recorded
from policies.ledger.state import Stage
from policies.words import Approve
from sandbox.forge.twin import User
from sandbox.gitops import CHECKOUT
from tests.scenarios.offices import Office, office_in


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with office_in(tmp_path) as made:
        yield made


def test_a_review_fills_a_line_and_the_trailers_name_it(office: Office) -> None:
    promotion = office.asked("1.4.2")
    office.world.forge.review(1, login="bob")
    office.say("ada", Approve(promotion))

    assert office.stage(promotion) is Stage.LANDED
    by_review = next(entry for entry in office.entries("approve") if entry.evidence.get("review"))
    assert (by_review.by.person, by_review.by.via, by_review.by.slack_user) == ("bob", "review", "")  # type: ignore[union-attr]  # a person's
    message = office.world.git.text("show", "-s", "--format=%B", "main")
    number = by_review.evidence["review"]["id"]  # type: ignore[index,call-overload]  # an object, as asked for above
    assert f"Approved-By: bob (github:bob/77 review {number}) " in message
    assert office.engine.desk.mirror.fetch().promotions == {}


def test_two_reviews_alone_merge_at_the_next_pass(office: Office) -> None:
    promotion = office.asked("1.4.2")
    for login in ("ada-l", "bob"):
        office.world.forge.review(1, login=login)

    office.look()

    assert office.stage(promotion) is Stage.LANDED


def test_the_card_shows_the_review_beside_the_name(office: Office) -> None:
    office.asked("1.4.2")
    office.world.forge.review(1, login="bob")
    office.look()

    shown = str(office.world.slack.workspace.messages("C0DEPLOYS")[-1].blocks)

    assert "review in GitHub" in shown


def test_who_asked_does_not_approve_by_a_review_either_and_the_refusal_is_recorded_once(
    office: Office,
) -> None:
    promotion = office.asked("1.4.2")
    office.world.forge.review(1, login="carol")
    office.look()
    office.look()

    assert office.kinds().count("approve") == 0
    assert [entry.why for entry in office.entries("refused")] == ["requester"]
    assert office.stage(promotion) is Stage.OPEN


def test_a_review_by_somebody_whom_nobody_knows_is_no_word(office: Office) -> None:
    office.world.forge.register(User(5, "mallory", "token-mallory"))
    office.asked("1.4.2")
    office.world.forge.review(1, login="mallory")
    office.look()

    assert {"approve", "refused"} & set(office.kinds()) == set()


def test_a_review_that_is_dismissed_is_taken_back_and_may_be_given_again(office: Office) -> None:
    promotion = office.asked("1.4.2")
    office.world.forge.review(1, login="bob")
    office.look()
    office.world.forge.dismiss(1, login="bob")
    office.look()
    office.look()

    assert (office.kinds().count("approve"), office.kinds().count("unapprove")) == (1, 1)
    office.world.forge.review(1, login="bob")
    office.say("ada", Approve(promotion))
    assert office.stage(promotion) is Stage.LANDED


def test_changes_that_are_requested_reject_it_with_their_reason(office: Office) -> None:
    promotion = office.asked("1.4.2")
    office.world.forge.review(1, login="bob", state="CHANGES_REQUESTED", body="the port is wrong")
    office.look()

    assert office.stage(promotion) is Stage.REJECTED
    assert [(entry.note, entry.by.person) for entry in office.entries("reject")] == [  # type: ignore[union-attr]  # a person's
        ("the port is wrong", "bob")
    ]


def test_a_comment_is_no_word_and_takes_nothing_back(office: Office) -> None:
    office.asked("1.4.2")
    office.world.forge.review(1, login="bob", state="COMMENTED", body="nice")
    office.look()
    office.world.forge.review(1, login="bob")
    office.world.forge.review(1, login="bob", state="COMMENTED", body="very nice")
    office.look()

    assert office.kinds().count("approve") == 1
    assert "unapprove" not in office.kinds()


def test_a_review_takes_the_place_of_a_press_as_stronger_evidence(office: Office) -> None:
    promotion = office.asked("1.4.2")
    office.say("bob", Approve(promotion))
    office.world.forge.review(1, login="bob")
    office.look()
    office.look()

    assert office.kinds().count("approve") == 2
    (stands,) = office.engine.look().state.promotions[promotion].approvals
    assert stands.review


def test_a_review_stays_when_the_same_change_is_built_anew_even_where_github_takes_it_back(
    office: Office,
) -> None:
    promotion = office.asked("1.4.2")
    office.world.forge.require_reviews(0, dismiss_stale=True)
    office.world.forge.review(1, login="bob")
    office.look()
    office.world.forge.refuse_merges(409, times=1)
    office.world.forge.push_to_branch("main", {"README.md": "# Here\n"}, "Say more\n", login="ada-l")
    office.say("ada", Approve(promotion))
    office.clock.wind(minutes=2)
    office.look()
    office.look()

    assert office.kinds().count("rebased") == 1
    assert office.kinds().count("unapprove") == 0
    assert office.stage(promotion) is Stage.LANDED


def test_a_review_of_what_was_voided_does_not_count_for_what_came_instead(office: Office) -> None:
    promotion = office.asked("1.4.2")
    office.world.forge.review(1, login="bob")
    office.look()
    office.world.registry.move("example/checkout-api", "1.4.2", "another image")
    office.look()
    office.look()

    assert office.kinds().count("void") == 1
    assert office.engine.look().state.promotions[promotion].approvals == ()


@pytest.mark.parametrize("flaw", ["suspended at the forge", "a bot at the forge", "deactivated in Slack"])
def test_a_reviewer_whose_account_may_not_speak_does_not_count(office: Office, flaw: str) -> None:
    promotion = office.asked("1.4.2")
    office.world.forge.review(1, login="bob")
    bob = User(77, "bob", "token-bob", is_suspended="suspended" in flaw, is_bot="bot" in flaw)
    office.world.forge.register(bob)
    if "Slack" in flaw:
        workspace = office.world.slack.workspace
        workspace.set_user(replace(workspace.user("bob"), deleted=True))

    office.look()
    office.say("ada", Approve(promotion))

    assert office.kinds().count("approve") == 1
    assert office.stage(promotion) is Stage.OPEN


def test_a_reviewer_who_was_suspended_since_does_not_merge_it(office: Office) -> None:
    promotion = office.asked("1.4.2")
    office.world.forge.review(1, login="bob")
    office.look()
    office.world.forge.register(User(77, "bob", "token-bob", is_suspended=True))
    office.say("ada", Approve(promotion))

    assert office.stage(promotion) is Stage.OPEN
    assert "intent" not in office.kinds()


def test_somebody_who_took_a_login_over_is_somebody_else_and_a_rename_is_the_same_person(
    office: Office,
) -> None:
    first = office.asked("1.4.2")
    office.say("bob", Approve(first))  # the ledger has seen bob's number, 77
    office.world.forge.rename("bob", "robert")
    office.world.forge.register(User(78, "bob", "token-other"))
    office.world.forge.review(1, login="bob")
    office.look()
    assert office.kinds().count("approve") == 1

    office.world.forge.review(1, login="robert")
    office.look()

    (stands,) = office.engine.look().state.promotions[first].approvals
    assert (stands.by.forge_id, stands.by.forge_login, stands.by.person) == (77, "robert", "bob")
    answer = office.say("ada", Approve(first))
    assert isinstance(answer, Recorded), answer
    assert office.stage(first) is Stage.LANDED
    assert f"countersign/production/{CHECKOUT}" not in str(office.engine.desk.mirror.fetch().promotions)


def test_a_merge_that_github_refuses_for_want_of_reviews_says_so_and_one_is_enough(office: Office) -> None:
    promotion = office.asked("1.4.2")
    office.world.forge.require_reviews(1)
    office.say("ada", Approve(promotion))
    office.say("bob", Approve(promotion))

    assert office.stage(promotion) is Stage.OPEN
    assert [(entry.why, entry.evidence) for entry in office.entries("abort")] == [
        ("review-required", {"reviews": 1})
    ]
    shown = str(office.world.slack.workspace.messages("C0DEPLOYS")[-1].blocks)
    assert "waits for GitHub" in shown
    assert "1 review" in shown

    office.world.forge.review(1, login="bob")
    office.look()

    assert office.stage(promotion) is Stage.LANDED


def test_reviews_that_cannot_be_looked_at_change_nothing_and_are_looked_at_later(office: Office) -> None:
    promotion = office.asked("1.4.2")
    office.world.forge.review(1, login="bob")
    office.world.forge.fail(503, times=9, address="/reviews")
    office.clock.wind(seconds=2)
    report = office.engine.run_pass()
    assert any("reviews were not looked at" in line for line in report.left)
    assert office.kinds().count("approve") == 0

    office.world.forge.heal()
    office.say("ada", Approve(promotion))

    assert office.stage(promotion) is Stage.LANDED
