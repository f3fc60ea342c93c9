"""Tells the day on the terminal as it unfolds: chapters, what is said in Slack, what happens in Git."""

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from sandbox.git import GitError
from sandbox.record import Record, Recorded
from sandbox.slack.feed import Event
from sandbox.slack.mrkdwn import harmless
from sandbox.slack.transcript import Transcript
from sandbox.world import World

LOOKED_EVERY_SECONDS = 0.3
_INDENT = " " * 12
# Bookkeeping that no reader of a story misses; it stays in the ledger.
_QUIET = frozenset({"seen", "shown", "rules"})


def _print(text: str) -> None:
    print(text, flush=True)  # also through a pipe a story is told as it unfolds


class Narrator:
    """Writes lines with their time (UTC). As a context it follows a world; thread-safe."""

    def __init__(self, world: World, write: Callable[[str], object] = _print) -> None:
        self._write = write
        self._record = Record(world.git)
        self._workspace = world.slack.workspace
        self._transcript = Transcript(self._workspace)
        self._lock = threading.Lock()  # of the terminal
        self._looking = threading.Lock()
        self._stops = threading.Event()
        self._tip = self._record.tip()
        self._ended: list[str] = []  # where the branches ended at the last look
        self._told = 0
        self._thread = threading.Thread(target=self._follow_git, name="narrator", daemon=True)
        self._unsubscribe: Callable[[], None] = lambda: None

    def __enter__(self) -> Self:
        """Begin to follow."""
        self._unsubscribe = self._workspace.subscribe(self._heard)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Tell what is left, and stop."""
        self._unsubscribe()
        self._stops.set()
        self._thread.join()

    def chapter(self, title: str) -> None:
        """Begin a chapter, after what belongs to the one before."""
        self.look_at_git()
        with self._lock:
            self._write(f"\n{title}")

    def tell(self, where: str, text: str) -> None:
        """Write one line: when, where, what."""
        self._tell(f"{where:<10}  {harmless(text)}")

    def look_at_git(self) -> None:
        """Tell what is new in the repository: landing commits, then entries."""
        with self._looking:
            try:
                ends = self._record.ends()
                if ends != self._ended:
                    self._tell_news()
                    self._ended = ends
            except GitError as error:  # a ref that moved under the look: the next one sees it
                self.tell("git", str(error))

    def _tell_news(self) -> None:
        for landing in self._record.landings(self._tip):
            self.tell("git main", f"{landing.subject}  ({landing.oid[:10]})")
            self._tip = landing.oid
        entries = self._record.entries()
        for entry in entries[self._told :]:
            if entry.kind not in _QUIET:
                self.tell("ledger", f"{_sentence(entry)}  ({entry.oid[:10]})")
        self._told = len(entries)

    def _tell(self, text: str) -> None:
        first, *rest = text.split("\n")
        now = time.strftime("%H:%M:%S", time.gmtime())
        with self._lock:
            self._write("\n".join([f"  {now}  {first}", *(f"{_INDENT}{line}" for line in rest)]))

    def _heard(self, event: Event) -> None:
        if event.user == self._workspace.app.user:
            self.look_at_git()  # the bot speaks of what is on the remote: so that stands first here, too
        self._tell(self._transcript.event(event))

    def _follow_git(self) -> None:
        while not self._stops.wait(LOOKED_EVERY_SECONDS):
            self.look_at_git()


def _sentence(entry: Recorded) -> str:
    about = [entry.kind, entry["environment"], entry["service"], entry.tag]
    who = [f"by {entry.person}"] if entry.person else []
    why = f": {entry['why']}" if entry["why"] else ""
    return " ".join(word for word in (*about, *who) if word) + why
