"""A gate that asks outside: approved, it waits until the address says so; the answer is evidence, and verify agrees."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from sandbox import day
from sandbox.bot import BotProcess
from sandbox.gitops import BRANCH
from sandbox.http import serve
from sandbox.narrator import Narrator
from sandbox.scene import Scene
from sandbox.world import opened

pytestmark = pytest.mark.timeout(240)


@dataclass
class Window:
    """A page that says whether deploys are open."""

    state: str = "closed"

    async def answer(self, _request: Request) -> Response:
        return PlainTextResponse(self.state)


@pytest.fixture
def window() -> Window:
    return Window()


@pytest.fixture
def scene(tmp_path: Path, window: Window) -> Iterator[Scene]:
    with ExitStack() as stack:
        address = stack.enter_context(
            serve(Starlette(routes=[Route("/{rest:path}", window.answer)]), name="localhost")
        )
        world = stack.enter_context(opened(tmp_path))
        narrator = stack.enter_context(Narrator(world, write=lambda _text: None))
        path = "promotion/rules.yaml"
        text = world.git.text("show", f"{BRANCH}:{path}")
        gate = f"    soak: 2s\n    gates: [{{http: {{url: {address}/<service>, is: open}}}}]\n"
        changed = text.replace("    soak: 2s\n", gate)
        assert changed != text
        world.forge.push_to_branch(BRANCH, {path: changed}, "Ask before production", login="ada-l")
        bot = stack.enter_context(BotProcess(world))
        bot.start()
        yield Scene(world, bot, narrator)


def test_what_is_approved_waits_for_the_address_and_says_so(scene: Scene, window: Window) -> None:
    day.published(scene, "1.4.2")
    asked = day.asks(scene, "carol", "1.4.2", "customers wait")
    day.approves(scene, "ada", "1.4.2", asked)
    day.approves(scene, "bob", "1.4.2", asked)
    scene.card("the card says what it waits for", "1.4.2", "an outside condition", "it says 'closed'")
    scene.rests("nothing is merged while it is closed")

    window.state = "open"

    day.lands(scene, "1.4.2", asked)
    intent = scene.entry("the intent has the answer", "intent", promotion=asked["promotion"])
    (fact,) = intent["evidence"]["facts"]
    assert (fact["gate"], fact["verdict"], fact["code"]) == ("http", "passed", "")
    assert "Gate-Http: passed" in scene.world.git.text("log", "-1", "--format=%B", BRANCH)
    assert scene.bot.ask("verify").code == 0
