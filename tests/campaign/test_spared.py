"""What the twins' git remembers is what git says: names that are fixed, branches as they stand at that moment."""

from pathlib import Path

import pytest

from sandbox.forge.repository import ForgeRepository
from sandbox.git import Git
from tests.campaign.spared import is_fixed, spared
from tests.repositories import commit_to, make_bare

OID = "0" * 39 + "1"


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        (("merge-base", OID, OID), 0, True),
        (("merge-base", "--is-ancestor", OID, OID), 1, True),
        (("rev-parse", "--verify", f"{OID}^{{tree}}"), 0, True),
        (("log", "-z", "--topo-order", OID, f"^{OID}", "--"), 0, True),
        (("cat-file", "-t", f"{OID}:apps/web.yaml"), 0, True),
        (("cat-file", "-t", f"{OID}:apps/web.yaml"), 128, False),
        (("rev-parse", "--verify", "--quiet", f"{OID}^{{commit}}"), 1, False),
        (("rev-parse", "refs/heads/main"), 0, False),
        (("merge-base", "main", OID), 0, False),
        (("rev-parse", OID[:12]), 0, False),
        (("update-ref", OID), 0, False),
        (("log", "-z"), 0, False),
    ],
)
def test_only_what_stays_so_is_remembered(arguments: tuple[str, ...], code: int, expected: bool) -> None:  # noqa: FBT001  a table
    assert is_fixed(arguments, code) is expected


def test_branches_are_listed_as_git_lists_them(tmp_path: Path) -> None:
    git = Git(make_bare(tmp_path / "bare.git", [{"a": "1"}]))
    there = ForgeRepository(git)

    def twice() -> None:
        expected = there.heads(), there.tags()
        with spared():
            assert (there.heads(), there.tags()) == expected

    twice()
    commit_to(git.repository, {"a": "2"}, branch="main", message="Say two\n")
    commit_to(git.repository, {"a": "3"}, branch="ledger/2026", message="Say three\n")
    twice()
    git.run("pack-refs", "--all")
    commit_to(git.repository, {"a": "4"}, branch="main", message="Say four\n")
    twice()
    git.run("tag", "v1", "refs/heads/main")
    twice()


def test_a_branch_that_moves_within_is_seen_at_once(tmp_path: Path) -> None:
    git = Git(make_bare(tmp_path / "bare.git", [{"a": "1"}]))
    there = ForgeRepository(git)

    with spared():
        before = there.heads()["main"]
        there.changes(None, before)
        after = commit_to(git.repository, {"a": "2"}, branch="main", message="Say two\n")

        assert there.heads()["main"] == after != before
        assert [one.path for one in there.changes(before, after)] == ["a"]
        assert there.changes(before, after) == there.changes(before, after)
