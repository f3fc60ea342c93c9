"""What changes in the world, pushed to every open page: one thread looks at Git, the forge and the bot."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import yaml

from sandbox.git import GitError
from sandbox.levers import Levers
from sandbox.page.state import SHOWN_PULLS, commits, is_seen, ledger_rows, shown, workspace_as_seen
from sandbox.record import Record, Recorded
from sandbox.slack.feed import Event
from sandbox.slack.people import Person
from sandbox.world import World

LOOKED_EVERY_SECONDS = 0.4
BEAT_SECONDS = 15.0  # a comment on a quiet stream: a browser that went away is noticed
MAX_WAITING = 2000  # messages; who does not read them begins anew


@dataclass(slots=True)
class _Reader:
    """One open page: what was not sent yet. Told from any thread, read in the server's loop."""

    loop: asyncio.AbstractEventLoop
    waiting: asyncio.Queue[str | None] = field(default_factory=lambda: asyncio.Queue(MAX_WAITING))

    def tell(self, text: str | None) -> None:
        """Hand over one message, or None for the end."""
        with suppress(RuntimeError):  # the loop is closed: nobody reads any more
            self.loop.call_soon_threadsafe(self._put, text)

    def _put(self, text: str | None) -> None:
        if self.waiting.full() or text is None:
            while not self.waiting.empty():
                self.waiting.get_nowait()
            text = None
        self.waiting.put_nowait(text)


class Stream:
    """Follows a world while it is a context. Thread-safe."""

    def __init__(self, world: World, levers: Levers) -> None:
        self._world = world
        self._levers = levers
        self._record = Record(world.git)
        self._lock = threading.RLock()
        self._sections: dict[str, Any] = {}
        self._entries: dict[str, Recorded] = {}
        self._readers: list[_Reader] = []
        self._seen_of_git: tuple[list[str], int] = ([], -1)
        self._seen_of_forge: tuple[list[str], int, int] = ([], -1, -1)
        self._stops = threading.Event()
        self._poked = threading.Event()
        self._pokes = 0
        self._thread = threading.Thread(target=self._follow, name="page", daemon=True)

    def __enter__(self) -> Self:
        """Look once, then begin to follow."""
        self.look()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop looking."""
        self.end()
        self._thread.join()

    def end(self) -> None:
        """End every stream, so that the server need not wait for them."""
        self._stops.set()
        self._poked.set()
        with self._lock:
            for reader in self._readers:
                reader.tell(None)

    def poke(self) -> None:
        """Look again at once: a lever was pulled."""
        with self._lock:
            self._pokes += 1
        self._poked.set()

    def sections(self) -> dict[str, Any]:
        """Return what is known of the world beside the workspace."""
        with self._lock:
            return dict(self._sections)

    def entry(self, oid: str) -> Recorded | None:
        """Return one ledger entry by its commit."""
        with self._lock:
            return self._entries.get(oid)

    def look(self) -> None:
        """Look at everything once, and tell what changed."""
        try:
            self._look_at_git()
            self._tell("trouble", "")
        except (GitError, yaml.YAMLError, LookupError, TypeError, ValueError) as error:
            # A visitor may do anything to the repository: the page says what it cannot read, and goes on.
            self._tell("trouble", f"{type(error).__name__}: {error}")
        self._tell("registry", self._levers.registry())
        self._tell("bot", self._levers.bot())

    async def follow(self, person: Person) -> AsyncIterator[str]:
        """Yield server-sent events for one person: first all that there is, then what changes."""
        workspace, reader = self._world.slack.workspace, _Reader(asyncio.get_running_loop())
        end = workspace.subscribe(self._hearing(person, reader))
        with self._lock:
            self._readers.append(reader)
            sections = dict(self._sections)
        try:
            yield event("all", {**workspace_as_seen(workspace, person), "sections": sections})
            while not self._stops.is_set():
                try:
                    text = await asyncio.wait_for(reader.waiting.get(), BEAT_SECONDS)
                except TimeoutError:
                    text = ": still here\n\n"
                if text is None:
                    return
                yield text
        finally:
            end()
            with self._lock:
                self._readers.remove(reader)

    def _hearing(self, person: Person, reader: _Reader) -> Callable[[Event], None]:
        workspace = self._world.slack.workspace

        def heard(one: Event) -> None:
            if is_seen(workspace, one, person.id):
                reader.tell(event("feed", one.as_json()))

        return heard

    def _look_at_git(self) -> None:
        refs = self._world.git.lines("for-each-ref", "--format=%(objectname) %(refname)", "refs/heads/")
        with self._lock:
            pokes = self._pokes
        if (refs, pokes) != self._seen_of_git:
            entries = shown(self._record.entries())
            with self._lock:
                self._entries = {entry.oid: entry for entry in entries}
            self._tell("git", commits(self._world.git, self._levers.health()))
            self._tell("ledger", ledger_rows(entries))
            self._seen_of_git = refs, pokes
        written = sum(one.method != "GET" for one in self._world.forge.seen())
        if (refs, written, pokes) != self._seen_of_forge:
            self._tell("pulls", self._world.forge.snapshot()["pulls"][:SHOWN_PULLS])
            self._seen_of_forge = refs, written, pokes

    def _tell(self, name: str, value: Any) -> None:
        with self._lock:
            if name in self._sections and self._sections[name] == value:
                return
            self._sections[name] = value
            for reader in self._readers:
                reader.tell(event("section", {"name": name, "value": value}))

    def _follow(self) -> None:
        while not self._stops.is_set():
            self._poked.wait(LOOKED_EVERY_SECONDS)
            self._poked.clear()
            self.look()


def event(name: str, value: Any) -> str:
    """Write a server-sent event; JSON keeps it on one line (HTML Standard, "Server-sent events")."""
    return f"event: {name}\ndata: {json.dumps(value, separators=(',', ':'), default=list)}\n\n"
