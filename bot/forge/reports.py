"""What others report on a commit at the forge: commit statuses, and check runs of Apps."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bot.errors import PermanentError
from bot.forge.bodies import OID, list_of, object_of
from bot.forge.client import plain
from bot.forge.wire import REPOSITORY, Wire
from policies.entries.reports import Report, ReportState

_PER_PAGE = 100  # GitHub, the most
_MAX_PAGES = 5  # of one commit's statuses, and of its check runs
_MAX_NAME = 255  # characters; GitHub cuts contexts there
_STATES = {
    "success": ReportState.SUCCESS,
    "failure": ReportState.FAILURE,
    "error": ReportState.FAILURE,
    "pending": ReportState.PENDING,
}
_FAILED = frozenset({"failure", "timed_out", "cancelled", "action_required", "startup_failure", "stale"})
_PASSED = frozenset(
    {"success", "neutral", "skipped"}
)  # GitHub, "required status checks": these three are fine


@dataclass(slots=True)
class Reports:
    """Reads reports of one repository."""

    wire: Wire

    def on(self, commit: str, repository: str = "") -> tuple[Report, ...]:
        """Return the newest report of each name on a commit; ``repository`` '' = ours, else OWNER/NAME.

        Raises: BotError; PermanentError where that is no commit or no repository.
        """
        if OID.fullmatch(commit) is None or (repository and REPOSITORY.fullmatch(repository) is None):
            raise PermanentError(f"{plain(f'{repository} {commit}')!r} is not a commit of a repository")
        where = f"/repos/{repository or self.wire.repository}/commits/{commit}"
        found: dict[str, Report] = {}
        for one in (*self._statuses(commit, where), *self._seen_runs(commit, where)):
            found.setdefault(one.name, one)
        return tuple(found.values())

    def _statuses(self, commit: str, where: str) -> Iterator[Report]:
        """Yield commit statuses, newest first."""
        for page in range(1, _MAX_PAGES + 1):
            listed = list_of(self._read(f"{where}/statuses", page))
            for body in map(object_of, listed):
                state = _STATES.get(str(body.get("state")), ReportState.PENDING)
                yield from _report(commit, body.get("context"), state, body.get("created_at"))
            if len(listed) < _PER_PAGE:
                return

    def _seen_runs(self, commit: str, where: str) -> tuple[Report, ...]:
        """Return check runs; a token that may not read them sees none, and so nothing that waits for one passes."""
        try:
            return tuple(self._runs(commit, where))
        except PermanentError:
            return ()

    def _runs(self, commit: str, where: str) -> Iterator[Report]:
        """Yield check runs, the last of each name."""
        for page in range(1, _MAX_PAGES + 1):
            answer = object_of(self._read(f"{where}/check-runs", page))
            listed = list_of(answer.get("check_runs"))
            for body in map(object_of, listed):
                yield from _report(commit, body.get("name"), _state(body), body.get("completed_at"))
            if len(listed) < _PER_PAGE:
                return

    def _read(self, path: str, page: int) -> Any:
        answer = self.wire.read_elsewhere(path, per_page=_PER_PAGE, page=page)
        if answer is None:
            raise PermanentError(f"{path} is not there, or may not be read")
        return answer


def _state(run: Mapping[str, Any]) -> ReportState:
    conclusion = str(run.get("conclusion"))
    if run.get("status") != "completed":
        return ReportState.PENDING
    if conclusion in _PASSED:
        return ReportState.SUCCESS
    return ReportState.FAILURE if conclusion in _FAILED else ReportState.PENDING


def _report(commit: str, name: object, state: ReportState, at: object) -> Iterator[Report]:
    """Yield a report whose name a rule could name."""
    if isinstance(name, str) and name.isprintable() and 0 < len(name) <= _MAX_NAME:
        yield Report(
            commit, name, state, at if isinstance(at, str) and at.isascii() and at.isprintable() else ""
        )
