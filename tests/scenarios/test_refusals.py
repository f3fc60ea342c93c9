"""What the world refuses on the way of a promotion: told, recorded, tried again; and what a person may not do."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.answers import NotRecorded, Recorded
from policies.entries.entry import Kind
from policies.ledger.state import Stage
from policies.words import (
    Approve,
    Block,
    Cancel,
    Freeze,
    Propose,
    Reject,
    Rollback,
    Unapprove,
    Unfreeze,
    Word,
)
from sandbox.gitops import CHECKOUT
from tests.scenarios.offices import Office, office_in

WRITER = """\
apiVersion: image.toolkit.fluxcd.io/v1
kind: ImageUpdateAutomation
metadata: {name: all, namespace: flux-system}
spec: {update: {path: ./apps}}
"""


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with office_in(tmp_path) as made:
        yield made


@pytest.mark.parametrize("status", [405, 409])
def test_a_merge_that_is_refused_is_recorded_and_tried_again_later(office: Office, status: int) -> None:
    promotion = office.asked("1.4.2")
    office.world.forge.refuse_merges(status, times=1)
    office.say("ada", Approve(promotion))
    office.say("bob", Approve(promotion))

    assert office.stage(promotion) is Stage.OPEN
    assert office.kinds().count("abort") == 1
    office.look()
    assert office.kinds().count("intent") == 1, "not at once"

    office.clock.wind(minutes=2)
    office.look()

    assert office.stage(promotion) is Stage.LANDED
    assert office.kinds().count("approve") == 2, "nobody has to approve again"


def test_a_merge_whose_answer_is_lost_is_found(office: Office) -> None:
    promotion = office.asked("1.4.2")
    office.world.forge.refuse_merges(502, times=1, after_merging=True)
    office.say("ada", Approve(promotion))
    office.say("bob", Approve(promotion))
    office.look()

    assert office.stage(promotion) is Stage.LANDED
    assert office.kinds().count("merged") == 1


def test_a_pull_request_that_a_person_closes_ends_the_promotion(office: Office) -> None:
    promotion = office.asked("1.4.2")
    office.world.forge.close_pull(1)
    office.look()

    assert office.stage(promotion) is Stage.CLOSED
    answer = office.say("ada", Approve(promotion))
    assert isinstance(answer, NotRecorded)
    assert answer.code == "closed"


def test_a_commit_by_somebody_else_on_the_branch_ends_it(office: Office) -> None:
    promotion = office.asked("1.4.2")
    branch = f"countersign/production/{CHECKOUT}/{promotion}"
    office.world.forge.push_to_branch(branch, {"evil.yaml": "a: 1\n"}, "More\n", login="bob")
    office.say("ada", Approve(promotion))
    office.say("bob", Approve(promotion))

    assert office.stage(promotion) is Stage.CLOSED
    assert "intent" not in office.kinds()


def test_a_rule_that_changes_voids_what_was_approved_under_the_old_one(office: Office) -> None:
    promotion = office.asked("1.4.2")
    office.say("ada", Approve(promotion))
    path = "promotion/rules.yaml"
    text = office.world.git.text("show", f"main:{path}").replace(
        "2 of release-managers", "1 of release-managers"
    )
    office.world.forge.push_to_branch("main", {path: text + "\n"}, "Ask one person only\n", login="bob")
    office.look()

    assert office.kinds().count("void") == 1
    assert office.stage(promotion) is Stage.OPEN, (
        "the approval under the old rule does not count under the new one"
    )
    assert isinstance(office.say("ada", Approve(promotion)), Recorded)
    assert office.stage(promotion) is Stage.LANDED


def test_a_freeze_stops_a_merge_but_not_a_rollback(office: Office) -> None:
    first = office.asked("1.4.2")
    office.say("ada", Approve(first))
    office.say("bob", Approve(first))
    promotion = office.asked("1.4.3")
    assert isinstance(office.say("bob", Freeze(("production",), "the big sale")), Recorded)
    office.say("ada", Approve(promotion))
    office.say("bob", Approve(promotion))
    assert office.stage(promotion) is Stage.OPEN
    office.say("carol", Cancel(promotion))

    answer = office.say("ada", Rollback(CHECKOUT, "carts are empty", "", ("production",)))

    assert isinstance(answer, Recorded), answer
    assert office.stage(answer.promotion) is Stage.LANDED
    assert isinstance(office.say("bob", Unfreeze("production", "over")), Recorded)
    again = office.say("carol", Propose(CHECKOUT, "1.4.2", "production", "once more"))
    assert isinstance(again, NotRecorded)
    assert again.code == "blocked", "a version that was rolled back does not come again"


@pytest.mark.parametrize(
    ("person", "word", "code"),
    [
        pytest.param("carol", Approve, "requester", id="who asked"),
        pytest.param("dan", Approve, "unknown-person", id="a guest whom nobody linked"),
        pytest.param("ada", Unapprove, "not-approved", id="taking back what was not given"),
        pytest.param(
            "bob", lambda named: Reject(named, ""), "reason-missing", id="a rejection without a reason"
        ),
        pytest.param("bob", lambda _: Approve("ffffffffffff"), "unknown-promotion", id="another promotion"),
        pytest.param("bob", lambda named: Approve(named, "0" * 12), "change-moved", id="another change"),
        pytest.param(
            "bob", lambda _: Block(CHECKOUT, "1.4.2", ""), "reason-missing", id="a block without a reason"
        ),
        pytest.param(
            "bob", lambda _: Propose("nothing"), "unknown-service", id="a service that is not there"
        ),
        pytest.param(
            "bob", lambda _: Propose(CHECKOUT, "9.9.9"), "unknown-version", id="a version that is not there"
        ),
        pytest.param(
            "bob", lambda _: Propose(CHECKOUT, "1.4.2", "staging"), "not-guarded", id="where nobody is asked"
        ),
    ],
)
def test_what_the_rule_does_not_let_through(
    office: Office, person: str, word: Callable[[str], Word], code: str
) -> None:
    promotion = office.asked("1.4.2")

    answer = office.say(person, word(promotion))

    assert isinstance(answer, NotRecorded)
    assert answer.code == code
    assert office.stage(promotion) is Stage.OPEN
    assert "approve" not in office.kinds()


@pytest.mark.parametrize("version", ["1.4.2", ""], ids=["a version", "the newest"])
def test_who_asks_for_a_place_that_cannot_be_written_hears_why(office: Office, version: str) -> None:
    office.world.push(CHECKOUT, "1.4.2")
    office.look()
    office.world.forge.push_to_branch(
        "main", {"flux/writer.yaml": WRITER}, "Let Flux write, too\n", login="bob"
    )
    office.look()

    answer = office.say("carol", Propose(CHECKOUT, version, "production", "we want it"))

    assert isinstance(answer, NotRecorded)
    assert answer.code == "automation-active"
    assert answer.detail.startswith(
        "flux/writer.yaml:1: ImageUpdateAutomation flux-system/all writes to apps;"
    )


def test_an_approver_who_was_deactivated_since_does_not_count_any_more(office: Office) -> None:
    promotion = office.asked("1.4.2")
    office.say("ada", Approve(promotion))
    workspace = office.world.slack.workspace
    workspace.set_user(replace(workspace.user("ada"), deleted=True))
    office.say("bob", Approve(promotion))

    assert office.stage(promotion) is Stage.OPEN
    assert "intent" not in office.kinds()


def test_a_request_expires_and_its_branch_goes(office: Office) -> None:
    promotion = office.asked("1.4.2")
    office.clock.wind(hours=25)
    office.look()

    assert office.stage(promotion) is Stage.EXPIRED
    assert office.kinds().count("ended") == 1
    assert office.engine.desk.mirror.fetch().promotions == {}
    assert Kind.MERGED.value not in office.kinds()


def test_a_protected_branch_refuses_the_move_and_everything_else_goes_on(office: Office) -> None:
    office.world.forge.protect("main")
    office.world.push(CHECKOUT, "1.4.2")
    office.clock.wind(seconds=2)
    report = office.engine.run_pass()
    assert any("refuse" in line for line in report.left), report.left

    office.world.forge.unprotect("main")
    office.look()

    assert office.kinds().count("bump") == 1


def test_a_token_that_is_refused_is_told_in_the_channel_and_the_promotion_goes_on_later(
    office: Office,
) -> None:
    promotion = office.asked("1.4.2")
    office.say("ada", Approve(promotion))
    office.world.forge.fail(401, times=1000)
    office.say("bob", Approve(promotion))
    office.look()

    told = office.world.slack.workspace.messages("C0DEPLOYS")[-1]
    assert "could not be moved" in told.text
    assert "GITHUB_TOKEN is refused" in str(told.blocks)
    assert office.stage(promotion) is not Stage.LANDED

    office.world.forge.heal()
    office.clock.wind(minutes=5)
    office.look()

    assert office.stage(promotion) is Stage.LANDED
