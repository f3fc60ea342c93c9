"""The clock of a soak: since when an image has been well in an environment before, by the ledger alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from policies.entries.entry import Pinned
from policies.entries.remembered import Event, Fortune, is_version
from policies.gates.case import Case, holds


@dataclass(frozen=True, slots=True)
class Clock:
    """Since when (UTC) the image has been well there; none = it is not, or never was.

    ``is_watched``: the rules name what says that it is healthy. It then starts at the first healthy, else at the
    commit. It goes on when newer versions arrive. A rollback, a block or an unhealthy stops it; it starts anew.
    """

    since: datetime | None
    is_watched: bool
    is_healthy: bool
    is_unhealthy: bool


def clock(case: Case, before: str) -> Clock:
    """Read the clock of the case's image in an environment before."""
    is_watched = watched(case, before)
    since: datetime | None = None
    said: bool | None = None
    for what, at in _events(case, before):
        if what is Fortune.MOVED:
            since = since or (None if is_watched else at)
        elif what is Fortune.HEALTHY:
            since, said = since or (at if is_watched else None), True
        else:
            since, said = None, False if what is Fortune.UNHEALTHY else None
    lifted = [at for at in _unblocked(case, before) if since and at > since]
    return Clock(max(lifted, default=since), is_watched, said is True, said is False)


def watched(case: Case, before: str) -> bool:
    """Whether the rules name what says that the service is healthy there."""
    rules = case.rules
    return before in rules.environments and bool(rules.environment_for(before, case.service).health)


def _events(case: Case, before: str) -> Iterator[tuple[Fortune, datetime]]:
    """Yield what happened to the image there, oldest first, and when (UTC)."""
    state = case.state
    if state.genesis and holds(case.stood_in(before), case.image_in(before)):
        since, begun = case.stood_since((before, case.service)), state.genesis.time
        yield Fortune.MOVED, min(since, begun) if since else begun
    for events in befell(case, before):
        is_back = any(one.what is Fortune.BACK for one in events)
        yield Fortune.BACK if is_back else events[0].what, events[0].at


def befell(case: Case, environment: str) -> Iterator[tuple[Event, ...]]:
    """Yield what happened to all of the case's images at once in an environment, oldest first: an event for each."""
    first, *others = (
        [one for one in case.state.befell(environment, case.service, image) if _agrees(case, one, image)]
        for image in case.image_in(environment)
    )
    also = [{one.seq: one for one in events} for events in others]
    for one in first:
        if all(one.seq in events for events in also):
            yield (one, *(events[one.seq] for events in also))


def _agrees(case: Case, event: Event, image: Pinned) -> bool:
    """Whether it befell this very digest, as far as both are known; where it names the version both have to be."""
    if case.is_followed:
        return bool(image.digest) and event.digest == image.digest
    return not event.digest or not image.digest or event.digest == image.digest


def _unblocked(case: Case, before: str) -> Iterator[datetime]:
    """Yield when blocks of the image were lifted, there or further up."""
    places = {"", before, *case.rules.upstream(before)} if case.state.unblocked else ()
    for (environment, service, image), at in case.state.unblocked.items():
        if (
            environment in places
            and service == case.service
            and any(is_version(image, one) for one in case.image)
        ):
            yield at
