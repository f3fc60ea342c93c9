"""One of several processes that write to one ledger: REMOTE FOLDER KEY NAME COUNT SEED.

It appends by the bot's own code, while answers of its pushes are destroyed and some pushes are killed under way. It
prints what it was told to be recorded, as JSON: keys, and seconds for each.
"""

import json
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from bot.book import Book
from bot.ledger import Appended, Ledger, Proposal
from bot.mirror import Mirror, Tips
from bot.push import PushAnswer, RefUpdate, Unknown
from bot.signing import Signer
from policies.entry import Entry, Kind, Sighting, write_time
from policies.keys import expected_key
from policies.state import State
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


def write(remote: str, folder: str, key: str, *, name: str, count: int, seed: int) -> dict[str, float]:
    """Append so many entries; return the seconds of each that was acknowledged, by key."""
    mirror = Unsure.open(remote, Path(folder))
    Unsure.chance.seed(seed)
    ledger = Ledger(mirror, Signer.from_openssh(Path(key).read_text("utf-8")), Book(mirror, "promotion"))
    told: dict[str, float] = {}
    for number in range(count):

        def compose(_tips: Tips, state: State, number: int = number) -> Proposal:
            made = entry(name, number)
            return Proposal((replace(made, key=expected_key(state, made)),))

        began = time.monotonic()
        answer = ledger.append(compose, year="2026")
        if isinstance(answer, Appended):
            told[expected_key(answer.state, entry(name, number))] = time.monotonic() - began
    return told


if __name__ == "__main__":
    REMOTE, FOLDER, KEY, NAME, COUNT, SEED = sys.argv[1:]
    sys.stdout.write(json.dumps(write(REMOTE, FOLDER, KEY, name=NAME, count=int(COUNT), seed=int(SEED))))
