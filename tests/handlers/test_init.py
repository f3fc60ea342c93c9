"""``init`` as it is typed: a diff that git applies, files that are written once, notes, JSON, wrong use."""

import io
import subprocess
from pathlib import Path
from typing import Any

import orjson
import pytest
import typer

from bot.linting import lint_folder
from handlers.shell import init
from handlers.shell.terminal import Run
from policies.rulebook.findings import Weight
from policies.rulebook.schema import schema
from tests.repositories import make_bare

API = "ghcr.io/example/api"
FILES = {
    "apps/staging/kustomization.yaml": f"kind: Kustomization\nimages:\n  - name: {API}\n    newTag: 1.4.2\n",
    "apps/production/kustomization.yaml": f"kind: Kustomization\nimages:\n  - name: {API}\n    newTag: 1.4.1\n",
}
RULES = ["promotion/environments.yaml", "promotion/people.yaml", "promotion/services.yaml"]


class Typist:
    """Types ``countersign init ...`` in this process."""

    def __init__(self, capture: pytest.CaptureFixture[str]) -> None:
        self._capture = capture
        self.code, self.out, self.err = 0, "", ""

    def __call__(self, *arguments: object) -> "Typist":
        app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
        app.callback()(lambda: None)
        init.register(app)
        words = ["init", *map(str, arguments)]
        with Run() as run:
            run.code = app(args=words, standalone_mode=False, prog_name="countersign") or 0
        said = self._capture.readouterr()
        self.code, self.out, self.err = run.code, said.out, said.err
        return self

    @property
    def json(self) -> Any:
        return orjson.loads(self.out)


@pytest.fixture
def countersign(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Typist:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("COUNTERSIGN_REPOSITORY", "COUNTERSIGN_RULES", "COUNTERSIGN_DATABASE", "COUNTERSIGN_BRANCH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    return Typist(capsys)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for path, text in FILES.items():
        file = tmp_path / "gitops" / path
        file.parent.mkdir(parents=True)
        file.write_text(text)
    return tmp_path / "gitops"


def test_the_proposal_is_a_diff_and_nothing_is_written(countersign: Typist, folder: Path) -> None:
    said = countersign(folder)

    assert said.code == 0
    assert "+  api: {image: ghcr.io/example/api, versions: '>=1.0.0 <2.0.0'}" in said.out
    assert "2 environments, 1 services" in said.err
    assert "nothing was written" in said.err
    assert not (folder / "promotion").exists()


def test_git_applies_the_diff(countersign: Typist, folder: Path) -> None:
    said = countersign(folder)

    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    subprocess.run(["git", "apply", "-"], cwd=folder, input=said.out.encode(), check=True)

    assert sorted(path.relative_to(folder).as_posix() for path in (folder / "promotion").iterdir()) == RULES


def test_what_is_written_passes_lint_but_for_the_placeholder(countersign: Typist, folder: Path) -> None:
    said = countersign(folder, "--write")

    findings = lint_folder(folder, "promotion")
    assert said.code == 0
    assert said.err.count("written: ") == 4
    assert (folder / "promotion" / "schema.json").read_text() == schema()
    first = (folder / "promotion" / "people.yaml").read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=schema.json"
    assert [(one.weight, "replace-me" in one.what) for one in findings] == [(Weight.WARNING, True)]


def test_this_folder_is_taken_where_none_is_named(
    countersign: Typist, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)

    assert countersign("--write").code == 0
    assert (folder / "promotion" / "services.yaml").is_file()


def test_rules_that_are_there_are_never_touched(countersign: Typist, folder: Path) -> None:
    there = folder / "promotion" / "mine.yaml"
    there.parent.mkdir()
    there.write_text("services: {}\n")

    said = countersign(folder, "--write")

    assert said.code == 1
    assert "promotion/ holds rules already (promotion/mine.yaml); nothing was written" in said.err
    assert "+environments:" in said.out
    assert [path.name for path in there.parent.iterdir()] == ["mine.yaml"]
    assert countersign(folder).code == 0


def test_a_second_writing_is_refused(countersign: Typist, folder: Path) -> None:
    countersign(folder, "--write")
    before = {path: path.read_bytes() for path in (folder / "promotion").iterdir()}

    said = countersign(folder, "--write")

    assert said.code == 1
    assert {path: path.read_bytes() for path in (folder / "promotion").iterdir()} == before


def test_a_link_in_the_way_is_no_door(countersign: Typist, folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.yaml"
    outside.write_text("mine\n")
    (folder / "promotion").mkdir()
    (folder / "promotion" / "environments.yaml").symlink_to(outside)

    said = countersign(folder, "--write")

    assert said.code == 3
    assert "is there already and is left as it is" in said.err
    assert outside.read_text() == "mine\n"


def test_json_holds_all_of_it(countersign: Typist, folder: Path) -> None:
    shape = countersign(folder, "--json").json

    assert shape["schema"] == "countersign.init/1"
    assert sorted(shape["files"]) == RULES
    assert shape["written"] == []
    assert shape["environments"][1] == {"name": "production", "path": ["apps/production"], "guarded": True}
    assert shape["services"] == [
        {
            "name": "api",
            "image": API,
            "versions": "'>=1.0.0 <2.0.0'",
            "environments": ["staging", "production"],
            "places": ["apps/staging/kustomization.yaml:4", "apps/production/kustomization.yaml:4"],
        }
    ]


def test_the_schema_is_printed_for_rules_that_are_there_already(countersign: Typist) -> None:
    assert countersign("--schema").out == schema()


def test_json_says_what_was_written(countersign: Typist, folder: Path) -> None:
    assert countersign(folder, "--write", "--json").json["written"] == sorted(
        [*RULES, "promotion/schema.json"]
    )


def test_a_repository_of_the_settings_is_read_at_its_newest_commit(
    countersign: Typist, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COUNTERSIGN_REPOSITORY", str(make_bare(tmp_path / "gitops.git", [FILES])))

    said = countersign()

    assert said.code == 0
    assert "+  api: {image: ghcr.io/example/api" in said.out


def test_a_repository_of_the_settings_cannot_be_written_to(
    countersign: Typist, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COUNTERSIGN_REPOSITORY", str(make_bare(tmp_path / "gitops.git", [FILES])))

    said = countersign("--write")

    assert said.code == 2
    assert "--write needs a FOLDER" in said.err


def test_a_folder_that_is_not_there_is_named(countersign: Typist, tmp_path: Path) -> None:
    said = countersign(tmp_path / "nowhere")

    assert said.code == 2
    assert "nowhere; expected the root of a GitOps repository" in said.err


def test_an_active_automation_is_shown_with_its_patch(countersign: Typist, folder: Path) -> None:
    (folder / "automation.yaml").write_text(
        "apiVersion: image.toolkit.fluxcd.io/v1\nkind: ImageUpdateAutomation\n"
        "metadata: {name: all, namespace: flux-system}\nspec:\n  interval: 5m\n  update: {path: ./apps}\n"
    )

    said = countersign(folder)

    assert "active-automation: ImageUpdateAutomation flux-system/all writes in apps" in said.err
    assert "+  suspend: true" in said.err


def test_the_door_offers_it() -> None:
    from handlers.shell.cli import app  # noqa: PLC0415  the whole door, for this test alone

    assert {"init"} <= {command.name for command in app.registered_commands}
