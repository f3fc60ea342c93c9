"""Moves without approvals, many of them, while who makes them is killed: the branch and the ledger stay one to one.

Each life is a process forked from a warm one, with an empty disk or with the one that the last of its name left. It
publishes the next version and moves it by the bot's own code, again and again, until it is killed: what git pushes then
goes on alone. Two live at once, so that they also race.
"""

import os
import random
import shutil
import signal
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bot.errors import BotError
from policies.entries.entry import Kind
from tests.bot.ledger_worlds import World, bot, world
from tests.campaign.reading import Reading

AT_ONCE = 2
LIFE_SECONDS = (0.05, 1.5)  # how long one lives, at random
QUIET_SECONDS = 1.0  # after which what git was pushing alone has arrived


@dataclass
class Bumps:
    """What it came to."""

    kills: int = 0
    made: int = 0
    wrong: list[str] = field(default_factory=list)


def live(base: World, folder: Path) -> None:
    """Publish the next version and move it, without an end."""
    here = World(base.remote, bot(base.remote, folder, base.signer), base.signer, base.at)
    while True:
        try:
            entries = here.entries
            moved = sum(one.kind is Kind.BUMP for _, one in entries)
            here.at = max(here.at, entries[-1][1].time)
            here.tags = [version(moved), version(moved + 1)]
            here.look()
            here.append(here.moves)
        except BotError:  # the world was not to be had at that moment: it looks again
            continue


def version(number: int) -> str:
    """Return the so many-th version."""
    return f"1.{number}.0"


def forked(base: World, folder: Path) -> int:
    """Let a process live; return its number."""
    number = os.fork()
    if number == 0:
        try:
            live(base, folder)
        except BaseException:  # noqa: BLE001  whoever waits sees that it ended by itself
            traceback.print_exc()
        os._exit(1)
    return number


def campaign(folder: Path, *, bumps: int, kills: int, seed: int, ends: float) -> Bumps:
    """Let processes move and be killed until both are enough, or until ``ends`` by the monotonic clock."""
    chance = random.Random(seed)  # noqa: S311  it picks moments, it guards nothing
    base, found = world(folder / "base"), Bumps()
    reading = Reading(base.remote)
    living = {one: forked(base, folder / f"disk-{one}") for one in range(AT_ONCE)}
    while (found.kills < kills or found.made < bumps) and time.monotonic() < ends:
        time.sleep(chance.uniform(*LIFE_SECONDS))
        name = chance.randrange(AT_ONCE)
        os.kill(living[name], signal.SIGKILL)
        _, status = os.waitpid(living[name], 0)
        if not os.WIFSIGNALED(status):
            found.wrong.append(f"a process ended by itself: {status}")
        found.kills += 1
        if chance.random() < 0.5:
            shutil.rmtree(folder / f"disk-{name}", ignore_errors=True)
        living[name] = forked(base, folder / f"disk-{name}")
        found.made = sum(line.kind == "bump" for line in reading.ledger())
    for one in living.values():
        os.kill(one, signal.SIGKILL)
        os.waitpid(one, 0)
    time.sleep(QUIET_SECONDS)
    found.made = sum(line.kind == "bump" for line in reading.ledger())
    found.wrong += judged(reading)
    found.wrong += map(str, base.audit(folder / "audit").findings)
    return found


def judged(reading: Reading) -> Iterator[str]:
    """Yield what is not one to one, or not in the same order, on the branch and in the ledger."""
    lines, main = reading.ledger(), reading.main()
    bumps = [line for line in lines if line.kind == "bump"]
    moves = [one for one in main if one.trailer("Ledger-Key").startswith("bump/")]
    if [str(line["commit"]) for line in bumps] != [one.oid for one in moves]:
        yield f"{len(bumps)} bumps in the ledger, {len(moves)} on the branch, or in another order"
    tags = [str(line["image"][0]["tag"]) for line in bumps]
    if tags != [version(number) for number in range(1, len(bumps) + 1)]:
        yield f"not each version once, one after the other: {tags[:9]}..."
    if len(main) != len(moves) + 1:
        yield f"{len(main) - 1} commits on the branch for {len(moves)} moves"
    if twice := [key for key, count in Counter(line.key for line in lines).items() if count > 1]:
        yield f"keys stand twice: {twice[:3]}"
