"""A long line of commits read in one stream: what one git names, another reads at once, and this process takes in."""

import os
import select
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO

from bot.errors import BotError
from bot.repository.git import MAX_OUTPUT_BYTES, Git
from bot.repository.objects import Oid, RawCommit, oid_of

_CHUNK = 1 << 20
_SECONDS = 60.0  # of silence, after which another git is asked
_KIND = b" commit "
_PARENT = b"\nparent "
_OID = 40  # digits of an id
_FIRST = len(b"tree ") + _OID  # where the first parent's line begins in a commit
_SECOND = _FIRST + len(_PARENT) + _OID


def read_line(git: Git, tip: Oid) -> list[RawCommit] | None:
    """Return all commits that ``tip`` contains, oldest first; None where they are no line, or anything is odd."""
    try:
        with _named_to_reader(git, oid_of(tip)) as outlet:
            found = _taken_in(outlet)
    except (OSError, ValueError, BotError):
        return None
    found.reverse()
    return found if _is_line(found, tip) else None


@contextmanager
def _named_to_reader(git: Git, tip: Oid) -> Iterator[IO[bytes]]:
    """Let one git name the commits to another; yield what that one says. Raises: OSError, where one of them fails."""
    names = git.start_reading(["rev-list", "--end-of-options", tip, "--"])
    started = [names]
    try:
        reader = git.start_reading(["cat-file", "--batch", "--buffer"], stdin=names.stdout)
        started.append(reader)
        for pipe in (names.stdin, names.stdout):
            if pipe is not None:
                pipe.close()  # the reader has its own end
        if reader.stdout is None:
            raise OSError("the process was started without pipes")
        yield reader.stdout
        if any(one.wait(_SECONDS) for one in started):
            raise OSError("git failed")
    except subprocess.TimeoutExpired as error:
        raise OSError("git does not end") from error
    finally:
        for one in started:
            one.kill()
            with suppress(OSError):
                one.__exit__(None, None, None)


def _taken_in(outlet: IO[bytes]) -> list[RawCommit]:
    """Read what `cat-file --batch` says until it ends. Raises: ValueError, OSError."""
    found: list[RawCommit] = []
    pieces: list[bytes] = []
    total = gathered = needed = 0
    while piece := _heard(outlet):
        pieces.append(piece)
        total, gathered = total + len(piece), gathered + len(piece)
        if total > MAX_OUTPUT_BYTES:
            raise ValueError("more than anything here should be")
        if gathered >= needed:
            said = b"".join(pieces)
            at, needed = _parted(said, found)
            pieces, gathered = [said[at:]], len(said) - at
    if gathered:
        raise ValueError("it ends within a commit")
    return found


def _heard(outlet: IO[bytes]) -> bytes:
    if not select.select([outlet], [], [], _SECONDS)[0]:
        raise TimeoutError
    return os.read(outlet.fileno(), _CHUNK)


def _parted(said: bytes, found: list[RawCommit]) -> tuple[int, int]:
    """Add the commits that are there as a whole; return where the next one begins, and how long it is. 0: not known.

    Raises: ValueError.
    """
    at = 0
    while (end := said.find(b"\n", at)) >= 0:
        if not said.startswith(_KIND, at + _OID):
            raise ValueError("it is no commit")
        start = end + 1
        stop = start + int(said[at + _OID + len(_KIND) : end])
        if stop >= len(said):
            return at, stop + 1 - at
        found.append(RawCommit(Oid(said[at : at + _OID].decode("ascii")), said[start:stop]))
        at = stop + 1
    return at, 0


def _is_line(commits: list[RawCommit], tip: Oid) -> bool:
    """Whether each has the one before it as its only parent, the first one none, and the last one is ``tip``."""
    before = b""
    for one in commits:
        data = one.data
        if data.startswith(_PARENT, _SECOND) or (data[_FIRST:_SECOND] != before and before):
            return False
        if not before and data.startswith(_PARENT, _FIRST):
            return False
        before = _PARENT + one.oid.encode()
    return bool(commits) and commits[-1].oid == tip
