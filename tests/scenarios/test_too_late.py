"""Who decides about what has ended is told how it ended, by whom, when, and what can be done; typed in Slack."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from policies.ledger.state import Stage
from policies.words import Approve, Reject
from sandbox.gitops import CHECKOUT
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
