"""The forge twin's Apps, spoken to by the real PyGithub: words, installations, tokens, and checks of their own."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from github import Auth, Github, GithubException
from github.Requester import Requester

from sandbox.forge.twin import AppAccount, ForgeTwin, User
from sandbox.git import Git
from sandbox.http import serve

BOT = User(900, "countersign-bot", "token-bot", is_bot=True)
START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
HERE = "/repos/example/gitops"
ALL = {
    "metadata": "read",
    "contents": "write",
    "pull_requests": "write",
    "checks": "write",
    "statuses": "write",
}


@cache
def key(name: str = "ours") -> RSAPrivateKey:
    """Return the key of that name."""
    return generate_private_key(65_537, 2048)


def account(number: int = 4711, **changed: Any) -> AppAccount:
    pem = key(str(number)).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    known: dict[str, Any] = {
        "installation": number + 1,
        "login": f"app-{number}[bot]",
        "permissions": dict(ALL),
    }
    return AppAccount(id=number, public_key=pem, **(known | changed))


@dataclass
class Forge:
    """The twin, and who asks."""

    twin: ForgeTwin
    url: str
    stack: ExitStack
    clock: list[datetime]
    head: str
    clients: dict[str, Requester] = field(default_factory=dict)

    def word(self, number: int = 4711, signer: str = "", algorithm: str = "RS256", **claims: Any) -> str:
        now = self.clock[0].timestamp()
        said = {"iat": int(now) - 60, "exp": int(now) + 540, "iss": str(number)} | claims
        secret: Any = key(signer or str(number)) if algorithm == "RS256" else "x" * 64
        return jwt.encode({name: one for name, one in said.items() if one is not None}, secret, algorithm)

    def ask(self, token: str, verb: str, address: str, **body: Any) -> Any:
        if token not in self.clients:
            client = Github(
                base_url=self.url,
                auth=Auth.AppAuthToken(token),
                retry=None,
                seconds_between_requests=0,
                seconds_between_writes=0,
            )
            self.stack.callback(client.close)
            self.clients[token] = client.requester
        return self.clients[token].requestJsonAndCheck(verb, address, input=body or None)[1]

    def token(self, number: int = 4711) -> str:
        address = f"/app/installations/{number + 1}/access_tokens"
        return str(self.ask(self.word(number), "POST", address, repositories=["gitops"])["token"])


@pytest.fixture
def forge(tmp_path: Path) -> Iterator[Forge]:
    path = tmp_path / "gitops.git"
    Git.bare(path)
    clock = [START]
    twin = ForgeTwin(path, users=(BOT,), clock=lambda: clock[0])
    head = twin.push_to_branch("main", {"a.yaml": "a: b\n"}, "Begin", login=BOT.login)
    twin.install_app(account())
    with ExitStack() as stack:
        yield Forge(twin, stack.enter_context(serve(twin.app, name="localhost")), stack, clock, head)


def refused(forge: Forge, token: str, verb: str, address: str, **body: Any) -> tuple[int, str]:
    with pytest.raises(GithubException) as caught:
        forge.ask(token, verb, address, **body)
    said = caught.value.data if isinstance(caught.value.data, dict) else {}
    return caught.value.status, str(said.get("message"))


def test_an_app_says_who_it_is_and_where_it_is_installed(forge: Forge) -> None:
    word = forge.word()

    assert forge.ask(word, "GET", "/app")["slug"] == "app-4711"
    found = forge.ask(word, "GET", f"{HERE}/installation")
    assert (found["id"], found["app_id"], found["permissions"]) == (4712, 4711, ALL)


WORDS: dict[str, tuple[dict[str, Any], str]] = {
    "another key": ({"signer": "stranger"}, "could not be decoded"),
    "a secret for a key": ({"algorithm": "HS256"}, "could not be decoded"),
    "nobody": ({"iss": None}, "could not be decoded"),
    "another App": ({"iss": "1"}, "could not be decoded"),
    "no end": ({"exp": None}, "could not be decoded"),
    "an end too far": ({"exp": int(START.timestamp()) + 601}, "too far in the future"),
    "an end that was": ({"exp": int(START.timestamp()) - 1}, "'exp'"),
    "from the future": ({"iat": int(START.timestamp()) + 120}, "'iat'"),
}


@pytest.mark.parametrize(("claims", "says"), WORDS.values(), ids=WORDS)
def test_a_word_that_is_not_the_apps_is_refused(forge: Forge, claims: dict[str, Any], says: str) -> None:
    status, said = refused(forge, forge.word(**claims), "GET", "/app")

    assert (status, says in said) == (401, True)


def test_a_token_ends_after_an_hour_or_when_it_is_revoked(forge: Forge) -> None:
    token = forge.token()
    assert forge.ask(token, "GET", HERE)["full_name"] == "example/gitops"

    forge.clock[0] += timedelta(hours=1)
    assert refused(forge, token, "GET", HERE) == (401, "Bad credentials")
    second = forge.token()
    forge.twin.revoke_app_tokens()
    assert refused(forge, second, "GET", HERE) == (401, "Bad credentials")


def test_a_word_is_no_token_and_a_token_is_no_word(forge: Forge) -> None:
    assert refused(forge, forge.word(), "GET", HERE)[0] == 401
    assert refused(forge, forge.token(), "GET", "/app")[0] == 401
    assert refused(forge, BOT.token, "GET", "/app")[0] == 401


def test_an_installation_that_is_not_there_or_stands_still_gives_no_token(forge: Forge) -> None:
    address = "/app/installations/4712/access_tokens"

    assert refused(forge, forge.word(), "POST", "/app/installations/1/access_tokens")[0] == 404
    assert refused(forge, forge.word(), "POST", address, repositories=["other"])[0] == 422
    forge.twin.install_app(account(is_suspended=True))
    assert refused(forge, forge.word(), "POST", address) == (403, "This installation has been suspended")
    forge.twin.install_app(account(installation=0))
    assert refused(forge, forge.word(), "GET", f"{HERE}/installation")[0] == 404


NEEDS: dict[str, tuple[str, str, str]] = {
    "pulls": ("GET", "/pulls", "pull_requests"),
    "opening": ("POST", "/pulls", "pull_requests"),
    "checks": ("POST", "/check-runs", "checks"),
    "checks of a commit": ("GET", "/commits/main/check-runs", "checks"),
    "statuses": ("POST", "/statuses/main", "statuses"),
    "statuses of a commit": ("GET", "/commits/main/statuses", "statuses"),
    "files": ("GET", "/contents/a.yaml", "contents"),
    "merging": ("PUT", "/pulls/1/merge", "contents"),
}


@pytest.mark.parametrize(("verb", "path", "permission"), NEEDS.values(), ids=NEEDS)
def test_an_app_may_do_what_it_has_a_permission_for(
    forge: Forge, verb: str, path: str, permission: str
) -> None:
    forge.twin.install_app(
        account(permissions={name: level for name, level in ALL.items() if name != permission})
    )

    assert refused(forge, forge.token(), verb, HERE + path) == (403, "Resource not accessible by integration")


def test_a_check_run_goes_its_way_and_ends_once(forge: Forge) -> None:
    token = forge.token()
    output = {"title": "Waits", "summary": "- quorum"}
    made = forge.ask(
        token, "POST", f"{HERE}/check-runs", name="countersign", head_sha=forge.head, output=output
    )
    address = f"{HERE}/check-runs/{made['id']}"

    assert (made["status"], made["conclusion"], made["app"]["id"]) == ("queued", None, 4711)
    assert forge.ask(token, "PATCH", address, status="in_progress")["status"] == "in_progress"
    ended = forge.ask(token, "PATCH", address, conclusion="success")
    assert (ended["status"], ended["conclusion"], ended["output"]["title"]) == (
        "completed",
        "success",
        "Waits",
    )
    assert forge.ask(token, "PATCH", address, status="in_progress")["status"] == "completed"
    listed = forge.ask(token, "GET", f"{HERE}/commits/main/check-runs?check_name=countersign")
    assert [run["id"] for run in listed["check_runs"]] == [made["id"]]
    assert forge.ask(token, "GET", address)["output"]["summary"] == "- quorum"


def test_check_runs_are_made_by_apps_and_changed_by_their_own(forge: Forge) -> None:
    forge.twin.install_app(account(5000))
    made = forge.ask(forge.token(), "POST", f"{HERE}/check-runs", name="countersign", head_sha=forge.head)
    address = f"{HERE}/check-runs/{made['id']}"

    by_person = refused(forge, BOT.token, "POST", f"{HERE}/check-runs", name="x", head_sha=forge.head)
    assert by_person == (403, "You must authenticate via a GitHub App.")
    assert refused(forge, forge.token(5000), "PATCH", address, conclusion="success")[0] == 403


RUNS: dict[str, dict[str, Any]] = {
    "no name": {"name": ""},
    "no commit": {"head_sha": "0" * 40},
    "a branch": {"head_sha": "main"},
    "a status of ours": {"status": "waiting"},
    "a conclusion of ours": {"conclusion": "good"},
    "an end without a conclusion": {"status": "completed"},
    "an output without a title": {"output": {"summary": "x"}},
    "an output too long": {"output": {"title": "x", "summary": "x" * 65_536}},
}


@pytest.mark.parametrize("wrong", RUNS.values(), ids=RUNS)
def test_a_check_run_that_github_would_refuse_is_refused(forge: Forge, wrong: dict[str, Any]) -> None:
    body = {"name": "countersign", "head_sha": forge.head} | wrong

    assert refused(forge, forge.token(), "POST", f"{HERE}/check-runs", **body)[0] == 422
    assert forge.twin.check_runs("main") == []


def test_a_file_is_shown_with_its_content_and_a_large_one_without(forge: Forge) -> None:
    large = {"large.yaml": "#" * (1 << 20) + "\n", "in/deep file.yaml": "a: ä\n"}
    forge.twin.push_to_branch("other", large, "More", login=BOT.login, start="main")
    token = forge.token()

    small = forge.ask(token, "GET", f"{HERE}/contents/in/deep%20file.yaml?ref=other")
    assert (small["encoding"], small["path"], small["content"]) == (
        "base64",
        "in/deep file.yaml",
        "YTogw6QK\n",
    )
    assert forge.ask(token, "GET", f"{HERE}/contents/large.yaml?ref=other")["encoding"] == "none"
    assert refused(forge, token, "GET", f"{HERE}/contents/large.yaml")[0] == 404
    assert refused(forge, token, "GET", f"{HERE}/contents/in?ref=other")[0] == 404
