"""Commits that moved no image, over real Git; and answers that were none."""

from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from bot.errors import PermanentError
from bot.ledger import Appended, NotAllowed, Proposal
from bot.looking.configured import Configured
from bot.looking.quarantine import quarantines
from bot.looking.troubles import troubles_of
from bot.ports import Forge
from bot.promoting.apart import review
from policies.allowed.repair import MAX_QUARANTINES
from policies.decide import decide
from policies.entries.entry import Entry, Kind, parse_time
from policies.images.evidence import Silence, Silent
from policies.images.image import Repository, Tag
from policies.ledger.facts import PULLS_TOLD
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
    refused = found.append(
        lambda look, _tip: review(look, said("dan", look.at), Review("#1", "looks right"), seq)
    )
    assert isinstance(refused, NotAllowed)
    done = found.append(
        lambda look, _tip: review(look, said("ada", look.at), Review("#1", "looks right"), seq)
    )
    assert isinstance(done, Appended)
    row = decide(found.desk.view(found.at).world, found.at).row("production", "web")
    assert row
    assert "config-unreviewed" not in row.codes


BASE = "resources:\n  - deployment.yaml\n"
PULLS_IN = (
    kustomization("1.0.0")
    + "resources:\n  - ../base\nconfigMapGenerator:\n  - name: x\n    files: [../../values/x.ini]\n"
)


def _based(tmp_path: Path, rule: str) -> World:
    text = RULES.replace("path: apps/production,", f"path: apps/production, config: {rule},")
    files = {
        **FILES,
        "promotion/rules.yaml": text,
        "apps/base/kustomization.yaml": BASE,
        "apps/base/deployment.yaml": "kind: Deployment\n",
        "apps/production/kustomization.yaml": PULLS_IN,
        "values/x.ini": "a = 1\n",
        "values/y.ini": "a = 1\n",
    }
    return world(tmp_path, files)


def test_what_an_environment_pulls_in_from_elsewhere_is_in_its_reach(tmp_path: Path) -> None:
    found = _based(tmp_path, "record")
    base = _changed(found, "apps/base/deployment.yaml", "kind: Deployment\nspec: {}\n")
    _changed(found, "values/y.ini", "a = 2\n")
    values = _changed(found, "values/x.ini", "a = 2\n")
    more = _changed(found, "apps/base/kustomization.yaml", BASE + "  - ../../values/more.yaml\n")
    later = _changed(found, "values/more.yaml", "kind: ConfigMap\n")
    again = _changed(found, "values/more.yaml", "kind: ConfigMap\ndata: {}\n")
    configured = Configured(found.desk.mirror, found.desk.book)

    (entry,) = _noted(found, configured)

    assert (entry.environment, entry.commits) == ("production", (base, values, more, later, again))
    assert _noted(found, configured) == []
    assert _noted(found) == [], "an empty disk finds nothing new"
    staging = _changed(found, "apps/staging/kustomization.yaml", PULLS_IN)
    both = _changed(found, "apps/base/deployment.yaml", "kind: Deployment\nspec: {replicas: 2}\n")
    assert [(one.environment, one.commits) for one in _noted(found, configured)] == [
        ("staging", (staging, both)),
        ("production", (both,)),
    ]


class Told:
    """What a forge tells of pull requests; one commit it does not show."""

    def __init__(self, pulls: dict[str, tuple[int, ...]]) -> None:
        self.pulls, self.asked = pulls, 0

    def page(self) -> str:
        return "https://github.com/example/gitops"

    def pulls_of(self, commit: str) -> tuple[int, ...]:
        self.asked += 1
        if commit not in self.pulls:
            raise PermanentError("the forge does not show it")
        return self.pulls[commit]


def test_the_pull_requests_of_commits_stand_beside_them_as_far_as_they_are_known(tmp_path: Path) -> None:
    found = _world(tmp_path, "record")
    commits = [_changed(found, "apps/production/patch.yaml", f"replicas: {one}\n") for one in range(3)]
    told = Told({commits[0]: (418,), commits[1]: ()})
    configured = Configured(found.desk.mirror, found.desk.book, cast("Forge", told))
    found.desk.mirror.fetch()
    configured.ask(configured.entries(found.desk.view(found.at)))
    configured.ask(configured.entries(found.desk.view(found.at)))

    (entry,) = _noted(found, configured)

    assert entry.commits == tuple(commits)
    assert entry.evidence == {"pulls": {commits[0]: [418]}, "page": "https://github.com/example/gitops"}
    assert told.asked == 4, "what is known is not asked again"


def test_a_guarded_base_stops_the_environment_until_an_approver_has_looked(tmp_path: Path) -> None:
    found = _based(tmp_path, "guard")
    found.stage("1.1.0")
    _changed(found, "apps/base/deployment.yaml", "kind: Deployment\nspec: {}\n")

    (entry,) = _noted(found)

    assert (entry.environment, entry.why) == ("production", "guarded")
    (seq,) = found.state.open
    row = decide(found.desk.view(found.at).world, found.at).row("production", "web")
    assert row
    assert "config-unreviewed" in row.codes
    refused = found.append(
        lambda look, _tip: review(look, said("dan", look.at), Review("#1", "looks right"), seq)
    )
    assert isinstance(refused, NotAllowed)
    found.done(lambda look, _tip: review(look, said("ada", look.at), Review("#1", "looks right"), seq))
    row = decide(found.desk.view(found.at).world, found.at).row("production", "web")
    assert row
    assert "config-unreviewed" not in row.codes


def test_another_service_of_a_folder_for_each_is_in_reach_and_another_environment_is_not(
    tmp_path: Path,
) -> None:
    text = RULES.replace("path: apps/production,", "path: apps/<service>/production,")
    files = {
        **FILES,
        "promotion/rules.yaml": text,
        "apps/web/production/kustomization.yaml": kustomization("1.0.0"),
    }
    found = world(tmp_path, files)
    commit = _changed(found, "apps/other/production/patch.yaml")
    _changed(found, "apps/other/test/patch.yaml")

    assert [(one.environment, one.commits) for one in _noted(found)] == [("production", (commit,))]


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


def test_the_notice_names_the_pull_requests_with_a_way_to_each(tmp_path: Path) -> None:
    found = _based(tmp_path, "guard")
    found.at = parse_time(PULLS_TOLD)
    commit = _changed(found, "apps/base/deployment.yaml", "kind: Deployment\nspec: {}\n")
    told = Told({commit: (418, 419)})
    configured = Configured(found.desk.mirror, found.desk.book, cast("Forge", told))
    found.desk.mirror.fetch()
    configured.ask(configured.entries(found.desk.view(found.at)))
    _noted(found, configured)

    look = found.desk.view(found.at)
    (trouble,) = [
        one for one in troubles_of(look, decide(look.world, found.at)) if one.code == "config-unreviewed"
    ]
    page = "https://github.com/example/gitops/pull"
    assert trouble.facts["pulls"] == f"#418 {page}/418, #419 {page}/419"
