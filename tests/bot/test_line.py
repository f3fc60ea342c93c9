"""A long line of commits read in one stream: the same as git says one by one, or nothing."""

import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import pytest

from bot.errors import TransientError
from bot.repository import line
from bot.repository.git import Git
from bot.repository.line import read_line
from bot.repository.mirror import Mirror
from bot.repository.objects import BOT, EMPTY_TREE, Oid, write_commit
from tests.repositories import git, make_bare, tip

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
NOWHERE = Oid("1" * 40)
ODD = ("plain\n", "no end", ".", "\nparent " + "1" * 40, "x\n\nparent y\n", "é\n" * 70_000, "last\n")


def _commit(bare: Path, message: str, *parents: str) -> str:
    data = write_commit(EMPTY_TREE, [Oid(one) for one in parents], BOT, AT, message)
    return git(bare, "hash-object", "-t", "commit", "-w", "--literally", "--stdin", stdin=data)


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A repository whose branch is a line, with messages as nobody should write them."""
    made = make_bare(tmp_path / "gitops.git", [{"README.md": "0\n"}])
    for message in ODD:
        git(made, "update-ref", "refs/heads/main", _commit(made, message, tip(made)))
    return made


def _one_by_one(bare: Path) -> list[tuple[str, str]]:
    oids = git(bare, "rev-list", "--reverse", "--topo-order", "main").split()
    return [(oid, git(bare, "cat-file", "commit", oid)) for oid in oids]


def test_a_line_is_read_as_git_has_it(bare: Path) -> None:
    found = read_line(Git(bare), Oid(tip(bare)))

    assert found is not None
    assert [(one.oid, one.data.decode().strip()) for one in found] == _one_by_one(bare)


@pytest.mark.parametrize("chunk", [1, 7, 50, 4096])
def test_it_does_not_matter_how_it_is_parted(bare: Path, monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    git(bare, "update-ref", "refs/heads/main", "main~2")  # without the long one
    whole = read_line(Git(bare), Oid(tip(bare)))
    monkeypatch.setattr(line, "_CHUNK", chunk)

    assert whole is not None
    assert read_line(Git(bare), Oid(tip(bare))) == whole


def test_what_has_a_merge_is_no_line(bare: Path) -> None:
    side = _commit(bare, "Beside", git(bare, "rev-parse", "main~1"))
    merge = _commit(bare, "Merge", tip(bare), side)
    git(bare, "update-ref", "refs/heads/main", merge)

    assert read_line(Git(bare), Oid(merge)) is None


def test_two_beginnings_are_no_line(bare: Path) -> None:
    merge = _commit(bare, "Merge", _commit(bare, "Another beginning"), tip(bare))

    assert read_line(Git(bare), Oid(merge)) is None


def test_what_is_not_there_is_nothing(bare: Path, tmp_path: Path) -> None:
    assert read_line(Git(bare), NOWHERE) is None
    assert read_line(Git(tmp_path / "nowhere"), Oid(tip(bare))) is None


def test_a_blob_is_no_line(bare: Path) -> None:
    assert read_line(Git(bare), Oid(git(bare, "hash-object", "-w", "--stdin", stdin=b"x"))) is None


def test_more_than_anything_should_be_is_nothing(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "MAX_OUTPUT_BYTES", 100)

    assert read_line(Git(bare), Oid(tip(bare))) is None


class SilentGit(Git):
    """Says nothing, and does not end."""

    def start_reading(
        self, arguments: Sequence[str], *, stdin: IO[bytes] | None = None
    ) -> subprocess.Popen[bytes]:
        assert arguments
        return subprocess.Popen(["sleep", "600"], stdin=stdin or subprocess.PIPE, stdout=subprocess.PIPE)


def test_a_silent_git_is_not_waited_for(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "_SECONDS", 0.1)

    assert read_line(SilentGit(bare), Oid(tip(bare))) is None


def test_a_broken_commit_is_told_by_the_git_that_is_asked_then(bare: Path, tmp_path: Path) -> None:
    mirror = Mirror.open(str(bare), tmp_path / "mirror")
    last = mirror.fetch().target
    for pack in (tmp_path / "mirror" / "objects" / "pack").glob("*.pack"):
        pack.chmod(0o600)
        pack.write_bytes(pack.read_bytes()[:60])

    with pytest.raises(TransientError, match="makes it anew"):
        mirror.raw_commits(last)
