"""Both ways in from Slack, signed HTTP and Socket Mode: the same gestures, the same answers; and a broken socket."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import pytest

from bot.answers import Recorded
from handlers.http import web
from handlers.slack import socket_mode
from handlers.slack.app import PROMOTE_IMAGE, PROMOTE_THIS, slack_app
from handlers.slack.cards import render
from handlers.slack.chat import web_client
from handlers.slack.errands import Errands
from handlers.slack.reply import Replies
from handlers.slack.socket_mode import SocketMode
from policies.entries.entry import Kind
from policies.words import Approve, Propose, Reject
from sandbox.http import serve
from sandbox.slack.courier import Courier
from sandbox.slack.feed import Message
from sandbox.slack.people import Person, words
from sandbox.slack.socket import METHOD, SlackSocket, SocketCourier
from sandbox.slack.twin import SlackTwin
from tests.handlers.samples import CHANGE, PROMOTION, EngineOfValues, FixedClock, card

SECRET = "sandbox-signing-secret"


@dataclass
class House:
    """A workspace and the bot in it, whichever way they speak."""

    twin: SlackTwin
    engine: EngineOfValues
    courier: Courier
    errands: Errands
    listeners: Executor
    socket: SlackSocket | None = None
    mode: SocketMode | None = None

    def finish(self) -> None:
        """Wait until all that was heard is done and answered."""
        self.listeners.shutdown()
        self.errands.close()

    def person(self, name: str) -> Person:
        return Person(self.twin, self.courier, name)

    def post(self) -> Message:
        drawn = render(card(), 1)
        room = self.twin.workspace.channel("deploys")
        return self.twin.workspace.post(room.id, "U0BOT", drawn.text, drawn.blocks)

    def told(self, user: str) -> str:
        self.finish()
        return "\n".join(words(one) for one in self.twin.workspace.whispers(user))


@contextmanager
def opened(*, by_socket: bool, before: Callable[[SlackTwin], None] | None = None) -> Iterator[House]:
    """Open a house that speaks one way."""
    twin, engine = SlackTwin(), EngineOfValues()
    with ExitStack() as stack:
        there = SlackSocket(twin)
        twin.url = stack.enter_context(serve(twin.app))
        if before is not None:
            before(twin)
        client = web_client(twin.token, twin.api_url)
        errands = Errands(Replies(client))
        app = slack_app(engine, client, errands, FixedClock(), secret="" if by_socket else SECRET)
        listeners = app.listener_runner.listener_executor
        if by_socket:
            stack.enter_context(there.opened())
            mode = SocketMode(app, client, there.app_token)
            stack.callback(mode.close)
            mode.start()
            house = House(twin, engine, SocketCourier(there), errands, listeners, there, mode)
            there.wait_for()
        else:
            bot = stack.enter_context(serve(web(app, secret=SECRET, health=lambda: {"ok": True})))
            house = House(twin, engine, Courier(f"{bot}/slack/events", SECRET), errands, listeners)
        yield house
        house.finish()


@pytest.fixture(params=["http", "socket"])
def house(request: pytest.FixtureRequest) -> Iterator[House]:
    with opened(by_socket=request.param == "socket") as made:
        yield made


# The same over both


def test_a_command_is_acknowledged_and_answered_in_private(house: House) -> None:
    ack = house.person("carol").command("/promote whoami")

    assert ack.is_ok
    assert "The rules take you for carol, of release-managers." in house.told("carol")
    assert house.twin.workspace.messages("deploys") == ()


def test_an_approval_reaches_the_engine_as_the_one_who_pressed(house: House) -> None:
    house.engine.answer = lambda _word: Recorded(
        kind=Kind.APPROVE,
        service="checkout-api",
        environment="production",
        version="1.4.2",
        given=2,
        wanted=2,
    )

    ack = house.person("bob").click(house.post(), "Approve")

    told = house.told("bob")
    ((speaker, word),) = house.engine.heard
    assert ack.is_ok
    assert word == Approve(PROMOTION, CHANGE[:12])
    assert (speaker.user, speaker.via) == ("U0BOB", "button")
    assert "Your approval of checkout-api 1.4.2 in production is recorded: 2 of 2 approvals." in told


def test_a_rejection_asks_in_a_form_refuses_an_empty_reason_and_hands_on_a_good_one(house: House) -> None:
    ada = house.person("ada")
    ack = ada.click(house.post(), "Reject...")
    view = ada.sees_view(since=ack.since)
    (why,) = [block["label"]["text"] for block in view.payload["blocks"] if block["type"] == "input"]

    refused = ada.submit(view, {why: "   "})
    taken = ada.submit(view, {why: "the load test failed"})

    house.finish()
    assert refused.json()["response_action"] == "errors"
    assert taken.is_ok
    assert [word for _, word in house.engine.heard] == [Reject(PROMOTION, "the load test failed")]


@pytest.mark.parametrize("callback", [PROMOTE_IMAGE, PROMOTE_THIS])
def test_a_shortcut_opens_the_form_and_its_answer_is_a_word(house: House, callback: str) -> None:
    carol = house.person("carol")
    ack = carol.shortcut(callback, house.post() if callback == PROMOTE_THIS else None)
    view = carol.sees_view(since=ack.since)

    sent = carol.submit(
        view, {"service": "checkout-api", "version": "1.4.2", "environment": "production", "why": "it counts"}
    )

    house.finish()
    assert ack.is_ok
    assert sent.is_ok
    assert [word for _, word in house.engine.heard] == [
        Propose("checkout-api", "1.4.2", "production", "it counts")
    ]


def test_a_home_is_published_to_who_opens_it(house: House) -> None:
    assert house.person("ada").open_home().is_ok

    house.finish()
    home = house.twin.workspace.views.home("U0ADA")
    assert home is not None
    assert "What runs where" in json.dumps(home.payload)


def test_twenty_clicks_at_once_are_twenty_words(house: House) -> None:
    shown = house.post()
    bob = house.person("bob")

    acks = [bob.click(shown, "Approve") for _ in range(20)]

    house.finish()
    assert all(ack.is_ok for ack in acks)
    assert len(house.engine.heard) == 20


# What only a socket does


@pytest.fixture
def wired() -> Iterator[House]:
    with opened(by_socket=True) as made:
        yield made


def until(look: Callable[[], object]) -> None:
    ends = time.monotonic() + 20
    while not look():
        assert time.monotonic() < ends, "it did not come to pass"
        time.sleep(0.02)


def test_a_connection_that_slack_takes_back_is_opened_anew(wired: House) -> None:
    assert wired.socket is not None

    wired.socket.disconnect()
    wired.socket.wait_for(2)
    wired.socket.wait_for(1, timeout=20)

    assert wired.person("carol").command("/promote whoami").is_ok


def test_a_connection_that_breaks_is_opened_anew(wired: House) -> None:
    assert wired.socket is not None

    wired.socket.cut()
    wired.socket.wait_for(0)
    wired.socket.wait_for(1, timeout=20)

    assert wired.person("carol").command("/promote whoami").is_ok


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("slash_commands", {}),
        ("slash_commands", {"command": "/other"}),
        ("interactive", {"type": "block_actions", "actions": "odd"}),
        ("interactive", {"type": "view_submission", "view": {}}),
        ("events_api", {"event": {}}),
        ("news", {"x": 1}),
    ],
)
def test_nonsense_on_the_socket_decides_nothing_and_breaks_nothing(
    wired: House, kind: str, payload: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert wired.socket is not None
    monkeypatch.setattr("sandbox.slack.socket.ACK_SECONDS", 0.3)
    with suppress(TimeoutError):  # what nobody understands need not be acknowledged
        wired.socket.deliver(kind, payload)
    monkeypatch.undo()

    assert wired.person("carol").command("/promote whoami").is_ok
    assert wired.engine.heard == []


def test_a_slack_that_is_down_at_the_start_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(socket_mode, "RETRY_SECONDS", 0.05)

    with opened(by_socket=True, before=lambda twin: twin.levers.fail(METHOD, "internal_error", 3)) as house:
        assert house.person("carol").command("/promote whoami").is_ok

    said = [one.message for one in caplog.records if "Slack cannot reach us" in one.message]
    assert len(said) == 1


def test_a_wrong_app_token_says_where_a_right_one_is_made(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(socket_mode, "RETRY_SECONDS", 0.05)

    with opened(by_socket=True, before=lambda twin: twin.levers.fail(METHOD, "invalid_auth", 1)):
        pass

    assert "SLACK_APP_TOKEN is not taken (invalid_auth)" in caplog.text
    assert "connections:write" in caplog.text
    assert "xapp-sandbox" not in caplog.text


def test_closing_twice_is_once_and_closing_before_the_start_is_fine() -> None:
    twin = SlackTwin(url="http://127.0.0.1:9")
    client = web_client(twin.token, twin.api_url)
    errands = Errands(Replies(client))
    app = slack_app(EngineOfValues(), client, errands, FixedClock(), secret="")
    mode = SocketMode(app, client, "xapp-sandbox")

    mode.close()
    mode.close()

    assert not mode.is_connected
    errands.close()
    app.listener_runner.listener_executor.shutdown()


# The twin keeps to the protocol


STRANGER = (
    "GET /link?ticket=guessed HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


def knock(address: str, head: str) -> bytes:
    host, _, port = address.removeprefix("ws://").partition("/")[0].partition(":")
    with socket.create_connection((host, int(port)), timeout=5) as wire:
        wire.sendall(head.encode())
        return wire.recv(4096)


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ("POST /link HTTP/1.1\r\n\r\n", b"400"),
        ("GET /link HTTP/1.1\r\nUpgrade: websocket\r\n\r\n", b"400"),
        ("GET /link HTTP/1.1\r\nX: " + "a" * 9000 + "\r\n\r\n", b"400"),
        (STRANGER, b"403"),
    ],
    ids=["no-get", "no-key", "too-long", "no-ticket"],
)
def test_the_twin_takes_no_connection_without_a_proper_handshake(head: str, status: bytes) -> None:
    there = SlackSocket(SlackTwin())
    with there.opened():
        assert knock(there._address, head).startswith(b"HTTP/1.1 " + status)
        assert there.connections == 0


def test_the_twin_says_when_no_app_is_there() -> None:
    there = SlackSocket(SlackTwin())
    with there.opened():
        ack = SocketCourier(there).send(SocketCourier(there).form({"command": "/promote"}))

    assert (ack.status, ack.error) == (0, "dispatch_failed")


def test_the_twin_drops_acknowledgements_that_answer_nothing(wired: House) -> None:
    assert wired.socket is not None
    for text in ("", "[]", "{", json.dumps({"envelope_id": ["x"]}), json.dumps({"envelope_id": "x"})):
        wired.socket.heard(text)

    assert wired.person("carol").command("/promote whoami").is_ok
