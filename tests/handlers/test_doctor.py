"""The doctor, against the sandbox's twins over HTTP: each thing that is broken gets its line and what mends it."""

import io
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
import typer
import yaml
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from bot.doctor.doctor import Check, Mark, clock_check, repository_checks
from bot.doctor.forge import Asker, forge_checks, judged, merged
from bot.doctor.reports import report_checks
from bot.scheduler import SystemClock
from bot.settings import load
from handlers.shell import doctor
from handlers.shell.doctor import Visit
from handlers.shell.terminal import Run
from handlers.slack.doctor import SCOPES, scope_checks
from policies.rulebook.parse import parse
from policies.rules.rules import Rules
from sandbox.http import serve
from sandbox.slack.members import Channel, User
from sandbox.world import World, opened
from tests.bot.forge_worlds import APP_ID, app_account, app_key, pem
from tests.repositories import commit_to, private_key

NOW = SystemClock().now
AT = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with opened(tmp_path / "world") as one:
        yield one


def environ(world: World, **other: str) -> dict[str, str]:
    home = world.folder / "home"
    given = {**world.settings, "HOME": str(home), "PATH": os.environ["PATH"]} | other
    return {name: value for name, value in given.items() if value}


def look(world: World, now: Callable[[], datetime] = NOW, **other: str) -> list[Check]:
    return list(Visit(load(environ(world, **other)), now).checks())


def found(checks: list[Check], what: str) -> list[Check]:
    return [one for one in checks if one.what.startswith(what)]


def failed(checks: list[Check]) -> list[str]:
    return [str(one) for one in checks if one.mark is Mark.FAIL]


@pytest.fixture
def countersign(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, str, str]]:
    """Return what types ``countersign doctor ...`` with these settings alone."""

    def type_(settings: Mapping[str, str], *arguments: str) -> tuple[int, str, str]:
        for name in list(os.environ):
            if name.startswith(("COUNTERSIGN_", "SLACK_", "GITHUB_")) or name == "PORT":
                monkeypatch.delenv(name)
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr("sys.stdin", io.StringIO())
        app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
        app.callback()(lambda: None)
        doctor.register(app)
        with Run() as run:
            run.code = app(args=["doctor", *arguments], standalone_mode=False, prog_name="countersign") or 0
        said = capsys.readouterr()
        return run.code, said.out, said.err

    return type_


# The whole visit


def test_a_sound_world_has_a_line_for_each_check_and_no_failure(world: World) -> None:
    checks = look(world)

    assert failed(checks) == []
    assert Mark.LEFT_OUT not in {one.mark for one in checks}
    wanted = {
        "settings", "git", "repository", "rules", "ledger", "signing key", "Slack", "Slack scopes",
        "Slack channel #deploys", "Slack people", "Slack cards", "GitHub", "GitHub merges", "GitHub rules",
        "GitHub protection", "GitHub logins",
        "registry login", "registry", "clock",
    }  # fmt: skip
    assert wanted <= {one.what for one in checks}


def test_looking_writes_nothing(world: World) -> None:
    before = world.git.text("for-each-ref")

    look(world, COUNTERSIGN_SIGNING_KEY="")

    assert world.git.text("for-each-ref") == before
    assert not list((world.folder / "home").rglob("signing_key"))


def test_the_command_prints_a_line_each_and_exits_with_nothing_to_mend(
    world: World, countersign: Callable[..., tuple[int, str, str]]
) -> None:
    code, out, err = countersign(environ(world))

    assert code == 0
    assert all(re.match(r"(?:ok  |warn|FAIL|left out) [^:]+: ", line) for line in out.splitlines())
    assert re.search(r"[0-9]+ checks: 0 failed, [0-9]+ warnings", err)
    token = world.settings["GITHUB_TOKEN"]
    assert token not in out + err


def test_a_failure_is_exit_code_1_and_stands_in_json(
    world: World, countersign: Callable[..., tuple[int, str, str]]
) -> None:
    world.slack.workspace.remove("countersign", "deploys")

    code, out, _ = countersign(environ(world), "--json")

    shape = orjson.loads(out)
    assert (code, shape["schema"], shape["fine"]) == (1, "countersign.doctor/1", False)
    (wrong,) = [one for one in shape["checks"] if one["mark"] == "fail"]
    assert wrong["what"] == "Slack channel #deploys"


def test_settings_that_are_malformed_are_named_each(
    world: World, countersign: Callable[..., tuple[int, str, str]]
) -> None:
    code, out, _ = countersign(environ(world, PORT="http", COUNTERSIGN_TICK="0"))

    assert code == 1
    assert "FAIL settings: PORT: 'http' is not a number" in out
    assert "FAIL settings: COUNTERSIGN_TICK: '0'" in out
    assert "left out everything else: the settings come first" in out


def test_without_any_setting_all_is_left_out_by_name(
    countersign: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    code, out, _ = countersign({"HOME": str(tmp_path)})

    assert code == 1
    assert "FAIL settings: COUNTERSIGN_REPOSITORY is not set -> set it: the URL or path" in out
    assert "left out Slack: SLACK_BOT_TOKEN is not set -> set it: the bot token xoxb-" in out
    assert "left out GitHub: GITHUB_TOKEN is not set" in out
    assert "left out registries" in out
    assert "left out clock" in out


def test_a_name_that_is_no_setting_is_told(world: World) -> None:
    (check,) = found(look(world, COUNTERSIGN_REPOSITRY="x"), "settings")

    assert str(check).startswith(
        "warn settings: COUNTERSIGN_REPOSITRY is set, and no setting of ours -> unset"
    )


# Repository, rules, ledger


def test_a_repository_that_is_not_there_is_told_and_the_rest_is_looked_at(world: World) -> None:
    checks = look(world, COUNTERSIGN_REPOSITORY=str(world.folder / "nowhere.git"))

    assert "nowhere.git" in failed(checks)[0]
    assert found(checks, "Slack scopes")
    assert found(checks, "GitHub merges")


def test_a_branch_that_is_not_there_is_told(world: World) -> None:
    (line,) = failed(look(world, COUNTERSIGN_BRANCH="trunk"))

    assert line.startswith("FAIL repository: ")
    assert "trunk" in line


def test_another_default_branch_is_a_warning(world: World) -> None:
    commit_to(world.git.repository, {"README": "x\n"}, branch="trunk")
    commit_to(world.git.repository, {"promotion/rules.yaml": "services: {}\n"}, branch="trunk")

    lines = [str(one) for one in look(world, COUNTERSIGN_BRANCH="trunk")]

    assert any(
        "the default branch is main, promotions reach trunk -> set COUNTERSIGN_BRANCH" in one for one in lines
    )


def test_rules_that_are_wrong_are_told_with_their_place(world: World) -> None:
    commit_to(world.git.repository, {"promotion/more.yaml": "services: {other: {image: A, versions: 1.x}}\n"})

    (line,) = failed(look(world))

    assert line.startswith("FAIL rules: promotion/more.yaml:1:")
    assert "-> expected" in line


def test_a_repository_without_rules_is_sent_to_init(world: World) -> None:
    (line,) = failed(look(world, COUNTERSIGN_RULES="elsewhere"))

    assert "there are no files in elsewhere/ -> countersign init" in line


def test_a_key_that_is_not_set_is_a_warning(world: World) -> None:
    (check,) = found(look(world, COUNTERSIGN_SIGNING_KEY=""), "signing key")

    assert check.mark is Mark.WARN
    assert "ssh-keygen -t ed25519" in check.remedy


def test_a_key_that_is_none_is_told_without_showing_it(world: World) -> None:
    lines = failed(look(world, COUNTERSIGN_SIGNING_KEY="secret-that-is-no-key"))

    assert any("COUNTERSIGN_SIGNING_KEY" in line for line in lines)
    assert "secret-that-is-no-key" not in "".join(lines)


def test_a_ledger_of_another_key_is_told(world: World, tmp_path: Path) -> None:
    from bot import assembly  # noqa: PLC0415  a pass, for this test alone

    with assembly.working(
        load(environ(world)), chat=None, say=lambda _: None, printer=lambda _: None
    ) as engine:
        engine.run_pass("")
    assert found(look(world), "ledger")[0].mark is Mark.OK
    other = tmp_path / "other"
    other.write_text(private_key())
    other.chmod(0o600)

    (line,) = failed(look(world, COUNTERSIGN_SIGNING_KEY=str(other)))

    assert line.startswith(
        "FAIL ledger: the ledger is signed with another key -> set COUNTERSIGN_SIGNING_KEY"
    )


# Slack


def test_a_token_that_slack_refuses_is_told(world: World) -> None:
    (line,) = failed(look(world, SLACK_BOT_TOKEN="xoxb-revoked"))

    assert line.startswith("FAIL Slack: Slack does not take the bot token any more (invalid_auth)")
    assert "xoxb-revoked" not in line


def test_a_missing_secret_is_told(world: World) -> None:
    (line,) = failed(look(world, SLACK_SIGNING_SECRET=""))

    assert line.startswith("FAIL Slack: SLACK_SIGNING_SECRET is not set -> set it: the signing secret")


def test_each_missing_scope_is_told_with_what_it_is_for(world: World) -> None:
    world.slack.scopes -= {"im:write", "chat:write"}

    lines = failed(look(world))

    assert [line.split(",")[0] for line in lines] == [
        "FAIL Slack scopes: chat:write is missing",
        "FAIL Slack scopes: im:write is missing",
    ]
    assert "OAuth & Permissions" in lines[0]


def test_the_scope_for_addresses_is_asked_for_only_where_people_are_matched_by_them() -> None:
    headers = {"x-oauth-scopes": ",".join(SCOPES)}

    (plain,) = scope_checks(headers)
    (matching,) = scope_checks(headers, is_matching=True)

    assert "all" in str(plain)
    assert "users:read.email is missing" in str(matching)


def test_scopes_that_slack_does_not_name_are_left_out() -> None:
    (check,) = scope_checks({})

    assert check.mark is Mark.LEFT_OUT


def test_the_scopes_are_those_of_the_manifest() -> None:
    manifest = yaml.safe_load((Path(__file__).parents[2] / "manifest.yml").read_text("utf-8"))

    assert sorted(SCOPES) == sorted(manifest["oauth_config"]["scopes"]["bot"])


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"members": frozenset({"U0ADA"})}, "the bot is not in it -> ada, in it already, types `/invite @countersign`"),
        ({"members": frozenset()}, "the bot is not in it -> somebody in it types `/invite @countersign`"),
        ({"members": frozenset(), "is_private": True}, "there is none that the bot can see"),
        ({"name": "deployments"}, "there is none that the bot can see (for staging, production) -> make it, or type"),
        ({"is_archived": True}, "it is archived -> open it again"),
    ],
    ids=["not in it", "nobody in it", "private", "renamed", "archived"],
)  # fmt: skip
def test_a_channel_that_cannot_be_used_is_told(world: World, change: dict[str, Any], line: str) -> None:
    channel: Channel = world.slack.workspace.channel("deploys")
    world.slack.workspace.set_channel(replace(channel, **change))

    (told,) = failed(look(world))

    assert told.startswith("FAIL Slack channel #deploys: ")
    assert line in told


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"deleted": True}, "it is deactivated"),
        ({"is_restricted": True}, "it is a guest, and guests may not approve"),
        ({"is_bot": True}, "it is a bot"),
        ({"team": "T0OTHER"}, "it is of another workspace"),
    ],
    ids=["deactivated", "guest", "bot", "stranger"],
)
def test_an_account_that_may_not_approve_is_told(world: World, change: dict[str, Any], line: str) -> None:
    user: User = world.slack.workspace.user("bob")
    world.slack.workspace.set_user(replace(user, **change))

    (told,) = failed(look(world))

    assert told.startswith(f"FAIL Slack account of bob: {line}")
    assert "mend slack: of bob in the rules" in told


def test_an_account_that_is_not_there_is_told(world: World) -> None:
    commit_to(
        world.git.repository,
        {"promotion/more.yaml": "people: {dora: {slack: U0DORA, github: dora-nowhere}}\n"},
    )

    lines = failed(look(world))

    assert lines == [
        (
            "FAIL Slack account of dora: there is no U0DORA -> mend slack: of dora in the rules; a person's profile,"
            " ..., Copy member ID"
        ),
        "FAIL GitHub login of dora: there is no dora-nowhere -> mend github: of dora in the rules",
    ]


def test_a_workspace_without_the_method_leaves_cards_out(world: World) -> None:
    world.slack.levers.fail("blocks.validate", "unknown_method")

    (check,) = found(look(world), "Slack cards")

    assert (check.mark, check.detail) == (Mark.LEFT_OUT, "this workspace has no blocks.validate")


def test_a_card_that_slack_refuses_is_a_failure(world: World) -> None:
    world.slack.levers.fail("blocks.validate", "invalid_blocks")

    (line,) = failed(look(world))

    assert line.startswith("FAIL Slack cards: a card that is candidate is refused: invalid_blocks")


def test_a_slack_that_is_down_is_one_failure(world: World) -> None:
    world.slack.levers.fail("*", "fatal_error", 50, status=503)

    lines = failed(look(world))

    assert len(lines) == 1
    assert lines[0].startswith("FAIL Slack: ")


# GitHub


def test_a_report_that_the_rules_wait_for_is_looked_for_on_real_commits(world: World) -> None:
    settings = load(environ(world))
    _, seen = repository_checks(settings)
    assert seen is not None
    assert seen.rules is not None
    production = replace(seen.rules.environments["production"], health=("argocd/production",))
    rules = replace(seen.rules, environments={"production": production})
    asker = Asker.open(
        settings.forge_repository, settings.github_token.get_secret_value(), settings.github_url
    )
    tip = seen.tips.target

    (before,) = report_checks(asker, rules, [tip])
    world.forge.set_status(tip, "argocd/production/1a2b3c4d", "success", login="bob")
    (after,) = report_checks(asker, rules, [tip])
    asker.close()

    assert (before.mark, after.mark) == (Mark.WARN, Mark.OK)
    assert "production waits for argocd/production, which nobody reported" in before.detail
    assert f"last on {tip[:12]}" in after.detail


def test_where_nothing_is_waited_for_what_is_reported_is_named(world: World) -> None:
    settings = load(environ(world))
    _, seen = repository_checks(settings)
    assert seen is not None
    assert seen.rules is not None
    environments = {name: replace(one, health=()) for name, one in seen.rules.environments.items()}
    asker = Asker.open(
        settings.forge_repository, settings.github_token.get_secret_value(), settings.github_url
    )
    world.forge.set_status(seen.tips.target, "argocd/staging", "success", login="bob")

    (told,) = report_checks(asker, replace(seen.rules, environments=environments), [seen.tips.target])
    asker.close()

    assert told.mark is Mark.LEFT_OUT
    assert "argocd/staging" in told.detail


def test_a_token_that_github_refuses_is_told(world: World) -> None:
    (line,) = failed(look(world, GITHUB_TOKEN="ghp-nothing"))

    assert line.startswith("FAIL GitHub: the login is refused (401) -> make a token")


def test_a_repository_that_github_does_not_show_is_told(world: World) -> None:
    (line,) = failed(look(world, COUNTERSIGN_FORGE_REPOSITORY="example/other"))

    assert "example/other is not there, or the login may not see it" in line


def test_a_repository_that_takes_no_merge_of_ours_is_told(world: World) -> None:
    world.forge.allow_merge_methods(["rebase"])

    (line,) = failed(look(world))

    assert "gh api -X PATCH repos/example/gitops -F allow_merge_commit=true" in line


def test_a_forge_that_is_down_is_one_failure(world: World) -> None:
    world.forge.fail(503, times=50)

    lines = failed(look(world))

    assert lines == ["FAIL GitHub: it cannot answer now (503) -> try again"]


def as_app(world: World) -> dict[str, str]:
    """Make the bot a GitHub App; return its settings."""
    key = world.folder / "app.pem"
    key.write_text(pem(app_key()))
    world.forge.install_app(app_account(login="countersign-app[bot]"))
    return {"GITHUB_TOKEN": "", "GITHUB_APP_ID": str(APP_ID), "GITHUB_APP_PRIVATE_KEY": str(key)}


def test_an_app_is_looked_at_with_its_own_token(world: World) -> None:
    checks = look(world, NOW, **as_app(world))

    assert failed(checks) == []
    assert found(checks, "GitHub")[0].detail.startswith("example/gitops: reachable")
    assert found(checks, "GitHub logins")


def test_an_app_that_is_not_installed_is_told(world: World) -> None:
    settings = as_app(world) | {"COUNTERSIGN_FORGE_REPOSITORY": "example/other"}

    (line,) = failed(look(world, NOW, **settings))

    assert line.startswith("FAIL GitHub App: ")


def test_half_an_app_is_a_failure(world: World) -> None:
    (line,) = failed(look(world, GITHUB_APP_ID="4711"))

    assert line.startswith("FAIL GitHub: GITHUB_APP_PRIVATE_KEY is not set -> set it: the text or the path")


def test_a_protected_branch_is_shown_to_an_admin(world: World) -> None:
    world.forge.protect("main")

    checks = found(look(world), "GitHub protection")

    assert [one.mark for one in checks] == [Mark.WARN]
    assert "gh api repos/example/gitops/branches/main/protection" in checks[0].remedy


RULE = {"type": "pull_request", "ruleset_id": 7}


@pytest.mark.parametrize(
    ("listed", "bypass", "mark"),
    [
        ([], {}, Mark.OK),
        ([{"type": "non_fast_forward", "ruleset_id": 7}], {}, Mark.OK),
        ([RULE], {7: "always"}, Mark.OK),
        ([RULE], {7: "never"}, Mark.FAIL),
        ([RULE], {7: "pull_requests_only"}, Mark.FAIL),
        ([RULE], {7: ""}, Mark.WARN),
        ([RULE], {}, Mark.WARN),
        ([RULE, {"type": "update", "ruleset_id": 8}], {7: "always", 8: "never"}, Mark.FAIL),
        (["noise", None, {"type": 3}], {}, Mark.OK),
    ],
    ids=["none", "harmless", "bypassed", "closed", "by pull request", "not told", "unread", "one of two", "noise"],
)  # fmt: skip
def test_rules_of_a_branch_are_judged_by_what_may_be_bypassed(
    listed: list[Any], bypass: dict[int, str], mark: Mark
) -> None:
    check = judged("main", "commits for staging", listed, bypass, "example/gitops")

    assert check.mark is mark
    assert ("bypass list" in check.remedy) == (mark is not Mark.OK)


@pytest.mark.parametrize(
    ("wanted", "bypass", "mark", "said"),
    [
        ({}, {}, Mark.OK, "production: no ruleset of main asks for reviews"),
        (
            {7: 1},
            {7: "always"},
            Mark.OK,
            "production: reviews are asked for in main, and the bot may bypass that",
        ),
        ({7: 1}, {7: "pull_requests_only"}, Mark.OK, "the bot may bypass that"),
        (
            {7: 1},
            {7: "never"},
            Mark.WARN,
            "production: a merge, also of a rollback, waits for GitHub: 1 review",
        ),
        ({7: 1, 8: 2}, {7: "always", 8: "never"}, Mark.WARN, "waits for GitHub: 2 reviews"),
        ({7: 1}, {7: ""}, Mark.WARN, "unless the bot may bypass it, which is not told"),
        ({7: 1}, {}, Mark.WARN, "unless the bot may bypass it, which is not told"),
    ],
    ids=["none", "bypassed", "for merges alone", "closed", "one of two", "not told", "unread"],
)
def test_each_environment_is_told_whether_its_merges_wait_for_reviews(
    wanted: dict[int, int], bypass: dict[int, str], mark: Mark, said: str
) -> None:
    check = merged("production", "main", wanted, bypass, "example/gitops")

    assert check.mark is mark
    assert said in check.detail
    assert ("bypass list" in check.remedy) == (mark is not Mark.OK)


GITHUB = {
    "/repos/example/gitops": {
        "permissions": {"push": True},
        "default_branch": "main",
        "allow_merge_commit": True,
    },
    "/repos/example/gitops/rules/branches/main": [RULE],
    "/repos/example/gitops/rules/branches/ledger/2026": [],
    "/repos/example/gitops/rulesets/7": {"current_user_can_bypass": "never"},
    "/repos/example/gitops/branches/main": {"protected": True},
    "/repos/example/gitops/branches/main/protection": {"required_pull_request_reviews": {"count": 1}},
    "/users/ada-l": {"type": "User"},
    "/users/team": {"type": "Organization"},
}
RULES = b"""\
environments: {staging: {path: apps/staging, approvals: none, channel: deploys}}
people: {ada: {slack: U0ADA, github: ada-l}, bob: {github: team}}
"""


def asked(answers: Mapping[str, Any], rules: Rules | None = None) -> list[str]:
    """Ask a forge that answers this, over HTTP."""

    def answer(request: Request) -> JSONResponse:
        body = answers.get(request.url.path)
        return JSONResponse({"message": "Not Found"}, 404) if body is None else JSONResponse(body)

    with serve(Starlette(routes=[Route("/{rest:path}", answer)]), name="localhost") as url:
        asker = Asker.open("example/gitops", "token", url)
        try:
            whole = rules or parse({"promotion/a.yaml": RULES})
            return [str(one) for one in forge_checks(asker, whole, "main", "ledger/2026")]
        finally:
            asker.close()


def test_rulesets_and_protection_are_read_where_the_login_may() -> None:
    lines = asked(GITHUB)

    assert lines == [
        "ok   GitHub: example/gitops: reachable, with write access",
        "ok   GitHub merges: by merge",
        (
            "FAIL GitHub rules: commits for staging, where nobody is asked: a ruleset of main asks for a pull request"
            " -> an admin adds the bot to the bypass list of ruleset 7 (gh api repos/example/gitops/rulesets/7),"
            " or leaves main out of it"
        ),
        (
            "warn GitHub protection: main is protected (required_pull_request_reviews): commits for staging, where"
            " nobody is asked may be refused -> an admin lets the bot bypass it:"
            " gh api repos/example/gitops/branches/main/protection"
        ),
        "ok   GitHub rules: ledger entries: no ruleset stops a push to ledger/2026",
        "FAIL GitHub login of bob: team is no person: Organization -> name the person's own login",
        "ok   GitHub logins: 1 people are found",
    ]


def test_an_environment_that_asks_people_is_told_what_its_merges_wait_for() -> None:
    reviews = RULE | {"parameters": {"required_approving_review_count": 2}}
    guarded = parse({"promotion/a.yaml": RULES.replace(b"approvals: none", b"approvals: 1")})

    lines = asked(GITHUB | {"/repos/example/gitops/rules/branches/main": [reviews]}, guarded)

    told = [one for one in lines if "staging" in one]
    assert [one.partition(" -> ")[0] for one in told] == [
        "warn GitHub merges: staging: a merge, also of a rollback, waits for GitHub: 2 reviews"
    ]


CHECKED = {
    "type": "required_status_checks",
    "parameters": {"required_status_checks": [{"context": "countersign"}]},
}
OLDER = {"required_status_checks": {"contexts": ["ci", "countersign"]}}


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({"rules/branches/main": [RULE, CHECKED]}, "ok"),
        ({"branches/main/protection": OLDER}, "ok"),
        ({"rules/branches/main": [CHECKED | {"parameters": {"required_status_checks": ["x", {}]}}]}, "warn"),
        ({"rules/branches/main": [CHECKED | {"parameters": "x"}, 7]}, "warn"),
        ({"rules/branches/main": {}, "branches/main/protection": {"required_status_checks": 7}}, "warn"),
    ],
    ids=["by a ruleset", "by a branch protection rule", "by none", "by nothing", "not told"],
)
def test_where_people_merge_it_is_told_whether_github_stops_them(
    answers: Mapping[str, Any], expected: str
) -> None:
    text = RULES.replace(b"approvals: none", b"approvals: 1, merges: by-hand")

    lines = asked(
        GITHUB | {f"/repos/example/gitops/{path}": body for path, body in answers.items()},
        parse({"promotion/a.yaml": text}),
    )

    (told,) = [one for one in lines if "GitHub check" in one]
    assert told.startswith(f"{expected} ")
    assert "staging: people merge, and " in told


def test_where_people_approve_a_commit_it_is_told_whether_it_can_be_pushed() -> None:
    text = RULES.replace(b"approvals: none", b"approvals: 1, via: commit")

    lines = asked(GITHUB, parse({"promotion/a.yaml": text}))

    told = [one.partition(" -> ")[0] for one in lines if "staging" in one]
    assert told[0] == (
        "FAIL GitHub rules: commits for staging, where no pull request is made: a ruleset of main asks for a pull"
        " request"
    )
    assert not any("GitHub merges" in one for one in told)


def test_a_login_that_may_only_read_is_told() -> None:
    lines = asked(GITHUB | {"/repos/example/gitops": {"permissions": {"push": False}, "archived": True}})

    assert "FAIL GitHub: example/gitops: the login may read and not write" in lines[0]
    assert "gh repo unarchive example/gitops" in lines[1]


@pytest.mark.parametrize("body", [[], "text", 7, {}], ids=str)
def test_an_answer_that_is_no_repository_is_told(body: Any) -> None:
    lines = asked({"/repos/example/gitops": body})

    assert not lines[0].startswith("ok")


def test_a_place_that_is_no_forge_is_told() -> None:
    asker = Asker.open("example/gitops", "token", "http://localhost:1")

    (line,) = [str(one) for one in forge_checks(asker, None, "main", "ledger/2026")]

    assert line.startswith("FAIL GitHub: the forge did not answer")


# Registries and clock


def test_a_repository_of_images_that_is_not_there_is_told(world: World) -> None:
    more = "services: {other: {image: HOST/example/other, versions: 1.x}}\n"
    host = world.addresses["registry"].removeprefix("http://")
    commit_to(world.git.repository, {"promotion/more.yaml": more.replace("HOST", host)})

    lines = [line for line in failed(look(world)) if line.startswith("FAIL registry")]

    assert len(lines) == 1
    assert "example/other: repository-unknown" in lines[0]
    assert f"docker login {host}" in lines[0]


def test_a_login_that_cannot_be_had_is_told(world: World) -> None:
    folder = world.folder / "docker"
    folder.mkdir()
    (folder / "config.json").write_text("{")

    lines = failed(look(world, DOCKER_CONFIG=str(folder)))

    assert lines[0].startswith("FAIL registry login: ")


def test_a_clock_that_is_wrong_is_a_warning(world: World) -> None:
    (check,) = found(look(world, lambda: SystemClock().now() + timedelta(minutes=5)), "clock")

    assert check.mark is Mark.WARN
    assert re.match(r"this machine is (?:299|30[0-9]) s ahead of (?:Slack|GitHub)", check.detail)


@pytest.mark.parametrize(
    ("header", "mark"),
    [
        ("Mon, 23 Nov 2026 12:00:00 GMT", Mark.OK),
        ("Mon, 23 Nov 2026 12:01:00 GMT", Mark.OK),
        ("Mon, 23 Nov 2026 12:01:01 GMT", Mark.WARN),
        ("Mon, 23 Nov 2026 11:58:59 GMT", Mark.WARN),
        ("yesterday", Mark.LEFT_OUT),
        ("", Mark.LEFT_OUT),
    ],
    ids=str,
)
def test_a_clock_is_held_against_what_hosts_say(header: str, mark: Mark) -> None:
    assert clock_check({"Slack": (header, AT)}).mark is mark


def test_the_door_offers_it() -> None:
    from handlers.shell.cli import app  # noqa: PLC0415  the whole door, for this test alone

    assert {"doctor", "init"} <= {command.name for command in app.registered_commands}
