"""The bot is killed around each effect of a promotion, comes back on an empty disk, and goes on: nothing twice."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from sandbox import day
from sandbox.bot import BotProcess, BotProcessError
from sandbox.narrator import Narrator
from sandbox.scene import Scene
from sandbox.world import opened

pytestmark = pytest.mark.timeout(180)
POINTS = [
    "before-branch-push",
    "after-branch-push",
    "before-pull-request",
    "after-pull-request",
    "before-merge",
    "after-merge",
    "before-branch-delete",
]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with (
        opened(tmp_path) as world,
        Narrator(world, write=lambda _text: None) as narrator,
        BotProcess(world) as bot,
    ):
        yield Scene(world, bot, narrator)


def died(scene: Scene) -> bool:
    """Whether the bot has ended by itself."""
    try:
        scene.bot.check()
    except BotProcessError:
        return True
    return False


def until(what: str, look: Callable[[], bool]) -> None:
    """Wait for a while."""
    ends = time.monotonic() + 30
    while not look():
        assert time.monotonic() < ends, what
        time.sleep(0.1)


@pytest.mark.parametrize("point", POINTS)
def test_a_bot_that_is_killed_on_the_way_lands_a_promotion_once(scene: Scene, point: str) -> None:
    settings = scene.world.settings
    scene.bot.start()
    day.published(scene, "1.4.2")
    scene.card("a candidate is shown", "1.4.2", "production", button="Promote")
    scene.bot.stop()
    scene.world.settings["COUNTERSIGN_FAULT"] = point
    scene.bot.start()

    scene.world.person("carol").command("/promote checkout-api 1.4.2 to production because we can")
    for name in ("ada", "bob"):
        if died(scene):
            break
        until(f"the card for {name}", lambda: died(scene) or bool(_card(scene)))
        if not died(scene):
            scene.click(name, day.card_of(scene, "1.4.2"), "Approve")
            until(f"{name}'s approval", partial(_said_or_died, scene, name))
    until(f"the bot dies at {point}", lambda: died(scene))

    del settings["COUNTERSIGN_FAULT"]
    scene.bot.start()
    if not any(entry.kind == "propose" for entry in scene.record.entries()):
        scene.world.person("carol").command("/promote checkout-api 1.4.2 to production because we can")
    asked = scene.entry("the request is recorded", "propose", tag="1.4.2")
    for name in ("ada", "bob"):
        if not _said(scene, name):
            day.approves(scene, name, "1.4.2", asked)
    day.lands(scene, "1.4.2", asked)
    scene.rests("nothing moves twice")

    kinds = [entry.kind for entry in scene.record.entries()]
    assert [kinds.count(kind) for kind in ("propose", "approve", "merged", "landed")] == [1, 2, 1, 1]
    numbers = [pull["number"] for pull in scene.world.forge.snapshot()["pulls"]]
    assert numbers == [1], "one pull request"
    assert scene.bot.ask("verify").code == 0, scene.bot.ask("verify").output


def test_a_bot_that_is_killed_while_it_asks_registries_loses_no_word(scene: Scene) -> None:
    scene.bot.start()
    day.published(scene, "1.4.2")
    scene.card("a candidate is shown", "1.4.2", "production", button="Promote")
    scene.world.person("carol").command("/promote checkout-api 1.4.2 to production because we can")
    asked = scene.entry("the request is recorded", "propose", tag="1.4.2")
    until("the card", partial(_card, scene))
    held = scene.world.registry.hold()
    until("a pass asks", held.asked.is_set)

    scene.click("ada", day.card_of(scene, "1.4.2"), "Approve")
    until("ada's approval, while the pass asks", partial(_said, scene, "ada"))
    scene.bot.kill()
    held.let_go.set()
    scene.bot.start()
    day.approves(scene, "bob", "1.4.2", asked)

    day.lands(scene, "1.4.2", asked)
    scene.rests("nothing moves twice")
    kinds = [entry.kind for entry in scene.record.entries()]
    assert [kinds.count(kind) for kind in ("propose", "approve", "merged", "landed")] == [1, 2, 1, 1]
    assert scene.bot.ask("verify").code == 0, scene.bot.ask("verify").output


def _said_or_died(scene: Scene, person: str) -> bool:
    return died(scene) or _said(scene, person)


def _card(scene: Scene) -> bool:
    return any("Approve" in str(message.blocks) for message in scene.posts())


def _said(scene: Scene, person: str) -> bool:
    return any(entry.kind == "approve" and entry.person == person for entry in scene.record.entries())
