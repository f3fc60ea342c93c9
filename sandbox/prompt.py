"""The demo without a script: one line at a time somebody types, presses, pushes an image, or reads the log."""

import os
import re
import select
import sys
from collections.abc import Callable
from dataclasses import dataclass

from sandbox.bot import BotProcess
from sandbox.git import GitError
from sandbox.gitops import BRANCH
from sandbox.narrator import Narrator
from sandbox.scene import labels
from sandbox.slack.feed import Message, View
from sandbox.slack.form import CannotDoError
from sandbox.slack.people import Person
from sandbox.slack.tickets import SlackRefusal
from sandbox.world import World

HELP = """\
  ada: /promote checkout-api to production because ...    a person types (ada, bob, carol; dan is a guest)
  ada clicks Approve                                      presses the newest such button that ada sees
  push checkout-api 1.4.2                                 somebody pushes an image
  log                                                     the Git log, newest first
  help, quit\
"""
_SAYS = re.compile(r"(?P<who>\w+): *(?P<line>.+)")
_CLICKS = re.compile(r"(?P<who>\w+) (?:clicks|presses) +(?P<button>.+)")
_PUSHES = re.compile(r"push +(?P<service>[a-z0-9][a-z0-9-]*) +(?P<version>[\w][\w.-]{0,127})", re.ASCII)
_FORM_SECONDS = 3.0
STEP_SECONDS = 0.2
LOGGED = "10"  # commits


@dataclass(slots=True)
class Piped:
    """Reads lines of a descriptor in steps: a signal just before a read without end would wake nobody."""

    descriptor: int
    rest: bytes = b""
    has_ended: bool = False

    def __call__(self, prompt: str) -> str:
        """Return the next line without its end. Raises: EOFError."""
        print(prompt, end="", flush=True)
        while b"\n" not in self.rest and not self.has_ended:
            if select.select([self.descriptor], [], [], STEP_SECONDS)[0]:
                chunk = os.read(self.descriptor, 1 << 16)
                self.has_ended = not chunk
                self.rest += chunk
        if not self.rest:
            raise EOFError
        line, _, self.rest = self.rest.partition(b"\n")
        return line.decode("utf-8", "replace")


@dataclass(slots=True)
class Prompt:
    """Reads lines and acts on them."""

    world: World
    bot: BotProcess
    narrator: Narrator
    read: Callable[[str], str] = input

    def run(self) -> None:
        """Go on until somebody types quit, or the input ends. Raises: BotProcessError, when the bot is gone."""
        while True:
            try:
                line = self.read("" if not sys.stdin.isatty() else "> ").strip()
            except EOFError:
                return
            if line in {"quit", "exit"}:
                return
            try:
                self.act(line)
            except (CannotDoError, SlackRefusal, GitError, TimeoutError) as error:
                self.narrator.tell("sandbox", str(error))
            self.bot.check()

    def act(self, line: str) -> None:
        """Do what one line says. Raises: CannotDoError, SlackRefusal, GitError."""
        if said := _SAYS.fullmatch(line):
            self._says(said["who"], said["line"])
        elif clicked := _CLICKS.fullmatch(line):
            self._clicks(clicked["who"], clicked["button"].strip(" []"))
        elif pushed := _PUSHES.fullmatch(line):
            digest = self.world.push(pushed["service"], pushed["version"])
            self.narrator.tell(
                "registry", f"{pushed['service']} {pushed['version']} is pushed, {digest[:19]}"
            )
        elif line == "log":
            self._log()
        elif line:
            self.narrator.tell("sandbox", "one of these:\n" + HELP)

    def _says(self, name: str, line: str) -> None:
        person = self._person(name)
        if line.startswith("/"):
            person.command(line)
        else:
            person.says(line)

    def _clicks(self, name: str, button: str) -> None:
        person = self._person(name)
        message, label = _newest(person, button)
        since = person.click(message, label).since
        view = self._form(person, since) if label.endswith("...") else None
        if view is not None:
            person.submit(view, {label: self.read(f"  {label} ") for label in _asked(view)})

    def _person(self, name: str) -> Person:
        people = [user.name for user in self.world.slack.workspace.users if not user.is_bot]
        if name.lower() not in people:
            raise CannotDoError(f"there is no {name}; there are {', '.join(people)}")
        return self.world.person(name.lower())

    def _form(self, person: Person, since: int) -> View | None:
        """Wait for the form that a button with three dots opens; where none comes an answer says why."""
        try:
            return person.sees_view(since=since, timeout=_FORM_SECONDS)
        except TimeoutError:
            return None

    def _log(self) -> None:
        form = "--format=%h %s%n%w(0,4,4)%(trailers:only,unfold)"
        text = self.world.git.text("log", "--first-parent", "-n", LOGGED, form, BRANCH)
        self.narrator.tell("git", "\n".join(["the newest commits", *filter(str.strip, text.split("\n"))]))


def _newest(person: Person, button: str) -> tuple[Message, str]:
    """Return the newest message with a button that begins so, and the button's label. Raises: CannotDoError."""
    for message in reversed(person.screen()):
        for label in labels(message):
            if label.lower().startswith(button.lower()):
                return message, label
    raise CannotDoError(f"{person.user.name} sees no button {button!r}")


def _asked(view: View) -> list[str]:
    return [str(block["label"]["text"]) for block in view.payload["blocks"] if block["type"] == "input"]
