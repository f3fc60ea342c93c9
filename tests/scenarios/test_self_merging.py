"""``via: pull-request`` where nobody is asked: staging moves by pull requests that merge themselves."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.answers import Recorded
from policies.entries.entry import Bot
from policies.ledger.state import Stage
from policies.words import Approve, Hold, Rollback
from sandbox.gitops import CHECKOUT
from tests.scenarios.offices import Office, office_in


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with office_in(tmp_path) as made:
        made.change_rules("rules.yaml", "path: apps/staging\n", "path: apps/staging\n    via: pull-request\n")
        made.world.forge.protect("main")  # nobody pushes to it, the bot neither
        yield made


def staged(office: Office, version: str) -> bool:
    return f"newTag: {version}" in office.world.git.text("show", "main:apps/staging/kustomization.yaml")


def test_a_version_comes_to_staging_by_a_pull_request_that_merges_itself(office: Office) -> None:
    office.world.push(CHECKOUT, "1.4.2")
    office.look()
    office.look()

    assert staged(office, "1.4.2")
    assert "bump" not in office.kinds()
    (asked,) = office.entries("propose")
    assert (asked.environment, asked.by) == ("staging", Bot())
    (pull,) = office.world.forge.snapshot()["pulls"]
    assert pull["state"] == "merged"
    message = office.world.git.text("show", "-s", "--format=%B", "main")
    assert "Moved by rule: nobody is asked here." in message
    assert "Approved-By" not in message


def test_it_waits_for_the_checks_that_the_branch_requires_and_is_tried_again(office: Office) -> None:
    office.world.forge.require_checks(["ci"])
    office.world.push(CHECKOUT, "1.4.2")
    office.look()
    office.look()
    assert not staged(office, "1.4.2")

    (pull,) = office.world.forge.snapshot()["pulls"]
    office.world.forge.set_status(pull["head_sha"], "ci", "success", login="bob")
    office.clock.wind(minutes=5)
    office.look()

    assert staged(office, "1.4.2")


def test_what_runs_there_goes_on_to_production_and_back(office: Office) -> None:
    for version in ("1.4.2", "1.4.3"):
        office.world.push(CHECKOUT, version)
        office.look()
        office.look()
        assert staged(office, version)
    promotion = office.asked("1.4.3")
    office.say("ada", Approve(promotion))
    office.say("bob", Approve(promotion))
    assert office.stage(promotion) is Stage.LANDED

    answer = office.say("ada", Rollback(CHECKOUT, "carts are empty", "", ("staging",)))

    assert isinstance(answer, Recorded), answer
    assert staged(office, "1.4.2")


def test_a_service_that_is_held_is_not_asked_for(office: Office) -> None:
    office.say("ada", Hold(CHECKOUT, "the warehouse moves"))
    office.world.push(CHECKOUT, "1.4.2")
    office.look()
    office.look()

    assert "propose" not in office.kinds()
    assert not staged(office, "1.4.2")
