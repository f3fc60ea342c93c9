"""A workspace that calls the slash command otherwise reads that name everywhere: on cards, in the Home, in answers."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from handlers.slack.blocks import COMMAND
from handlers.slack.strangers import NOBODY
from policies.words import Emergency, Propose
from sandbox.gitops import CHECKOUT, WEB
from sandbox.slack.feed import EventKind
from tests.scenarios.rooms import Room, room_in

SHIP = "/ship-it"
APPROVALS = "    approvals: 2 of release-managers"
EMERGENCY = "    emergency: {approvals: 1 of ada or bob, review: 2d, skips: [soak]}"
# what is typed -> what the answer says
ASKED = {
    "all": "under way",
    "approve all": "for your approval",
    "pending": "under way",
    "whoami": "The rules take you for",
    "help": "because WHY",
    f"why {CHECKOUT} 9.9": "asks the registry now",
    "status": "places",
    "stats": "landed",
    f"changes {CHECKOUT}": "What comes to",
    "nonsense": "lists the words",
    "approve": "Which one?",
    "approve #99": "No promotion that is under way goes by that name",
    "freeze": "Which environment?",
    "review": "Which one?",
}
UNLINKED = {("dan", "approve all"), ("dan", "whoami"), ("dan", "approve #99")}


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with room_in(tmp_path, SHIP) as found:
        workspace = found.office.world.slack.workspace
        workspace.app = replace(workspace.app, commands=(SHIP,))
        yield found


def shown(room: Room) -> str:
    """Return all that anybody was shown, in the App Home, in channels and alone, with the text of notifications."""
    events = room.office.world.slack.workspace.events()
    seen = [
        f"{one.message.text} {one.message.blocks}" for one in events if one.message and one.message.by_app
    ]
    return "\n".join([*seen, *(str(one.view.payload) for one in events if one.view)])


def test_no_message_names_a_command_that_is_not_there(room: Room) -> None:
    office = room.office
    office.change_rules("rules.yaml", APPROVALS, f"{APPROVALS}\n{EMERGENCY}")
    office.world.push(CHECKOUT, "1.4.2")
    office.world.push(WEB, "2.5.0")
    office.look()
    office.say("ada", Emergency(CHECKOUT, "1.4.2", "production", "carts are empty"))
    office.say("carol", Propose(WEB, "2.5.0", "production"))
    office.look()
    assert f"{SHIP} review #" in office.told(), "a card"
    feed = office.world.slack.workspace.feed
    for name in ("ada", "dan"):
        since = feed.position
        assert room.person(name).open_home().is_ok
        feed.wait_for(lambda event: event.kind is EventKind.HOME_PUBLISHED, since=since)
    for typed, expected in ASKED.items():
        for name in ("ada", "dan"):
            room.listed(name, f"{SHIP} {typed}", NOBODY if (name, typed) in UNLINKED else expected)
    (said,) = office.entries("emergency")
    room.listed("ada", f"{SHIP} redact #{said.seq} because x", "Nothing is recorded yet")

    told = shown(room)

    assert COMMAND not in told


def test_who_pastes_a_command_whole_means_what_stands_behind_it(room: Room) -> None:
    room.listed("ada", f"{SHIP} {SHIP} pending", "Nothing is under way.")
