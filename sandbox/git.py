"""The sandbox's own runner of git: argument lists, a clean environment, time-outs that end the whole group."""

import os
import signal
import subprocess
from collections.abc import Container, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

TIMEOUT_SECONDS = 60.0


class GitError(Exception):
    """git answered with an exit status that nobody expected, or did not answer in time."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one git command said."""

    code: int
    output: bytes
    complaint: str

    @property
    def text(self) -> str:
        """Standard output as text, without the line end; bytes that are not UTF-8 are replaced."""
        return self.output.decode(errors="replace").rstrip("\n")


@dataclass(frozen=True, slots=True)
class Git:
    """A repository on this disk, spoken to by git's own commands."""

    repository: Path

    @classmethod
    def bare(cls, repository: Path, *, branch: str = "main") -> Self:
        """Make an empty bare repository whose HEAD names ``branch``."""
        repository.mkdir(parents=True, exist_ok=True)
        git = cls(repository)
        git.run("init", "--quiet", "--bare", f"--initial-branch={branch}", ".")
        return git

    def run(
        self,
        *arguments: str,
        stdin: bytes = b"",
        environment: Mapping[str, str] | None = None,
        expected: Container[int] = (0,),
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> Answer:
        """Run one command. Raises: GitError, when the exit status is not among the ``expected`` ones."""
        # hooks, pagers and helpers belong to the command: they get its group, and end with it
        with subprocess.Popen(
            ["git", *arguments],
            cwd=self.repository,
            env=_environment() | dict(environment or {}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        ) as process:
            try:
                output, complaint = process.communicate(stdin, timeout=timeout_seconds)
            except BaseException as error:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                if isinstance(error, subprocess.TimeoutExpired):
                    raise GitError(f"git {arguments[0]} did not end within {timeout_seconds:g} s") from error
                raise
        answer = Answer(process.returncode, output, complaint.decode(errors="replace").strip())
        if answer.code not in expected:
            raise GitError(f"git {arguments[0]} ended with {answer.code}: {answer.complaint}")
        return answer

    def text(self, *arguments: str) -> str:
        """Return what one command prints. Raises: GitError."""
        return self.run(*arguments).text

    def lines(self, *arguments: str) -> list[str]:
        """Return the lines that one command prints. Raises: GitError."""
        text = self.text(*arguments)
        return text.split("\n") if text else []


def _environment() -> dict[str, str]:
    """Return an environment in which neither this machine's nor this user's settings of git count."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return kept | {
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C.UTF-8",
    }
