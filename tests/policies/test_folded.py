"""What single entries add up to: commits, marks, accounts; sightings, cards, counts; holds and what lifts them."""

from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import pytest

from policies.canonical import Json
from policies.entries.authors import MOVERS
from policies.entries.carried import carry
from policies.entries.entry import Beside, Bot, By, Entry, Kind, Pinned, RuleAt, parse_time, write_time
from policies.entries.remembered import ForgeId, Standing
from policies.entries.tables import Tables
from policies.ledger.by_hand import MergedBy, merged_by
from policies.ledger.emergency import earliest_due
from policies.ledger.state import Stage, State
from policies.rules.rules import EffectiveRule, effective
from tests.policies.ledger_builders import (
    IMAGE,
    RULES,
    START,
    at_stage,
    oid,
    person,
    pinned,
    rules,
    shown,
    story,
)

SIDE = "ghcr.io/example/side"


def _say(state: State, kind: Kind, **fields: Any) -> Entry:
    """Apply an entry whatever the validator has against it, as a verifier does after a refusal."""
    seq = state.seq + 1
    entry = Entry(**{"kind": kind, "at": write_time(START), "seq": seq, "key": f"k{seq}", **fields})
    state.apply(entry, oid(str(seq)))
    return entry


# --- every entry -------------------------------------------------------------------------------------------------


def test_a_copy_shares_no_table() -> None:
    state = State("2026")
    other = state.copy()
    tables = [
        one.name for one in fields(Tables) if not isinstance(getattr(state, one.name), str | int | None)
    ]

    assert len(tables) > 20
    for name in tables:
        assert getattr(other, name) is not getattr(state, name)


@pytest.mark.parametrize("kind", sorted(Kind), ids=str)
def test_a_commit_that_was_looked_at_moved_nothing(kind: Kind) -> None:
    state = State("2026")
    _say(state, kind, environment="staging", service="web", commit=oid("c"))
    looks = {Kind.GENESIS, Kind.RULES, Kind.HEALTHY, Kind.UNHEALTHY, Kind.CONFIG}

    assert dict(state.commits) == ({} if kind in looks else {oid("c"): 1})
    assert dict(state.ours) == ({} if kind in {*looks, Kind.EXTERNAL} else {oid("c"): 1})


def test_a_commit_is_of_the_entry_that_named_it_first() -> None:
    state = State("2026")
    for _ in range(2):
        _say(state, Kind.BUMP, environment="staging", service="web", commit=oid("c"))

    assert (state.commits[oid("c")], state.ours[oid("c")]) == (1, 1)


@pytest.mark.parametrize("kind", sorted(set(Kind) - {Kind.SEEN}), ids=str)
def test_an_entry_marks_the_services_that_it_is_about(kind: Kind) -> None:
    state = State("2026")
    beside = (Beside("cart", (pinned("1.1.0"),), (), RuleAt(oid("r"), (), "")),) if kind is Kind.BUMP else ()
    entry = _say(state, kind, environment="staging", service="web", also=beside)
    silent = kind in {Kind.SHOWN, Kind.REFUSED, Kind.QUARANTINE}

    about = {"web": entry, "cart": entry} if beside else {"web": entry}
    assert dict(state.marks) == ({} if silent else about)


def test_a_sighting_marks_the_services_that_were_seen_and_rules_mark_all() -> None:
    found = story()
    rules_entry = found.state.marks[""]
    assert rules_entry.kind is Kind.RULES

    seen = found.add(found.seen("1.1.0"))
    assert dict(found.state.marks) == {"": rules_entry, "web": seen}


def test_an_account_is_remembered_under_the_login_that_it_had_first() -> None:
    state = State("2026")
    by = By("ada", "button", "T0", "U0ADA")
    _say(state, Kind.HOLD, service="web", by=by)
    _say(state, Kind.HOLD, service="web", by=Bot())
    assert state.forge_ids == {}

    for number, login, met in ((7, "ada", "ada"), (7, "ada-l", "ada"), (8, "ada-2", "ada-2")):
        _say(state, Kind.HOLD, service="web", by=replace(by, forge_id=number, forge_login=login))
        assert state.forge_ids == {"ada": ForgeId(number, met)}


def test_words_are_remembered_with_the_entry_that_says_them() -> None:
    state = State("2026")
    at = "2026-11-26T00:00:00Z"
    _say(state, Kind.HOLD, at=at, service="web", note="an incident")
    _say(state, Kind.HOLD, at=at, service="web")

    assert dict(state.worded) == {1: True}


# --- facts -------------------------------------------------------------------------------------------------------


def test_a_first_entry_carries_an_old_year_and_names_what_was_empty() -> None:
    found = at_stage(Stage.OPEN)
    carried = carry(found.state, found.entries, found.at)
    state = State("2027")
    entry = _say(state, Kind.GENESIS, carried=carried, signer="key", evidence={"empty": ["cart"]})

    assert state.live == found.state.live
    assert state.rules == found.state.rules
    assert (state.genesis, state.signer, state.empty) == (entry, "key", {"cart": True})
    assert state.keys[entry.key] == 1


def test_what_cannot_be_read_of_an_old_year_is_not_carried() -> None:
    state = State("2027")
    entry = _say(state, Kind.GENESIS, carried={"tables": {"nonsense": []}}, signer="key")

    assert (dict(state.promotions), state.genesis, dict(state.keys)) == ({}, entry, {"k1": 1})


def test_what_is_seen_again_is_known_and_another_digest_of_a_tag_is_not() -> None:
    found = story()
    first = [found.seen(tag).seen[0] for tag in ("1.1.0", "1.2.0")]
    moved = replace(first[0], digest=pinned("moved").digest)
    for one in (*first, first[0], moved, moved):
        _say(found.state, Kind.SEEN, seen=(one,))

    assert list(found.state.sighted["web"]) == [*first, moved]
    assert [tag for _, _, tag in found.state.seen] == ["1.1.0", "1.2.0", f"1.1.0@{moved.digest}"]


def test_when_a_tag_was_built_is_remembered_of_those_that_were_seen() -> None:
    found = story()
    key = {"service": "web", "repository": IMAGE}
    row: dict[str, Json] = {**key, "at": write_time(START)}
    rows: list[Json] = [{**row, "tag": tag} for tag in ("1.1.0", "1.2.0")]
    rows += [{**key, "tag": "1.3.0", "at": "then"}, {**key, "tag": "1.3.0"}, 7]
    for tag in ("1.1.0", "1.3.0"):
        _say(found.state, Kind.SEEN, seen=found.seen(tag).seen, evidence={"built": rows})
    _say(found.state, Kind.SEEN, seen=found.seen("1.2.0").seen, evidence={"built": "1.2.0"})

    assert dict(found.state.built) == {("web", IMAGE, "1.1.0"): START}


def test_rules_that_rename_something_carry_it_over() -> None:
    found = at_stage(Stage.LANDED)
    told: Json = {"services": {"web": "shop"}}
    entry = _say(found.state, Kind.RULES, evidence={"renamed": told, "empty": ["cart"]})

    assert {service for _, service in found.state.moves} == {"shop"}
    assert (found.state.rules, found.state.empty) == (entry, {"cart": True})


def test_a_card_is_drawn_again_under_the_same_number() -> None:
    found = story()
    first = found.add(shown(seq=3)).shown[0]
    again = replace(first, message="1763.0002")
    _say(found.state, Kind.SHOWN, shown=(again,))
    assert found.state.shown["card/web"] == again

    _say(found.state, Kind.SHOWN, shown=(replace(first, seq=2),))
    assert found.state.shown["card/web"] == again


def test_a_move_by_hand_says_why_it_holds() -> None:
    found = story()
    entry = found.add(found.external("1.2.0", "staging", note="by hand"))

    assert found.state.holds == {
        ("staging", "web"): Standing(
            Bot(), entry.time, "by hand", "external", entry.time + timedelta(hours=24), entry.seq
        )
    }


def test_pull_requests_are_named_from_a_moment_on_each_once_with_its_address() -> None:
    page, decides = "https://forge.example/acme/config", parse_time("2026-11-26T00:00:00Z")
    told: dict[str, Json] = {
        "pulls": {oid("a"): [2, 0, -1, 1, True, "7"], oid("b"): [2], oid("c"): 9},
        "page": page,
    }

    def pulls(at: str, **evidence: Json) -> tuple[tuple[int, str], ...]:
        state = State("2026")
        where = {"environment": "production", "service": "web", "commit": oid("c")}
        entry = _say(state, Kind.EXTERNAL, at=at, why="guarded", evidence={**told, **evidence}, **where)
        return state.open[entry.seq].pulls

    assert pulls(write_time(decides)) == ((1, f"{page}/pull/1"), (2, f"{page}/pull/2"))
    assert pulls(write_time(decides - timedelta(seconds=1))) == ()
    assert pulls(write_time(decides), page=f"{page}/more") == ((1, ""), (2, ""))
    assert pulls(write_time(decides), page=7) == ((1, ""), (2, ""))
    assert pulls(write_time(decides), pulls=[1]) == ()


def test_what_is_open_says_by_whose_hands_it_came() -> None:
    told: Json = {"known": True, "people": ["ada"], "logins": ["ada-l"]}
    for kind in (Kind.EXTERNAL, Kind.CONFIG):
        state = State("2026")
        entry = _say(state, kind, environment="production", why="guarded", evidence={MOVERS: told})
        movers = state.open[entry.seq].movers
        assert movers
        assert movers.people == ("ada",)


def test_looks_are_counted_by_place_and_commit() -> None:
    found = story().staged("1.1.0")
    move = found.state.last_move("staging", "web")
    assert move
    for kind in (Kind.HEALTHY, Kind.UNHEALTHY, Kind.HEALTHY):
        found.add(found.health(kind))

    counted = {key: times for key, times in found.state.counts.items() if "healthy" in key}
    assert counted == {
        f"healthy/staging/web/{move.commit}": 2,
        f"unhealthy/staging/web/{move.commit}": 1,
    }


# --- holds, blocks, freezes --------------------------------------------------------------------------------------


def test_tags_whose_loss_was_told_add_up() -> None:
    state = State("2026")
    for told in (["1.0.0", "1.1.0"], ["1.2.0", 7], "1.3.0"):
        _say(state, Kind.HOLD, service="web", why="shrunk", evidence={"lost": told})
    _say(state, Kind.HOLD, service="web", by=person("ada"), evidence={"lost": ["1.4.0"]})
    _say(state, Kind.HOLD, service="cart", why="shrunk")

    assert state.lost == {"web": {"1.0.0", "1.1.0", "1.2.0"}}


OLD, NEW = pinned("1.1.0"), pinned("1.0.0")


def _held(state: State, **changes: Any) -> None:
    where = {"environment": "staging", "service": "web"}
    _say(state, Kind.HOLD, **{"why": "downgrade", "image": (NEW,), "previous": (OLD,), **where, **changes})
    _say(state, Kind.RESUME, by=person("ada"), at=write_time(START + timedelta(hours=1)), **where)


@pytest.mark.parametrize(
    ("changes", "answered"),
    [
        ({}, [("downgrade", NEW, OLD)]),
        ({"why": "age-unknown", "previous": ()}, [("age-unknown", NEW, NEW)]),
        ({"why": "evidence"}, []),
        ({"by": person("dan")}, []),
        ({"until": write_time(START + timedelta(hours=1))}, []),
        ({"until": write_time(START + timedelta(hours=1, seconds=1))}, [("downgrade", NEW, OLD)]),
        (
            {"image": (NEW, pinned("7.0.0", repository=SIDE))},
            [("downgrade", NEW, OLD)],
        ),
    ],
    ids=[
        "a step back",
        "an age that nobody knows",
        "what nobody answers for",
        "a hold by a person",
        "it was over",
        "it was about to be over",
        "more images than stood there",
    ],
)
def test_lifting_the_bot_s_doubt_answers_for_it(
    changes: dict[str, Any], answered: list[tuple[str, Pinned, Pinned]]
) -> None:
    state = State("2026")
    _held(state, **changes)

    assert state.holds == {}
    assert state.answered == {("staging", "web", *doubt): 2 for doubt in answered}


@pytest.mark.parametrize(
    ("by", "why", "taken"),
    [
        (Bot(), "digest-moved", True),
        (Bot(), "major-jump", True),
        (Bot(), "evidence", False),
        (person("dan"), "digest-moved", False),
        (person("dan"), "", False),
    ],
)
def test_lifting_the_bot_s_block_takes_on_what_it_found(by: By | Bot, why: str, *, taken: bool) -> None:
    state = State("2026")
    _say(state, Kind.BLOCK, service="web", image=(NEW,), by=by, why=why)
    entry = _say(state, Kind.UNBLOCK, service="web", image=(NEW,), by=person("ada"))

    assert state.blocks == {}
    assert state.unblocked == {("", "web", NEW): entry.time}
    assert state.accepted == ({("web", NEW): 2} if taken else {})
    assert state.is_accepted("web", NEW) is taken


# --- by hand, and afterwards -------------------------------------------------------------------------------------

MERGED: dict[str, Json] = {
    "id": 583,
    "login": "ada-l",
    "at": "2026-11-26T10:00:00Z",
    "looked": "2026-11-26T10:01:00Z",
}


def test_who_merged_is_read_from_the_entry_and_written_the_same() -> None:
    found = merged_by({"by_hand": MERGED})

    assert found == MergedBy(583, "ada-l", parse_time("2026-11-26T10:00:00Z"), "2026-11-26T10:01:00Z")
    assert found.as_json() == MERGED


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "583"},
        {"id": True},
        {"id": [583]},
        {"login": 7},
        {"at": 7},
        {"looked": 7},
        {"at": "then"},
        {"x": 1},
    ],
    ids=str,
)
def test_what_is_of_another_form_names_nobody(changes: dict[str, Json]) -> None:
    assert merged_by({"by_hand": {**MERGED, **changes}}) is None


def _rule(review: str) -> EffectiveRule:
    text = RULES.replace(
        "release-managers\n", f"release-managers\n    rollback: {{approvals: 1{review}}}\n", 1
    )
    found = effective(rules(text), "production", "web")
    assert found
    return found


def test_of_several_rules_the_first_that_wants_a_review_says_when() -> None:
    silent, early, late = _rule(""), _rule(", review: 1d"), _rule(", review: 2d")

    assert earliest_due([silent, late, early], START) == write_time(START + timedelta(days=1))
    assert earliest_due([silent, late], START) == write_time(START + timedelta(days=2))
    assert earliest_due([silent], START) == earliest_due([], START) == ""
