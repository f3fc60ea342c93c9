"""Crash points: named in one table, armed by one setting, as deadly as kill -9."""

import ast
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot import faults
from bot.errors import SettingsError

HOME = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _disarmed() -> Iterator[None]:
    yield
    faults.arm("")


def life(armed: str, *passed: str) -> subprocess.CompletedProcess[str]:
    """Let a process of its own pass these points and say how far it came."""
    script = "import sys\nfrom bot import faults\nfaults.arm(sys.argv[1])\n" + "".join(
        f"faults.point({name!r}); print({name!r}, flush=True)\n" for name in passed
    )
    return subprocess.run(
        [sys.executable, "-c", script, armed], cwd=HOME, capture_output=True, text=True, check=False
    )


def test_the_armed_passing_kills_at_once() -> None:
    ended = life("after-merge:2", "before-merge", "after-merge", "before-merge", "after-merge")

    assert ended.returncode == -signal.SIGKILL
    assert ended.stdout.split() == ["before-merge", "after-merge", "before-merge"]


def test_without_a_count_the_first_passing_kills() -> None:
    ended = life("before-merge", "before-merge")

    assert (ended.returncode, ended.stdout) == (-signal.SIGKILL, "")


def test_unarmed_points_are_passed() -> None:
    ended = life("", *faults.POINTS)

    assert ended.returncode == 0
    assert ended.stdout.split() == list(faults.POINTS)


@pytest.mark.parametrize(
    "text", ["nowhere", "after-merge:", "after-merge:0", "after-merge:-1", "after-merge:²", ":2"]
)
def test_a_setting_that_means_nothing_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="is not a crash point"):
        faults.arm(text)


def test_an_unknown_point_raises() -> None:
    with pytest.raises(ValueError, match="not in the table"):
        faults.point("after-lunch")


def test_every_point_in_the_code_stands_in_the_table() -> None:
    used = [spelled for folder in ("bot", "handlers") for spelled in points(HOME / folder)]

    assert used
    assert [
        spelled for spelled in used if not any(re.fullmatch(spelled, name) for name in faults.POINTS)
    ] == []


def points(folder: Path) -> list[str]:
    """Return as patterns what the modules of a folder pass to ``point``: literals, or literals with gaps."""
    trees = [ast.parse(path.read_text("utf-8")) for path in folder.rglob("*.py")]
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    named = [call for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr == "point"]
    return [pattern(call.args[0]) for call in named]


def pattern(argument: ast.expr) -> str:
    """Return what an argument can be: its text, with a word for each place that is filled in."""
    pieces = argument.values if isinstance(argument, ast.JoinedStr) else [argument]
    return "".join(
        re.escape(str(piece.value)) if isinstance(piece, ast.Constant) else "[a-z-]+" for piece in pieces
    )
