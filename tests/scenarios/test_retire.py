"""Leaving cleanly: nothing of ours stays open, the history stays, and a retirement that was killed goes on."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox import day
from sandbox.bot import BotProcess
from sandbox.narrator import Narrator
from sandbox.scene import Scene, labels
from sandbox.world import opened

pytestmark = pytest.mark.timeout(300)
POINTS = ("after-ledger-push", "after-close", "after-edit")  # a start of the program each


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with (
        opened(tmp_path) as world,
        Narrator(world, write=lambda _text: None) as narrator,
        BotProcess(world) as bot,
    ):
        yield Scene(world, bot, narrator)


def refs(scene: Scene) -> str:
    return scene.world.git.run("for-each-ref", "--format=%(refname) %(objectname)").text


def test_a_retirement_that_is_killed_again_and_again_ends_what_is_open_once(scene: Scene) -> None:
    scene.bot.start()
    day.published(scene, "1.4.2")
    scene.card("a candidate is shown", "1.4.2", "production", button="Promote")
    asked = day.asks(scene, "carol", "1.4.2", "customers wait")
    scene.world.push("web", "2.5.0")
    scene.card("another one is only a candidate", "web", "2.5.0", "production", button="Promote")
    day.approves(scene, "ada", "1.4.2", asked)
    scene.bot.stop()
    target, before = scene.record.tip(), refs(scene)

    planned = scene.bot.run("retire", "--dry-run")
    assert planned.code == 0, planned.output
    assert f"would end {asked['promotion']}: production checkout-api 1.4.2" in planned.output
    assert "would mark card/production/web/2.5.0 as ended" in planned.output
    assert refs(scene) == before
    for point in POINTS:
        scene.world.settings["COUNTERSIGN_FAULT"] = point
        assert scene.bot.run("retire").code == -signal.SIGKILL, point
    del scene.world.settings["COUNTERSIGN_FAULT"]
    done = scene.bot.run("retire")

    assert done.code == 0, done.output
    assert "take `countersign` out of the required checks" in done.output
    assert "git bundle create countersign-ledger.bundle refs/heads/ledger/" in done.output
    again = scene.bot.run("retire")
    assert "nothing of Countersign is open" in again.output
    assert "countersign/" not in refs(scene)
    assert scene.record.tip() == target, "what runs is not touched"
    assert [pull["state"] for pull in scene.forge.snapshot()["pulls"]] == ["closed"]
    ended = [entry for entry in scene.record.entries() if entry.kind == "ended"]
    assert [(one["promotion"], one["why"], one["note"]) for one in ended] == [
        (asked["promotion"], "closed", "Countersign was retired")
    ]
    texts = [scene.read(post) for post in scene.posts()]
    assert [label for post in scene.posts() for label in labels(post) if label != "Pull request #1"] == []
    assert any("web" in text and "can no longer be asked for" in text for text in texts)
    assert any("1.4.2" in text and "Countersign was retired" in text for text in texts)
    verify = scene.bot.ask("verify")
    assert verify.code == 0, verify.output

    scene.bot.start()
    scene.card("it can come back", "Countersign is back")


def test_where_nothing_was_ever_written_there_is_nothing_to_leave(scene: Scene) -> None:
    before = refs(scene)

    said = scene.bot.run("retire")

    assert said.code == 0, said.output
    assert "nothing of Countersign is open" in said.output
    assert refs(scene) == before
    assert scene.posts() == []
