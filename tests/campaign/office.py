"""The production engine in a world of twins: it is born, killed, born again on an empty disk, and watched."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from bot import assembly, faults
from bot.answers import Answer, Recorded
from bot.engine import Engine, PassReport
from bot.errors import BotError
from bot.forge import GitHubForge
from bot.forge_client import Manner
from bot.forge_wire import TokenLogin
from bot.scheduler import SystemClock
from bot.settings import Settings, load
from handlers.chat import SlackChat, web_client
from policies.words import Speaker, Word
from sandbox.feed import Event, EventKind
from sandbox.transcript import Transcript
from sandbox.world import World, opened
from tests.campaign.reading import Reading

TEAM = "T0SANDBOX"
HURRIED = Manner(timeout=10, between_writes=0.0, between_looks=0.0)
REPLICAS = 2

T = TypeVar("T")


class Killed(BaseException):
    """The process is dead: no handler of Exception may go on, as none does after kill -9."""


class Clock:
    """A clock that a test winds; it begins now, whole seconds."""

    def __init__(self) -> None:
        self.at = SystemClock().now().replace(microsecond=0)

    def now(self) -> datetime:
        """Return the present instant."""
        return self.at

    def wind(self, **span: float) -> None:
        """Let time pass."""
        self.at += timedelta(**span)


class Trap:
    """Stands in for ``faults.point``: counts every passing, and springs once where it is set."""

    def __init__(self) -> None:
        self.passed: list[str] = []
        self.deaths: list[
            tuple[str, int]
        ] = []  # passings, counted over all lives, at each of which a process dies
        self.died: list[str] = []
        self._name = ""
        self._left = 0
        self._spring: Callable[[], object] | None = None
        self._point = faults.point

    def set(self, name: str, count: int = 1, spring: Callable[[], object] | None = None) -> None:
        """Let the n-th passing of a point spring: kill, or do something else meanwhile. '' = never."""
        self._name, self._left, self._spring = name, count, spring

    @property
    def is_set(self) -> bool:
        """Whether it has not sprung yet."""
        return bool(self._name)

    def __call__(self, name: str) -> None:
        """Pass a point."""
        self._point(name)
        self.passed.append(name)
        if (name, self.passed.count(name)) in self.deaths:
            self.died.append(name)
            raise Killed(name)
        if name != self._name:
            return
        self._left -= 1
        if self._left == 0:
            spring, self._name = self._spring, ""
            if spring is None:
                raise Killed(name)
            spring()

    @contextmanager
    def laid(self) -> Iterator["Trap"]:
        """Let every crash point of the bot pass here while the block runs."""
        faults.point = self
        try:
            yield self
        finally:
            faults.point = self._point


@dataclass(frozen=True, slots=True)
class Said:
    """A message of the bot as somebody could read it, and where the ledger ended at that moment."""

    text: str
    what: str
    ledger: str


@dataclass
class Replica:
    """One process: an engine and its disk."""

    engine: Engine
    stack: ExitStack
    number: int


@dataclass
class Office:
    """Twins, replicas of the engine, and all that was seen of them."""

    world: World
    folder: Path
    clock: Clock
    trap: Trap
    reading: Reading
    replicas: dict[int, Replica] = field(default_factory=dict)
    said: list[Said] = field(default_factory=list)
    told: list[tuple[str, str]] = field(
        default_factory=list
    )  # key of an acknowledged entry, tip at that time
    crashes: list[str] = field(default_factory=list)
    logged: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    lives: int = 0
    kills: int = 0
    keeper: threading.Thread | None = None

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must be seen nowhere."""
        settings = self.world.settings
        key = self.world.signing_key.read_text("utf-8").splitlines()[2]
        return settings["GITHUB_TOKEN"], settings["SLACK_BOT_TOKEN"], settings["SLACK_SIGNING_SECRET"], key

    # --- lives --------------------------------------------------------------------------------------------

    def engine(self, replica: int = 0) -> Engine:
        """Return a replica's engine, born where it is dead."""
        if replica not in self.replicas:
            self.lives += 1
            self._born(replica, self.lives)
        return self.replicas[replica].engine

    def _settings(self, disk: int) -> Settings:
        state = self.folder / f"disk-{disk}"
        return load({**self.world.settings, "XDG_STATE_HOME": str(state), "HOME": str(self.folder)})

    def _born(self, replica: int, disk: int) -> None:
        settings, stack = self._settings(disk), ExitStack()
        chat = SlackChat(web_client(self.world.slack.token, self.world.slack.api_url))
        engine = stack.enter_context(assembly.working(settings, chat=chat, say=lambda _line: None))
        forge = GitHubForge(
            settings.forge_repository,
            engine.desk.mirror.branch,
            TokenLogin(settings.github_token),
            base_url=settings.github_url,
            manner=HURRIED,
            sleep=lambda _seconds: None,
        )
        stack.callback(forge.close_connections)
        engine.forge, engine.clock = forge, self.clock
        self.replicas[replica] = Replica(engine, stack, disk)

    def die(self, replica: int = 0) -> None:
        """Take a process away with its disk; what the world was given stays."""
        if gone := self.replicas.pop(replica, None):
            gone.stack.close()

    def restart(self, replica: int = 0) -> None:
        """End a process and begin it again on the disk that it left."""
        if gone := self.replicas.pop(replica, None):
            gone.stack.close()
            self._born(replica, gone.number)

    # --- acts ---------------------------------------------------------------------------------------------

    def say(self, person: str, word: Word, *, replica: int = 0, team: str = TEAM) -> Answer | None:
        """Let somebody say something; nothing where the process died of it."""
        trigger = f"{person}-{len(self.told)}-{len(self.said)}-{self.clock.at:%s}"
        speaker = Speaker(team, f"U0{person.upper()}", "button", trigger)
        answer = self._lived(lambda: self.engine(replica).say(speaker, word), replica)
        if isinstance(answer, Recorded):
            self._acknowledged(person, answer)
        return answer

    def look(self, replica: int = 0) -> PassReport | None:
        """Make a pass, a moment later."""
        self.clock.wind(seconds=2)
        report = self._lived(lambda: self.engine(replica).run_pass(), replica)
        if report:
            self.left = report.left
        return report

    def rest(self, passes: int = 12) -> None:
        """Make passes, some minutes apart, until nothing is written any more."""
        self.trap.set("")
        quiet = 0
        for _ in range(passes):
            before = self.reading.ends()
            for replica in sorted({0, *self.replicas}):
                self.clock.wind(minutes=5)
                self.look(replica)
            quiet = quiet + 1 if self.reading.ends() == before else 0
            if quiet == 2:
                return

    def _lived(self, act: Callable[[], T], replica: int) -> T | None:
        try:
            return act()
        except Killed:
            self.kills += 1
            self.die(replica)
        except BotError as error:
            self.left = [str(error)]
        except Exception as error:  # noqa: BLE001  what nobody foresaw is a finding, not the end of the campaign
            self.crashes.append(f"{type(error).__name__}: {error}")
        return None

    def _acknowledged(self, person: str, answer: Recorded) -> None:
        """Remember what a person was told to be recorded: it has to be on the remote at this very moment."""
        tip = self.reading.ledger_tip()
        mine = [
            one.key
            for one in self.reading.ledger()
            if one.kind == answer.kind.value
            and one.person == person
            and one["environment"] in {"", answer.environment}
        ]
        self.told.append((mine[-1] if mine else f"nothing of {person}'s {answer.kind}", tip))

    def pulls(self) -> list[dict[str, Any]]:
        """Return the forge's pull requests."""
        there = self.world.forge._world
        with there.acting():
            return [asdict(one) for one in there.pulls.state.pulls]

    def read_only_because(self) -> str:
        """Say why the first replica may not write, '' where it may or is not there."""
        if 0 not in self.replicas:
            return ""
        desk = self.replicas[0].engine.desk
        return desk.ledger.read_only_because(desk.mirror.fetch())

    # --- what is seen -------------------------------------------------------------------------------------

    def _heard(self, event: Event) -> None:
        """Keep what the bot said, and where the ledger ended then. The workspace stands still meanwhile."""
        message = event.message
        if message is None or not message.by_app or event.kind not in {EventKind.POSTED, EventKind.EDITED}:
            return
        what = ((message.metadata or {}).get("event_payload") or {}).get("what", "")
        text = "\n".join(Transcript(self.world.slack.workspace).message(message))
        self.said.append(Said(text, str(what), self.reading.ledger_tip()))


class _Keeper(logging.Handler):
    """Keeps every line that is logged."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__(logging.DEBUG)
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line."""
        self._lines.append(self.format(record))


def _hurry(world: World) -> None:
    """Declare no health: the forge would be asked about every commit at every pass, which is most of the time then."""
    path = "promotion/rules.yaml"
    lines = (world.git.text("show", f"main:{path}") + "\n").splitlines(keepends=True)
    text = "".join(line for line in lines if not line.strip().startswith("health:"))
    world.forge.push_to_branch("main", {path: text}, "Declare no health\n", login="ada-l")


@contextmanager
def office(folder: Path) -> Iterator[Office]:
    """Open a world with nobody at work yet; closing it does not wait for the twins to go."""
    clock, trap = Clock(), Trap()
    servers = ExitStack()
    world = servers.enter_context(opened(folder / "world", now=clock.now))
    _hurry(world)
    found = Office(world, folder, clock, trap, Reading(world.git.repository))
    end = world.slack.workspace.feed.subscribe(found._heard)
    keeper, logger = _Keeper(found.logged), logging.getLogger()
    logger.addHandler(keeper)
    try:
        with trap.laid():
            yield found
    finally:
        logger.removeHandler(keeper)
        end()
        for replica in list(found.replicas):
            found.die(replica)
        threading.Thread(target=servers.close, name="twins go").start()
