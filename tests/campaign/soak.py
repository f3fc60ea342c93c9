"""Seven days in a row: passes and promotions of one process that nobody kills, which must not grow by them.

The clock is wound, half a minute for each pass; everything else is real. Memory and file handles are those of the
process of the bot alone; its passings of crash points tell how often it pushed in each minute.
"""

import os
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from policies.words import Approve, Propose
from tests.campaign.acts import WHY
from tests.campaign.apart import Apart, passings
from tests.campaign.invariants import broken
from tests.campaign.stage import Stagehand, stage

PASS_SECONDS = 30
MEASURED_EVERY = 100  # passes
TIDIED_EVERY = 500  # passes: a Git host packs what has gathered
PASSES_OF_A_ROUND = 10  # in which one version goes all the way
PUSHES = frozenset(f"before-{what}-push" for what in ("bump", "ledger", "branch")) | {"before-branch-delete"}
PUSHES_A_MINUTE = 6  # what GitHub recommends at most
MORE_HANDLES = 16  # more than at the first look
MORE_BYTES = 64 << 20  # more memory than then, whatever happens
BYTES_OF_AN_ENTRY = 16 << 10  # and for each entry that came since


@dataclass(frozen=True, slots=True)
class Size:
    """How large the process is, and how long the ledger was then."""

    memory: int  # bytes
    handles: int
    entries: int


@dataclass
class Soak:
    """What it came to; ``sizes`` from time to time."""

    passes: int = 0
    promotions: int = 0
    busiest: int = 0  # pushes in one minute
    sizes: list[Size] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def soaked(passes: int, ends: float, say: Callable[[str], None] = lambda _: None) -> Soak:
    """Let a process make so many passes, or until ``ends`` by the monotonic clock, and people promote meanwhile."""
    found = Soak()
    with stage(is_apart=True) as hand:
        hand.office.is_paced = hand.office.answers_people = True
        while found.passes < passes and time.monotonic() < ends:
            _minute(hand)
            hand.office.look()
            _spoken(hand, found.passes % PASSES_OF_A_ROUND)
            hand.office.clock.wind(seconds=PASS_SECONDS - 2)
            found.passes += 1
            if found.passes % TIDIED_EVERY == 0:
                hand.office.world.git.run("pack-refs", "--all")
                hand.office.world.git.run("repack", "-d", "-q")
            if found.passes % min(MEASURED_EVERY, max(1, passes // 3)) == 0:
                found.sizes.append(size(hand))
                say(f"  {found.passes} passes, {found.sizes[-1]}")
        found.sizes.append(size(hand))
        hand.office.step = "rest"
        hand.office.rest()
        found.promotions = sum(line.kind == "landed" for line in hand.seen.ledger)
        found.busiest = busiest(passings(hand.office.passings_file))
        found.wrong += judged(found)
        found.wrong += broken(hand.seen, at_rest=True)
        found.wrong += map(str, hand.seen.witness.verify().findings)
    return found


def _minute(hand: Stagehand) -> None:
    hand.office.step = f"{hand.office.clock.at:%d %H:%M}"


def _spoken(hand: Stagehand, number: int) -> None:
    """Let people say what is theirs in this pass of a round."""
    acts, there = hand.acts, hand.office
    if number == 0:
        acts.publish("checkout-api")
    elif number == 2:
        there.say("carol", Propose("checkout-api", acts.newest("checkout-api"), "production", WHY))
    elif number in {4, 6} and (live := acts.promotions()):
        there.say("ada" if number == 4 else "bob", Approve(live[-1]))


def size(hand: Stagehand) -> Size:
    """Measure the process of the bot. Linux."""
    life = hand.office.replicas[0].life
    assert isinstance(life, Apart)
    there = Path("/proc") / str(life.process.pid)
    pages = int((there / "statm").read_text("ascii").split()[1])
    handles = len(list((there / "fd").iterdir()))
    return Size(pages * os.sysconf("SC_PAGE_SIZE"), handles, len(hand.seen.ledger))


def busiest(passed: Counter[tuple[str, str]]) -> int:
    """Return the most pushes that were begun in one minute."""
    minutes: Counter[str] = Counter()
    for (minute, point), count in passed.items():
        if point in PUSHES and minute != "rest":
            minutes[minute] += count
    return max(minutes.values(), default=0)


def judged(found: Soak) -> list[str]:
    """Return what grew more than it may, and what was pushed too often."""
    wrong: list[str] = []
    if found.busiest > PUSHES_A_MINUTE:
        wrong.append(f"{found.busiest} pushes in a minute")
    for later in found.sizes[1:]:
        first = found.sizes[0]
        if later.handles > first.handles + MORE_HANDLES:
            wrong.append(f"{later.handles} handles are open, {first.handles} were at first")
        room = MORE_BYTES + (later.entries - first.entries) * BYTES_OF_AN_ENTRY
        if later.memory > first.memory + room:
            grown = (later.memory - first.memory) >> 20
            wrong.append(f"it grew by {grown} MB while {later.entries - first.entries} entries came")
    return wrong
