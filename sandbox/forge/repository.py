"""The git side of the forge: what a bare repository holds, merges without a work tree, people's commits, hooks."""

import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sandbox.forge.history import FORMAT, Change, Commit, changes, commits
from sandbox.git import Git, GitError

_HEX = re.compile(r"[0-9a-f]{7,40}", re.ASCII)
_ABSENT = "0" * 40
_LOST_RACES = 5
_PROTECTED = "sandbox-protected"
_OURS = "# Written by Countersign's sandbox."

# An update hook is asked for each ref by itself, so that an unprotected branch in the same push goes through,
# and an atomic push does not. The words are those that GitHub's own hooks print.
_UPDATE_HOOK = f"""\
#!/bin/sh
{_OURS}
exec >&2
while read -r ref code; do
  [ "$ref" = "$1" ] || continue
  case "$code" in
    GH013)
      echo "error: GH013: Repository rule violations found for $1."
      echo "Review all repository rules of this repository"
      echo
      echo "- Changes must be made through a pull request." ;;
    *)
      echo "error: GH006: Protected branch update failed for $1."
      echo "error: Changes must be made through a pull request." ;;
  esac
  exit 1
done < "$GIT_DIR/{_PROTECTED}"
exit 0
"""


@dataclass(frozen=True, slots=True)
class Signature:
    """Who wrote a commit."""

    name: str
    email: str


@dataclass(frozen=True, slots=True)
class ForgeRepository:
    """A bare repository as the forge sees it."""

    git: Git

    def heads(self) -> dict[str, str]:
        """Return each branch with its tip."""
        lines = self.git.lines("for-each-ref", "--format=%(objectname) %(refname)", "refs/heads/")
        pairs = (line.split(" ", maxsplit=1) for line in lines)
        return {ref.removeprefix("refs/heads/"): tip for tip, ref in pairs}

    def default_branch(self) -> str:
        """Return the branch that HEAD names."""
        return (self.git.repository / "HEAD").read_text().strip().removeprefix("ref: refs/heads/")

    def resolve(self, name: str) -> str | None:
        """Return the commit that a branch, a full ref of a branch, a tag, or (part of) an object name means."""
        found = self.heads().get(name.removeprefix("refs/heads/").removeprefix("heads/")) or self.tags().get(
            name
        )
        if found is not None or _HEX.fullmatch(name) is None:
            return found
        answer = self.git.run("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}", expected=(0, 1, 128))
        return answer.text if answer.code == 0 else None

    def tags(self) -> dict[str, str]:
        """Return the commits that tags name."""
        form = "--format=%(refname:lstrip=2) %(objectname) %(*objectname)"
        rows = (row.split(" ") for row in self.git.text("for-each-ref", form, "refs/tags/").splitlines())
        return {row[0]: row[2] or row[1] for row in rows}

    def contains(self, descendant: str, ancestor: str) -> bool:
        """Tell whether ``ancestor`` is part of the history of ``descendant``."""
        answer = self.git.run("merge-base", "--is-ancestor", ancestor, descendant, expected=(0, 1))
        return answer.code == 0

    def merge_base(self, one: str, other: str) -> str | None:
        """Return where two histories part; None if they never met."""
        answer = self.git.run("merge-base", one, other, expected=(0, 1))
        return answer.text if answer.code == 0 else None

    def merged_tree(self, base: str, head: str) -> str | None:
        """Return the tree of merging ``head`` into ``base``; None on a conflict."""
        if self.merge_base(base, head) is None:
            return None
        answer = self.git.run("merge-tree", "--write-tree", base, head, expected=(0, 1))
        return answer.text.split("\n")[0] if answer.code == 0 else None

    def commit(
        self,
        tree: str,
        parents: Sequence[str],
        message: str,
        *,
        author: Signature,
        committer: Signature,
        at: datetime,
        authored_at: str | None = None,
    ) -> str:
        """Write a commit object with exactly this message; no ref moves."""
        named = [word for parent in parents for word in ("-p", parent)]
        who = {
            "GIT_AUTHOR_NAME": author.name,
            "GIT_AUTHOR_EMAIL": author.email,
            "GIT_AUTHOR_DATE": authored_at or at.isoformat(),
            "GIT_COMMITTER_NAME": committer.name,
            "GIT_COMMITTER_EMAIL": committer.email,
            "GIT_COMMITTER_DATE": at.isoformat(),
        }
        # from standard input nothing is added or cut off; -F would end the last line
        return self.git.run("commit-tree", tree, *named, stdin=message.encode(), environment=who).text

    def picked(self, onto: str, commit: Commit, *, at: datetime) -> str | None:
        """Return the tree of one commit's change on top of ``onto``; None on a conflict.

        git before 2.40 takes no merge base for merge-tree: three commits that nobody keeps stand for it.
        """
        anybody = Signature("sandbox", "sandbox@localhost")

        def write(tree: str, *parents: str) -> str:
            return self.commit(tree, parents, "picked", author=anybody, committer=anybody, at=at)

        before = write(self.tree(commit.parents[0]) if commit.parents else self._empty_tree())
        return self.merged_tree(write(self.tree(onto), before), write(commit.tree, before))

    def tree(self, commit: str) -> str:
        """Return the tree of a commit."""
        return self.git.text("rev-parse", "--verify", f"{commit}^{{tree}}")

    def move(self, ref: str, new: str, old: str | None) -> bool:
        """Point a ref from ``old`` (None: absent) to ``new``; False if it stands elsewhere by now. Raises: GitError."""
        answer = self.git.run("update-ref", ref, new, old or _ABSENT, expected=range(256))
        if answer.code and self._tip(ref) == old:
            raise GitError(f"{ref} cannot be moved: {answer.complaint}")
        return answer.code == 0

    def delete(self, branch: str) -> bool:
        """Delete a branch; False if there is none."""
        tip = self.heads().get(branch)
        if tip is not None:
            self.git.run("update-ref", "-d", f"refs/heads/{branch}", tip)
        return tip is not None

    def history(self, *revisions: str, limit: int | None = None, oldest_first: bool = False) -> list[Commit]:
        """Return commits, newest first unless told otherwise. ``revisions`` are object names, also ``^excluded``."""
        options = ["--topo-order", *([f"--max-count={limit}"] if limit else [])]
        options += ["--reverse"] if oldest_first else []
        return commits(self.git.run("log", "-z", FORMAT, *options, *revisions, "--").output)

    def count(self, *revisions: str) -> int:
        """Count commits."""
        return int(self.git.text("rev-list", "--count", *revisions, "--"))

    def changes(self, before: str | None, after: str) -> list[Change]:
        """Return the files that differ between two commits; from nothing, where ``before`` is None."""
        ends = (before or self._empty_tree(), after)

        def diff(kind: str) -> bytes:
            return self.git.run("diff-tree", "-r", "-M", "--no-ext-diff", *kind.split(), *ends, "--").output

        return changes(diff("--raw -z --full-index"), diff("--numstat -z"), diff("--patch"))

    def diff(self, before: str, after: str) -> str:
        """Return the patch between two commits, for people."""
        return self.git.text("diff-tree", "-r", "-M", "--patch", "--no-ext-diff", before, after, "--")

    def file(self, commit: str, path: str) -> tuple[str, bytes] | None:
        """Return the blob at a path of a commit, its id first; nothing where no file is there."""
        name = f"{commit}:{path}"
        kind = self.git.run("cat-file", "-t", name, expected=(0, 128))
        if kind.text.strip() != "blob":
            return None
        return self.git.text("rev-parse", name).strip(), self.git.run("cat-file", "blob", name).output

    def write(
        self,
        branch: str,
        files: Mapping[str, str | None],
        message: str,
        *,
        author: Signature,
        at: datetime,
        start: str | None = None,
    ) -> str:
        """Commit files (None deletes one) on a branch, new or not, past every hook, and return the commit.

        A new branch begins at ``start``, or with nothing. Raises: GitError.
        """
        for _ in range(_LOST_RACES):
            old = self.heads().get(branch)
            parent = old or start
            tree = self._tree_with(parent, files)
            parents = [parent] if parent else []
            new = self.commit(tree, parents, message, author=author, committer=author, at=at)
            if self.move(f"refs/heads/{branch}", new, old):
                return new
        raise GitError(f"{branch} moved {_LOST_RACES} times while a commit for it was written")

    def protect(self, branch: str, code: str) -> None:
        """Refuse pushes to a branch with the words of GitHub's ``GH006`` or ``GH013``. Raises: GitError."""
        hook = self.git.repository / "hooks" / "update"
        if hook.exists() and _OURS not in hook.read_text():
            raise GitError(f"{hook.name} hook of {self.git.repository} is somebody else's; it is left alone")
        self._keep_protected(self.protected() | {branch: code})
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(_UPDATE_HOOK)
        hook.chmod(0o755)

    def unprotect(self, branch: str) -> None:
        """Let pushes to a branch through again."""
        self._keep_protected({name: code for name, code in self.protected().items() if name != branch})

    def protected(self) -> dict[str, str]:
        """Return the protected branches, each with the code that refuses."""
        listed = self.git.repository / _PROTECTED
        lines = listed.read_text().splitlines() if listed.exists() else []
        return {ref.removeprefix("refs/heads/"): code for ref, code in (line.split() for line in lines)}

    def _keep_protected(self, protected: Mapping[str, str]) -> None:
        lines = "".join(f"refs/heads/{branch} {code}\n" for branch, code in protected.items())
        (self.git.repository / _PROTECTED).write_text(lines)

    def _tip(self, ref: str) -> str | None:
        return self.git.run("rev-parse", "--verify", "--quiet", ref, expected=(0, 1)).text or None

    def _empty_tree(self) -> str:
        return self.git.run("hash-object", "-t", "tree", "-w", "--stdin").text

    def _tree_with(self, parent: str | None, files: Mapping[str, str | None]) -> str:
        with tempfile.TemporaryDirectory() as folder:
            index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
            self.git.run("read-tree", *([parent] if parent else ["--empty"]), environment=index)
            entries = "".join(self._index_entry(path, text) for path, text in files.items())
            self.git.run("update-index", "-z", "--index-info", stdin=entries.encode(), environment=index)
            return self.git.run("write-tree", environment=index).text

    def _index_entry(self, path: str, text: str | None) -> str:
        if text is None:
            return f"0 {_ABSENT}\t{path}\0"
        blob = self.git.run("hash-object", "-w", "--stdin", stdin=text.encode()).text
        return f"100644 {blob}\t{path}\0"
