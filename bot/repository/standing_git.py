"""One `git cat-file` that stays: what is asked for often needs no process of its own."""

import os
import select
import subprocess
import threading
import time
import weakref
from collections.abc import Sequence
from contextlib import suppress
from typing import IO

from bot.errors import BotError
from bot.repository.git import Git

MAX_ASKED_BYTES = 8192  # fits into a pipe, so that git never waits for us while we wait for git
MAX_CONTENT_BYTES = 64 << 20
_CHUNK = 1 << 16
_SECONDS = 30.0

Object = tuple[str, str, bytes]  # id, type, content


class StandingGit:
    """Reads objects of one repository; any doubt is no answer, and another git is asked. May be used by any thread."""

    def __init__(self, git: Git) -> None:
        """Start nothing yet."""
        self._git = git
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._end: weakref.finalize[..., StandingGit] | None = None
        self._heard = bytearray()

    def read(self, names: Sequence[str]) -> list[Object] | None:
        """Return id, type and content for each name; None where one of them is not there, or anything is odd."""
        if not names:
            return []
        asked = "".join(f"{name}\n" for name in names).encode()
        if len(asked) > MAX_ASKED_BYTES or asked.count(b"\n") != len(names):
            return None
        with self._lock:
            try:
                return self._converse(asked, len(names))
            except (OSError, ValueError, BotError):
                self._close()
                return None

    def close(self) -> None:
        """End it: the packs that it holds open may be gone. The next question starts another one."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        if self._end is not None:
            self._end()
        self._process = self._end = None
        self._heard.clear()

    def _converse(self, asked: bytes, count: int) -> list[Object]:
        process = self._started()
        if process.stdin is None or process.stdout is None:
            raise ValueError("the process was started without pipes")
        deadline = time.monotonic() + _SECONDS
        process.stdin.write(asked)
        process.stdin.flush()
        found = [self._object(process.stdout, deadline) for _ in range(count)]
        if self._heard:
            raise ValueError("more was said than was asked for")
        return found

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            self._process = self._git.start_reading(["cat-file", "--batch"])
            self._end = weakref.finalize(self, _stop, self._process)
        return self._process

    def _object(self, outlet: IO[bytes], deadline: float) -> Object:
        while (end := self._heard.find(b"\n")) < 0:
            self._hear(outlet, deadline)
        name, kind, size = self._heard[:end].decode("ascii").split(" ")
        whole = end + 1 + int(size) + 1
        if whole > MAX_CONTENT_BYTES:
            raise ValueError("too large to be read so")
        while len(self._heard) < whole:
            self._hear(outlet, deadline)
        content = bytes(self._heard[end + 1 : whole - 1])
        del self._heard[:whole]
        return name, kind, content

    def _hear(self, outlet: IO[bytes], deadline: float) -> None:
        if not select.select([outlet], [], [], max(deadline - time.monotonic(), 0))[0]:
            raise TimeoutError
        piece = os.read(outlet.fileno(), _CHUNK)
        if not piece:
            raise EOFError("git has ended")
        self._heard += piece


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    with suppress(OSError):
        process.__exit__(None, None, None)
