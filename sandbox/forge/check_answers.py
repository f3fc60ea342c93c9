"""What the forge answers about check runs: made and changed by Apps alone, each by its own."""

from typing import Any

from starlette.responses import JSONResponse, Response

from sandbox.forge.call import Call, Function, found, number, page
from sandbox.forge.refusals import RefusalError, custom, invalid
from sandbox.forge.state import CheckRun

_STATUSES = ("queued", "in_progress", "completed")
_CONCLUSIONS = (
    "action_required", "cancelled", "failure", "neutral", "success", "skipped", "timed_out",
)  # fmt: skip
_MAX_SUMMARY = 65_535  # GitHub, characters of an output's summary


def list_check_runs(call: Call) -> Response:
    """GET /commits/{ref}/check-runs: the last run of each name and App, newest first."""
    sha = call.commit()
    latest = {(run.app, run.name): run for run in call.state.check_runs if run.sha == sha}
    wanted = call.query.get("check_name")
    runs = [run for run in reversed(latest.values()) if wanted in {None, run.name}]
    return page(call, runs, lambda run: call.bodies.check_run(run, call.app_of(run)), key="check_runs")


def get_check_run(call: Call) -> Response:
    """GET /check-runs/{id}."""
    return _shown(call, _run(call))


def create_check_run(call: Call) -> Response:
    """POST /check-runs."""
    app = _app(call)
    name, sha = call.body.get("name"), call.body.get("head_sha")
    if not isinstance(name, str) or not name:
        raise invalid("CheckRun", "name", "missing_field")
    commit = call.repository.resolve(sha) if isinstance(sha, str) else None
    if commit is None or commit != sha:
        raise custom("CheckRun", f"No commit found for SHA: {sha}")
    run = CheckRun(0, commit, name, "queued", None, call.now(), None, app=app)
    _apply(call, run)
    run.id = call.state.next_id()
    call.state.check_runs.append(run)
    return _shown(call, run, 201)


def update_check_run(call: Call) -> Response:
    """PATCH /check-runs/{id}."""
    run = _run(call)
    if _app(call) != run.app:
        text = (
            f"Invalid app_id `{run.app}` - check run can only be modified by the GitHub App that created it."
        )
        raise RefusalError(403, text)
    _apply(call, run)
    return _shown(call, run)


def _apply(call: Call, run: CheckRun) -> None:
    """Change a run, or nothing of it. Raises: RefusalError."""
    status, conclusion = call.body.get("status"), call.body.get("conclusion")
    output = call.body.get("output")
    if status is not None and status not in _STATUSES:
        raise invalid("CheckRun", "status")
    if conclusion is not None and conclusion not in _CONCLUSIONS:
        raise invalid("CheckRun", "conclusion")
    if status == "completed" and conclusion is None:
        raise invalid("CheckRun", "conclusion", "missing_field")
    title, summary = _output(output)
    if conclusion is not None:
        run.status, run.conclusion, run.completed_at = "completed", conclusion, call.now()
    elif status is not None and run.status != "completed":  # what has ended stays ended
        run.status = status
    if output is not None:
        run.title, run.summary = title, summary


def _output(output: Any) -> tuple[str | None, str | None]:
    if output is None:
        return None, None
    title, summary = (
        (output.get(key) for key in ("title", "summary")) if isinstance(output, dict) else ("", "")
    )
    if not (isinstance(title, str) and title and isinstance(summary, str) and summary):
        raise invalid("CheckRun", "output")
    if len(summary) > _MAX_SUMMARY:
        raise custom("CheckRun", f"summary exceeds a maximum length of {_MAX_SUMMARY}")
    return title, summary


def _app(call: Call) -> int:
    if call.app is None:
        raise RefusalError(403, "You must authenticate via a GitHub App.")
    return call.app.id


def _run(call: Call) -> CheckRun:
    key = number(call.path["id"])
    return found(next((one for one in call.state.check_runs if one.id == key), None))


def _shown(call: Call, run: CheckRun, status: int = 200) -> Response:
    return JSONResponse(call.bodies.check_run(run, call.app_of(run)), status)


# Addresses below the repository
ROUTES: tuple[tuple[str, str, Function], ...] = (
    ("POST", "/check-runs", create_check_run),
    ("GET", "/check-runs/{id}", get_check_run),
    ("PATCH", "/check-runs/{id}", update_check_run),
    ("GET", "/commits/{ref:path}/check-runs", list_check_runs),
)
