"""The serving bot by Socket Mode: a promotion from the command to the merge, without any way in for Slack."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from http.client import HTTPConnection
from pathlib import Path

import pytest

from sandbox import day
from sandbox.bot import BotProcess
from sandbox.narrator import Narrator
from sandbox.scene import Scene
from sandbox.slack.socket import SlackSocket, SocketCourier
from sandbox.world import opened

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def there(tmp_path: Path) -> Iterator[tuple[Scene, SlackSocket]]:
    with ExitStack() as stack:
        world = stack.enter_context(opened(tmp_path))
        socket = SlackSocket(world.slack, app_token="xapp-sandbox-7")
        stack.enter_context(socket.opened())
        settings = {**world.settings, "SLACK_APP_TOKEN": socket.app_token}
        del settings["SLACK_SIGNING_SECRET"]
        wired = replace(world, courier=SocketCourier(socket), settings=settings)
        narrator = stack.enter_context(Narrator(wired, write=lambda _text: None))
        yield Scene(wired, stack.enter_context(BotProcess(wired)), narrator), socket


def test_a_promotion_goes_all_its_way_by_socket_mode(there: tuple[Scene, SlackSocket]) -> None:
    scene, socket = there
    scene.bot.start()
    socket.wait_for()
    day.published(scene, "1.4.2")
    scene.card("a candidate is shown", "1.4.2", "production", button="Promote")
    asked = day.asks(scene, "carol", "1.4.2", "no port is open")
    socket.disconnect()  # as Slack does every few hours
    socket.wait_for(2)
    socket.wait_for(1, timeout=20)
    day.approves(scene, "ada", "1.4.2", asked)
    day.approves(scene, "bob", "1.4.2", asked)
    day.lands(scene, "1.4.2", asked)

    connection = HTTPConnection("127.0.0.1", scene.world.bot_port, timeout=10)
    connection.request("POST", "/slack/events", b"payload={}")
    status = connection.getresponse().status
    connection.close()
    assert status == 404
    assert scene.bot.ask("verify").code == 0
    assert socket.app_token not in scene.bot.log.read_text("utf-8")

    scene.bot.stop()
    socket.wait_for(0)
