"""Signatures of many commits, checked by a second process while this one goes on; with one processor, when asked.

What the other process answers is which key signed which commit. Whether that is the ledger's key is asked here.
"""

import os
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from fcntl import fcntl
from pathlib import Path
from typing import IO

from bot.repository.objects import Oid, RawCommit
from bot.signing import split_signature, verified

MANY = 2_000  # commits; for fewer it is not worth to start a process
_WIRE = 51  # bytes of an Ed25519 key on the wire; all zero: nobody's signature, or none that can be read
_PART, _ANSWERS = 500, 100  # commits that are told at once, and answers
_LENGTH = struct.Struct(">I")
_SET_PIPE_SIZE = 1031  # Linux, fcntl.h: F_SETPIPE_SZ
_PIPE_BYTES = 1 << 20
_PACKAGE = str(Path(__file__).resolve().parents[2])
_PROGRAM = (
    "import sys; sys.path.insert(0, sys.argv[1]); from bot.chains.signatures_ahead import answer; answer()"
)


class Ahead:
    """Who signed these commits; to be asked in their order."""

    def __init__(self, process: subprocess.Popen[bytes] | None) -> None:
        """Take the process that answers; none: everything is checked here."""
        self._process = process

    def signed_by(self, raw: RawCommit) -> bytes | None:
        """Return the key, on the wire, whose signature the next commit has; None where it has none that is good."""
        said = self._heard()
        return said if said is not None and any(said) else signed_by(raw)

    def _heard(self) -> bytes | None:
        """Read the next answer; a process that says no more is not asked again."""
        if self._process is None or self._process.stdout is None:
            return None
        said = self._process.stdout.read(_WIRE)
        if len(said) < _WIRE:
            self._process = None
            return None
        return said


def signed_by(raw: RawCommit) -> bytes | None:
    """Return the key, on the wire, whose signature a commit has; None where it has none that is good."""
    payload, signature = split_signature(raw.data)
    return verified(payload, signature) if signature is not None else None


@contextmanager
def ahead(commits: Sequence[RawCommit]) -> Iterator[Ahead]:
    """Begin to check the signatures of many commits; they are then asked for one by one, from the first."""
    process = _started() if len(commits) >= MANY and _processors() > 1 else None
    if process is None or process.stdin is None:
        yield Ahead(None)
        return
    feeder = threading.Thread(target=_feed, args=(process.stdin, commits), daemon=True)
    feeder.start()
    try:
        yield Ahead(process)
    finally:
        process.kill()  # what was not asked for is not needed
        feeder.join()
        with suppress(OSError):
            process.__exit__(None, None, None)


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _started() -> subprocess.Popen[bytes] | None:
    try:
        return subprocess.Popen(  # noqa: S603  this program itself
            [sys.executable, "-P", "-c", _PROGRAM, _PACKAGE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError:
        return None


def _feed(entrance: IO[bytes], commits: Sequence[RawCommit]) -> None:
    with suppress(OSError):  # it ended: what it did not answer is checked here
        with suppress(OSError):
            fcntl(entrance.fileno(), _SET_PIPE_SIZE, _PIPE_BYTES)
        for start in range(0, len(commits), _PART):
            part = commits[start : start + _PART]
            entrance.write(b"".join(_LENGTH.pack(len(one.data)) + one.data for one in part))
        entrance.flush()
        entrance.close()


def answer() -> None:
    """Be the other process: read commits from standard input, say who signed each."""
    entrance, outlet = sys.stdin.buffer, sys.stdout.buffer
    said: list[bytes] = []
    while len(head := entrance.read(_LENGTH.size)) == _LENGTH.size:
        (length,) = _LENGTH.unpack(head)
        key = signed_by(RawCommit(Oid(""), entrance.read(length)))
        said.append(key if key is not None and len(key) == _WIRE else bytes(_WIRE))
        if len(said) >= _ANSWERS:
            outlet.write(b"".join(said))
            outlet.flush()
            said.clear()
    outlet.write(b"".join(said))
    outlet.flush()
