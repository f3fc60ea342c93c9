"""Places that do not let the bot in: each is one clear line to somebody who can mend it, and it goes on afterwards."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.bot import BotProcess
from sandbox.forge.state import User
from sandbox.narrator import Narrator
from sandbox.scene import Scene
from sandbox.world import NAME, OWNER, opened

pytestmark = pytest.mark.timeout(180)
ASKS = "/promote checkout-api 1.4.2 to production because it counts"


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with (
        opened(tmp_path) as world,
        Narrator(world, write=lambda _text: None) as narrator,
        BotProcess(world) as bot,
    ):
        yield Scene(world, bot, narrator)


def moved(scene: Scene) -> None:
    scene.world.push("checkout-api", "1.4.2")
    scene.runs("staging", "1.4.2")


def test_a_channel_without_the_bot_is_told_to_the_operator_and_to_who_asks(scene: Scene) -> None:
    there = scene.world.slack.workspace
    channel = there.channel("deploys")
    there.set_channel(replace(channel, members=channel.members - {"U0BOT"}))
    scene.bot.start()
    moved(scene)

    ack = scene.command("carol", ASKS)

    scene.answered("Carol hears why there is no card", "carol", ack, "types `/invite @countersign`")
    assert "/invite @countersign" in scene.bot.log.read_text()
    assert scene.posts() == []

    there.set_channel(channel)
    scene.card("the card comes once it is invited", "1.4.2", "production", button="Approve")


def test_a_channel_that_was_renamed_is_told_by_the_name_that_the_rules_have(scene: Scene) -> None:
    there = scene.world.slack.workspace
    there.set_channel(replace(there.channel("deploys"), name="deployments"))
    scene.bot.start()
    moved(scene)

    ack = scene.person("carol").command(ASKS, channel="incidents")

    scene.answered(
        "Carol hears what is not found", "carol", ack, "finds no channel #deploys", "the rules name"
    )
    assert "finds no channel #deploys" in scene.bot.log.read_text()


def test_a_slack_token_that_was_revoked_names_the_setting_and_nothing_is_lost(scene: Scene) -> None:
    scene.bot.start()
    scene.card("it looks", "Countersign looks after")
    for method in ("chat.postMessage", "chat.update", "users.info", "auth.test"):
        scene.world.slack.levers.fail(method, "token_revoked", times=10_000)
    moved(scene)
    scene.until("the log names the setting", lambda: "SLACK_BOT_TOKEN" in scene.bot.last_words(40))

    ack = scene.command("carol", ASKS)
    scene.answered("Carol hears it, too", "carol", ack, "SLACK_BOT_TOKEN")
    scene.world.slack.levers.clear()

    scene.card("what was to be said is said", "1.4.2", "production", button="Promote")


def test_a_repository_that_the_bot_may_only_read_is_told_in_the_channel(scene: Scene) -> None:
    token = scene.world.settings["GITHUB_TOKEN"]
    scene.world.settings["COUNTERSIGN_REPOSITORY"] = f"{scene.world.addresses['forge']}/{OWNER}/{NAME}.git"
    may_not = User(9001, "countersign[bot]", token, "Countersign", "read", is_bot=True)
    scene.forge.register(may_not)
    scene.bot.start()

    told = scene.card("the channel is told", "refuses what Countersign writes")

    assert "denied to countersign[bot]" in scene.read(told) or "403" in scene.read(told)
    assert scene.record.entries() == []
    scene.forge.register(replace(may_not, permission="write"))
    scene.entry("it begins once it may", "genesis")
    scene.card("and says so", "takes again what Countersign writes")
