"""No entry by the bot's own key moves a part of a group, or a group of which one member may not move."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from enum import StrEnum
from typing import Any

import pytest

from policies.codes import Code
from policies.entries.entry import Beside, Bot, Entry, Kind, Member, write_time
from policies.ledger.keys import bump_key
from policies.ledger.state import Stage
from tests.policies.group_worlds import (
    TEXT,
    about,
    asked,
    bump,
    image,
    landed,
    propose,
    rollback,
    seen,
    shared,
    shop,
    staged,
)
from tests.policies.ledger_builders import Story, change_rules, hash_of, oid, person

BOTH = {"web": "1.1.0", "cart": "1.2.0"}


def codes(found: Story, entry: Entry) -> set[StrEnum]:
    return {one.code for one in found.reasons(entry)}


def ready() -> Story:
    return seen(shop(), BOTH)


def half(found: Story) -> Entry:
    return bump(found, {"web": "1.1.0"})


PARTS: dict[str, tuple[Callable[[Story], Entry], Code]] = {
    "one member alone": (
        lambda found: replace(bump(found, {"web": "1.1.0"}), **alone(found)),
        Code.IN_GROUP,
    ),
    "without a member that is behind": (half, Code.NOT_WHOLE),
    "in another order": (lambda found: bump(found, {"cart": "1.2.0", "web": "1.1.0"}), Code.NOT_WHOLE),
    "a member twice": (
        lambda found: replace(bump(found, BOTH), members=(Member("web", 1), Member("web", 1))),
        Code.NOT_WHOLE,
    ),
    "with a stranger": (
        lambda found: replace(bump(found, BOTH), members=(Member("web", 1), Member("search", 1))),
        Code.NOT_WHOLE,
    ),
    "with fewer images": (
        lambda found: replace(bump(found, BOTH), image=(image("1.1.0", "web"),)),
        Code.NOT_WHOLE,
    ),
    "with the images of others": (
        lambda found: replace(bump(found, BOTH), members=(Member("web", 2),)),
        Code.NO_RULE,
    ),
    "without members": (lambda found: replace(bump(found, BOTH), members=()), Code.NOT_WHOLE),
    "without its group": (lambda found: replace(bump(found, BOTH), group=""), Code.NO_RULE),
    "as another group": (lambda found: replace(bump(found, BOTH), group="store"), Code.OUT_OF_LINE),
    "members of a service": (
        lambda found: replace(bump(found, BOTH), service="search", group=""),
        Code.NOT_WHOLE,
    ),
    "under a member's rule": (
        lambda found: replace(bump(found, BOTH), rule=found.rule("staging", "web")),
        Code.RULE_MOVED,
    ),
    "back": (lambda found: bump(found, {"web": "1.1.0", "cart": "0.9.0"}), Code.DOWNGRADE),
    "never seen": (lambda found: bump(found, {"web": "1.1.0", "cart": "1.3.0"}), Code.NOT_SEEN),
}


def alone(found: Story) -> dict[str, Any]:
    return {"service": "web", "group": "", "members": (), "rule": found.rule("staging", "web")}


@pytest.mark.parametrize(("entry", "code"), PARTS.values(), ids=PARTS)
def test_a_bump_of_less_or_other_than_the_group_is_refused(
    entry: Callable[[Story], Entry], code: Code
) -> None:
    found = ready()

    assert code in codes(found, entry(found))


def test_a_group_moves_in_one_entry() -> None:
    found = ready()

    entry = found.add(bump(found, BOTH))

    for service, tag in BOTH.items():
        move = found.state.last_move("staging", service)
        assert move
        assert (move.image, move.commit, move.group) == ((image(tag, service),), entry.commit, "shop")
    assert found.state.last_move("staging", "shop") is None


def test_a_member_with_nothing_newer_stays() -> None:
    found = staged(shop(), BOTH)
    seen(found, {"cart": "1.3.0"})

    found.add(bump(found, {"cart": "1.3.0"}))

    web = found.state.last_move("staging", "web")
    assert web
    assert web.image == (image("1.1.0", "web"),)


def test_a_member_does_not_move_beside_others() -> None:
    found = seen(ready(), {"search": "1.1.0"})
    change, search = hash_of("three"), found.rule("staging", "search")
    besides = [
        Beside(one, (image(tag, one),), (image("1.0.0", one),), found.rule("staging", one))
        for one, tag in BOTH.items()
    ]
    entry = replace(
        found.bump("1.1.0"),
        service="search",
        image=(image("1.1.0", "search"),),
        previous=(image("1.0.0", "search"),),
        change=change,
        rule=search,
        also=tuple(besides),
    )
    entry = replace(entry, key=bump_key("staging", oid("before"), change))

    assert Code.IN_GROUP in codes(found, entry)
    assert codes(found, replace(entry, also=())) == set()
    assert Code.NOT_WHOLE in codes(found, replace(bump(found, BOTH), also=tuple(besides[:1])))


STANDING = {
    "held": (Kind.HOLD, {"service": "cart"}, Code.HELD),
    "blocked": (Kind.BLOCK, {"service": "cart", "image": (image("1.2.0", "cart"),)}, Code.BLOCKED),
    "frozen": (Kind.FREEZE, {"environment": "staging"}, Code.FROZEN),
}


@pytest.mark.parametrize(("kind", "about_", "code"), STANDING.values(), ids=STANDING)
def test_what_stands_in_the_way_of_one_member_stops_all(
    kind: Kind, about_: dict[str, object], code: Code
) -> None:
    found = ready()
    found.add(found.stand(kind, person("ada"), **about_))

    assert code in codes(found, bump(found, BOTH))


def test_what_is_noted_of_the_gates_stands_by_member() -> None:
    found = shop(TEXT.replace("approvals: none}", "approvals: none, age: 1m}"))
    seen(found, BOTH)
    notes = {"web": {"age": "passed 2m"}, "cart": {"age": "passed 1m"}}

    assert codes(found, bump(found, BOTH, evidence={"gates": notes})) == set()
    assert codes(found, bump(found, BOTH, evidence={"gates": {"web": notes["web"]}})) == {Code.OUT_OF_LINE}
    assert codes(found, bump(found, BOTH, evidence={"gates": {"age": "passed 1m"}})) == {Code.OUT_OF_LINE}


GATED = TEXT.replace(
    "approvals: none}",
    "approvals: none, gates: [http: {url: 'https://status.example.com/ok', is: 'true', json: /ok}]}",
)


def test_what_was_looked_up_stands_by_member() -> None:
    found = seen(shop(GATED), BOTH)
    fact = {"gate": "http", "verdict": "passed", "code": "", "detail": "", "looked": write_time(found.at)}

    whole = bump(found, BOTH, evidence={"facts": {"web": [fact], "cart": [fact]}})
    part = bump(found, BOTH, evidence={"facts": {"web": [fact]}})
    flat = bump(found, BOTH, evidence={"facts": [fact]})

    assert codes(found, whole) == set()
    assert codes(found, part) == codes(found, flat) == {Code.GATE_UNKNOWN}


# --- where people are asked ---------------------------------------------------------------------------------------


def test_approvals_count_once_for_the_whole() -> None:
    found = landed(shop(), BOTH)

    assert found.promotion("production", "shop").stage is Stage.LANDED
    assert {place for place in found.state.moves if place[0] == "production"} == {
        ("production", "web"),
        ("production", "cart"),
    }
    assert found.state.live == {}


def test_a_proposal_is_under_way_in_all_places_that_it_moves() -> None:
    found = asked(shop(), BOTH)
    promotion = found.promotion("production", "shop")

    for name in ("shop", "web", "cart"):
        assert found.state.live_at("production", name) == promotion
    assert found.state.under_way() == (promotion,)
    assert promotion.group == "shop"
    assert promotion.image_of("search") == ()
    assert promotion.version == "web 1.1.0, cart 1.2.0"
    found.add(about(found, Kind.REJECT, person("ada")))
    assert found.state.live == {}


def test_a_second_proposal_of_the_group_is_refused() -> None:
    found = asked(shop(), BOTH)

    assert Code.OPEN_ELSEWHERE in codes(found, propose(found, BOTH))


def test_half_a_proposal_is_refused() -> None:
    found = staged(shop(), BOTH)

    assert Code.NOT_WHOLE in codes(found, propose(found, {"web": "1.1.0"}))
    single = replace(found.propose("1.1.0"), rule=found.rule("production", "web"))
    assert Code.IN_GROUP in codes(found, single)


OWNED = TEXT.replace("approvals: 2 of release-managers", "approvals: 1 of owners").replace(
    "versions: 1.x}\n  cart: {", "versions: 1.x, owner: ada}\n  cart: {owner: bob, "
)


def test_the_lines_of_every_member_have_to_be_filled() -> None:
    found = asked(shop(OWNED), BOTH)
    assert found.state.rules
    found.add(about(found, Kind.APPROVE, person("ada")))

    assert Code.APPROVALS_MISSING in codes(found, about(found, Kind.INTENT))

    found.add(about(found, Kind.APPROVE, person("bob")))
    found.add(about(found, Kind.INTENT))
    assert Code.NOT_AN_APPROVER in codes(
        asked(shop(OWNED), BOTH), about(asked(shop(OWNED), BOTH), Kind.APPROVE, person("dan"))
    )


def test_who_asked_for_the_group_approves_no_part_of_it() -> None:
    found = asked(shop(), BOTH)

    assert Code.REQUESTER in codes(found, about(found, Kind.APPROVE, person("carol")))


SOAKED = TEXT.replace("    approvals: 2", "    exceptions: {cart: {soak: 2h}}\n    approvals: 2")


def test_a_gate_of_one_member_stops_the_merge_of_all() -> None:
    found = asked(shop(SOAKED), BOTH)
    for name in ("ada", "bob"):
        found.add(about(found, Kind.APPROVE, person(name)))

    refusals = found.reasons(about(found, Kind.INTENT))

    assert [(one.code, one.detail.partition(":")[0]) for one in refusals] == [(Code.SOAKING, "cart")]


WORDS = (Kind.APPROVE, Kind.REJECT, Kind.CANCEL, Kind.ENDED, Kind.INTENT, Kind.REBASED, Kind.UNAPPROVE)


@pytest.mark.parametrize("kind", WORDS)
def test_a_word_about_a_group_names_the_group(kind: Kind) -> None:
    found = asked(shop(), BOTH)
    by = Bot() if kind in {Kind.ENDED, Kind.INTENT, Kind.REBASED} else person("ada")

    assert Code.OUT_OF_LINE in codes(found, about(found, kind, by, group=""))


def test_a_void_moves_the_very_members() -> None:
    found = asked(shop(), BOTH)
    alone = about(found, Kind.VOID)
    fewer = replace(alone, members=(Member("web", 1),), image=alone.image[:1], previous=alone.previous[:1])

    assert Code.NOT_WHOLE in codes(found, fewer)
    found.add(alone)
    assert found.promotion("production", "shop").change == hash_of("moved")


def test_other_members_in_the_rules_end_what_was_asked_for() -> None:
    found = asked(shop(), BOTH)
    for name in ("ada", "bob"):
        found.add(about(found, Kind.APPROVE, person(name)))
    change_rules(found, TEXT.replace("[web, cart]", "[web, search]"))

    assert {Code.NOT_WHOLE, Code.RULE_MOVED} <= codes(found, about(found, Kind.INTENT))
    found.add(about(found, Kind.ENDED, why="removed"))


GROWN = TEXT.replace("[web, cart]", "[web, cart, search]")


def test_what_was_asked_for_ends_when_a_service_with_something_to_move_joins_the_group() -> None:
    found = seen(asked(shop(), BOTH), {"search": "1.1.0"})
    assert codes(found, about(found, Kind.ENDED, why="removed")) == {Code.OUT_OF_LINE}
    change_rules(found, GROWN)
    half = _under_the_rule(found, about(found, Kind.VOID))

    assert [str(one) for one in found.reasons(half)] == [f"{Code.NOT_WHOLE}: search has 1.1.0 to move"]
    found.add(about(found, Kind.ENDED, why="removed"))
    assert codes(found, propose(found, BOTH)) == {Code.NOT_WHOLE}


def test_what_was_asked_for_goes_on_when_a_service_with_nothing_to_move_joins_the_group() -> None:
    found = asked(shop(), BOTH)
    change_rules(found, GROWN)

    assert codes(found, about(found, Kind.ENDED, why="removed")) == {Code.OUT_OF_LINE}
    found.add(_under_the_rule(found, about(found, Kind.VOID)))
    seen(found, {"search": "1.1.0"})  # too late to be asked for with the others
    change_rules(found, GROWN.replace("approvals: 2 of", "approvals: 1 of"))
    found.add(_under_the_rule(found, about(found, Kind.VOID)))


def test_a_version_that_came_after_the_request_does_not_end_it_when_the_rule_moves() -> None:
    found = shop(GROWN)
    asked(found, BOTH)
    seen(found, {"search": "1.1.0"})
    change_rules(found, GROWN.replace("approvals: 2 of", "approvals: 1 of"))

    found.add(_under_the_rule(found, about(found, Kind.VOID)))


def test_a_way_back_goes_on_when_a_service_with_something_to_move_joins_the_group() -> None:
    found = landed(shop(), BOTH)
    found.add(rollback(found, {"web": "1.0.0", "cart": "1.0.0"}))
    seen(found, {"search": "1.1.0"})
    change_rules(found, GROWN)

    assert codes(found, about(found, Kind.ENDED, why="removed")) == {Code.OUT_OF_LINE}
    found.add(_under_the_rule(found, about(found, Kind.VOID)))


def _under_the_rule(found: Story, void: Entry) -> Entry:
    """Let a void say that the rule has moved."""
    promotion = found.promotion("production", "shop")
    rule = shared(found, "production", {})["rule"]
    return replace(void, rule=rule, change=promotion.change, voided=promotion.rule.hash, why="rule-moved")


def test_a_service_that_was_asked_for_alone_ends_when_it_joins_a_group() -> None:
    found = shop(TEXT.replace("groups: {shop: [web, cart]}\n", ""))
    found.asked()
    change_rules(found, TEXT)

    assert Code.IN_GROUP in codes(
        found, found.about(Kind.APPROVE, person("ada"), rule=found.rule("production"))
    )
    found.add(found.about(Kind.ENDED, why="removed"))


REGION = "  us: {path: apps/us, channel: deploys, after: production, approvals: as production}\n"


def test_approvals_of_a_group_go_on_to_the_next_region() -> None:
    found = landed(shop(TEXT.replace("groups:", f"{REGION}groups:")), BOTH)
    source = found.promotion("production", "shop")
    fields = shared(found, "us", BOTH)
    word = replace(found.word(Kind.PROPOSE, Bot()), **fields, head=oid("us"), why="at-once")

    lent = found.identified(replace(word, evidence={"as": {"promotion": source.id}}))
    part = found.identified(
        replace(lent, members=fields["members"][:1], image=fields["image"][:1], key="", promotion="")
    )

    assert {Code.CHANGE_MOVED, Code.NOT_WHOLE} <= codes(found, part)
    found.add(lent)
    assert [one.by.person for one in found.promotion("us", "shop").approvals] == ["ada", "bob"]


# --- the way back -------------------------------------------------------------------------------------------------


def test_a_rollback_puts_back_what_the_last_move_moved() -> None:
    found = landed(shop(), BOTH)
    back = {"web": "1.0.0", "cart": "1.0.0"}

    assert Code.NOT_WHOLE in codes(found, rollback(found, {"web": "1.0.0"}))
    found.add(rollback(found, back))

    blocked = {(service, one.tag) for _, service, one in found.state.blocks}
    assert blocked == set(BOTH.items())


def test_a_rollback_leaves_alone_what_the_last_move_did_not_move() -> None:
    found = staged(shop(), BOTH)
    staged(found, {"cart": "1.3.0"})

    assert Code.NOT_WHOLE in codes(found, rollback(found, {"web": "1.0.0", "cart": "1.2.0"}, "staging"))
    found.add(rollback(found, {"cart": "1.2.0"}, "staging"))

    move = found.state.last_move("staging", "cart")
    assert move
    assert move.image == (image("1.2.0", "cart"),)


def test_a_group_that_never_moved_does_not_go_back() -> None:
    found = shop()

    assert Code.NOT_WHOLE in codes(found, rollback(found, {"web": "1.0.0"}, "staging"))


def test_a_rollback_is_reviewed_when_the_first_of_its_members_asks_for_it() -> None:
    text = TEXT.replace(
        "    approvals: 2",
        "    rollback: {approvals: 1, review: 2d}\n"
        "    exceptions: {cart: {rollback: {approvals: 1, review: 1d}}}\n    approvals: 2",
    )
    found = landed(shop(text), BOTH)
    back = rollback(found, {"web": "1.0.0", "cart": "1.0.0"})

    assert codes(found, back) == {Code.OUT_OF_LINE}
    found.add(replace(back, until=write_time(found.at + timedelta(days=1)), at=write_time(found.at)))


BACK = OWNED.replace(
    "    approvals: 1 of owners", "    rollback: {approvals: 1 of owners}\n    approvals: 1 of owners"
)


def test_who_may_put_back_one_member_may_ask_for_all_and_others_fill_the_rest() -> None:
    found = landed(shop(BACK), BOTH)
    back = {"web": "1.0.0", "cart": "1.0.0"}

    assert Code.NOT_AN_APPROVER in codes(found, rollback(found, back, by=person("dan")))
    found.add(rollback(found, back))
    assert Code.APPROVALS_MISSING in codes(found, about(found, Kind.INTENT))
    found.add(about(found, Kind.APPROVE, person("ada")))
    found.add(about(found, Kind.INTENT))


def test_at_once_one_person_answers_for_every_member() -> None:
    text = BACK.replace("approvals: none}", "approvals: none, rollback: {approvals: 1 of owners}}")
    found = staged(shop(text), BOTH)

    refusals = codes(found, rollback(found, {"web": "1.0.0", "cart": "1.0.0"}, "staging"))

    assert refusals == {Code.NOT_AN_APPROVER}


def test_a_member_whose_versions_are_not_known_is_not_left_behind() -> None:
    text = TEXT.replace("cart, versions: 1.x", "cart, versions: {flux: flux-system/cart}")
    found = seen(shop(text), {"web": "1.1.0"})

    assert Code.NOT_WHOLE in codes(found, bump(found, {"web": "1.1.0"}))


def test_keys_of_many_images_have_room() -> None:
    found = asked(shop(), BOTH)

    key = next(key for key in found.state.keys if key.startswith("propose/"))
    assert key.split("/")[:3] == ["propose", "production", "shop"]
    assert len(key.split("/")[3]) == 64
