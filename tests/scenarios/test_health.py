"""A health check breaks: it is written down after two looks, told, and the card offers the way back."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox import day
from sandbox.bot import BotProcess
from sandbox.narrator import Narrator
from sandbox.scene import Scene
from sandbox.world import opened

pytestmark = pytest.mark.timeout(240)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with (
        opened(tmp_path) as world,
        Narrator(world, write=lambda _text: None) as narrator,
        BotProcess(world) as bot,
    ):
        bot.start()
        yield Scene(world, bot, narrator)


def test_what_is_unhealthy_in_staging_does_not_go_on_and_its_card_leads_back(scene: Scene) -> None:
    scene.entry("what runs is healthy", "healthy", environment="staging", tag="1.4.1")
    scene.world.delivery.say("staging", is_healthy=False)

    day.published(scene, "1.4.2")

    scene.entry("it is unhealthy", "unhealthy", environment="staging", tag="1.4.2")
    card = scene.card("the card says so", "1.4.2", "staging", "reported unhealthy", button="Roll back...")
    scene.card("the channel is told", "1.4.2", "does not run well", "staging")
    scene.rests("nothing goes on to production")
    ada = scene.person("ada")
    ack = scene.click("ada", card, "Roll back...")
    ada.submit(ada.sees_view(since=ack.since), {"reason": "pods do not become ready"})
    back = scene.entry("Ada goes back", "rollback", environment="staging", person="ada", tag="1.4.1")
    assert back["note"] == "pods do not become ready"
    scene.world.delivery.say("staging", is_healthy=True)
    scene.runs("staging", "1.4.1")
    scene.entry("it is healthy again", "healthy", environment="staging", tag="1.4.1")
    assert scene.bot.ask("verify").code == 0
