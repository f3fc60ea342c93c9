"""What a repository tells of a day, read with plain git and json: ledger entries, landing commits, pins."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from sandbox.git import Git, GitError
from sandbox.gitops import BRANCH

LEDGER = "refs/heads/ledger/"
_FIELD, _END = "\x1f", "\x1e"
_SIGNATURE = "gpgsig -----BEGIN SSH SIGNATURE-----"


@dataclass(frozen=True, slots=True)
class Recorded:
    """One ledger entry: its commit, its line, and whether its commit carries an SSH signature."""

    oid: str
    line: Mapping[str, Any]
    is_signed: bool

    def __getitem__(self, name: str) -> Any:
        """Return a field, '' where the entry has none."""
        return self.line.get(name, "")

    @property
    def kind(self) -> str:
        """What sort of entry it is."""
        return str(self["kind"])

    @property
    def person(self) -> str:
        """Who said it, '' for the bot itself."""
        by = self["by"]
        said = by if isinstance(by, list) else [by or {}]
        return " and ".join(str(one.get("person", "")) for one in said)

    @property
    def tag(self) -> str:
        """The version that it is about."""
        return str(self["image"][0]["tag"]) if self["image"] else ""


@dataclass(frozen=True, slots=True)
class Landing:
    """One commit on the target branch's first-parent line, with its trailers in order."""

    oid: str
    subject: str
    trailers: tuple[tuple[str, str], ...]

    def all(self, name: str) -> list[str]:
        """Return every value of a trailer."""
        return [value for key, value in self.trailers if key == name]

    def one(self, name: str) -> str:
        """Return a trailer's only value, '' where it is not there or there twice."""
        values = self.all(name)
        return values[0] if len(values) == 1 else ""

    @property
    def move(self) -> str:
        """What moved, as the trailers say: environment, service, version before, version now."""
        before = self.one("Previous").partition("@")[0].rpartition(":")[2]
        now = self.one("Image").rpartition(":")[2]
        return f"{self.one('Environment')} {self.one('Service')} {before} -> {now}"


@dataclass(frozen=True, slots=True)
class Record:
    """Reads one bare repository. Raises: GitError."""

    git: Git

    def ends(self) -> list[str]:
        """Return where the target branch and the ledger end."""
        return self.git.lines(
            "for-each-ref", "--format=%(objectname) %(refname)", f"refs/heads/{BRANCH}", LEDGER
        )

    def entries(self) -> list[Recorded]:
        """Return the ledger, oldest entry first; nothing where there is none yet."""
        branches = self.git.lines("for-each-ref", "--sort=refname", "--format=%(refname)", LEDGER)
        oids = [oid for branch in branches for oid in self.git.lines("rev-list", "--reverse", branch)]
        asked = "".join(f"{oid}\n" for oid in oids).encode()
        return list(_entries(self.git.run("cat-file", "--batch", stdin=asked).output)) if oids else []

    def landings(self, since: str) -> list[Landing]:
        """Return what came to the target branch after a commit, oldest first."""
        form = f"--format=%H{_FIELD}%s{_FIELD}%(trailers:only,unfold){_END}"
        text = self.git.text("log", "--first-parent", "--reverse", form, f"{since}..refs/heads/{BRANCH}")
        return [_landing(part.strip("\n")) for part in text.split(_END) if part.strip()]

    def tip(self) -> str:
        """Return where the target branch ends."""
        return self.git.text("rev-parse", f"refs/heads/{BRANCH}")

    def file(self, path: str) -> str:
        """Return a file as the target branch has it."""
        return self.git.text("cat-file", "blob", f"refs/heads/{BRANCH}:{path}")

    def pin(self, environment: str) -> tuple[str, str]:
        """Return tag and digest ('' = none) that an environment's kustomization names for its one image."""
        found = yaml.safe_load(self.file(f"apps/{environment}/kustomization.yaml"))["images"][0]
        tag, _, behind = str(found["newTag"]).partition("@")
        return tag, str(found.get("digest") or behind)


def _entries(output: bytes) -> Iterator[Recorded]:
    """Take ``git cat-file --batch`` apart: a head line, so many bytes, a line end."""
    while output:
        head, _, rest = output.partition(b"\n")
        oid, kind, size = head.decode().split(" ")
        if kind != "commit":
            raise GitError(f"the ledger's {oid} is a {kind}")
        raw, output = rest[: int(size)].decode(), rest[int(size) + 1 :]
        commit, _, message = raw.partition("\n\n")
        try:
            line = json.loads(message.partition("\n\n")[2])
        except ValueError as error:
            raise GitError(f"the ledger's {oid} does not hold one line of JSON: {error}") from error
        yield Recorded(oid, line, _SIGNATURE in commit)


def _landing(text: str) -> Landing:
    oid, subject, block = text.split(_FIELD)
    pairs = (line.partition(": ") for line in block.strip().split("\n") if line)
    return Landing(oid, subject, tuple((name, value) for name, _, value in pairs))
