"""The long form: every part of the campaign in turn, a table with figures, exit 1 on any violation.

``make campaign`` runs it. ``COUNTERSIGN_CAMPAIGN=long,kills=500`` sets volumes, arguments choose parts.
"""

import logging
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain, count
from typing import Any

from tests.campaign import bumps, contention, tampering
from tests.campaign.corpora import Corpora
from tests.campaign.fuzz import fuzzed
from tests.campaign.length import LENGTH
from tests.campaign.many import each
from tests.campaign.model import ALL, Bounds, Rule
from tests.campaign.model_search import LONG, NEEDS, SHORT, search
from tests.campaign.outside import STATES, TROUBLES, met, pairs
from tests.campaign.soak import soaked
from tests.campaign.stage import folder, stage
from tests.campaign.sweep import Outcome, at_moments, lived, of_places, random_rounds, rounds
from tests.campaign.test_machine import RUNS, seeded

ENOUGH = 100  # runs of the machine, after which it has come everywhere
REACHED = {
    "bump",
    "propose",
    "approve",
    "intent",
    "landed",
    "rollback",
    "freeze",
    "external",
    "abort",
    "kills",
    "emergency",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    part: str
    volume: str
    kills: int = 0
    lost: int = 0
    doubled: int = 0
    violations: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def is_well(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.lost or self.doubled or self.violations)


def machine() -> Row:
    """Run the state machine, a few runs under each seed."""
    wrong: list[str] = []
    tally: Counter[str] = Counter()
    ends = deadline()

    def seeds() -> Iterator[int]:
        for number in range(max(1, LENGTH.machine_runs // RUNS)):
            if time.monotonic() < ends:
                yield LENGTH.seed + number

    for number, found in each(seeded, seeds()):
        if isinstance(found, Exception):
            wrong.append(f"seed {number}: {type(found).__name__}: {found}")
            say(f"  {wrong[-1]}")
            continue
        tally += found
        say(f"  {tally['runs']} runs, {len(wrong)} wrong")
    met = {name for name in REACHED if tally[name]}
    if LENGTH.is_long and tally["runs"] >= ENOUGH and met != REACHED:
        wrong.append(f"the runs came nowhere near {sorted(REACHED - met)}")
    other = {"kills", "runs", "messages", "steps", "years"}
    entries = sum(count for name, count in tally.items() if name not in other and ":" not in name)
    volume = f"{tally['runs']} runs, {tally['steps']} steps, {entries} entries, {tally['messages']} messages"
    return Row("state machine", volume, kills=tally["kills"], violations=tuple(wrong))


def deadline() -> float:
    """Return when the minutes of a part are over, by the monotonic clock."""
    return time.monotonic() + LENGTH.minutes * 60 if LENGTH.minutes else float("inf")


def model() -> Row:
    """Look at every state of the model."""
    found = [search(bounds, limit=LENGTH.model_states) for bounds in (LONG if LENGTH.is_long else SHORT)]
    wrong = [str(one) if one.breaks else "not all states were looked at" for one in found if not one.is_whole]
    states, steps = sum(one.states for one in found), sum(one.steps for one in found)
    return Row("model, all rules", f"{states} states, {steps} steps", violations=tuple(wrong))


def mutants() -> Row:
    """Switch each rule off once, and print what breaks."""
    missed: list[str] = []
    for rule in Rule:
        found = search(NEEDS.get(rule, Bounds()), ALL - {rule}, limit=LENGTH.model_states)
        if not found.breaks:
            missed.append(f"nothing breaks without {rule.name}")
        say(f"without: {rule.value}\n{found}\n")
    return Row(
        "model, each rule off", f"{len(Rule) - len(missed)} of {len(Rule)} found", violations=tuple(missed)
    )


def sweep() -> Row:
    """Kill at every point in every step, one to three times in a row, then at passings that chance picks."""
    passed = lived()
    lives = [deaths for count in range(1, LENGTH.lives + 1) for deaths in rounds(passed, count)]
    row, places = _lives(
        "crash sweep, empty disk", of_places, chain(lives, random_rounds(passed, LENGTH.seed)), LENGTH.kills
    )
    volume = (
        f"{len(places)} of {len(passed)} places (a point in a step), {len({one for _, one in places})} points"
    )
    return replace(row, volume=f"{row.volume}, {volume}")


def moments() -> Row:
    """Kill at moments that chance picks, also inside git."""
    row, _ = _lives("kills at any moment, empty disk", at_moments, count(LENGTH.seed), LENGTH.moments)
    return row


def _lives(
    part: str, act: Callable[[Any], Outcome], over: Iterable[Any], kills: int
) -> tuple[Row, set[tuple[str, str]]]:
    """Live lives until enough have died in them, or until the minutes are over."""
    outcomes: list[Outcome] = []
    died = 0
    ends = deadline()

    def until_enough() -> Iterator[Any]:
        for one in over:
            if died >= kills or time.monotonic() > ends:
                return
            yield one

    for asked, outcome in each(act, until_enough()):
        if isinstance(outcome, Exception):
            outcome = Outcome((), 0, 0, (f"{asked}: {type(outcome).__name__}: {outcome}",))  # noqa: PLW2901
        outcomes.append(outcome)
        died += len(outcome.died)
        for what in outcome.violations:
            say(f"  {what}")
        say(f"  {len(outcomes)} lives, {died} kills")
    row = Row(
        part,
        f"{len(outcomes)} lives",
        kills=died,
        lost=sum(one.lost for one in outcomes),
        doubled=sum(one.doubled for one in outcomes),
        violations=tuple(what for one in outcomes for what in one.violations),
    )
    return row, {place for one in outcomes for place in one.died}


def contended() -> Row:
    """Let processes write to one ledger while answers are destroyed."""
    with folder() as here:
        found = contention.contend(
            here,
            writers=LENGTH.contention_writers,
            entries=LENGTH.contention_entries,
            batch=LENGTH.contention_batch,
            seed=LENGTH.seed,
            seconds=LENGTH.minutes * 60 or 36_000,
        )
    wrong = [*found.faults, *([] if found.is_one_line else ["it is not one line"])]
    wrong += [f"{found.strays} entries that nobody was told of"] if found.strays else []
    volume = f"{found.told} of {found.tried} entries, {found.wanted} wanted, by {LENGTH.contention_writers} processes"
    volume += f", p50 {found.at(0.5):.2f} s, p99 {found.at(0.99):.2f} s"
    return Row(
        "contention, answers destroyed",
        volume,
        lost=found.lost,
        doubled=found.doubled,
        violations=tuple(wrong),
    )


def bumped() -> Row:
    """Let processes move images and be killed meanwhile."""
    with folder() as here:
        found = bumps.campaign(
            here, bumps=LENGTH.bumps, kills=LENGTH.bump_kills, seed=LENGTH.seed, ends=deadline()
        )
    volume = f"{found.made} moves by {bumps.AT_ONCE} processes at once"
    return Row("moves and their entries", volume, kills=found.kills, violations=tuple(found.wrong))


def soak() -> Row:
    """Let one process work for days by its clock."""
    found = soaked(LENGTH.soak_passes, deadline(), say)
    first, last = found.sizes[0], found.sizes[-1]
    volume = f"{found.passes} passes, {found.promotions} promotions, {found.busiest} pushes a minute at most"
    volume += f", {first.memory >> 20} to {last.memory >> 20} MB, {first.handles} to {last.handles} handles"
    return Row("seven days in a row", volume, violations=tuple(found.wrong))


def tampered() -> Row:
    """Tamper with a ledger in every way."""
    with folder() as here:
        found = tampering.campaign(here, LENGTH.tampered_entries, deadline())
    noticed, kinds = sum(one.is_enough for one in found), len(tampering.TAMPERINGS)
    volume = f"{noticed} of {len(found)} noticed, of {kinds} kinds, {LENGTH.tampered_entries} entries"
    return Row("tampering", volume, violations=tuple(str(one) for one in found if not one.is_enough))


def outside() -> Row:
    """Let forge, Git host and Slack do everything wrong in every state."""
    wrong: list[str] = []
    done = 0
    some = pairs(is_long=LENGTH.is_long, count=LENGTH.outside_pairs, seed=LENGTH.seed)
    for asked, found in each(met, some):
        if isinstance(found, Exception):
            wrong.append(f"{asked}: {type(found).__name__}: {found}")
            continue
        done += found[0]
        wrong += found[1]
        say(f"  {done} of {sum(map(len, some))} promotions, {len(wrong)} wrong")
    volume = f"{done} promotions: {len(TROUBLES)} troubles x {len(STATES)} states"
    return Row("faults of forge, Git and Slack", volume, violations=tuple(wrong))


def corpora() -> Row:
    """Give hostile text to every sink."""
    with folder() as here, stage() as hand:
        found = Corpora(hand, here / "mark")
        found.all(reasons=LENGTH.reasons, files=LENGTH.files)
    return Row(
        "hostile corpora",
        f"{sum(found.tried.values())} tries, {len(found.tried)} sinks",
        violations=tuple(found.wrong),
    )


MUTANTS = 5_000  # for each reader under one seed


def mutants_of_input() -> Row:
    """Give mutants of what comes from outside to every reader, in processes side by side."""
    wrong: list[str] = []
    tried: Counter[str] = Counter()
    refused = 0
    ends = deadline()

    def seeds() -> Iterator[tuple[int, int]]:
        for number in range(max(1, LENGTH.mutants // MUTANTS)):
            if time.monotonic() < ends:
                yield min(MUTANTS, LENGTH.mutants), LENGTH.seed + number

    for asked, found in each(fuzzed, seeds()):
        if isinstance(found, Exception):
            wrong.append(f"{asked}: {type(found).__name__}: {found}")
            continue
        tried += found.tried
        refused += sum(found.refused.values())
        wrong += found.wrong
        say(f"  {sum(tried.values())} mutants, {len(wrong)} wrong")
    volume = f"{sum(tried.values())} mutants to {len(tried)} readers, {refused} refused with a reason"
    return Row("fuzz of what comes in", volume, violations=tuple(wrong))


PARTS: dict[str, Callable[[], Row]] = {
    "model": model,
    "mutants": mutants,
    "machine": machine,
    "sweep": sweep,
    "moments": moments,
    "contention": contended,
    "bumps": bumped,
    "soak": soak,
    "tampering": tampered,
    "outside": outside,
    "corpora": corpora,
    "fuzz": mutants_of_input,
}


def say(text: str) -> None:
    """Tell on standard error how far it is."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def table(rows: list[Row]) -> str:
    """Return the table."""
    head = ("part", "volume", "kills", "lost", "doubled", "violations", "seconds")
    lines = [
        (one.part, one.volume, one.kills, one.lost, one.doubled, len(one.violations), round(one.seconds))
        for one in rows
    ]
    columns = list(zip(head, *[tuple(map(str, one)) for one in lines], strict=True))
    wide = [max(map(len, column)) for column in columns]
    written = [
        " | ".join(str(cell).ljust(width) for cell, width in zip(one, wide, strict=True))
        for one in (head, *lines)
    ]
    return "\n".join([written[0], "-|-".join("-" * width for width in wide), *written[1:]])


def main(wanted: list[str]) -> int:
    """Run the parts that are wanted, or all; return the exit code."""
    logging.disable(logging.CRITICAL - 1)
    if unknown := set(wanted) - set(PARTS):
        say(f"{', '.join(sorted(unknown))}: expected some of {', '.join(PARTS)}")
        return 2
    rows: list[Row] = []
    for name in wanted or PARTS:
        say(f"{name} ...")
        began = time.monotonic()
        try:
            row = PARTS[name]()
        except Exception as error:  # noqa: BLE001  the other parts have their turn; this one is a violation
            row = Row(name, "broke off", violations=(f"{type(error).__name__}: {error}",))
        rows.append(replace(row, seconds=time.monotonic() - began))
        say(table(rows[-1:]))
    for row in rows:
        for what in row.violations:
            say(f"{row.part}: {what}")
    sys.stdout.write(f"{table(rows)}\n")
    return 0 if all(row.is_well for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
