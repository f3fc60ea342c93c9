"""Processes that move images are killed: every move is once on the branch and once in the ledger, in one order."""

import math
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.campaign.bumps import campaign, judged
from tests.campaign.length import LENGTH
from tests.campaign.reading import Commit, Line, Reading


@pytest.mark.timeout(600)
def test_branch_and_ledger_stay_one_to_one_whoever_dies(tmp_path: Path) -> None:
    found = campaign(tmp_path, bumps=LENGTH.bumps, kills=LENGTH.bump_kills, seed=LENGTH.seed, ends=math.inf)

    assert found.wrong == []
    assert found.made >= LENGTH.bumps
    assert found.kills >= LENGTH.bump_kills


@dataclass
class Two(Reading):
    """A ledger and a branch that say these things."""

    lines: list[Line] = field(default_factory=list)
    commits: list[Commit] = field(default_factory=list)

    def ledger(self) -> list[Line]:
        return self.lines

    def main(self) -> list[Commit]:
        return self.commits


def _line(number: int, commit: str) -> Line:
    said = f'{{"kind":"bump","key":"k{number}","commit":"{commit}","image":[{{"tag":"1.{number}.0"}}]}}'
    return Line(Commit(str(number), f"tree\n\nsubject\n\n{said}".encode()))


def _move(name: str) -> Commit:
    return Commit(name, f"tree\n\nmove\n\nLedger-Key: bump/{name}".encode())


A_START = Commit("z", b"tree\n\nstart")


@pytest.mark.parametrize(
    ("lines", "commits", "wrong"),
    [
        (["a", "b"], ["a", "b"], 0),
        (["a", "b"], ["b", "a"], 1),
        (["a"], ["a", "b"], 1),
        (["a", "a"], ["a"], 1),
    ],
)
def test_what_is_not_one_to_one_is_seen(
    tmp_path: Path, lines: list[str], commits: list[str], wrong: int
) -> None:
    two = Two(
        tmp_path,
        lines=[_line(number, commit) for number, commit in enumerate(lines, start=1)],
        commits=[A_START, *map(_move, commits)],
    )

    assert len(list(judged(two))) == wrong


def test_a_version_that_moved_twice_and_a_stray_commit_are_seen(tmp_path: Path) -> None:
    two = Two(
        tmp_path, lines=[_line(1, "a"), _line(1, "b")], commits=[A_START, A_START, _move("a"), _move("b")]
    )

    assert len(list(judged(two))) == 3
