"""The production engine in the sandbox's world, with a clock that a test winds."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot import assembly
from bot.answers import NotRecorded, Recorded
from bot.engine import Engine
from bot.forge.pull_requests import GitHubForge
from bot.forge.wire import Manner, TokenLogin
from bot.settings import load
from bot.verify import verify
from handlers.slack.blocks import COMMAND
from handlers.slack.chat import SlackChat, web_client
from policies.entries.entry import Entry
from policies.ledger.state import Stage
from policies.words import Propose, Speaker, Word
from sandbox.forge.world import now as present
from sandbox.gitops import CHECKOUT
from sandbox.world import World, opened
from tests.scenarios.commands import fixed

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
TEAM = "T0SANDBOX"
PATIENCE = 100.0  # seconds, for a machine that is busy: nothing is measured
OF_THE_FORGE = frozenset({"COUNTERSIGN_FORGE_REPOSITORY", "COUNTERSIGN_GITHUB_URL", "GITHUB_TOKEN"})


class Clock:
    """A clock that a test winds."""

    def __init__(self) -> None:
        self.at = START

    def now(self) -> datetime:
        """Return the present instant."""
        return self.at

    def wind(self, **span: float) -> None:
        """Let time pass."""
        self.at += timedelta(**span)


@dataclass
class Another:
    """A pass in a thread of its own; ``done`` once it is over."""

    thread: threading.Thread
    done: threading.Event


@dataclass
class Office:
    """The production engine in the sandbox's world, with a clock of ours."""

    world: World
    engine: Engine
    clock: Clock

    def say(self, person: str, word: Word) -> Recorded | NotRecorded:
        """Let somebody say something by a button."""
        return self.engine.say(
            Speaker(TEAM, f"U0{person.upper()}", "button", f"{person}-{self.clock.at:%s}"), word
        )

    def commit(self, parent: str, message: str) -> str:
        """Make a commit of a stranger that changes no file of the target branch; return its id. No branch has it."""
        tree = self.world.git.text("rev-parse", "main^{tree}")
        who = ("-c", "user.name=X", "-c", "user.email=x@example.org")
        return self.world.git.text(*who, "commit-tree", tree, "-p", parent, "-m", message)

    def another_pass(self) -> Another:
        """Begin a pass in a thread of its own, and wait until that has begun."""
        began, done = threading.Event(), threading.Event()

        def run() -> None:
            began.set()
            self.engine.run_pass()
            done.set()

        thread = threading.Thread(target=run)
        thread.start()
        assert began.wait(PATIENCE)
        return Another(thread, done)

    def look(self) -> None:
        """Make a pass, a moment later."""
        self.clock.wind(seconds=2)
        self.engine.run_pass()

    def asked(self, version: str) -> str:
        """Push a version, let staging take it, let Carol ask for production; return the promotion."""
        self.world.push(CHECKOUT, version)
        self.look()
        answer = self.say("carol", Propose(CHECKOUT, version, "production", "we want it"))
        assert isinstance(answer, Recorded), answer
        return answer.promotion

    def stage(self, promotion: str) -> Stage:
        """Return how far a promotion is."""
        return self.engine.look().state.promotions[promotion].stage

    def kinds(self) -> list[str]:
        """Return the kinds of all entries, oldest first."""
        chain = self.engine.desk.ledger.read(self.engine.desk.mirror.fetch())
        assert not chain.faults
        return [entry.kind.value for _, entry in chain.entries]

    def entries(self, kind: str) -> list[Entry]:
        """Return the entries of a kind, oldest first."""
        chain = self.engine.desk.ledger.read(self.engine.desk.mirror.fetch())
        assert not chain.faults
        return [entry for _, entry in chain.entries if entry.kind.value == kind]

    def findings(self) -> list[str]:
        """Return what an auditor finds who holds ledger and target branch against each other."""
        desk = self.engine.desk
        return [str(one) for one in verify(desk.mirror, desk.book, folder="promotion").findings]

    def told(self, channel: str = "C0DEPLOYS") -> str:
        """Return all that a channel shows now, as it was sent."""
        return "\n".join(str(one.blocks) for one in self.world.slack.workspace.messages(channel))

    def change_rules(self, path: str, old: str, new: str) -> None:
        """Commit other rules to the target branch, and look."""
        text = self.world.git.text("show", f"main:promotion/{path}")
        assert old in text
        files: dict[str, str | None] = {f"promotion/{path}": text.replace(old, new)}
        self.world.forge.push_to_branch("main", files, "Change the rules\n", login="bob")
        self.look()


@contextmanager
def office_in(
    folder: Path, clock: Clock | None = None, *, has_forge: bool = True, command: str = COMMAND
) -> Iterator[Office]:
    """Open a world and the engine in it while the block runs; the first pass has been made.

    ``clock``: forge and chat go by the engine's own, too. Without ``has_forge`` no setting names one. Of all that was
    shown until the end, each command has to be one that ``command`` renames.
    """
    with opened(folder / "world", now=clock.now if clock else present) as world:
        clock = clock or Clock()
        with engine_in(world, folder, clock, has_forge=has_forge, command=command) as engine:
            _without_waiting(world)
            engine.run_pass()
            yield Office(world, engine, clock)
        assert fixed(world.slack.workspace.events()) == [], "commands are said as code, by COMMAND"


@contextmanager
def engine_in(
    world: World, folder: Path, clock: Clock, *, has_forge: bool = True, command: str = COMMAND
) -> Iterator[Engine]:
    """Let the engine be born in a world, on the disk that is in this folder; nothing has been looked at yet."""
    said = {**world.settings, "XDG_STATE_HOME": str(folder / "state"), "HOME": str(folder)}
    settings = load({key: value for key, value in said.items() if has_forge or key not in OF_THE_FORGE})
    chat = SlackChat(web_client(world.slack.token, world.slack.api_url), command)
    with assembly.working(settings, chat=chat, say=lambda _line: None) as engine:
        engine.clock = clock
        if has_forge:
            engine.forge = GitHubForge(
                settings.forge_repository,
                engine.desk.mirror.branch,
                TokenLogin(settings.github_token),
                base_url=settings.github_url,
                manner=Manner(timeout=5, between_writes=0, between_looks=0),
                sleep=lambda _seconds: None,
            )
        yield engine


def _without_waiting(world: World) -> None:
    """Let production wait for nothing but people: the delivery tool reports by another clock than ours."""
    path = "promotion/rules.yaml"
    lines = world.git.text("show", f"main:{path}").splitlines(keepends=True)
    plain = "".join(one for one in lines if not one.strip().startswith(("health:", "soak:")))
    world.forge.push_to_branch("main", {path: plain}, "Wait for people alone\n", login="bob")
