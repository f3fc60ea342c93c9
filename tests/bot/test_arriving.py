"""A merge that the ledger does not tell of yet: noted while its entries may come, found where they never do."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from bot.arriving import ARRIVES
from bot.looking.book import Book
from bot.repository.mirror import Mirror
from bot.verify import CLOSER_SINCE, Report, verify
from policies.entries.entry import Entry, Kind, parse_time
from policies.entries.membership import SKEW
from policies.words import Approve
from tests.bot.ledger_worlds import RULES, World, digest, kustomization, world
from tests.repositories import commit_to, git

PRODUCTION = "apps/production/kustomization.yaml"
SECOND = timedelta(seconds=1)


def merging(folder: Path) -> World:
    """A promotion that is about to be merged, as the ledger ends."""
    found = world(folder)
    found.stage("1.1.0")
    asked = found.ask("1.1.0")
    for name in ("ada", "bob"):
        found.say(name, Approve(asked.id))
    found.intend()
    return found


def merged(found: World, after: timedelta = SECOND, **more: object) -> str:
    """Merge it, so long after the intent."""
    commit = found.merge(**more)  # type: ignore[arg-type]  # a test's choice
    at = int((found.at + after).timestamp())
    return reworded(found, commit, lambda text: re.sub(r"(?m)^(committer .*> )[0-9]+", rf"\g<1>{at}", text))


def reworded(found: World, commit: str, change: Callable[[str], str]) -> str:
    """Put another text in the place of the target branch's newest commit."""
    text = change(git(found.remote, "cat-file", "commit", commit)) + "\n"
    other = git(found.remote, "hash-object", "-t", "commit", "-w", "--stdin", stdin=text.encode())
    git(found.remote, "update-ref", "refs/heads/main", other)
    return other


def was_merged(found: World, commit: str) -> Entry:
    return found.about(Kind.MERGED, head=found.promotion.head, commit=commit)


def landed(found: World, commit: str) -> Entry:
    now = found.promotion
    return found.about(Kind.LANDED, commit=commit, image=now.image, previous=now.previous)


def audit(found: World, folder: Path, after: timedelta | None = None) -> Report:
    """Verify so long after the newest entry; without that from the clone alone."""
    mirror = Mirror.open(str(found.remote), folder / "audit")
    now = None if after is None else found.at + after
    return verify(mirror, Book(mirror, "promotion"), folder="promotion", now=now)


def whats(report: Report) -> list[str]:
    return [one.what for one in report.findings]


@pytest.mark.parametrize("after", [None, SECOND, SECOND + ARRIVES], ids=["alone", "at once", "in an hour"])
def test_what_was_approved_is_noted_while_its_entries_may_come(
    tmp_path: Path, after: timedelta | None
) -> None:
    found = merging(tmp_path)
    commit = merged(found)

    report = audit(found, tmp_path, after)

    assert whats(report) == []
    assert [one for one in report.notes if f"commit {commit[:12]} merges {found.promotion.id}" in one]


def test_after_an_hour_it_is_a_move_that_nobody_wrote_down(tmp_path: Path) -> None:
    found = merging(tmp_path)
    merged(found)

    report = audit(found, tmp_path, ARRIVES + 2 * SECOND)

    assert whats(report) == ["unrecorded-move"]
    assert [(one.environment, one.service) for one in report.unrecorded] == [("production", "web")]


def test_newer_entries_show_that_its_own_never_came(tmp_path: Path) -> None:
    found = merging(tmp_path)
    merged(found)
    found.at += ARRIVES
    found.publish("1.2.0")
    found.run()

    assert whats(audit(found, tmp_path)) == ["unrecorded-move"]


@pytest.mark.parametrize(
    "also",
    [
        {PRODUCTION: kustomization("9.9.9", digest("9.9.9"))},
        {"apps/production/secret.yaml": "kind: Secret\n"},
    ],
    ids=["another version", "another file"],
)
def test_something_else_than_was_approved_is_found_at_once(tmp_path: Path, also: dict[str, str]) -> None:
    found = merging(tmp_path)
    merged(found, also=also)

    assert whats(audit(found, tmp_path)) == ["content-differs"]


def test_a_promotion_is_merged_once(tmp_path: Path) -> None:
    found = merging(tmp_path)
    merged(found)
    head = found.promotion.head
    undone = commit_to(found.remote, {PRODUCTION: git(found.remote, "show", f"main~1:{PRODUCTION}") + "\n"})
    again = commit_to(
        found.remote,
        {PRODUCTION: git(found.remote, "show", f"{head}:{PRODUCTION}") + "\n"},
        parents=[undone, head],
    )

    report = audit(found, tmp_path)

    assert [(one.what, one.oid) for one in report.findings] == [
        ("unrecorded-move", undone),
        ("unrecorded-move", again),
    ]


@pytest.mark.parametrize(
    ("after", "what"), [(SKEW, []), (SKEW + 2 * SECOND, ["unrecorded-move"])], ids=["askew", "made up"]
)
def test_a_merge_from_the_future_is_not_on_its_way(tmp_path: Path, after: timedelta, what: list[str]) -> None:
    found = merging(tmp_path)
    merged(found, after)

    assert whats(audit(found, tmp_path, timedelta())) == what


def test_a_merge_that_was_written_down_is_the_only_one(tmp_path: Path) -> None:
    found = merging(tmp_path)
    commit = merged(found)
    found.sneak(was_merged(found, commit))
    assert whats(audit(found, tmp_path)) == []

    found.rewrite(next(oid for oid, one in reversed(found.entries) if one.kind is Kind.INTENT))
    found.sneak(was_merged(found, found.promotion.head))

    assert "unrecorded-move" in whats(audit(found, tmp_path))


def test_a_landing_without_an_intent_hides_nothing(tmp_path: Path) -> None:
    found = merging(tmp_path)
    commit = merged(found)
    found.rewrite(next(oid for oid, one in reversed(found.entries) if one.kind is Kind.APPROVE))
    found.sneak(was_merged(found, commit), landed(found, commit))

    assert {"entry-invalid", "ledger-cut"} <= set(whats(audit(found, tmp_path)))


@pytest.mark.parametrize(("later", "what"), [(-SECOND, []), (timedelta(), ["trailers-differ"])])
def test_a_landing_without_the_signature_of_its_anchor_is_found(
    tmp_path: Path, later: timedelta, what: list[str]
) -> None:
    found = merging(tmp_path)
    commit = reworded(
        found, merged(found), lambda text: re.sub(r"(?m)^Ledger-Signature: .*\n(?: .*\n)*", "", text)
    )
    start = parse_time(CLOSER_SINCE)
    assert start > found.at
    found.at = start + later
    found.sneak(was_merged(found, commit), landed(found, commit))

    report = audit(found, tmp_path)

    assert [one.what for one in report.findings if one.what == "trailers-differ"] == what


@pytest.mark.parametrize(
    ("later", "what"), [(-SECOND, []), (timedelta(), ["rule-older"])], ids=["old", "new"]
)
def test_rules_dated_after_the_move_were_in_force_all_the_same(
    tmp_path: Path, later: timedelta, what: list[str]
) -> None:
    found = merging(tmp_path)
    stricter = RULES.replace("approvals: 2", "approvals: 3")
    commit_to(found.remote, {"promotion/rules.yaml": stricter})
    start = parse_time(CLOSER_SINCE)
    at = int((start + timedelta(days=1)).timestamp())
    reworded(
        found,
        git(found.remote, "rev-parse", "main"),
        lambda text: re.sub(r"(?m)^(committer .*> )[0-9]+", rf"\g<1>{at}", text),
    )
    commit = found.merge()
    found.at = start + later
    found.sneak(was_merged(found, commit), landed(found, commit))

    report = audit(found, tmp_path)

    assert [one.what for one in report.findings if one.what == "rule-older"] == what
