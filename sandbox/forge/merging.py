"""The commits that a merge, a squash or a rebase leaves on the base branch, with GitHub's words and names."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox.forge.repository import ForgeRepository, Signature
from sandbox.forge.state import Pull, User

METHODS = ("merge", "squash", "rebase")
METHOD_NAMES = {"merge": "Merge commits", "squash": "Squash merges", "rebase": "Rebase merges"}
_FORGE = Signature("GitHub", "noreply@github.com")


def signature(user: User) -> Signature:
    """Return the name under which GitHub commits for a user."""
    return Signature(user.name or user.login, f"{user.id}+{user.login}@users.noreply.github.com")


@dataclass(frozen=True, slots=True)
class Merging:
    """Writes commits; no branch moves."""

    owner: str
    repository: ForgeRepository
    clock: Callable[[], datetime]

    def trial(self, base: str, head: str) -> str | None:
        """Return the commit that a merge would be; None on a conflict."""
        tree = self.repository.merged_tree(base, head)
        return None if tree is None else self._commit(tree, (base, head), f"Merge {head} into {base}", _FORGE)

    def commit(self, pull: Pull, by: User, method: str, wanted: Mapping[str, Any]) -> str | None:
        """Write what the base branch will end with; None on a conflict."""
        if method == "rebase":
            return self._rebased(pull)
        tree = self.repository.merged_tree(pull.base_sha, pull.head_sha)
        if tree is None:
            return None
        title, message = self._words(pull, method)
        title = wanted.get("commit_title") or title
        message = message if wanted.get("commit_message") is None else str(wanted["commit_message"])
        text = f"{title}\n\n{message}" if message else str(title)
        parents = (pull.base_sha, pull.head_sha) if method == "merge" else (pull.base_sha,)
        return self._commit(tree, parents, text, signature(by))

    def _words(self, pull: Pull, method: str) -> tuple[str, str]:
        """Return title and message as GitHub's default settings have them."""
        if method == "merge":
            return f"Merge pull request #{pull.number} from {self.owner}/{pull.head}", pull.title
        commits = self.repository.history(f"^{pull.base_sha}", pull.head_sha, oldest_first=True)
        if len(commits) == 1:
            title, _, rest = commits[0].message.partition("\n")
            return f"{title} (#{pull.number})", rest.strip("\n")
        return f"{pull.title} (#{pull.number})", "\n\n".join(f"* {commit.message}" for commit in commits)

    def _rebased(self, pull: Pull) -> str | None:
        """Repeat each commit on top of the base branch; a merge among them cannot be repeated."""
        onto = pull.base_sha
        for commit in self.repository.history(f"^{onto}", pull.head_sha, oldest_first=True):
            tree = self.repository.picked(onto, commit, at=self.clock()) if len(commit.parents) == 1 else None
            if tree is None:
                return None
            author = Signature(commit.author_name, commit.author_email)
            onto = self._commit(tree, (onto,), commit.message, author, authored_at=commit.authored_at)
        return onto

    def _commit(
        self,
        tree: str,
        parents: tuple[str, ...],
        message: str,
        author: Signature,
        authored_at: str | None = None,
    ) -> str:
        return self.repository.commit(
            tree, parents, message, author=author, committer=_FORGE, at=self.clock(), authored_at=authored_at
        )
