"""Commits that moved no image, over real Git; and answers that were none."""

from dataclasses import replace
from pathlib import Path

import pytest

from bot.apart import review
from bot.configured import Configured
from bot.ledger import Appended, NotAllowed, Proposal
from bot.quarantine import quarantines
from policies.allowed_repair import MAX_QUARANTINES
from policies.decide import decide
from policies.entry import Entry, Kind
from policies.evidence import Silence, Silent
from policies.image import Repository, Tag
from policies.words import Review
from tests.bot.ledger_worlds import FILES, RULES, WEB, World, kustomization, said, world
from tests.repositories import commit_to


def _world(tmp_path: Path, rule: str) -> World:
    text = RULES.replace("path: apps/production,", f"path: apps/production, config: {rule},")
    return world(tmp_path, {**FILES, "promotion/rules.yaml": text})


def _noted(found: World, configured: Configured | None = None) -> list[Entry]:
    configured = configured or Configured(found.desk.mirror, found.desk.book)
    found.desk.mirror.fetch()
    return [entry for _, entry in found.done(lambda look, _tip: Proposal(tuple(configured.entries(look))))]


def _changed(found: World, path: str, text: str = "replicas: 3\n") -> str:
    return commit_to(found.remote, {path: text})


def test_commits_that_moved_no_image_are_one_entry_for_each_environment(tmp_path: Path) -> None:
    found = _world(tmp_path, "record")
    genesis = found.state.genesis
    assert genesis
    first = _changed(found, "apps/production/patch.yaml")
    _changed(found, "README.md")
    second = _changed(found, "apps/production/deep/er.yaml")
    third = _changed(found, "apps/staging/patch.yaml")
    configured = Configured(found.desk.mirror, found.desk.book)

    entries = _noted(found, configured)

    assert [(one.environment, one.why, one.commits, one.since) for one in entries] == [
        ("staging", "recorded", (third,), genesis.commit),
        ("production", "recorded", (first, second), genesis.commit),
    ]
    assert _noted(found, configured) == []
    assert _noted(found) == [], "an empty disk finds nothing new"
    fourth = _changed(found, "apps/production/patch.yaml", "replicas: 4\n")
    assert [(one.since, one.commits) for one in _noted(found, configured)] == [(second, (fourth,))]
    assert not found.state.open


def test_moves_are_no_configuration(tmp_path: Path) -> None:
    found = _world(tmp_path, "record")
    found.stage("1.1.0")
    found.promote("1.1.0")
    commit_to(found.remote, {"apps/production/kustomization.yaml": kustomization("1.0.0")})

    assert _noted(found) == []


def test_what_is_ignored_is_not_noted_and_cannot_be(tmp_path: Path) -> None:
    found = _world(tmp_path, "ignore")
    commit = _changed(found, "apps/production/patch.yaml")
    assert _noted(found) == []
    genesis = found.state.genesis
    assert genesis
    entry = Entry(
        kind=Kind.CONFIG,
        at=found.entries[-1][1].at,
        key=f"config/production/{genesis.commit}/{commit}",
        environment="production",
        since=genesis.commit,
        commit=commit,
        commits=(commit,),
        why="recorded",
    )

    assert isinstance(found.append(lambda _look, _tip: Proposal((entry,))), NotAllowed)


def test_guarded_files_stop_the_environment_until_an_approver_has_looked(tmp_path: Path) -> None:
    found = _world(tmp_path, "guard")
    found.stage("1.1.0")
    _changed(found, "apps/production/patch.yaml")

    (entry,) = _noted(found)

    assert entry.why == "guarded"
    (seq,) = found.state.open
    row = decide(found.desk.view(found.at).world, found.at).row("production", "web")
    assert row
    assert "config-unreviewed" in row.codes
    refused = found.append(lambda look, _tip: review(look, said("dan"), Review("#1", "looks right"), seq))
    assert isinstance(refused, NotAllowed)
    done = found.append(lambda look, _tip: review(look, said("ada"), Review("#1", "looks right"), seq))
    assert isinstance(done, Appended)
    row = decide(found.desk.view(found.at).world, found.at).row("production", "web")
    assert row
    assert "config-unreviewed" not in row.codes


@pytest.mark.parametrize("count", [1, MAX_QUARANTINES + 5])
def test_answers_that_were_none_are_noted_once_and_a_few_a_day(tmp_path: Path, count: int) -> None:
    found = _world(tmp_path, "record")
    answers = found.desk.answers
    answers.tags[WEB] = Silence(Silent.INVALID, "no JSON: \x1b[31m\u2028")
    answers.tags[Repository("ghcr.io/example/slow")] = Silence(Silent.SLOW, "slow")
    for number in range(count - 1):
        answers.digests[WEB, Tag(f"1.{number}")] = Silence(Silent.INVALID, "no digest")

    written = found.done(lambda look, _tip: Proposal(tuple(quarantines(look, answers))))

    assert len(written) == min(count, MAX_QUARANTINES)
    first = written[0][1]
    assert first.evidence == {"about": WEB, "detail": "no JSON: ?[31m?"}
    assert not found.done(
        lambda look, _tip: Proposal(tuple(one for one in quarantines(look, answers) if one.key == first.key))
    )
    assert len(found.done(lambda look, _tip: Proposal(tuple(quarantines(look, answers))))) == 0
    later = quarantines(
        replace(found.desk.view(found.at), at=found.at.replace(day=found.at.day + 1)), answers
    )
    assert len(later) == count - len(written)
