"""Emergencies of a group: whole or nothing, one entry, one review; each member by its own rule."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from policies.codes import Code
from policies.entries.entry import Entry, Kind, Member, write_time
from policies.gates import skipped_codes, skips
from policies.ledger.state import Stage
from policies.rulebook.parse import parse
from policies.rules.rules import moving_rule
from tests.policies.group_worlds import TEXT, Versions, about, asked, image, seen, shared, shop
from tests.policies.ledger_builders import Story, change_rules, oid, person
from tests.policies.test_validator_groups import BOTH, OWNED, alone, codes

CALM = "    approvals: 2 of release-managers"
SKIPS = "skips: [previous, soak]"
CALLED = TEXT.replace(
    CALM, f"    emergency: {{approvals: 1 of release-managers, review: 2d, {SKIPS}}}\n{CALM}"
)
OWN = "    exceptions: {cart: {emergency: {approvals: 1 of release-managers, review: 1d, skips: [soak]}}}\n"
DIFFERING = CALLED.replace(CALM, OWN + CALM)
AT_ONCE = TEXT.replace(
    "approvals: none}", "approvals: none, emergency: {approvals: 1, skips: [hold, freeze]}}"
)


def emergency(
    found: Story, versions: Versions, environment: str = "production", hours: int = 48, **changes: Any
) -> Entry:
    """Call an emergency of members, as Ada."""
    built = {"commit" if environment == "staging" else "head": oid(f"now {found.state.seq}")}
    word = found.word(Kind.EMERGENCY, person("ada"))
    at, until = write_time(found.at), write_time(found.at + timedelta(hours=hours))
    fields = {
        "at": at,
        **shared(found, environment, versions),
        **built,
        "note": "payments fail",
        "until": until,
    }
    return found.identified(replace(word, **(fields | changes)))


def called(text: str = CALLED) -> Story:
    return seen(shop(text), BOTH)


def test_an_emergency_of_a_group_is_one_entry_with_one_review() -> None:
    found = called()

    found.add(emergency(found, BOTH))

    (opened,) = found.state.open.values()
    promotion = found.promotion("production", "shop")
    assert (opened.promotion, promotion.group, promotion.is_emergency) == (promotion.id, "shop", True)
    for name in ("shop", "web", "cart"):
        assert found.state.live_at("production", name) == promotion
    found.add(about(found, Kind.INTENT))
    found.add(about(found, Kind.MERGED))
    found.add(about(found, Kind.LANDED))
    assert {found.state.moves["production", one][-1].group for one in BOTH} == {"shop"}
    assert codes(found, found.word(Kind.REVIEW, person("ada"), closes=promotion.seq, note="x")) == {
        Code.REQUESTER
    }
    found.add(found.word(Kind.REVIEW, person("dan"), closes=promotion.seq, note="the fix was right"))
    assert not found.state.open


FORGED: dict[str, tuple[str, Callable[[Story], Entry], Code]] = {
    "of a part": (CALLED, lambda found: emergency(found, {"web": "1.1.0"}), Code.NOT_WHOLE),
    "in another order": (
        CALLED,
        lambda found: emergency(found, dict(reversed(BOTH.items()))),
        Code.NOT_WHOLE,
    ),
    "without members": (CALLED, lambda found: emergency(found, BOTH, members=()), Code.NOT_WHOLE),
    "of a member alone": (CALLED, lambda found: emergency(found, BOTH, **_alone_there(found)), Code.IN_GROUP),
    "with the images of others": (
        CALLED,
        lambda found: emergency(found, BOTH, members=(Member("web", 2),)),
        Code.NO_RULE,
    ),
    "without a digest": (
        CALLED,
        lambda found: emergency(
            found, BOTH, image=tuple(replace(image(tag, one), digest="") for one, tag in BOTH.items())
        ),
        Code.DIGEST_UNKNOWN,
    ),
    "that goes back": (
        CALLED,
        lambda found: emergency(found, {"web": "1.1.0", "cart": "0.9.0"}),
        Code.DOWNGRADE,
    ),
    "by somebody whom no member's rule names": (
        CALLED,
        lambda found: emergency(found, BOTH, by=person("dan")),
        Code.NOT_AN_APPROVER,
    ),
    "where the rule knows none": (TEXT, lambda found: emergency(found, BOTH), Code.NO_EMERGENCY),
    "where the rule of one member knows none": (
        TEXT.replace(CALM, OWN + CALM),
        lambda found: emergency(found, BOTH),
        Code.NO_EMERGENCY,
    ),
    "whose review is due after that of a member": (
        DIFFERING,
        lambda found: emergency(found, BOTH),
        Code.OUT_OF_LINE,
    ),
    "by commit where people are asked": (
        CALLED,
        lambda found: emergency(found, BOTH, commit=oid("x")),
        Code.OUT_OF_LINE,
    ),
}


def _alone_there(found: Story) -> dict[str, Any]:
    return {**alone(found), "rule": found.rule("production", "web"), "image": (image("1.1.0", "web"),)}


@pytest.mark.parametrize(("text", "made", "code"), FORGED.values(), ids=FORGED)
def test_an_emergency_of_a_group_that_no_rule_allows_is_refused(
    text: str, made: Callable[[Story], Entry], code: Code
) -> None:
    found = called(text)

    assert code in codes(found, made(found))


def test_the_first_review_of_a_member_is_that_of_the_group() -> None:
    found = called(DIFFERING)

    found.add(emergency(found, BOTH, hours=24))


def test_each_member_passes_what_its_own_rule_skips_and_nothing_else() -> None:
    found = called(DIFFERING)  # web may skip the environment before, cart may not
    found.add(emergency(found, BOTH, hours=24))

    refusals = found.reasons(about(found, Kind.INTENT))

    assert [(one.code, one.detail.partition(":")[0]) for one in refusals] == [(Code.NOT_IN_PREVIOUS, "cart")]


def test_lines_of_every_member_have_to_be_filled_in_an_emergency_too() -> None:
    own = "    approvals: 1 of owners"
    text = OWNED.replace(own, f"    emergency: {{approvals: 1 of owners, {SKIPS}}}\n{own}")
    found = called(text)
    found.add(emergency(found, BOTH))

    assert codes(found, about(found, Kind.INTENT)) == {Code.APPROVALS_MISSING}
    found.add(about(found, Kind.APPROVE, person("bob")))
    found.add(about(found, Kind.INTENT))


def test_an_emergency_of_a_group_takes_the_place_of_what_is_open_there() -> None:
    found = asked(shop(CALLED), BOTH)
    before = found.promotion("production", "shop")

    found.add(emergency(found, BOTH))

    assert found.state.promotions[before.id].stage is Stage.SUPERSEDED
    assert found.promotion("production", "shop").id != before.id


def test_an_emergency_of_a_group_takes_the_place_of_what_a_member_asked_for_alone() -> None:
    found = shop(CALLED.replace("groups: {shop: [web, cart]}\n", ""))
    found.asked()
    alone = found.promotion("production", "web")
    change_rules(found, CALLED)
    seen(found, {"cart": "1.2.0"})

    found.add(emergency(found, BOTH))

    assert found.state.promotions[alone.id].stage is Stage.SUPERSEDED
    assert [one.group for one in found.state.under_way()] == ["shop"]


def test_what_a_member_that_stays_asked_for_is_not_passed_over() -> None:
    found = shop(CALLED.replace("groups: {shop: [web, cart]}\n", ""))
    found.asked()  # web, to a version that it does not move to any more
    found.add(found.external("1.1.0"))
    change_rules(found, CALLED)
    seen(found, {"cart": "1.2.0"})

    assert codes(found, emergency(found, {"cart": "1.2.0"})) == {Code.OPEN_ELSEWHERE}


def test_an_emergency_of_a_group_by_commit_passes_only_what_every_rule_skips() -> None:
    found = called(AT_ONCE)
    found.add(found.stand(Kind.HOLD, person("dan"), service="cart", environment="staging"))
    other = AT_ONCE.replace(
        "skips: [hold, freeze]}}", "skips: [hold, freeze]}, exceptions: {cart: {emergency: {approvals: 1}}}}"
    )
    strict = called(other)
    strict.add(strict.stand(Kind.HOLD, person("dan"), service="cart", environment="staging"))

    assert codes(strict, emergency(strict, BOTH, "staging")) == {Code.HELD}
    entry = found.add(emergency(found, BOTH, "staging"))
    assert [found.state.moves["staging", one][-1].commit for one in BOTH] == [entry.commit] * 2
    assert found.state.open


def test_at_once_one_person_answers_for_every_member_in_an_emergency() -> None:
    text = AT_ONCE.replace(
        "skips: [hold, freeze]}}",
        "skips: [hold, freeze]}, exceptions: {cart: {emergency: {approvals: 1 of release-managers}}}}",
    )
    found = called(text)

    assert codes(found, emergency(found, BOTH, "staging", by=person("dan"))) == {Code.NOT_AN_APPROVER}
    found.add(emergency(found, BOTH, "staging"))


def test_a_freeze_is_skipped_where_the_rules_of_all_that_move_skip_it() -> None:
    rules = parse(
        {"promotion/rules.yaml": DIFFERING.replace("skips: [soak]", "skips: [soak, freeze]").encode()}
    )
    whole = moving_rule(rules, "production", "shop")
    assert whole
    found = called(DIFFERING)
    found.add(emergency(found, BOTH, hours=24))
    promotion = found.promotion("production", "shop")

    assert skips(whole, promotion, "soak")
    assert not skips(whole, promotion, "freeze")
    assert not skips(whole, replace(promotion, kind=Kind.PROPOSE), "soak")
    cart = next(one for one in whole.parts if one.service.name == "cart")
    assert skips(cart, promotion, "freeze")
    assert Code.FROZEN in skipped_codes(cart)
    assert Code.NOT_IN_PREVIOUS not in skipped_codes(cart)
