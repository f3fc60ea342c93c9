"""``history`` and ``simulate`` on a real repository: what they print, and how they end."""

from pathlib import Path

from handlers.shell.history import moves, to_json
from policies.entries.entry import Kind
from policies.ledger.state import Stage
from tests.handlers.test_cli import IMAGE, Cli, app, nothing_set
from tests.policies.ledger_builders import at_stage
from tests.repositories import git

__all__ = ["app", "nothing_set"]  # fixtures


def moved(cli: Cli) -> None:
    """Let staging move twice."""
    cli.run("pass")
    for version in ("1.1.0", "1.2.0"):
        cli.registry.push(IMAGE, version, version)
        assert cli.run("pass")[0] == 0


def changed(cli: Cli, tmp_path: Path, old: str, new: str) -> str:
    """Write changed rules into a folder."""
    folder = tmp_path / "changed"
    folder.mkdir()
    text = git(cli.repository, "show", "HEAD:promotion/rules.yaml")
    assert old in text
    (folder / "rules.yaml").write_text(text.replace(old, new), "utf-8")
    return str(folder)


def test_history_lists_every_move_oldest_first(app: Cli) -> None:
    moved(app)

    read = app.read("history", "checkout-api")

    assert read["schema"] == "countersign.history/1"
    found = [(one["environment"], one["kind"], one["previous"][0], one["image"][0]) for one in read["moves"]]
    assert [
        (where, kind, old.rpartition("/")[2], new.rpartition("/")[2][:18]) for where, kind, old, new in found
    ] == [
        ("staging", "bump", "checkout-api:1.0.0", "checkout-api:1.1.0"),
        ("staging", "bump", found[1][2].rpartition("/")[2], "checkout-api:1.2.0"),
    ]
    assert [one["asked"] for one in read["moves"]] == [None, None]
    assert "the rule" in app.run("history", "checkout-api", "staging")[1]


def test_history_tells_the_move_from_the_request_that_it_came_of() -> None:
    (found,) = moves(at_stage(Stage.LANDED).state, "web", "production")

    assert found.kind is Kind.PROPOSE
    assert 0 < found.asked < found.seq
    assert to_json("web", [found])["moves"][0]["asked"] == found.asked


def test_history_of_what_never_moved_names_what_has(app: Cli) -> None:
    moved(app)

    code, out, err = app.run("history", "checkuot-api")
    assert (code, out) == (2, "")
    assert "checkout-api" in err

    code, _, err = app.run("history", "checkout-api", "production")
    assert code == 2
    assert "it has in staging" in err


def test_the_rules_in_force_differ_in_nothing(app: Cli, tmp_path: Path) -> None:
    moved(app)

    code, out, err = app.run(
        "simulate", "--rules", changed(app, tmp_path, "approvals: none", "approvals: none")
    )

    assert (code, err) == (0, "")
    assert "2 as they were, 0 differences" in out


def test_rules_that_ask_somebody_stop_what_moved_by_itself(app: Cli, tmp_path: Path) -> None:
    moved(app)
    before = git(app.repository, "for-each-ref")

    folder = changed(app, tmp_path, "approvals: none", "approvals: 1")
    read = app.read("simulate", "--rules", folder, "--days", "1")

    assert read["schema"] == "countersign.simulate/1"
    assert [(one["outcome"], one["version"], one["codes"]) for one in read["differences"]] == [
        ("stopped", "1.1.0", ["approvals-missing"]),
        ("stopped", "1.2.0", ["approvals-missing"]),
    ]
    assert "staging: checkout-api 1.1.0 would have been stopped" in app.run("simulate", "--rules", folder)[1]
    assert git(app.repository, "for-each-ref") == before


def test_changed_rules_that_do_not_parse_are_told_by_file_and_line(app: Cli, tmp_path: Path) -> None:
    moved(app)

    code, out, _ = app.run("simulate", "--rules", changed(app, tmp_path, "approvals: none", "aprovals: none"))

    assert code == 1
    assert "promotion/rules.yaml:2:" in out
    assert "did you mean" in out


def test_a_folder_that_is_not_there_and_an_empty_ledger_are_told(app: Cli, tmp_path: Path) -> None:
    code, out, err = app.run("simulate", "--rules", str(tmp_path / "nowhere"))
    assert (code, out) == (2, "")
    assert "there is no folder" in err

    code, _, err = app.run("simulate", "--rules", changed(app, tmp_path, "approvals: 1", "approvals: 2"))
    assert code == 3
    assert "make a pass first" in err


def test_an_empty_folder_is_no_rules(app: Cli, tmp_path: Path) -> None:
    moved(app)
    folder = tmp_path / "empty"
    folder.mkdir()

    code, out, _ = app.run("simulate", "--rules", str(folder))

    assert code == 0
    assert out.count("no-rule") == 2
