"""One of several processes that write to one ledger: REMOTE FOLDER KEY NAME COUNT BATCH SEED SECONDS.

It appends by the bot's own code, while answers of its pushes are destroyed and some pushes are killed under way. It
prints how many it tried and what it was told to be recorded, as JSON: keys, and seconds for each.
"""

import json
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from bot.ledger import Appended, Ledger, Proposal
from bot.looking.book import Book
from bot.repository.mirror import Mirror
from bot.repository.push import PushAnswer, RefUpdate, Unknown
from bot.signing import Signer
from policies.entries.entry import Entry, Kind, Sighting, write_time
from policies.ledger.keys import expected_key
from policies.ledger.state import State
from tests.bot.ledger_worlds import WEB, digest

DESTROYED, KILLED = 0.20, 0.05
AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


class Unsure(Mirror):
    """A clone whose pushes are not always answered: some answers are destroyed, some pushes killed under way."""

    chance = random.Random()  # noqa: S311  it makes trouble, it guards nothing

    def push(self, updates: Sequence[RefUpdate], *, timeout_seconds: float | None = None) -> PushAnswer:
        """Push, and lose the answer at times."""
        if self.chance.random() < KILLED:
            return super().push(updates, timeout_seconds=self.chance.uniform(0.002, 0.03))
        answer = super().push(updates, timeout_seconds=timeout_seconds)
        return Unknown("the answer was destroyed") if self.chance.random() < DESTROYED else answer


def entry(name: str, number: int) -> Entry:
    """Return something that only this writer says."""
    tag = f"7.{number}.0-{name}"
    return Entry(kind=Kind.SEEN, at=write_time(AT), key="", seen=(Sighting("web", WEB, tag, digest(tag)),))


def write(
    remote: str, folder: str, key: str, *, name: str, count: int, batch: int, seed: int, ends: float
) -> tuple[int, dict[str, float]]:
    """Append so many entries, up to ``batch`` together, until ``ends`` by the monotonic clock.

    Return how many were tried, and the seconds of each that was acknowledged, by key.
    """
    mirror = Unsure.open(remote, Path(folder))
    chance = Unsure.chance
    chance.seed(seed)
    ledger = Ledger(mirror, Signer.from_openssh(Path(key).read_text("utf-8")), Book(mirror, "promotion"))
    told: dict[str, float] = {}
    first = 0
    while first < count and time.monotonic() < ends:
        some = range(first, min(count, first + chance.randint(1, batch)))

        def made(state: State, some: range = some) -> tuple[Entry, ...]:
            entries = [entry(name, number) for number in some]
            return tuple(replace(one, key=expected_key(state, one)) for one in entries)

        began = time.monotonic()
        answer = ledger.append(lambda _tips, state, made=made: Proposal(made(state)), year="2026")  # type: ignore[misc]
        first = some.stop
        if isinstance(answer, Appended):
            told |= {one.key: time.monotonic() - began for one in made(answer.state)}
    return first, told


if __name__ == "__main__":
    REMOTE, FOLDER, KEY, NAME, COUNT, BATCH, SEED, SECONDS = sys.argv[1:]
    ENDS = time.monotonic() + float(SECONDS)
    TRIED, TOLD = write(
        REMOTE, FOLDER, KEY, name=NAME, count=int(COUNT), batch=int(BATCH), seed=int(SEED), ends=ENDS
    )
    sys.stdout.write(json.dumps([TRIED, TOLD]))
