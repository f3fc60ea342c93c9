"""Folders are read as git reads them: any tree against git's own answers."""

import os
import signal
import subprocess
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from bot.errors import PermanentError
from bot.repository import trees as module
from bot.repository.git import Git
from bot.repository.mirror import Mirror
from bot.repository.objects import Oid
from bot.repository.standing_git import MAX_ASKED_BYTES, StandingGit
from bot.repository.trees import Trees
from tests.repositories import Files, Link, commit_to, git, make_bare, tip

HISTORY: list[Files] = [
    {"a": "1\n", "b/c": "2\n", "b/d/e": "3\n", "b.c": "4\n", "b-c/d": "5\n", "l": Link("a")},
    {"b/c": "file again\n", "b/d/e": None, "b/d": "a file where a folder was\n", "x/y/z": "6\n"},
    {"a": None, "a/b": "a folder where a file was\n", "l": "a file where a link was\n", "x/y/z": None},
]


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    return make_bare(tmp_path / "gitops.git", HISTORY)


def _odd(remote: Path) -> str:
    """Commit what no program of today writes: a link, a submodule, a run bit, names that are no text."""
    blob = git(remote, "rev-parse", "main:b.c")
    rows = f"160000 commit {'1' * 40}\tsub\n120000 blob {blob}\tlink\n100755 blob {blob}\trun\n".encode()
    bad = b'100644 blob %b\t"bad\\377name"\n' % blob.encode()
    inner = git(remote, "mktree", "--missing", stdin=rows + bad)
    outer = git(remote, "mktree", stdin=f"040000 tree {inner}\tf\n100644 blob {blob}\tg\n".encode())
    return git(remote, "-c", "user.name=x", "-c", "user.email=x", "commit-tree", outer, "-m", "x")


def test_files_and_differences_are_what_git_says_they_are(remote: Path, tmp_path: Path) -> None:
    git(remote, "update-ref", "refs/heads/countersign/odd", _odd(remote))
    mirror = Mirror.open(str(remote), tmp_path / "mirror")
    commits = [*mirror.first_parents(mirror.tips().target), *mirror.tips().promotions.values()]
    assert len(commits) == len(HISTORY) + 1

    for one in commits:
        lines = git(remote, "ls-tree", "-r", "-z", one).split("\0")
        files = [line.partition("\t") for line in lines if line.startswith("100") and "\udcff" not in line]
        assert list(mirror.listing(one, [""]).items()) == [(path, about[-40:]) for about, _, path in files]
        for prefixes in (["b", "b.c", "b-c"], ["x/y", "a", "nowhere", "f/sub"], ["b/d", "b"]):
            named = git(remote, "ls-tree", "-r", "-z", "--name-only", one, "--", *prefixes).split("\0")
            expected = [path for path in named if path in dict.fromkeys(file[2] for file in files)]
            assert list(mirror.listing(one, prefixes)) == expected
        for other in commits:
            said = git(remote, "diff-tree", "-r", "-z", "--no-renames", "--name-only", one, other)
            changed = [path.replace("\udcff", "\\xff") for path in said.split("\0") if path]
            assert mirror.changed_paths(one, other) == list(dict.fromkeys(changed))


def test_a_folder_however_deep_is_read() -> None:
    files: dict[Oid, bytes] = {Oid("0" * 40): b"100644 f\0" + bytes.fromhex("f" * 40)}
    last = Oid("0" * 40)
    for number in range(1, 1800):
        oid = Oid(f"{number:040x}")
        files[oid] = b"40000 d\0" + bytes.fromhex(last)
        last = oid
    trees = Trees(lambda oids: [files[oid] for oid in oids])
    path = "d/" * 1799 + "f"

    assert trees.files(last, [""]) == {path: "f" * 40}
    assert trees.changed(last, Oid("0" * 40)) == [path.encode(), b"f"]


def test_what_is_remembered_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MAX_ROWS", 2)
    monkeypatch.setattr(module, "_MAX_TREES", 2)
    row = bytes.fromhex("f" * 40)
    files = {Oid(f"{n:040x}"): b"100644 f%d\0%b100664 g\0%b" % (n, row, row) for n in range(9)}
    trees = Trees(lambda oids: [files[oid] for oid in oids])

    for turn in range(2):
        for number, oid in enumerate(files):
            assert set(trees.files(oid, [""])) == {f"f{number}", "g"}, turn
    assert len(trees._files) == 1
    assert len(trees._rows) <= 2


def _always(data: bytes, _oids: Sequence[Oid]) -> list[bytes]:
    return [data]


def test_a_tree_that_is_none_is_said() -> None:
    for data in (b"100644 f\0" + b"1" * 19, b"100644 \0" + b"1" * 20, b"x 100644 f\0" + b"1" * 20):
        with pytest.raises(PermanentError, match="is malformed"):
            Trees(partial(_always, data)).files(Oid("1" * 40), [""])


def test_one_git_answers_many_questions(remote: Path) -> None:
    standing = StandingGit(Git(remote))
    commit = tip(remote)

    for _ in range(3):
        (found,) = standing.read([commit]) or []
        assert found[:2] == (commit, "commit")
        assert found[2].startswith(b"tree ")
    assert standing.read([f"{commit}:x", commit]) is None  # one that is not there: another git says why
    assert standing.read([]) == []
    assert standing.read([commit] * MAX_ASKED_BYTES) is None
    assert standing.read([f"{commit}\n{commit}"]) is None
    assert standing.read([commit]) == [found]
    later = commit_to(remote, {"new": "7\n"})
    assert [one[0] for one in standing.read([later]) or ()] == [later]  # what came after it had started
    standing.close()
    assert standing.read([commit]) == [found]


def test_a_git_that_is_gone_is_started_again(remote: Path) -> None:
    standing = StandingGit(Git(remote))
    commit = tip(remote)
    assert standing.read([commit])
    process = standing._process
    assert isinstance(process, subprocess.Popen)

    os.kill(process.pid, signal.SIGKILL)
    process.wait()

    assert standing.read([commit]) is None
    assert standing.read([commit])


def test_only_what_reads_may_stay(remote: Path) -> None:
    with pytest.raises(ValueError, match="does not stay"):
        Git(remote).start_reading(["push"])
