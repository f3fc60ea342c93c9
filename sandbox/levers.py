"""What a visitor of the demo can do to the world: push and move tags, break health, commit by hand, hurt the bot."""

import re
import secrets
import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import yaml

from sandbox.bot import BotProcess
from sandbox.gitops import BRANCH, CHECKOUT, PRODUCTION, STAGING, WEB
from sandbox.record import Record
from sandbox.world import OWNER, World

SERVICES = (CHECKOUT, WEB)
ENVIRONMENTS = (STAGING, PRODUCTION)
STEPS = ("patch", "minor", "prerelease")
LOGINS: Mapping[str, str] = {"ada": "ada-l", "bob": "bob", "carol": "carol"}  # a guest has no account there
CLIENT_ID = "Iv23liCountersignDemo"  # of the App by which people sign in with a code
_RELEASE = re.compile(r"(\d{1,9})\.(\d{1,9})\.(\d{1,9})", re.ASCII)
_CANDIDATE = re.compile(r"(\d{1,9}\.\d{1,9}\.\d{1,9})-rc\.(\d{1,9})", re.ASCII)
_NEW_TAG = re.compile(r"^( *newTag: *)\S+", re.MULTILINE)


class LeverError(Exception):
    """A lever cannot be pulled now; the message says why."""


class KeptBot(BotProcess):
    """The bot, with one disk that its restarts find again until somebody wipes it."""

    @property
    def state(self) -> str:
        """What it does now: ``runs``, ``stopped``, or ``ended`` (by itself)."""
        if self._process is None:
            return "stopped"
        return "runs" if self._process.poll() is None else "ended"

    def wipe(self) -> None:
        """Lose everything that it wrote on its disk."""
        shutil.rmtree(self._disk / "kept", ignore_errors=True)

    def _environment(self, settings: Mapping[str, str]) -> dict[str, str]:
        disk = self._disk / "kept"
        disk.mkdir(exist_ok=True)
        kept = {"HOME": str(disk), "XDG_STATE_HOME": str(disk), "GITHUB_CLIENT_ID": CLIENT_ID}
        return super()._environment(settings) | kept


class Levers:
    """Acts on one world and its bot; every method may be called from any thread."""

    def __init__(self, world: World, bot: KeptBot) -> None:
        self._world = world
        self._bot = bot
        self._record = Record(world.git)
        self._busy = threading.Lock()
        self._doing = ""
        world.forge.let_sign_in(CLIENT_ID)

    # Registry

    def push(self, service: str, step: str) -> str:
        """Push the next patch, minor or prerelease of a service, and return its tag. Raises: LeverError."""
        tag = following(self._tags(service), _known(step, STEPS))
        self._world.push(_known(service, SERVICES), tag)
        return tag

    def move(self, service: str) -> str:
        """Point the newest tag of a service to another image, and return the tag. Raises: LeverError."""
        tag = _newest(self._tags(service))
        self._world.registry.move(f"{OWNER}/{service}", tag, f"{service} {tag} again {secrets.token_hex(8)}")
        return tag

    def registry(self) -> dict[str, dict[str, Any]]:
        """Return each service's newest release, its tags, and what a push would be called."""
        return {service: _shelf(self._tags(service)) for service in SERVICES}

    def _tags(self, service: str) -> list[str]:
        return list(self._world.registry.tags()[f"{OWNER}/{_known(service, SERVICES)}"])

    # Forge

    def report(self, environment: str, *, is_healthy: bool) -> str:
        """Break or mend an environment; the delivery tool says so on the newest commit, and on those to come.

        Returns that commit. Raises: LeverError, ForgeError, GitError.
        """
        return self._world.delivery.say(_known(environment, ENVIRONMENTS), is_healthy=is_healthy)

    def health(self) -> list[dict[str, str]]:
        """Return what the delivery tool said, oldest first."""
        return [
            {"commit": one.commit, "environment": one.environment, "state": one.state}
            for one in self._world.delivery.said()
        ]

    def commit_by_hand(self, name: str, environment: str = PRODUCTION) -> str:
        """Let a person change an image past the bot, and return the tag that they chose.

        Raises: LeverError, ForgeError.
        """
        login = LOGINS.get(name)
        if login is None:
            raise LeverError(f"{name} has no account at the forge; be one of {', '.join(LOGINS)}")
        path = f"apps/{_known(environment, ENVIRONMENTS)}/kustomization.yaml"
        now = self._record.pin(environment)[0]
        tag = _another(self._tags(CHECKOUT), now)
        text = _without_digest(_NEW_TAG.sub(rf"\g<1>{tag}", self._record.file(path)))
        message = f"Set {CHECKOUT} to {tag} in {environment}\n\nBy hand, it was urgent.\n"
        self._world.forge.push_to_branch(BRANCH, {path: text}, message, login=login)
        return tag

    # Signing in at the forge with a code, as its page for it does

    def enter(self, code: str) -> str:
        """Type a code that somebody was given, and return it as it is meant. Raises: LeverError."""
        meant = code.strip().upper()
        if not self._world.forge.waits_for(meant):
            raise LeverError(f"{meant[:20]} is no code that waits; `/promote link` gives one")
        return meant

    def sign_in(self, code: str, login: str, *, is_allowed: bool) -> str:
        """Say on that page whether the App may know who one is; return the login. Raises: LeverError, ForgeError."""
        meant = self.enter(code)
        known = _known(login, tuple(LOGINS.values()))
        self._world.forge.type_code(meant, login=known if is_allowed else "")
        return known

    # The bot

    def bot(self) -> dict[str, str]:
        """Return what the bot does, and the end of its log where it ended by itself."""
        state = self._doing or self._bot.state
        return {"state": state, "words": self._bot.last_words() if state == "ended" else ""}

    def start(self) -> None:
        """Start the bot on the disk that it had. Raises: LeverError, BotProcessError."""
        with self._alone("starting"):
            if self._bot.state == "runs":
                raise LeverError("the bot runs already")
            self._bot.start()

    def stop(self) -> None:
        """Stop the bot as a rolling update would. Raises: LeverError."""
        with self._alone("stopping"):
            if self._bot.state == "stopped":
                raise LeverError("the bot is stopped already")
            self._bot.stop()

    def wipe(self) -> None:
        """Kill the bot, lose its disk, and start it again where it ran. Raises: LeverError, BotProcessError."""
        with self._alone("starting"):
            ran = self._bot.state == "runs"
            self._bot.kill()
            self._bot.wipe()
            if ran:
                self._bot.start()

    @contextmanager
    def _alone(self, doing: str) -> Iterator[None]:
        if not self._busy.acquire(blocking=False):
            raise LeverError(f"the bot is {self._doing or 'busy'}; wait for it")
        try:
            self._doing = doing
            yield
        finally:
            self._doing = ""
            self._busy.release()


def following(tags: list[str], step: str) -> str:
    """Return the tag that comes after all of ``tags``: the next patch, minor, or candidate of the next patch."""
    major, minor, patch = _triple(_newest(tags))
    if step == "minor":
        return f"{major}.{minor + 1}.0"
    upcoming = f"{major}.{minor}.{patch + 1}"
    if step == "patch":
        return upcoming
    tried = [int(found[2]) for tag in tags if (found := _CANDIDATE.fullmatch(tag)) and found[1] == upcoming]
    return f"{upcoming}-rc.{max(tried, default=0) + 1}"


def _shelf(tags: list[str]) -> dict[str, Any]:
    return {"newest": _newest(tags), "tags": tags, "next": {step: following(tags, step) for step in STEPS}}


def _newest(tags: list[str]) -> str:
    """Return the newest release. Raises: LeverError."""
    releases = [tag for tag in tags if _RELEASE.fullmatch(tag)]
    if not releases:
        raise LeverError("there is no release in the registry")
    return max(releases, key=_triple)


def _another(tags: list[str], now: str) -> str:
    """Return the newest release that is not the present one. Raises: LeverError."""
    return _newest([tag for tag in tags if tag != now])


def _triple(tag: str) -> tuple[int, int, int]:
    found = _RELEASE.fullmatch(tag)
    assert found is not None  # noqa: S101  only releases are asked about
    return int(found[1]), int(found[2]), int(found[3])


def _without_digest(text: str) -> str:
    """Drop a digest that belongs to the image before; the file must still be YAML."""
    lines = [line for line in text.split("\n") if not line.strip().startswith("digest:")]
    read: Any = yaml.safe_load("\n".join(lines))
    if not isinstance(read, dict):
        raise LeverError("the kustomization is no YAML mapping any more; mend it first")
    return "\n".join(lines).rstrip("\n") + "\n"


def _known(word: str, among: tuple[str, ...]) -> str:
    if word not in among:
        raise LeverError(f"{word!r} is not known here; expected {', '.join(among)}")
    return word
