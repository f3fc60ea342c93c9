"""The bare clone of the GitOps repository: read at any commit, written without a work tree."""

import re
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Self

# GitPython's object database. `import git` itself would start a git of its own, past the one runner.
from gitdb import IStream, LooseObjectDB  # type: ignore[import-untyped]

from bot.errors import PermanentError, TransientError
from bot.measures import MEASURES, Measure
from bot.pacing import Pace
from bot.repository import clone
from bot.repository import push as pushes
from bot.repository.clone import LEDGER, PROMOTIONS, TRACKED
from bot.repository.git import Answer, LateError, failure
from bot.repository.line import read_line
from bot.repository.objects import (
    BOT,
    EMPTY_TREE,
    CommitInfo,
    Identity,
    Oid,
    RawCommit,
    file_path,
    oid_of,
    read_batch,
    read_commit,
    replace_in_tree,
    write_commit,
)
from bot.repository.push import Ok, PushAnswer, RefUpdate, Unknown, classify
from bot.repository.remote import Refused, Remote
from bot.repository.standing_git import StandingGit
from bot.repository.trees import Trees
from bot.signing import Signer
from bot.wording import parse_trailers
from policies.errors import PolicyError

MAX_BLOB_BYTES = 16 << 20
_MAX_KEPT_BYTES = 64 << 20
_MAX_MADE = 10_000
_MAX_ANSWERS = 64
_MAX_INFOS = 4096
_MAX_ANCHORED = 8
_TIDY_SECONDS = 900.0
_YEAR = re.compile(r"[0-9]{4}", re.ASCII)
_TRAILER = re.compile(r"[A-Za-z][A-Za-z-]*", re.ASCII)
_NAMES_AN_END = re.compile(r"^Ledger: [0-9a-f]{40}$", re.ASCII | re.MULTILINE)
_ANCHOR = re.compile(r"([0-9a-f]{40}) ([0-9a-f]{40})\|(\S*)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Tips:
    """Where the branches ended at the last fetch: the target, ledgers by year, promotions by short name."""

    target: Oid
    ledgers: Mapping[str, Oid]
    promotions: Mapping[str, Oid]


@dataclass(frozen=True, slots=True)
class Anchor:
    """What a commit says: the ledger ended at ``tip``. ``proof``: who says so, signed; '' = anybody."""

    commit: Oid
    tip: Oid
    proof: str = ""


class Mirror:
    """One repository, as it was at the last fetch, and the commits that we make for it."""

    def __init__(
        self,
        remote: Remote,
        directory: Path,
        branch: str,
        *,
        identity: Identity,
        timeout_seconds: float,
        pace: Pace | None = None,
    ) -> None:
        """Use a clone that is there; ``open`` makes one."""
        self.branch = branch
        self.pace = pace or Pace.at_once()
        self._remote = remote
        self._directory = directory
        self._identity = identity
        self._git = clone.git_of(remote, directory, timeout_seconds)
        self._kept: OrderedDict[Oid, bytes] = OrderedDict()
        self._kept_bytes = 0
        self._made: dict[Oid, tuple[Oid, ...]] = {}
        self._tips: Tips | None = None
        self._forbidden = ""
        self._here: set[Oid] = set()  # commits that were found here; what is here stays
        self._answers: OrderedDict[tuple[str, ...], bytes] = OrderedDict()
        self._lines: tuple[Oid, dict[tuple[Oid | None, int | None], list[Oid]]] | None = None
        self._lined: tuple[Oid, Mapping[Oid, int]] | None = None  # the target branch's, by distance
        self._anchored: dict[tuple[Oid, int], list[str]] = {}  # git's lines, newest first
        self._standing = StandingGit(self._git)
        self._trees = Trees(self._tree_bytes)
        self._infos: dict[Oid, CommitInfo] = {}
        self._contained: set[tuple[Oid, Oid]] = set()  # ancestor, descendant: as they were found

    @classmethod
    def open(
        cls,
        url: str,
        directory: Path,
        *,
        branch: str | None = None,
        token: Callable[[], str] | None = None,
        refused: Refused | None = None,
        identity: Identity = BOT,
        timeout_seconds: float = 60.0,
        pace: Pace | None = None,
    ) -> Self:
        """Open the clone of ``url`` in ``directory``; make it where it is missing, half-made or another's.

        ``branch`` is the target branch, None for the remote's HEAD. Raises: TransientError, PermanentError.
        """
        remote = Remote.parse(url, token, refused)
        directory = directory.absolute()
        if remote.transport == "file" and not Path(remote.address).is_dir():
            raise PermanentError(f"there is no repository at {remote.address}; see COUNTERSIGN_REPOSITORY")
        git = clone.git_of(remote, directory, timeout_seconds)
        git.require_version()
        clone.ensure(git, remote, branch)
        return cls(
            remote,
            directory,
            clone.target_branch(git, branch, clone.heads_of(git, remote)),
            identity=identity,
            timeout_seconds=timeout_seconds,
            pace=pace,
        )

    # Reading

    def fetch(self) -> Tips:
        """Look at the remote: the target branch, ledgers and promotions, also where they were rewritten.

        Raises: TransientError, PermanentError.
        """
        self._tips = None
        if clone.fetch(self._git, self._remote, self.branch):
            self._standing.close()
        return self.tips()

    def tips(self) -> Tips:
        """Return what the last fetch saw, and our own pushes since.

        Raises: PermanentError where the target branch was never seen.
        """
        self._tips = self._tips or self._read_tips()
        return self._tips

    @property
    def advice(self) -> str:
        """The command that is to be run in the folder that was given, where a ledger that it lacks may be got by it."""
        return clone.how_to_ask_for_ledgers(self._remote)

    def _read_tips(self) -> Tips:
        out = self._read(["for-each-ref", "--format=%(objectname) %(refname)", "--", TRACKED]).out
        lines = (line.partition(" ") for line in out.decode("utf-8", "replace").splitlines())
        found = {name.removeprefix(TRACKED): oid_of(oid) for oid, _, name in lines}
        if self.branch not in found:
            if clone.is_shallow(self._remote):
                raise PermanentError(
                    f"{self._remote.address} is a shallow clone; expected the whole history:"
                    " run `git fetch --unshallow` there"
                )
            raise PermanentError(f"branch {self.branch!r} was never fetched from {self._remote.address}")
        ledgers = {name.removeprefix(LEDGER): oid for name, oid in found.items() if name.startswith(LEDGER)}
        return Tips(
            found[self.branch],
            {year: oid for year, oid in ledgers.items() if _YEAR.fullmatch(year)},
            {name: oid for name, oid in found.items() if name.startswith(PROMOTIONS)},
        )

    def first_parents(self, tip: Oid, *, since: Oid | None = None, limit: int | None = None) -> list[Oid]:
        """List the first-parent line from ``tip``, newest first, without what ``since`` contains.

        What was said of one end is kept until another end is asked about: a pass asks several times.
        """
        asked = (since, limit)
        if self._lines is None or self._lines[0] != tip:
            self._lines = (tip, {})
        if asked not in self._lines[1]:
            bounds = [f"--max-count={int(limit)}"] if limit is not None else []
            self._lines[1][asked] = self._rev_list(["--first-parent", *bounds], tip, since)
        return self._lines[1][asked].copy()

    def touching(self, tip: Oid, folder: str) -> list[Oid]:
        """List the commits of the first-parent line that changed a folder, newest first.

        Where ``tip`` is on the target branch's own line, that one's answer is cut off there.
        """
        if oid_of(tip) == self.tips().target:
            return self._touching(tip, folder)
        line = self._line()
        at = line.get(tip)
        if at is None:
            return self._touching(tip, folder)
        whole = self._touching(self.tips().target, folder)
        return whole[bisect_left(whole, at, key=lambda one: line[one]) :]

    def _touching(self, tip: Oid, folder: str) -> list[Oid]:
        arguments = ["rev-list", "--first-parent", "--end-of-options", oid_of(tip), "--", file_path(folder)]
        return [Oid(line) for line in self._lasting(arguments).decode("ascii").split()]

    def touching_files(self, tip: Oid, paths: Sequence[str], *, limit: int) -> list[Oid]:
        """List the newest commits of the first-parent line that changed one of these files, newest first."""
        bounds = ["--first-parent", f"--max-count={int(limit)}", "--end-of-options", oid_of(tip), "--"]
        arguments = ["rev-list", *bounds, *map(file_path, paths)]
        return [Oid(line) for line in self._lasting(arguments).decode("ascii").split()]

    def _line(self) -> Mapping[Oid, int]:
        """Return the commits of the target branch's first-parent line, each with its distance from the end."""
        tip = self.tips().target
        if self._lined is None or self._lined[0] != tip:
            self._lined = (tip, {oid: at for at, oid in enumerate(self.first_parents(tip))})
        return self._lined[1]

    def anchors(self, tip: Oid, *, limit: int) -> list[Anchor]:
        """List what the newest commits of the first-parent line say of where the ledger ended.

        What was made here since git was asked is added to git's answer.
        """
        ours: list[Oid] = []
        at = oid_of(tip)
        while (at, limit) not in self._anchored and self._made.get(at):
            ours.append(at)
            at = self._made[at][0]
        if (at, limit) in self._anchored:
            said = [line for one in ours for line in self._said(one)]
            lines = [*said, *self._anchored[at, limit]][:limit]
        else:
            lines = self._ask_anchors(tip, limit)
        self._anchored = {**dict(list(self._anchored.items())[-_MAX_ANCHORED:]), (tip, limit): lines}
        found = (_ANCHOR.fullmatch(line) for line in lines)
        return [Anchor(Oid(one[1]), Oid(one[2]), one[3]) for one in found if one]

    def _said(self, oid: Oid) -> Iterator[str]:
        """Yield the line that git would print of a commit of ours, where it names an end of the ledger."""
        message = self.message(oid)
        if _NAMES_AN_END.search(message) is None:
            return
        stands = parse_trailers(message)
        ledger, proof = (
            " ".join(value for name, value in stands if name == key) for key in ("Ledger", "Ledger-Signature")
        )
        yield f"{oid} {ledger}|{proof}"

    def _ask_anchors(self, tip: Oid, limit: int) -> list[str]:
        keys = (f"%(trailers:key={key},valueonly,separator=%x20)" for key in ("Ledger", "Ledger-Signature"))
        about = f"--format=%H {'|'.join(keys)}"
        bounds = ["--first-parent", f"--max-count={int(limit)}", "--extended-regexp"]
        looked = ["--grep=^Ledger: [0-9a-f]{40}$", about, "--end-of-options", oid_of(tip), "--"]
        return self._lasting(["log", *bounds, *looked]).decode("utf-8", "replace").splitlines()

    def claiming(self, tip: Oid, names: Sequence[str], *, since: Oid, limit: int) -> list[Oid]:
        """List the newest commits of the first-parent line with a line that begins with one of these names."""
        lines = [f"--grep=^{name}: " for name in names if _TRAILER.fullmatch(name)]
        bounds = ["--first-parent", f"--max-count={int(limit)}", "--extended-regexp", *lines, "--format=%H"]
        looked = ["--end-of-options", oid_of(tip), f"^{oid_of(since)}", "--"]
        return [Oid(one) for one in self._lasting(["log", *bounds, *looked]).decode("ascii").split()]

    def is_ancestor(self, one: Oid, other: Oid) -> bool:
        """Say whether ``other`` contains ``one``. A commit that is not here is contained in nothing."""
        if (one, other) in self._contained:
            return True
        answer = self._read(["merge-base", "--is-ancestor", oid_of(one), oid_of(other)], check=False)
        if answer.code == 0:
            if len(self._contained) >= _MAX_INFOS:
                self._contained.clear()
            self._contained.add((one, other))
        if answer.code in (0, 1):
            return answer.code == 0
        if len(self.known([one, other])) < len({one, other}):
            return False
        raise PermanentError(f"git cannot compare {one} with {other}: {answer.err.strip()[-200:]}")

    def known(self, oids: Iterable[Oid]) -> set[Oid]:
        """Return those of ``oids`` that are commits, and here."""
        wanted = {oid_of(oid) for oid in oids}
        if missing := sorted(wanted - self._here):
            asked = "".join(f"{oid}\n" for oid in missing).encode()
            form = "--batch-check=%(objectname) %(objecttype)"
            lines = self._read(["cat-file", form], stdin=asked).out.decode("ascii").splitlines()
            self._here |= {
                Oid(oid) for oid, _, what in (one.partition(" ") for one in lines) if what == "commit"
            }
        return wanted & self._here

    def commit_info(self, oid: Oid) -> CommitInfo:
        """Read a commit: parents, people, times, message. Raises: PermanentError."""
        found = self._infos.get(oid_of(oid))
        if found is None:
            if len(self._infos) >= _MAX_INFOS:
                self._infos.clear()
            found = self._infos[oid] = read_commit(oid, self._commits([oid])[0].data)
        return found

    def parents(self, oid: Oid) -> tuple[Oid, ...]:
        """Return the parents of a commit, the first one first."""
        return self.commit_info(oid).parents

    def message(self, oid: Oid) -> str:
        """Return the message of a commit as it is written."""
        return self.commit_info(oid).message

    def raw_commits(self, tip: Oid, *, since: Oid | None = None) -> list[RawCommit]:
        """Read all commits that ``tip`` contains and ``since`` does not, parents before children."""
        if since is None and (line := read_line(self._git, tip)) is not None:
            return line
        return self._commits(self._rev_list(["--reverse", "--topo-order"], tip, since))

    def listing(self, commit: Oid, prefixes: Sequence[str]) -> dict[str, Oid]:
        """Map the paths of regular files below (or equal to) ``prefixes`` to their blobs; ``""`` is the root.

        Symbolic links, submodules and names that are not UTF-8 are left out.
        """
        if not prefixes:
            return {}
        below = [""] if "" in prefixes else [file_path(prefix.rstrip("/")) for prefix in prefixes]
        return self._trees.files(self._root(commit), below)

    def blobs(self, oids: Iterable[Oid]) -> dict[Oid, bytes]:
        """Read files by their ids, those read lately from memory. Raises: PermanentError."""
        wanted = {oid_of(oid) for oid in oids}
        found = {oid: self._kept[oid] for oid in wanted if oid in self._kept}
        for oid in found:
            self._kept.move_to_end(oid)
        missing = sorted(wanted - found.keys())
        read = self._standing.read(missing)
        if read is None or any(len(content) > MAX_BLOB_BYTES for _, _, content in read):
            self._refuse_large(missing)
        for name, kind, content in read or self._batch(missing):
            if kind != "blob":
                raise PermanentError(f"{name} is not a file in the clone of {self._remote.address}")
            found[Oid(name)] = content
            self._keep(Oid(name), content)
        return found

    def changed_paths(self, old: Oid, new: Oid) -> list[str]:
        """List the paths that differ between two commits; a rename is both its names.

        Bytes that are not UTF-8 are spelled with backslashes: such a path equals no path of ours.
        """
        found = self._trees.changed(self._root(old), self._root(new))
        return [path.decode("utf-8", "backslashreplace") for path in found]

    # Writing

    def commit(
        self, parents: Sequence[Oid], files: Mapping[str, bytes], *, message: str, at: datetime
    ) -> Oid:
        """Make a commit: the tree of the first parent, the content of these regular files replaced.

        Modes and all else stay. ``at`` is aware. Nothing leaves this machine before ``push``.
        Raises: PermanentError where a path is not a regular file there.
        """
        if not parents:
            raise PolicyError("a commit on the repository's content needs a parent")
        line = [oid_of(parent) for parent in parents]
        tree = self._tree_with(line[0], {file_path(path): content for path, content in files.items()})
        return self._write(line, write_commit(tree, line, self._identity, at, message))

    def entry_commit(self, parent: Oid | None, *, message: str, at: datetime, signer: Signer) -> Oid:
        """Make a ledger entry: the empty tree, at most one parent, signed. ``at`` is aware."""
        parents = [oid_of(parent)] if parent is not None else []
        payload = write_commit(EMPTY_TREE, parents, self._identity, at, message)
        signature = signer.sign(payload)
        self._store("tree", b"")
        return self._write(
            parents,
            write_commit(EMPTY_TREE, parents, self._identity, at, message, signature=signature),
        )

    def forbid(self, why: str) -> None:
        """Refuse every push from now on."""
        self._forbidden = why

    def push(self, updates: Sequence[RefUpdate], *, timeout_seconds: float | None = None) -> PushAnswer:
        """Move all of these branches, or none, on condition that each ends where its ``old`` says.

        The target branch and ledgers only ever grow. Raises: PolicyError when asked to rewrite them.
        """
        if not updates:
            return Ok()
        if self._forbidden:
            return pushes.Refused(self._forbidden)
        self._refuse_rewrite(updates)
        if clone.is_plain(self._directory):
            return pushes.Refused(
                "it is somebody's clone; COUNTERSIGN_REPOSITORY names the repository itself"
            )
        conditions, moves = zip(*(update.arguments() for update in updates), strict=True)
        arguments = ["push", "--atomic", "--porcelain", "--no-signed", *conditions, "--", "origin", *moves]
        try:
            answer = classify(self._git.run(arguments, timeout_seconds=timeout_seconds, check=False))
        except LateError as error:
            answer = Unknown(str(error))
        self.pace.pushed()
        MEASURES.count(Measure.PUSHES, type(answer).__name__.lower())
        return answer

    def remember(self, moves: Sequence[RefUpdate]) -> None:
        """Note where branches end after our own push, as a fetch would; the next fetch says it to the disk."""
        tips = self.tips()
        target, ledgers, promotions = tips.target, dict(tips.ledgers), dict(tips.promotions)
        for move in moves:
            name = move.ref.removeprefix("refs/heads/")
            year = name.removeprefix(LEDGER)
            if name == self.branch and move.new:
                target = move.new
            elif name.startswith(PROMOTIONS):
                _put(promotions, name, move.new)
            elif name.startswith(LEDGER) and _YEAR.fullmatch(year):
                _put(ledgers, year, move.new)
        self._tips = Tips(target, ledgers, promotions)

    def tidy(self) -> None:
        """Pack what has gathered; for idle hours. Commits that were never pushed go after two weeks."""
        with clone.alone(self._directory) as lock:
            arguments = ["gc", "--quiet", "--prune=2.weeks.ago"]
            self._git.run(arguments, timeout_seconds=_TIDY_SECONDS, keep_open=[lock])
        self._standing.close()

    # Within

    def _lasting(self, arguments: Sequence[str]) -> bytes:
        """Ask git something whose answer is fixed by the ids in it; the last answers are remembered."""
        key = tuple(arguments)
        if key not in self._answers:
            self._answers[key] = self._read(arguments).out
        self._answers.move_to_end(key)
        while len(self._answers) > _MAX_ANSWERS:
            self._answers.popitem(last=False)
        return self._answers[key]

    def _read(self, arguments: Sequence[str], *, stdin: bytes = b"", check: bool = True) -> Answer:
        """Run a command that reads the clone; where the clone itself is broken, the next fetch mends it."""
        answer = self._git.run(arguments, stdin=stdin, check=False)
        if clone.is_damage(answer.err):
            clone.condemn(self._directory)
            raise TransientError("the bare clone is damaged; the next fetch makes it anew")
        if check and answer.code != 0:
            raise failure(arguments[0], answer)
        return answer

    def _rev_list(self, options: Sequence[str], tip: Oid, since: Oid | None) -> list[Oid]:
        without = [f"^{oid_of(since)}"] if since is not None else []
        arguments = ["rev-list", *options, "--end-of-options", oid_of(tip), *without, "--"]
        return [Oid(line) for line in self._read(arguments).out.decode("ascii").split()]

    def _root(self, commit: Oid) -> Oid:
        """Return the tree of a commit. Raises: PermanentError."""
        return self.commit_info(commit).tree

    def _tree_bytes(self, oids: Sequence[Oid]) -> Iterator[bytes]:
        for name, kind, content in self._objects(oids):
            if kind != "tree":
                raise PermanentError(f"{name} is not a folder in the clone of {self._remote.address}")
            yield content

    def _objects(self, names: Sequence[str]) -> Iterable[tuple[str, str, bytes]]:
        """Read objects by the git that stays; in any doubt by one of their own, which says what is wrong."""
        found = self._standing.read(names)
        return self._batch(names) if found is None else found

    def _batch(self, names: Sequence[str]) -> Iterator[tuple[str, str, bytes]]:
        if not names:
            return iter(())
        asked = "".join(f"{name}\n" for name in names).encode()
        return read_batch(self._read(["cat-file", "--batch", "--buffer"], stdin=asked).out)

    def _commits(self, oids: Sequence[Oid]) -> list[RawCommit]:
        commits: list[RawCommit] = []
        for name, kind, content in self._objects(oids):
            if kind != "commit":
                raise PermanentError(f"{name} is not a commit in the clone of {self._remote.address}")
            commits.append(RawCommit(Oid(name), content))
        return commits

    def _refuse_large(self, oids: Sequence[Oid]) -> None:
        if not oids:
            return
        asked = "".join(f"{oid}\n" for oid in oids).encode()
        format_ = "--batch-check=%(objectname) %(objectsize)"
        for line in self._read(["cat-file", format_], stdin=asked).out.decode("ascii").splitlines():
            oid, _, size = line.partition(" ")
            if size.isdigit() and int(size) > MAX_BLOB_BYTES:
                raise PermanentError(
                    f"file {oid} has {size} bytes; at most {MAX_BLOB_BYTES} are read; move it out of the paths"
                )

    def _keep(self, oid: Oid, content: bytes) -> None:
        self._kept[oid] = content
        self._kept_bytes += len(content)
        while self._kept_bytes > _MAX_KEPT_BYTES:
            _, gone = self._kept.popitem(last=False)
            self._kept_bytes -= len(gone)

    def _tree_with(self, commit: Oid, files: Mapping[str, bytes]) -> Oid:
        """Write the tree of ``commit`` with other content for these files, folder by folder, deepest first."""
        changes: dict[str, dict[bytes, Oid]] = {"": {}}
        for path, content in files.items():
            folder, _, name = path.rpartition("/")
            changes.setdefault(folder, {})[name.encode()] = self._store("blob", content)
            while folder:
                folder = folder.rpartition("/")[0]
                changes.setdefault(folder, {})
        trees = self._trees_of(commit, list(changes))
        written: dict[str, Oid] = {}
        for folder in sorted(changes, key=lambda path: path.count("/") + bool(path), reverse=True):
            below = {
                path.rpartition("/")[2].encode(): oid
                for path, oid in written.items()
                if path.rpartition("/")[0] == folder
            }
            try:
                data = replace_in_tree(trees[folder], changes[folder], folders=False)
                written[folder] = self._store("tree", replace_in_tree(data, below, folders=True))
            except KeyError as error:
                name = f"{folder}/{error.args[0].decode()}".lstrip("/")
                raise PermanentError(f"{name!r} is not a regular file at commit {commit[:12]}") from error
        return written[""]

    def _trees_of(self, commit: Oid, folders: Sequence[str]) -> dict[str, bytes]:
        names = [f"{commit}:{folder}" if folder else f"{commit}^{{tree}}" for folder in folders]
        trees: dict[str, bytes] = {}
        for folder, (_, kind, content) in zip(folders, self._objects(names), strict=True):
            if kind != "tree":
                raise PermanentError(f"{folder or 'the root'!r} is not a folder at commit {commit[:12]}")
            trees[folder] = content
        return trees

    def _store(self, kind: str, content: bytes) -> Oid:
        database = LooseObjectDB(str(self._directory / "objects"))
        stored = database.store(IStream(kind.encode(), len(content), BytesIO(content)))
        return Oid(stored.hexsha.decode("ascii"))

    def _write(self, parents: Sequence[Oid], data: bytes) -> Oid:
        oid = self._store("commit", data)
        self._made[oid] = tuple(parents)
        while len(self._made) > _MAX_MADE:
            del self._made[next(iter(self._made))]
        return oid

    def _refuse_rewrite(self, updates: Sequence[RefUpdate]) -> None:
        if len({update.ref for update in updates}) < len(updates):
            raise PolicyError("one push cannot move a branch twice")
        for update in updates:
            short = update.ref.removeprefix("refs/heads/")
            if short != self.branch and not short.startswith(LEDGER):
                continue
            if update.new is None or (update.old is not None and not self._grows(update.old, update.new)):
                raise PolicyError(f"{short} only ever grows; {update.new} does not follow {update.old}")

    def _grows(self, old: Oid, new: Oid) -> bool:
        """Say whether ``new`` follows ``old``. What was made here is known without asking git."""
        line = new
        while line != old and line in self._made and self._made[line]:
            line = self._made[line][0]
        return line == old or self.is_ancestor(old, new)


def _put(names: dict[str, Oid], name: str, oid: Oid | None) -> None:
    if oid:
        names[name] = oid
    else:
        names.pop(name, None)
