"""``/promote all``: one list, one press, a request for each; over HTTP, with real Git and the twins."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from handlers.slack.bundles import MAX_ALL
from handlers.slack.everything import words_of, written
from policies.ledger.state import Stage
from policies.words import Block, Propose, Reject
from sandbox.gitops import CHECKOUT, WEB
from tests.scenarios.rooms import Room, room_in

TYPED = "/promote all to production because it is time"


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with room_in(tmp_path) as found:
        yield found


@pytest.fixture
def behind(room: Room) -> Room:
    """Let two services have a newer version in staging than in production."""
    for service, version in ((CHECKOUT, "1.4.2"), (WEB, "2.5.0")):
        room.office.world.push(service, version)
    room.office.look()
    return room


def test_one_press_asks_for_each_and_a_second_one_doubles_nothing(behind: Room) -> None:
    shown = behind.listed(
        "carol", TYPED, "2 versions may be asked for in production; nothing is asked for yet:"
    )
    assert "1.4.2" in str(shown.blocks)
    assert "2.5.0" in str(shown.blocks)
    assert behind.asked() == []

    told = behind.pressed("carol", shown, "Ask for all 2", "Asked for 2 of 2:")

    assert "0 of 2 approvals" in told
    assert "pull request #" in told
    assert sorted(behind.asked()) == [(CHECKOUT, "1.4.2", "carol"), (WEB, "2.5.0", "carol")]
    assert {one.note for one in behind.office.entries("propose")} == {"it is time"}
    again = behind.pressed("carol", shown, "Ask for all 2", "Asked for 0 of 2:")
    assert "not asked for: 1.4.2 is under way as " in again
    assert "/promote pending" in again
    assert len(behind.asked()) == 2
    behind.office.look()
    behind.listed("bob", TYPED, "Nothing may be asked for in production now.")
    assert behind.office.findings() == []


def test_two_people_who_press_at_the_same_time_double_nothing(behind: Room) -> None:
    lists = {name: behind.listed(name, TYPED, "2 versions may be asked for") for name in ("carol", "bob")}

    for name, shown in lists.items():
        assert behind.person(name).click(shown, "Ask for all 2").is_ok
    behind.finish()

    assert sorted(one[:2] for one in behind.asked()) == [(CHECKOUT, "1.4.2"), (WEB, "2.5.0")]
    assert len(behind.office.engine.look().state.under_way()) == 2


def test_each_stands_for_itself_where_one_cannot_be_asked_for_any_more(behind: Room) -> None:
    shown = behind.listed("carol", TYPED, "2 versions may be asked for")
    behind.office.say("bob", Block(WEB, "2.5.0", "it leaks"))

    told = behind.pressed("carol", shown, "Ask for all 2", "Asked for 1 of 2:")

    assert "it leaks" in told
    assert behind.asked() == [(CHECKOUT, "1.4.2", "carol")]


def test_the_list_is_what_is_asked_for_though_something_newer_came(behind: Room) -> None:
    shown = behind.listed("carol", TYPED, "2 versions may be asked for")
    behind.office.world.push(WEB, "2.6.0")
    behind.office.look()

    behind.pressed("carol", shown, "Ask for all 2", "Asked for 2 of 2:")

    assert sorted(behind.asked()) == [(CHECKOUT, "1.4.2", "carol"), (WEB, "2.5.0", "carol")]


def test_who_is_not_known_is_told_once_and_the_rest_is_not_tried(behind: Room) -> None:
    assert (
        behind.listed("dan", TYPED, "2 versions may be asked for").blocks[-1]["type"] == "rich_text"
    )  # no button
    shown = behind.listed("carol", TYPED, "2 versions may be asked for")
    behind.office.change_rules("people.yaml", "U0CAROL", "U0OTHER")

    told = behind.pressed("carol", shown, "Ask for all 2", "Asked for 0 of 2:")

    assert "1 other not tried, for the same reason" in told
    assert behind.asked() == []


def test_what_was_rejected_is_asked_for_anew_by_a_press_of_somebody(behind: Room) -> None:
    shown = behind.listed("carol", TYPED, "2 versions may be asked for")
    behind.pressed("carol", shown, "Ask for all 2", "Asked for 2 of 2:")
    promotions = behind.office.engine.look().state.promotions
    (name,) = [one.id for one in promotions.values() if one.service == WEB]
    behind.office.say("ada", Reject(name, "not today"))

    behind.pressed("carol", shown, "Ask for all 2", "Asked for 1 of 2:")

    assert [one for one in behind.asked() if one[0] == WEB] == [(WEB, "2.5.0", "carol")] * 2
    assert behind.office.stage(name) is Stage.REJECTED


def test_a_group_is_one_request_for_what_was_listed(room: Room) -> None:
    room.office.change_rules(
        "rules.yaml", "services:\n", f"groups: {{shop: [{CHECKOUT}, {WEB}]}}\nservices:\n"
    )
    for service, version in ((CHECKOUT, "1.4.2"), (WEB, "2.5.0")):
        room.office.world.push(service, version)
    room.office.look()
    shown = room.listed("carol", TYPED, "1 version may be asked for")

    room.pressed("carol", shown, "Ask for this one", "Asked for 1 of 1:")

    (entry,) = room.office.entries("propose")
    assert sorted(one.service for one in entry.members) == [CHECKOUT, WEB]


GOOD = [Propose(f"service-{n}", f"1.0.{n}", "production", "why not") for n in range(MAX_ALL)]


@pytest.mark.parametrize("count", [1, MAX_ALL])
def test_a_buttons_value_is_read_back_exactly(count: int) -> None:
    assert words_of(written(GOOD[:count])) == tuple(GOOD[:count])


def test_a_version_by_its_digest_is_read_back() -> None:
    word = Propose("web", "latest@sha256:9b1c2d3e4f5a", "production")

    assert words_of(written([word])) == (word,)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "[]",
        "null",
        "[" * 1990,
        '{"asks":[],"note":""}',
        '{"asks":["web|production|1.0"]}',
        '{"asks":["web|production|1.0"],"note":""' + " " * 2000 + "}",
        '{"asks":["web|production|1.0"],"note":null}',
        '{"asks":"web|production|1.0","note":""}',
        '{"asks":[["web","production","1.0"]],"note":""}',
        '{"asks":["web|production|1.0\\nApproved-By: ada"],"note":""}',
        '{"asks":["web|production|1.0"],"note":"two\\nlines"}',
        '{"asks":["web|production|1.0"],"note":"\\u202e"}',
        '{"asks":["web|production|1.0", 7],"note":""}',
        '{"asks":["web|production|1.0"],"note":"","by":"ada"}',
        written([*GOOD, Propose("more", "1.0", "production")]),
    ],
)
def test_a_value_that_is_none_of_ours_asks_for_nothing(value: str) -> None:
    assert words_of(value) == ()


def test_what_stands_there_twice_is_asked_for_once() -> None:
    assert words_of(written([GOOD[0], GOOD[0]])) == (GOOD[0],)
