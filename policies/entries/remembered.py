"""What the ledger remembers beside promotions: moves, what stands in the way, sightings, open exceptions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from policies.entries.authors import Authors
from policies.entries.entry import Bot, By, Kind, Pinned, Sighting


@dataclass(frozen=True, slots=True)
class Move:
    """What an entry put in place: a bump, a landed promotion, a rollback."""

    image: tuple[Pinned, ...]
    previous: tuple[Pinned, ...]
    commit: str
    at: datetime
    seq: int
    kind: Kind
    promotion: str = ""
    group: str = ""  # with which it moved


class Fortune(StrEnum):
    """What befell an image in a place."""

    MOVED = "moved"
    BACK = "rolled-back"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"


@dataclass(frozen=True, slots=True)
class Event:
    """What befell one image in a place: the entry's number, what, when (UTC), and its digest ('' = not known)."""

    seq: int
    what: Fortune
    at: datetime
    digest: str


@dataclass(frozen=True, slots=True)
class Standing:
    """A hold, block or freeze that is in force. ``until`` none = until somebody lifts it."""

    by: Bot | By
    at: datetime
    note: str
    why: str
    until: datetime | None = None
    seq: int = 0
    image: tuple[Pinned, ...] = ()  # what a guard doubts: lifting the hold answers for exactly this
    previous: tuple[Pinned, ...] = ()  # what stood there, where it is about the step from that one

    def is_on(self, at: datetime) -> bool:
        """Whether it is in force at that time (UTC)."""
        return self.until is None or at < self.until

    def outlasts(self, until: datetime) -> bool:
        """Whether it is in force up to that time (UTC) and beyond."""
        return self.until is None or self.until >= until


@dataclass(frozen=True, slots=True)
class Span:
    """When a hold, block or freeze was in force: from ``since`` up to ``until`` (both UTC), which is no part of it."""

    since: datetime
    until: datetime

    def holds(self, at: datetime) -> bool:
        """Whether it was in force at that time (UTC)."""
        return self.since <= at < self.until


@dataclass(frozen=True, slots=True)
class Seen:
    """When a selection first picked a tag, and what it was then."""

    sighting: Sighting
    at: datetime


@dataclass(frozen=True, slots=True)
class Health:
    """What was seen of a place: that what stands there runs, or that it does not; on which commit."""

    commit: str
    image: tuple[Pinned, ...]
    at: datetime
    is_healthy: bool
    seq: int


@dataclass(frozen=True, slots=True)
class Open:
    """An exception that waits for its review: an external change, a mismatch, an emergency, a rollback, guarded files.

    ``due`` (UTC) where it has to be closed by then; ``promotion`` where it is about one.
    """

    kind: Kind
    environment: str
    service: str
    commit: str
    at: datetime
    people: frozenset[str] = frozenset()  # who asked, approved or did it: somebody else closes it
    due: datetime | None = None
    promotion: str = ""
    # the pull requests that brought it, each with its address, '' = not told
    pulls: tuple[tuple[int, str], ...] = ()
    movers: Authors | None = None  # by whose hands it came, as its entry attests it: somebody else closes it


@dataclass(frozen=True, slots=True)
class ForgeId:
    """The number that a login had when an entry named it first: whoever takes the login later is somebody else."""

    number: int
    login: str


Place = tuple[str, str]  # environment, service
Spot = tuple[str, str, Pinned | None]  # of a block; of a hold without image; of a freeze without service, too
Doubt = tuple[
    str, str, str, Pinned, Pinned
]  # environment, service, code, image, and what stood there (else the image again)


def is_version(one: Pinned, other: Pinned) -> bool:
    """Whether two pins of one service mean the same version, under whichever name it is pulled."""
    return one.tag == other.tag and (not one.digest or not other.digest or one.digest == other.digest)


def is_same(one: Pinned, other: Pinned) -> bool:
    """Whether two pins mean the same image, as far as both are known: a digest that is not known agrees with any."""
    same = one.repository == other.repository and one.tag == other.tag
    return same and (not one.digest or not other.digest or one.digest == other.digest)


def are_same(some: Sequence[Pinned], others: Sequence[Pinned]) -> bool:
    """Whether two lists of images mean the same, in their order, as far as both are known."""
    return len(some) == len(others) and all(map(is_same, some, others))
