"""The check of a long ledger on its first reading: how far it has come, and what may be shown meanwhile."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from bot.chains.chain import Chain
from bot.chains.signatures_ahead import MANY
from bot.preview import Preview
from bot.repository.objects import RawCommit

Glance = Callable[[str, Sequence[RawCommit]], Preview | None]  # a year, and its commits from the first


@dataclass(slots=True)
class Checking:
    """Takes a first look when a long check begins; drops it when the check fails. Read by any thread."""

    glance: Glance
    preview: Preview | None = None
    total: int = 0  # entries to check; 0: no check is under way
    done: int = 0

    @property
    def said(self) -> str:
        """Say how far the check is, '' where none is under way."""
        total, done = self.total, self.done
        return f"checking {done} of {total} entries" if total else ""

    @contextmanager
    def of(self, chain: Chain, commits: Sequence[RawCommit]) -> Iterator[Iterator[RawCommit]]:
        """Yield the commits as ``chain`` is to take them in; of a short ledger nothing is noted."""
        if chain.tip is not None or len(commits) < MANY:
            yield iter(commits)
            return
        self.total, self.done = len(commits), 0
        is_sound = False
        try:
            self.preview = self.glance(chain.year, commits)
            yield self._counted(commits)
            is_sound = not chain.faults
        finally:
            if not is_sound:
                self.preview = None
            self.total = 0

    def _counted(self, commits: Sequence[RawCommit]) -> Iterator[RawCommit]:
        for done, raw in enumerate(commits):
            self.done = done
            yield raw
