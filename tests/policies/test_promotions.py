"""A promotion is what its entries tell: who ended it, what it blocks, what befell its images, its words."""

from dataclasses import replace
from typing import Any

import pytest

from policies.canonical import Json
from policies.entries.carried import carry, restore
from policies.entries.entry import Bot, By, Entry, Kind, Pinned, Share, content_of, write_time
from policies.entries.promotion import LIVE, Promotion, Stage, part_in, spoke_in, version_of
from policies.entries.remembered import Fortune, Span
from policies.ledger.state import State
from tests.policies.ledger_builders import Story, at_stage, hash_of, oid, person, pinned, story
from tests.policies.test_humans import TODAY, _called

SIDE = "ghcr.io/example/side"


def _say(found: Story, entry: Entry) -> Entry:
    """Apply an entry whatever the validator has against it, as a verifier does after a refusal."""
    whole = replace(entry, seq=found.state.seq + 1, key=entry.key or f"k{found.state.seq}")
    whole = replace(whole, at=whole.at or write_time(found.at))
    found.state.apply(whole, oid(whole.key))
    return whole


def _befell(found: Story, environment: str, image: Pinned) -> list[Fortune]:
    return [one.what for one in found.state.befell(environment, "web", image)]


# --- what it is --------------------------------------------------------------------------------------------------


NAMES = "open merging merged landed mismatch rejected cancelled expired superseded removed closed"


def test_stages_are_carried_over_by_these_names() -> None:
    live = {str(stage) for stage in Stage if replace(at_stage(stage).promotion(), stage=stage).is_live}

    assert [str(stage) for stage in Stage] == NAMES.split()
    assert live == {"open", "merging", "merged"} == LIVE


@pytest.mark.parametrize("stage", Stage, ids=str)
def test_a_new_year_knows_how_far_each_is(stage: Stage) -> None:
    found = at_stage(stage)
    carried = carry(found.state, found.entries, found.at)
    other = State("2027")
    restore(other, carried)

    assert other.promotions[found.promotion().id] == found.promotion()
    assert f"'stage': '{stage}'" in str(carried) or stage is Stage.OPEN


def test_a_promotion_that_was_just_opened_has_nothing_behind_it() -> None:
    found = story().staged("1.1.0")
    entry = found.add(found.propose("1.1.0", note="please"))
    assert entry.rule

    assert found.promotion().is_live
    assert found.promotion() == Promotion(
        id=entry.promotion,
        kind=Kind.PROPOSE,
        environment="production",
        service="web",
        image=(pinned("1.1.0"),),
        previous=(pinned("1.0.0"),),
        change=entry.change,
        rule=entry.rule,
        head=entry.head,
        heads=(entry.head,),
        by=person("carol"),
        opened=entry.time,
        note="please",
        seq=entry.seq,
        stage=Stage.OPEN,
        authors=None,
        approvals=(),
        refreshed=None,
        intent="",
        intent_key="",
        gates=(),
        cleared=None,
        merger="",
        attempts=0,
        attempted=None,
        reviews=0,
        commit="",
        ended_by=None,
        ended_note="",
        why="",
        done=None,
        members=(),
    )


def test_a_version_is_named_by_its_first_image() -> None:
    image = (pinned("1.1.0"), pinned("7.0.0", repository=SIDE))

    assert version_of([Share("web", image, ())], "") == "1.1.0"
    assert (
        version_of([Share("web", image, ()), Share("cart", image[1:], ())], "shop") == "web 1.1.0, cart 7.0.0"
    )


def test_who_asked_and_who_approved_had_a_part() -> None:
    found = at_stage(Stage.OPEN)

    assert part_in(found.promotion()) == {"ada", "bob", "carol"}
    assert [one.person for one in spoke_in(found.promotion())] == ["carol", "ada", "bob"]
    assert part_in(replace(found.promotion(), by=Bot())) == {"ada", "bob"}


# --- what ended it -----------------------------------------------------------------------------------------------


ENDS: dict[str, tuple[Stage, By | Bot, str, str]] = {
    "landed": (Stage.LANDED, Bot(), "", ""),
    "mismatch": (Stage.MISMATCH, Bot(), "", "other-files"),
    "rejected": (Stage.REJECTED, person("ada"), "not today", ""),
    "cancelled": (Stage.CANCELLED, person("carol"), "", ""),
    "expired": (Stage.EXPIRED, Bot(), "", "expired"),
    "closed": (Stage.CLOSED, Bot(), "", "closed"),
}


@pytest.mark.parametrize(("stage", "by", "note", "why"), ENDS.values(), ids=ENDS)
def test_it_is_known_who_ended_it_when_and_why(stage: Stage, by: By | Bot, note: str, why: str) -> None:
    found = at_stage(stage)
    now, (_, last) = found.promotion(), found.entries[-1]

    assert (now.ended_by, now.ended_note, now.why, now.done) == (by, note, why, last.time)
    assert found.state.live == {}


def test_an_emergency_takes_the_place_of_what_is_open_there() -> None:
    found = at_stage(Stage.OPEN)
    old = found.promotion()
    entry = _say(
        found,
        replace(found.propose("1.1.0", "dan", key="-"), kind=Kind.EMERGENCY, promotion="f" * 12, key="e"),
    )

    ended = found.state.promotions[old.id]
    assert (ended.stage, ended.why, ended.ended_by) == (Stage.SUPERSEDED, "emergency", person("dan"))
    assert found.state.live == {("production", "web"): "f" * 12}
    assert [one.by for one in found.promotion().approvals] == [person("dan")]
    assert found.state.open[entry.seq].promotion == "f" * 12


def test_an_emergency_leaves_alone_what_is_being_merged() -> None:
    found = at_stage(Stage.MERGING)
    old = found.promotion()
    _say(found, replace(found.propose("1.1.0", key="-"), kind=Kind.EMERGENCY, promotion="f" * 12, key="e"))

    assert found.state.promotions[old.id] == old


def test_what_came_out_otherwise_freezes_until_a_person_lifts_it() -> None:
    found = at_stage(Stage.MISMATCH)
    freeze, (_, entry) = found.state.freezes["production"], found.entries[-1]

    assert (freeze.by, freeze.note, freeze.why, freeze.until) == (Bot(), "", "mismatch", None)
    assert (freeze.at, freeze.seq) == (entry.time, entry.seq)


def test_when_a_freeze_stood_is_remembered_that_another_takes_the_place_of_while_people_may_merge() -> None:
    found = at_stage(Stage.MERGED)
    freeze = found.add(found.stand(Kind.FREEZE, person("dan")))
    cleared = replace(found.promotion(), id="f" * 12, stage=Stage.MERGING, cleared=found.at)
    found.state.promotions[cleared.id] = cleared
    found.state.live["production", "cart"] = cleared.id

    entry = _say(found, found.about(Kind.MISMATCH, promotion=found.state.live["production", "web"]))

    assert found.state.stood == {("production", "", None): (Span(freeze.time, entry.time),)}


# --- rollbacks ---------------------------------------------------------------------------------------------------


def _back() -> Story:
    found = at_stage(Stage.LANDED)
    found.add(found.rollback("1.0.0"))
    return found


def test_a_rollback_blocks_what_it_leaves_and_says_so() -> None:
    found = _back()
    (block,) = found.state.blocks.values()

    assert (block.by, block.note, block.why, block.until) == (
        person("bob"),
        "errors in checkout",
        "rolled-back",
        None,
    )


def test_a_rollback_that_came_out_otherwise_blocks_all_the_same() -> None:
    found = _back()
    for kind in (Kind.INTENT, Kind.MERGED, Kind.MISMATCH):
        found.add(found.about(kind))

    assert found.promotion().stage is Stage.MISMATCH
    assert [place[2] for place in found.state.blocks] == [pinned("1.1.0")]


def test_an_emergency_that_came_out_otherwise_waits_for_its_review_all_the_same() -> None:
    landed = _called()
    (opened,) = landed.state.open
    assert landed.state.open[opened].kind is Kind.EMERGENCY

    found = Story(landed.book, at=TODAY)
    for _, entry in landed.entries[:-1]:
        _say(found, entry)
    _say(found, found.about(Kind.MISMATCH))
    assert [one.kind for one in found.state.open.values()] == [Kind.EMERGENCY, Kind.MISMATCH]


def test_what_a_move_brings_and_what_a_way_back_leaves_befalls_each_image() -> None:
    found = at_stage(Stage.LANDED)
    assert _befell(found, "production", pinned("1.1.0")) == [Fortune.MOVED]
    assert _befell(found, "production", pinned("1.0.0")) == [], "a step on is no way back"

    found.add(found.rollback("1.0.0"))
    found.landed()

    assert _befell(found, "production", pinned("1.1.0")) == [Fortune.MOVED, Fortune.BACK]
    assert _befell(found, "production", pinned("1.0.0")) == [Fortune.MOVED]


def test_an_image_that_stays_where_it_is_is_not_left() -> None:
    found = story()
    stays = pinned("7.0.0", repository=SIDE)
    entry = found.rollback(
        "1.0.0",
        environment="staging",
        image=(pinned("1.0.0"), stays),
        previous=(pinned("1.1.0"), stays),
    )
    _say(found, entry)

    assert _befell(found, "staging", stays) == [Fortune.MOVED]
    assert _befell(found, "staging", pinned("1.1.0")) == [Fortune.BACK]


# --- words and attempts ------------------------------------------------------------------------------------------


def _undone(found: Story) -> dict[str, int]:
    told = {key: count for key, count in found.state.counts.items() if key.startswith("undone/")}
    now = found.promotion()
    prefix = f"undone/{now.id}/{now.change}/{now.rule.hash}/"
    return {key.removeprefix(prefix): count for key, count in told.items()}


def test_the_word_that_was_taken_back_counts_and_no_other() -> None:
    found = at_stage(Stage.OPEN)
    assert _undone(found) == {}

    found.add(found.about(Kind.UNAPPROVE, person("ada")))
    assert _undone(found) == {"ada": 1}

    found.add(found.about(Kind.APPROVE, person("ada")))
    found.add(found.about(Kind.UNAPPROVE, person("ada")))
    assert _undone(found) == {"ada": 2}


def test_a_word_that_is_given_again_takes_the_place_of_the_old_one() -> None:
    found = at_stage(Stage.OPEN)
    again = _say(found, found.about(Kind.APPROVE, person("ada")))

    assert [(one.by.person, one.seq) for one in found.promotion().approvals][1:] == [("ada", again.seq)]
    assert [one.by.person for one in found.promotion().approvals] == ["bob", "ada"]
    assert {one.review for one in found.promotion().approvals} == {0}, "they were given in Slack"
    assert _undone(found) == {"ada": 1}


def test_a_void_undoes_every_word_and_begins_to_count_anew() -> None:
    found = at_stage(Stage.MERGING)
    found.add(found.about(Kind.ABORT))
    before = found.promotion()
    assert before.attempts == 1
    found.add(found.about(Kind.VOID))

    assert (found.promotion().attempts, found.promotion().approvals) == (0, ())
    assert found.promotion().heads == (found.promotion().head,)
    prefix = f"undone/{before.id}/{before.change}/{before.rule.hash}"
    assert (found.state.count(f"{prefix}/ada"), found.state.count(f"{prefix}/bob")) == (1, 1)


def test_a_void_that_names_no_rule_changes_nothing() -> None:
    found = at_stage(Stage.OPEN)
    before = found.promotion()
    _say(found, found.about(Kind.VOID, rule=None))

    assert found.promotion() == before


@pytest.mark.parametrize(
    ("evidence", "asked"),
    [({}, 0), ({"reviews": 2}, 2), ({"reviews": "2"}, 0), ({"reviews": [2]}, 0)],
    ids=["not said", "two", "a text", "a list"],
)
def test_an_abort_says_how_many_reviews_the_forge_wants(evidence: dict[str, Json], asked: int) -> None:
    found = at_stage(Stage.MERGING)
    _say(found, found.about(Kind.ABORT, evidence=evidence))
    now = found.promotion()

    assert (now.stage, now.attempts, now.reviews, now.why) == (Stage.OPEN, 1, asked, "refused")
    assert found.state.count(f"abort/{now.id}/{now.head}") == 1


def test_what_the_bot_merged_has_no_person_who_did() -> None:
    found = at_stage(Stage.MERGED)

    assert (found.promotion().merger, found.promotion().commit) == ("", found.entries[-1][1].commit)


def test_who_merged_is_named_by_what_the_forge_said() -> None:
    found = at_stage(Stage.MERGING)
    told: dict[str, Json] = {"id": 583, "login": "ada-l", "at": write_time(found.at), "looked": "then"}
    _say(found, found.about(Kind.MERGED, evidence={"by_hand": told}))

    assert found.promotion().merger == "ada-l"


def test_each_head_of_a_change_is_remembered() -> None:
    found = at_stage(Stage.OPEN)
    first = found.promotion().head
    entry = found.add(found.about(Kind.REBASED))

    assert (found.promotion().head, found.promotion().heads) == (entry.head, (first, entry.head))


@pytest.mark.parametrize("kind", sorted(Kind), ids=str)
def test_a_person_s_word_about_nothing_known_changes_nothing_but_the_line(kind: Kind) -> None:
    """What a verifier applies after a refusal must not stop it."""
    found = story()
    about: dict[str, Any] = {"promotion": "0" * 12, "environment": "staging", "service": "web"}
    rule = None if kind in {Kind.PROPOSE, Kind.ROLLBACK, Kind.EMERGENCY} else found.rule("staging")
    _say(found, found.word(kind, person("ada"), rule=rule, **about))

    assert dict(found.state.promotions) == {}
    assert found.state.seq == 3


def test_how_often_a_change_was_asked_for_is_counted_by_what_it_brings() -> None:
    found = at_stage(Stage.CANCELLED)
    found.add(found.propose("1.1.0", change=hash_of("again")))
    counted = {key: times for key, times in found.state.counts.items() if key.startswith("propose/")}
    assert counted == {f"propose/production/web/{content_of((pinned('1.1.0'),), '')}": 2}
