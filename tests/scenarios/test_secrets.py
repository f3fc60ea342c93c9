"""Marked secrets in every setting that holds one: none is found in a log, a message, an entry, or Git afterwards."""

import base64
import secrets
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import quote

import pytest

from bot.settings import Settings
from sandbox import day
from sandbox.bot import BotProcess
from sandbox.narrator import Narrator
from sandbox.scene import Scene
from sandbox.slack.people import words
from sandbox.slack.socket import METHOD, SlackSocket, SocketCourier
from sandbox.world import World, opened
from tests.repositories import private_key

pytestmark = pytest.mark.timeout(180)
MARK = "c4n4ry"
# Settings whose values are secret, by how they are declared; the signing key is a text of its own, see below.
SECRET = {
    str(field.alias)
    for field in Settings.model_fields.values()
    if field.annotation is not None and "Secret" in str(field.annotation) and field.alias
}


def marked(prefix: str = "") -> str:
    return f"{prefix}{MARK}{secrets.token_hex(12)}{MARK}"


def canaries(world: World) -> dict[str, str]:
    """Return settings that serve the world, with a marked value in each that is secret."""
    key = world.signing_key.read_text("ascii")
    return {
        **world.settings,
        "COUNTERSIGN_SIGNING_KEY": key,
        "COUNTERSIGN_SIGNING_KEY_NEXT": private_key(),
        "COUNTERSIGN_MIRROR_REMOTE": f"https://bot:{marked()}@127.0.0.1:9/ledger.git",  # nothing listens there
        "COUNTERSIGN_LOG": "DEBUG",
        "COUNTERSIGN_DEBUG": "1",
        "GITHUB_WEBHOOK_SECRET": marked(),
        "SLACK_APP_TOKEN": marked("xapp-1-"),
        "SLACK_SIGNING_SECRET": marked(),
    }


def traces(settings: dict[str, str]) -> set[str]:
    """Return what may be found nowhere: each secret, and what it looks like as it is usually written."""
    found: set[str] = set()
    for name in SECRET & settings.keys():
        value = settings[name]
        if name.startswith("COUNTERSIGN_SIGNING_KEY"):
            found |= {line for line in value.splitlines() if len(line) > 30 and "KEY-----" not in line}
        elif name == "COUNTERSIGN_MIRROR_REMOTE":
            login = value.partition("://")[2].partition("@")[0]
            found |= {login.partition(":")[2], base64.b64encode(login.encode()).decode()}
        else:
            found |= {
                value,
                quote(value, safe=""),
                base64.b64encode(f"x-access-token:{value}".encode()).decode(),
            }
    return found


@pytest.fixture
def there(tmp_path: Path) -> Iterator[tuple[Scene, SlackSocket]]:
    with ExitStack() as stack:
        world = stack.enter_context(opened(tmp_path))
        settings = canaries(world)
        socket = SlackSocket(world.slack, app_token=settings["SLACK_APP_TOKEN"])
        stack.enter_context(socket.opened())
        wired = replace(world, courier=SocketCourier(socket), settings=settings)
        narrator = stack.enter_context(Narrator(wired, write=lambda _text: None))
        yield Scene(wired, stack.enter_context(BotProcess(wired)), narrator), socket


def asked(scene: Scene, method: str, path: str, **headers: str) -> str:
    connection = HTTPConnection("127.0.0.1", scene.world.bot_port, timeout=10)
    connection.request(method, path, b"{}" if method == "POST" else None, headers)
    text = connection.getresponse().read().decode()
    connection.close()
    return text


def everything(scene: Scene) -> Iterator[tuple[str, str]]:
    """Yield all that anybody could read after a day: where, and what."""
    yield "the log", scene.bot.log.read_text("utf-8")
    for event in scene.world.slack.workspace.feed.events():
        if event.message is not None:
            yield "a message", words(event.message) + repr(event.message)
    for entry in scene.record.entries():
        yield "an entry", repr(entry.line)
    git = scene.world.git
    yield "Git", git.text("log", "--all", "-p", "--format=raw")
    yield "the forge", repr(scene.world.forge.snapshot())
    for path in ("/healthz", "/metrics"):
        yield path, asked(scene, "GET", path)
    yield "a refused webhook", asked(scene, "POST", "/webhooks", **{"X-Hub-Signature-256": "sha256=0"})
    yield "verify", scene.bot.ask("verify").output


def test_every_secret_setting_has_its_canary(there: tuple[Scene, SlackSocket]) -> None:
    scene, _ = there
    unset = {"GITHUB_APP_PRIVATE_KEY"}  # an App's key and a token are never there together

    assert SECRET - unset <= scene.world.settings.keys()
    assert len(SECRET - unset) >= 6


def test_no_secret_is_found_anywhere_after_a_day_with_troubles(there: tuple[Scene, SlackSocket]) -> None:
    scene, socket = there
    slack = scene.world.slack
    slack.levers.fail(METHOD, "internal_error", 1)
    scene.bot.start()
    socket.wait_for(timeout=30)
    day.published(scene, "1.4.2")
    asked_for = day.asks(scene, "carol", "1.4.2", "we look for birds")
    day.approves(scene, "ada", "1.4.2", asked_for)
    slack.levers.fail("chat.update", "invalid_auth", 2)
    slack.levers.drop("chat.postMessage", 1)
    day.approves(scene, "bob", "1.4.2", asked_for)
    day.lands(scene, "1.4.2", asked_for)
    scene.command("ada", "/promote rollback checkout-api in production because it has wings")
    scene.entry("the way back is recorded", "rollback", person="ada")
    scene.command("dan", "/promote status")

    hidden = traces(scene.world.settings)
    seen = list(everything(scene))
    scene.bot.stop()
    seen.append(("the log at the end", scene.bot.log.read_text("utf-8")))

    assert len(hidden) > 8
    assert len(seen) > 15
    assert [(where, text[:200]) for where, text in seen for one in hidden if one in text] == []
    assert [where for where, text in seen if MARK in text] == []
