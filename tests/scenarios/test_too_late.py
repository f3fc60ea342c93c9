"""Who decides about what has ended is told how it ended, by whom, when, and what can be done; typed in Slack."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.answers import Recorded
from policies.ledger.state import Stage
from policies.words import Approve, Propose, Reject
from sandbox.gitops import CHECKOUT, WEB
from tests.scenarios.rooms import Room, room_in

WORDS = ("approve", "unapprove", "reject", "cancel")


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with room_in(tmp_path) as found:
        yield found


@pytest.mark.parametrize("is_by_number", [True, False], ids=["by number", "by id"])
def test_what_was_rejected_is_told_whole(room: Room, *, is_by_number: bool) -> None:
    office = room.office
    promotion = office.asked("1.4.2")
    office.say("ada", Reject(promotion, "carts <!channel> are empty"))
    before = office.kinds()

    for word in WORDS:
        name = "#1" if is_by_number else promotion
        told = str(
            room.listed("bob", f"/promote {word} {name} because it works", "It was rejected by ada").blocks
        )

        assert "so nothing was recorded." in told
        assert "carts <!channel> are empty" in told
        assert f"/promote {CHECKOUT} 1.4.2 to production" in told
    assert office.kinds() == before


def test_what_landed_names_the_way_back(room: Room) -> None:
    office = room.office
    promotion = office.asked("1.4.2")
    for person in ("ada", "bob"):
        office.say(person, Approve(promotion))
    assert office.stage(promotion) is Stage.LANDED

    told = str(room.listed("carol", "/promote cancel #1", "It landed at").blocks)

    assert f"/promote rollback {CHECKOUT} in production because WHY" in told


def test_a_service_that_joined_a_group_says_so_and_how_to_go_on(room: Room) -> None:
    office = room.office
    promotion = office.asked("1.4.2")
    office.say("ada", Approve(promotion))
    office.change_rules("rules.yaml", "services:\n", f"groups: {{shop: [{CHECKOUT}, {WEB}]}}\nservices:\n")
    assert office.stage(promotion) is Stage.REMOVED

    joined = f"it moves together with shop as of commit {office.world.git.text('rev-parse', 'main')[:12]}"
    (card,) = [one for one in office.world.slack.workspace.messages("C0DEPLOYS") if joined in one.text]
    assert card.text.endswith(f"in production ended: {joined}.")
    assert "{'type': 'text', 'text': '/promote shop to production', 'style': {'code': True}}" in str(
        card.blocks
    )
    told = str(room.listed("bob", "/promote approve #1", f"It ended, for {joined}, at").blocks)
    assert "/promote shop to production" in told
    assert office.world.forge.snapshot()["pulls"][0]["state"] == "closed"
    assert office.findings() == []


def test_a_group_that_is_none_any_more_says_so_and_what_may_be_asked_for(room: Room) -> None:
    office = room.office
    groups = f"groups: {{shop: [{CHECKOUT}, {WEB}]}}\n"
    office.change_rules("rules.yaml", "services:\n", f"{groups}services:\n")
    office.world.push(CHECKOUT, "1.4.2")
    office.look()
    answer = office.say("carol", Propose("shop", "", "production"))
    assert isinstance(answer, Recorded), answer
    office.change_rules("rules.yaml", groups, "")

    told = room.listed(
        "bob", "/promote approve #1", "It ended, for it does not move as a group any more as of commit"
    )

    assert "/promote all to production" in str(told.blocks)
