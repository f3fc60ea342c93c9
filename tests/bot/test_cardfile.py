"""The card file: each card appears when somebody can do something, tells its episode to the end, and no other's."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.cards import Card, CardLine, CardStage, Notice, Shown, Who
from bot.looking.troubles import Trouble
from bot.showing.cardfile import TOLD_FOR, cards
from policies.codes import Code
from policies.entries.entry import Kind, Pinned, Placed
from policies.images.evidence import Silence, Silent, TagList
from policies.images.image import Tag
from policies.rulebook.findings import Finding, RulesError
from policies.rules.rules import Position
from policies.world import Pin
from tests.bot.ledger_builders import API, NINE, RULES, Story, digest, pinned

PRODUCTION = "card/production/checkout-api"
STAGING = "card/staging/checkout-api"
LOOKED = ("notice/first-look/staging/-/-", "notice/first-look/production/-/-")


def drawn(
    story: Story,
    known: Collection[str] = LOOKED,
    *,
    pulls: Mapping[str, tuple[int, str]] | None = None,
    troubles: Sequence[Trouble] = (),
) -> dict[str, Shown]:
    """Return what should be shown, by name; the first look is over unless a test says otherwise."""
    look, decision = story.look()
    return {one.what: one for one in cards(look, decision, pulls or {}, known, troubles)}


def card(story: Story, what: str, *known: str, pulls: Mapping[str, tuple[int, str]] | None = None) -> Card:
    """Return one card."""
    found = drawn(story, (*LOOKED, *known), pulls=pulls)[what]
    assert isinstance(found, Card)
    return found


def notice(story: Story, what: str, *known: str, troubles: Sequence[Trouble] = ()) -> Notice:
    """Return one notice."""
    found = drawn(story, (*LOOKED, *known), troubles=troubles)[what]
    assert isinstance(found, Notice)
    return found


def ready() -> Story:
    """Return a story in which 1.4.2 runs in staging and may be asked for in production."""
    story = Story()
    story.see("1.4.2")
    story.bump("1.4.2")
    return story


def asked() -> tuple[Story, str]:
    """Return a story in which Carol asked for 1.4.2 in production."""
    story = ready()
    return story, story.propose("1.4.2", "carol", "the fix for the cart")


def shared() -> Story:
    """Return a story in which both environments speak in one channel."""
    return Story(text=RULES.replace(b"channel: deploys-staging", b"channel: deploys"))


# --- where nobody is asked ----------------------------------------------------------------------------------


def test_at_the_start_there_is_no_card() -> None:
    assert drawn(Story()) == {}


def test_a_move_by_the_bot_is_one_card() -> None:
    found = card(ready(), f"{STAGING}/1.4.2")

    assert (found.stage, found.version, found.previous) == (CardStage.MOVED, "1.4.2", "1.4.1")
    assert (found.channel, found.digest) == ("deploys-staging", digest("1.4.2"))
    assert found.commit
    assert not found.is_rollback


def test_only_the_last_move_of_a_place_is_drawn() -> None:
    story = ready()
    story.see("1.4.3")
    story.bump("1.4.3")

    assert [what for what in drawn(story) if what.startswith(STAGING)] == [f"{STAGING}/1.4.3"]


def test_a_rollback_by_commit_is_an_episode_of_its_own() -> None:
    story = ready()
    promotion = story.rollback("1.4.1", "staging")

    found = card(story, f"{STAGING}/1.4.1/{promotion}")

    assert (found.stage, found.is_rollback, found.note) == (CardStage.MOVED, True, "it is slow")
    assert found.requester == Who("bob", "U0BOB")
    assert [what for what in drawn(story) if what.startswith(STAGING)] == [found.what]


def test_the_same_version_moved_again_is_another_episode() -> None:
    story = ready()
    story.rollback("1.4.1", "staging")
    again = story.bump("1.4.2")

    assert f"{STAGING}/1.4.2/{again.commit[:12]}" in drawn(story)


def test_a_move_of_last_week_is_not_drawn_again() -> None:
    story = ready()
    story.at += TOLD_FOR + timedelta(minutes=1)

    assert f"{STAGING}/1.4.2" not in drawn(story)


# --- candidates ---------------------------------------------------------------------------------------------


def test_a_version_that_may_be_asked_for_has_a_card() -> None:
    found = card(ready(), f"{PRODUCTION}/1.4.2")

    assert (found.stage, found.version, found.previous) == (CardStage.CANDIDATE, "1.4.2", "1.4.1")
    assert (found.channel, found.repository, found.digest) == ("deploys", API, digest("1.4.2"))
    assert found.waits == ()


def test_what_still_waits_for_something_else_has_no_card() -> None:
    story = Story()
    story.see("1.4.2")  # it has not run in staging

    assert drawn(story) == {}


def test_a_version_that_was_known_before_has_no_card() -> None:
    story = Story()
    story.see("1.4.2", before=True)
    story.bump("1.4.2")

    assert f"{PRODUCTION}/1.4.2" not in drawn(story)


def test_a_candidate_makes_room_for_a_newer_one() -> None:
    story = ready()
    story.see("1.4.3")
    story.bump("1.4.3")

    found = drawn(story, (*LOOKED, f"{PRODUCTION}/1.4.2"))

    gone, present = found[f"{PRODUCTION}/1.4.2"], found[f"{PRODUCTION}/1.4.3"]
    assert isinstance(gone, Card)
    assert isinstance(present, Card)
    assert (gone.stage, gone.newer) == (CardStage.GONE, "1.4.3")
    assert present.stage is CardStage.CANDIDATE


def test_a_candidate_that_was_never_shown_is_not_said_to_be_gone() -> None:
    story = ready()
    story.see("1.4.3")
    story.bump("1.4.3")

    assert f"{PRODUCTION}/1.4.2" not in drawn(story)


def test_a_candidate_that_is_frozen_stays_and_says_so() -> None:
    story = ready()
    story.add(Kind.FREEZE, environment="production", trigger="T1", note="the audit")

    found = card(story, f"{PRODUCTION}/1.4.2", f"{PRODUCTION}/1.4.2")

    assert found.stage is CardStage.CANDIDATE
    assert [one.code for one in found.waits] == [Code.FROZEN]
    assert f"{PRODUCTION}/1.4.2" not in drawn(story)  # and is not posted while it is frozen


def two_shown() -> tuple[Story, tuple[str, str]]:
    """Return a story in which 1.4.2 and after it 1.4.3 were shown as candidates."""
    story = ready()
    story.see("1.4.3")
    story.bump("1.4.3")
    return story, (f"{PRODUCTION}/1.4.2", f"{PRODUCTION}/1.4.3")


def test_of_two_that_were_shown_the_newer_alone_stands_while_both_are_frozen() -> None:
    story, known = two_shown()
    story.add(Kind.FREEZE, environment="production", trigger="T1", note="the audit")

    old, new = (card(story, what, *known) for what in known)

    assert (old.stage, old.newer) == (CardStage.GONE, "1.4.3")
    assert (new.stage, [one.code for one in new.waits]) == (CardStage.CANDIDATE, [Code.FROZEN])


def test_what_has_to_soak_again_after_other_rules_is_no_candidate_any_more() -> None:
    story, known = two_shown()
    story.text = RULES.replace(b"after: staging", b"after: staging, soak: 2h")

    told = [card(story, what, *known) for what in known]

    assert [one.stage for one in told] == [CardStage.GONE, CardStage.GONE]
    assert [one.code for one in told[1].waits] == [Code.SOAKING]
    story.at += timedelta(hours=2)
    assert [card(story, what, *known).stage for what in known] == [CardStage.GONE, CardStage.CANDIDATE]


def test_what_rules_ask_to_wait_longer_than_an_older_one_leaves_that_one_alone() -> None:
    story, known = two_shown()
    story.at += timedelta(hours=3)
    story.see("1.4.4")
    story.bump("1.4.4")
    last = f"{PRODUCTION}/1.4.4"
    story.text = RULES.replace(b"after: staging", b"after: staging, soak: 2h")

    found = drawn(story, (*LOOKED, *known, last))

    standing = [
        what for what, one in found.items() if isinstance(one, Card) and one.stage is CardStage.CANDIDATE
    ]
    assert standing == [f"{PRODUCTION}/1.4.3"]


def test_a_blocked_candidate_is_gone_and_says_why() -> None:
    story = ready()
    story.add(
        Kind.BLOCK, service="checkout-api", image=(Pinned(API, "1.4.2"),), trigger="T1", note="it leaks"
    )

    found = card(story, f"{PRODUCTION}/1.4.2", f"{PRODUCTION}/1.4.2")

    assert (found.stage, found.newer) == (CardStage.GONE, "")
    assert [one.code for one in found.waits] == [Code.BLOCKED]


def test_a_candidate_that_somebody_moved_by_hand_is_gone() -> None:
    story = ready()
    story.external("1.4.2", "production")

    assert card(story, f"{PRODUCTION}/1.4.2", f"{PRODUCTION}/1.4.2").stage is CardStage.GONE


def test_a_silent_registry_takes_no_candidate_away() -> None:
    story = ready()
    story.tags[API] = Silence(Silent.UNREACHABLE, "no answer")

    assert f"{PRODUCTION}/1.4.2" not in drawn(story, (*LOOKED, f"{PRODUCTION}/1.4.2"))


def test_a_candidate_whose_service_left_the_rules_is_gone() -> None:
    story = ready()
    story.text = RULES.replace(
        b"  checkout-api: {image: ghcr.io/example/checkout-api, ", b"  web: {image: x.example/web, "
    )

    found = card(story, f"{PRODUCTION}/1.4.2", f"{PRODUCTION}/1.4.2")

    assert (found.stage, found.channel) == (CardStage.GONE, "deploys")


def test_a_move_of_a_time_without_approvals_is_not_taken_for_a_candidate() -> None:
    story = ready()
    story.text = RULES.replace(b"approvals: none", b"approvals: 1")

    assert f"{STAGING}/1.4.2" not in drawn(story, (*LOOKED, f"{STAGING}/1.4.2"))


@pytest.mark.parametrize(
    "what",
    ["card/", "card/production", "card/a/b/c/d/e", "cards/production/checkout-api/1.0.0", "", "notice/x"],
)
def test_names_that_are_none_of_ours_are_passed_over(what: str) -> None:
    assert drawn(Story(), (*LOOKED, what)) == {}


# --- promotions ---------------------------------------------------------------------------------------------


def test_who_asks_continues_the_candidates_card() -> None:
    story, promotion = asked()

    found = card(story, f"{PRODUCTION}/1.4.2", pulls={promotion: (7, "https://forge.example/pull/7")})

    assert (found.stage, found.promotion, found.change) == (CardStage.OPEN, promotion, "a" * 64)
    assert (found.number, found.url) == (7, "https://forge.example/pull/7")
    assert (found.requester, found.note) == (Who("carol", "U0CAROL"), "the fix for the cart")
    assert found.lines == (CardLine("2 of release-managers", (), 2),)
    assert found.expires == story.promotion(promotion).opened + timedelta(hours=24)


def test_approvals_fill_lines_in_the_order_in_which_they_came() -> None:
    story, promotion = asked()
    story.say(Kind.APPROVE, promotion, "bob")
    one = card(story, f"{PRODUCTION}/1.4.2")
    story.say(Kind.APPROVE, promotion, "ada")
    two = card(story, f"{PRODUCTION}/1.4.2")

    ada, bob = Who("ada", "U0ADA"), Who("bob", "U0BOB")
    assert (one.stage, one.lines) == (CardStage.OPEN, (CardLine("2 of release-managers", (bob,), 1),))
    assert (two.stage, two.lines) == (CardStage.APPROVED, (CardLine("2 of release-managers", (bob, ada), 0),))


def test_the_requesters_own_approval_does_not_show_as_one() -> None:
    story, promotion = asked()
    story.say(Kind.APPROVE, promotion, "carol")

    assert card(story, f"{PRODUCTION}/1.4.2").lines == (CardLine("2 of release-managers", (), 2),)


def test_what_is_approved_and_frozen_says_what_it_waits_for() -> None:
    story, promotion = asked()
    story.say(Kind.APPROVE, promotion, "ada")
    story.say(Kind.APPROVE, promotion, "bob")
    story.add(Kind.FREEZE, environment="production", trigger="T1", note="the audit")

    found = card(story, f"{PRODUCTION}/1.4.2")

    assert found.stage is CardStage.APPROVED
    assert [(one.code, one.detail) for one in found.waits] == [(Code.FROZEN, "the audit")]


def test_an_open_card_says_that_the_registry_is_silent() -> None:
    story, _ = asked()
    story.tags[API] = Silence(Silent.DENIED, "401")

    assert [one.code for one in card(story, f"{PRODUCTION}/1.4.2").waits] == [Silent.DENIED]


def test_an_open_card_says_that_the_place_cannot_be_read() -> None:
    story, _ = asked()
    story.pins["production", "checkout-api"] = Pin((), Code.AMBIGUOUS, "1.4.1 and 1.4.0")

    assert [one.code for one in card(story, f"{PRODUCTION}/1.4.2").waits] == [Code.AMBIGUOUS]


def test_a_void_is_told_until_somebody_approves_again() -> None:
    story, promotion = asked()
    story.say(Kind.APPROVE, promotion, "ada")
    story.void(promotion, Code.DIGEST_MOVED)
    voided = card(story, f"{PRODUCTION}/1.4.2")
    story.say(Kind.APPROVE, promotion, "bob")
    after = card(story, f"{PRODUCTION}/1.4.2")

    assert (voided.voided, voided.lines[0].people) == ("digest-moved", ())
    refreshed = story.promotion(promotion).refreshed
    assert refreshed
    assert voided.expires == refreshed + timedelta(hours=24)
    assert after.voided == ""


def test_a_failed_merge_is_no_void() -> None:
    story, promotion = asked()
    story.say(Kind.APPROVE, promotion, "ada")
    story.void(promotion, Code.RULE_MOVED)
    story.say(Kind.APPROVE, promotion, "ada")
    story.intend(promotion)
    story.say(Kind.ABORT, promotion, head=story.promotion(promotion).head, why="frozen")
    story.say(Kind.UNAPPROVE, promotion, "ada")

    assert card(story, f"{PRODUCTION}/1.4.2").voided == ""


def test_an_open_promotion_names_what_is_newer() -> None:
    story, _ = asked()
    story.see("1.4.3")
    story.bump("1.4.3")

    found = drawn(story)

    open_card = found[f"{PRODUCTION}/1.4.2"]
    assert isinstance(open_card, Card)
    assert (open_card.stage, open_card.newer) == (CardStage.OPEN, "1.4.3")
    assert f"{PRODUCTION}/1.4.3" not in found


def test_merging_and_landed_are_told_on_the_same_card() -> None:
    story, promotion = asked()
    story.say(Kind.APPROVE, promotion, "ada")
    story.say(Kind.APPROVE, promotion, "bob")
    story.intend(promotion)
    merging = card(story, f"{PRODUCTION}/1.4.2")
    story.land(promotion)
    landed = card(story, f"{PRODUCTION}/1.4.2")

    assert (merging.stage, merging.waits, merging.expires) == (CardStage.MERGING, (), None)
    assert (landed.stage, landed.commit) == (CardStage.LANDED, story.promotion(promotion).commit)
    assert [who.name for who in landed.lines[0].people] == ["ada", "bob"]
    assert landed.ended_by is None


@pytest.mark.parametrize(
    ("kind", "person", "fields", "stage"),
    [
        (Kind.REJECT, "ada", {"note": "not on a Friday"}, CardStage.REJECTED),
        (Kind.CANCEL, "carol", {"note": "not on a Friday"}, CardStage.CANCELLED),
        (Kind.ENDED, "", {"why": "expired"}, CardStage.EXPIRED),
        (Kind.ENDED, "", {"why": "superseded"}, CardStage.SUPERSEDED),
        (Kind.ENDED, "", {"why": "removed"}, CardStage.REMOVED),
        (Kind.ENDED, "", {"why": "closed"}, CardStage.CLOSED),
    ],
)
def test_each_end_says_who_ended_it_and_why(
    kind: Kind, person: str, fields: dict[str, str], stage: CardStage
) -> None:
    story, promotion = asked()
    story.say(kind, promotion, person, **fields)

    found = card(story, f"{PRODUCTION}/1.4.2")

    assert found.stage is stage
    assert found.ended_by == (Who(person, f"U0{person.upper()}") if person else None)
    assert found.ended_note == fields.get("note", "")
    assert (found.waits, found.expires) == ((), None)


def test_a_superseded_card_points_to_what_came_instead() -> None:
    story, promotion = asked()
    story.see("1.4.3")
    story.bump("1.4.3")
    story.say(Kind.ENDED, promotion, why="superseded")
    story.at -= timedelta(minutes=1)  # both go out in one push
    story.propose("1.4.3", "carol")

    found = card(story, f"{PRODUCTION}/1.4.2")

    assert (found.stage, found.newer) == (CardStage.SUPERSEDED, "1.4.3")


def test_a_card_that_was_overtaken_by_git_points_nowhere() -> None:
    story, promotion = asked()
    story.say(Kind.ENDED, promotion, why="superseded")  # it stands there already
    story.propose("1.4.2", "carol")

    assert card(story, f"{PRODUCTION}/1.4.2").newer == ""


def test_a_mismatch_is_told_on_the_card_and_as_a_notice_until_its_review() -> None:
    story, promotion = asked()
    story.intend(promotion)
    commit = "d" * 40
    story.say(Kind.MERGED, promotion, head=story.promotion(promotion).head, commit=commit)
    wrong = story.say(Kind.MISMATCH, promotion, commit=commit, why="not-on-branch")
    what = f"notice/mismatch/production/checkout-api/{commit[:12]}"

    found, told = card(story, f"{PRODUCTION}/1.4.2"), notice(story, what)
    assert (found.stage, found.ended_note) == (CardStage.MISMATCH, "not-on-branch")
    assert (told.facts["version"], told.facts["why"], told.is_over) == ("1.4.2", "not-on-branch", False)

    story.add(Kind.REVIEW, closes=wrong.seq)
    assert notice(story, what, what).is_over


def test_what_ended_long_ago_is_not_drawn_again() -> None:
    story, promotion = asked()
    story.say(Kind.REJECT, promotion, "ada", note="no")
    story.at += TOLD_FOR + timedelta(minutes=1)

    assert drawn(story, (*LOOKED, f"{PRODUCTION}/1.4.2")) == {}


def test_a_version_that_was_rejected_is_not_offered_again() -> None:
    story, promotion = asked()
    story.say(Kind.REJECT, promotion, "ada", note="no")

    assert card(story, f"{PRODUCTION}/1.4.2", f"{PRODUCTION}/1.4.2").stage is CardStage.REJECTED


def test_asking_again_for_the_same_version_is_another_episode() -> None:
    story, first = asked()
    story.say(Kind.REJECT, first, "ada", note="no")
    second = story.propose("1.4.2", "bob")

    found = drawn(story)

    assert list(found)[-2:] == [f"{PRODUCTION}/1.4.2", f"{PRODUCTION}/1.4.2/{second}"]
    assert [one.stage for one in found.values() if isinstance(one, Card)][-2:] == [
        CardStage.REJECTED,
        CardStage.OPEN,
    ]


def test_a_rollback_that_is_asked_for_is_an_episode_of_its_own() -> None:
    story, promotion = asked()
    story.intend(promotion)
    story.land(promotion)
    back = story.rollback("1.4.1", "production")

    found = card(story, f"{PRODUCTION}/1.4.1/{back}")

    assert (found.stage, found.is_rollback, found.previous) == (CardStage.APPROVED, True, "1.4.2")
    assert found.lines == (CardLine("1", (Who("bob", "U0BOB"),), 0),)


def test_a_person_who_left_the_rules_is_named_without_an_account() -> None:
    story, promotion = asked()
    story.say(Kind.REJECT, promotion, "ada", note="no")
    story.text = RULES.replace(b"  ada: {slack: U0ADA, github: ada-l}\n", b"").replace(b"[ada, bob", b"[bob")

    assert card(story, f"{PRODUCTION}/1.4.2").ended_by == Who("ada", "")


def test_a_landed_card_does_not_change_with_a_later_rule() -> None:
    story, promotion = asked()
    story.say(Kind.APPROVE, promotion, "ada")
    story.say(Kind.APPROVE, promotion, "bob")
    story.intend(promotion)
    story.land(promotion)
    story.text = RULES.replace(b"2 of release-managers", b"3 of release-managers")

    ada, bob = Who("ada", "U0ADA"), Who("bob", "U0BOB")
    assert card(story, f"{PRODUCTION}/1.4.2").lines == (CardLine("2", (ada, bob), 0),)


def test_a_promotion_whose_environment_left_the_rules_is_told_where_it_was_shown() -> None:
    story, promotion = asked()
    story.shown(Placed(f"{PRODUCTION}/1.4.2", "C0DEPLOYS", "1700.1", 1))
    story.say(Kind.ENDED, promotion, why="removed")
    story.text = b"\n".join(line for line in RULES.splitlines() if b"production:" not in line)

    found = card(story, f"{PRODUCTION}/1.4.2")

    assert (found.stage, found.channel) == (CardStage.REMOVED, "C0DEPLOYS")


def test_a_promotion_that_nobody_saw_and_no_channel_knows_is_not_drawn() -> None:
    story, promotion = asked()
    story.say(Kind.ENDED, promotion, why="removed")
    story.text = b"\n".join(line for line in RULES.splitlines() if b"production:" not in line)

    assert f"{PRODUCTION}/1.4.2" not in drawn(story)


# --- notices ------------------------------------------------------------------------------------------------


def test_the_first_look_is_one_notice_for_each_channel() -> None:
    story = Story()
    story.see("1.4.2", before=True)

    found = drawn(story, ())

    assert list(found) == list(LOOKED)
    told = found[LOOKED[1]]
    assert isinstance(told, Notice)
    assert told.channel == "deploys"
    assert told.facts == {
        "environments": "production",
        "services": "1",
        "asked": "production",
        "alone": "",
        "observed": "",
        "services in production": "1",
        "behind in production": "checkout-api",
        "deciding in production": "",
        "staying in production": "",
    }


def test_environments_that_share_a_channel_share_its_first_look() -> None:
    story = shared()
    story.see("1.4.2", before=True)

    found = drawn(story, ())

    (what,) = found
    told = found[what]
    assert isinstance(told, Notice)
    assert told.facts == {
        "environments": "staging, production",
        "services": "1",
        "asked": "production",
        "alone": "staging",
        "observed": "",
        "services in staging": "1",
        "behind in staging": "checkout-api",
        "deciding in staging": "",
        "staying in staging": "checkout-api",
        "services in production": "1",
        "behind in production": "checkout-api",
        "deciding in production": "",
        "staying in production": "",
    }
    assert drawn(story, (what,)) == {}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (b"approvals: none", {"asked": "", "alone": "staging", "staying in staging": "checkout-api"}),
        (b"approvals: none, catch-up: true", {"asked": "", "alone": "staging", "staying in staging": ""}),
        (
            b"approvals: none, via: pull-request",
            {"asked": "staging", "alone": "staging", "deciding in staging": "checkout-api"},
        ),
        (b"approvals: observe", {"asked": "", "observed": "staging", "staying in staging": "checkout-api"}),
        (b"approvals: 1", {"asked": "staging", "alone": "", "deciding in staging": "checkout-api"}),
    ],
    ids=["nobody", "catches up", "nobody, but by pull request", "observed", "people"],
)
def test_a_first_look_knows_who_is_asked_and_what_moves_what_was_there(
    said: bytes, expected: dict[str, str]
) -> None:
    story = Story(text=RULES.replace(b"approvals: none", said, 1))
    story.see("1.4.2", before=True)

    told = drawn(story, LOOKED[1:])[LOOKED[0]]

    assert isinstance(told, Notice)
    assert {key: told.facts[key] for key in expected} == expected
    either = (told.facts["deciding in staging"], told.facts["staying in staging"])
    assert "" in either  # never both


def test_what_only_people_keep_back_needs_a_decision() -> None:
    story = ready()  # 1.4.2 runs in staging

    told = drawn(story, LOOKED[:1])[LOOKED[1]]

    assert isinstance(told, Notice)
    assert told.facts["deciding in production"] == "checkout-api"


def test_the_first_look_of_very_many_environments_is_told_in_parts_and_once() -> None:
    names = [f"region-{number}-{'x' * 40}" for number in range(9)]
    more = "".join(f"  {name}: {{path: apps/{name}, channel: deploys, approvals: none}}\n" for name in names)
    story = shared()
    story.text = story.text.replace(b"services:", more.encode() + b"services:")

    found = drawn(story, ())

    told = [one for one in found.values() if isinstance(one, Notice)]
    said = [name for one in told for name in one.facts["environments"].split(", ")]
    assert said == ["staging", "production", *names]
    assert drawn(story, found) == {}


def test_the_first_look_waits_for_a_registry_that_answers() -> None:
    story = Story()
    story.tags = {}

    assert drawn(story, ()) == {}


def test_an_environment_that_is_new_has_its_own_first_look() -> None:
    assert list(drawn(Story(), LOOKED[:1])) == [LOOKED[1]]


def test_a_silent_registry_is_told_once_in_each_channel_until_it_answers() -> None:
    story = Story()
    story.tags[API] = Silence(Silent.SLOW, "no answer within 10 s")
    names = [f"notice/registry-silent/{name}/-/ghcr.io" for name in ("staging", "production")]

    found = drawn(story)
    assert list(found) == names
    told = found[names[0]]
    assert isinstance(told, Notice)
    assert told.facts["why"] == "registry-slow"
    assert (told.facts["host"], told.facts["services"]) == ("ghcr.io", "checkout-api")

    story.tags = {}  # a restart: nobody has asked yet
    assert drawn(story, (*LOOKED, *names)) == {}
    story.tags = {API: TagList(("1.4.1",))}
    assert [one.is_over for one in drawn(story, (*LOOKED, *names)).values() if isinstance(one, Notice)] == [
        True
    ] * 2


def test_environments_that_share_a_channel_hear_of_a_registry_once() -> None:
    story = shared()
    story.tags[API] = Silence(Silent.DENIED, "401")

    assert list(drawn(story)) == ["notice/registry-silent/staging/-/ghcr.io"]


def test_broken_rules_are_told_once_a_commit_until_they_are_mended() -> None:
    story = Story()
    error = RulesError([Finding(Position("promotion/rules.yaml", 3, 5), "unknown key 'chanel'", "'channel'")])

    def told(commit: str, *known: str) -> dict[str, Shown]:
        look, decision = story.look(newer_is_broken=error, broken_at=commit * 20)
        return {one.what: one for one in cards(look, decision, {}, (*LOOKED, *known))}

    first = told("ab")
    what = f"notice/rules-broken/production/-/{'ab' * 6}"
    found = first[what]
    assert isinstance(found, Notice)
    assert {name: found.facts[name] for name in ("file", "line", "what", "expected")} == {
        "file": "promotion/rules.yaml",
        "line": "3",
        "what": "unknown key 'chanel'",
        "expected": "'channel'",
    }
    assert what not in told("cd", *first)  # still broken, by another commit: the first is not over
    over = notice(story, what, *first)
    assert (over.is_over, over.facts["commit"]) == (True, "ab" * 6)


def test_a_change_by_hand_in_staging_is_told_while_it_holds_the_service() -> None:
    story = ready()
    commit = story.external("1.3.0", "staging")
    what = f"notice/external/staging/checkout-api/{commit[:12]}"

    found = notice(story, what)
    assert (found.facts["version"], found.facts["previous"]) == ("1.3.0", "1.4.2")
    assert found.facts["until"]
    assert [one for one in drawn(story) if one.startswith(STAGING)] == []

    story.at += timedelta(hours=25)
    assert what not in drawn(story)
    assert notice(story, what, what).is_over


def test_a_change_by_hand_in_production_is_told_until_its_review() -> None:
    story = ready()
    commit = story.external("1.3.0", "production")
    what = f"notice/external/production/checkout-api/{commit[:12]}"
    story.at += timedelta(days=30)

    assert not notice(story, what).is_over
    story.add(Kind.REVIEW, closes=story.state.seq)
    assert notice(story, what, what).is_over


def test_a_place_that_cannot_be_read_is_told_with_its_detail() -> None:
    story = Story()
    story.pins["staging", "checkout-api"] = Pin((), Code.AMBIGUOUS, "1.4.1 in a.yaml:3, 1.4.0 in b.yaml:7")
    what = "notice/ambiguous-references/staging/checkout-api/-"

    assert notice(story, what).facts["detail"] == "1.4.1 in a.yaml:3, 1.4.0 in b.yaml:7"
    story.pins["staging", "checkout-api"] = Pin(pinned("1.4.1"))
    assert notice(story, what, what).is_over


def test_a_reference_that_was_lost_is_told_and_one_that_never_was_is_not() -> None:
    story = Story()
    story.pins["staging", "checkout-api"] = Pin((), Code.NO_REFERENCE, "no file there names it")
    look, decision = story.look()
    never = replace(look, world=replace(look.world, baseline={}))

    assert [one.what for one in cards(look, decision, {}, LOOKED)] == [
        "notice/no-reference/staging/checkout-api/-"
    ]
    assert cards(never, decision, {}, LOOKED) == ()


def test_a_tag_that_moved_is_told_where_it_runs_or_waits() -> None:
    story = ready()
    story.digests[API, Tag("1.4.2")] = digest("something else")
    names = [f"notice/digest-moved/{name}/checkout-api/1.4.2" for name in ("staging", "production")]

    found = [one for one in drawn(story).values() if isinstance(one, Notice)]
    assert [one.what for one in found] == names
    assert (found[0].facts["was"], found[0].facts["now"]) == (digest("1.4.2"), digest("something else"))

    story.digests = {}  # a restart: nobody has asked yet
    assert names[0] not in drawn(story, (*LOOKED, *names))
    story.digests = {(API, Tag("1.4.2")): digest("1.4.2"), (API, Tag("1.4.1")): digest("1.4.1")}
    assert [notice(story, what, *names).is_over for what in names] == [True, True]


def test_environments_that_share_a_channel_hear_of_a_moved_tag_once() -> None:
    story = shared()
    story.see("1.4.2")
    story.bump("1.4.2")
    story.digests[API, Tag("1.4.2")] = digest("something else")

    found = [one for one in drawn(story).values() if isinstance(one, Notice)]

    assert [one.what for one in found] == ["notice/digest-moved/staging/checkout-api/1.4.2"]
    assert found[0].facts["environments"] == "staging, production"


def test_a_moved_tag_that_nobody_waits_for_any_more_is_not_said_to_be_over() -> None:
    story, promotion = asked()
    story.digests[API, Tag("1.4.2")] = digest("something else")
    what = "notice/digest-moved/production/checkout-api/1.4.2"
    assert what in drawn(story)

    story.say(Kind.CANCEL, promotion, "carol", note="nobody knows what it is")
    story.see("1.4.3")
    story.bump("1.4.3")

    assert what not in drawn(story, (*LOOKED, what))
    story.digests[API, Tag("1.4.2")] = digest("1.4.2")
    assert notice(story, what, what).is_over


def test_troubles_of_the_engine_are_told_until_they_are_named_no_more() -> None:
    stuck = Trouble("stuck", "staging", "checkout-api", {"detail": "the scalar is an alias"})
    read_only = Trouble("ledger-read-only", facts={"detail": "another key"})
    what = "notice/stuck/staging/checkout-api/-"

    found = drawn(Story(), troubles=[stuck, read_only])

    assert sorted(found) == [
        "notice/ledger-read-only/production/-/-",
        "notice/ledger-read-only/staging/-/-",
        what,
    ]
    assert notice(Story(), what, troubles=[stuck]).facts == {
        "environment": "staging",
        "service": "checkout-api",
        "detail": "the scalar is an alias",
    }
    assert notice(Story(), what, what).is_over


def test_a_trouble_of_an_environment_that_is_not_in_the_rules_is_told_nowhere() -> None:
    assert drawn(Story(), troubles=[Trouble("stuck", "elsewhere", "checkout-api")]) == {}
    assert drawn(Story(), (*LOOKED, "notice/stuck/elsewhere/checkout-api/-")) == {}


def test_a_hostile_subject_stays_one_part_of_a_name() -> None:
    trouble = Trouble("stuck", "staging", "", {}, "a/b c\n\u202e" + "x" * 400)

    assert trouble.what == f"notice/stuck/staging/-/a-b-c--{'x' * 121}"


# --- all of it ----------------------------------------------------------------------------------------------


STEPS = st.lists(
    st.sampled_from(
        [
            "see",
            "bump",
            "propose",
            "ada",
            "bob",
            "unapprove",
            "void",
            "reject",
            "expire",
            "land",
            "back",
            "back by commit",
            "freeze",
            "unfreeze",
            "by hand",
            "wait",
        ]
    ),
    max_size=14,
)


def after(steps: Sequence[str]) -> Story:  # noqa: C901, PLR0912  one row a step: a table
    """Tell a story of these steps, leaving out those that make no sense where they stand."""
    story, newest = Story(), 1
    for step in steps:
        live = story.state.live_at("production", "checkout-api")
        version = f"1.4.{newest}"
        match step:
            case "see":
                newest += 1
                story.see(f"1.4.{newest}")
            case "bump":
                story.bump(version)
            case "propose" if not live:
                story.propose(version)
            case "ada" | "bob" if live:
                story.say(Kind.APPROVE, live.id, step)
            case "unapprove" if live:
                story.say(Kind.UNAPPROVE, live.id, "ada")
            case "void" if live:
                story.void(live.id, Code.RULE_MOVED)
            case "reject" if live:
                story.say(Kind.REJECT, live.id, "bob", note="no")
            case "expire" if live:
                story.say(Kind.ENDED, live.id, why="expired")
            case "land" if live:
                story.intend(live.id)
                story.land(live.id)
            case "back" if not live:
                story.rollback("1.4.1", "production")
            case "back by commit":
                story.rollback("1.4.1", "staging")
            case "freeze" | "unfreeze":
                story.add(Kind(step), environment="production", trigger=f"T{story.state.seq}", note="audit")
            case "by hand":
                story.external("1.3.9", "staging")
            case "wait":
                story.at += timedelta(days=3)
            case _:
                pass
    return story


@given(STEPS, st.sets(st.sampled_from(["1.4.1", "1.4.2", "1.4.3"])))
def test_whatever_happened_each_live_promotion_has_its_one_card(steps: list[str], told: set[str]) -> None:
    story = after(steps)
    look, decision = story.look()
    known = {f"{PRODUCTION}/{tag}" for tag in told}

    found = cards(look, decision, {}, known)

    drawn_cards = [one for one in found if isinstance(one, Card)]
    assert len({one.what for one in found}) == len(found)
    assert all(one.channel for one in found)
    for promotion in story.state.live.values():
        assert [one.stage for one in drawn_cards if one.promotion == promotion] in (
            [CardStage.OPEN],
            [CardStage.APPROVED],
        )
    candidates = [one for one in drawn_cards if one.stage is CardStage.CANDIDATE]
    assert all(one.environment == "production" for one in candidates)
    assert len(candidates) <= 1
    assert not any(
        one.code in {Code.SOAKING, Code.NOT_IN_PREVIOUS} for card_ in candidates for one in card_.waits
    )


@given(STEPS)
def test_what_is_drawn_converges(steps: list[str]) -> None:
    """What was drawn is known at the next look, and the next look then draws the same."""
    look, decision = after(steps).look()
    first = cards(look, decision, {}, ())

    second = cards(look, decision, {}, {one.what for one in first})

    assert second == tuple(one for one in first if "/first-look/" not in one.what)


def test_the_same_look_gives_the_same_cards_and_no_name_twice() -> None:
    story, promotion = asked()
    story.say(Kind.APPROVE, promotion, "ada")
    look, decision = story.look()

    once = cards(look, decision, {}, ())
    again = cards(look, decision, {}, frozenset())

    assert once == again
    assert len({one.what for one in once}) == len(once)
    assert story.at > NINE


def test_a_request_that_nobody_answers_is_told_when_half_of_its_time_is_over() -> None:
    story, promotion = asked()
    what = "notice/reminder/production/checkout-api/1.4.2"
    assert what not in drawn(story)

    story.at += timedelta(hours=12, minutes=5)

    told = notice(story, what)
    assert told.facts["detail"] == "0 of 2 approvals"
    assert not told.is_over
    story.say(Kind.CANCEL, promotion, "carol", note="nobody knows what it is")
    assert notice(story, what, what).is_over


def test_what_is_reported_unhealthy_is_told_until_it_is_so_no_more() -> None:
    story = ready()
    what = "notice/unhealthy/staging/checkout-api/1.4.2"
    move = story.state.last_move("staging", "checkout-api")
    assert move
    place = {"environment": "staging", "service": "checkout-api", "commit": move.commit, "image": move.image}

    story.add(Kind.UNHEALTHY, **place, evidence={"looked": "then"})

    assert not notice(story, what).is_over
    assert _moved_cards(story)[0].health == "unhealthy"
    story.add(Kind.HEALTHY, **place, evidence={"looked": "then"})
    assert notice(story, what, what).is_over
    assert _moved_cards(story)[0].health == "healthy"


def _moved_cards(story: Story) -> list[Card]:
    return [one for one in drawn(story).values() if isinstance(one, Card) and one.stage is CardStage.MOVED]
