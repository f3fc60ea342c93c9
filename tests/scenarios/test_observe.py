"""A bot that only observes: it says what it would do, once, and leaves nothing anywhere but in its database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox import day
from sandbox.bot import BotProcess
from sandbox.narrator import Narrator
from sandbox.scene import Scene, labels
from sandbox.world import opened
from tests.repositories import commit_to

pytestmark = pytest.mark.timeout(180)


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


def asks(scene: Scene, line: str, *said: str) -> None:
    ack = scene.command("carol", line)
    scene.answered(f"{line} is answered", "carol", ack, *said)


def test_an_observing_bot_says_what_it_would_do_and_writes_nothing(scene: Scene) -> None:
    before = refs(scene)
    scene.bot.start("--observe")
    first = scene.card("it says that it observes", "Countersign looks after", "It observes")
    scene.world.push("checkout-api", "1.4.2")
    would = scene.card("it says what it would move", "would move checkout-api in staging to 1.4.2")
    scene.passes(2)
    asks(scene, "/promote checkout-api 1.4.2 to production because it counts", "nothing is recorded")
    asks(scene, "/promote freeze production because of nothing", "nothing is recorded")
    asks(scene, "/promote status checkout-api", "1.4.2", "could move, but this bot only observes")

    scene.bot.stop()
    scene.bot.start("--observe", keeps_disk=True)
    scene.passes(2)

    assert refs(scene) == before
    assert scene.forge.seen() == []
    posts = scene.posts()
    assert [one.ts for one in posts] == [first.ts, would.ts]
    assert [label for one in posts for label in labels(one)] == []


def test_what_was_observed_is_over_once_the_bot_works(scene: Scene) -> None:
    scene.bot.start("--observe")
    scene.world.push("checkout-api", "1.4.2")
    scene.card("it says what it would move", "would move checkout-api in staging to 1.4.2")
    scene.bot.stop()

    scene.bot.start(keeps_disk=True)

    scene.entry("the ledger begins", "genesis")
    scene.card("observing has ended", "does not only observe any more")
    day.published(scene, "1.4.3")
    scene.runs("staging", "1.4.3")


def test_one_environment_can_be_only_observed_while_the_others_move(scene: Scene) -> None:
    git = scene.world.git
    rules = git.run("show", "main:promotion/rules.yaml").text
    said = rules.replace("approvals: 2 of release-managers", "approvals: observe")
    assert said != rules
    commit_to(git.repository, {"promotion/rules.yaml": said}, message="Observe production\n")
    scene.bot.start()

    scene.world.push("checkout-api", "1.4.2")

    scene.runs("staging", "1.4.2")
    scene.card("what would move is told", "would move checkout-api in production to 1.4.2")
    scene.passes(2)
    assert scene.record.pin("production")[0] == "1.4.1"
    asks(scene, "/promote checkout-api 1.4.2 to production because it counts", "observ")
    text = git.run("show", "main:apps/production/kustomization.yaml").text
    by_hand = text.replace("newTag: 1.4.1", "newTag: 1.4.2") + "\n"
    commit_to(git.repository, {"apps/production/kustomization.yaml": by_hand}, message="As before\n")
    moved = scene.entry("what others move there is noted", "external", environment="production")
    assert moved["why"] == "observed"
    scene.card("and no longer due", "is not due any more")
    assert not any("without Countersign" in scene.read(post) for post in scene.posts())
    assert scene.bot.ask("verify").code == 0, scene.bot.ask("verify").output
    kinds = {(entry.kind, entry["environment"]) for entry in scene.record.entries()}
    assert {kind for kind, where in kinds if where == "production"} <= {"external", "healthy"}


def test_an_observing_bot_leaves_the_cards_of_a_working_one_alone(scene: Scene) -> None:
    scene.bot.start()
    day.published(scene, "1.4.2")
    card = scene.card("a candidate is shown", "1.4.2", "production", button="Promote")
    scene.bot.stop()
    before = refs(scene)

    scene.bot.start("--observe")
    scene.card("it says that it observes", "It observes")
    scene.passes(2)

    assert refs(scene) == before
    (now,) = [one for one in scene.posts() if one.ts == card.ts]
    assert labels(now) == labels(card)
