"""A repository read with plain git, json and yaml: a second reader, which shares no code with the bot."""

import json
import subprocess
import weakref
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import yaml

from tests.campaign.spared import heads_of
from tests.repositories import git

BEGIN, END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"
ENVIRONMENTS = ("staging", "production", "production-us")
SERVICES = {"checkout-api": "kustomization.yaml", "web": "deployment.yaml"}
MOVES = frozenset({"bump", "rollback", "emergency", "landed", "mismatch", "external"})


@dataclass(frozen=True)
class Commit:
    """One commit as it is stored."""

    oid: str
    raw: bytes

    @cached_property
    def head(self) -> list[str]:
        """Its header lines."""
        return self.raw.partition(b"\n\n")[0].decode("utf-8", "replace").split("\n")

    @cached_property
    def message(self) -> str:
        """Its message."""
        return self.raw.partition(b"\n\n")[2].decode("utf-8", "replace")

    @property
    def tree(self) -> str:
        """Its tree."""
        return self.head[0].removeprefix("tree ")

    @property
    def parents(self) -> list[str]:
        """Its parents."""
        return [line.removeprefix("parent ") for line in self.head if line.startswith("parent ")]

    @property
    def is_ours(self) -> bool:
        """Whether the bot made it, as its committer says."""
        return any(line.startswith("committer ") and "ountersign" in line for line in self.head)

    def trailer(self, name: str) -> str:
        """Return a trailer of the last paragraph, '' where it is not there."""
        last = self.message.rstrip("\n").rpartition("\n\n")[2].split("\n")
        return next((line.partition(": ")[2] for line in last if line.startswith(f"{name}: ")), "")


@dataclass(frozen=True)
class Line:
    """One ledger entry: its commit, and its line of JSON ({} where there is none)."""

    commit: Commit

    @cached_property
    def json(self) -> Mapping[str, Any]:
        """The line."""
        try:
            read = json.loads(self.commit.message.partition("\n\n")[2])
        except ValueError:
            return {}
        return read if isinstance(read, dict) else {}

    def __getitem__(self, name: str) -> Any:
        """Return a field, '' where the entry has none."""
        return self.json.get(name, "")

    @property
    def kind(self) -> str:
        """What sort of entry it is."""
        return str(self["kind"])

    @property
    def key(self) -> str:
        """What it decides."""
        return str(self["key"])

    @property
    def person(self) -> str:
        """Who said it, '' for the bot."""
        by = self["by"]
        return str(by.get("person", "")) if isinstance(by, dict) else ""

    @property
    def place(self) -> tuple[str, str]:
        """Environment and service."""
        return str(self["environment"]), str(self["service"])

    @property
    def moved(self) -> list[tuple[tuple[str, str], Any]]:
        """Each place that it moves, with its images; of a group by the images' own names."""
        also = [((str(self["environment"]), str(one["service"])), one["image"]) for one in self["also"] or ()]
        if not self["group"]:
            return [(self.place, self["image"]), *also]
        environment, _ = self.place
        own = [((environment, str(one["repository"]).rpartition("/")[2]), [one]) for one in self["image"]]
        return [*own, *also]

    def __str__(self) -> str:
        """Name it."""
        return f"{self.kind} #{self['seq']} ({self.commit.oid[:12]})"


class Objects:
    """Objects of one repository, told by one git that stays as long as this is kept."""

    def __init__(self, repository: Path) -> None:
        self._asked = ["git", "-C", str(repository), "cat-file", "--batch"]
        self._git: subprocess.Popen[bytes] | None = None

    def read(self, names: Iterable[str]) -> dict[str, bytes]:
        """Return objects by the names that were asked, those that are there."""
        return {name: content for name in names if (content := self._one(name)) is not None}

    def _one(self, name: str) -> bytes | None:
        if self._git is None:
            self._git = subprocess.Popen(self._asked, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            weakref.finalize(self, _ended, self._git)
        entrance, outlet = self._git.stdin, self._git.stdout
        assert entrance
        assert outlet
        entrance.write(f"{name}\n".encode())
        entrance.flush()
        head = outlet.readline()
        if head.endswith(b" missing\n"):
            return None
        content = outlet.read(int(head.split(b" ")[2]))
        outlet.read(1)
        return content


def _ended(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.__exit__(None, None, None)


@dataclass
class Reading:
    """One bare repository. What was read once is kept: commits do not change."""

    repository: Path
    _commits: dict[str, Commit] = field(default_factory=dict)
    _lines: dict[str, Line] = field(default_factory=dict)
    _pins: dict[str, Mapping[tuple[str, str], tuple[str, str]]] = field(default_factory=dict)
    _rules: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Be ready to ask for objects."""
        self._objects = Objects(self.repository)

    def ledger_tip(self) -> str:
        """Return where the newest ledger ends, '' where there is none: read from files, so that it costs nothing."""
        return next(reversed(self._years()), "")

    def _years(self) -> list[str]:
        """Return where the ledger's branches end, oldest first."""
        ends = (line.partition(" ") for line in heads_of(self.repository))
        return [oid for oid, _, name in ends if name.startswith("refs/heads/ledger/")]

    def main_tip(self) -> str:
        """Return where the target branch ends."""
        return git(self.repository, "rev-parse", "refs/heads/main")

    def ends(self) -> list[str]:
        """Return every branch and its end."""
        return git(
            self.repository, "for-each-ref", "--format=%(refname) %(objectname)", "refs/heads"
        ).splitlines()

    def ledger(self) -> list[Line]:
        """Return the entries of all years, oldest first."""
        oids: list[str] = []
        for end in self._years():
            oids += reversed(self._line_of(end))
        return [self._lines.setdefault(oid, Line(self.commit(oid))) for oid in oids]

    def main(self) -> list[Commit]:
        """Return the target branch's first-parent line, oldest first."""
        return [self.commit(oid) for oid in reversed(self._line_of(self.main_tip()))]

    def _line_of(self, tip: str) -> list[str]:
        """Return a first-parent line, newest first."""
        found: list[str] = []
        oid = tip
        while oid:
            found.append(oid)
            self._read([oid])
            oid = next(iter(self._commits[oid].parents), "")
        return found

    def commit(self, oid: str) -> Commit:
        """Return one commit."""
        if oid not in self._commits:
            self._read([oid])
        return self._commits[oid]

    def _read(self, oids: Iterable[str]) -> None:
        wanted = [oid for oid in oids if oid not in self._commits]
        if not wanted:
            return
        out = self._objects.read(wanted)
        for oid, raw in out.items():
            self._commits[oid] = Commit(oid, raw)

    def pins(self, commit: str) -> Mapping[tuple[str, str], tuple[str, str]]:
        """Return tag and digest ('' = none) of each service in each environment at a commit."""
        if commit not in self._pins:
            names = [
                f"{commit}:apps/{environment}/{file}"
                for environment in ENVIRONMENTS
                for file in SERVICES.values()
            ]
            files = self._objects.read(names)
            self._pins[commit] = {
                (environment, service): _pin(files.get(f"{commit}:apps/{environment}/{file}", b""))
                for environment in ENVIRONMENTS
                for service, file in SERVICES.items()
            }
        return self._pins[commit]

    def rules(self, commit: str) -> Mapping[str, Any]:
        """Return the rules at a commit as one document, {} where they cannot be read."""
        if commit not in self._rules:
            names = [f"{commit}:promotion/{name}.yaml" for name in ("rules", "people")]
            found: dict[str, Any] = {}
            try:
                for content in self._objects.read(names).values():
                    found |= yaml.safe_load(content) or {}
            except (yaml.YAMLError, TypeError):
                found = {}
            self._rules[commit] = found
        return self._rules[commit]

    def changed(self, commit: Commit) -> list[str]:
        """Return the paths that a commit changed against its first parent."""
        parent = commit.parents[0]
        return git(
            self.repository, "diff-tree", "-r", "--no-renames", "--name-only", parent, commit.oid
        ).splitlines()

    def all_text(self) -> str:
        """Return every commit message and every file of every branch."""
        return git(self.repository, "log", "--all", "--format=%an %ae %B", "-p", "--no-color")


@cache
def _pin(content: bytes) -> tuple[str, str]:
    """Return tag and digest of the one image in a file."""
    try:
        read = yaml.safe_load(content) or {}
        if "images" in read:
            image = read["images"][0]
            tag, _, behind = str(image["newTag"]).partition("@")
            return tag, str(image.get("digest") or behind)
        image = read["spec"]["template"]["spec"]["containers"][0]["image"]
        name, _, digest = str(image).partition("@")
        return name.rpartition(":")[2], digest
    except (yaml.YAMLError, KeyError, IndexError, TypeError):
        return "", ""
