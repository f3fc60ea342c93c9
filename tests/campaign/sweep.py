"""The sweep: a promotion's life is lived, killed at crash points, begun again on an empty disk, and judged.

A kill is SIGKILL of a real process (``apart``). A life has steps; the sweep dies in each step at each crash point that
the step passes, once, twice and three times in a row. One life dies in many of its steps.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from policies.words import (
    Approve,
    Cancel,
    Emergency,
    Freeze,
    Propose,
    Reject,
    Review,
    Rollback,
    Unfreeze,
    Word,
)
from tests.campaign.acts import WHY
from tests.campaign.apart import Death, passings
from tests.campaign.invariants import broken
from tests.campaign.office import Office
from tests.campaign.stage import Stagehand, stage

SERVICE = "checkout-api"
Place = tuple[str, str]  # a step of a life, and a crash point


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a life: it is done again and again, by whoever is alive then, until it has come about."""

    name: str
    done: Callable[[], bool]
    act: Callable[[], object]


def steps(hand: Stagehand) -> Iterator[Step]:
    """Yield a day, each step when the one before has come about.

    A bump, seen by two replicas at once; a promotion that is cancelled, one that is rejected; one whose rule changes
    under it and that lands at the second try; a freeze, a way back, an emergency and its review; a move by hand.
    """
    acts, there = hand.acts, hand.office
    say = partial(_says, there)

    def approves(person: str) -> None:
        say(person, Approve(acts.promotions()[-1]))

    def approved() -> Iterator[Step]:
        for person in ("ada", "bob"):
            times = sum(one.kind == "approve" for one in there.reading.ledger() if one.person == person) + 1
            done = partial(hand.has, "approve", person, times=times)
            yield Step(f"{person} approves {times}", done, partial(approves, person))

    yield Step("a ledger begins", lambda: hand.has("genesis"), there.look)
    yield Step("people look", lambda: True, lambda: None)
    version = acts.publish(SERVICE)
    yield Step("a bump, seen by two", lambda: hand.has("bump"), partial(_meet, there))
    ask = partial(say, "carol", Propose(SERVICE, version, "production", WHY))
    yield Step("asked", lambda: hand.has("propose"), ask)
    yield Step(
        "cancelled", lambda: hand.has("cancel"), lambda: say("carol", Cancel(acts.promotions()[-1], WHY))
    )
    yield Step("asked again", lambda: hand.has("propose", times=2), ask)
    yield Step("rejected", lambda: hand.has("reject"), lambda: say("ada", Reject(acts.promotions()[-1], WHY)))
    yield Step("asked once more", lambda: hand.has("propose", times=3), ask)
    acts.change_rules("2")
    yield Step("its rule changes", lambda: hand.has("void"), there.look)
    yield from approved()
    yield Step("landed", lambda: hand.has("landed"), there.look)
    yield Step("frozen", lambda: hand.has("freeze"), lambda: say("bob", Freeze(("production",), WHY)))
    back = Rollback(SERVICE, WHY, "", ("production",))
    yield Step("rolled back", lambda: hand.has("rollback"), lambda: say("ada", back))
    yield Step("back", lambda: hand.has("landed", times=2), there.look)
    yield Step("thawed", lambda: hand.has("unfreeze"), lambda: say("bob", Unfreeze("production", WHY)))
    newer = acts.publish(SERVICE)
    yield Step("a second bump", lambda: hand.has("bump", times=2), there.look)
    ask = partial(say, "carol", Propose(SERVICE, newer, "production", WHY))
    yield Step("asked for the second", lambda: hand.has("propose", times=4), ask)
    there.world.forge.refuse_merges(409)
    yield from approved()
    yield Step("the merge is refused", lambda: hand.has("abort") or hand.has("landed", times=3), there.look)
    acts.touch()
    yield Step("built anew", lambda: hand.has("rebased") or hand.has("landed", times=3), there.look)
    yield Step("landed at the second try", lambda: hand.has("landed", times=3), there.look)
    last = acts.publish(SERVICE)
    yield Step("a third bump", lambda: hand.has("bump", times=3), there.look)
    call = Emergency(SERVICE, last, "production", WHY)
    yield Step("an emergency", lambda: hand.has("emergency"), lambda: say("ada", call))
    yield Step("it lands", lambda: hand.has("landed", times=4), there.look)
    yield Step("reviewed", lambda: hand.has("review"), lambda: say("carol", Review(acts.unreviewed(), WHY)))
    acts.commit({"apps/production/quota.yaml": "kind: ResourceQuota\n"}, "Set a quota\n")
    yield Step("files change", lambda: hand.has("config"), there.look)
    acts.move_by_hand("web", "production")
    yield Step("moved by hand", lambda: hand.has("external"), there.look)
    yield Step(
        "that is reviewed",
        lambda: hand.has("review", times=2),
        lambda: say("carol", Review(acts.unreviewed(), WHY)),
    )


def _says(there: Office, person: str, word: Word) -> None:
    there.home(person)
    there.say(person, word)


def _meet(there: Office) -> None:
    """Let a second replica make its pass while the first is about to post: both post, and one takes its own back."""
    there.trap.set("before-message", 1, lambda: there.look(1))
    there.look()
    there.trap.set("")


EXPECTED = {
    "genesis": 1,
    "bump": 3,
    "propose": 4,
    "cancel": 1,
    "reject": 1,
    "approve": 4,
    "rollback": 1,
    "emergency": 1,
    "merged": 4,
    "landed": 4,
    "freeze": 1,
    "unfreeze": 1,
    "external": 1,
    "review": 2,
}


def atomic(text: str) -> str:
    """Let the bot make the merge itself, in one push with its entries."""
    return text.replace("    soak: 2s\n", "    soak: 2s\n    merges: atomic\n")


def wrongly_merged(hand: Stagehand) -> Iterator[Step]:
    """Yield a day on which the forge merges more than it was asked to, and says that all is well.

    All who could review it had a part in it: the environment stands still at the end.
    """
    acts, there = hand.acts, hand.office
    say = partial(_says, there)
    yield Step("a ledger begins", lambda: hand.has("genesis"), there.look)
    version = acts.publish(SERVICE)
    yield Step("a bump", lambda: hand.has("bump"), there.look)
    ask = partial(say, "carol", Propose(SERVICE, version, "production", WHY))
    yield Step("asked", lambda: hand.has("propose"), ask)
    acts.forge_merges_wrongly()
    for person in ("ada", "bob"):
        word = Approve(acts.promotions()[-1])
        yield Step(f"{person} approves 1", partial(hand.has, "approve", person), partial(say, person, word))
    yield Step("a mismatch", lambda: hand.has("mismatch"), there.look)


Day = Callable[[Stagehand], Iterator[Step]]


def life(hand: Stagehand, last: str = "", rules: Callable[[str], str] = str, day: Day = steps) -> None:
    """Live through a day, or to the end of its step ``last``, and come to rest; ``rules`` changes what is asked."""
    there = hand.office
    there.answers_people = True
    hand.acts.let_emergencies_be()
    hand.acts.edit_rules(rules)
    for step in day(hand):
        there.step = step.name
        hand.until(step.done, step.act)
        if step.name == last:
            break
    there.step = "rest"
    there.rest()


def lived() -> Counter[Place]:
    """Return how often a life that nobody ends passes each crash point in each step."""
    with stage(is_apart=True) as hand:
        life(hand)
        return passings(hand.office.passings_file)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a life that was killed came to."""

    died: tuple[Place, ...]
    lost: int
    doubled: int
    violations: tuple[str, ...]
    found: tuple[tuple[str, str], ...] = ()  # crash point of each death, and what was found after it


def killed(
    *deaths: Death,
    last: str = "",
    rules: Callable[[str], str] = str,
    day: Day = steps,
    kill_after: Callable[[], float | None] = lambda: None,
    is_told: bool = False,
) -> Outcome:
    """Live (to the step ``last``), and die at each of these passings; come to rest, be judged.

    ``kill_after``: what is begun is also killed after so many seconds. ``is_told``: what each death leaves is kept.
    """
    with stage(is_apart=True) as hand:
        hand.office.deaths, hand.office.kill_after, hand.office.is_told = deaths, kill_after, is_told
        try:
            life(hand, last, rules, day)
        except AssertionError as error:
            what = f"after {deaths} in step {hand.office.step!r}: {error}"
            return Outcome(tuple(hand.office.died), 0, 0, (what,))
        found = broken(hand.seen, at_rest=True)
        report = hand.seen.witness.verify().findings
        owed = hand.acts.owed()
        found += [str(one) for one in report if (one.what, one.oid) not in owed]
        kinds = [line.kind for line in hand.seen.ledger]
        lost = 0 if last else sum(max(0, wanted - kinds.count(kind)) for kind, wanted in EXPECTED.items())
        doubled = sum(max(0, kinds.count(kind) - wanted) for kind, wanted in EXPECTED.items())
        if lost or doubled or found:
            found.append(f"after {deaths}: {Counter(kinds)}")
        died = [*hand.office.died, *[(hand.office.step, "any")] * (hand.office.kills - len(hand.office.died))]
        return Outcome(tuple(died), lost, doubled, tuple(found), tuple(hand.office.found))


AT_ONCE = (
    3  # places of one step at which the same life dies: one after the other, as it comes past them again
)


def rounds(passed: Counter[Place], times: int) -> list[list[Death]]:
    """Return the deaths of lives: every place kills, so many times in a row, some places of each step in each life."""
    at_once = AT_ONCE if times > 1 else 1  # one death may end a step before its other places are passed
    left: dict[str, list[str]] = {}
    for step, point in sorted(passed):
        left.setdefault(step, []).append(point)
    found: list[list[Death]] = []
    while any(left.values()):
        some = [
            (step, points.pop()) for step, points in left.items() for _ in range(min(at_once, len(points)))
        ]
        found.append([Death(step, point, time) for step, point in some for time in range(1, times + 1)])
    return found


def random_rounds(passed: Counter[Place], seed: int) -> Iterator[Sequence[Death]]:
    """Yield the deaths of lives at passings that chance picks, many in a row, without an end."""
    chance = random.Random(seed)  # noqa: S311  it picks deaths, it guards nothing
    every = [Death(*place, number + 1) for place in sorted(passed) for number in range(passed[place] + 2)]
    while True:
        yield chance.sample(every, k=min(len(every), chance.randint(100, 400)))


def of_places(deaths: Sequence[Death]) -> Outcome:
    """Live a life with these deaths."""
    return killed(*deaths)


MOMENT_SECONDS = 0.6  # within which a process is killed at some moment: most of what it begins takes less


def at_moments(seed: int) -> Outcome:
    """Live a life in which half of what is begun is killed at a moment that chance picks, also inside git."""
    chance = random.Random(seed)  # noqa: S311  it picks moments, it guards nothing

    def moment() -> float | None:
        return chance.uniform(0.0, MOMENT_SECONDS) if chance.random() < 0.5 else None

    return killed(kill_after=moment)
