"""What an auditor finds of merges by people, and of pushes that nobody merges: signed with the ledger's own key."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.ledger import Appended
from bot.promoting.promoter import stand
from policies.canonical import Json
from policies.entries.entry import Entry, Kind, write_time
from policies.entries.stood import DECIDES
from policies.ledger.by_hand import BY_HAND, MergedBy, clearance
from policies.words import Approve, Freeze
from tests.bot.ledger_worlds import FILES, RULES, World, said, world
from tests.repositories import git

LINES = "approvals: 2 of release-managers"
PEOPLE, BY_COMMIT = f"{LINES}, merges: by-hand", f"{LINES}, via: commit"


def _approved(tmp_path: Path, rule: str) -> World:
    found = world(tmp_path, {**FILES, "promotion/rules.yaml": RULES.replace(LINES, rule)})
    found.at = max(found.at, DECIDES)
    found.stage("1.1.0")
    asked = found.ask("1.1.0")
    for name in ("ada", "bob"):
        assert isinstance(found.say(name, Approve(asked.id)), Appended)
    return found


def _cleared(tmp_path: Path) -> World:
    found = _approved(tmp_path, PEOPLE)
    found.intend(more=clearance())
    assert found.promotion.is_cleared
    return found


def _merged(found: World, commit: str, at: datetime | None = None) -> Entry:
    who: Json = MergedBy(77, "bob", at or found.at, write_time(found.at)).as_json()
    return found.about(Kind.MERGED, head=found.promotion.head, commit=commit, evidence={BY_HAND: who})


def _landed(found: World, commit: str) -> Entry:
    now = found.promotion
    return found.about(Kind.LANDED, commit=commit, image=now.image, previous=now.previous)


def _audit(found: World, tmp_path: Path) -> set[str]:
    return {one.what for one in found.audit(tmp_path / "auditor").findings}


def test_what_people_merged_in_words_of_their_own_is_whole(tmp_path: Path) -> None:
    found = _cleared(tmp_path)
    commit = found.merge(message="Merge pull request #1 from example/branch\n\nBob says so\n")
    found.land(commit, _merged(found, commit).evidence)

    assert _audit(found, tmp_path) == set()


def test_a_commit_that_is_older_than_its_clearance_is_found_in_git_alone(tmp_path: Path) -> None:
    found = _cleared(tmp_path)
    commit = found.merge(message="Merge it\n")
    text = re.sub(
        r"(?m)^(committer .*> )[0-9]+", r"\g<1>1700000000", git(found.remote, "cat-file", "commit", commit)
    )
    older = git(found.remote, "hash-object", "-t", "commit", "-w", "--stdin", stdin=f"{text}\n".encode())
    git(found.remote, "update-ref", "refs/heads/main", older)
    found.land(older, _merged(found, older).evidence)

    assert _audit(found, tmp_path) == {"merged-early"}


def _of_nobody(tmp_path: Path) -> World:
    found = _cleared(tmp_path)
    commit = found.merge(message="Merge it\n")
    found.sneak(found.about(Kind.MERGED, head=found.promotion.head, commit=commit), _landed(found, commit))
    return found


def _early(tmp_path: Path) -> World:
    found = _cleared(tmp_path)
    commit = found.merge(message="Merge it\n")
    before = replace(_merged(found, commit, found.at.replace(hour=1)))
    found.sneak(before, _landed(found, commit))
    return found


def _the_bots_own(tmp_path: Path) -> World:
    found = _approved(tmp_path, PEOPLE)
    found.sneak(found.intent())
    found.sneak(found.about(Kind.MERGED, head=found.promotion.head, commit=found.merge()))
    return found


def _by_a_forge(tmp_path: Path) -> World:
    found = _approved(tmp_path, BY_COMMIT)
    found.intend()
    found.sneak(found.about(Kind.MERGED, head=found.promotion.head, commit=found.merge()))
    return found


def _frozen_anew(tmp_path: Path) -> World:
    found = _cleared(tmp_path)
    for click in ("first", "second"):
        who = replace(said("ada"), trigger=click)
        word = Freeze(("production",), "the big sale")
        found.done(lambda look, _tip, who=who, word=word: stand(look, who, word))  # type: ignore[misc]
    commit = found.merge(message="Merge it\n")
    entry = _merged(found, commit, found.at - timedelta(seconds=30))
    found.sneak(entry, _landed(found, commit))
    return found


@pytest.mark.parametrize(
    "forged", [_of_nobody, _early, _the_bots_own, _by_a_forge, _frozen_anew], ids=lambda one: one.__name__
)
def test_what_the_key_signed_and_nobody_allowed_is_found(
    tmp_path: Path, forged: Callable[[Path], World]
) -> None:
    found = forged(tmp_path)

    assert "entry-invalid" in _audit(found, tmp_path)
