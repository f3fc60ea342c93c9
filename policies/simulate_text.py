"""A simulation in words: the sum, then a line for each difference."""

from collections.abc import Iterator

from policies.codes import MEANINGS, Code
from policies.entries.entry import write_time
from policies.simulate import Difference, Outcome, Simulation

_SAID = {
    Outcome.ALLOWED: "would have been let through",
    Outcome.STOPPED: "would have been stopped",
    Outcome.EARLIER: "could have moved earlier",
    Outcome.LATER: "would have moved later",
    Outcome.UNKNOWN: "is not known",
}


def sum_of(found: Simulation) -> str:
    """Return how many moves were judged, how many differ, and of how many nobody can say."""
    span = f"{found.since:%Y-%m-%d} to {found.until:%Y-%m-%d}"
    counted = "1 move" if found.moves == 1 else f"{found.moves} moves"
    same = found.moves - sum(1 for one in found.differences if one.at)
    unknown = sum(1 for one in found.differences if one.outcome is Outcome.UNKNOWN)
    differ = len(found.differences) - unknown
    many = "1 difference" if differ == 1 else f"{differ} differences"
    more = f", {unknown} not known" if unknown else ""
    return f"{counted} from {span}: {same} as they were, {many}{more}"


def lines(found: Simulation) -> Iterator[str]:
    """Yield a line for each difference."""
    yield from map(_line, found.differences)


def _line(one: Difference) -> str:
    moved = f", moved {write_time(one.at)}" if one.at else ", did not move"
    then = f", from {write_time(one.then)} on" if one.then else ""
    why = ": " + "; ".join(f"{code}, {_meaning(code)}" for code in one.codes) if one.codes else ""
    return f"{one.environment}: {one.service} {one.version} {_SAID[one.outcome]}{then}{moved}{why}"


def _meaning(code: str) -> str:
    return MEANINGS[Code(code)] if code in set(Code) else "the changed `versions` do not take it"
