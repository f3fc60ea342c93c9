"""Tells the day on the terminal as it unfolds: chapters, what is said in Slack, what happens in Git."""

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from sandbox.feed import Event
from sandbox.git import GitError
from sandbox.mrkdwn import harmless
from sandbox.record import Record
from sandbox.transcript import Transcript
from sandbox.world import World

LOOKED_EVERY_SECONDS = 0.3
_INDENT = " " * 12
# Bookkeeping that no reader of a story misses; it stays in the ledger.
_QUIET = frozenset({"seen", "shown", "rules"})


class Narrator:
    """Writes lines with their time (UTC). As a context it follows a world; thread-safe."""

    def __init__(self, world: World, write: Callable[[str], object] = print) -> None:
        self._write = write
        self._record = Record(world.git)
        self._workspace = world.slack.workspace
        self._transcript = Transcript(self._workspace)
        self._lock = threading.Lock()  # of the terminal
        self._looking = threading.Lock()
        self._ends = threading.Event()
        self._tip = self._record.tip()
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
        self._ends.set()
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
            for landing in self._record.landings(self._tip):
                self.tell("git main", f"{landing.subject}  ({landing.oid[:10]})")
                self._tip = landing.oid
            entries = self._record.entries()
            for entry in entries[self._told :]:
                if entry.kind not in _QUIET:
                    who = f" by {entry.person}" if entry.person else ""
                    about = " ".join(
                        word for word in (entry["environment"], entry["service"], entry.tag) if word
                    )
                    why = f": {entry['why']}" if entry["why"] else ""
                    self.tell("ledger", f"{entry.kind} {about}{who}{why}  ({entry.oid[:10]})")
            self._told = len(entries)

    def _tell(self, text: str) -> None:
        first, *rest = text.split("\n")
        now = time.strftime("%H:%M:%S", time.gmtime())
        with self._lock:
            self._write("\n".join([f"  {now}  {first}", *(f"{_INDENT}{line}" for line in rest)]))

    def _heard(self, event: Event) -> None:
        self._tell(self._transcript.event(event))

    def _follow_git(self) -> None:
        while not self._ends.wait(LOOKED_EVERY_SECONDS):
            try:
                self.look_at_git()
            except GitError as error:  # a ref that moves under the look; the next look sees it
                self.tell("git", str(error))
