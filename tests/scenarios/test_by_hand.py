"""What docs/operate.md says of the time without the bot: production stands still; a merge by hand is recorded."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox import day
from sandbox.bot import BotProcess
from sandbox.narrator import Narrator
from sandbox.scene import Scene
from sandbox.world import opened

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with (
        opened(tmp_path) as world,
        Narrator(world, write=lambda _text: None) as narrator,
        BotProcess(world) as bot,
    ):
        yield Scene(world, bot, narrator)


def test_a_pull_request_that_was_merged_by_hand_while_the_bot_was_down_is_recorded_and_told(
    scene: Scene,
) -> None:
    scene.bot.start()
    day.published(scene, "1.4.2")
    scene.card("a candidate is shown", "1.4.2", "production", button="Promote")
    asked = day.asks(scene, "carol", "1.4.2", "customers wait")
    day.approves(scene, "ada", "1.4.2", asked)
    scene.bot.stop()
    (pull,) = scene.world.forge.snapshot()["pulls"]
    commit = scene.world.forge.merge_pull(pull["number"], login="ada-l")

    scene.bot.start()

    moved = scene.entry("the move by hand is recorded", "external", environment="production", tag="1.4.2")
    assert moved["commit"] == commit
    scene.card("the channel is told", "without Countersign", "production")
    scene.rests("nothing is undone or merged again")
    kinds = [entry.kind for entry in scene.record.entries()]
    assert "merged" not in kinds
    ended = [entry for entry in scene.record.entries() if entry.kind == "ended"]
    assert [entry["promotion"] for entry in ended] == [asked["promotion"]]
    verify = scene.bot.ask("verify")
    assert verify.code == 1
    assert f"review-missing {commit[:12]}" in verify.output
