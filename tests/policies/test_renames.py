"""A rename keeps what is known: soak, holds, blocks, sightings; and nobody renames what is in use."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from policies import guards
from policies.canonical import Json
from policies.codes import Code
from policies.entries.entry import Bot, Entry, Kind, RuleAt, Sighting
from policies.entries.remembered import Event, Fortune, Seen, Span, Standing
from policies.entries.tables import Tables
from policies.growing import Trail
from policies.ledger.renames import Renames, carry, renames, renames_of
from policies.ledger.state import Stage
from policies.rules.hash import rules_hash
from tests.policies.ledger_builders import (
    FILES,
    FLAGS,
    RULES,
    START,
    Story,
    at_stage,
    hash_of,
    oid,
    person,
    pinned,
    rules,
    story,
)

CALLED_SHOP = RULES.replace("  web: {", "  shop: {was: [site, web], ")
CALLED_LIVE = RULES.replace("  production:\n", "  live:\n    was: [production]\n")


def _renamed(found: Story, text: str, **evidence: Json) -> Story:
    """Write down rules that rename something, as the bot does."""
    commit = oid(f"rules {len(found.book.line)}")
    found.book.line.append(commit)
    found.book.versions[commit] = rules(text)
    names = renames(found.book.versions[commit]).to_json()
    entry = found.rules_at(commit, evidence={"renamed": names, **evidence} if names or evidence else {})
    found.add(entry)
    return found


def _known() -> Story:
    found = at_stage(Stage.LANDED)
    found.add(found.health(Kind.HEALTHY, "production"))
    found.add(found.seen("1.2.0", before=True))
    found.add(found.stand(Kind.HOLD, person("dan"), environment="production"))
    found.add(found.stand(Kind.BLOCK, person("dan"), image=(pinned("1.2.0"),)))
    found.add(found.stand(Kind.FREEZE, person("dan")))
    found.add(found.external("1.3.0"))
    return found


def test_a_service_keeps_what_is_known_of_it_under_its_new_name() -> None:
    before = _known().state
    found = _renamed(_known(), CALLED_SHOP)
    state = found.state

    assert [one.seq for one in state.moves["production", "shop"]] == [
        one.seq for one in before.moves["production", "web"]
    ]
    assert state.health["production", "shop"] == before.health["production", "web"]
    assert state.befell("staging", "shop", pinned("1.1.0")) == before.befell(
        "staging", "web", pinned("1.1.0")
    )
    assert state.hold_on("production", "shop", found.at) is not None
    assert state.block_on(("production",), "shop", (pinned("1.2.0"),)) is not None
    assert (
        state.seen["shop", "ghcr.io/example/web", "1.1.0"].at
        == before.seen["web", "ghcr.io/example/web", "1.1.0"].at
    )
    assert [one.tag for one in state.sighted["shop"]] == ["1.1.0", "1.2.0"]
    assert [one.service for one in state.open.values()] == ["shop"]
    for table in (state.moves, state.health, state.holds, state.blocks, state.sighted, state.seen):
        assert not any("web" in key for key in table if not isinstance(key, str))


def test_when_it_was_held_is_known_under_its_new_name() -> None:
    found = _known()
    span = (Span(found.at, found.at + timedelta(hours=1)),)
    found.state.stood["production", "web", None] = span

    assert _renamed(found, CALLED_SHOP).state.stood == {("production", "shop", None): span}


def test_an_environment_keeps_its_freeze_and_its_moves() -> None:
    before = _known().state
    found = _renamed(_known(), CALLED_LIVE)

    assert found.state.freeze_on("live", found.at) == before.freeze_on("production", found.at)
    assert found.state.moves["live", "web"] == before.moves["production", "web"]
    assert found.state.moves["staging", "web"] == before.moves["staging", "web"]
    assert [one.environment for one in found.state.open.values()] == ["live"]


def test_said_twice_is_said_once() -> None:
    found = _renamed(_known(), CALLED_SHOP)
    moves, holds = found.state.moves["production", "shop"], dict(found.state.holds)

    _renamed(found, CALLED_SHOP + "# again\n")

    assert found.state.moves["production", "shop"] == moves
    assert found.state.holds == holds


def test_what_happened_under_both_names_is_in_its_order() -> None:
    found = _known()
    old = found.state.moves["production", "web"]
    other = [replace(old[0], seq=1), replace(old[0], seq=10**6)]
    found.state.moves["production", "shop"] = Trail(other)
    first = found.state.seen["web", "ghcr.io/example/web", "1.1.0"]
    found.state.seen["shop", "ghcr.io/example/web", "1.1.0"] = replace(first, at=found.at)

    _renamed(found, CALLED_SHOP)

    seqs = [one.seq for one in found.state.moves["production", "shop"]]
    assert seqs == sorted(seqs)
    assert len(seqs) == len(old) + 2
    assert found.state.seen["shop", "ghcr.io/example/web", "1.1.0"].at == first.at


def test_a_name_in_use_is_no_old_name_and_the_first_who_claims_one_has_it() -> None:
    text = RULES.replace("  web: {", "  web: {was: [cart, old], ").replace(
        "  cart: {", "  cart: {was: [old], "
    )

    assert renames(rules(text)) == Renames({"old": "web"}, {})
    assert renames(rules()).to_json() == {}


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"renamed": {"services": {"web": "cart"}}},
        {"renamed": {"services": {"web": "shop", "site": "shop"}, "environments": {"staging": "production"}}},
        {"renamed": "web"},
    ],
    ids=["nothing", "another name", "too much", "a text"],
)
def test_a_rename_that_the_rules_do_not_say_is_refused(told: dict[str, Json]) -> None:
    found = _known()
    commit = oid("renamed")
    found.book.line.append(commit)
    found.book.versions[commit] = rules(CALLED_SHOP)
    rule = RuleAt(commit, FILES, rules_hash(found.book.versions[commit]))

    refusal = found.refusal(found.rules_at(commit, rule=rule, evidence=told))

    assert refusal is not None
    assert refusal.code is Code.RULE_MOVED


@pytest.mark.parametrize(
    "told",
    [None, "web", 7, [], {"services": "web"}, {"services": {"web": 7}}, {"environments": [1]}],
    ids=repr,
)
def test_nonsense_renames_nothing(told: Json | None) -> None:
    assert renames_of(told) == Renames()


def test_a_version_that_ran_under_the_old_name_may_be_merged_under_the_new_one() -> None:
    found = _renamed(story().staged("1.1.0"), CALLED_SHOP)
    rule = found.rule("production", "shop")
    about: dict[str, Any] = {
        "environment": "production",
        "service": "shop",
        "change": hash_of("c"),
        "rule": rule,
    }
    about |= {"image": (pinned("1.1.0"),)}
    asked = found.word(Kind.PROPOSE, person("carol"), previous=(pinned("1.0.0"),), head=oid("h"), **about)
    about |= {"promotion": found.add(found.identified(asked)).promotion}
    for name in ("ada", "bob"):
        found.add(found.word(Kind.APPROVE, person(name), **about))

    accounts: dict[str, Json] = {name: dict(FLAGS) for name in ("ada", "bob")}
    intent = found.word(Kind.INTENT, Bot(), head=oid("h"), evidence={"accounts": accounts}, **about)

    assert found.refusal(intent) is None, "it ran in staging"


# --- table by table ----------------------------------------------------------------------------------------------

BOTH = Renames({"web": "shop"}, {"production": "live"})
ANSWERS = datetime(2026, 11, 28, tzinfo=UTC)
OLD, NEW = ("production", "web"), ("live", "shop")
HELD = Standing(Bot(), START, "", "evidence", None, 3)
LATER = replace(HELD, seq=9)
DOUBT = ("downgrade", pinned("1.0.0"), pinned("1.1.0"))


def _carried(state: Tables, at: datetime = ANSWERS) -> Tables:
    carry(state, BOTH, at)
    return state


@pytest.mark.parametrize("other", [("production", "cart"), ("staging", "cart"), ("", "cart")], ids=str)
def test_each_table_of_places_reads_the_new_names_and_leaves_others_alone(other: tuple[str, str]) -> None:
    state, image = Tables("2026"), pinned("1.1.0")
    there = ("live" if other[0] == "production" else other[0], "cart")
    event = Trail([Event(3, Fortune.MOVED, START, image.digest)])
    for place in (OLD, other):
        state.events[(*place, image.repository, image.tag)] = event
        state.holds[place] = HELD
        state.blocks[(*place, image)] = HELD
        state.unblocked[(*place, image)] = START
        state.answered[(*place, *DOUBT)] = 3
        state.stood[(*place, None)] = (Span(START, ANSWERS),)

    _carried(state)

    places = {NEW, there}
    assert {(key[:2], key[2:]) for key in state.events} == {
        (place, (image.repository, image.tag)) for place in places
    }
    assert set(state.holds) == places
    assert set(state.blocks) == set(state.unblocked) == {(*place, image) for place in places}
    assert set(state.answered) == {(*place, *DOUBT) for place in places}
    assert set(state.stood) == {(*place, None) for place in places}


def test_each_table_of_services_reads_the_new_name_and_leaves_others_alone() -> None:
    state, image = Tables("2026"), pinned("1.1.0")
    for name in ("web", "cart"):
        key = (name, image.repository, image.tag)
        one = Sighting(name, image.repository, image.tag, image.digest)
        state.seen[key], state.built[key] = Seen(one, START), START
        state.sighted[name], state.before[name] = Trail([one]), ("1.0.0",)
        state.accepted[name, image] = 3
        state.empty[name], state.lost[name] = True, frozenset({"1.0.0"})

    _carried(state)

    names, tag = {"shop", "cart"}, (image.repository, image.tag)
    assert set(state.seen) == set(state.built) == {(name, *tag) for name in names}
    assert set(state.sighted) == set(state.before) == set(state.empty) == set(state.lost) == names
    assert set(state.accepted) == {(name, image) for name in names}


def test_each_table_of_environments_reads_the_new_name_and_leaves_others_alone() -> None:
    state = Tables("2026")
    for name in ("production", "staging"):
        state.freezes[name], state.unfrozen[name] = HELD, START
        state.configured[name] = oid(name)

    _carried(state)

    names = {"live", "staging"}
    assert set(state.freezes) == set(state.unfrozen) == set(state.configured) == names
    assert state.configured == {"live": oid("production"), "staging": oid("staging")}


@pytest.mark.parametrize("order", [(OLD, NEW), (NEW, OLD)], ids=["the old one first", "the new one first"])
def test_what_stands_under_the_new_name_already_stays(order: tuple[tuple[str, str], ...]) -> None:
    state = Tables("2026")
    for place in order:
        state.holds[place] = LATER if place == NEW else HELD

    assert _carried(state).holds == {NEW: LATER}


def test_what_a_person_answered_for_is_carried_over_from_a_moment_on() -> None:
    for at, place in ((ANSWERS, NEW), (ANSWERS - timedelta(seconds=1), OLD)):
        state = Tables("2026")
        state.answered[(*OLD, *DOUBT)] = 3

        assert _carried(state, at).answered == {(*place, *DOUBT): 3}


@pytest.mark.parametrize(
    ("at", "again"),
    [(ANSWERS, False), (ANSWERS - timedelta(days=1), True)],
    ids=["from then on", "before"],
)
def test_a_step_back_that_somebody_answered_for_is_not_held_again_under_the_new_name(
    at: datetime, *, again: bool
) -> None:
    found = story()
    found.at = at
    found.staged("1.1.0")
    found.add(found.seen("1.0.0"))
    first = _doubted(found, "web")
    assert found.refusal(first) is None
    found.add(first)
    found.add(found.stand(Kind.RESUME, person("ada"), environment="staging"))
    assert found.refusal(_doubted(found, "web"))

    _renamed(found, CALLED_SHOP)

    assert (found.refusal(_doubted(found, "shop")) is None) is again


def _doubted(found: Story, service: str) -> Entry:
    """Let the guard doubt the step from 1.1.0 back to 1.0.0 in staging."""
    step = guards.step_back(service, "staging", (pinned("1.0.0"),), (pinned("1.1.0"),), "1.0.0 is older")
    return guards.entry_of(step, at=found.at, first=found.at - timedelta(hours=1))
