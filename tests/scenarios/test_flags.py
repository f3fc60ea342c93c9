"""Each flag that Slack has of an account is refused at each door, and looked at again before the merge."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.answers import NotRecorded, Recorded
from policies.codes import Code
from policies.ledger.state import Stage
from policies.words import Approve, Speaker
from tests.scenarios.offices import TEAM, Office, office_in

FLAGS: dict[str, dict[str, Any]] = {
    "deactivated": {"deleted": True},
    "a bot": {"is_bot": True},
    "a workflow": {"is_workflow_bot": True},
    "a connector": {"is_connector_bot": True},
    "a guest": {"is_restricted": True},
    "a guest of one channel": {"is_ultra_restricted": True},
    "of another workspace": {"team": "T0OTHER"},
    "of another workspace of the organization": {"workspaces": ("T0OTHER",)},
    "invited, and not here yet": {"is_invited_user": True},
}
PRESSED = ("button", "command", "modal", "shortcut")


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with office_in(tmp_path) as made:
        yield made


def become(office: Office, name: str, **flags: Any) -> None:
    """Change what Slack says of somebody's account."""
    office.world.slack.workspace.set_user(replace(office.world.person(name).user, **flags))


def approve(office: Office, promotion: str, name: str, via: str, team: str = TEAM) -> Recorded | NotRecorded:
    office.clock.wind(seconds=1)
    trigger = f"{name}-{via}-{office.clock.at:%s}"
    return office.engine.say(Speaker(team, f"U0{name.upper()}", via, trigger), Approve(promotion))


def test_an_account_that_may_not_speak_is_refused_at_every_door(office: Office) -> None:
    promotion = office.asked("1.4.2")
    bob = office.world.person("bob").user
    for what, flags in FLAGS.items():
        become(office, "bob", **flags)
        answers = [approve(office, promotion, "bob", via) for via in PRESSED]
        office.world.forge.review(1, login="bob")
        office.look()

        assert [one.code if isinstance(one, NotRecorded) else one for one in answers] == [Code.ACCOUNT] * 4, (
            what
        )
        assert "approve" not in office.kinds(), what
        office.world.slack.workspace.set_user(bob)

    elsewhere = [approve(office, promotion, "bob", via, "T0OTHER") for via in PRESSED]
    assert [one.code if isinstance(one, NotRecorded) else one for one in elsewhere] == [Code.ACCOUNT] * 4
    office.world.forge.review(1, login="bob")
    office.look()
    assert office.kinds().count("approve") == 1


def test_an_account_that_may_not_speak_any_more_does_not_merge_what_it_approved(office: Office) -> None:
    promotion = office.asked("1.4.2")
    approve(office, promotion, "ada", "button")
    ada = office.world.person("ada").user
    become(office, "ada", deleted=True)
    approve(office, promotion, "bob", "button")
    for what, flags in FLAGS.items():
        office.world.slack.workspace.set_user(ada)
        become(office, "ada", **flags)
        office.look()

        assert office.stage(promotion) is Stage.OPEN, what
    assert "intent" not in office.kinds()

    office.world.slack.workspace.set_user(ada)
    office.look()
    assert office.stage(promotion) is Stage.LANDED


def test_an_approver_who_may_not_speak_any_more_is_named_on_the_card(office: Office) -> None:
    promotion = office.asked("1.4.2")
    approve(office, promotion, "ada", "button")
    become(office, "ada", deleted=True)

    answer = approve(office, promotion, "bob", "button")

    assert isinstance(answer, Recorded)
    assert [one.code for one in answer.waits] == [Code.LOOKED_AGAIN]
    waits = f"the Slack account of ada may not approve any more, since {office.clock.at:%Y-%m-%d %H:%M} UTC"
    office.clock.wind(minutes=5)
    office.look()
    assert office.stage(promotion) is Stage.OPEN
    assert f"{waits}; somebody cancels it and asks for it again" in office.told()
    become(office, "ada", deleted=False)
    office.look()
    assert office.stage(promotion) is Stage.LANDED
