"""The production bot as a child process: started with settings in its environment alone, stopped, killed, asked."""

import http.client
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Self

from sandbox.world import World

LOG = "bot.log"
READY_WITHIN_SECONDS = 40.0
STOPPED_WITHIN_SECONDS = 8.0
ASKED_WITHIN_SECONDS = 60.0
_HOME = Path(__file__).resolve().parents[1]  # from where python -m finds the bot
# What a process needs to run at all; everything else that the bot knows is a setting.
_KEPT = (
    "PATH",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "VIRTUAL_ENV",
    "PYTHONPATH",
    "LD_LIBRARY_PATH",
    "COVERAGE_PROCESS_START",
)


class BotProcessError(Exception):
    """The bot did not start, or ended by itself."""


@dataclass(frozen=True, slots=True)
class Said:
    """What one command of the bot's command line answered."""

    code: int
    output: str


class BotProcess:
    """One bot for one world. As a context it is stopped at the end, whatever happens."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._process: subprocess.Popen[bytes] | None = None
        self._disk = Path(tempfile.mkdtemp(prefix="countersign-"))
        self._disks = 0
        self.log = world.folder / LOG

    def __enter__(self) -> Self:
        """Wait to be started."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it and throw its disk away."""
        self.stop()
        shutil.rmtree(self._disk, ignore_errors=True)

    def start(self, *options: str, keeps_disk: bool = False) -> None:
        """Start it, by default on an empty disk, and wait until it is well. Raises: BotProcessError."""
        self._disks += not keeps_disk
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "bot", "serve", *options],
                cwd=_HOME,
                env=self._environment(self._world.settings),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # a Ctrl-C is ours: we stop it
            )
        self._wait_until_well(self._process)

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None:
            self._signal(self._process, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        """Ask it to end, and insist."""
        process = self._process
        if process is None:
            return
        with suppress(ProcessLookupError):
            process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOPPED_WITHIN_SECONDS)
        self.kill()

    def check(self) -> None:
        """Say when it has ended by itself. Raises: BotProcessError."""
        if self._process is not None and (code := self._process.poll()) is not None:
            raise BotProcessError(f"the bot ended by itself with {code}:\n{self.last_words()}")

    def ask(self, *arguments: str) -> Said:
        """Run one command that needs the repository alone, on a disk of its own."""
        repository = "COUNTERSIGN_REPOSITORY"
        return self._ran(arguments, {repository: self._world.settings[repository]})

    def run(self, *arguments: str) -> Said:
        """Run one command with all settings, on a disk of its own."""
        return self._ran(arguments, self._world.settings)

    def _ran(self, arguments: Sequence[str], settings: Mapping[str, str]) -> Said:
        self._disks += 1
        done = subprocess.run(
            [sys.executable, "-m", "bot", *arguments],
            cwd=_HOME,
            env=self._environment(settings),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=ASKED_WITHIN_SECONDS,
            check=False,
        )
        return Said(done.returncode, done.stdout.decode(errors="replace").strip())

    def last_words(self, lines: int = 20) -> str:
        """Return the end of its log."""
        with suppress(OSError):
            return "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-lines:])
        return ""

    def _environment(self, settings: Mapping[str, str]) -> dict[str, str]:
        disk = self._disk / str(self._disks)
        disk.mkdir(exist_ok=True)
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        return {**kept, "HOME": str(disk), "XDG_STATE_HOME": str(disk), **settings}

    def _wait_until_well(self, process: subprocess.Popen[bytes]) -> None:
        ends = time.monotonic() + READY_WITHIN_SECONDS
        while time.monotonic() < ends:
            if process.poll() is not None:
                self.check()
            with suppress(OSError, http.client.HTTPException):
                if self._health() == HTTPStatus.OK:
                    return
            time.sleep(0.1)
        raise BotProcessError(f"the bot was not well within {READY_WITHIN_SECONDS:g} s:\n{self.last_words()}")

    def _health(self) -> int:
        """Ask how it is, past every proxy. Raises: OSError, HTTPException."""
        connection = http.client.HTTPConnection("127.0.0.1", self._world.bot_port, timeout=5)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status
        finally:
            connection.close()

    def _signal(self, process: subprocess.Popen[bytes], what: signal.Signals) -> None:
        """Reach its helpers too, also after it has gone itself: the group is its own."""
        with suppress(ProcessLookupError):
            os.killpg(process.pid, what)
