"""Somebody says something while an address that a gate asks hangs: their word is recorded, and not after it."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.answers import Recorded
from bot.registries import outside_http
from policies.words import Freeze, Hold, Propose
from sandbox.gitops import CHECKOUT
from sandbox.http import serve
from sandbox.world import OWNER
from tests.scenarios.offices import PATIENCE, Office, office_in

pytestmark = pytest.mark.timeout(240)


@dataclass
class Window:
    """A page that, once it hangs, answers only after it was let go."""

    hangs: bool = False
    asked: threading.Event = field(default_factory=threading.Event)
    let_go: threading.Event = field(default_factory=threading.Event)

    async def answer(self, _request: Request) -> Response:
        if not self.hangs:
            return PlainTextResponse("closed")
        self.asked.set()
        is_in_time = await asyncio.to_thread(self.let_go.wait, PATIENCE)
        return PlainTextResponse("open" if is_in_time else "closed")


@pytest.fixture
def window() -> Iterator[Window]:
    found = Window()
    yield found
    found.let_go.set()


@pytest.fixture
def office(tmp_path: Path, window: Window, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    monkeypatch.setattr(outside_http, "WHOLE_SECONDS", int(PATIENCE) + 20)
    with ExitStack() as stack:
        routes = [Route("/{rest:path}", window.answer)]
        address = stack.enter_context(serve(Starlette(routes=routes), name="localhost"))
        found = stack.enter_context(office_in(tmp_path))
        rule = "approvals: 2 of release-managers"
        found.change_rules("rules.yaml", rule, f"{rule}\n    gates: [{{http: {{url: {address}, is: open}}}}]")
        yield found


def _hanging(office: Office, window: Window) -> threading.Thread:
    """Begin a pass that asks, and wait until it does."""
    office.world.push(CHECKOUT, "1.4.2")
    office.look()
    office.look()
    office.clock.wind(minutes=20)
    window.hangs = True
    found = threading.Thread(target=office.engine.run_pass)
    found.start()
    assert window.asked.wait(PATIENCE)
    return found


def test_a_word_is_recorded_while_an_address_hangs(office: Office, window: Window) -> None:
    under_way = _hanging(office, window)

    said = office.say("ada", Freeze(("production",), "an incident"))

    assert isinstance(said, Recorded)
    assert [one.note for one in office.entries("freeze")] == ["an incident"]
    window.let_go.set()
    under_way.join(PATIENCE)
    assert not under_way.is_alive()
    codes = _codes(office)
    assert "frozen" in codes
    assert not {"gate-unknown", "condition-not-met"} & codes, (
        "the address answered after the word was recorded"
    )


def test_what_was_asked_for_meanwhile_is_brought_on_by_the_pass_that_asked(
    office: Office, window: Window
) -> None:
    under_way = _hanging(office, window)

    said = office.say("carol", Propose(CHECKOUT, "1.4.2", "production", "we want it"))

    window.let_go.set()
    under_way.join(PATIENCE)
    assert isinstance(said, Recorded)
    assert said.promotion in office.engine.look().state.promotions
    assert office.findings() == []


def test_a_list_that_a_word_was_told_meanwhile_moves_nothing_before_it_is_held_against_the_last(
    office: Office, window: Window
) -> None:
    world, old = office.world, [f"1.3.{number}" for number in range(20)]
    for version in old:
        world.push(CHECKOUT, version)
    under_way = _hanging(office, window)
    for version in old:
        world.registry.delete(f"{OWNER}/{CHECKOUT}", version)
    world.push(CHECKOUT, "1.4.3")

    office.say("carol", Propose(CHECKOUT, "1.4.2", "production", "we want it"))

    window.let_go.set()
    under_way.join(PATIENCE)
    assert "1.4.3" not in {image.tag for one in office.entries("bump") for image in one.image}
    found = office.engine.why("staging", CHECKOUT, "1.4.3")
    assert found
    assert "tags-lost" in found.codes


def test_another_pass_waits_for_the_one_that_asks(office: Office, window: Window) -> None:
    under_way = _hanging(office, window)
    other = office.another_pass()
    assert isinstance(office.say("ada", Hold(CHECKOUT, "a demo", "production")), Recorded)

    assert not other.done.is_set()
    window.let_go.set()
    for one in (under_way, other.thread):
        one.join(PATIENCE)
    assert other.done.is_set()


def _codes(office: Office) -> set[str]:
    found = office.engine.why("production", CHECKOUT, "1.4.2")
    assert found is not None
    return {str(one.code) for one in found.reasons}
