"""The production engine in a world of twins: it is born, killed, born again on an empty disk, and watched.

Its replicas are processes of their own (``apart``), or, where a test has to reach into them, engines in this one.
"""

import logging
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from bot import assembly, faults
from bot.answers import Answer, Recorded
from bot.engine import Engine
from bot.errors import BotError
from bot.scheduler import SystemClock
from bot.settings import load
from handlers.slack.chat import SlackChat, web_client
from policies.words import Speaker, Word
from sandbox.slack.feed import Event, EventKind
from sandbox.slack.transcript import Transcript
from sandbox.world import World, opened
from tests.campaign.apart import Apart, CrashedError, Death, Killed, Orders, Place, hurried, passings
from tests.campaign.reading import Reading
from tests.campaign.spared import heads_of, spared

TEAM = "T0SANDBOX"
REPLICAS = 2

T = TypeVar("T")
__all__ = ["REPLICAS", "TEAM", "Clock", "Death", "Killed", "Office", "Said", "Trap", "office"]


class Clock:
    """A clock that a test winds; it begins now or when it is told, whole seconds."""

    def __init__(self, at: datetime | None = None) -> None:
        self.at = at or SystemClock().now().replace(microsecond=0)

    def now(self) -> datetime:
        """Return the present instant."""
        return self.at

    def wind(self, **span: float) -> None:
        """Let time pass."""
        self.at += timedelta(**span)


class Trap:
    """Springs once at a crash point where it is set; in this process it stands in for ``faults.point``."""

    def __init__(self) -> None:
        self.name = ""
        self.left = 0
        self.spring: Callable[[], object] | None = None
        self._point = faults.point

    def set(self, name: str, count: int = 1, spring: Callable[[], object] | None = None) -> None:
        """Let the n-th passing of a point spring: kill, or do something else meanwhile. '' = never."""
        self.name, self.left, self.spring = name, count, spring

    @property
    def is_set(self) -> bool:
        """Whether it has not sprung yet."""
        return bool(self.name)

    def sprung(self) -> None:
        """Spring, once."""
        spring, self.name, self.spring = self.spring, "", None
        if spring is None:
            raise Killed
        spring()

    def __call__(self, name: str) -> None:
        """Pass a point."""
        self._point(name)
        if name != self.name:
            return
        self.left -= 1
        if self.left == 0:
            self.sprung()

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
class Here:
    """One replica in this process: an engine on a disk."""

    engine: Engine
    stack: ExitStack

    def do(self, orders: Orders, name: str, *arguments: Any) -> Any:
        """Do what a replica apart does by that name."""
        assert orders.at == self.engine.clock.now()
        desk = self.engine.desk
        acts: dict[str, Callable[..., Any]] = {
            "say": self.engine.say,
            "look": lambda: self.engine.run_pass().left,
            "home": lambda _user: None,
            "read_only_because": lambda: desk.ledger.read_only_because(desk.mirror.fetch()),
            "index": lambda: (self.engine.index.remembered(), self.engine.index.dump()),
        }
        return acts[name](*arguments)

    def close(self) -> None:
        """End it."""
        self.stack.close()


@dataclass
class Replica:
    """One process and its disk."""

    life: Here | Apart
    number: int

    @property
    def engine(self) -> Engine:
        """The engine of a replica in this process."""
        assert isinstance(self.life, Here), "this one is apart"
        return self.life.engine


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
    is_apart: bool = False  # its replicas are processes of their own, which die by SIGKILL
    answers_people: bool = False  # so far as they answer in the chat what was said to them
    is_paced: bool = False  # its replicas push as seldom as the bot does in life
    is_told: bool = False  # what is found after each death is looked at and kept
    step: str = ""
    deaths: tuple[Death, ...] = ()
    kill_after: Callable[[], float | None] = lambda: None  # seconds after which what is begun now is killed
    found: list[tuple[str, str]] = field(
        default_factory=list
    )  # crash point of a death, and what is found then
    _log_read: int = 0
    _asked: tuple[Here | Apart, list[str]] | None = None
    _because: str = ""  # what it said when it was asked

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must be seen nowhere."""
        settings = self.world.settings
        key = self.world.signing_key.read_text("utf-8").splitlines()[2]
        return settings["GITHUB_TOKEN"], settings["SLACK_BOT_TOKEN"], settings["SLACK_SIGNING_SECRET"], key

    # --- lives --------------------------------------------------------------------------------------------

    def engine(self, replica: int = 0) -> Engine:
        """Return a replica's engine, born where it is dead."""
        return self._alive(replica).engine

    def _alive(self, replica: int) -> Replica:
        if replica not in self.replicas:
            self.lives += 1
            self._born(replica, self.lives)
        return self.replicas[replica]

    def _settings(self, disk: int) -> dict[str, str]:
        state = self.folder / f"disk-{disk}"
        return {**self.world.settings, "XDG_STATE_HOME": str(state), "HOME": str(self.folder)}

    def _born(self, replica: int, disk: int) -> None:
        settings = self._settings(disk)
        self.replicas[replica] = Replica(
            self._born_apart(settings) if self.is_apart else self._born_here(settings), disk
        )

    def _born_apart(self, settings: dict[str, str]) -> Apart:
        deploys = self.world.slack.workspace.channel("deploys").id if self.answers_people else ""
        born = Apart.born(Place(settings, self.passings_file, self._log_file, deploys, self.is_paced))
        born.met = self.trap.sprung
        return born

    def _born_here(self, settings: dict[str, str]) -> Here:
        read, stack = load(settings), ExitStack()
        chat = SlackChat(web_client(self.world.slack.token, self.world.slack.api_url))
        engine = stack.enter_context(assembly.working(read, chat=chat, say=lambda _line: None))
        forge = hurried(engine, settings)
        stack.callback(forge.close_connections)
        engine.forge, engine.clock = forge, self.clock
        return Here(engine, stack)

    @property
    def passings_file(self) -> Path:
        """Where replicas apart note what they pass."""
        return self.folder / "passings"

    @property
    def _log_file(self) -> Path:
        return self.folder / "log"

    @property
    def died(self) -> list[tuple[str, str]]:
        """Step and crash point of each death."""
        return sorted(passings(self.passings_file, "died").elements())

    def _last_death(self) -> str:
        lines = self.passings_file.read_text("utf-8").splitlines() if self.passings_file.exists() else []
        return next((line.split("\t")[2] for line in reversed(lines) if line.startswith("died")), "")

    def standing(self) -> str:
        """Say what a process that is born now finds of the newest promotion: ledger, moves, pull request, branches."""
        lines = self.reading.ledger()
        decided = [line.kind for line in lines if line.kind not in {"shown", "seen", "rules"}]
        named = {str(line["commit"]) for line in lines}
        main = self.reading.main()
        start = next((index for index, one in enumerate(main) if one.oid in named), len(main))
        unnamed = [
            one
            for one in main[start + 1 :]
            if one.oid not in named and self.reading.pins(one.oid) != self.reading.pins(one.parents[0])
        ]
        pull = ", ".join(one["state"] for one in self.pulls()[-1:]) or "none"
        branches = sum("/countersign/" in one for one in self.reading.ends())
        words = f"{' '.join(decided[-2:]) or 'no entry'}; pull request {pull}; {branches} of our branches"
        return f"{words}; {len(unnamed)} unrecorded" if unnamed else words

    def die(self, replica: int = 0) -> None:
        """Take a process away with its disk; what the world was given stays."""
        if gone := self.replicas.pop(replica, None):
            if isinstance(gone.life, Apart) and not gone.life.is_dead:
                gone.life.kill()
            gone.life.close()
            shutil.rmtree(self.folder / f"disk-{gone.number}", ignore_errors=True)

    def restart(self, replica: int = 0) -> None:
        """End a process and begin it again on the disk that it left."""
        if gone := self.replicas.pop(replica, None):
            gone.life.close()
            self._born(replica, gone.number)

    def _do(self, replica: int, name: str, *arguments: object) -> Any:
        trap = self.trap
        orders = Orders(
            self.clock.at, self.step, self.deaths, trap.name, trap.left, is_told=trap.spring is not None
        )
        life = self._alive(replica).life
        if isinstance(life, Here):
            return life.do(orders, name, *arguments)
        try:
            answer, left = life.do(orders, name, *arguments, kill_after=self.kill_after())
        except Killed:
            if (self.step, trap.name) in self.died:
                trap.set("")
            raise
        finally:
            self._listen()
        if trap.name == orders.trap:
            trap.left = left
        return answer

    def _listen(self) -> None:
        """Read what replicas apart have logged since."""
        if self._log_file.exists():
            with self._log_file.open("rb") as file:
                file.seek(self._log_read)
                text = file.read()
            self._log_read += len(text)
            self.logged += text.decode("utf-8", "replace").splitlines()

    # --- acts ---------------------------------------------------------------------------------------------

    def say(self, person: str, word: Word, *, replica: int = 0, team: str = TEAM) -> Answer | None:
        """Let somebody say something; nothing where the process died of it."""
        trigger = f"{person}-{len(self.told)}-{len(self.said)}-{self.clock.at:%s}"
        speaker = Speaker(team, f"U0{person.upper()}", "button", trigger)
        answer = self._lived(lambda: self._do(replica, "say", speaker, word), replica)
        if isinstance(answer, Recorded):
            self._acknowledged(person, answer)
        return answer

    def look(self, replica: int = 0) -> None:
        """Make a pass, a moment later."""
        self.clock.wind(seconds=2)
        left = self._lived(lambda: self._do(replica, "look"), replica)
        if left is not None:
            self.left = left

    def home(self, person: str, replica: int = 0) -> None:
        """Let somebody look at the App Home."""
        self._lived(lambda: self._do(replica, "home", f"U0{person.upper()}"), replica)

    def rest(self, passes: int = 12) -> None:
        """Make passes, some minutes apart, until nothing is written any more."""
        self.trap.set("")
        self.kill_after = lambda: None
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
            if self.is_told:
                self.found.append((self._last_death(), self.standing()))
            self.die(replica)
        except BotError as error:
            self.left = [str(error)]
        except CrashedError as error:
            self.crashes.append(str(error))
            self.die(replica)
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
        """Say why the first replica may not write, '' where it may or is not there; asked where a branch has moved."""
        if 0 not in self.replicas:
            return ""
        ends = heads_of(self.world.git.repository)
        asked = (self.replicas[0].life, ends)
        if self._asked != asked:
            self._because, self._asked = str(self._quietly(0, "read_only_because")), asked
        return self._because

    def indexes(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Yield where each replica's index stands, and all that it holds."""
        yield from (self._quietly(one, "index") for one in list(self.replicas))

    def _quietly(self, replica: int, name: str) -> Any:
        """Ask a replica something while nothing kills."""
        life, orders = self.replicas[replica].life, Orders(self.clock.at, "asked")
        return life.do(orders, name) if isinstance(life, Here) else life.do(orders, name)[0]

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
def office(folder: Path, *, is_apart: bool = False, at: datetime | None = None) -> Iterator[Office]:
    """Open a world with nobody at work yet; closing it does not wait for the twins to go."""
    clock, trap = Clock(at), Trap()
    servers = ExitStack()
    world = servers.enter_context(opened(folder / "world", now=clock.now))
    world.delivery.stop()  # no health is declared, so nobody asks for it
    _hurry(world)
    found = Office(world, folder, clock, trap, Reading(world.git.repository), is_apart=is_apart)
    end = world.slack.workspace.feed.subscribe(found._heard)
    keeper, logger = _Keeper(found.logged), logging.getLogger()
    logger.addHandler(keeper)
    try:
        with trap.laid(), spared():
            yield found
    finally:
        logger.removeHandler(keeper)
        end()
        for replica in list(found.replicas):
            found.die(replica)
        threading.Thread(target=servers.close, name="twins go").start()
