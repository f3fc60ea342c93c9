"""What others report on a commit, read from the sandbox's forge."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.errors import PermanentError, TransientError
from bot.forge.pull_requests import GitHubForge
from bot.forge.reports import Reports
from policies.entries.reports import Report, ReportState
from tests.bot.forge_worlds import ADA, AppWorld, app_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[AppWorld]:
    with app_world(tmp_path) as found:
        yield found


@pytest.fixture
def forge(world: AppWorld) -> GitHubForge:
    return world.forge()


def _said(found: tuple[Report, ...] | list[Report]) -> dict[str, str]:
    return {one.name: one.state.value for one in found}


def test_statuses_and_check_runs_are_read_together_and_the_newest_counts(
    world: AppWorld, forge: GitHubForge
) -> None:
    tip = world.git("rev-parse", "main")
    for state in ("pending", "failure", "success"):
        world.twin.set_status(tip, "kustomization/apps/0a1b2c3d", state, login=ADA.login)
    world.twin.set_status(tip, "broken", "error", login=ADA.login)
    world.twin.set_status(tip, "slow", "pending", login=ADA.login)
    for conclusion in (None, "success"):
        world.twin.set_check_run(tip, "e2e", conclusion)
    for name, conclusion in (("lint", "failure"), ("skips", "skipped"), ("runs", None)):
        world.twin.set_check_run(tip, name, conclusion)

    found = forge.reports(tip)

    assert _said(list(found)) == {
        "kustomization/apps/0a1b2c3d": "success",
        "broken": "failure",
        "slow": "pending",
        "e2e": "success",
        "lint": "failure",
        "skips": "success",
        "runs": "pending",
    }
    assert all(one.commit == tip for one in found)
    assert next(one.at for one in found if one.name == "broken") == "2026-11-23T09:00:00Z"


def test_a_commit_of_which_nobody_reports_has_no_reports(world: AppWorld, forge: GitHubForge) -> None:
    assert forge.reports(world.git("rev-parse", "main")) == ()


def test_more_reports_than_a_page_are_read(world: AppWorld, forge: GitHubForge) -> None:
    tip = world.git("rev-parse", "main")
    for number in range(130):
        world.twin.set_status(tip, f"check-{number}", "success", login=ADA.login)
        world.twin.set_check_run(tip, f"run-{number}", "success")

    assert len(forge.reports(tip)) == 260


def test_a_forge_that_fails_is_an_error_and_no_answer(world: AppWorld, forge: GitHubForge) -> None:
    tip = world.git("rev-parse", "main")
    world.twin.fail(502, times=99, address="/check-runs")

    with pytest.raises(TransientError):
        forge.reports(tip)
    with pytest.raises(PermanentError, match="is not a commit"):
        forge.reports("main")
    with pytest.raises(PermanentError):
        forge.reports("0" * 40)


@pytest.mark.parametrize(
    ("run", "state"),
    [
        ({"status": "completed", "conclusion": "neutral"}, ReportState.SUCCESS),
        ({"status": "completed", "conclusion": "timed_out"}, ReportState.FAILURE),
        ({"status": "completed", "conclusion": "something-new"}, ReportState.PENDING),
        ({"status": "queued", "conclusion": "success"}, ReportState.PENDING),
        ({}, ReportState.PENDING),
    ],
)
def test_what_a_check_run_does_not_say_clearly_is_pending(run: dict[str, str], state: ReportState) -> None:
    reports = Reports(_Answers({"check_runs": [{"name": "e2e", **run}]}))  # type: ignore[arg-type]  # reads alone

    assert [(one.name, one.state) for one in reports.on("0" * 40)] == [("e2e", state)]


@pytest.mark.parametrize("name", [None, 7, "", "a\nb", "x" * 300])
def test_a_name_that_no_rule_could_say_is_left_out(name: object) -> None:
    reports = Reports(_Answers({"check_runs": [{"name": name, "status": "completed"}]}))  # type: ignore[arg-type]  # the same

    assert reports.on("0" * 40) == ()


class _Answers:
    """A wire that answers check runs with this, and has no statuses."""

    repository = "example/gitops"

    def __init__(self, answer: object) -> None:
        self._answer = answer

    def read_elsewhere(self, path: str, **_parameters: str | int) -> object:
        return self._answer if path.endswith("/check-runs") else []


def test_a_token_that_may_not_read_check_runs_sees_the_statuses(world: AppWorld, forge: GitHubForge) -> None:
    tip = world.git("rev-parse", "main")
    world.twin.set_status(tip, "apps", "success", login=ADA.login)
    world.twin.set_check_run(tip, "e2e", "success")
    world.twin.fail(403, times=9, address="/check-runs")

    assert _said(list(forge.reports(tip))) == {"apps": "success"}
