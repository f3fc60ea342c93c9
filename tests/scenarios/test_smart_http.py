"""The repository over smart HTTP, as GitHub serves it: the bot clones and pushes with its token, and with no other."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.errors import PermanentError
from bot.repository.mirror import Mirror
from bot.repository.objects import Oid
from bot.repository.push import Lost, Ok, RefUpdate, Refused
from sandbox import day
from sandbox.bot import BotProcess
from sandbox.forge.state import User
from sandbox.narrator import Narrator
from sandbox.scene import Scene
from sandbox.world import NAME, OWNER, opened

NOW = datetime(2026, 11, 26, tzinfo=UTC)
pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with (
        opened(tmp_path / "world") as world,
        Narrator(world, write=lambda _text: None) as narrator,
        BotProcess(world) as bot,
    ):
        world.settings["COUNTERSIGN_REPOSITORY"] = address(world.addresses["forge"])
        yield Scene(world, bot, narrator)


def address(forge: str) -> str:
    return f"{forge}/{OWNER}/{NAME}.git"


def clone(scene: Scene, folder: Path, token: str) -> Mirror:
    return Mirror.open(address(scene.world.addresses["forge"]), folder, token=lambda: token)


def test_a_promotion_goes_its_whole_way_over_http(scene: Scene) -> None:
    scene.bot.start()
    day.published(scene, "1.4.2")
    scene.runs("staging", "1.4.2")
    scene.card("a candidate is shown", "1.4.2", "production", button="Promote")

    asked = day.asks(scene, "carol", "1.4.2", "customers wait")
    for name in ("ada", "bob"):
        day.approves(scene, name, "1.4.2", asked)
    day.lands(scene, "1.4.2", asked)

    over_git = [one for one in scene.forge.seen() if f"/{OWNER}/{NAME}.git/" in one.target]
    assert any(one.target.endswith("/git-receive-pack") and one.status == 200 for one in over_git)
    assert any(one.target.endswith("/git-upload-pack") and one.status == 200 for one in over_git)


def test_a_push_is_all_or_nothing_and_only_onto_what_was_seen(scene: Scene, tmp_path: Path) -> None:
    token = scene.world.settings["GITHUB_TOKEN"]
    mirror = clone(scene, tmp_path / "one", token)
    tip = mirror.fetch().target
    ours = [RefUpdate(f"refs/heads/countersign/{name}", None, tip) for name in ("a", "b")]

    assert isinstance(mirror.push(ours), Ok)
    late = [
        RefUpdate("refs/heads/countersign/c", None, tip),
        RefUpdate("refs/heads/countersign/a", Oid("0" * 39 + "1"), None),
    ]
    answer = mirror.push(late)

    heads = scene.world.git.run("for-each-ref", "--format=%(refname:short)").text.split()
    assert isinstance(answer, Lost), answer
    assert "countersign/a" in heads
    assert "countersign/c" not in heads
    scene.forge.protect("main")
    refused = mirror.push([
        RefUpdate("refs/heads/main", tip, mirror.commit([tip], {"promotion/rules.yaml": b"y"}, message="x", at=NOW)),
        RefUpdate("refs/heads/countersign/d", None, tip),
    ])  # fmt: skip
    heads = scene.world.git.run("for-each-ref", "--format=%(refname:short)").text.split()
    assert isinstance(refused, Refused), refused
    assert "countersign/d" not in heads


@pytest.mark.parametrize("token", ["guessed", "ghs_expired"])
def test_a_token_that_is_not_known_opens_nothing(scene: Scene, tmp_path: Path, token: str) -> None:
    with pytest.raises(PermanentError) as refused:
        clone(scene, tmp_path / "clone", token)

    assert token not in str(refused.value)
    assert not (tmp_path / "clone" / "countersign.json").exists()


def test_a_reader_may_fetch_and_not_push(scene: Scene, tmp_path: Path) -> None:
    scene.forge.register(User(4242, "eve", "eves-token", "Eve", "read"))
    mirror = clone(scene, tmp_path / "clone", "eves-token")
    tip = mirror.fetch().target

    answer = mirror.push([RefUpdate("refs/heads/countersign/x", None, tip)])

    assert isinstance(answer, Refused), answer
    assert "eves-token" not in answer.detail


def test_a_bot_whose_token_was_revoked_says_so_and_loses_nothing(scene: Scene) -> None:
    scene.bot.start()
    scene.entry("the ledger begins", "genesis")
    before = scene.record.tip()

    scene.forge.register(User(9001, "countersign[bot]", "another", "Countersign", is_bot=True))
    scene.world.push("checkout-api", "1.4.2")

    scene.until("the log says which token", lambda: "GITHUB_TOKEN" in scene.bot.last_words(40))
    scene.card("the channel is told once", "does not let Countersign in", "GITHUB_TOKEN")
    assert scene.record.tip() == before
    scene.forge.register(
        User(9001, "countersign[bot]", scene.world.settings["GITHUB_TOKEN"], "Countersign", is_bot=True)
    )
    scene.card("and that it is over", "lets Countersign in again")
    scene.runs("staging", "1.4.2")
