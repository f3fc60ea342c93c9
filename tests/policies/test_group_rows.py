"""What a decision says of groups: whole or nothing, for whom it waits, and nothing of anybody else."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.codes import Code
from policies.decide import Decision, Row, Standing, decide, decide_row, rows_of, why
from policies.deciding import Decider
from policies.entries.entry import Kind
from policies.group_rows import combination, seen_ahead
from policies.rules.rules import effective, moving_rule
from policies.validator import every_refusal
from policies.world import World
from tests.policies.group_worlds import (
    SERVICES,
    TEXT,
    about,
    asked,
    bump,
    image,
    landed,
    seen,
    shop,
    staged,
    world,
)
from tests.policies.ledger_builders import START, Story, person, rules, story

BOTH = {"web": "1.1.0", "cart": "1.2.0"}
LISTED = {"web": ("1.0.0", "1.1.0"), "cart": ("1.0.0", "1.2.0"), "search": ("1.0.0",)}
NOTHING_NEW = {**LISTED, "cart": ("1.0.0",)}


def decided(found: Story, listed: Mapping[str, tuple[str, ...]] | None = None) -> Decision:
    return decide(world(found, listed or LISTED), found.at)


def row(decision: Decision, service: str, environment: str = "staging") -> Row:
    found = decision.row(environment, service)
    assert found
    return found


def ready() -> Story:
    return seen(shop(), BOTH)


def test_all_that_is_behind_goes_at_once() -> None:
    group = row(decided(ready()), "shop")

    assert group.verdict is Standing.READY
    assert group.best
    assert [(one.service, one.images) for one in group.best.members] == [("web", 1), ("cart", 1)]
    assert group.best.together == (image("1.1.0", "web"), image("1.2.0", "cart"))
    assert group.best.version == "web 1.1.0, cart 1.2.0"
    assert group.current == "web 1.0.0, cart 1.0.0"


def test_a_member_with_nothing_newer_does_not_stop_the_others() -> None:
    group = row(decided(seen(shop(), {"web": "1.1.0"}), NOTHING_NEW), "shop")

    assert group.best
    assert [one.service for one in group.best.members] == ["web"]


def test_a_group_with_nothing_newer_is_current() -> None:
    found = staged(shop(), BOTH)

    assert (row(decided(found), "shop").verdict, row(decided(found), "shop").codes) == (
        Standing.CURRENT,
        ("current",),
    )


KEEPS = {
    "held": (Kind.HOLD, {"service": "cart"}, "held"),
    "blocked": (Kind.BLOCK, {"service": "cart", "image": (image("1.2.0", "cart"),)}, "blocked"),
}


@pytest.mark.parametrize(("kind", "what", "code"), KEEPS.values(), ids=KEEPS)
def test_a_member_that_is_not_ready_keeps_all_back_and_is_named(
    kind: Kind, what: dict[str, object], code: str
) -> None:
    found = ready()
    found.add(found.stand(kind, person("ada"), **what))

    decision = decided(found)

    web, cart, group = row(decision, "web"), row(decision, "cart"), row(decision, "shop")
    assert web.verdict is group.verdict is Standing.WAITING
    assert web.codes == group.codes == (Code.GROUP_WAITS,)
    assert web.best
    assert [one.detail for one in web.best.reasons] == [f"cart 1.2.0: {code}"]
    assert cart.codes == (code,)
    answer = why(world(found, LISTED), "staging", "web", "1.1.0", found.at)
    assert answer
    assert answer.codes == (Code.GROUP_WAITS,)


def test_a_silent_registry_of_one_keeps_all_back() -> None:
    decision = decided(ready(), {"web": LISTED["web"]})

    assert row(decision, "web").codes == (Code.GROUP_WAITS,)
    assert "cart: registry" in str(row(decision, "web").candidates[0].reasons)


def test_all_that_wait_are_a_group_that_waits() -> None:
    found = ready()
    for service in BOTH:
        found.add(found.stand(Kind.HOLD, person("ada"), service=service))

    decision = decided(found)

    group = row(decision, "shop")
    assert (group.verdict, group.codes, group.candidates) == (Standing.WAITING, (Code.GROUP_WAITS,), ())
    assert row(decision, "web").codes == (Code.HELD,)


def test_a_version_that_was_seen_and_is_listed_no_more_keeps_all_back() -> None:
    decision = decided(ready(), NOTHING_NEW)

    assert row(decision, "web").codes == (Code.GROUP_WAITS,)
    assert row(decision, "cart").verdict is Standing.CURRENT
    assert (
        "cart 1.2.0: the registry does not list it" in row(decision, "shop").candidates[0].reasons[0].detail
    )


def test_what_was_there_before_the_first_look_neither_moves_nor_stops_the_others() -> None:
    found = seen(seen(shop(), {"cart": "1.2.0"}, before=True), {"web": "1.1.0"})

    decision = decided(found)

    group = row(decision, "shop")
    assert group.verdict is Standing.READY
    assert group.best
    assert [one.service for one in group.best.members] == ["web"]
    assert row(decision, "cart").codes == (Code.KNOWN_BEFORE,)
    found.add(bump(found, {"web": "1.1.0"}))


def test_where_the_rule_catches_up_it_moves_with_the_others() -> None:
    found = shop(TEXT.replace("approvals: none}", "approvals: none, catch-up: true}"))
    seen(seen(found, {"cart": "1.2.0"}, before=True), {"web": "1.1.0"})

    group = row(decided(found), "shop")

    assert group.best
    assert [one.service for one in group.best.members] == ["web", "cart"]


BUILT = TEXT.replace("cart, versions: 1.x", "cart, versions: {newest-build: true, tags: '^1'}")


def test_what_was_built_later_is_ahead_by_what_the_ledger_noted() -> None:
    found = seen(shop(BUILT), BOTH)
    seen(found, {"cart": "2.0.0"})
    for days, tag in enumerate(("1.0.0", "1.2.0", "2.0.0")):
        found.state.built["cart", "ghcr.io/example/cart", tag] = START + timedelta(days=days)
    rule = effective(world(found, LISTED).rules, "staging", "cart")
    assert rule

    assert seen_ahead(found.state, rule, (image("1.0.0", "cart"),)) == "1.2.0"
    assert seen_ahead(found.state, rule, (image("1.2.0", "cart"),)) == ""
    assert seen_ahead(found.state, rule, ()) == "1.2.0", "what stands there is not known"


# --- where people are asked ---------------------------------------------------------------------------------------


def test_a_group_may_be_asked_for_when_all_of_it_may() -> None:
    found = staged(shop(), BOTH)

    group = row(decided(found), "shop", "production")

    assert group.best
    assert group.best.codes == (Code.NOT_REQUESTED,)
    assert row(decided(found), "web", "production").codes == (Code.NOT_REQUESTED,)


def test_a_member_that_has_not_run_before_keeps_the_others_from_being_asked_for() -> None:
    found = staged(shop(), BOTH)
    seen(found, {"cart": "1.3.0"})
    listed = {**LISTED, "cart": ("1.0.0", "1.2.0", "1.3.0")}

    fair = row(decided(found, listed), "shop", "production")
    late = row(decided(seen(staged(shop(), {"web": "1.1.0"}), {"cart": "1.2.0"})), "shop", "production")

    assert fair.best
    assert fair.best.version == "web 1.1.0, cart 1.2.0", "the newest of each that may be asked for"
    assert late.codes == (Code.NOT_REQUESTED, Code.GROUP_WAITS)


def test_what_is_under_way_waits_for_what_any_member_waits_for() -> None:
    found = asked(shop(), BOTH)

    decision = decided(found)

    group = row(decision, "shop", "production")
    assert [one.promotion for one in group.candidates] == [found.promotion("production", "shop").id]
    assert group.codes == (Code.APPROVALS_MISSING,)
    assert [one.detail for one in group.candidates[0].reasons] == ["0 of 2 approvals"]


SOAKED = TEXT.replace("    approvals: 2", "    exceptions: {cart: {soak: 2h}}\n    approvals: 2")


def test_a_member_that_is_ready_to_merge_says_for_whom_it_waits() -> None:
    found = asked(shop(SOAKED), BOTH)
    for name in ("ada", "bob"):
        found.add(about(found, Kind.APPROVE, person(name)))

    decision = decided(found)

    assert row(decision, "shop", "production").codes == (Code.SOAKING,)
    assert row(decision, "web", "production").codes == (Code.GROUP_WAITS,)
    found.at += timedelta(hours=3)
    assert row(decided(found), "shop", "production").verdict is Standing.READY


def test_a_newer_version_of_one_member_is_what_could_come_next() -> None:
    found = asked(shop(), BOTH)
    staged(found, {"cart": "1.3.0"})
    listed = {**LISTED, "cart": ("1.0.0", "1.2.0", "1.3.0")}

    ahead, live = row(decided(found, listed), "shop", "production").candidates

    assert ahead.version == "web 1.1.0, cart 1.3.0"
    assert set(ahead.codes) == {Code.NOT_REQUESTED, Code.OPEN_ELSEWHERE}
    assert live.version == "web 1.1.0, cart 1.2.0"


def test_what_is_under_way_waits_for_a_place_that_cannot_be_read() -> None:
    found = asked(shop(), BOTH)
    known = world(found, LISTED)
    pins = {place: pin for place, pin in known.pins.items() if place != ("production", "cart")}

    decision = decide(replace(known, pins=pins), found.at)

    group = row(decision, "shop", "production")
    assert f"cart: {Code.NO_REFERENCE}" in [one.detail for one in group.candidates[-1].reasons]


def test_what_is_under_way_waits_for_a_member_that_left_the_group() -> None:
    found = asked(shop(TEXT.replace("[web, cart]", "[web, cart, search]")), BOTH)
    commit = found.book.line[0]
    found.book.versions[commit] = shop(TEXT.replace("[web, cart]", "[web, search]")).book.versions[commit]

    group = row(decided(found), "shop", "production")

    assert f"cart: {Code.NO_RULE}" in [one.detail for one in group.candidates[-1].reasons]


def test_a_member_that_was_blocked_on_the_way_refuses_all_of_it() -> None:
    found = asked(shop(), BOTH)
    found.add(found.stand(Kind.BLOCK, person("ada"), service="cart", image=(image("1.2.0", "cart"),)))

    assert row(decided(found), "shop", "production").candidates[-1].verdict is Standing.REFUSED


def test_where_one_of_them_does_not_exist_the_other_moves_by_itself() -> None:
    found = shop(TEXT.replace("cart, versions: 1.x", "cart, versions: 1.x, environments: [staging]"))
    staged(found, BOTH)

    decision = decided(found)

    assert decision.row("production", "shop") is None
    assert row(decision, "web", "production").codes == (Code.NOT_REQUESTED,)


# --- laws ---------------------------------------------------------------------------------------------------------

TAGS = st.lists(st.sampled_from(("1.0.0", "1.1.0", "1.2.0", "2.0.0")), min_size=1, unique=True).map(tuple)
STORIES = st.tuples(
    st.fixed_dictionaries({"web": TAGS, "cart": TAGS, "search": TAGS}),
    st.sets(st.sampled_from(("web", "cart", "search"))),
    st.booleans(),
)


def told(listed: Mapping[str, tuple[str, ...]], held: set[str], text: str = TEXT) -> tuple[Story, World]:
    """Let the ledger see the newest of each, and hold some."""
    found = shop(text)
    for service, tags in listed.items():
        newest = max((one for one in tags if one.startswith("1.")), default="")
        if newest not in {"", "1.0.0"}:
            found.add(found.seen(newest, service=service))
    for service in sorted(held):
        found.add(found.stand(Kind.HOLD, person("ada"), service=service))
    return found, world(found, listed)


@given(STORIES)
@settings(max_examples=60, deadline=None)
def test_ready_members_go_together_or_not_at_all(
    case: tuple[Mapping[str, tuple[str, ...]], set[str], bool],
) -> None:
    listed, held, _ = case
    found, known = told(listed, held)

    decision = decide(known, found.at)

    group = row(decision, "shop")
    members = {one: row(decision, one) for one in ("web", "cart")}
    is_ready = {name for name, one in members.items() if one.verdict is Standing.READY}
    goes = {one.service for one in group.best.members} if group.best else set()
    if group.verdict is Standing.READY:
        assert is_ready == goes != set()
        moves = {one: members[one].candidates[0].version for one in goes}
        entry = found.complete(bump(found, {one: moves[one] for one in ("web", "cart") if one in goes}))
        assert every_refusal(found.state, entry, found.book) == []
    else:
        assert is_ready == set(), "no part of a group is ready when the whole is not"
    for part in ({"web": "1.1.0"}, {"cart": "1.1.0"}):
        entry = found.complete(bump(found, part))
        if set(part) < goes:
            assert every_refusal(found.state, entry, found.book) != []


@given(STORIES)
@settings(max_examples=40, deadline=None)
def test_a_group_changes_nothing_for_services_outside_of_it(
    case: tuple[Mapping[str, tuple[str, ...]], set[str], bool],
) -> None:
    listed, held, _ = case
    grouped, alone = (
        told(listed, held, text) for text in (TEXT, TEXT.replace("groups: {shop: [web, cart]}\n", ""))
    )

    rows = [decide_row(known, "staging", "search", found.at) for found, known in (grouped, alone)]

    assert rows[0] == rows[1]


@given(STORIES)
@settings(max_examples=40, deadline=None)
def test_one_row_and_a_decision_again_say_what_the_decision_says(
    case: tuple[Mapping[str, tuple[str, ...]], set[str], bool],
) -> None:
    listed, held, _ = case
    found, known = told(listed, held)
    decision = decide(known, found.at)
    decider = Decider()

    for one in (*decision.rows, *decision.groups):
        assert decide_row(known, one.environment, one.service, found.at) == one
    assert decider.decide(known, found.at) == decision
    assert decider.decide(known, found.at) == decision


def test_another_combination_has_another_name() -> None:
    one, other = (
        (image("1.1.0", "web"), image("1.2.0", "cart")),
        (image("1.1.0", "web"), image("1.3.0", "cart")),
    )

    assert combination(one) != combination(other)
    assert len(combination(one)) == 12


def test_what_landed_is_current() -> None:
    found = landed(shop(), BOTH)

    assert row(decided(found), "shop", "production").verdict is Standing.CURRENT


def test_a_members_own_request_that_lacks_nothing_keeps_its_new_group_back() -> None:
    found = story(TEXT.replace("groups: {shop: [web, cart]}\n", ""))
    places = [(where, one) for where in ("staging", "production") for one in SERVICES]
    found.book.stood |= {place: (image("1.0.0", place[1]),) for place in places}
    found.asked("1.1.0").approved()

    decision = decide(replace(world(found, NOTHING_NEW), rules=rules(TEXT)), found.at)

    group = row(decision, "shop", "production")
    assert (group.verdict, group.codes) == (Standing.WAITING, (Code.GROUP_WAITS,))
    assert group.detail == "web 1.1.0: other-promotion-open"


def test_what_would_stand_there_is_said_for_all_and_for_each() -> None:
    found = ready()
    here = world(found, LISTED)
    rule = effective(here.rules, "staging", "shop") or moving_rule(here.rules, "staging", "shop")
    assert rule
    group = row(decided(found), "shop")
    assert group.best

    parts = rows_of(here, rule, found.at)

    assert group.best.images(rule) == (image("1.1.0", "web"), image("1.2.0", "cart"))
    assert [(one.service, one.best.version if one.best else "") for one in parts] == [
        ("web", "1.1.0"),
        ("cart", "1.2.0"),
    ]


def test_since_when_something_runs_is_the_ledgers_word_before_gits() -> None:
    moved = staged(shop(), BOTH)
    by_git = replace(world(moved, LISTED), stood_since=lambda _place: START - timedelta(days=3))

    move = moved.state.last_move("staging", "web")
    assert move
    assert by_git.current_since("staging", "web") == move.at
    assert by_git.current_since("production", "web") == START - timedelta(days=3)
