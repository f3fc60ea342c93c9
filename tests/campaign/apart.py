"""A replica in a process of its own: forked from a warm one, spoken to by a pipe, and really killed.

The warm process has everything imported, and no thread: a birth takes some ten milliseconds instead of a second. A
death is SIGKILL by the process itself at its crash point, or by whoever holds the pipe at any time: no ``finally``, no
``atexit``, no transaction that is still closed. What git was doing then goes on, as it does in life.
"""

import gc
import logging
import multiprocessing
import os
import signal
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import datetime
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Any

from bot import assembly, faults
from bot.answers import Answer, Recorded
from bot.engine import Engine
from bot.errors import BotError
from bot.forge.client import Manner
from bot.forge.pull_requests import GitHubForge
from bot.forge.wire import TokenLogin
from bot.pacing import NORMAL_TICK, Pace
from bot.settings import load
from handlers.slack import messages
from handlers.slack.chat import SlackChat, web_client
from handlers.slack.homes import Homes
from handlers.slack.reply import Address, Replies
from policies.words import Speaker, Word

HURRIED = Manner(timeout=10, between_writes=0.0, between_looks=0.0)
STOPPED_WITHIN_SECONDS = 10.0
FINE, REFUSED, CRASHED, MET = "fine", "refused", "crashed", "met"


class Killed(BaseException):
    """The process is dead: no handler of Exception may go on, as none does after kill -9."""


class CrashedError(Exception):
    """The process met what nobody foresaw."""


@dataclass(frozen=True, slots=True)
class Death:
    """Where a process dies: in a step of a life, at a crash point, at its so many-th passing over all lives."""

    step: str
    point: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class Orders:
    """What holds while one thing is done: the time, the step, the deaths, and the trap that is laid."""

    at: datetime
    step: str = ""
    deaths: tuple[Death, ...] = ()
    trap: str = ""
    left: int = 0
    is_told: bool = False  # the trap does not kill: whoever laid it is told, and then it goes on


@dataclass(frozen=True, slots=True)
class Place:
    """Where a process lives: its settings, and the files in which it notes passings and lines of its log."""

    settings: dict[str, str]
    passings: Path
    log: Path
    deploys: str = ""  # the channel in which people are answered
    is_paced: bool = (
        False  # it pushes as seldom as the bot does that looks every 15 s, by the clock of its orders
    )


class Clock:
    """A clock that stands still between two orders."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        """Return the present instant."""
        return self.at


# --- the process itself -----------------------------------------------------------------------------------------


@dataclass
class _Trap:
    """Stands in for ``faults.point`` in the process: notes each passing, and dies where it has to."""

    pipe: Connection
    place: Place
    point: Callable[[str], None]
    orders: Orders | None = None
    passed: Counter[tuple[str, str]] = field(default_factory=Counter)
    left: int = 0
    file: int = -1

    def obey(self, orders: Orders) -> None:
        """Take orders; what other processes passed is counted in."""
        self.orders, self.left = orders, orders.left
        self.passed = passings(self.place.passings) if orders.deaths else Counter()

    def __call__(self, name: str) -> None:
        """Pass a point."""
        self.point(name)
        orders = self.orders
        if orders is None:
            return
        self._note(f"passed\t{orders.step}\t{name}\n")
        self.passed[orders.step, name] += 1
        if Death(orders.step, name, self.passed[orders.step, name]) in orders.deaths:
            self._die(name)
        if name != orders.trap:
            return
        self.left -= 1
        if self.left == 0 and orders.is_told:
            self.pipe.send((MET, name, 0))
            self.pipe.recv()
        elif self.left == 0:
            self._die(name)

    def _die(self, name: str) -> None:
        self._note(f"died\t{self.orders.step if self.orders else ''}\t{name}\n")
        os.kill(os.getpid(), signal.SIGKILL)

    def _note(self, line: str) -> None:
        os.write(self.file, line.encode())


class _Log(logging.Handler):
    """Writes each line to a file at once: what is logged before a death is read after it."""

    def __init__(self, file: int) -> None:
        super().__init__(logging.DEBUG)
        self._file = file

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line."""
        os.write(self._file, f"{self.format(record)}\n".encode())


@dataclass
class _Bot:
    """An engine, and those who answer people."""

    engine: Engine
    replies: Replies
    homes: Homes
    deploys: str

    def say(self, speaker: Speaker, word: Word) -> Answer:
        """Take a word as a click is taken, and answer the person as they are answered."""
        answer = self.engine.say(speaker, word)
        self.homes.refresh(speaker.user)
        said = (
            messages.recorded(answer)
            if isinstance(answer, Recorded)
            else messages.refused(answer, word, None, "")
        )
        if self.deploys:
            self.replies.give(Address(speaker.user, self.deploys), said)
        return answer

    def look(self) -> list[str]:
        """Make a pass; return what it had to leave."""
        report = self.engine.run_pass()
        self.homes.refresh()
        return report.left

    def home(self, user: str) -> None:
        """Let somebody look at the App Home."""
        self.homes.opened(user)

    def read_only_because(self) -> str:
        """Say why it may not write, '' where it may."""
        desk = self.engine.desk
        return desk.ledger.read_only_because(desk.mirror.fetch())

    def index(self) -> tuple[str, tuple[str, ...]]:
        """Return where the index stands, and all that it holds."""
        return self.engine.index.remembered(), self.engine.index.dump()


def _live(pipe: Connection, place: Place) -> None:
    """Be a process of the bot: take orders until nobody gives any."""
    logging.disable(logging.NOTSET)
    gc.freeze()  # what the warm process has stays
    root = logging.getLogger()
    file = os.open(place.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    root.addHandler(_Log(file))
    trap = _Trap(pipe, place, faults.point)
    trap.file = os.open(place.passings, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    faults.point = trap
    bot: _Bot | None = None
    with ExitStack() as stack:
        while True:
            try:
                orders, name, arguments = pipe.recv()
            except EOFError:
                return
            trap.obey(orders)
            try:
                if bot is None:
                    bot = _born(place, stack)
                bot.engine.clock = Clock(orders.at)
                answer = FINE, getattr(bot, name)(*arguments)
            except BotError as error:
                answer = REFUSED, str(error)
            except Exception as error:  # noqa: BLE001  whoever holds the pipe hears of it
                answer = CRASHED, f"{type(error).__name__}: {error}"
            trap.orders = None
            with suppress(BrokenPipeError):
                pipe.send((*answer, trap.left))


def _born(place: Place, stack: ExitStack) -> _Bot:
    settings = load(place.settings)
    client = web_client(settings.slack_bot_token.get_secret_value(), settings.slack_api_url)
    engine = stack.enter_context(assembly.working(settings, chat=SlackChat(client), say=lambda _line: None))
    engine.forge = hurried(engine, place.settings)
    if place.is_paced:
        pace = Pace.of_tick(NORMAL_TICK)
        pace.now = lambda: engine.clock.now().timestamp()
        engine.desk.mirror.pace = pace
    return _Bot(engine, Replies(client), Homes(engine, client), place.deploys)


def hurried(engine: Engine, settings: dict[str, str]) -> GitHubForge:
    """Return the forge as the engine has it, which does not wait between writes or looks."""
    read = load(settings)
    return GitHubForge(
        read.forge_repository,
        engine.desk.mirror.branch,
        TokenLogin(read.github_token),
        base_url=read.github_url,
        manner=HURRIED,
        sleep=lambda _seconds: None,
    )


# --- whoever holds the pipe -------------------------------------------------------------------------------------


def passings(file: Path, what: str = "passed") -> Counter[tuple[str, str]]:
    """Count what the processes noted: step and point of each passing, or of each death."""
    if not file.exists():
        return Counter()
    lines = [line.split("\t") for line in file.read_text("utf-8").splitlines()]
    return Counter((step, point) for word, step, point in lines if word == what)


def _context() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.campaign.apart"])
    return context


@dataclass
class Apart:
    """One process of the bot."""

    pipe: Connection
    process: ForkServerProcess
    met: Callable[[], object] = lambda: None
    is_dead: bool = False

    @classmethod
    def born(cls, place: Place) -> "Apart":
        """Let a process be born; its engine is made with its first orders."""
        ours, theirs = multiprocessing.Pipe()
        process = _context().Process(target=_live, args=(theirs, place), daemon=True)
        process.start()
        theirs.close()
        return cls(ours, process)

    def do(
        self, orders: Orders, name: str, *arguments: object, kill_after: float | None = None
    ) -> tuple[Any, int]:
        """Let it do something; return what came of it, and how often the trap may still be passed.

        ``kill_after`` so many seconds it is killed, wherever it is then.

        Raises: Killed where it died of it, BotError as it met it, CrashedError for anything else.
        """
        try:
            self.pipe.send((orders, name, arguments))
            if kill_after is not None and not self.pipe.poll(kill_after):
                self.kill()
                raise Killed("at some moment")
            while True:
                word, value, left = self.pipe.recv()
                if word != MET:
                    break
                self.met()
                self.pipe.send(None)
        except (EOFError, OSError) as error:
            self._ended()
            raise Killed(orders.step) from error
        if word == REFUSED:
            raise BotError(value)
        if word == CRASHED:
            raise CrashedError(value)
        return value, left

    def _ended(self) -> None:
        self.is_dead = True
        self.pipe.close()
        self.process.join(STOPPED_WITHIN_SECONDS)
        if self.process.exitcode != -signal.SIGKILL:
            raise CrashedError(f"the process ended with {self.process.exitcode}")

    def kill(self) -> None:
        """Kill it, now."""
        self.process.kill()
        self.process.join(STOPPED_WITHIN_SECONDS)
        self.is_dead = True
        self.pipe.close()

    def close(self) -> None:
        """Let it end by itself."""
        if self.is_dead:
            return
        self.is_dead = True
        self.pipe.close()
        self.process.join(STOPPED_WITHIN_SECONDS)
