"""The offline commands as somebody types them, in this process."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson
import pytest
import typer

from handlers.shell import offline
from handlers.shell.terminal import Run


@dataclass(frozen=True, slots=True)
class Said:
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The document on stdout."""
        return orjson.loads(self.out)


Type = Callable[..., Said]


def typist(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Type:
    """Return what runs a command with these arguments, and text or bytes on its stdin."""
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    offline.register(app)

    def type_(*arguments: object, stdin: str | bytes = b"") -> Said:
        content = stdin.encode() if isinstance(stdin, str) else stdin
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
        with Run() as run:
            run.code = (
                app(args=list(map(str, arguments)), standalone_mode=False, prog_name="countersign") or 0
            )
        said = capsys.readouterr()
        return Said(run.code, said.out, said.err)

    return type_
