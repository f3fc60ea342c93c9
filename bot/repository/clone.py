"""The folder of the bare clone: made from nothing, mended after a crash, brought up to date."""

import fcntl
import json
import os
import re
import shutil
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

from bot import faults
from bot.errors import PermanentError, TransientError
from bot.repository.git import Git, failure
from bot.repository.objects import EMPTY_TREE, branch_name
from bot.repository.remote import Remote

LEDGER = "ledger/"
PROMOTIONS = "countersign/"
TRACKED = "refs/remotes/origin/"

MAX_PACKS = 60  # a fetch that checks objects leaves a pack each time; git's own limit is 50

_OTHER_FORMAT = "the repository uses SHA-256 object ids; only SHA-1 repositories are supported"
_FORMAT = 2
_HEADS = "refs/heads/"
_ORIGIN = '[remote "origin"]'  # in the configuration of a clone
_MARKER = "countersign.json"  # written last, so that a folder with it is whole
_CLONE_SECONDS = 900.0
_REPACK_SECONDS = 300.0
_LOCK_SECONDS = 120.0
_ZLIB = b"\x78"  # how every loose object of git and gitdb begins
_DAMAGED = re.compile(
    r"is corrupt|object file \S+ is empty|unable to unpack|inflate: |bad tree object|index file \S+ is"
    r"|packfile \S+ (?:cannot|does not|claims)|far too short|too small$|wrong index|delta base",
    re.IGNORECASE | re.MULTILINE,
)
_INCOMPLETE = re.compile(
    r"bad object|missing (?:blob|tree|commit)|necessary objects|unable to read", re.IGNORECASE
)


def git_of(remote: Remote, directory: Path, timeout_seconds: float) -> Git:
    """Make the runner for the clone of ``remote`` in ``directory``."""
    home = {"HOME": os.environ["HOME"]} if remote.transport == "ssh" and "HOME" in os.environ else {}
    return Git(
        directory,
        environment=home,
        config=remote.config(),
        credentials=remote.credentials,
        timeout_seconds=timeout_seconds,
    )


def heads_of(git: Git, remote: Remote) -> str:
    """Return where the branches of ``remote`` are: ``refs/heads/``, but of a plain clone those of its origin.

    A plain clone has the ledger only as ``refs/remotes/origin/ledger/*``, and its own branches may be old.
    """
    if remote.transport != "file" or not (Path(remote.address) / ".git").exists():
        return _HEADS
    said = git.run(["ls-remote", "--", "origin", f"{_HEADS}{LEDGER}*", f"{TRACKED}{LEDGER}*"]).out
    names = [line.partition("\t")[2] for line in said.decode("utf-8", "replace").splitlines()]
    own = any(name.startswith(_HEADS) for name in names)
    return TRACKED if names and not own else _HEADS


def is_shallow(remote: Remote) -> bool:
    """Whether ``remote`` is a folder of this machine whose history is cut off: nothing can be fetched of it."""
    folder = Path(remote.address)
    return remote.transport == "file" and any(
        (folder / name).is_file() for name in ("shallow", ".git/shallow")
    )


def how_to_ask_for_ledgers(remote: Remote) -> str:
    """Return what a clone in a folder of this machine gets the ledger from its origin by; '' = it is none."""
    if remote.transport != "file":
        return ""
    for name, into in ((".git/config", TRACKED), ("config", _HEADS)):
        with suppress(OSError):
            if _ORIGIN in (Path(remote.address) / name).read_text("utf-8", "replace"):
                return f"git fetch origin '+{_HEADS}{LEDGER}*:{into}{LEDGER}*'"
    return ""


def ensure(git: Git, remote: Remote, branch: str | None) -> None:
    """Have a whole clone of ``remote`` in its folder; one that is half-made or another's is made anew.

    Raises: TransientError, PermanentError.
    """
    heads = heads_of(git, remote)
    with alone(git.directory) as lock:
        if (
            not _is_whole(git.directory, remote)
            or heads != _heads_in(git.directory)
            or _has_broken_objects(git.directory)
        ):
            _make(git, remote, branch, lock)


def fetch(git: Git, remote: Remote, branch: str) -> bool:
    """Look at the remote; a clone that turns out to be damaged is made anew. Says whether packs were replaced.

    Raises: TransientError, PermanentError.
    """
    with alone(git.directory) as lock:
        if not _is_whole(git.directory, remote):
            _make(git, remote, branch, lock)
            return True
        is_new = False
        try:
            _fetch(git, branch, lock, _heads_in(git.directory))
        except PermanentError as error:
            if not is_damage(str(error)) and _INCOMPLETE.search(str(error)) is None:
                raise
            _make(git, remote, branch, lock)
            is_new = True
        if sum(1 for _ in (git.directory / "objects").glob("pack/*.pack")) > MAX_PACKS:
            git.run(
                ["repack", "-d", "-q", "--geometric=2"], timeout_seconds=_REPACK_SECONDS, keep_open=[lock]
            )
            is_new = True
        return is_new


def is_damage(err: str) -> bool:
    """Say whether git stumbled over the clone itself, not over what it was asked."""
    return _DAMAGED.search(err) is not None


def condemn(directory: Path) -> None:
    """Let the next fetch make the clone anew."""
    (directory / _MARKER).unlink(missing_ok=True)


def target_branch(git: Git, branch: str | None, heads: str = _HEADS) -> str:
    """Return the branch that deploys: the one that is named, else the remote's HEAD. ``heads``: see ``heads_of``.

    Raises: PermanentError where there is nothing to deploy from.
    """
    if branch is not None:
        return _deployable(branch)
    head = "HEAD" if heads == _HEADS else f"{heads}HEAD"
    said = git.run(["ls-remote", "--symref", "--", "origin", head, f"{heads}*"]).out
    lines = [line.partition("\t") for line in said.decode("utf-8", "replace").splitlines()]
    pointed = [what for what, _, name in lines if name == head and what.startswith(f"ref: {heads}")]
    oids = {name: oid for oid, _, name in lines if name.startswith(heads) and name != head}
    if any(len(oid) > len(EMPTY_TREE) for oid in oids.values()):
        raise PermanentError(_OTHER_FORMAT)
    if pointed:
        return _deployable(pointed[0].removeprefix(f"ref: {heads}"))
    return _guessed([name.removeprefix(heads) for name in oids])


@contextmanager
def alone(directory: Path) -> Iterator[int]:
    """Keep other processes off the clone. Yields the lock's descriptor, for git to inherit.

    A git that outlives a killed parent so holds the lock until it ends; whoever comes next finds nobody at work.
    Raises: TransientError when somebody else is at work for too long.
    """
    directory.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(directory.with_name(f"{directory.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        deadline = time.monotonic() + _LOCK_SECONDS
        while not _locked(descriptor):
            if time.monotonic() > deadline:
                raise TransientError(
                    f"another process is at work on {directory} for over {_LOCK_SECONDS:g} s"
                )
            time.sleep(0.05)
        yield descriptor
    finally:
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_whole(directory: Path, remote: Remote) -> bool:
    try:
        said = (directory / _MARKER).read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    return said in {_marker(remote, heads) for heads in (_HEADS, TRACKED)} and (directory / "HEAD").is_file()


def _marker(remote: Remote, heads: str) -> str:
    return json.dumps({"format": _FORMAT, "remote": remote.address, "heads": heads}) + "\n"


def is_plain(directory: Path) -> bool:
    """Say whether the clone follows a plain clone's view of its origin, which nobody may push to."""
    return _heads_in(directory) != _HEADS


def _heads_in(directory: Path) -> str:
    try:
        said = (directory / _MARKER).read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return _HEADS
    return TRACKED if json.dumps(TRACKED) in said else _HEADS


def _make(git: Git, remote: Remote, branch: str | None, lock: int) -> None:
    """Clone beside the folder and put it in its place in one step."""
    directory = git.directory
    _refuse_strange(directory)
    new, old = (directory.with_name(f"{directory.name}.{what}") for what in ("new", "old"))
    for left in (new, old):
        shutil.rmtree(left, ignore_errors=True)
    beside = git.at(new)
    beside.run(["init", "--bare", "--quiet", "--template=", "--object-format=sha1"], keep_open=[lock])
    heads = heads_of(beside, remote)
    _fill(beside, target_branch(beside, branch, heads), lock, heads)
    (new / _MARKER).write_text(_marker(remote, heads), "utf-8")
    faults.point("before-clone-ready")
    if directory.exists():
        directory.rename(old)
    new.rename(directory)
    shutil.rmtree(old, ignore_errors=True)


def _fill(git: Git, branch: str, lock: int, heads: str) -> None:
    """Bring everything into an empty clone: ledgers beside the rest, for both may be long and share nothing.

    The fetch at the end sees all branches at one moment.
    """
    if git.run(["ls-remote", "--", "origin", f"{heads}{LEDGER}*"]).out:
        with ThreadPoolExecutor() as side:
            parts = [
                side.submit(_bring, git, names, lock, heads, timeout_seconds=_CLONE_SECONDS)
                for names in ([branch_name(branch), f"{PROMOTIONS}*"], [f"{LEDGER}*"])
            ]
        for part in parts:
            part.result()
    _fetch(git, branch, lock, heads, timeout_seconds=_CLONE_SECONDS)


def _refuse_strange(directory: Path) -> None:
    """Never put away a folder that does not look like a clone."""
    if directory.exists() and not (directory.is_dir() and _looks_like_clone(directory)):
        raise PermanentError(f"{directory} is in the way of the bare clone and not ours; move it away")


def _looks_like_clone(directory: Path) -> bool:
    names = {entry.name for entry in directory.iterdir()}
    return not names or _MARKER in names or {"objects", "refs"} <= names


def _fetch(git: Git, branch: str, lock: int, heads: str, *, timeout_seconds: float | None = None) -> None:
    """Mirror what concerns us; plus signs, for the mirror follows whatever the remote did."""
    _sweep(git.directory)
    names = (branch_name(branch), f"{LEDGER}*", f"{PROMOTIONS}*")
    _bring(git, names, lock, heads, timeout_seconds=timeout_seconds)


def _bring(git: Git, names: Sequence[str], lock: int, heads: str, *, timeout_seconds: float | None) -> None:
    """Fetch branches; of a name without a star the branch has to be there. Raises: TransientError, PermanentError."""
    flags = ["--prune", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--quiet"]
    refs = [f"+{heads}{name}:{TRACKED}{name}" for name in names]
    answer = git.run(
        ["fetch", *flags, "--", "origin", *refs],
        timeout_seconds=timeout_seconds,
        check=False,
        keep_open=[lock],
    )
    if "couldn't find remote ref" in answer.err:
        raise PermanentError(
            f"branch {names[0]!r} is not in the repository; was it renamed or deleted? See COUNTERSIGN_BRANCH"
        )
    if "mismatched algorithms" in answer.err:
        raise PermanentError(_OTHER_FORMAT)
    if answer.code != 0:
        raise failure("fetch", answer)


def _sweep(directory: Path) -> None:
    """Take away locks and half packs of a git that was killed; we are alone, so nobody holds them."""
    packs = (directory / "objects").glob("pack/tmp_*")
    for left in [*packs, *directory.glob("*.lock"), *(directory / "refs").rglob("*.lock")]:
        left.unlink(missing_ok=True)


def _has_broken_objects(directory: Path) -> bool:
    """Look for objects that a power cut left empty: git would take them for being there."""
    return any(_first_byte(stored) != _ZLIB for stored in (directory / "objects").glob("[0-9a-f][0-9a-f]/*"))


def _first_byte(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(1)
    except FileNotFoundError:
        return _ZLIB  # packed meanwhile


def _guessed(heads: list[str]) -> str:
    """Choose where HEAD points nowhere, as in a bare repository that was filled by a push."""
    candidates = [name for name in heads if not name.startswith((LEDGER, PROMOTIONS))]
    if not candidates:
        raise PermanentError("the repository is empty; push a first commit to the branch that deploys")
    for usual in ("main", "master"):
        if usual in candidates:
            return usual
    if len(candidates) > 1:
        raise PermanentError(
            "the repository's HEAD names no branch; COUNTERSIGN_BRANCH says which one deploys"
        )
    return _deployable(candidates[0])


def _deployable(branch: str) -> str:
    if branch.startswith((LEDGER, PROMOTIONS)):
        raise PermanentError(f"branch {branch!r} is one of the bot's own; COUNTERSIGN_BRANCH names another")
    return branch_name(branch)
