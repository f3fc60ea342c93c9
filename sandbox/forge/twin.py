"""A forge that answers like GitHub, over a real bare repository, and the levers with which people and faults act."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sandbox.forge.apps import AppAccount
from sandbox.forge.door import Door, Fault
from sandbox.forge.merging import METHODS, signature
from sandbox.forge.refusals import RefusalError, head_modified, not_mergeable
from sandbox.forge.state import CheckRun, Comment, Pull, Review, Status, User
from sandbox.forge.world import ForgeError, World, now
from sandbox.http import Seen

__all__ = ["AppAccount", "ForgeError", "ForgeTwin", "RefusalError", "User"]

_SECONDARY_LIMIT = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."


class ForgeTwin:
    """A forge with one repository. ``app`` serves it; every method may be called from any thread.

    Clients want its bodies to name the host that they use: serve it as ``localhost``.
    """

    def __init__(
        self,
        bare_repository: Path,
        *,
        owner: str = "example",
        name: str = "gitops",
        users: Sequence[User],
        state: Path | None = None,
        clock: Callable[[], datetime] = now,
    ) -> None:
        """Open a forge over a repository; ``state`` is the file that a restart goes on from.

        Raises: StateError, when that file cannot be read.
        """
        self._world = World(bare_repository, owner=owner, name=name, users=users, state=state, clock=clock)
        self._door = Door(self._world)
        self.app = self._door.app()

    # What people do

    def push_to_branch(
        self,
        branch: str,
        files: Mapping[str, str | None],
        message: str,
        *,
        login: str,
        start: str | None = None,
    ) -> str:
        """Commit files (None deletes one) as a person, past protection, and return the commit.

        A new branch begins at ``start``, or at the default branch. Raises: ForgeError.
        """
        user = self._world.user(login)
        with self._world.pushing(login):
            begin = self._world.repository.resolve(start or self._world.repository.default_branch())
            if start is not None and begin is None:
                raise ForgeError(f"there is no {start} to begin {branch} at")
            who, at = signature(user), self._world.pulls.clock()
            return self._world.repository.write(branch, files, message, author=who, at=at, start=begin)

    def delete_branch(self, branch: str) -> None:
        """Delete a branch; its pull requests close. Raises: ForgeError."""
        with self._world.acting():
            if not self._world.repository.delete(branch):
                raise ForgeError(f"there is no branch {branch}")

    def close_pull(self, number: int) -> None:
        """Close a pull request without merging it. Raises: ForgeError."""
        with self._world.acting():
            self._world.pulls.change(self._world.pull(number), {"state": "closed"})

    def merge_pull(self, number: int, *, login: str, method: str = "merge") -> str:
        """Merge as a person does in the browser, and return the commit. Raises: ForgeError, RefusalError."""
        with self._world.acting():
            return self._world.pulls.merge(
                self._world.pull(number), self._world.user(login), {"merge_method": method}
            )

    def review(self, number: int, *, login: str, state: str = "APPROVED", body: str = "") -> None:
        """Review the head as a person; nobody reviews their own. Raises: ForgeError."""
        with self._world.acting():
            pull, author = self._world.pull(number), self._world.user(login).login
            if author == pull.author:
                raise ForgeError(f"{login} opened pull request {number} and cannot review it")
            at, ids = self._world.now(), self._world.pulls.state.next_id()
            self._world.pulls.state.reviews.append(
                Review(ids, number, author, state, body, pull.head_sha, at)
            )

    def dismiss(self, number: int, *, login: str) -> None:
        """Take a person's last review back, as a maintainer does. Raises: ForgeError."""
        with self._world.acting():
            mine = [
                one for one in self._world.pulls.state.reviews if (one.pull, one.author) == (number, login)
            ]
            if not mine:
                raise ForgeError(f"{login} has not reviewed pull request {number}")
            mine[-1].state, mine[-1].dismissed_at = "DISMISSED", None

    def set_team(self, team: str, logins: Sequence[str] | None) -> None:
        """Say who is in a team of the organization; None: there is no such team."""
        with self._world.acting():
            self._world.pulls.state.teams.pop(team, None)
            if logins is not None:
                self._world.pulls.state.teams[team] = list(logins)

    def rename(self, login: str, new: str) -> None:
        """Give an account another login; its number stays, and what it wrote is shown under the new one."""
        with self._world.acting():
            user, state = self._world.user(login), self._world.pulls.state
            del self._world.users[login]
            self._world.users[new] = replace(user, login=new)
            for moved in state.activities:
                moved.login = new if moved.login == login else moved.login
            written: list[Review | Pull | Comment] = [*state.reviews, *state.pulls, *state.comments]
            for one in written:
                one.author = new if one.author == login else one.author
            state.teams = {
                team: [new if one == login else one for one in who] for team, who in state.teams.items()
            }

    def register(self, user: User) -> None:
        """Make an account, or change what it is: suspended, a bot."""
        with self._world.acting():
            self._world.users[user.login] = user

    def comment(self, number: int, *, login: str, body: str) -> None:
        """Comment on a pull request as a person. Raises: ForgeError."""
        with self._world.acting():
            author, at = self._world.user(login).login, self._world.now()
            made = Comment(
                self._world.pulls.state.next_id(), self._world.pull(number).number, author, body, at, at
            )
            self._world.pulls.state.comments.append(made)

    # What machines say, and what the rules ask for

    def set_status(
        self, ref: str, context: str, state: str, *, login: str, description: str = "", target_url: str = ""
    ) -> None:
        """Say how a commit fares, as a delivery tool does. Raises: ForgeError."""
        with self._world.acting():
            status = Status(
                id=self._world.pulls.state.next_id(),
                sha=self._world.commit(ref),
                context=context,
                state=state,
                description=description or None,
                target_url=target_url or None,
                creator=self._world.user(login).login,
                created_at=self._world.now(),
            )
            self._world.pulls.state.statuses.append(status)

    def set_check_run(self, ref: str, name: str, conclusion: str | None) -> None:
        """Run a check on a commit; without a conclusion it still runs. Raises: ForgeError."""
        with self._world.acting():
            at = self._world.now()
            status, ended = ("in_progress", None) if conclusion is None else ("completed", at)
            run = CheckRun(
                self._world.pulls.state.next_id(),
                self._world.commit(ref),
                name,
                status,
                conclusion,
                at,
                ended,
            )
            self._world.pulls.state.check_runs.append(run)

    def install_app(self, app: AppAccount) -> None:
        """Install an App on the repository, or change what it is there: permissions, suspension, installation."""
        with self._world.lock:
            self._world.apps.accounts[app.id] = app

    def let_sign_in(self, client_id: str) -> None:
        """Let people sign in to an App with a code: its device flow is enabled."""
        with self._world.lock:
            self._world.sign_ins.clients.add(client_id)

    def waits_for(self, code: str) -> bool:
        """Tell whether somebody may answer a code on the page for signing in."""
        with self._world.lock:
            return self._world.sign_ins.waits(code)

    def type_code(self, code: str, *, login: str) -> None:
        """Type a code as a person who is signed in; '' as the login refuses it. Raises: ForgeError."""
        with self._world.lock:
            if not self._world.sign_ins.typed(code, login):
                raise ForgeError(f"there is no code {code}")

    def sign_in_tokens(self) -> list[str]:
        """Return the tokens that people who signed in have given to Apps."""
        with self._world.lock:
            return list(self._world.sign_ins.tokens)

    def revoke_app_tokens(self) -> None:
        """Take back every token that Apps were given; they may ask for others."""
        with self._world.lock:
            self._world.apps.forget()

    def shorten_app_tokens(self, life: timedelta) -> None:
        """Let tokens that Apps are given from now on end sooner than after an hour."""
        with self._world.lock:
            self._world.apps.life = life

    def check_runs(self, ref: str) -> list[CheckRun]:
        """Return the check runs of a commit, oldest first. Raises: ForgeError."""
        with self._world.acting():
            sha = self._world.commit(ref)
            return [replace(run) for run in self._world.pulls.state.check_runs if run.sha == sha]

    def require_checks(self, contexts: Sequence[str]) -> None:
        """Merge only what has passed these statuses or check runs."""
        with self._world.acting():
            self._world.pulls.state.required_checks = list(contexts)

    def require_reviews(self, count: int, *, dismiss_stale: bool = False) -> None:
        """Merge only what so many people approved; a push may take approvals away."""
        with self._world.acting():
            self._world.pulls.state.required_reviews = count
            self._world.pulls.state.dismisses_stale = dismiss_stale

    def allow_merge_methods(self, methods: Sequence[str]) -> None:
        """Allow merge, squash, rebase, or some of them. Raises: ForgeError."""
        if not set(methods) <= set(METHODS):
            raise ForgeError(f"{', '.join(methods)}: expected some of {', '.join(METHODS)}")
        with self._world.acting():
            self._world.pulls.state.merge_methods = list(methods)

    def protect(self, branch: str, *, code: str = "GH006") -> None:
        """Refuse direct pushes to a branch, in the words of ``GH006`` (protection) or ``GH013`` (ruleset)."""
        with self._world.acting():
            self._world.repository.protect(branch, code)

    def unprotect(self, branch: str) -> None:
        """Let direct pushes through again."""
        with self._world.acting():
            self._world.repository.unprotect(branch)

    # What goes wrong

    def refuse_merges(self, status: int, *, times: int = 1, after_merging: bool = False) -> None:
        """Answer so many merges with 405, 409, 502 ..., before anything is done or, silently, after the merge."""
        refusals = {405: not_mergeable(), 409: head_modified()}
        refusal = refusals.get(status, RefusalError(status, "Server Error"))
        self._break(Fault(refusal, times, "PUT", "/merge", after_merging))

    def fail(
        self,
        status: int,
        *,
        times: int = 1,
        method: str | None = None,
        address: str = "",
        after: bool = False,
    ) -> None:
        """Answer so many requests, of one method or to addresses that end so, with an error."""
        self._break(Fault(RefusalError(status, "Server Error"), times, method, address, after))

    def garble(self, body: bytes, *, times: int = 1, address: str = "") -> None:
        """Answer so many requests, to addresses that end so, with these bytes, as if all were well."""
        self._break(Fault(RefusalError(200, ""), times, None, address, body=body))

    def limit_rate(self, retry_after_seconds: int, *, times: int = 1) -> None:
        """Refuse so many requests with GitHub's secondary rate limit."""
        headers = {"Retry-After": str(retry_after_seconds)}
        self._break(Fault(RefusalError(403, _SECONDARY_LIMIT, headers=headers), times))

    def delay_mergeability(self, looks: int) -> None:
        """Answer so many looks at open pull requests before it is known whether they can be merged."""
        with self._world.lock:
            self._world.pulls.looks_until_known = looks

    def answer_after(self, seconds: float) -> None:
        """Let every request from now on wait for so long, as on the way to a forge far away."""
        self._door.seconds = seconds

    def heal(self) -> None:
        """End every fault; rules and protection stay."""
        with self._world.lock:
            self._door.faults.clear()
            self._world.pulls.looks_until_known = 0

    def _break(self, fault: Fault) -> None:
        with self._world.lock:
            self._door.faults.append(fault)

    def seen(self) -> list[Seen]:
        """Return the requests since the start, or since ``forget``."""
        with self._world.lock:
            return list(self._door.seen)

    def forget(self) -> None:
        """Count requests from nothing again."""
        with self._world.lock:
            self._door.seen.clear()

    # What a page shows

    def snapshot(self) -> dict[str, Any]:
        """Return branches and pull requests, newest first, with diffs, reviews, comments and results."""
        with self._world.acting():
            return {
                "repository": f"{self._world.owner}/{self._world.name}",
                "default_branch": self._world.repository.default_branch(),
                "branches": self._world.repository.heads(),
                "protected": sorted(self._world.repository.protected()),
                "pulls": [self._shown(pull) for pull in reversed(self._world.pulls.state.pulls)],
            }

    def _shown(self, pull: Pull) -> dict[str, Any]:
        pulls, state = self._world.pulls, self._world.pulls.state
        look = pulls.mergeability(pull)
        return {
            "number": pull.number,
            "title": pull.title,
            "body": pull.body or "",
            "state": "merged" if pull.merged_at else pull.state,
            "author": pull.author,
            "head": pull.head,
            "base": pull.base,
            "head_sha": pull.head_sha,
            "mergeable": look.mergeable,
            "mergeable_state": look.state,
            "merged_by": pull.merged_by,
            "merge_commit_sha": pull.merge_commit_sha,
            "created_at": pull.created_at,
            "closed_at": pull.closed_at,
            "diff": self._world.repository.diff(pulls.fork_point(pull), pull.head_sha),
            "results": pulls.rules.results(pull.head_sha),
            "reviews": [
                {"author": one.author, "state": one.state, "body": one.body, "at": one.submitted_at}
                for one in state.reviews
                if one.pull == pull.number
            ],
            "comments": [
                {"author": one.author, "body": one.body, "at": one.created_at}
                for one in state.comments
                if one.pull == pull.number
            ],
        }
