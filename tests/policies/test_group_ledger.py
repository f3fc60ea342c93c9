"""What is made of a group's entries afterwards: notes, a new year, replays, the auditor's population."""

import json
from dataclasses import replace

import pytest

from policies.allowed.reperformed import judged
from policies.entries import gate_notes
from policies.entries.authors import Authors, together
from policies.entries.carried import carry, restore
from policies.entries.entry import EntryError, Kind, Member, Share, parse, shares
from policies.entries.promotion import version_of
from policies.gates import count_approvals, counts
from policies.ledger.population import population
from policies.ledger.state import State
from policies.rules.hash import rules_hash
from policies.rules.rules import effective, moving_rule
from policies.rules.shown import rule_lines, written
from policies.simulate import Outcome, simulate
from policies.verdict import Passed
from tests.policies.group_worlds import TEXT, about, asked, bump, image, landed, seen, shop, staged
from tests.policies.ledger_builders import START, Story, person, rules

BOTH = {"web": "1.1.0", "cart": "1.2.0"}


def test_images_are_told_apart_by_their_counts() -> None:
    images = tuple(image(tag, "web") for tag in ("1.0.0", "1.1.0", "1.2.0"))

    assert shares("web", (), images, ()) == (Share("web", images, ()),)
    assert shares("shop", (Member("web", 2), Member("cart", 1)), images, images[:2]) == (
        Share("web", images[:2], images[:2]),
        Share("cart", images[2:], ()),
    )


def test_a_member_without_images_is_no_member() -> None:
    found = seen(shop(), BOTH)
    line = json.loads(found.complete(bump(found, BOTH)).line())
    line["members"][0]["images"] = 0

    with pytest.raises(EntryError, match="web has no image"):
        parse(json.dumps(line, sort_keys=True, separators=(",", ":")).encode())


def test_many_services_are_counted_and_few_are_named() -> None:
    few = [Share(f"s{number}", (image("1.0.0", "web"),), ()) for number in range(6)]
    many = [*few, Share("s6", (image("1.0.0", "web"),), ())]

    assert version_of(few, "shop").startswith("s0 1.0.0, s1 1.0.0")
    assert version_of(many, "shop") == "7 services"
    assert version_of([Share("web", (), ())], "") == ""


def test_notes_of_gates_name_the_member() -> None:
    told = {
        "web": {"soak": "passed 2h"},
        "cart": {"soak": "passed 3h", "age": "skipped"},
        "no/name": {"age": "skipped"},
    }

    assert gate_notes.read({"gates": told}) == (
        ("age", "cart skipped"),
        ("soak", "cart passed 3h"),
        ("soak", "web passed 2h"),
    )
    many = {f"gate-{'a' * (1 + number)}": "skipped" for number in range(gate_notes.MAX_NOTES + 1)}
    assert gate_notes.read({"gates": {"web": many}}) == gate_notes.read({"gates": many}) == ()


def test_authors_of_several_are_all_of_them_or_not_known() -> None:
    ada = Authors(is_known=True, people=("ada",), logins=("ada-l",), unnamed=1)
    bob = Authors(is_known=True, people=("bob", "ada"), logins=("bob",))
    unknown = Authors(why="there is no forge to ask")

    assert together([]) is None
    assert together([ada]) is ada
    assert together([ada, bob]) == Authors(
        is_known=True, people=("ada", "bob"), logins=("ada-l", "bob"), unnamed=1
    )
    assert together([ada, unknown]) == Authors(
        people=("ada",), logins=("ada-l",), unnamed=1, why="there is no forge to ask"
    )


OWNED = TEXT.replace("approvals: 2 of release-managers", "approvals: 1 of owners").replace(
    "versions: 1.x}\n  cart: {", "versions: 1.x, owner: ada}\n  cart: {owner: bob, "
)


def _counted(text: str, *people: str) -> list[tuple[tuple[str, ...], bool]]:
    found = asked(shop(text), BOTH)
    for name in people:
        found.add(about(found, Kind.APPROVE, person(name)))
    in_force = found.book.versions[found.book.line[0]]
    rule = moving_rule(in_force, "production", "shop")
    assert rule
    promotion = found.promotion("production", "shop")
    told = counts(in_force, rule, promotion)
    whole = count_approvals(in_force, rule, promotion)
    assert whole.is_complete == all(one.is_complete for _, one in told)
    return [(names, one.is_complete) for names, one in told]


def test_lines_that_ask_the_same_of_the_same_people_are_one() -> None:
    assert _counted(TEXT, "ada") == [(("web", "cart"), False)]
    assert _counted(TEXT, "ada", "bob") == [(("web", "cart"), True)]
    assert _counted(OWNED) == [(("web",), False), (("cart",), False)]
    assert _counted(OWNED, "ada") == [(("web",), True), (("cart",), False)]


def test_a_rule_without_the_members_has_nobody_who_could_approve() -> None:
    found = asked(shop(), BOTH)
    in_force = found.book.versions[found.book.line[0]]
    alone = effective(in_force, "production", "web")
    assert alone

    assert not count_approvals(in_force, alone, found.promotion("production", "shop")).is_complete


def test_a_new_year_carries_an_open_group_over() -> None:
    found = asked(landed(shop(), BOTH), {"cart": "1.3.0"})
    carried = carry(found.state, found.entries, found.at)
    state = State("2027")

    restore(state, carried)

    assert state.live == found.state.live
    assert state.under_way() == found.state.under_way()
    assert dict(state.moves.items()) == dict(found.state.moves.items())


def test_what_was_asked_of_each_member_is_asked_again() -> None:
    found = Story(shop().book)
    for _, entry in seen(shop(), BOTH).entries:
        found.add(replace(entry, seq=0, prev="", key="", at=""))
    entry = found.complete(bump(found, BOTH))

    said = judged(found.state, entry, found.book)

    assert {one.service for one in said} == {"web", "cart"}
    assert all(isinstance(one.verdict, Passed) for one in said)


def test_a_group_is_one_change_of_the_population() -> None:
    found = landed(shop(), BOTH)

    changes = population(found.state, found.entries)

    assert [(one.service, len(one.image)) for one in changes] == [("shop", 2), ("shop", 2)]


def test_changed_rules_judge_each_member_of_a_move() -> None:
    found = landed(shop(), BOTH)
    changed = rules(TEXT.replace("    approvals: 2", "    exceptions: {cart: {soak: 2h}}\n    approvals: 2"))
    old = found.book.versions[found.book.line[0]]

    def replayed(new: str | None = None) -> list[tuple[Outcome, str, str]]:
        simulation = simulate(
            "2026",
            found.entries,
            old=found.book.rules,
            new=changed if new is None else old,
            baseline=lambda *place: found.book.stood[place[1], place[2]],
            since=START,
            until=found.at,
            stood_since=lambda *_: None,
        )
        return [(one.outcome, one.environment, one.service) for one in simulation.differences]

    assert replayed("old") == []
    assert replayed() == [(Outcome.LATER, "production", "cart")]


def test_a_group_s_request_is_let_through_as_one_or_not_at_all() -> None:
    found = asked(shop(), BOTH)
    found.add(about(found, Kind.APPROVE, person("ada")))
    found.add(about(found, Kind.REJECT, person("bob")))
    fewer = TEXT.replace("approvals: 2 of", "approvals: 1 of")
    alone = fewer.replace("groups: {shop: [web, cart]}\n", "").replace(
        "  cart: {image: ghcr.io/example/cart, versions: 1.x}\n", ""
    )

    def replayed(text: str) -> list[tuple[Outcome, str, str]]:
        simulation = simulate(
            "2026",
            found.entries,
            old=found.book.rules,
            new=rules(text),
            baseline=lambda *place: found.book.stood[place[1], place[2]],
            since=START,
            until=found.at,
            stood_since=lambda *_: None,
        )
        return [(one.outcome, one.environment, one.service) for one in simulation.differences]

    assert replayed(fewer) == [(Outcome.ALLOWED, "production", name) for name in ("web", "cart")]
    assert replayed(alone) == [(Outcome.STOPPED, "staging", "cart")]


def test_a_member_s_rule_says_its_group_and_where_that_is_written() -> None:
    found = rules(TEXT)
    web, search = effective(found, "staging", "web"), effective(found, "staging", "search")
    assert web
    assert search

    told = {key: (value, place) for key, value, place in written(rule_lines(web, found.provenance))}
    assert told["group"] == ("web, cart", "promotion/rules.yaml:8:10 (own)")
    assert "group" not in {one.key for one in rule_lines(search, found.provenance)}


def test_the_hash_of_all_rules_has_groups_in_it() -> None:
    assert rules_hash(rules(TEXT)) != rules_hash(rules(TEXT.replace("groups: {shop: [web, cart]}\n", "")))


def test_a_staged_group_is_in_the_places_of_its_members() -> None:
    found = staged(shop(), BOTH)

    assert set(found.state.moves) == {("staging", "web"), ("staging", "cart")}
