"""The reader that judges a world: what it makes of a ledger to which somebody is pushing."""

from pathlib import Path

from sandbox.git import Git
from tests.campaign.reading import Reading
from tests.repositories import commit_to, make_bare


def test_a_push_that_is_under_way_is_no_branch(tmp_path: Path) -> None:
    git = Git(make_bare(tmp_path / "bare.git", [{"a": "1"}]))
    commit_to(git.repository, {"a": "2"}, branch="ledger/2026", message="Say two\n")
    tip = git.text("rev-parse", "refs/heads/ledger/2026")
    (git.repository / "refs/heads/ledger/2026.lock").write_text("")

    reading = Reading(git.repository)

    assert reading.ledger_tip() == tip
    (git.repository / "refs/heads/ledger/2027.lock").write_text("0" * 40)
    assert reading.ledger_tip() == tip
