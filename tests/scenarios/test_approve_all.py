"""``/promote approve all``: one list, one press, an approval for each; over HTTP, with real Git and the twins."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from handlers.slack.approve_all import words_of, written
from handlers.slack.bundles import MAX_ALL
from handlers.slack.strangers import NOBODY
from policies.ledger.state import Stage
from policies.words import Approve, Cancel, Propose
from sandbox.gitops import CHECKOUT, WEB
from tests.scenarios.rooms import Room, room_in

TYPED = "/promote approve all in production because the release is tested"
NOTHING = "Nothing waits for your approval in production."


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    """Let carol have asked for two services in production, where two others have to agree."""
    with room_in(tmp_path) as found:
        for service, version in ((CHECKOUT, "1.4.2"), (WEB, "2.5.0")):
            found.office.world.push(service, version)
        found.office.look()
        for service, version in ((CHECKOUT, "1.4.2"), (WEB, "2.5.0")):
            found.office.say("carol", Propose(service, version, "production"))
        found.office.look()
        yield found


def approved(room: Room) -> list[tuple[str, str]]:
    """Return who approved what, by service."""
    promotions = room.office.engine.look().state.promotions
    return sorted(
        (promotions[one.promotion].service, getattr(one.by, "person", ""))
        for one in room.office.entries("approve")
    )


def promotion_of(room: Room, service: str) -> str:
    return next(one.id for one in room.office.engine.look().state.under_way() if one.service == service)


def test_two_presses_of_two_people_approve_and_merge_all(room: Room) -> None:
    shown = room.listed(
        "ada", TYPED, "2 promotions wait for your approval in production; nothing is approved yet:"
    )
    assert "1.4.2" in str(shown.blocks)
    assert "0 of 2 approvals" in str(shown.blocks)
    assert approved(room) == []

    told = room.pressed("ada", shown, "Approve all 2", "Approved 2 of 2:")

    assert "1 of 2 approvals" in told
    assert approved(room) == [(CHECKOUT, "ada"), (WEB, "ada")]
    assert {one.note for one in room.office.entries("approve")} == {"the release is tested"}
    again = room.pressed("ada", shown, "Approve all 2", "Approved 0 of 2:")
    assert "Already approved by you" in again
    names = [promotion_of(room, one) for one in (CHECKOUT, WEB)]
    shown = room.listed("bob", TYPED, "2 promotions wait for your approval")
    assert "It is merged." in room.pressed("bob", shown, "Approve all 2", "Approved 2 of 2:")
    room.office.look()
    assert {room.office.stage(one) for one in names} == {Stage.LANDED}
    assert room.office.findings() == []
    room.listed("bob", TYPED, NOTHING)


def test_what_is_approved_before_anything_could_be_looked_at_is_told_all_the_same(room: Room) -> None:
    shown = room.listed("ada", TYPED, "2 promotions wait for your approval in production")
    engine = room.office.engine
    engine._look, engine._asks_first = None, True  # a new process, whose first pass asks registries still

    room.pressed("ada", shown, "Approve all 2", "Approved 2 of 2:")

    engine._asks_first = False
    room.office.look()
    assert approved(room) == [(CHECKOUT, "ada"), (WEB, "ada")]


def test_who_asked_is_offered_nothing_and_told_that_others_have_to(room: Room) -> None:
    shown = room.listed("carol", TYPED, NOTHING)

    assert "2 others wait for other people" in str(shown.blocks)
    assert "actions" not in str(shown.blocks)


def test_what_a_review_alone_approves_is_listed_without_a_button(room: Room) -> None:
    rule = "approvals: 2 of release-managers"
    room.office.change_rules("rules.yaml", rule, f"{rule}\n    evidence: review")
    for _ in range(2):
        room.office.look()

    shown = room.listed("ada", TYPED, "2 promotions wait for your approval in production")

    assert "2 promotions are approved by a review of the pull request, in GitHub" in str(shown.blocks)
    assert "actions" not in str(shown.blocks)


@pytest.mark.parametrize("is_guest", [False, True], ids=["not linked", "a guest"])
def test_whom_nobody_knows_is_told_the_same_at_every_door(room: Room, *, is_guest: bool) -> None:
    office = room.office
    dan = office.world.person("dan").user
    office.world.slack.workspace.set_user(replace(dan, is_restricted=is_guest))
    typed = (
        TYPED,
        "/promote approve #1",
        "/promote whoami",
        "/promote hold web because x",
        "/promote redact #3 because x",
    )

    told = [room.listed("dan", one, NOBODY) for one in typed]

    assert len({str(one.blocks) for one in told}) == 1
    assert ("/promote link" in str(told[0].blocks)) is not is_guest
    assert ("your account is a guest's" in str(told[0].blocks)) is is_guest
    assert "actions" not in str(told[0].blocks)


def test_what_was_listed_is_approved_and_not_what_took_its_place(room: Room) -> None:
    shown = room.listed("ada", TYPED, "2 promotions wait for your approval")
    office = room.office
    office.world.push(WEB, "2.6.0")
    office.say("carol", Cancel(promotion_of(room, WEB), "the next one"))
    office.look()
    office.say("carol", Propose(WEB, "2.6.0", "production"))
    office.look()

    told = room.pressed("ada", shown, "Approve all 2", "Approved 1 of 2:")

    assert approved(room) == [(CHECKOUT, "ada")]
    assert "cancelled" in told.lower()


def test_an_approval_of_a_change_that_nobody_was_shown_counts_nowhere(room: Room) -> None:
    names = [promotion_of(room, one) for one in (CHECKOUT, WEB)]
    for word in words_of(written([Approve(one, "0" * 12) for one in names])):
        room.office.say("ada", word)

    assert approved(room) == []


GOOD = [Approve(f"{n:012x}", "c0ffee" * 2, "it is tested") for n in range(MAX_ALL)]


@pytest.mark.parametrize("count", [1, MAX_ALL])
def test_a_buttons_value_is_read_back_exactly(count: int) -> None:
    assert words_of(written(GOOD[:count])) == tuple(GOOD[:count])


@pytest.mark.parametrize(
    "value",
    [
        "",
        "{}",
        '{"approves":[],"note":""}',
        '{"asks":["web|production|1.0"],"note":""}',
        '{"approves":["0123456789ab|"],"note":""}',
        '{"approves":["0123456789ab|c0ffeec0ff"],"note":""}',
        '{"approves":["0123456789ab|c0ffeec0ffee\\n"],"note":""}',
        written([*GOOD, Approve("f" * 12, "c0ffee" * 2)]),
    ],
)
def test_a_value_that_is_none_of_ours_approves_nothing(value: str) -> None:
    assert words_of(value) == ()
