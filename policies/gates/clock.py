"""The clock of a soak: since when an image has been well in an environment before, by the ledger alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from policies.gates.case import Case, holds
from policies.state import Move


@dataclass(frozen=True, slots=True)
class Clock:
    """Since when (UTC) the image has been well there; none = it is not, or never was.

    ``is_watched``: the rules name what says that it is healthy. It then starts at the first healthy, else at the
    commit. It goes on when newer versions arrive. A rollback, a block or an unhealthy stops it; it starts anew.
    """

    since: datetime | None = None
    is_watched: bool = False
    is_healthy: bool = False
    is_unhealthy: bool = False


def clock(case: Case, before: str) -> Clock:
    """Read the clock of the case's image in an environment before."""
    rules = case.rules
    is_watched = before in rules.environments and bool(rules.environment_for(before, case.service).health)
    since: datetime | None = None
    said: bool | None = None
    for _, what, at in sorted(_events(case, before)):
        match what:
            case "moved":
                since = since or (None if is_watched else at)
            case "healthy":
                since, said = since or (at if is_watched else None), True
            case "unhealthy":
                since, said = None, False
            case _:  # rolled back
                since, said = None, None
    lifted = [at for at in _unblocked(case, before) if since and at > since]
    return Clock(max(lifted, default=since), is_watched, said is True, said is False)


def _events(case: Case, before: str) -> Iterator[tuple[int, str, datetime]]:
    """Yield what happened to the image there: the entry's number, what, when (UTC)."""
    place, state = (before, case.service), case.state
    if state.genesis and holds(case.baseline.get(place, ()), case.image):
        yield state.genesis.seq, "moved", state.genesis.time
    for move in state.moves.get(place, ()):
        if holds(move.image, case.image):
            yield move.seq, "moved", move.at
        elif _is_back(case, move) and holds(move.previous, case.image):
            yield move.seq, "rolled-back", move.at
    for health in state.health.get(place, ()):
        if holds(health.image, case.image):
            yield health.seq, "healthy" if health.is_healthy else "unhealthy", health.at


def _is_back(case: Case, move: Move) -> bool:
    promotion = case.state.promotions.get(move.promotion)
    return promotion is not None and promotion.is_rollback


def _unblocked(case: Case, before: str) -> Iterator[datetime]:
    """Yield when blocks of the image were lifted, there or further up."""
    places = {"", before, *case.rules.upstream(before)}
    for (environment, service, image), at in case.state.unblocked.items():
        if environment in places and service == case.service and holds((image,), case.image):
            yield at
