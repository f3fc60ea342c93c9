"""Two bots at work on one repository, as in a rolling update: nothing twice, no word lost, and a clean stop."""

import fcntl
import os
import socket
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox import day
from sandbox.bot import BotProcess
from sandbox.gitops import CHECKOUT
from sandbox.narrator import Narrator
from sandbox.registry.answers import Fault
from sandbox.scene import Scene
from sandbox.slack.courier import Courier
from sandbox.world import OWNER, World, opened

pytestmark = pytest.mark.timeout(180)
MANY = 1000
STOPPED_SECONDS = 12.0  # six for what is under way, and the interpreter's own end
KINDS = ("genesis", "bump", "propose", "approve", "merged", "landed")


@pytest.fixture
def replicas(tmp_path: Path) -> Iterator[tuple[Scene, Scene]]:
    """Serve two bots in one world: other ports, other disks, the same settings."""
    with ExitStack() as stack:
        world = stack.enter_context(opened(tmp_path))
        narrator = stack.enter_context(Narrator(world, write=lambda _text: None))
        first, second = (
            Scene(each, stack.enter_context(BotProcess(each)), narrator) for each in (world, another(world))
        )
        yield first, second


def another(world: World) -> World:
    """Return the same world as another bot meets it: Slack's router sends it its share of what people do."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = int(listener.getsockname()[1])
    courier = Courier(f"http://127.0.0.1:{port}/slack/events", world.courier.secret)
    return replace(world, bot_port=port, courier=courier, settings={**world.settings, "PORT": str(port)})


def together(*acts: threading.Thread) -> None:
    for act in acts:
        act.start()
    for act in acts:
        act.join()


def said_twice(scene: Scene) -> list[str]:
    said = Counter(scene.read(post) for post in scene.posts())
    return [text for text, times in said.items() if times > 1]


def process_of(scene: Scene) -> "subprocess.Popen[bytes]":
    process = scene.bot._process
    assert process is not None
    return process


def state_folder(scene: Scene) -> Path:
    (lock,) = scene.bot._disk.glob(f"{scene.bot._disks}/countersign/*/lock")
    return lock.parent


def is_free(folder: Path) -> bool:
    """Whether another process may take the folder."""
    descriptor = os.open(folder / "lock", os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    else:
        return True
    finally:
        os.close(descriptor)


def test_two_bots_do_everything_once_and_one_may_leave(replicas: tuple[Scene, Scene]) -> None:
    first, second = replicas
    together(threading.Thread(target=first.bot.start), threading.Thread(target=second.bot.start))
    first.entry("the ledger begins", "genesis")

    day.published(first, "1.4.2")
    first.card("a candidate is shown", "1.4.2", "production", button="Promote")
    asked = day.asks(first, "carol", "1.4.2", "two bots are there")
    day.approves(second, "ada", "1.4.2", asked)
    card = day.card_of(second, "1.4.2")
    together(  # one finger, both bots: as Slack does where the first was slow to answer
        threading.Thread(target=first.click, args=("bob", card, "Approve")),
        threading.Thread(target=second.click, args=("bob", card, "Approve")),
    )
    day.lands(second, "1.4.2", asked)
    first.card("the card says that it landed", "1.4.2", "production", "ada", "bob")

    first.until("what both said at once is said once", lambda: not said_twice(first))

    second.bot.stop()  # the old one of a rolling update
    day.published(first, "1.4.3")
    first.rests("nothing moves twice")

    entries = first.record.entries()
    kinds = Counter(entry.kind for entry in entries)
    assert {kind: kinds[kind] for kind in KINDS} == dict(zip(KINDS, (1, 2, 1, 2, 1, 1), strict=True))
    keys = [entry["key"] for entry in entries]
    assert len(keys) == len(set(keys))
    assert [pull["state"] for pull in first.world.forge.snapshot()["pulls"]] == ["merged"]
    assert said_twice(first) == []
    assert first.bot.ask("verify").code == 0, first.bot.ask("verify").output


def test_a_bot_that_is_asked_to_end_in_the_middle_of_a_pass_ends_and_leaves_nothing_locked(
    replicas: tuple[Scene, Scene],
) -> None:
    scene, _ = replicas
    scene.bot.start()
    scene.entry("the ledger begins", "genesis")
    scene.world.registry.fail(Fault.SLOW, repository=f"{OWNER}/{CHECKOUT}", times=MANY, seconds=9)
    (slow,) = scene.world.registry._troubles
    scene.until("a pass waits for the registry", lambda: slow.left is not None and slow.left < MANY)
    folder, process = state_folder(scene), process_of(scene)
    assert not is_free(folder)

    process.terminate()
    code = process.wait(STOPPED_SECONDS)

    assert code == 0
    assert is_free(folder)
    log = scene.bot.log.read_text("utf-8")
    assert "Traceback" not in log
    assert "said=stopping" in log
    scene.world.registry.heal()
    scene.bot.kill()
    scene.bot.start()
    day.published(scene, "1.4.2")
    assert scene.bot.ask("verify").code == 0
