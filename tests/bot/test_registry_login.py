"""Registry logins are found as Docker finds them, and never shown."""

import base64
import json
import stat
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.registries.login import HUB_SERVER, KEEP, Login, LoginFailure, Logins, canonical_host

CANARY = "canary-9f2c"
AUTH = base64.b64encode(f"ada:{CANARY}".encode()).decode()
ADA = Login("ada", CANARY)


def logins(folder: Path, config: Any) -> Logins:
    (folder / "config.json").write_text(config if isinstance(config, str) else json.dumps(config))
    return Logins(folder)


@pytest.fixture
def helper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Put a credential helper on PATH; what it was given ends in a file beside it."""
    programs = tmp_path / "programs"
    programs.mkdir()
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")

    def install(name: str, script: str) -> Path:
        program = programs / f"docker-credential-{name}"
        asked = programs / f"{name}.asked"
        program.write_text(f'#!/bin/sh\nread -r host\necho "$* $host" >>{asked}\n{script}\n')
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        return asked

    return install


@pytest.mark.parametrize(
    ("name", "host"),
    [
        ("ghcr.io", "ghcr.io"),
        ("https://ghcr.io", "ghcr.io"),
        ("https://ghcr.io/v2/", "ghcr.io"),
        ("GHCR.io", "ghcr.io"),
        (HUB_SERVER, "index.docker.io"),
        ("docker.io", "index.docker.io"),
        ("registry-1.docker.io", "index.docker.io"),
        ("localhost:5000", "localhost:5000"),
    ],
)
def test_a_host_has_one_spelling(name: str, host: str) -> None:
    assert canonical_host(name) == host


@pytest.mark.parametrize(
    ("host", "auths", "expected"),
    [
        pytest.param("ghcr.io", {"ghcr.io": {"auth": AUTH}}, ADA, id="by its name"),
        pytest.param("ghcr.io", {"https://ghcr.io/v2/": {"auth": AUTH}}, ADA, id="by a URL"),
        pytest.param("docker.io", {HUB_SERVER: {"auth": AUTH}}, ADA, id="docker hub"),
        pytest.param("index.docker.io", {"docker.io": {"auth": AUTH}}, ADA, id="docker hub, short"),
        pytest.param("localhost:5000", {"localhost:5000": {"auth": AUTH}}, ADA, id="with a port"),
        pytest.param("localhost:5000", {"localhost": {"auth": AUTH}}, None, id="another port"),
        pytest.param("ghcr.io", {"quay.io": {"auth": AUTH}}, None, id="another host"),
        pytest.param("ghcr.io", {"evil.example/ghcr.io": {"auth": AUTH}}, None, id="the name as a path"),
        pytest.param("ghcr.io", {"ghcr.io": {}}, None, id="empty"),
        pytest.param("ghcr.io", {"ghcr.io": {"username": "ada", "password": CANARY}}, ADA, id="in two keys"),
        pytest.param(
            "ghcr.io",
            {"https://ghcr.io": {"auth": base64.b64encode(b"bob:x").decode()}, "ghcr.io": {"auth": AUTH}},
            ADA,
            id="the very name first",
        ),
        pytest.param(
            "ghcr.io",
            {"ghcr.io": {"identitytoken": CANARY}},
            Login(identity_token=CANARY),
            id="identity token",
        ),
        pytest.param(
            "ghcr.io",
            {"ghcr.io": {"registrytoken": CANARY}},
            Login(registry_token=CANARY),
            id="registry token",
        ),
    ],
)
def test_a_login_is_found_under_its_host(
    tmp_path: Path, host: str, auths: dict[str, Any], expected: Login | None
) -> None:
    assert logins(tmp_path, {"auths": auths}).of(host) == expected


@pytest.mark.parametrize(
    "config",
    [
        pytest.param("{", id="no JSON"),
        pytest.param("[]", id="a list"),
        pytest.param({"auths": {"ghcr.io": "secret"}}, id="no object"),
        pytest.param({"auths": {"ghcr.io": {"auth": "%%%"}}}, id="no base64"),
        pytest.param(
            {"auths": {"ghcr.io": {"auth": base64.b64encode(b"canary-9f2c").decode()}}}, id="no colon"
        ),
        pytest.param(
            {"auths": {"ghcr.io": {"auth": base64.b64encode(b"\xff:\xff").decode()}}}, id="no UTF-8"
        ),
        pytest.param({"auths": {"ghcr.io": {"auth": 7}}}, id="a number"),
        pytest.param(
            {"auths": {"ghcr.io": {"registrytoken": "canary-9f2c\r\nX: y"}}}, id="a header in a token"
        ),
        pytest.param({"credHelpers": {"ghcr.io": "../../bin/sh"}}, id="a path for a helper"),
        pytest.param({"credHelpers": {"ghcr.io": 7}}, id="a number for a helper"),
        pytest.param({"credHelpers": {"ghcr.io": "is-not-installed"}}, id="a helper that is not there"),
    ],
)
def test_a_login_that_cannot_be_read_says_so_in_a_line_without_secrets(tmp_path: Path, config: Any) -> None:
    answer = logins(tmp_path, config).of("ghcr.io")

    assert isinstance(answer, LoginFailure)
    assert answer.detail.isprintable()
    assert CANARY not in answer.detail
    assert str(tmp_path) not in answer.detail


@pytest.mark.parametrize("table", [7, [], "x", {"ghcr.io": None}])
def test_tables_that_are_none_mean_nobody(tmp_path: Path, table: Any) -> None:
    assert logins(tmp_path, {"auths": table, "credHelpers": table}).of("ghcr.io") is None


def test_without_a_folder_or_a_file_nobody_is_logged_in(tmp_path: Path) -> None:
    assert Logins(None).of("ghcr.io") is None
    assert Logins(tmp_path).of("ghcr.io") is None
    assert Logins(tmp_path / "nowhere").of("ghcr.io") is None


def test_a_new_login_needs_no_restart(tmp_path: Path) -> None:
    found = logins(tmp_path, {})
    assert found.of("ghcr.io") is None

    logins(tmp_path, {"auths": {"ghcr.io": {"auth": AUTH}}})

    assert found.of("ghcr.io") == ADA


def test_a_helper_gets_the_host_on_its_input_and_is_asked_once(tmp_path: Path, helper: Any) -> None:
    asked = helper("own", f'echo \'{{"Username":"ada","Secret":"{CANARY}"}}\'')
    found = logins(tmp_path, {"credHelpers": {"ghcr.io": "own"}, "auths": {"ghcr.io": {"auth": "%"}}})

    assert [found.of("ghcr.io"), found.of("ghcr.io")] == [ADA, ADA]
    assert asked.read_text() == "get ghcr.io\n"


def test_a_helpers_login_is_asked_for_again_after_a_while_or_when_it_did_not_help(
    tmp_path: Path, helper: Any
) -> None:
    asked = helper("own", f'echo \'{{"Username":"ada","Secret":"{CANARY}"}}\'')
    logins(tmp_path, {"credsStore": "own"})
    now = [0.0]
    found = Logins(tmp_path, ticks=lambda: now[0])

    found.of("docker.io")
    now[0] += KEEP.total_seconds() + 1
    found.of("docker.io")
    found.forget("docker.io")
    found.of("docker.io")

    assert asked.read_text() == f"get {HUB_SERVER}\n" * 3


def test_a_hosts_own_helper_comes_before_the_store(tmp_path: Path, helper: Any) -> None:
    helper("own", 'echo \'{"Username":"<token>","Secret":"identity"}\'')
    helper("all", 'echo \'{"Username":"bob","Secret":"x"}\'')
    found = logins(tmp_path, {"credHelpers": {"ghcr.io": "own"}, "credsStore": "all"})

    assert found.of("ghcr.io") == Login(identity_token="identity")
    assert found.of("quay.io") == Login("bob", "x")


def test_what_the_store_does_not_know_is_looked_up_in_the_file(tmp_path: Path, helper: Any) -> None:
    helper("all", "echo 'credentials not found in native keychain'; exit 1")
    found = logins(tmp_path, {"credsStore": "all", "auths": {"ghcr.io": {"auth": AUTH}}})

    assert found.of("ghcr.io") == ADA
    assert found.of("quay.io") is None


@pytest.mark.parametrize(
    "script",
    [
        f"echo {CANARY}; echo {CANARY} >&2; exit 1",
        f"echo {CANARY}",
        "echo '[]'",
        'echo \'{"Username":7,"Secret":"canary-9f2c"}\'',
        f"sleep 60 & echo {CANARY}; sleep 60",
    ],
    ids=["fails", "no JSON", "a list", "a number", "hangs with a child"],
)
def test_a_helper_that_misbehaves_is_named_and_not_quoted(tmp_path: Path, helper: Any, script: str) -> None:
    helper("own", script)
    logins(tmp_path, {"credsStore": "own"})

    answer = Logins(tmp_path, helper_timeout=timedelta(seconds=1)).of("ghcr.io")

    assert isinstance(answer, LoginFailure)
    assert "docker-credential-own" in answer.detail
    assert CANARY not in answer.detail


def test_a_login_is_never_shown() -> None:
    login = Login(CANARY, CANARY, CANARY, CANARY)

    assert CANARY not in f"{login!r} {login}"
