"""Pull requests over a real repository: they follow their branches, and merge as GitHub merges."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sandbox.forge.merging import METHOD_NAMES, METHODS, Merging
from sandbox.forge.refusals import custom, forbidden, head_modified, invalid, not_mergeable
from sandbox.forge.repository import ForgeRepository
from sandbox.forge.rules import Rules
from sandbox.forge.state import Activity, Pull, State, User

_MAX_BODY = 65_536  # GitHub, characters of a description or comment


def stamp(at: datetime) -> str:
    """Write a time (UTC) as GitHub does."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True)
class Mergeability:
    """Can it be merged now, why not, and which commit would a merge be? ``mergeable`` None: not known yet."""

    mergeable: bool | None
    state: str  # clean, dirty, blocked, unstable, unknown
    test_merge: str | None


@dataclass(slots=True)
class Pulls:
    """The pull requests of one repository; whoever holds it also holds the lock."""

    owner: str
    repository: ForgeRepository
    state: State
    users: Mapping[str, User]
    clock: Callable[[], datetime]
    looks_until_known: int = 0
    _test_merges: dict[tuple[str, str], str | None] = field(default_factory=dict)

    @property
    def rules(self) -> Rules:
        """What must have happened before a merge."""
        return Rules(self.state, self.users)

    @property
    def merging(self) -> Merging:
        """What writes merge commits."""
        return Merging(self.owner, self.repository, self.clock)

    def refresh(self) -> None:
        """Let every open pull request follow its branches, as GitHub does after a push."""
        open_ones = [pull for pull in self.state.pulls if pull.is_open]
        if not open_ones:
            return
        heads = self.repository.heads()
        for pull in open_ones:
            self._follow(pull, heads)

    def open(self, author: User, wanted: Mapping[str, Any]) -> Pull:
        """Open a pull request from a branch of this repository. Raises: RefusalError."""
        title, head, base, body = (wanted.get(key) for key in ("title", "head", "base", "body"))
        if not isinstance(title, str) or not title.strip():
            raise invalid("Issue", "title", "missing_field")
        head_branch, head_sha = self._branch(head, "head")
        base_branch, base_sha = self._branch(base, "base")
        self._check_new(head_branch, head_sha, base_branch, base_sha)
        now = stamp(self.clock())
        pull = Pull(
            number=max((known.number for known in self.state.pulls), default=0) + 1,
            author=author.login,
            title=title,
            body=checked_body(body, "PullRequest"),
            head=head_branch,
            base=base_branch,
            head_sha=head_sha,
            base_sha=base_sha,
            created_at=now,
            updated_at=now,
        )
        self.state.pulls.append(pull)
        self._keep_head(pull)
        return pull

    def change(self, pull: Pull, wanted: Mapping[str, Any]) -> None:
        """Change title, body, base or state. Raises: RefusalError, with nothing changed."""
        title = wanted.get("title", pull.title)
        if not isinstance(title, str) or not title.strip():
            raise invalid("Issue", "title", "missing_field")
        body = checked_body(wanted["body"], "PullRequest") if "body" in wanted else pull.body
        base = self._branch(wanted["base"], "base") if "base" in wanted else (pull.base, pull.base_sha)
        after = wanted.get("state", pull.state)
        if after not in ("open", "closed"):
            raise invalid("PullRequest", "state")
        if after == "open" and not pull.is_open:
            self._check_reopening(pull)
        pull.title, pull.body, pull.updated_at = title, body, stamp(self.clock())
        if pull.is_open:
            pull.base, pull.base_sha = base
        if after != pull.state:
            pull.state, pull.closed_at = after, stamp(self.clock()) if after == "closed" else None

    def merge(self, pull: Pull, by: User, wanted: Mapping[str, Any]) -> str:
        """Merge, and return the commit that the base branch then ends with. Raises: RefusalError."""
        if not by.can_write:
            raise forbidden()
        method = wanted.get("merge_method") or "merge"
        if method not in METHODS:
            raise invalid("PullRequest", "merge_method")
        if not pull.is_open:
            raise not_mergeable()
        if wanted.get("sha") not in (None, "", pull.head_sha):
            raise head_modified()
        if method not in self.state.merge_methods:
            raise not_mergeable(f"{METHOD_NAMES[method]} are not allowed on this repository.")
        missing = self.rules.missing(pull)
        if missing is not None:
            raise not_mergeable(missing)
        merged = self.merging.commit(pull, by, method, wanted)
        if merged is None:
            raise not_mergeable()
        if not self.repository.move(f"refs/heads/{pull.base}", merged, pull.base_sha):
            raise not_mergeable("Base branch was modified. Review and try the merge again.")
        self.note(pull.base, pull.base_sha, merged, by.login, "pr_merge")
        self._close_merged(pull, merged, by.login)
        return merged

    def note(self, branch: str, before: str, after: str, login: str, kind: str) -> None:
        """Remember who moved a branch."""
        made = Activity(self.state.next_id(), branch, before, after, login, kind, stamp(self.clock()))
        self.state.activities.append(made)

    def mergeability(self, pull: Pull) -> Mergeability:
        """Try the merge, as GitHub does in the background after each push."""
        if not pull.is_open:
            return Mergeability(None, "unknown", pull.merge_commit_sha)
        if self.looks_until_known > 0:
            self.looks_until_known -= 1
            return Mergeability(None, "unknown", None)
        test_merge = self._test_merge(pull)
        if test_merge is None:
            return Mergeability(mergeable=False, state="dirty", test_merge=None)
        return Mergeability(mergeable=True, state=self.rules.verdict(pull), test_merge=test_merge)

    def fork_point(self, pull: Pull) -> str:
        """Return where the pull request's branch left its base: what its diff and commits begin at."""
        return self.repository.merge_base(pull.base_sha, pull.head_sha) or pull.base_sha

    def label(self, pull: Pull) -> str:
        """Return the head as GitHub's filters name it."""
        return f"{self.owner}:{pull.head}"

    def _follow(self, pull: Pull, heads: Mapping[str, str]) -> None:
        head, base = heads.get(pull.head), heads.get(pull.base)
        if (head, base) == (pull.head_sha, pull.base_sha):
            return
        if base is None:
            self._close(pull)
            return
        before, known, pull.base_sha = pull.base_sha, pull.head_sha, base
        if head is not None and head != known:
            self._move_head(pull, head)
        landed = next((sha for sha in (known, head) if sha and self._came_in(sha, before, base)), None)
        if landed is not None:
            pull.base_sha = before
            self._close_merged(pull, self._came_in_by(landed, before, base), None)
        elif head is None or self.repository.contains(base, head):
            self._close(pull)  # deleted, or pushed back to where nothing is left to merge

    def _came_in(self, sha: str, before: str, after: str) -> bool:
        """Tell whether a push to the base branch brought a commit that it did not have."""
        is_news = before != after and self.repository.contains(after, sha)
        return is_news and not self.repository.contains(before, sha)

    def _came_in_by(self, sha: str, before: str, after: str) -> str:
        """Return the first commit on the base branch's own line that has ``sha`` in its history."""
        line = self.repository.history("--first-parent", f"^{before}", after, oldest_first=True)
        return next((commit.sha for commit in line if self.repository.contains(commit.sha, sha)), after)

    def _move_head(self, pull: Pull, head: str) -> None:
        pull.head_sha, pull.updated_at = head, stamp(self.clock())
        self._keep_head(pull)
        if self.state.dismisses_stale:
            for review in self.state.reviews:
                if review.pull == pull.number and review.state == "APPROVED":
                    review.state, review.dismissed_at = "DISMISSED", head

    def _keep_head(self, pull: Pull) -> None:
        """Keep the head under ``refs/pull``, as GitHub does: it outlives its branch."""
        self.repository.git.run("update-ref", f"refs/pull/{pull.number}/head", pull.head_sha)

    def _close(self, pull: Pull) -> None:
        pull.state, pull.closed_at = "closed", stamp(self.clock())
        pull.updated_at = pull.closed_at

    def _close_merged(self, pull: Pull, sha: str, by: str | None) -> None:
        self._close(pull)
        pull.merged_at, pull.merged_by, pull.merge_commit_sha = pull.closed_at, by, sha

    def _branch(self, name: Any, field_name: str) -> tuple[str, str]:
        """Return a branch with its tip; ``owner:branch`` means the same where the owner is ours."""
        owner, colon, branch = str(name or "").rpartition(":")
        tip = self.repository.heads().get(branch) if not colon or owner == self.owner else None
        if tip is None:
            raise invalid("PullRequest", field_name)
        return branch, tip

    def _check_new(self, head: str, head_sha: str, base: str, base_sha: str) -> None:
        if self._twin_of(head, base) is not None:
            raise custom("PullRequest", f"A pull request already exists for {self.owner}:{head}.")
        if self.repository.merge_base(base_sha, head_sha) is None:
            raise custom("PullRequest", f"The {head} branch has no history in common with {base}")
        if self.repository.contains(base_sha, head_sha):
            raise custom("PullRequest", f"No commits between {base} and {head}")

    def _check_reopening(self, pull: Pull) -> None:
        head = self.repository.heads().get(pull.head)
        if pull.merged_at is not None:
            reason = "The pull request cannot be reopened."
        elif self._twin_of(pull.head, pull.base) is not None:
            reason = f"There is already an open pull request from {self.owner}:{pull.head} to {self.owner}:{pull.base}."
        elif head is None:
            reason = f"The {pull.head} branch has been deleted."
        elif head != pull.head_sha and not self.repository.contains(head, pull.head_sha):
            reason = f"The {pull.head} branch was force-pushed or recreated."
        else:
            return
        raise custom("PullRequest", f"state cannot be changed. {reason}")

    def _twin_of(self, head: str, base: str) -> Pull | None:
        return next(
            (one for one in self.state.pulls if one.is_open and (one.head, one.base) == (head, base)), None
        )

    def _test_merge(self, pull: Pull) -> str | None:
        """Return the commit that a merge would be, kept under ``refs/pull`` and on no branch; None on conflict."""
        key = (pull.base_sha, pull.head_sha)
        if key not in self._test_merges:
            self._test_merges[key] = self.merging.trial(*key)
        found = self._test_merges[key]
        if found is not None:
            self.repository.git.run("update-ref", f"refs/pull/{pull.number}/merge", found)
        return found


def checked_body(body: Any, resource: str) -> str | None:
    """Return a description or comment as it is kept. Raises: RefusalError."""
    if body is not None and not isinstance(body, str):
        raise invalid(resource, "body")
    if body is not None and len(body) > _MAX_BODY:
        raise custom(resource, f"body is too long (maximum is {_MAX_BODY} characters)")
    return body
