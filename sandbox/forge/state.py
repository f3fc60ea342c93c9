"""What the forge knows beside Git: people, pull requests, reviews, comments, statuses; kept in one JSON file."""

import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


class StateError(Exception):
    """The forge's state file cannot be read; the message names it."""


@dataclass(frozen=True, slots=True)
class User:
    """Somebody with a token. ``permission`` is admin, write, read or none."""

    id: int
    login: str
    token: str
    name: str = ""
    permission: str = "write"
    is_bot: bool = False
    is_suspended: bool = False
    email: str = ""  # of the public profile
    verified: tuple[str, ...] = ()  # addresses at domains that the organization has verified

    @property
    def can_write(self) -> bool:
        """May this user merge and push?"""
        return self.permission in {"admin", "write"}


@dataclass(slots=True)
class Pull:
    """One pull request. Times are RFC 3339, UTC, as GitHub writes them."""

    number: int
    author: str
    title: str
    body: str | None
    head: str
    base: str
    head_sha: str
    base_sha: str
    created_at: str
    updated_at: str
    state: str = "open"
    closed_at: str | None = None
    merged_at: str | None = None
    merged_by: str | None = None
    merge_commit_sha: str | None = None

    @property
    def is_open(self) -> bool:
        """Is it neither closed nor merged?"""
        return self.state == "open"


@dataclass(slots=True)
class Review:
    """One review; ``state`` is APPROVED, CHANGES_REQUESTED, COMMENTED, PENDING or DISMISSED."""

    id: int
    pull: int
    author: str
    state: str
    body: str
    commit_id: str
    submitted_at: str
    dismissed_at: str | None = None  # the commit whose push took it back; None where a person did, or nobody


@dataclass(slots=True)
class Comment:
    """One comment in a pull request's conversation."""

    id: int
    pull: int
    author: str
    body: str
    created_at: str
    updated_at: str
    app: int = 0  # by which it was written, 0 = none


@dataclass(slots=True)
class Status:
    """One commit status; a later one with the same context takes its place."""

    id: int
    sha: str
    context: str
    state: str
    description: str | None
    target_url: str | None
    creator: str
    created_at: str


@dataclass(slots=True)
class CheckRun:
    """One check run; ``conclusion`` is None until it is completed."""

    id: int
    sha: str
    name: str
    status: str
    conclusion: str | None
    started_at: str
    completed_at: str | None
    app: int = 0  # whose it is; 0 = some machine's
    title: str | None = None
    summary: str | None = None


@dataclass(slots=True)
class Activity:
    """One push or merge: which branch went from where to where, by whom. ``kind`` in GitHub's words."""

    id: int
    branch: str
    before: str
    after: str
    login: str
    kind: str
    at: str


@dataclass(slots=True)
class State:
    """Everything that a restart must not forget."""

    last_id: int = 0
    pulls: list[Pull] = field(default_factory=list)
    reviews: list[Review] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    statuses: list[Status] = field(default_factory=list)
    check_runs: list[CheckRun] = field(default_factory=list)
    activities: list[Activity] = field(default_factory=list)
    required_checks: list[str] = field(default_factory=list)
    required_reviews: int = 0
    dismisses_stale: bool = False
    teams: dict[str, list[str]] = field(default_factory=dict)  # of the organization: slug -> logins
    merge_methods: list[str] = field(default_factory=lambda: ["merge", "squash", "rebase"])

    def next_id(self) -> int:
        """Return an id that was never given."""
        self.last_id += 1
        return self.last_id

    def pull(self, number: int) -> Pull | None:
        """Find a pull request."""
        return next((pull for pull in self.pulls if pull.number == number), None)


@dataclass(slots=True)
class StateFile:
    """The file beside the repository; without a path nothing is kept."""

    path: Path | None
    _written: str = ""

    def load(self) -> State:
        """Read the state, or begin with an empty one. Raises: StateError."""
        if self.path is None or not self.path.exists():
            return State()
        try:
            return _state(json.loads(self.path.read_text()))
        except (ValueError, TypeError, AttributeError) as error:
            raise StateError(f"{self.path} does not hold a forge's state: {error}") from error

    def save(self, state: State) -> None:
        """Write the state if it changed: whole or not at all."""
        if self.path is None:
            return
        text = json.dumps(asdict(state), indent=1)
        if text != self._written:
            beside = self.path.with_name(self.path.name + ".new")
            beside.write_text(text)
            os.replace(beside, self.path)  # noqa: PTH105  the name says that it replaces
            self._written = text


def _state(read: dict[str, Any]) -> State:
    rows: dict[str, Callable[..., Any]] = {
        "pulls": Pull,
        "reviews": Review,
        "comments": Comment,
        "statuses": Status,
        "check_runs": CheckRun,
        "activities": Activity,
    }
    values: dict[str, Any] = {
        key: [rows[key](**row) for row in value] if key in rows else value for key, value in read.items()
    }
    return State(**values)
