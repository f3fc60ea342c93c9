"""The HTTP door: forged, old, malformed and huge requests are refused; health is told."""

import http.client
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest
from slack_sdk import WebClient

from handlers.http import MAX_BODY, web
from handlers.slack.app import slack_app
from handlers.slack.errands import Errands
from handlers.slack.reply import Replies
from sandbox.http import serve
from sandbox.slack.courier import Courier, Envelope, signature
from tests.handlers.samples import EngineOfValues, FixedClock

SECRET = "sandbox-signing-secret"
FORM = {
    "command": "/promote",
    "text": "checkout-api",
    "user_id": "U0ADA",
    "team_id": "T0SANDBOX",
    "trigger_id": "1.2.3",
}


@dataclass
class Door:
    """The bot's door, and what it lets through."""

    url: str
    engine: EngineOfValues
    errands: Errands
    health: dict[str, Any]
    listeners: Any

    @property
    def courier(self) -> Courier:
        return Courier(f"{self.url}/slack/events", SECRET)

    def finish(self) -> None:
        self.listeners.shutdown()
        self.errands.close()

    def get(self, path: str, method: str = "GET") -> tuple[int, str]:
        where = urlsplit(self.url)
        connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=5)
        try:
            connection.request(method, path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()


@pytest.fixture(scope="module")
def door() -> Iterator[Door]:
    client = WebClient(token="xoxb-sandbox", base_url="http://127.0.0.1:9/api/", timeout=1)
    errands, engine, health = Errands(Replies(client)), EngineOfValues(), {"ok": True}
    app = slack_app(engine, client, errands, FixedClock(), secret=SECRET)
    with serve(web(app, secret=SECRET, health=lambda: health)) as url:
        made = Door(url, engine, errands, health, app.listener_runner.listener_executor)
        yield made
        made.finish()


def sealed(body: bytes, timestamp: str, proof: str = "") -> Envelope:
    kind = "application/x-www-form-urlencoded"
    made = proof or signature(SECRET, timestamp, body)
    headers = {"Content-Type": kind, "X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": made}
    return Envelope(body, headers)


def test_slack_may_check_the_address_of_the_events(door: Door) -> None:
    asked = {"type": "url_verification", "token": "x", "challenge": "3eZbrw1aBm2rZgRNFdxV"}

    ack = door.courier.send(door.courier.event(asked))

    assert ack.is_ok
    assert "3eZbrw1aBm2rZgRNFdxV" in ack.body


def test_a_signed_command_is_acknowledged(door: Door) -> None:
    ack = door.courier.send(door.courier.form(FORM))

    assert ack.is_ok


@pytest.mark.parametrize("seconds", [1, 240])
def test_a_request_may_be_some_minutes_old(door: Door, seconds: int) -> None:
    assert door.courier.send(door.courier.form(FORM, at=time.time() - seconds)).status == 200


@pytest.mark.parametrize("seconds", [301, 3600, -360])  # in the future with room for a slow machine
def test_an_old_or_future_request_is_refused(door: Door, seconds: int) -> None:
    assert door.courier.send(door.courier.form(FORM, at=time.time() - seconds)).status == 401


def test_a_forged_signature_is_refused(door: Door) -> None:
    assert door.courier.send(door.courier.form(FORM, secret="guessed")).status == 401


def test_a_body_that_was_changed_on_the_way_is_refused(door: Door) -> None:
    sealed_once = door.courier.form(FORM)

    assert door.courier.send(Envelope(sealed_once.body + b"&text=web", sealed_once.headers)).status == 401


@pytest.mark.parametrize("timestamp", ["", "soon", "1e9", "-1", "1" * 400, "٣", "nan", "0x10", " "])
def test_a_time_that_is_no_number_is_refused(door: Door, timestamp: str) -> None:
    proof = "v0=" + "0" * 64
    envelope = sealed(b"x", "0", proof)
    headers = envelope.headers | {"X-Slack-Request-Timestamp": timestamp.encode().decode("latin-1")}

    assert door.courier.send(Envelope(b"x", headers)).status == 401


@pytest.mark.parametrize("proof", ["v0=\xe9", "\xff" * 50, "v0=", "=", "v1=abc"])
def test_a_signature_of_odd_characters_is_refused(door: Door, proof: str) -> None:
    assert door.courier.send(sealed(b"x", str(int(time.time())), proof)).status == 401


def test_a_request_without_any_proof_is_refused(door: Door) -> None:
    assert door.courier.send(Envelope(b"payload={}", {})).status == 401


def test_a_body_that_is_no_text_is_refused_even_when_signed(door: Door) -> None:
    assert door.courier.send(sealed(b"\xff\xfe\xff", str(int(time.time())))).status == 401


def test_a_body_that_is_too_large_is_refused(door: Door) -> None:
    assert door.courier.send(sealed(b"a" * (MAX_BODY + 1), str(int(time.time())))).status == 413


@pytest.mark.parametrize(
    "body", [b"payload=%7B", b"payload=null", b"payload=[1]", b"{", b"", b"payload=%7B%7D"]
)
def test_signed_nonsense_decides_nothing_and_breaks_nothing(door: Door, body: bytes) -> None:
    heard = len(door.engine.heard)

    ack = door.courier.send(sealed(body, str(int(time.time()))))

    assert ack.status in {400, 404, 500}
    assert len(door.engine.heard) == heard
    assert door.courier.send(door.courier.form(FORM)).is_ok


def test_whatever_a_stranger_sends_is_refused(door: Door) -> None:
    chance = random.Random(11)  # noqa: S311  a seed, not a secret
    for _ in range(200):
        body = chance.randbytes(chance.randrange(40))
        odd = {
            name: bytes(chance.choice(range(33, 256)) for _ in range(chance.randrange(1, 80))).decode(
                "latin-1"
            )
            for name in ("X-Slack-Request-Timestamp", "X-Slack-Signature")
        }
        assert door.courier.send(Envelope(body, odd)).status == 401


def test_slacks_question_whether_the_address_is_ours_is_answered(door: Door) -> None:
    asked = door.courier.event({"type": "url_verification", "challenge": "c0ffee"})

    ack = door.courier.send(asked)

    assert ack.status == 200
    assert "c0ffee" in ack.body


def test_health_is_told(door: Door) -> None:
    assert door.get("/healthz") == (200, '{"ok":true}')

    door.health["ok"] = False
    try:
        assert door.get("/healthz")[0] == 503
    finally:
        door.health["ok"] = True


def test_other_ways_in_are_closed(door: Door) -> None:
    assert door.get("/slack/events")[0] == 405
    assert door.get("/")[0] == 404
    assert door.get("/healthz", "POST")[0] == 405


def test_a_health_that_cannot_be_told_is_none() -> None:
    def fails() -> dict[str, Any]:
        raise KeyError("state")

    client = WebClient(token="xoxb-sandbox", base_url="http://127.0.0.1:9/api/")
    errands = Errands(Replies(client))
    app = slack_app(EngineOfValues(), client, errands, FixedClock(), secret=SECRET)
    with serve(web(app, secret=SECRET, health=fails)) as url:
        made = Door(url, EngineOfValues(), errands, {}, app.listener_runner.listener_executor)
        assert made.get("/healthz") == (503, '{"ok":false}')
        made.finish()
