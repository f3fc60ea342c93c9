"""The runner: what git is given, what it is spared, and how it ends."""

import os
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.errors import BotError, PermanentError, SettingsError, TransientError
from bot.repository import git as runner
from bot.repository.git import Answer, Credentials, Git, LateError, complaint, failure, redact
from tests.repositories import make_bare

StandIn = Callable[[str], Git]
TOKEN = "canary-5f1d"
LOGIN = f"x-access-token:{TOKEN}"


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """Put a shell script in the place of git."""

    def write(script: str) -> Git:
        path = tmp_path / "bin" / "git"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
        path.chmod(0o755)
        monkeypatch.setenv("PATH", f"{path.parent}:{os.environ['PATH']}")
        return Git(tmp_path, credentials=Credentials("https://host.example/", lambda: LOGIN))

    return write


@pytest.mark.parametrize(
    "verb", ["status", "push --exec=sh", "-c", "--exec-path=/tmp", "clone", "config", ""]
)
def test_only_known_verbs_are_run(tmp_path: Path, verb: str) -> None:
    with pytest.raises(ValueError, match="not among the commands"):
        Git(tmp_path).run([verb])


def test_a_zero_byte_never_reaches_git(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not among the commands"):
        Git(tmp_path).run(["version", "a\0b"])


def test_nothing_of_the_machine_steers_git(stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    git = stand_in("env")
    for name in (
        "GIT_SSH",
        "GIT_TRACE",
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_CONFIG_PARAMETERS",
        "EDITOR",
        "HOME",
    ):
        monkeypatch.setenv(name, "evil")

    seen = git.run(["version"]).out.decode()

    assert "evil" not in seen
    assert "GIT_CONFIG_GLOBAL=/dev/null" in seen
    assert "GIT_TERMINAL_PROMPT=0" in seen
    assert "=core.hooksPath" in seen


def test_a_token_goes_by_environment_to_remote_commands_only(stand_in: StandIn) -> None:
    git = stand_in('echo "arguments: $*"; env')
    header = "Authorization: Basic " + b64encode(LOGIN.encode()).decode()

    push = git.run(["push", "origin"]).out.decode()
    listing = git.run(["ls-tree"]).out.decode()

    assert header in push
    assert "=http.https://host.example/.extraHeader" in push
    assert header not in push.splitlines()[0]
    assert TOKEN not in listing
    assert "extraHeader" not in listing


def test_a_token_is_asked_for_anew_each_time(stand_in: StandIn) -> None:
    stand_in("env")
    logins = iter(["u:first", "u:second"])
    git = Git(Path("/"), credentials=Credentials("https://host.example/", lambda: next(logins)))

    assert b64encode(b"u:first") in git.run(["fetch"]).out
    assert b64encode(b"u:second") in git.run(["fetch"]).out


REFUSALS = {
    "401": ("fatal: Authentication failed for 'https://host.example/x'", True),
    "403": ("fatal: unable to access 'https://host.example/': The requested URL returned error: 403", True),
    "no way to ask": ("fatal: could not read Username for 'https://host.example': prompts disabled", True),
    "a protected branch": ("remote: error: GH006: Protected branch update failed for refs/heads/main", False),
    "somebody was faster": (" ! [rejected] main -> main (fetch first)", False),
    "the host is down": ("fatal: The requested URL returned error: 503", False),
}


@pytest.mark.parametrize(("said", "is_renewed"), REFUSALS.values(), ids=REFUSALS)
@pytest.mark.parametrize("verb", ["fetch", "push"])
def test_a_refused_token_is_renewed_once(
    stand_in: StandIn, verb: str, said: str, *, is_renewed: bool
) -> None:
    stand_in(f"cat >&2 <<'END'\n{said}\nEND\nexit 1")
    logins, refused = iter(["u:first", "u:second", "u:third"]), []

    def refuse(login: str) -> bool:
        refused.append(login)
        return True

    git = Git(Path("/"), credentials=Credentials("https://host.example/", lambda: next(logins), refuse))

    assert git.run([verb, "origin"], check=False).code == 1
    assert refused == (["u:first"] if is_renewed else [])
    assert next(logins) == ("u:third" if is_renewed else "u:second")


def test_with_another_token_it_works(stand_in: StandIn) -> None:
    second = b64encode(b"u:second").decode()
    stand_in(f"env | grep -q '{second}' && exit 0; echo 'returned error: 401' >&2; exit 128")
    logins = iter(["u:first", "u:second"])
    credentials = Credentials("https://host.example/", lambda: next(logins), lambda _login: True)

    assert Git(Path("/"), credentials=credentials).run(["push", "origin"]).code == 0


def test_a_token_of_which_there_is_one_is_not_tried_twice(stand_in: StandIn) -> None:
    stand_in("echo 'returned error: 401' >&2; exit 128")
    logins = iter(["u:first"])
    credentials = Credentials("https://host.example/", lambda: next(logins), lambda _login: False)

    assert Git(Path("/"), credentials=credentials).run(["push", "origin"], check=False).code == 128


def test_a_token_cannot_bring_a_header_of_its_own(stand_in: StandIn) -> None:
    stand_in("env")
    git = Git(Path("/"), credentials=Credentials("https://host.example/", lambda: "u:a\r\nHost: b"))

    with pytest.raises(SettingsError, match="characters that no token has"):
        git.run(["fetch"])


def test_what_git_complains_about_is_redacted(stand_in: StandIn) -> None:
    git = stand_in(
        f"echo 'fatal: {TOKEN} at https://u:{TOKEN}@host/ {b64encode(LOGIN.encode()).decode()}' >&2; exit 128"
    )

    with pytest.raises(PermanentError) as raised:
        git.run(["push", "origin"])

    assert TOKEN not in str(raised.value)
    assert b64encode(LOGIN.encode()).decode() not in str(raised.value)
    assert "git push failed (exit 128)" in str(raised.value)


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        pytest.param("https://ada:s3cret@host/x", "s3cret", id="login-in-url"),
        pytest.param("https://s3cret@host/x", "s3cret", id="token-in-url"),
        pytest.param("used ghs_abcDEF123 here", "ghs_abcDEF123", id="app-token"),
        pytest.param("used github_pat_11A_xyz", "github_pat_11A_xyz", id="fine-grained-token"),
        pytest.param("xoxb-1-2-abc", "xoxb-1-2-abc", id="chat-token"),
    ],
)
def test_secrets_are_known_by_their_shape(text: str, secret: str) -> None:
    assert secret not in redact(text)


def test_a_late_command_ends_with_its_whole_group(stand_in: StandIn) -> None:
    git = stand_in("sleep 600 & sleep 600")
    reading, writing = os.pipe()

    with pytest.raises(LateError, match="git fetch took longer"):
        git.run(["fetch"], timeout_seconds=0.3, keep_open=[writing])

    os.close(writing)
    assert os.read(reading, 1) == b""  # comes only when nobody of the group is left to write
    os.close(reading)


def test_a_background_child_that_keeps_the_pipes_is_not_waited_for_for_ever(stand_in: StandIn) -> None:
    git = stand_in("sleep 600 & exit 0")

    with pytest.raises(LateError):
        git.run(["fetch"], timeout_seconds=0.3)


def test_more_than_anybody_reads_is_refused(stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    git = stand_in("yes")
    monkeypatch.setattr(runner, "MAX_OUTPUT_BYTES", 100_000)

    with pytest.raises(PermanentError, match="said more than 100000 bytes"):
        git.run(["ls-tree"])


def test_complaints_are_cut_and_their_end_is_kept(stand_in: StandIn) -> None:
    git = stand_in("yes | head -n 200000 >&2; echo the end >&2; exit 1")

    answer = git.run(["ls-tree"], check=False)

    assert len(answer.err) <= runner.MAX_ERROR_BYTES
    assert answer.err.endswith("the end\n")


def test_much_goes_in_while_much_comes_out(tmp_path: Path) -> None:
    git = Git(make_bare(tmp_path / "r.git", [{"a": "1"}]))
    asked = b"".join(b"%040x\n" % number for number in range(60_000))

    out = git.run(["cat-file", "--batch-check"], stdin=asked).out

    assert out.count(b" missing\n") == 60_000


def test_a_command_that_does_not_read_is_no_error(stand_in: StandIn) -> None:
    git = stand_in("exec 0<&-; echo done")

    assert git.run(["ls-tree"], stdin=b"x" * 1_000_000).out == b"done\n"


@pytest.mark.parametrize(
    ("err", "kind"),
    [
        ("fatal: unable to access 'https://h/': Could not resolve host: h", TransientError),
        ("fatal: unable to access 'https://h/': The requested URL returned error: 503", TransientError),
        ("fatal: unable to access 'https://h/': The requested URL returned error: 403", PermanentError),
        ("error: RPC failed; curl 56\nfatal: early EOF", TransientError),
        ("git@h: Permission denied (publickey).\nfatal: the remote end hung up unexpectedly", PermanentError),
        ("remote: Repository not found.\nfatal: repository 'https://h/' not found", PermanentError),
        ("fatal: bad object 123", PermanentError),
        ("fatal: Unable to create '/x/packed-refs.lock': File exists.", TransientError),
    ],
)
def test_failures_are_sorted_by_what_one_can_do(err: str, kind: type[BotError]) -> None:
    assert type(failure("fetch", Answer(128, b"", err))) is kind


def test_a_killed_command_may_be_tried_again() -> None:
    assert isinstance(failure("fetch", Answer(-9, b"", "")), TransientError)


def test_a_complaint_is_one_printable_line() -> None:
    assert complaint("one\x1b[31m\n\n  two\r\n") == "one[31m; two"
    assert complaint("") == "no reason given"


@pytest.mark.parametrize("said", ["git version 2.37.9", "git version 1.9", "something else", ""])
def test_an_old_git_is_refused_with_what_to_do(stand_in: StandIn, said: str) -> None:
    with pytest.raises(PermanentError, match=r"git 2\.38 or newer is needed.*install a newer git"):
        stand_in(f"echo '{said}'").require_version()


def test_a_newer_git_is_fine(stand_in: StandIn) -> None:
    stand_in("echo 'git version 3.1.0 (Somebody Git-1)'").require_version()


def test_a_missing_git_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(PermanentError, match="git is not installed"):
        Git(tmp_path).require_version()
