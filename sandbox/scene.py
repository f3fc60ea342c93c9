"""What a script of the day can do and wait for: people act, the world is looked at until an expectation is met."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from sandbox.bot import BotProcess
from sandbox.checks import BrokenError
from sandbox.forge.twin import ForgeTwin
from sandbox.gitops import CHECKOUT
from sandbox.narrator import Narrator
from sandbox.record import Record, Recorded
from sandbox.slack.courier import Ack
from sandbox.slack.feed import EventKind, Message
from sandbox.slack.form import CannotDoError
from sandbox.slack.people import Person
from sandbox.slack.transcript import Transcript
from sandbox.world import OWNER, World

PATIENCE_SECONDS = 20.0
_LOOKED_EVERY_SECONDS = 0.1
_WHISPERS = frozenset({EventKind.WHISPERED, EventKind.WHISPER_EDITED})
_Found = TypeVar("_Found")


@dataclass(slots=True)
class Scene:
    """One world with its bot, as a script sees it. Every wait names what is expected."""

    world: World
    bot: BotProcess
    narrator: Narrator
    record: Record = field(init=False)

    def __post_init__(self) -> None:
        """Look at the world's repository."""
        self.record = Record(self.world.git)

    def until(
        self, expectation: str, look: Callable[[], _Found | None], *, patience: float = PATIENCE_SECONDS
    ) -> _Found:
        """Look until there is something (seconds of ``patience``). Raises: BrokenError, BotProcessError."""
        ends = time.monotonic() + patience
        while True:
            if found := look():
                return found
            self.bot.check()
            if time.monotonic() > ends:
                raise BrokenError(expectation, f"not within {patience:g} s")
            time.sleep(_LOOKED_EVERY_SECONDS)

    # Git and the ledger

    def entry(self, expectation: str, kind: str, **fields: str) -> Recorded:
        """Wait for an entry of a kind with these fields (``tag`` and ``person`` too), and return the newest."""

        def look() -> Recorded | None:
            for entry in reversed(self.record.entries()):
                known = {"tag": entry.tag, "person": entry.person}
                if entry.kind == kind and all(known.get(k, entry[k]) == v for k, v in fields.items()):
                    return entry
            return None

        return self.until(expectation, look)

    def runs(self, environment: str, version: str) -> None:
        """Wait until the target branch names a version."""
        self.until(
            f"{environment} names {CHECKOUT} {version} in Git",
            lambda: self.record.pin(environment)[0] == version,
        )

    def rests(self, expectation: str, *, passes: int = 2) -> None:
        """Let the bot look so many times; the target branch must not move. Raises: BrokenError."""
        before = self.record.tip()
        self.passes(passes)
        if self.record.tip() != before:
            last = self.record.landings(before)[-1]
            raise BrokenError(expectation, f"{last.subject} ({last.oid[:10]})")

    def passes(self, count: int) -> None:
        """Wait for whole passes: each asks the registry once for the tags of each service."""
        before = self._looks()
        self.until(f"the bot looks at the registry {count} times", lambda: self._looks() > before + count)

    def _looks(self) -> int:
        asked = f"/v2/{OWNER}/{CHECKOUT}/tags/list"
        return sum(1 for seen in self.world.registry.seen() if seen.target.startswith(asked))

    # The forge

    def pull_request(self, expectation: str, state: str, *, promotion: str) -> int:
        """Wait until a promotion's pull request is open, closed or merged, and return its number."""

        def look() -> int | None:
            for pull in self.forge.snapshot()["pulls"]:
                if str(pull["head"]).endswith(f"/{promotion}") and pull["state"] == state:
                    return int(pull["number"])
            return None

        return self.until(expectation, look)

    @property
    def forge(self) -> ForgeTwin:
        """The forge."""
        return self.world.forge

    # Slack

    def person(self, name: str) -> Person:
        """Return somebody of the workspace."""
        return self.world.person(name)

    def card(self, expectation: str, *said: str, button: str = "") -> Message:
        """Wait for a message of the bot in #deploys that says all this now, with a button of this label ('' = any)."""

        def look() -> Message | None:
            for message in reversed(self.posts()):
                text = self.read(message)
                if all(one in text for one in said) and (not button or button in labels(message)):
                    return message
            return None

        return self.until(expectation, look)

    def posts(self) -> list[Message]:
        """Return what the bot has said in #deploys and still stands there, oldest first."""
        return [one for one in self.world.slack.workspace.messages("deploys") if one.by_app]

    def read(self, message: Message) -> str:
        """Return what a message says to a reader, people by name."""
        return "\n".join(Transcript(self.world.slack.workspace).message(message))

    def command(self, name: str, line: str) -> Ack:
        """Let somebody type a command. Raises: BrokenError, where the bot does not acknowledge."""
        return self._acknowledged(name, f"typing {line}", lambda person: person.command(line))

    def click(self, name: str, message: Message, button: str) -> Ack:
        """Let somebody press a button, and yes in its dialog. Raises: BrokenError."""
        return self._acknowledged(name, f"pressing {button}", lambda person: person.click(message, button))

    def answered(self, expectation: str, name: str, ack: Ack, *said: str) -> None:
        """Wait for a private answer to what somebody just did, that says all this."""
        key = self.person(name).id

        def look() -> bool:
            return any(
                event.kind in _WHISPERS
                and event.only_for == key
                and event.message is not None
                and all(one in self.read(event.message) for one in said)
                for event in self.world.slack.workspace.events(ack.since)
            )

        self.until(expectation, look)

    def rejects(self, name: str, message: Message, why: str) -> None:
        """Let somebody press Reject and give the reason in the form that opens. Raises: BrokenError."""
        button = next((label for label in labels(message) if label.startswith("Reject")), "Reject")
        ack = self.click(name, message, button)
        person = self.person(name)
        try:
            view = person.sees_view(since=ack.since, timeout=PATIENCE_SECONDS)
            asked = next(block for block in view.payload["blocks"] if block["type"] == "input")
        except (TimeoutError, StopIteration):
            raise BrokenError("Reject opens a form that asks why", "it does not") from None
        self._acknowledged(
            name, "sending the form", lambda one: one.submit(view, {asked["label"]["text"]: why})
        )

    def _acknowledged(self, name: str, what: str, act: Callable[[Person], Ack]) -> Ack:
        expectation = f"the bot acknowledges {name.capitalize()} {what}"
        try:
            ack = act(self.person(name))
        except CannotDoError as error:
            raise BrokenError(f"{name.capitalize()} can go on with {what}", str(error)) from None
        if not ack.is_ok:
            self.bot.check()
            raise BrokenError(expectation, f"{ack.error} (HTTP {ack.status}) {ack.body[:200]}")
        return ack


def labels(message: Message) -> list[str]:
    """Return what is written on a message's buttons."""
    rows = [block["elements"] for block in message.blocks if block["type"] == "actions"]
    return [str(one["text"]["text"]) for row in rows for one in row if one["type"] == "button"]
