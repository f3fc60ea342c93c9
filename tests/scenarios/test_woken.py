"""A bot that would look in an hour: GitHub's signed webhook wakes it, a forged one does not; and what it measures."""

import hashlib
import hmac
import json
import re
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from sandbox import day
from sandbox.bot import BotProcess
from sandbox.narrator import Narrator
from sandbox.scene import Scene
from sandbox.world import opened

pytestmark = pytest.mark.timeout(180)
SECRET = "sandbox-webhook-secret"


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with (
        opened(tmp_path) as world,
        Narrator(world, write=lambda _text: None) as narrator,
        BotProcess(world) as bot,
    ):
        world.settings.update(COUNTERSIGN_TICK="3600", GITHUB_WEBHOOK_SECRET=SECRET)
        yield Scene(world, bot, narrator)


def asked(scene: Scene, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, str]:
    connection = HTTPConnection("127.0.0.1", scene.world.bot_port, timeout=10)
    connection.request(method, path, body or None, headers)
    answer = connection.getresponse()
    told = answer.status, answer.read().decode()
    connection.close()
    return told


def hook(scene: Scene, event: str, secret: str = SECRET) -> int:
    body = json.dumps({"action": "published"}).encode()
    proof = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return asked(scene, "POST", "/webhooks", body, **{"X-GitHub-Event": event, "X-Hub-Signature-256": proof})[
        0
    ]


def measure(scene: Scene, name: str) -> float:
    text = asked(scene, "GET", "/metrics")[1]
    return sum(float(one) for one in re.findall(rf"^{name}(?:{{.*}})? (\S+)$", text, re.MULTILINE))


def test_a_package_wakes_a_bot_that_would_look_in_an_hour(scene: Scene) -> None:
    scene.bot.start()
    scene.entry("the ledger begins", "genesis")
    scene.until("the first pass ends", lambda: measure(scene, "countersign_passes_total") == 1)

    assert hook(scene, "registry_package", "guessed") == 401
    assert hook(scene, "star") == 200
    assert hook(scene, "registry_package") == 202  # nothing is there: a pass that finds nothing
    scene.until("it looks", lambda: measure(scene, "countersign_passes_total") == 2)
    scene.world.push("checkout-api", "1.4.2")
    for _ in range(20):
        assert hook(scene, "registry_package") == 202
    scene.entry("staging moves", "bump", tag="1.4.2")
    scene.runs("staging", "1.4.2")
    scene.until("one pass answers a burst", lambda: measure(scene, "countersign_passes_total") >= 3)

    health = json.loads(asked(scene, "GET", "/healthz")[1])
    entries = scene.record.entries()
    assert health["ok"] is True
    assert health["ledger_writable"] is True
    assert 0 <= health["pass_age_seconds"] < 3600
    assert measure(scene, "countersign_passes_failed_total") == 0
    assert measure(scene, "countersign_ledger_entries_total") == len(entries)
    assert measure(scene, "countersign_pushes_total") >= 2
    assert measure(scene, "countersign_registry_requests_total") == len(scene.world.registry.seen())
    assert measure(scene, "countersign_cards_behind") == 0
    assert measure(scene, "countersign_ledger_writable") == 1


def test_a_request_by_a_person_opens_its_promotion_in_the_measures(scene: Scene) -> None:
    scene.world.settings["COUNTERSIGN_TICK"] = "1"
    scene.bot.start()
    day.published(scene, "1.4.2")
    scene.card("a candidate is shown", "1.4.2", "production", button="Promote")

    day.asks(scene, "carol", "1.4.2", "it counts")

    scene.until("it is counted", lambda: measure(scene, "countersign_promotions") == 1)
