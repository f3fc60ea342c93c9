"""The state is what the entries add up to, and nothing else."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.entries.entry import Bot, Entry, Kind, Pinned, write_time
from policies.ledger.state import (
    ENDINGS,
    LIVE,
    TRANSITIONS,
    Stage,
    Standing,
    State,
    fold,
    history,
    is_same,
)
from tests.policies.ledger_builders import RULES as TEXT
from tests.policies.ledger_builders import (
    START,
    Story,
    at_stage,
    change_rules,
    hash_of,
    oid,
    person,
    pinned,
    shown,
    story,
)


def _random_story(choices: list[int]) -> Story:
    """Grow a ledger by whatever of a list of words the validator lets through."""
    found = story().staged("1.1.0")
    offers: list[Callable[[], Entry]] = [
        lambda: found.seen(f"1.{2 + len(found.entries)}.0"),
        lambda: found.propose("1.1.0"),
        lambda: found.about(Kind.APPROVE, person("ada")),
        lambda: found.about(Kind.APPROVE, person("bob")),
        lambda: found.about(Kind.UNAPPROVE, person("ada")),
        lambda: found.about(Kind.INTENT),
        lambda: found.about(Kind.ABORT),
        lambda: found.about(Kind.MERGED),
        lambda: found.about(Kind.LANDED),
        lambda: found.about(Kind.VOID, change=hash_of(str(found.state.seq))),
        lambda: found.about(Kind.REBASED),
        lambda: found.about(Kind.REJECT, person("ada")),
        lambda: found.rollback("1.0.0"),
        lambda: found.stand(Kind.HOLD, person("dan")),
        lambda: found.stand(Kind.RESUME, person("dan")),
        lambda: found.stand(Kind.FREEZE, person("ada")),
        lambda: found.stand(Kind.UNFREEZE, person("bob")),
        lambda: found.external("1.1.0", "staging"),
    ]
    for choice in choices:
        offer = offers[choice % len(offers)]
        needs_one = choice % len(offers) in {2, 3, 4, 5, 6, 7, 8, 9, 10, 11}
        if needs_one and not found.state.promotions:
            continue
        entry = offer()
        if found.refusal(entry) is None:
            found.add(entry)
    return found


STORIES = st.lists(st.integers(0, 17), max_size=25).map(_random_story)


@given(STORIES)
def test_folding_is_a_function_of_the_entries(found: Story) -> None:
    assert fold("2026", found.entries) == found.state == fold("2026", list(found.entries))


@given(STORIES)
def test_a_copy_grows_without_touching_what_it_came_from(found: Story) -> None:
    before = fold("2026", found.entries)
    other = found.state.copy()
    assert other == found.state
    for name, entry in found.entries[1:]:
        other.apply(replace(entry, commit=entry.commit and oid("other")), name)

    assert found.state == before


@given(STORIES)
def test_one_promotion_at_most_is_under_way_in_a_place(found: Story) -> None:
    live = [one for one in found.state.promotions.values() if one.is_live]

    assert {(one.environment, one.service): one.id for one in live} == found.state.live
    assert len(live) == len(found.state.live)


@given(STORIES)
def test_nothing_merges_without_its_lines_filled(found: Story) -> None:
    for one in found.state.promotions.values():
        if one.stage in {Stage.MERGING, Stage.MERGED, Stage.LANDED}:
            people = [approval.by.person for approval in one.approvals]
            assert len(set(people)) == len(people) >= (1 if one.is_rollback else 2)
            assert one.is_rollback or "carol" not in people


@given(STORIES)
def test_every_key_is_known_with_its_number(found: Story) -> None:
    assert found.state.keys == {entry.key: entry.seq for _, entry in found.entries}


@pytest.mark.parametrize("stage", Stage, ids=str)
def test_every_stage_can_be_reached(stage: Stage) -> None:
    now = at_stage(stage).promotion()

    assert now.stage is stage
    assert now.is_live is (stage in LIVE)


@pytest.mark.parametrize("kind", Kind, ids=str)
@pytest.mark.parametrize("stage", Stage, ids=str)
def test_each_pair_of_stage_and_kind_leads_where_the_table_says(stage: Stage, kind: Kind) -> None:
    """What is not in the table leaves the stage as it is, but for the ends, which say it by their name."""
    found = at_stage(stage)
    now = found.promotion()
    ends = {Kind.REJECT: Stage.REJECTED, Kind.CANCEL: Stage.CANCELLED, Kind.ENDED: Stage.CLOSED}
    lands = {Kind.LANDED: Stage.LANDED, Kind.MISMATCH: Stage.MISMATCH}
    entry = replace(found.about(kind, Bot()), seq=found.state.seq + 1, at=write_time(found.at), key="k")
    entry = replace(entry, why="closed") if kind is Kind.ENDED else entry
    if kind is Kind.EMERGENCY and stage is Stage.OPEN:
        ends[kind] = Stage.SUPERSEDED  # it takes the place of what is open there
    if kind in {Kind.PROPOSE, Kind.ROLLBACK, Kind.EMERGENCY}:
        entry = replace(entry, promotion="f" * 12, rule=now.rule, image=now.image, previous=now.previous)

    found.state.apply(entry, oid("next"))

    after = found.state.promotions[now.id].stage
    assert after is TRANSITIONS.get((stage, kind), {**ends, **lands}.get(kind, stage))


def test_a_stage_that_has_ended_has_no_way_on() -> None:
    assert {stage for stage, _ in TRANSITIONS} <= LIVE
    assert set(ENDINGS.values()) == set(Stage) - LIVE - {
        Stage.LANDED,
        Stage.MISMATCH,
        Stage.REJECTED,
        Stage.CANCELLED,
    }


def test_a_void_empties_every_line_and_begins_the_time_anew() -> None:
    found = at_stage(Stage.OPEN)
    entry = found.add(found.about(Kind.VOID))
    now = found.promotion()

    assert now.approvals == ()
    assert (now.change, now.head, now.image) == (entry.change, entry.head, entry.image)
    assert now.refreshed == entry.time
    assert now.why == "digest-moved"


def test_an_abort_counts_and_a_new_head_begins_to_count_anew() -> None:
    found = at_stage(Stage.MERGING)
    aborted = found.add(found.about(Kind.ABORT))
    assert (found.promotion().attempts, found.promotion().attempted) == (1, aborted.time)

    found.add(found.about(Kind.REBASED))
    assert found.promotion().attempts == 0


def test_an_unapproval_leaves_the_others() -> None:
    found = at_stage(Stage.OPEN)
    found.add(found.about(Kind.UNAPPROVE, person("ada")))

    assert [one.by.person for one in found.promotion().approvals] == ["bob"]


def test_a_rollback_blocks_what_it_leaves_there_and_after() -> None:
    found = at_stage(Stage.LANDED)
    found.add(found.rollback("1.0.0"))

    assert found.state.block_on(["production"], "web", (pinned("1.1.0"),))
    assert found.state.block_on(["production"], "web", (pinned("1.1.0", digest=""),))
    assert not found.state.block_on(["staging"], "web", (pinned("1.1.0"),))
    assert not found.state.block_on(["production"], "cart", (pinned("1.1.0"),))
    assert not found.state.block_on(["production"], "web", (pinned("1.0.0"),))


def test_a_rollback_that_did_not_happen_blocks_nothing() -> None:
    found = at_stage(Stage.LANDED)
    found.add(found.rollback("1.0.0"))
    found.add(found.about(Kind.CANCEL, person("bob")))

    assert found.state.blocks == {}


def test_a_rollback_that_did_not_happen_leaves_a_block_that_was_there() -> None:
    found = at_stage(Stage.LANDED)
    found.add(found.stand(Kind.BLOCK, person("dan"), environment="production", image=(pinned("1.1.0"),)))
    found.add(found.rollback("1.0.0"))
    found.add(found.about(Kind.CANCEL, person("bob")))

    assert found.state.block_on(["production"], "web", (pinned("1.1.0"),))


def test_a_rollback_by_commit_has_landed_at_once() -> None:
    found = story().staged("1.1.0")
    entry = found.add(found.rollback("1.0.0", environment="staging"))
    move = found.state.last_move("staging", "web")

    assert found.promotion("staging").stage is Stage.LANDED
    assert found.state.live_at("staging", "web") is None
    assert move
    assert (move.commit, move.image) == (entry.commit, entry.image)


def test_a_mismatch_freezes_and_waits_for_somebody_who_had_no_part() -> None:
    found = at_stage(Stage.MISMATCH)

    opened = next(iter(found.state.open.values()))
    assert found.state.freeze_on("production", found.at + timedelta(days=99))
    assert opened.people == {"ada", "bob", "carol"}


def test_a_review_closes() -> None:
    found = at_stage(Stage.MISMATCH)
    closes = next(iter(found.state.open))
    found.add(found.word(Kind.REVIEW, person("dan"), closes=closes, note="looked at it"))

    assert found.state.open == {}


def test_a_move_by_hand_holds_for_a_day_where_nobody_is_asked() -> None:
    found = story()
    entry = found.add(found.external("1.2.0", "staging"))

    assert found.state.hold_on("staging", "web", entry.time + timedelta(hours=23))
    assert not found.state.hold_on("staging", "web", entry.time + timedelta(hours=24))
    assert found.state.open == {}


def test_a_move_by_hand_never_shortens_a_hold() -> None:
    found = story()
    found.add(found.stand(Kind.HOLD, person("dan"), environment="staging"))
    found.add(found.external("1.2.0", "staging"))

    hold = found.state.hold_on("staging", "web", found.at + timedelta(days=9))
    assert hold
    assert hold.by == person("dan")


def test_a_move_by_hand_makes_a_short_hold_longer() -> None:
    found = story()
    until = write_time(found.at + timedelta(hours=1))
    found.add(found.stand(Kind.HOLD, person("dan"), environment="staging", until=until))
    found.add(found.external("1.2.0", "staging"))

    assert found.state.hold_on("staging", "web", found.at + timedelta(hours=9))


def test_a_guarded_move_by_hand_waits_for_its_review() -> None:
    found = story()
    entry = found.add(found.external("1.2.0"))

    assert found.state.open[entry.seq].commit == entry.commit
    assert not found.state.hold_on("production", "web", found.at)


def test_a_hold_everywhere_holds_everywhere_until_it_is_lifted() -> None:
    found = story()
    found.add(found.stand(Kind.HOLD, person("dan")))
    assert found.state.hold_on("staging", "web", found.at)
    assert not found.state.hold_on("staging", "cart", found.at)

    found.add(found.stand(Kind.RESUME, person("dan")))
    assert not found.state.hold_on("staging", "web", found.at)


def test_a_resume_in_one_place_leaves_the_others() -> None:
    found = story()
    for name in ("staging", "production"):
        found.add(found.stand(Kind.HOLD, person("dan"), environment=name))
    found.add(found.stand(Kind.RESUME, person("dan"), environment="staging"))

    assert list(found.state.holds) == [("production", "web")]


def test_an_unblock_lifts_the_version_everywhere() -> None:
    found = at_stage(Stage.LANDED)
    found.add(found.rollback("1.0.0"))
    found.add(found.stand(Kind.BLOCK, person("ada"), image=(pinned("1.1.0", digest=""),)))
    found.add(found.stand(Kind.BLOCK, person("ada"), image=(pinned("1.2.0", digest=""),)))
    found.add(found.stand(Kind.UNBLOCK, person("ada"), image=(pinned("1.1.0", digest=""),)))

    assert [place[2].tag for place in found.state.blocks] == ["1.2.0"]


def test_a_freeze_ends_by_itself_or_by_a_word() -> None:
    found = story()
    found.add(found.stand(Kind.FREEZE, person("dan"), until=write_time(found.at + timedelta(hours=1))))
    assert found.state.freeze_on("production", found.at)
    assert not found.state.freeze_on("production", found.at + timedelta(hours=2))

    found.add(found.stand(Kind.UNFREEZE, person("dan")))
    assert found.state.freezes == {}


@pytest.mark.parametrize(
    ("until", "outlasts"),
    [(None, True), (START, True), (START - timedelta(seconds=1), False)],
    ids=["for good", "the same end", "an earlier end"],
)
def test_one_standing_outlasts_another(until: datetime | None, outlasts: bool) -> None:  # noqa: FBT001  a table's column
    assert Standing(Bot(), START, "", "", until, 1).outlasts(START) is outlasts


def test_the_first_sighting_stays() -> None:
    found = story()
    first = found.add(found.seen("1.1.0", before=True))
    again = found.seen("1.1.0")
    found.add(again)

    seen = found.state.seen["web", "ghcr.io/example/web", "1.1.0"]
    assert seen.sighting.before
    assert seen.at == first.time


def test_a_card_is_where_it_was_drawn_last() -> None:
    found = story()
    for seq in (1, 3, 2):
        found.add(shown(seq=seq))

    assert found.state.shown["card/web"].seq == 3


def test_services_without_a_version_are_remembered() -> None:
    found = story()
    commit = found.book.line[0]
    entry = replace(found.rules_at(commit), evidence={"empty": ["web"]})
    found.state.apply(entry, oid("x"))

    assert found.state.empty == {"web": True}
    found.state.apply(replace(entry, evidence={"empty": "web"}), oid("y"))
    assert found.state.empty == {"web": True}


def test_only_moves_of_others_are_not_ours() -> None:
    found = story().staged("1.1.0")
    mine = found.state.last_move("staging", "web")
    entry = found.add(found.external("1.2.0"))

    assert mine
    assert set(found.state.ours) == {mine.commit}
    assert set(found.state.commits) == {mine.commit, entry.commit}


def test_a_change_of_rules_is_what_is_in_force() -> None:
    found = story()
    commit = change_rules(found, TEXT.replace("2 of", "1 of"))

    assert found.state.rules
    assert found.state.rules.commit == commit


@pytest.mark.parametrize("kind", sorted(Kind), ids=str)
def test_an_entry_about_nothing_known_changes_nothing_but_the_line(kind: Kind) -> None:
    """What a verifier applies after a refusal must not stop it."""
    state = State("2026")

    state.apply(Entry(kind=kind, at="2026-11-23T10:00:00Z", key="k", seq=1, promotion="0" * 12), oid("x"))

    assert (state.seq, state.tip, dict(state.promotions)) == (1, oid("x"), {})


def test_the_history_of_a_place_is_its_moves() -> None:
    found = story().staged("1.1.0", "1.2.0")

    assert [move.image[0].tag for move in history(found.state.moves, "staging", "web")] == ["1.1.0", "1.2.0"]
    assert history(found.state.moves, "production", "web") == ()
    assert found.state.last_move("production", "web") is None


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (pinned("1"), pinned("1"), True),
        (pinned("1"), pinned("1", digest=""), True),
        (pinned("1"), pinned("1", digest=pinned("2").digest), False),
        (pinned("1"), pinned("2", digest=pinned("1").digest), False),
        (pinned("1"), pinned("1", repository="a"), False),
    ],
    ids=["equal", "not known", "another digest", "another tag", "another repository"],
)
def test_two_pins_mean_the_same_as_far_as_they_are_known(one: Pinned, other: Pinned, same: bool) -> None:  # noqa: FBT001  a table's column
    assert is_same(one, other) is is_same(other, one) is same
