"""What git prints about commits and changed files, read into values."""

from collections.abc import Iterator
from dataclasses import dataclass

# NUL ends a commit, the unit separator a field; the message comes last and may hold anything else
FORMAT = "--format=%H%x1f%T%x1f%P%x1f%an%x1f%ae%x1f%aI%x1f%cn%x1f%ce%x1f%cI%x1f%B"
_FIELDS = 9
_STATUS = {"A": "added", "D": "removed", "M": "modified", "R": "renamed", "C": "copied", "T": "changed"}


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit; times as git prints them, RFC 3339 with their zone."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    author_name: str
    author_email: str
    authored_at: str
    committer_name: str
    committer_email: str
    committed_at: str
    message: str


@dataclass(frozen=True, slots=True)
class Change:
    """One file that differs; counts are 0 and the patch is None for binary files."""

    path: str
    status: str
    blob: str
    additions: int
    deletions: int
    previous: str | None
    patch: str | None


def commits(output: bytes) -> list[Commit]:
    """Read what ``git log -z`` printed with FORMAT."""
    texts = output.decode(errors="replace").split("\0")
    return [_commit(*text.split("\x1f", maxsplit=_FIELDS)) for text in texts if text]


def _commit(sha: str, tree: str, parents: str, *rest: str) -> Commit:
    *who, message = rest
    author, email, authored, committer, committer_email, committed = who
    return Commit(
        sha=sha,
        tree=tree,
        parents=tuple(parents.split()),
        author_name=author,
        author_email=email,
        authored_at=authored,
        committer_name=committer,
        committer_email=committer_email,
        committed_at=committed,
        message=message.rstrip("\n"),
    )


def changes(raw: bytes, counts: bytes, patches: bytes) -> list[Change]:
    """Put together what ``git diff-tree -z --raw``, ``-z --numstat`` and ``--patch`` print, file by file."""
    whole = zip(_raw(raw), _counts(counts), _patches(patches), strict=True)
    return [
        Change(path, status, blob, added, removed, previous, patch)
        for (path, status, blob, previous), (added, removed), patch in whole
    ]


def _raw(output: bytes) -> Iterator[tuple[str, str, str, str | None]]:
    """Yield path, status, blob and previous path; ``:modes blobs M NUL path NUL``, two paths for a rename."""
    words = iter(output.decode(errors="replace").split("\0"))
    for word in words:
        if not word:
            continue
        _, _, old, new, status = word.split(" ")
        first = next(words)
        is_moved = status[0] in "RC"
        path = next(words) if is_moved else first
        yield (
            path,
            _STATUS.get(status[0], "changed"),
            old if status == "D" else new,
            first if is_moved else None,
        )


def _counts(output: bytes) -> Iterator[tuple[int, int]]:
    """Yield lines added and removed; ``- -`` means binary, an empty path is followed by two."""
    words = iter(output.decode(errors="replace").split("\0"))
    for word in words:
        if not word:
            continue
        added, removed, path = word.split("\t", maxsplit=2)
        if not path:
            next(words), next(words)
        yield (0, 0) if added == "-" else (int(added), int(removed))


def _patches(output: bytes) -> Iterator[str | None]:
    """Yield each file's hunks; content lines begin with a sign, so a line ``diff --git`` is always a header."""
    for text in ("\n" + output.decode(errors="replace")).split("\ndiff --git ")[1:]:
        _, hunk, rest = text.partition("\n@@")
        yield "@@" + rest.rstrip("\n") if hunk else None
