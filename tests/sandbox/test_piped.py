"""Lines of a pipe: one at a time, however they come; an interruption while nothing comes is heard."""

import os
import signal
import threading
from collections.abc import Iterator

import pytest

from sandbox.prompt import STEP_SECONDS, Piped


@pytest.fixture
def pipe() -> Iterator[tuple[Piped, int]]:
    """Return a reader, and where to write for it."""
    outlet, entrance = os.pipe()
    yield Piped(outlet), entrance
    for one in (outlet, entrance):
        try:
            os.close(one)
        except OSError:
            continue  # the test closed it


def test_lines_are_read_one_at_a_time_whatever_pieces_they_come_in(
    pipe: tuple[Piped, int], capsys: pytest.CaptureFixture[str]
) -> None:
    read, entrance = pipe
    os.write(entrance, b"one\ntw")
    assert read("> ") == "one"
    threading.Timer(STEP_SECONDS * 2, os.write, (entrance, b"o\n\nlast\xff")).start()
    assert [read(""), read("")] == ["two", ""]
    os.close(entrance)
    assert read("") == "last\ufffd"
    for _ in range(2):
        with pytest.raises(EOFError):
            read("")
    assert capsys.readouterr().out == "> "


def test_an_interruption_is_heard_while_nothing_comes(pipe: tuple[Piped, int]) -> None:
    read, _ = pipe
    threading.Timer(STEP_SECONDS, signal.raise_signal, (signal.SIGINT,)).start()

    with pytest.raises(KeyboardInterrupt):
        read("")
