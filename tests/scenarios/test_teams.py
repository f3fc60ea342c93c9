"""Teams that live in GitHub or in Slack approve: looked up when somebody speaks, and again before the merge."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.answers import NotRecorded, Recorded
from policies.ledger.state import Stage
from policies.words import Approve
from tests.scenarios.offices import Office, office_in

MANAGERS = "release-managers: [ada, bob, carol]"
RULE = "approvals: 2 of release-managers"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with office_in(tmp_path) as made:
        yield made


def elsewhere(office: Office, source: str) -> None:
    """Let the release managers live elsewhere, and one of them be enough."""
    office.change_rules("people.yaml", MANAGERS, f"release-managers: {source}")
    office.change_rules("rules.yaml", RULE, "approvals: 1 of release-managers")


def github(office: Office) -> None:
    office.world.forge.set_team("security", ["ada-l", "bob"])
    elsewhere(office, "github:example/security")


def slack(office: Office) -> None:
    elsewhere(office, "'slack:@release-managers'")


def leave(office: Office, name: str) -> None:
    """Let somebody leave the user group."""
    workspace = office.world.slack.workspace
    (group,) = workspace.usergroups
    left = tuple(user for user in group.users if user != f"U0{name.upper()}")
    workspace.set_usergroup(replace(group, users=left))


def test_a_member_of_a_team_at_the_forge_approves_and_the_entries_attest_it(office: Office) -> None:
    github(office)
    promotion = office.asked("1.4.2")

    assert isinstance(office.say("bob", Approve(promotion)), Recorded)

    assert office.stage(promotion) is Stage.LANDED
    for kind in ("approve", "intent"):
        (entry,) = office.entries(kind)
        assert entry.evidence["members"] == {"release-managers": ["bob"]}
        assert entry.evidence["members_looked"]


def test_a_member_of_a_user_group_approves(office: Office) -> None:
    slack(office)
    promotion = office.asked("1.4.2")

    assert isinstance(office.say("bob", Approve(promotion)), Recorded)

    assert office.stage(promotion) is Stage.LANDED


@pytest.mark.parametrize("where", [github, slack])
def test_who_is_not_in_the_team_is_refused(office: Office, where: object) -> None:
    assert callable(where)
    where(office)
    if where is slack:
        leave(office, "bob")
    else:
        office.world.forge.set_team("security", ["ada-l"])
    promotion = office.asked("1.4.2")

    answer = office.say("bob", Approve(promotion))

    assert isinstance(answer, NotRecorded)
    assert answer.code == "not-an-approver"
    assert office.stage(promotion) is Stage.OPEN


def test_who_left_the_team_since_does_not_merge_it_and_who_comes_back_does(office: Office) -> None:
    slack(office)
    office.change_rules("rules.yaml", "approvals: 1 of release-managers", RULE)
    promotion = office.asked("1.4.2")
    office.say("bob", Approve(promotion))
    leave(office, "bob")
    office.clock.wind(seconds=70)
    office.say("ada", Approve(promotion))
    assert "intent" not in office.kinds()
    assert office.stage(promotion) is Stage.OPEN

    workspace = office.world.slack.workspace
    workspace.set_usergroup(replace(workspace.usergroups[0], users=("U0ADA", "U0BOB")))
    office.clock.wind(seconds=70)
    office.look()

    assert office.stage(promotion) is Stage.LANDED


def test_a_team_that_cannot_be_looked_up_has_nobody_and_that_is_said(office: Office) -> None:
    github(office)
    promotion = office.asked("1.4.2")
    office.world.forge.fail(503, times=50, address="/members")
    office.clock.wind(seconds=70)
    report = office.engine.run_pass()

    assert any(line.startswith("members-unknown: github:example/security: ") for line in report.left)
    shown = str(office.world.slack.workspace.messages("C0DEPLOYS")[-1].blocks)
    assert "release-managers (github:example/security)" in shown
    answer = office.say("bob", Approve(promotion))
    assert isinstance(answer, NotRecorded)
    assert answer.code == "not-an-approver"

    office.world.forge.heal()
    assert isinstance(office.say("bob", Approve(promotion)), Recorded)
    assert office.stage(promotion) is Stage.LANDED


def test_where_reviews_alone_count_a_press_is_refused_and_a_review_merges_it(office: Office) -> None:
    office.change_rules("rules.yaml", RULE, "approvals: 1 of release-managers\n    evidence: review")
    promotion = office.asked("1.4.2")

    shown = str(office.world.slack.workspace.messages("C0DEPLOYS")[-1].blocks)
    assert "Review #1 in GitHub" in shown
    assert "'text': 'Approve'" not in shown
    answer = office.say("bob", Approve(promotion))
    assert isinstance(answer, NotRecorded)
    assert answer.code == "review-missing"
    office.world.forge.review(1, login="bob")
    office.look()

    assert office.stage(promotion) is Stage.LANDED


def test_where_one_review_is_asked_presses_alone_wait_for_it(office: Office) -> None:
    office.change_rules("rules.yaml", RULE, RULE + "\n    evidence: 1 review")
    promotion = office.asked("1.4.2")
    office.say("ada", Approve(promotion))
    office.say("bob", Approve(promotion))
    assert office.stage(promotion) is Stage.OPEN
    assert "a review in GitHub" in str(office.world.slack.workspace.messages("C0DEPLOYS")[-1].blocks)

    office.world.forge.review(1, login="bob")
    office.look()

    assert office.stage(promotion) is Stage.LANDED
