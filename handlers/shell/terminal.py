"""How the command line speaks: tables and JSON on stdout, progress and trouble in single lines on stderr."""

import json
import os
import sys
import threading
import traceback
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.table import Table
from typer.exceptions import Abort, Exit, TyperException

from bot.errors import BotError, SettingsError
from bot.logs import redacted
from bot.promoting.promoter import Declined
from policies.errors import PolicyError
from policies.rulebook.findings import near, visible

FINE, FINDINGS, WRONG_USE, WORLD_FAILED = range(4)  # exit codes
_INTERRUPTED = 130  # 128 + SIGINT, as shells say it
_WIDE = 240  # columns where nobody watches: a program reads lines
_PATIENCE_SECONDS = 1.0


class UseError(Exception):
    """The command cannot mean anything; the message says what would."""


def tell(text: str) -> None:
    """Say something on stderr, mostly one line, without secrets and hidden letters."""
    sys.stderr.write("".join(f"{visible(line)}\n" for line in redacted(text).splitlines()))
    sys.stderr.flush()


def print_line(line: str) -> None:
    """Print one line on stdout, without hidden letters."""
    sys.stdout.write(f"{visible(line)}\n")


def print_lines(lines: Iterable[str]) -> None:
    """Print lines on stdout."""
    for line in lines:
        print_line(line)


def print_text(text: str) -> None:
    """Print a document on stdout, byte for byte."""
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode())
    sys.stdout.buffer.flush()


def print_json(shape: Mapping[str, Any]) -> None:
    """Print one JSON document on stdout, in ASCII."""
    sys.stdout.write(f"{json.dumps(shape, indent=2)}\n")


def print_table(table: Table) -> None:
    """Print a table on stdout, as wide as the terminal."""
    width = None if sys.stdout.isatty() else _WIDE
    Console(file=sys.stdout, width=width, highlight=False, emoji=False, markup=False).print(table)


@contextmanager
def patience(doing: str) -> Iterator[None]:
    """Say on stderr what takes over a second."""
    timer = threading.Timer(_PATIENCE_SECONDS, tell, [f"{doing} ..."])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@dataclass(slots=True)
class Run:
    """One run of a command: whatever it raises becomes a line on stderr and an exit code."""

    code: int = FINE
    is_debugging: bool = False

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None
    ) -> bool:
        """Name what went wrong; nothing is raised on."""
        if error is None:
            return False
        self.code, line = _sorted(error)
        if self.is_debugging:
            traceback.print_exception(error)
        if line:
            tell(f"countersign: {line}")
        return True


def _sorted(error: BaseException) -> tuple[int, str]:  # noqa: PLR0911  a table of what can happen
    """Return the exit code of an error and what to say of it."""
    match error:
        case Exit():
            return error.exit_code, ""
        case SystemExit():
            return error.code if isinstance(error.code, int) else WRONG_USE, ""
        case Abort() | KeyboardInterrupt():
            return _INTERRUPTED, "interrupted"
        case BrokenPipeError():
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader has gone: so do we
            return WORLD_FAILED, ""
        case TyperException():
            return WRONG_USE, f"{error.format_message().rstrip('.')}; see `countersign --help`"
        case UseError() | SettingsError():
            return WRONG_USE, str(error)
        case Declined():
            return WRONG_USE, f"{error.answer.code}: {error.answer.detail}; run `countersign lint`"
        case BotError():
            return WORLD_FAILED, str(error)
        case PolicyError():
            return WORLD_FAILED, f"something that was read cannot be used: {error}"
        case _:
            said = f"{type(error).__name__}: {error}"
            return WORLD_FAILED, f"a fault of the program: {said}; set COUNTERSIGN_DEBUG=1 to see where"


def checked(what: str, named: str, known: Iterable[str]) -> None:
    """Refuse a name that is not known, with what was likely meant. Raises: UseError."""
    names = list(known)
    if named in names:
        return
    meant = near(named, names)
    expected = f"{meant[0]!r}, did you mean that?" if meant else f"one of {', '.join(names[:60])}"
    raise UseError(f"there is no {what} {named[:60]!r}; expected {expected}")
