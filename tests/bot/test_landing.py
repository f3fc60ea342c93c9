"""What landed is what was meant, or it is said how it differs."""

from pathlib import Path

import pytest

from bot.promoting.landing import look
from bot.repository.objects import Oid
from policies.entries.entry import Pinned
from policies.rules.rules import effective
from tests.bot.ledger_worlds import FILES, RULES, WEB, World, digest, kustomization, world
from tests.repositories import Files, Link, commit_to, git, read_file, tip

STAGING = "apps/staging/kustomization.yaml"


@pytest.fixture
def staged(tmp_path: Path) -> World:
    """A world in which 1.1.0 has moved in staging."""
    found = world(tmp_path)
    found.stage("1.1.0")
    return found


def _look(found: World, commit: str, *, change: str = "") -> tuple[str, tuple[Pinned, ...]]:
    found.desk.mirror.fetch()
    rules = found.desk.book.rules(tip(found.remote))
    assert rules
    rule = effective(rules, "staging", "web")
    assert rule
    entry = next(entry for _, entry in found.entries if entry.kind == "bump")
    landing = look(
        found.desk.mirror,
        found.desk.book,
        found.desk.writer,
        rules=rules,
        rule=rule,
        image=entry.image,
        change=change or entry.change,
        commit=Oid(commit),
    )
    return landing.wrong, landing.image


def _instead(found: World, files: Files) -> str:
    """Make another commit in the place of the move."""
    parent = git(found.remote, "rev-parse", "main^")
    content = {STAGING: read_file(found.remote, STAGING)} | dict(files)
    return commit_to(found.remote, content, branch="countersign/instead", parents=[parent])


def test_what_was_meant_is_right_and_says_what_stands_there(staged: World) -> None:
    wrong, image = _look(staged, tip(staged.remote))

    assert wrong == ""
    assert [one.tag for one in image] == ["1.1.0"]


def test_the_same_content_by_another_commit_is_right(staged: World) -> None:
    assert _look(staged, _instead(staged, {}))[0] == ""


@pytest.mark.parametrize(
    ("files", "wrong"),
    [
        ({"README.md": "x\n"}, "other-files"),
        ({"apps/staging/more.yaml": "kind: Service\n"}, "other-files"),
        ({"README.md": None}, "other-files"),
        ({STAGING: kustomization("1.3.0")}, "other-content"),
        ({STAGING: kustomization("1.1.0") + "# more\n"}, "other-content"),
        ({STAGING: None}, "other-content"),
        ({STAGING: Link("../production/kustomization.yaml")}, "other-content"),
        ({STAGING: FILES[STAGING]}, "other-files"),
    ],
    ids=["other", "new", "gone", "another pin", "a comment more", "the file gone", "a link", "nothing"],
)
def test_anything_else_has_its_code(staged: World, files: Files, wrong: str) -> None:
    assert _look(staged, _instead(staged, files))[0] == wrong


def test_another_change_than_was_approved_is_told(staged: World) -> None:
    assert _look(staged, tip(staged.remote), change="0" * 64)[0] == "other-change"


def test_a_commit_after_the_place_has_gone_is_another_change(staged: World) -> None:
    commit_to(staged.remote, {STAGING: None})
    last = commit_to(staged.remote, {"README.md": "x\n"})

    assert _look(staged, last) == ("other-change", ())


def test_a_commit_that_begins_a_history_is_not_on_the_branch(staged: World) -> None:
    first = git(staged.remote, "rev-list", "--max-parents=0", "main")

    assert _look(staged, first)[0] == "not-on-branch"


def test_two_places_with_different_tags_are_another_change(staged: World) -> None:
    other = {"apps/staging/more/kustomization.yaml": kustomization("0.9.0", digest("0.9.0"))}
    commit_to(staged.remote, other)
    last = commit_to(staged.remote, {STAGING: kustomization("1.2.0")})

    assert _look(staged, last)[0] == "other-change"
    assert RULES.count(WEB) == 1
