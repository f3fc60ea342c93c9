"""The sweep: a promotion's life is lived, killed at crash points, begun again on an empty disk, and judged.

A kill here is an exception that no handler catches, and everything that the process held or wrote is thrown away. That
is what SIGKILL leaves: what was pushed, asked of the forge or said in the chat before the point, and nothing else. What
differs is only the disk, which is wiped either way, and what runs while the exception goes up: `finally` and `with`
blocks close what is local (the index's transaction, a lock file, connections). test_killed.py and its like kill real
processes with SIGKILL at the same points.
"""

import random
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from policies.words import Approve, Cancel, Freeze, Propose, Rollback, Unfreeze
from tests.campaign.acts import WHY, Acts
from tests.campaign.invariants import Seen, broken
from tests.campaign.office import Office, office
from tests.campaign.witness import Witness


@dataclass
class Stagehand:
    """One world, somebody who acts in it, and somebody who checks it."""

    office: Office
    acts: Acts
    seen: Seen

    def until(self, done: Callable[[], bool], act: Callable[[], object], tries: int = 40) -> None:
        """Do something, again where the process died of it, until it is done."""
        for _ in range(tries):
            if done():
                return
            act()
            if done():
                return
            self.office.clock.wind(minutes=3)
            self.office.look()
        assert done(), f"it does not come about: {self.office.left}"

    def has(self, kind: str, person: str = "", *, times: int = 1) -> bool:
        """Whether the ledger has so many entries of a kind, by a person or anybody."""
        lines = self.office.reading.ledger()
        return len([one for one in lines if one.kind == kind and person in {"", one.person}]) >= times


@contextmanager
def stage() -> Iterator[Stagehand]:
    """Open a world for one life."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        found = stack.enter_context(office(folder))
        witness = Witness(found.world.git.repository, folder / "witness")
        found.trap.passed.clear()
        yield Stagehand(found, Acts(found), Seen(found, witness))


def life(hand: Stagehand) -> None:
    """Live through a day: a bump, a promotion that is cancelled, one that lands, a freeze, a way back."""
    acts, there = hand.acts, hand.office
    hand.until(lambda: hand.has("genesis"), there.look)
    first = acts.publish("checkout-api")
    hand.until(lambda: hand.has("bump"), there.look)
    hand.until(lambda: hand.has("propose"), lambda: _ask(there, first))
    hand.until(lambda: hand.has("cancel"), lambda: there.say("carol", Cancel(acts.promotions()[-1], WHY)))
    hand.until(lambda: hand.has("propose", times=2), lambda: _ask(there, first))
    for person in ("ada", "bob"):
        approves = partial(_approve, hand, person)
        hand.until(partial(hand.has, "approve", person), approves)
    hand.until(lambda: hand.has("landed"), there.look)
    hand.until(lambda: hand.has("freeze"), lambda: there.say("bob", Freeze(("production",), WHY)))
    back = Rollback("checkout-api", WHY, "", ("production",))
    hand.until(lambda: hand.has("rollback"), lambda: there.say("ada", back))
    hand.until(lambda: hand.has("landed", times=2), there.look)
    hand.until(lambda: hand.has("unfreeze"), lambda: there.say("bob", Unfreeze("production", WHY)))


def _approve(hand: Stagehand, person: str) -> object:
    return hand.office.say(person, Approve(hand.acts.promotions()[-1]))


def _ask(there: Office, version: str) -> object:
    return there.say("carol", Propose("checkout-api", version, "production", WHY))


EXPECTED = {
    "genesis": 1,
    "bump": 1,
    "propose": 2,
    "cancel": 1,
    "approve": 2,
    "rollback": 1,
    "intent": 2,
    "merged": 2,
}
EXPECTED |= {"landed": 2, "freeze": 1, "unfreeze": 1}


def passings() -> dict[str, int]:
    """Return how often a life that nobody ends passes each crash point."""
    with stage() as hand:
        life(hand)
        hand.office.rest()
        passed = hand.office.trap.passed
        return {name: passed.count(name) for name in passed}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a life that was killed came to."""

    died: tuple[str, ...]
    lost: int
    doubled: int
    violations: tuple[str, ...]


def killed(*deaths: tuple[str, int]) -> Outcome:
    """Live, and die at each of these passings (point, and the how many-th over all lives); come to rest, be judged."""
    with stage() as hand:
        hand.office.trap.deaths += deaths
        life(hand)
        hand.office.rest()
        found = broken(hand.seen, at_rest=True)
        found += [str(one) for one in hand.seen.witness.verify().findings]
        kinds = [line.kind for line in hand.seen.ledger]
        lost = sum(max(0, wanted - kinds.count(kind)) for kind, wanted in EXPECTED.items())
        doubled = sum(max(0, kinds.count(kind) - wanted) for kind, wanted in EXPECTED.items())
        return Outcome(tuple(hand.office.trap.died), lost, doubled, tuple(found))


RARE = ("clone-ready", "edit", "comment", "close", "describe", "withdraw")


def rounds(passed: Mapping[str, int], count: int) -> list[list[tuple[str, int]]]:
    """Return the deaths of some lives, so that every point kills once at its so many-th passing.

    What happens once in a life has a life of its own: who dies at every turn never comes there.
    """
    there = [name for name in sorted(passed) if passed[name] >= count]
    rare = [name for name in there if name.partition("-")[2] in RARE]
    return [
        [(name, count) for name in names]
        for names in (rare, [one for one in there if one not in rare])
        if names
    ]


def random_rounds(passed: Mapping[str, int], seed: int, kills: int) -> Iterator[list[tuple[str, int]]]:
    """Yield the deaths of lives, one to three in a row at passings that chance picks, up to so many kills."""
    chance = random.Random(seed)  # noqa: S311  it picks deaths, it guards nothing
    every = [(name, number + 1) for name in sorted(passed) for number in range(passed[name])]
    while kills > 0:
        some = chance.sample(every, k=chance.randint(2, 9))
        kills -= len(some)
        yield some
