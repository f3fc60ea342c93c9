"""The answer on everybody's pull requests in the sandbox's world: what moves nothing guarded may pass, nothing else."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot import assembly
from bot.engine import Engine
from bot.forge.app import PERMISSIONS, AppLogin
from bot.forge.pull_requests import GitHubForge
from bot.forge.wire import Manner, TokenLogin
from bot.index import Index
from bot.promoting import checks
from bot.promoting.checks import GUARDED, MOVES_NOTHING, TOO_MANY, UNREADABLE, answer_pull_requests, missing
from bot.settings import Settings, load
from policies.codes import Code
from policies.images.evidence import Silent
from policies.verdict import Failed, Waiting
from sandbox.forge.twin import AppAccount
from sandbox.world import World, opened
from tests.bot.forge_worlds import APP_ID, INSTALLATION, app_key, pem, public

OVERLAY = "apps/production/kustomization.yaml"
WEB = "apps/production/deployment.yaml"
START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@dataclass
class Office:
    """The engine as an App in the sandbox's world, and a person who opens pull requests."""

    world: World
    engine: Engine
    person: GitHubForge
    settings: Settings
    index: Index = field(default_factory=lambda: Index.open(None))

    def text(self, path: str) -> str:
        return self.world.git.text("show", f"main:{path}") + "\n"

    def opened(
        self,
        files: Mapping[str, str | None],
        branch: str = "mine",
        start: str | None = None,
        title: str = "Mine",
    ) -> str:
        """Push a branch with these files and open a pull request; return its head."""
        head = self.world.forge.push_to_branch(branch, files, "Change", login="ada-l", start=start)
        self.person.open_pull_request(branch=branch, title=title, body="")
        return head

    def answer(self) -> list[str]:
        """Answer what has no answer yet."""
        self.engine.desk.mirror.fetch()
        return answer_pull_requests(
            self.engine.forge, self.engine.desk, self.index, START + timedelta(minutes=1)
        )

    def verdict(self, head: str) -> tuple[str | None, str | None]:
        """Return how the newest check on a head ended, and its title."""
        runs = [run for run in self.world.forge.check_runs(head) if run.name == "countersign"]
        return (runs[-1].conclusion, runs[-1].title) if runs else (None, None)

    def summary(self, head: str) -> str:
        return self.world.forge.check_runs(head)[-1].summary or ""


def as_app(world: World, tmp_path: Path) -> dict[str, str]:
    """Install the App and return settings that have no token."""
    account = AppAccount(APP_ID, public(app_key()), INSTALLATION, "countersign[bot]", dict(PERMISSIONS))
    world.forge.install_app(account)
    given = {name: value for name, value in world.settings.items() if name != "GITHUB_TOKEN"}
    return given | {
        "GITHUB_APP_ID": str(APP_ID),
        "GITHUB_APP_PRIVATE_KEY": pem(app_key()),
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "HOME": str(tmp_path),
    }


@contextmanager
def at_work(tmp_path: Path) -> Iterator[Office]:
    """Open the sandbox's world, with an engine that has made its first pass."""
    with opened(tmp_path / "world") as world:
        settings = load(as_app(world, tmp_path))
        with assembly.working(
            settings, chat=None, say=lambda _line: None, printer=lambda _line: None
        ) as engine:
            engine.run_pass()
            person = GitHubForge(
                "example/gitops",
                "main",
                TokenLogin(SecretStr(world.settings["GITHUB_TOKEN"])),
                base_url=settings.github_url,
                manner=Manner(5, 0, 0),
            )
            yield Office(world, engine, person, settings)
            person.close_connections()


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with at_work(tmp_path) as office:
        yield office


def test_the_app_of_the_settings_is_who_speaks(office: Office) -> None:
    forge = office.engine.forge

    assert isinstance(forge, GitHubForge)
    assert isinstance(forge._wire.login, AppLogin)
    assert "PRIVATE" not in repr(office.settings)


def test_a_pull_request_that_touches_nothing_guarded_may_pass_at_once(office: Office) -> None:
    head = office.opened(
        {"README.md": "# Here\n", "apps/staging/deployment.yaml": office.text("apps/staging/deployment.yaml")}
    )
    office.world.forge.forget()

    assert office.answer() == []

    assert office.verdict(head) == ("success", MOVES_NOTHING)
    assert not [one for one in office.world.forge.seen() if "/contents/" in one.target], "no file was read"


def test_a_pass_of_the_engine_answers(office: Office) -> None:
    head = office.opened({"README.md": "# Here\n"})

    report = office.engine.run_pass()

    assert office.verdict(head) == ("success", MOVES_NOTHING)
    assert not [line for line in report.left if "pull request" in line]


MOVES: dict[str, tuple[str, str, str]] = {
    "a Kustomize tag": (OVERLAY, "newTag: 1.4.1", "newTag: 1.4.2"),
    "a Kustomize tag taken out": (OVERLAY, "    newTag: 1.4.1 # what runs in production\n", ""),
    "a workload": (WEB, "web:2.3.0", "web:2.4.0"),
    "a digest": (WEB, "web:2.3.0", "web:2.3.0@sha256:" + "a" * 64),
    "another registry": (WEB, "image: ", "image: evil.example/"),
    "YAML that breaks": (WEB, "spec:\n", "spec: [\n"),
}


@pytest.mark.parametrize(("path", "old", "new"), MOVES.values(), ids=MOVES)
def test_one_that_moves_a_guarded_environment_waits_for_its_approval(
    office: Office, path: str, old: str, new: str
) -> None:
    text = office.text(path)
    assert old in text
    head = office.opened({path: text.replace(old, new, 1)})

    office.answer()

    assert office.verdict(head) == (None, GUARDED)
    assert "- production/" in office.summary(head)
    assert "Slack" in office.summary(head)


STAYS: dict[str, tuple[str, str, str]] = {
    "replicas": (WEB, "replicas: 2", "replicas: 5"),
    "a comment": (OVERLAY, "# what runs in production", "# what runs here"),
    "lines above": (WEB, "apiVersion:", "# A line\n# and another\napiVersion:"),
}


@pytest.mark.parametrize(("path", "old", "new"), STAYS.values(), ids=STAYS)
def test_what_changes_a_guarded_file_but_no_image_may_pass(
    office: Office, path: str, old: str, new: str
) -> None:
    text = office.text(path)
    assert old in text
    head = office.opened({path: text.replace(old, new, 1)})

    office.answer()

    assert office.verdict(head) == ("success", MOVES_NOTHING)


def test_a_file_with_an_image_that_comes_or_goes_waits(office: Office) -> None:
    gone = office.opened({WEB: None}, "gone")
    come = office.opened({"apps/production/more/web.yaml": office.text(WEB)}, "come")
    empty = office.opened({"apps/production/more/notes.yaml": "a: b\n", "apps/production/x.md": "x"}, "empty")

    office.answer()

    assert office.verdict(gone) == office.verdict(come) == (None, GUARDED)
    assert office.verdict(empty) == ("success", MOVES_NOTHING)
    assert "web: a file that names its image" in office.summary(gone)


def test_a_file_that_was_moved_away_counts_with_both_its_names(office: Office) -> None:
    head = office.opened({WEB: None, "elsewhere/web.yaml": office.text(WEB)})

    office.answer()

    assert office.verdict(head) == (None, GUARDED)


def test_what_landed_on_main_meanwhile_is_not_held_against_a_branch(office: Office) -> None:
    text = office.text(WEB)
    begin = office.world.git.text("rev-parse", "main").strip()
    office.world.forge.push_to_branch("main", {WEB: text.replace("2.3.0", "2.4.0")}, "By hand", login="ada-l")
    head = office.opened({WEB: text.replace("replicas: 2", "replicas: 3")}, start=begin)

    office.answer()

    assert office.verdict(head) == ("success", MOVES_NOTHING)


def test_one_to_another_branch_is_judged_as_if_it_went_to_ours(office: Office) -> None:
    text = office.text(WEB).replace("2.3.0", "2.4.0")
    office.world.forge.push_to_branch("release", {WEB: text}, "Release", login="ada-l", start="main")
    head = office.world.forge.push_to_branch("mine", {"a.md": "a"}, "On top", login="ada-l", start="release")
    elsewhere = GitHubForge(
        "example/gitops",
        "release",
        TokenLogin(SecretStr(office.world.settings["GITHUB_TOKEN"])),
        base_url=office.settings.github_url,
        manner=Manner(5, 0, 0),
    )
    elsewhere.open_pull_request(branch="mine", title="Mine", body="")
    elsewhere.close_connections()

    office.answer()

    assert office.verdict(head) == (None, GUARDED)


def test_an_answer_is_given_once_and_again_for_another_head(office: Office) -> None:
    first = office.opened({"README.md": "# One\n"})
    office.answer()
    office.world.forge.forget()

    office.answer()
    asked = [one.method for one in office.world.forge.seen()]
    text = office.text(WEB).replace("2.3.0", "2.4.0")
    second = office.world.forge.push_to_branch("mine", {WEB: text}, "More", login="ada-l")
    office.answer()

    assert asked == ["GET"], "one look at the list"
    assert office.verdict(first) == ("success", MOVES_NOTHING)
    assert office.verdict(second) == (None, GUARDED)


def test_other_rules_are_another_question(office: Office) -> None:
    head = office.opened(
        {"apps/staging/deployment.yaml": office.text("apps/staging/deployment.yaml").replace("2.", "1.", 1)}
    )
    office.answer()
    before = office.verdict(head)
    (rules,) = [
        path
        for path in office.world.git.lines("ls-tree", "-r", "--name-only", "main")
        if path.startswith("promotion/") and "environments:" in office.text(path)
    ]
    guarded = office.text(rules).replace("approvals: none", "approvals: 1 of release-managers")
    office.world.forge.push_to_branch("main", {rules: guarded}, "Guard staging", login="ada-l")

    office.answer()

    assert before == ("success", MOVES_NOTHING)
    assert office.verdict(head) == (None, GUARDED)


def test_what_cannot_be_looked_at_whole_is_not_let_through(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = office.opened({WEB: office.text(WEB) + "#" * (1 << 20) + "\n"}, "large")
    many = office.opened({f"apps/production/f{number}.yaml": "a: b\n" for number in range(4)}, "many")
    monkeypatch.setattr(checks, "MAX_FILES", 3)

    office.answer()

    assert office.verdict(large) == (None, UNREADABLE)
    assert "too large" in office.summary(large)
    assert office.verdict(many) == (None, TOO_MANY)


def test_more_files_than_a_comparison_lists_are_listed_page_by_page(office: Office) -> None:
    files: dict[str, str | None] = {f"docs/f{number}.md": "a\n" for number in range(320)}
    harmless = office.opened(files, "docs")
    text = office.text(WEB).replace("2.3.0", "2.4.0")
    hidden = office.opened(files | {"a.md": "a", WEB: text}, "hidden")

    office.answer()

    assert office.verdict(harmless) == ("success", MOVES_NOTHING)
    assert office.verdict(hidden) == (None, GUARDED)


def test_a_flood_is_answered_over_several_passes(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    heads = [office.opened({f"{number}.md": "a"}, f"b{number}") for number in range(5)]
    monkeypatch.setattr(checks, "MAX_ANSWERS", 2)

    counts = []
    for _ in range(4):
        office.answer()
        counts.append(sum(office.verdict(head)[0] == "success" for head in heads))

    assert counts == [2, 4, 5, 5]


def test_a_forge_that_stumbles_is_told_and_asked_again(office: Office) -> None:
    head = office.opened({"README.md": "# Here\n"})
    office.world.forge.fail(503, times=99)
    (silent,) = office.answer()
    office.world.forge.heal()
    office.world.forge.fail(422, times=9, method="POST", address="/check-runs")
    (refused,) = office.answer()
    office.world.forge.heal()

    assert office.answer() == []
    assert silent.startswith("pull requests were not looked at: ")
    assert refused.startswith("pull request 1 was not answered: ")
    assert office.verdict(head) == ("success", MOVES_NOTHING)


def test_without_a_forge_nobody_is_answered(office: Office) -> None:
    assert answer_pull_requests(None, office.engine.desk, office.index, START) == []


def test_what_is_missing_is_said_in_lines_that_bring_no_markup() -> None:
    at = datetime(2026, 11, 23, 15, 30, tzinfo=UTC)

    said = missing(
        [
            Waiting(Code.FROZEN, "![x](//evil.example)`\n# x", at),
            Failed(Code.BLOCKED),
            Waiting(Silent.SLOW),
        ]
    )

    assert said == (
        "- **frozen**: the environment stands still, `![x](//evil.example)' # x`, until 2026-11-23 15:30 UTC\n"
        "- **blocked**: somebody blocked the version, or it was rolled back here or in an environment before\n"
        f"- **{Silent.SLOW}**"
    )
    assert missing(()) == ""
