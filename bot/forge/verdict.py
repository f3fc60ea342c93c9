"""The verdict ``countersign`` on a commit: a check run where we are an App, a commit status with a token."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot import faults
from bot.forge.acts import Acts
from bot.forge.bodies import MAX_BODY, OID, list_of, object_of, part, text_of
from bot.forge.client import plain

CONTEXT = "countersign"  # the name under which branch protection asks for our verdict
MAX_DESCRIPTION = 140  # GitHub, commit statuses
MAX_SUMMARY = MAX_BODY - 1  # GitHub, output of check runs
_PER_PAGE = 100  # GitHub, the most


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be said of a commit: may it be merged, in one line, and in as many as it takes."""

    is_allowed: bool
    description: str
    summary: str = ""


@dataclass(slots=True)
class Verdicts:
    """Says verdicts; one that stands already is not said again."""

    acts: Acts

    def say(self, head: str, verdict: Verdict) -> None:
        """Say a verdict on a commit. Raises: BotError, ValueError where ``head`` is no commit."""
        if OID.fullmatch(head) is None:
            raise ValueError(f"{plain(head)!r} is not a commit")
        if self.acts.wire.login.app_id:
            self._check(head, verdict)
        else:
            self._status(head, verdict)

    # A commit status

    def _status(self, head: str, verdict: Verdict) -> None:
        state = "success" if verdict.is_allowed else "pending"
        said = plain(verdict.description, MAX_DESCRIPTION)
        wanted = {"state": state, "context": CONTEXT, "description": said}

        def stands() -> bool | None:
            now = self._newest_status(head)
            return all(now.get(key) == value for key, value in wanted.items()) or None

        if not stands():  # GitHub keeps 1,000 of one name and commit, then refuses
            what, permission = f"the status of {head[:12]}", "Commit statuses: write"
            faults.point("before-status")
            self.acts.change(f"/statuses/{head}", wanted, what, stands, verb="POST", permission=permission)
            faults.point("after-status")

    def _newest_status(self, head: str) -> Mapping[str, Any]:
        answer = self.acts.wire.read(f"/commits/{head}/statuses", per_page=_PER_PAGE)
        statuses = [object_of(one) for one in list_of([] if answer is None else answer)]
        return next((one for one in statuses if one.get("context") == CONTEXT), {})

    # A check run

    def _check(self, head: str, verdict: Verdict) -> None:
        """Change the run that is there. One that is completed begins no more: a new one takes its place."""
        wanted = _run_of(verdict)

        def stands() -> bool | None:
            return _says(self._newest_run(head), wanted) or None

        there = self._newest_run(head)
        if _says(there, wanted):
            return
        is_new = not there or (there.get("status") == "completed" and not verdict.is_allowed)
        path = "/check-runs" if is_new else f"/check-runs/{there.get('id')}"
        body = wanted | ({"name": CONTEXT, "head_sha": head} if is_new else {})
        verb, what = "POST" if is_new else "PATCH", f"the check of {head[:12]}"
        faults.point("before-status")
        self.acts.change(path, body, what, stands, verb=verb, permission="Checks: write")
        faults.point("after-status")

    def _newest_run(self, head: str) -> Mapping[str, Any]:
        """Return our own newest run: another App may use our name, and nobody can change its runs but itself."""
        path, app = f"/commits/{head}/check-runs", self.acts.wire.login.app_id
        answer = self.acts.wire.read(path, check_name=CONTEXT, filter="latest", per_page=_PER_PAGE)
        listed = list_of(object_of({} if answer is None else answer).get("check_runs", []))
        runs = [object_of(one) for one in listed]
        ours = [
            one
            for one in runs
            if one.get("name") == CONTEXT
            and isinstance(one.get("id"), int)
            and app in {str(part(one, "app").get(key)) for key in ("id", "client_id")}
        ]
        return max(ours, key=lambda one: int(one["id"]), default={})


def _run_of(verdict: Verdict) -> dict[str, Any]:
    title = plain(verdict.description, MAX_DESCRIPTION)
    output = {"title": title, "summary": _markdown(verdict.summary or title)}
    if verdict.is_allowed:
        return {"status": "completed", "conclusion": "success", "output": output}
    return {"status": "in_progress", "output": output}


def _says(run: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    output = part(run, "output")
    return (
        bool(run)
        and run.get("status") == wanted["status"]
        and run.get("conclusion") == wanted.get("conclusion")
        and all(text_of(output.get(key)) == text_of(value) for key, value in wanted["output"].items())
    )


def _markdown(text: str) -> str:
    """Take what does not print out of lines; the lines stay."""
    kept = "".join(char if char == "\n" or char.isprintable() else " " for char in text)
    return kept.strip()[:MAX_SUMMARY]
