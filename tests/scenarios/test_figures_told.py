"""``/promote stats`` of a real ledger: what landed, how fast, and what was taken back."""

from collections.abc import Iterator

import pytest

from bot.answers import Recorded
from handlers.slack import reports
from handlers.slack.questions import Stats
from policies.words import Approve, Propose, Rollback
from sandbox.gitops import CHECKOUT, WEB
from tests.scenarios.offices import Office, office_in


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """Open an office in which 1.4.2 came to production after forty minutes and was rolled back five minutes later."""
    with office_in(tmp_path_factory.mktemp("stats")) as made:
        made.world.push(CHECKOUT, "1.4.2")
        made.look()
        made.clock.wind(minutes=10)
        asked = made.say("carol", Propose(CHECKOUT, "1.4.2", "production", "we want it"))
        assert isinstance(asked, Recorded), asked
        made.clock.wind(minutes=30)
        for person in ("ada", "bob"):
            assert isinstance(made.say(person, Approve(asked.promotion)), Recorded)
        made.clock.wind(minutes=5)
        answer = made.say("ada", Rollback(CHECKOUT, "errors", environments=("production",)))
        assert isinstance(answer, Recorded), answer
        yield made


def told(office: Office, asked: Stats) -> str:
    return reports.reply(office.engine, asked, user="U0DAN").text


def test_figures_are_told_by_environment(office: Office) -> None:
    said = told(office, Stats())

    assert "2 deployments since this ledger began" in said
    assert "staging: 1 deployment; lead time 0m; none failed" in said
    assert (
        "production: 1 deployment; lead time 40m; approved after 30m; 1 failed (100 %); restored after 5m; 1 rollback"
    ) in said
    assert "Failed: left by a rollback" in said


def test_of_an_environment_they_are_told_by_service(office: Office) -> None:
    said = told(office, Stats(environment="staging"))

    assert said.startswith("1 deployment in staging since this ledger began")
    assert "checkout-api: 1 deployment" in said


def test_services_of_a_group_count_by_themselves_and_that_is_said(office: Office) -> None:
    assert "Each service of a group" not in told(office, Stats())

    groups = f"groups: {{shop: [{CHECKOUT}, {WEB}]}}\nservices:\n"
    office.change_rules("rules.yaml", "services:\n", groups)

    assert "Each service of a group counts by itself." in told(office, Stats("shop"))


def test_a_month_later_nothing_is_left_of_it(office: Office) -> None:
    office.clock.wind(days=31)
    office.look()

    assert told(office, Stats(CHECKOUT)).startswith(
        f"0 deployments of {CHECKOUT} in the last 30 days, since "
    )
