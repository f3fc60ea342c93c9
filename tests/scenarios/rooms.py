"""An office whose Slack door is open, over HTTP: what people type, are shown, press and are told."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from slack_bolt import App

from handlers.http import web
from handlers.slack.app import slack_app
from handlers.slack.blocks import COMMAND
from handlers.slack.chat import web_client
from handlers.slack.errands import Errands
from handlers.slack.reply import Replies
from sandbox.http import serve
from sandbox.slack.courier import Courier
from sandbox.slack.feed import Message
from sandbox.slack.people import Person
from tests.scenarios.offices import Office, office_in


@dataclass
class Room:
    """An office whose Slack door is open."""

    office: Office
    url: str
    finish: Callable[[], None]

    def person(self, name: str) -> Person:
        world = self.office.world
        return Person(world.slack, Courier(self.url, world.settings["SLACK_SIGNING_SECRET"]), name)

    def listed(self, name: str, typed: str, expected: str) -> Message:
        """Ask for a list; return what that person alone was shown."""
        since = self.office.world.slack.workspace.feed.position
        person = self.person(name)
        assert person.command(typed).is_ok
        shown = person.sees(expected, since=since).message
        assert shown
        return shown

    def pressed(self, name: str, shown: Message, label: str, expected: str) -> str:
        """Press a button of the list; return what came of it."""
        since = self.office.world.slack.workspace.feed.position
        person = self.person(name)
        assert person.click(shown, label).is_ok
        answer = person.sees(expected, since=since, timeout=60).message
        assert answer
        return str(answer.blocks)

    def asked(self) -> list[tuple[str, str, str]]:
        """Return what was asked for: service, version, and by whom."""
        return [
            (one.service, one.image[0].tag, getattr(one.by, "person", "the bot"))
            for one in self.office.entries("propose")
        ]


@dataclass(frozen=True)
class Entrance:
    """An office's Slack door before it is served; ``finish`` lets what is under way end and nothing more begin."""

    app: App
    secret: str
    errands: Errands

    @classmethod
    def of(cls, office: Office, command: str = COMMAND) -> "Entrance":
        """Make the door of an office."""
        slack, secret = office.world.slack, office.world.settings["SLACK_SIGNING_SECRET"]
        client = web_client(slack.token, slack.api_url)
        errands = Errands(Replies(client, command))
        app = slack_app(office.engine, client, errands, office.clock, secret=secret, command=command)
        return cls(app, secret, errands)

    def finish(self) -> None:
        """Answer what was asked, and close."""
        self.app.listener_runner.listener_executor.shutdown()
        self.errands.close()


@contextmanager
def room_in(tmp_path: Path, command: str = COMMAND) -> Iterator[Room]:
    """Open an office's door for as long as it is used. ``command``: as the workspace calls the slash command."""
    with office_in(tmp_path, command=command) as office:
        door = Entrance.of(office, command)
        with serve(web(door.app, secret=door.secret, health=lambda: {"ok": True})) as url:
            yield Room(office, f"{url}/slack/events", door.finish)
            door.finish()
