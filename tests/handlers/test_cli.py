"""The command line against real repositories, a registry, and wrong use: what it prints and how it ends."""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.assembly import alone
from bot.logs import OURS
from bot.settings import NAMES, Settings, load
from handlers.shell import cli
from sandbox.http import serve
from sandbox.registry.twin import RegistryTwin
from tests.repositories import commit_to, git, log, make_bare, private_key, tip

IMAGE = "team/checkout-api"
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: checkout-api}}
spec:
  template:
    spec:
      containers:
        - name: app
          image: {host}/team/checkout-api:{tag}  # the one line that moves
"""
RULES = """\
environments:
  staging:    {{path: apps/staging, channel: deploys, approvals: none}}
  production: {{path: apps/production, channel: deploys, approvals: 1, after: staging}}
services:
  checkout-api: {{image: {host}/team/checkout-api, versions: 1.x}}
people: {{ada: {{slack: U0ADA}}, bob: {{slack: U0BOB}}}}
"""
AUTOMATION = """\
apiVersion: image.toolkit.fluxcd.io/v1
kind: ImageUpdateAutomation
metadata: {name: all, namespace: flux-system}
spec:
  update: {path: ./apps, strategy: Setters}  # both environments
"""
CLOSED = "localhost:9"  # the discard port: nothing listens


@dataclass
class Cli:
    """A repository, a registry in this process, and the command line in this process."""

    repository: Path
    registry: RegistryTwin
    capsys: pytest.CaptureFixture[str]

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Run a command; return its exit code and what it printed on stdout and stderr."""
        self.capsys.readouterr()
        code = cli.main(arguments, cli.Doors(_no_server, lambda _: None))
        said = self.capsys.readouterr()
        return code, said.out, said.err

    def read(self, *arguments: str) -> dict[str, Any]:
        """Run a command that must be fine and prints JSON."""
        code, out, err = self.run(*arguments, "--json")
        assert code == 0, err
        read = json.loads(out)
        assert isinstance(read, dict)
        return read

    def rules(self, text: str) -> str:
        """Commit other rules."""
        return commit_to(self.repository, {"promotion/rules.yaml": text}, message="Other rules\n")


def _needs_all(settings: Settings, *, is_observing: bool) -> None:
    assert not is_observing
    settings.need_all()


def _no_server(_: Settings, *, is_observing: bool) -> None:
    raise AssertionError("nobody asked for a server")


def files(host: str) -> dict[str, str]:
    """Return a GitOps repository's files."""
    return {
        "apps/staging/deployment.yaml": DEPLOYMENT.format(host=host, tag="1.0.0"),
        "apps/production/deployment.yaml": DEPLOYMENT.format(host=host, tag="1.0.0"),
        "promotion/rules.yaml": RULES.format(host=host),
    }


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Take this machine's settings away, and put its logs back."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    loggers = [logging.getLogger(name) for name in ("", *OURS)]
    before = [(logger, logger.level, list(logger.handlers)) for logger in loggers]
    yield
    for logger, level, handlers in before:
        logger.setLevel(level)
        logger.handlers[:] = handlers


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Cli]:
    registry = RegistryTwin()
    registry.push(IMAGE, "1.0.0", "old")
    with serve(registry.app, name="localhost") as url:
        repository = make_bare(tmp_path / "gitops.git", [files(url.removeprefix("http://"))])
        monkeypatch.setenv("COUNTERSIGN_REPOSITORY", str(repository))
        monkeypatch.setenv("COUNTERSIGN_SIGNING_KEY", private_key())
        yield Cli(repository, registry, capsys)


@pytest.fixture
def silent(app: Cli) -> Cli:
    """The same, and the registry that the files name is down."""
    commit_to(app.repository, files(CLOSED), message="Another registry\n")
    return app


# --- plan and why -----------------------------------------------------------------------------------------------


def test_a_plan_has_a_row_for_each_service_and_environment_in_its_agreed_shape(app: Cli) -> None:
    app.run("pass")
    digest = app.registry.push(IMAGE, "1.1.0", "new")

    plan = app.read("plan")

    assert set(plan) == {"schema", "at", "commit", "rows"}
    assert (plan["schema"], plan["commit"]) == ("countersign.plan/1", tip(app.repository))
    assert plan["at"].endswith("Z")
    staging, production = plan["rows"]
    assert staging == {
        "service": "checkout-api",
        "environment": "staging",
        "current": "1.0.0",
        "verdict": "ready",
        "codes": ["ready"],
        "candidates": [
            {"version": "1.1.0", "digest": digest, "verdict": "ready", "codes": [], "until": None}
        ],
    }
    assert production["verdict"] == "waiting"
    assert "not-in-previous" in production["codes"]


def test_a_plan_of_one_environment_has_its_rows_alone(app: Cli) -> None:
    assert [row["environment"] for row in app.read("plan", "--environment", "staging")["rows"]] == ["staging"]


def test_a_plan_changes_nothing(app: Cli) -> None:
    before = git(app.repository, "for-each-ref")

    app.run("plan")

    assert git(app.repository, "for-each-ref") == before


def test_a_silent_registry_is_a_row_with_a_code(silent: Cli) -> None:
    code, out, _ = silent.run("plan")
    rows = silent.read("plan")["rows"]

    assert code == 0
    assert "registry-unreachable" in out
    assert [(row["verdict"], row["codes"], row["candidates"]) for row in rows] == [
        ("waiting", ["registry-unreachable"], [])
    ] * 2


def test_why_names_every_version_since_the_current_one_newest_first(app: Cli) -> None:
    app.run("pass")
    for version in ("1.1.0", "1.1.1", "1.2.0-rc.1", "2.0.0", "0.9.0", "latest"):
        app.registry.push(IMAGE, version, version)

    why = app.read("why", "checkout-api", "staging")

    assert why["schema"] == "countersign.why/1"
    assert [(one["version"], one["verdict"], one["codes"]) for one in why["versions"]] == [
        ("2.0.0", "refused", ["out-of-range"]),
        ("1.2.0-rc.1", "refused", ["prerelease"]),
        ("1.1.1", "ready", []),
        ("1.1.0", "refused", ["newer-available", "digest-unknown"]),
    ]
    planned = app.read("plan", "--environment", "staging")["rows"][0]["candidates"]
    assert {one["version"] for one in planned} <= {one["version"] for one in why["versions"]}


def test_why_says_of_each_version_that_waits_what_happens_next(app: Cli) -> None:
    app.run("pass")
    for version in ("1.1.0", "1.2.0"):
        app.registry.push(IMAGE, version, version)

    _, out, _ = app.run("why", "checkout-api", "production")
    versions = app.read("why", "checkout-api", "production")["versions"]

    assert [one["version"] for one in versions] == ["1.2.0", "1.1.0"]
    assert out.count("  next: ") == len(versions)
    assert all(f"  next: {one['next']}" in out for one in versions)
    assert ", then somebody asks for it, then 1 approval" in versions[0]["next"]


def test_why_says_code_meaning_and_detail_of_one_version(app: Cli) -> None:
    app.run("pass")
    app.registry.push(IMAGE, "1.1.0", "new")

    code, out, _ = app.run("why", "checkout-api", "production", "1.1.0")

    assert code == 0
    assert "1.1.0: waiting" in out
    assert "not-requested: nobody has asked for it yet" in out


def test_why_answers_for_what_runs_and_for_what_never_was(app: Cli) -> None:
    app.run("pass")

    current, unknown = (app.read("why", "checkout-api", "staging", one) for one in ("1.0.0", "9.9.9"))

    assert current["versions"][0]["verdict"] == "current"
    assert unknown["versions"][0]["codes"] == ["tag-unknown"]


# --- pass -------------------------------------------------------------------------------------------------------


def test_the_first_pass_moves_nothing_and_a_new_tag_moves_once(app: Cli) -> None:
    before = tip(app.repository)
    first = app.run("pass")
    app.registry.push(IMAGE, "1.1.0", "new")

    second = app.run("pass")
    third = app.run("pass")

    assert (first[0], second[0], third[0]) == (0, 0, 0)
    assert "done: genesis" in first[1]
    assert "done: bump: staging checkout-api" in second[1]
    assert "would post to #deploys" in second[1], "without a chat it prints what would be said"
    assert "done:" not in third[1]
    assert log(app.repository)[:1] == ["staging: checkout-api 1.0.0 -> 1.1.0"]
    assert git(app.repository, "rev-list", "--count", f"{before}..main") == "1"


def test_a_dry_pass_says_what_would_move_and_writes_nothing(app: Cli) -> None:
    app.run("pass")
    app.registry.push(IMAGE, "1.1.0", "new")
    before = git(app.repository, "for-each-ref")

    code, out, _ = app.run("pass", "--dry-run")

    assert (code, out) == (0, "would move: staging: checkout-api 1.0.0 -> 1.1.0\n")
    assert git(app.repository, "for-each-ref") == before


def test_a_dry_first_pass_makes_no_key_and_no_ledger(app: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COUNTERSIGN_SIGNING_KEY")

    code, _, _ = app.run("pass", "--dry-run")

    assert code == 0
    assert not (load().state_folder / "signing_key").exists()
    assert "ledger" not in git(app.repository, "for-each-ref")


def test_a_pass_of_one_environment_leaves_the_others(app: Cli) -> None:
    app.run("pass")
    app.registry.push(IMAGE, "1.1.0", "new")
    before = tip(app.repository)

    app.run("pass", "--environment", "production")

    assert tip(app.repository) == before


def test_a_key_that_was_made_is_said(app: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COUNTERSIGN_SIGNING_KEY")

    _, _, err = app.run("pass")
    _, _, again = app.run("pass")

    assert "a signing key was made" in err
    assert "a signing key was made" not in again


def test_another_key_leaves_everything_and_says_so(app: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    app.run("pass")
    monkeypatch.setenv("COUNTERSIGN_SIGNING_KEY", private_key())

    code, out, _ = app.run("pass")

    assert code == 1
    assert "left: ledger-read-only: the ledger is signed with another key" in out


def test_rules_that_stop_parsing_leave_the_last_good_ones_in_force(app: Cli) -> None:
    app.run("pass")
    app.rules("environments: [\n")
    app.registry.push(IMAGE, "1.1.0", "new")

    code, out, _ = app.run("pass")

    assert code == 0
    assert "rules-broken" in out
    assert log(app.repository)[:1] == ["staging: checkout-api 1.0.0 -> 1.1.0"]


def test_a_pass_waits_for_another_one_and_says_so(app: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.assembly.WAIT_SECONDS", 0.2)

    with alone(load().state_folder, lambda _: None):
        code, _, err = app.run("pass")

    assert code == 3
    assert f"waiting for process {os.getpid()}" in err
    assert app.run("pass")[0] == 0


# --- lint -------------------------------------------------------------------------------------------------------


def test_lint_finds_nothing_in_good_rules(app: Cli) -> None:
    code, out, err = app.run("lint")

    assert (code, out) == (0, "")
    assert "0 errors" in err


def test_lint_names_file_line_and_column_of_broken_rules(app: Cli) -> None:
    app.rules(RULES.format(host=CLOSED).replace("approvals: none", "aprovals: none"))

    code, out, _ = app.run("lint")

    assert code == 1
    assert out.startswith("promotion/rules.yaml:2:")
    assert "; expected " in out.splitlines()[0]


def test_lint_reads_a_folder_and_needs_no_settings(
    app: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COUNTERSIGN_REPOSITORY")
    for name, text in files(CLOSED).items():
        (tmp_path / "work" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "work" / name).write_text(text.replace("checkout-api:1", "other:1"), "utf-8")

    code, out, _ = app.run("lint", str(tmp_path / "work"))

    assert code == 1
    assert "image localhost:9/team/checkout-api of checkout-api is nowhere" in out
    assert "apps/staging/deployment.yaml:9:1: note: image 'localhost:9/team/other' in staging" in out


def test_lint_says_where_tags_contradict_each_other(app: Cli, capsys: pytest.CaptureFixture[str]) -> None:
    host = CLOSED
    torn = {**files(host), "apps/staging/second.yaml": DEPLOYMENT.format(host=host, tag="0.9.0")}
    commit_to(app.repository, torn, message="Two tags\n")

    code, out, _ = app.run("lint")

    assert code == 1
    assert "several places in staging name checkout-api with different tags" in out


def test_lint_as_json_has_its_place_and_weight(app: Cli) -> None:
    app.rules("environments: [\n")

    code, out, _ = app.run("lint", "--json")

    read = json.loads(out)
    assert code == 1
    assert read["schema"] == "countersign.lint/1"
    assert set(read["findings"][0]) == {"file", "line", "column", "weight", "what", "expected", "patch"}


def test_lint_prints_the_patch_that_suspends_a_second_writer(app: Cli, tmp_path: Path) -> None:
    work = tmp_path / "work"
    for name, text in {**files(CLOSED), "flux/automation.yaml": AUTOMATION}.items():
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).write_text(text, "utf-8")

    code, out, _ = app.run("lint", str(work))
    patch = json.loads(app.run("lint", str(work), "--json")[1])["findings"][0]["patch"]
    git(work, "apply", "-", stdin=patch.encode())

    assert code == 1
    assert (
        "so that nothing moves in staging, production; expected suspend: true, as this patch says\n--- a/"
        in out
    )
    assert patch in out
    assert app.run("lint", str(work))[0] == 0


# --- groups -------------------------------------------------------------------------------------------------------

WORKER = "team/worker"


@pytest.fixture
def shop(app: Cli) -> Cli:
    """The same, with a second service; both move as shop."""
    app.registry.push(WORKER, "1.0.0", "old worker")
    host = git(app.repository, "grep", "-h", "image:", "main", "--", "apps/staging").split()[1].split("/")[0]
    worker = DEPLOYMENT.format(host=host, tag="1.0.0").replace("checkout-api", "worker")
    more = f"groups: {{shop: [checkout-api, worker]}}\nservices:\n  worker: {{image: {host}/{WORKER}, versions: 1.x}}"
    rules = RULES.format(host=host).replace("services:\n", f"{more}\n")
    added = {f"apps/{one}/worker.yaml": worker for one in ("staging", "production")}
    commit_to(app.repository, {**added, "promotion/rules.yaml": rules}, message="A group\n")
    app.run("pass")
    app.registry.push(IMAGE, "1.1.0", "new")
    return app


def test_a_plan_has_a_row_for_a_group(shop: Cli) -> None:
    shop.registry.push(WORKER, "1.2.0", "new worker")
    plan = shop.read("plan")
    _, out, _ = shop.run("plan")

    assert {row["service"] for row in plan["rows"]} == {"checkout-api", "worker"}
    staging, production = plan["groups"]
    assert {key: one for key, one in staging.items() if key != "candidates"} == {
        "group": "shop",
        "environment": "staging",
        "current": "checkout-api 1.0.0, worker 1.0.0",
        "verdict": "ready",
        "codes": ["ready"],
        "detail": "",
    }
    (candidate,) = staging["candidates"]
    assert candidate["members"] == ["checkout-api", "worker"]
    assert candidate["version"] == "checkout-api 1.1.0, worker 1.2.0"
    assert (production["verdict"], production["codes"]) == ("waiting", ["group-waits"])
    assert "checkout-api 1.1.0: not-in-previous" in production["detail"]
    assert out.count("shop (group)") == 2
    one = shop.read("plan", "--environment", "staging")
    assert [row["environment"] for row in one["groups"]] == ["staging"]


def test_why_answers_for_a_group(shop: Cli) -> None:
    shop.run("pass")

    why = shop.read("why", "shop", "production")
    code, out, _ = shop.run("why", "shop", "production")

    (version,) = why["versions"]
    assert (version["version"], version["codes"]) == ("checkout-api 1.1.0", ["not-requested"])
    assert version["next"] == "somebody asks for it, then 1 approval"
    assert (code, why["since"]) == (0, None)
    assert "shop in production: checkout-api 1.0.0, worker 1.0.0 is there now" in out
    code, _, err = shop.run("why", "shop", "production", "1.1.0")
    assert (code, "name one of them" in err) == (2, True)
    code, _, err = shop.run("why", "shops", "production")
    assert (code, "shop" in err) == (2, True)


def test_why_of_a_group_that_moves_as_one_elsewhere_says_so(shop: Cli) -> None:
    rules = git(shop.repository, "show", "main:promotion/rules.yaml")
    shop.rules(rules.replace("versions: 1.x}", "versions: 1.x, environments: [staging]}", 1))

    code, _, err = shop.run("why", "shop", "production")

    assert (code, "do not move together in production" in err) == (2, True)


def test_history_answers_for_a_group(shop: Cli) -> None:
    code, _, err = shop.run("history", "shop")
    assert (code, "no move of 'shop'" in err) == (2, True)
    shop.run("pass")
    shop.registry.push(IMAGE, "1.2.0", "newer")
    shop.registry.push(WORKER, "1.2.0", "new worker")
    shop.run("pass")

    history = shop.read("history", "shop")
    _, out, _ = shop.run("history", "shop", "staging")

    assert [(one["service"], one["image"][0].split(":")[2].split("@")[0]) for one in history["moves"]] == [
        ("checkout-api", "1.1.0"),
        ("checkout-api", "1.2.0"),
        ("worker", "1.2.0"),
    ]
    assert "SERVICE" in out
    assert [one["service"] for one in shop.read("history", "worker")["moves"]] == ["worker"]
    code, _, err = shop.run("history", "shop", "production")
    assert (code, "has not moved in 'production'" in err) == (2, True)


# --- verify and ledger --------------------------------------------------------------------------------------------


def test_verify_finds_nothing_after_honest_work(app: Cli) -> None:
    app.run("pass")
    app.registry.push(IMAGE, "1.1.0", "new")
    app.run("pass")

    read = app.read("verify")

    assert read["schema"] == "countersign.verify/1"
    assert read["findings"] == []
    assert read["entries"] > 3


def test_verify_names_a_move_by_hand(app: Cli) -> None:
    app.run("pass")
    host = git(app.repository, "grep", "-h", "image:", "main", "--", "apps/staging").split()[1].split("/")[0]
    by_hand = commit_to(
        app.repository, {"apps/staging/deployment.yaml": DEPLOYMENT.format(host=host, tag="0.1.0")}
    )

    code, out, _ = app.run("verify")
    later, _, _ = app.run("verify", "--since", "2999-01-01")
    app.run("pass")
    recorded, _, _ = app.run("verify", "--since", "2999-01-01")

    assert code == 1
    assert by_hand[:8] in out
    assert later == 1, "no entry tells when it came: it is looked at whatever its date"
    assert recorded == 0


def test_a_repository_without_a_ledger_is_a_finding(app: Cli) -> None:
    code, out, _ = app.run("verify")

    assert code == 1
    assert "ledger-missing" in out


def test_ledger_show_filters_by_kind_and_number(app: Cli) -> None:
    app.run("pass")

    everything = app.read("ledger", "show")["entries"]
    genesis = app.read("ledger", "show", "--kind", "genesis")["entries"]
    last = app.read("ledger", "show", "--last", "1")["entries"]

    assert [one["entry"]["kind"] for one in genesis] == ["genesis"]
    assert last == everything[-1:]
    assert everything[0]["oid"] in git(app.repository, "log", "--all", "--format=%H").split()
    assert "genesis: " in app.run("ledger", "show")[1]


def test_ledger_rebuild_makes_an_index_that_a_pass_goes_on_with(app: Cli) -> None:
    app.run("pass")
    load().database.unlink()

    code, out, _ = app.run("ledger", "rebuild")

    assert code == 0
    assert "entries are in" in out
    assert app.run("pass")[0] == 0


# --- wrong use ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(("plan", "--environment", "stagin"), "'staging', did you mean that?", id="environment"),
        pytest.param(("pass", "--environment", "moon"), "one of staging, production", id="pass-environment"),
        pytest.param(("why", "checkout", "staging"), "there is no service 'checkout'", id="service"),
        pytest.param(("ledger", "show", "--kind", "bumb"), "'bump', did you mean that?", id="kind"),
        pytest.param(("verify", "--since", "yesterday"), "expected 2026-11-23", id="since"),
        pytest.param(("lint", "/nowhere"), "there is no folder /nowhere/promotion", id="folder"),
        pytest.param(("plane",), "No such command 'plane'", id="command"),
        pytest.param(("plan", "--jsn"), "No such option", id="option"),
        pytest.param(("why", "checkout-api"), "Missing argument 'ENVIRONMENT'", id="argument"),
        pytest.param(("serve",), "SLACK_BOT_TOKEN", id="serve"),
    ],
)
def test_wrong_use_is_named_and_ends_with_2(app: Cli, arguments: tuple[str, ...], said: str) -> None:
    if arguments == ("serve",):
        code = cli.main(arguments, cli.Doors(_needs_all, lambda _: None))
        out, err = app.capsys.readouterr()
    else:
        code, out, err = app.run(*arguments)

    assert code == 2
    assert said in err
    assert out == ""
    assert "Traceback" not in err


@pytest.mark.parametrize("command", [("pass",), ("plan",), ("lint",), ("verify",), ("ledger", "show")])
def test_a_missing_repository_is_named_with_where_to_get_it(
    app: Cli, command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COUNTERSIGN_REPOSITORY")

    code, _, err = app.run(*command)

    assert code == 2
    assert "COUNTERSIGN_REPOSITORY: the URL or path of your GitOps repository" in err


def test_a_path_without_a_repository_is_a_wrong_setting(
    app: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("COUNTERSIGN_REPOSITORY", str(tmp_path / "nowhere"))

    code, _, err = app.run("plan")

    assert code == 2
    assert "COUNTERSIGN_REPOSITORY: there is no repository at" in err


def test_a_repository_without_rules_says_what_to_run(app: Cli) -> None:
    commit_to(app.repository, {"README.md": "empty\n"}, branch="other", parents=[])
    git(app.repository, "symbolic-ref", "HEAD", "refs/heads/other")

    code, _, err = app.run("plan")

    assert code == 2
    assert "rules-unreadable" in err
    assert "countersign lint" in err


def test_a_folder_that_is_no_repository_is_a_failure_of_the_world(
    app: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("COUNTERSIGN_REPOSITORY", str(tmp_path / "empty"))

    code, _, err = app.run("plan")

    assert code == 3
    assert len(err.splitlines()) == 1


def test_a_setting_that_we_do_not_know_is_said(app: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNTERSIGN_REPOSITROY", "x")

    assert "COUNTERSIGN_REPOSITROY is set, and no setting of ours" in app.run("plan")[2]


# --- as a process -------------------------------------------------------------------------------------------------


def process(repository: Path, home: Path, *arguments: str, **extra: str) -> subprocess.CompletedProcess[str]:
    """Run the command line as a process of its own with nothing but one setting."""
    root = Path(__file__).parents[2]
    return subprocess.run(
        [sys.executable, "-m", "bot", *arguments],
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "PYTHONPATH": str(root),
            "COUNTERSIGN_REPOSITORY": str(repository),
            **extra,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_one_setting_is_enough_for_a_process(silent: Cli, tmp_path: Path) -> None:
    done = process(silent.repository, tmp_path, "plan", "--json")

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["rows"][0]["codes"] == ["registry-unreachable"]


def test_errors_are_one_line_and_a_traceback_only_where_it_is_asked_for(app: Cli, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    plain = process(tmp_path / "empty", tmp_path, "plan")
    debugged = process(tmp_path / "empty", tmp_path, "plan", COUNTERSIGN_DEBUG="1")

    assert (plain.returncode, debugged.returncode) == (3, 3)
    assert "Traceback" not in plain.stderr
    assert "Traceback" in debugged.stderr


def test_a_wrong_log_level_is_named(app: Cli, tmp_path: Path) -> None:
    done = process(app.repository, tmp_path, "plan", COUNTERSIGN_LOG="loud")

    assert done.returncode == 2
    assert "COUNTERSIGN_LOG is 'LOUD'; expected one of DEBUG, INFO" in done.stderr


def test_a_reader_who_goes_away_is_no_traceback(app: Cli, tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-m", "bot", "--help"],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(root)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        err = running.stderr.read()

    assert err == ""


def test_demo_becomes_the_sandbox_with_the_same_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []
    monkeypatch.setattr(os, "execv", lambda _path, command: seen.append(command))

    cli.main(["demo", "--script", "--keep", "DIR", "--port", "4000"], cli.Doors(_no_server, lambda _: None))

    assert seen == [[sys.executable, "-m", "sandbox", "demo", "--script", "--keep", "DIR", "--port", "4000"]]
