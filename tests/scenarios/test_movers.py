"""A move by hand is reviewed by somebody else than those by whose hands it came."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.answers import NotRecorded, Recorded
from bot.ports import Hands
from policies.words import Review
from sandbox.gitops import CHECKOUT
from sandbox.levers import KeptBot, Levers
from tests.scenarios.offices import Office, office_in


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with office_in(tmp_path) as made:
        yield made


def by_hand(office: Office, name: str) -> None:
    office.world.push(CHECKOUT, "1.4.2")
    Levers(office.world, KeptBot(office.world)).commit_by_hand(name)
    office.look()


def review(office: Office, name: str) -> Recorded | NotRecorded:
    (opened,) = office.engine.look().state.open
    return office.say(name, Review(f"#{opened}", "I have looked at it"))


def test_who_pushed_it_is_refused_and_told_and_somebody_else_reviews_it(office: Office) -> None:
    by_hand(office, "carol")
    (entry,) = office.entries("external")
    assert entry.evidence["movers"] == {
        "known": True,
        "people": ["carol"],
        "logins": ["carol"],
        "ids": [1093],
    }
    said = str([one.blocks for one in office.world.slack.workspace.messages("C0DEPLOYS")])
    assert "by, who may not review it: " in said

    refused = review(office, "carol")

    assert isinstance(refused, NotRecorded)
    assert refused.code == "mover"
    assert isinstance(review(office, "ada"), Recorded)
    (entry,) = office.entries("review")
    assert isinstance(entry.evidence["movers"], dict)


def test_a_forge_that_was_silent_is_asked_again_for_the_review(office: Office) -> None:
    office.world.forge.fail(503, times=99, address="/activity")
    by_hand(office, "carol")
    (entry,) = office.entries("external")
    movers = entry.evidence["movers"]
    assert isinstance(movers, dict)
    assert movers["known"] is False
    said = str([one.blocks for one in office.world.slack.workspace.messages("C0DEPLOYS")])
    assert "by whom it came is not known in full" in said
    office.world.forge.heal()
    office.engine.desk.movers.kept = {entry.commit: Hands(missing="nothing was told")}

    refused = review(office, "carol")

    assert isinstance(refused, NotRecorded)
    assert refused.code == "mover"


def test_who_merged_the_request_by_hand_does_not_review_it(office: Office) -> None:
    office.asked("1.4.2")
    commit = office.world.forge.merge_pull(1, login="bob")
    office.look()
    (entry,) = office.entries("external")
    assert entry.commit == commit

    refused = review(office, "bob")

    assert isinstance(refused, NotRecorded)
    assert refused.code == "mover"
