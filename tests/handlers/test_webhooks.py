"""GitHub's webhooks: signed ones wake the pass, once for a burst; nobody else does, and nothing is obeyed."""

import hashlib
import hmac
import http.client
import json
import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from starlette.applications import Starlette

from handlers import webhooks as module
from handlers.webhooks import WAKING, Doorbell, webhooks
from sandbox.http import serve

SECRET = "sandbox-webhook-secret"


@dataclass
class Gate:
    """The route as it is served, and how often the bell rang."""

    url: str = ""
    rings: list[bool] = field(default_factory=list)
    pressed: list[bool] = field(default_factory=list)

    def press(self, *, is_package: bool = False) -> None:
        self.pressed.append(is_package)

    def send(
        self, body: bytes = b"{}", *, event: str | None = "push", proof: str | None = "", method: str = "POST"
    ) -> tuple[int, str]:
        headers = {"Content-Type": "application/json"}
        if event is not None:
            headers["X-GitHub-Event"] = event
        if proof is not None:
            headers["X-Hub-Signature-256"] = proof or signed(body)
        where = urlsplit(self.url)
        connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=10)
        try:
            connection.request(method, "/webhooks", body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()


def signed(body: bytes, secret: str = SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


@pytest.fixture
def gate() -> Iterator[Gate]:
    made = Gate()
    # The bell's own timing has tests of its own, below.
    bell = Doorbell(made.rings.append)
    bell.press = made.press  # type: ignore[method-assign]
    with serve(Starlette(routes=[webhooks(SECRET, bell)])) as url:
        made.url = url
        yield made


@pytest.mark.parametrize("event", sorted(WAKING))
def test_what_may_have_changed_something_wakes_the_pass(gate: Gate, event: str) -> None:
    assert gate.send(event=event)[0] == 202
    assert gate.pressed == [event in {"package", "registry_package"}]


@pytest.mark.parametrize(
    ("event", "answer"),
    [
        ("ping", "pong"),
        ("star", "star changes nothing here"),
        ("<b>", "this event changes nothing here"),
        (None, "this event changes nothing here"),
    ],
)
def test_other_events_are_ignored_politely(gate: Gate, event: str | None, answer: str) -> None:
    assert gate.send(event=event) == (200, answer)
    assert gate.pressed == []


@pytest.mark.parametrize(
    "proof",
    [
        None,
        "sha256=",
        "sha256=" + "0" * 64,
        "sha1=" + "0" * 40,
        signed(b"{}", "guessed"),
        signed(b"{} "),
        signed(b"{}").upper(),
        signed(b"{}") + "0",
        "sha256=" + "\xe9" * 64,
    ],
    ids=["none", "empty", "zeros", "sha1", "other-secret", "other-body", "upper", "longer", "odd"],
)
def test_what_github_did_not_sign_wakes_nobody(gate: Gate, proof: str | None) -> None:
    assert gate.send(proof=proof) == (401, "invalid signature")
    assert gate.pressed == []


def test_whatever_a_stranger_sends_wakes_nobody(gate: Gate) -> None:
    chance = random.Random(12)  # noqa: S311  a seed, not a secret
    for _ in range(100):
        body = chance.randbytes(chance.randrange(60))
        proof = bytes(chance.choice(range(33, 256)) for _ in range(chance.randrange(1, 80)))
        assert gate.send(body, proof=proof.decode("latin-1"))[0] == 401
    assert gate.pressed == []


def test_a_body_beyond_the_cap_is_refused(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BODY", 1000)

    assert gate.send(b"a" * 1000)[0] == 202
    assert gate.send(b"a" * 1001) == (413, "too large")
    assert len(gate.pressed) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"\xff\xfe",
        json.dumps(
            {"ref": "refs/heads/main", "forced": True, "repository": {"full_name": "evil/other"}}
        ).encode(),
        b"[" * 5000,
    ],
    ids=["empty", "broken", "null", "no-text", "another-repository", "deep"],
)
def test_what_stands_in_the_body_is_never_obeyed(gate: Gate, body: bytes) -> None:
    assert gate.send(body)[0] == 202
    assert gate.pressed == [False]


def test_there_is_no_other_way_in(gate: Gate) -> None:
    assert gate.send(method="GET")[0] == 405


def test_without_a_secret_there_is_no_route() -> None:
    with pytest.raises(ValueError, match="secret"):
        webhooks("", Doorbell(lambda _is_package: None))


# The bell


def test_a_burst_rings_once_and_remembers_that_a_package_was_in_it() -> None:
    rings: list[bool] = []
    rung = threading.Event()

    def ring(is_package: bool) -> None:  # noqa: FBT001  as the bell calls it
        rings.append(is_package)
        rung.set()

    bell = Doorbell(ring, quiet_seconds=0.3)
    for number in range(50):
        bell.press(is_package=number == 20)

    assert rung.wait(10)
    assert rings == [True]
    rung.clear()
    bell.press()
    assert rung.wait(10)
    assert rings == [True, False]
    bell.close()


def test_a_closed_bell_does_not_ring() -> None:
    rings: list[bool] = []
    bell = Doorbell(rings.append, quiet_seconds=0.05)
    bell.press()
    bell.close()
    bell.press()

    assert bell._timer is not None
    bell._timer.join(5)

    assert rings == []


def test_a_ring_that_was_due_as_the_bell_was_closed_is_not_heard() -> None:
    rings: list[bool] = []
    bell = Doorbell(rings.append)
    bell.close()

    bell._rung()

    assert rings == []
