"""The engine put together from settings, the lock on its folder, the rounds, and the bot as a process that serves."""

import json
import logging
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from bot import assembly
from bot.engine import Engine
from bot.errors import PermanentError, SettingsError, TransientError
from bot.forge.app import AppLogin
from bot.logs import redacted, set_up
from bot.repository.remote import Remote
from bot.rounds import STALE, Rounds
from bot.settings import Settings, load
from tests.bot.forge_worlds import app_key, pem
from tests.repositories import git, log, make_bare, private_key

RULES = """\
environments:
  staging: {path: apps/staging, channel: deploys, approvals: none}
services:
  checkout-api: {image: localhost:9/team/checkout-api, versions: 1.x}
"""
KUSTOMIZATION = "images:\n  - name: localhost:9/team/checkout-api\n    newTag: 1.0.0\n"


def silence(_: str) -> None:
    """Hear nothing."""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with rules whose registry is down."""
    files = {"promotion/rules.yaml": RULES, "apps/staging/kustomization.yaml": KUSTOMIZATION}
    return make_bare(tmp_path / "gitops.git", [files])


def settings(repository: Path, **extra: str) -> Settings:
    """Return settings with a state folder of their own."""
    state = str(repository.parent / "state")
    return load({"COUNTERSIGN_REPOSITORY": str(repository), "XDG_STATE_HOME": state, "HOME": state, **extra})


@pytest.fixture
def engine(repository: Path) -> Iterator[Engine]:
    with assembly.working(settings(repository), chat=None, say=silence) as engine:
        yield engine


# --- the folder ---------------------------------------------------------------------------------------------------


def test_two_writers_on_one_folder_work_one_after_the_other(tmp_path: Path) -> None:
    order: list[str] = []
    is_inside, heard = threading.Event(), threading.Event()

    def first() -> None:
        with assembly.alone(tmp_path, silence):
            is_inside.set()
            heard.wait(10)
            order.append("first")

    thread = threading.Thread(target=first)
    thread.start()
    is_inside.wait(10)
    with assembly.alone(tmp_path, lambda _: heard.set()):
        order.append("second")
    thread.join()

    assert order == ["first", "second"]


def test_a_writer_that_stays_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assembly, "WAIT_SECONDS", 0.1)

    with (
        assembly.alone(tmp_path, silence),
        pytest.raises(TransientError, match=f"process {os.getpid()} is at work on"),
        assembly.alone(tmp_path, silence),
    ):
        pass


def test_the_lock_of_a_process_that_was_killed_is_free(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path; from bot.assembly import alone\n"
        "with alone(Path(sys.argv[1]), print): os.kill(os.getpid(), signal.SIGKILL)"
    )
    root = str(Path(__file__).parents[2])
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=root, check=False)

    with assembly.alone(tmp_path, pytest.fail):
        pass

    assert done.returncode == -signal.SIGKILL


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "ascii")

    with (
        pytest.raises(PermanentError, match="COUNTERSIGN_DATABASE"),
        assembly.alone(tmp_path / "file", silence),
    ):
        pass


# --- the engine ---------------------------------------------------------------------------------------------------


def test_an_engine_that_looks_works_beside_one_that_writes(repository: Path, engine: Engine) -> None:
    engine.run_pass()

    with assembly.looking(settings(repository)) as other:
        rows = other.plan().decision.rows

    assert [row.codes for row in rows] == [("registry-unreachable",)]


def test_an_engine_that_looks_leaves_no_key_and_no_index(repository: Path) -> None:
    with assembly.looking(settings(repository)) as engine:
        engine.plan()

    folder = settings(repository).state_folder
    assert sorted(path.name for path in folder.iterdir() if not path.name.startswith(assembly.MIRROR)) == []


def test_an_engine_without_forge_and_chat_has_none(engine: Engine) -> None:
    assert (engine.forge, engine.chat) == (None, None)


def test_the_end_of_the_ledger_that_the_index_saw_is_an_anchor(repository: Path) -> None:
    with assembly.working(settings(repository), chat=None, say=silence) as engine:
        engine.run_pass()
    branch = git(repository, "for-each-ref", "--format=%(refname)", "refs/heads/ledger/")
    git(repository, "update-ref", branch, f"{branch}~1")

    with assembly.working(settings(repository), chat=None, say=silence) as engine:
        report = engine.run_pass()

    assert "somebody rewrote history" in report.left[0]


def test_a_wrong_branch_is_a_clear_error(repository: Path) -> None:
    with pytest.raises(PermanentError, match="nowhere"):
        assembly.open_desk(settings(repository, COUNTERSIGN_BRANCH="nowhere"))


def test_no_repository_is_a_wrong_setting(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="COUNTERSIGN_REPOSITORY"):
        assembly.open_desk(settings(tmp_path / "nowhere.git"))


@pytest.mark.parametrize(
    ("repository", "enterprise", "is_sent"),
    [
        ("https://github.com/example/gitops.git", "", True),
        ("https://git.example.com/example/gitops", "", False),
        ("https://git.example.com/example/gitops", "https://git.example.com/api/v3", True),
        ("https://github.com/example/gitops", "https://git.example.com/api/v3", False),
        ("git@github.com:example/gitops.git", "", False),
    ],
)
def test_the_forges_token_goes_to_the_forge_alone(repository: str, enterprise: str, *, is_sent: bool) -> None:
    given = {"COUNTERSIGN_REPOSITORY": repository, "GITHUB_TOKEN": "sample-token", "HOME": "/nowhere"}
    read = load(given | ({"COUNTERSIGN_GITHUB_URL": enterprise} if enterprise else {}))

    token = assembly._git_token(read, Remote.parse(repository), assembly._login(read))

    assert (token() if token else "") == ("sample-token" if is_sent else "")


def test_an_app_goes_before_a_token_and_half_of_one_is_nobody() -> None:
    given = {
        "COUNTERSIGN_REPOSITORY": "https://github.com/example/gitops",
        "HOME": "/nowhere",
        "GITHUB_TOKEN": "x",
    }
    app = {"GITHUB_APP_ID": "4711", "GITHUB_APP_PRIVATE_KEY": pem(app_key())}

    whole = assembly._login(load(given | app))
    half = assembly._login(load(given | {"GITHUB_APP_ID": "4711"}))

    assert isinstance(whole, AppLogin)
    assert repr(whole) == "AppLogin('4711', 'example/gitops')"
    assert half is None
    assert (
        assembly._git_token(load(given | app), Remote.parse(given["COUNTERSIGN_REPOSITORY"]), whole)
        == whole.token
    )


# --- rounds -------------------------------------------------------------------------------------------------------


def test_rounds_are_not_well_before_the_first_look_and_well_after_it(engine: Engine) -> None:
    rounds = Rounds(engine)
    before = rounds.health()

    rounds.tick(engine.clock.now())

    assert before["ok"] is False
    assert rounds.health()["ok"] is True
    assert rounds.health()["problem"] == ""


def test_a_world_that_fails_is_said_and_the_next_tick_tries_again(engine: Engine, repository: Path) -> None:
    rounds, now = Rounds(engine), engine.clock.now()
    rounds.tick(now)
    away = repository.rename(repository.with_name("away.git"))

    rounds.tick(now)
    failed = rounds.health()
    away.rename(repository)
    rounds.tick(now)

    assert (failed["ok"], bool(failed["problem"])) == (True, True), "the last look still answers"
    assert rounds.health()["problem"] == ""


def test_rounds_in_which_no_pass_ends_are_not_well(engine: Engine) -> None:
    rounds = Rounds(engine)

    rounds.tick(engine.clock.now() - STALE - timedelta(seconds=1))

    assert rounds.health()["ok"] is False


# --- logs ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("Authorization: Bearer abcdefghijklmnop1234", "abcdefghijklmnop1234"),
        ("Authorization: Basic dXNlcjpwYXNzd29yZDEyMw==", "dXNlcjpwYXNzd29yZDEyMw"),
        ("token xoxb-1234-abcdefgh said no", "xoxb-1234-abcdefgh"),
        ("https://x-access-token:hunter2@git.example.com/a", "hunter2"),
        ('{"password": "correct-horse-battery"}', "correct-horse-battery"),
        ("eyJhbGciOiJIUzI1.eyJzdWIiOiIxMjM0.c2lnbmF0dXJl", "eyJzdWIiOiIxMjM0"),
        (
            "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1r\n-----END OPENSSH PRIVATE KEY-----",
            "b3BlbnNzaC1r",
        ),
        ("https://hooks.slack.com/services/T0AAAA/B0BBBB/abcdefgh12345678", "abcdefgh12345678"),
    ],
    ids=["bearer", "basic", "slack", "url", "json", "jwt", "key", "hook"],
)
def test_no_secret_reaches_a_log(text: str, secret: str) -> None:
    assert secret not in redacted(text)


def test_prose_and_digests_stay_as_they_are() -> None:
    text = f"Basic Information: image@sha256:{'ab' * 32} moved in commit {'cd' * 20}; the token is missing"

    assert redacted(text) == text


def test_a_log_line_is_one_line_whatever_is_logged(capsys: pytest.CaptureFixture[str]) -> None:
    root, ours = logging.getLogger(), logging.getLogger("bot")
    before = (list(root.handlers), root.level, ours.level)
    try:
        set_up("INFO")
        ours.info("two\nlines %s", "level=ERROR in=bot")
    finally:
        root.handlers[:], root.level = before[0], before[1]
        ours.setLevel(before[2])

    lines = capsys.readouterr().err.splitlines()

    assert len(lines) == 1
    assert re.fullmatch(r'at=\S+Z level=INFO in=bot said="two\\nlines level=ERROR in=bot"', lines[0])


# --- as a process -------------------------------------------------------------------------------------------------


@contextmanager
def serving(repository: Path, **extra: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Run the bot as a process of its own; Slack and GitHub are down."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(repository.parent),
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "COUNTERSIGN_REPOSITORY": str(repository),
        "COUNTERSIGN_FORGE_REPOSITORY": "example/gitops",
        "COUNTERSIGN_GITHUB_URL": "http://localhost:9",
        "COUNTERSIGN_SIGNING_KEY": private_key(),
        "COUNTERSIGN_TICK": "1",
        "GITHUB_TOKEN": "sample-token",
        "SLACK_API_URL": "http://localhost:9/api/",
        "SLACK_BOT_TOKEN": "xoxb-sample",
        "SLACK_SIGNING_SECRET": "sample-secret",
        "PORT": str(port),
        **extra,
    }
    with subprocess.Popen(
        [sys.executable, "-m", "bot", "serve"], env=environment, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process, port
        finally:
            process.kill()


def said(process: subprocess.Popen[str], what: str) -> list[str]:
    """Read stderr until a line has ``what``; the test's own time limit ends a wait in vain."""
    assert process.stderr is not None
    lines: list[str] = []
    for line in process.stderr:
        lines.append(line)
        if what in line:
            return lines
    raise AssertionError(f"it ended without saying {what!r}:\n{''.join(lines)}")


def test_it_serves_while_slack_and_forge_are_down_and_stops_when_asked(repository: Path) -> None:
    with serving(repository) as (process, port):
        said(process, f"listening on port {port}")
        said(process, "done: rules")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=10) as answer:
            health = json.load(answer)
        process.terminate()
        code = process.wait(20)

    assert code == 0
    assert health["ok"] is True
    assert any(line.startswith("genesis") for line in log(repository, f"ledger/{health['looked'][:4]}"))


def test_a_second_process_on_its_port_is_told_which_setting(repository: Path) -> None:
    with (
        socket.create_server(("0.0.0.0", 0)) as taken,  # noqa: S104  as the bot listens
        serving(repository, PORT=str(taken.getsockname()[1])) as (process, _),
    ):
        lines = said(process, "PORT")
        code = process.wait(20)

    assert code == 2
    assert "Traceback" not in "".join(lines)
