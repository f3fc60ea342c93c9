"""Registries asked because somebody wants to know now: what was found, and how often that may be."""

import threading
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.looking.asking import pulled
from bot.ports import Registry
from policies.images.evidence import DigestAnswer, Silence, TagAnswer, TagList
from policies.images.image import Digest, Repository, Tag
from policies.ledger.digest_versions import SHORT
from policies.rules.rules import Rules
from policies.world import World

RECENT = timedelta(minutes=1)  # whatever was asked since is not asked again
SPAN, IN_SPAN = timedelta(minutes=10), 100  # so many repositories in so long, whoever wants to know
MAX_AT_ONCE = 50  # repositories of one question
MAX_KEPT = 5_000  # repositories of which it is remembered when they were asked


@dataclass(frozen=True, slots=True)
class Listed:
    """What a registry said of one repository: how many tags, and which of them are ``new`` to the bot.

    ``asked``: when (UTC), where that was so lately that it was not asked again; ``silence``: why it said nothing.
    ``is_left``: it was not asked, since too many were.
    """

    repository: Repository
    services: tuple[str, ...]
    tags: int = 0
    new: tuple[str, ...] = ()
    silence: Silence | None = None
    asked: datetime | None = None
    is_left: bool = False


@dataclass(slots=True)
class OnDemand:
    """Asks within bounds that hold for everybody together, and remembers what the next pass has to ask, too.

    It decides nothing: what a registry says counts once a pass has asked for it. Thread-safe.
    """

    registry: Registry
    last: dict[Repository, datetime] = field(default_factory=dict)
    spent: deque[datetime] = field(default_factory=deque)
    waiting: set[Repository] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def ask(
        self, world: World, asked: Mapping[Repository, datetime], services: Iterable[str], at: datetime
    ) -> tuple[Listed, ...]:
        """Ask for the tags of these services; ``asked`` is when passes asked last, ``at`` is now (both UTC)."""
        of: dict[Repository, tuple[str, ...]] = {}
        for name in services:
            for image in pulled(world.rules, name):
                of[image] = (*of.get(image, ()), name)
        begun = self._begun([Listed(image, names) for image, names in of.items()], asked, at)
        wanted = [one.repository for one in begun if one.asked is None and not one.is_left]
        answers = self.registry.tags(wanted, world.rules.registries) if wanted else {}
        moved = self._followed(world, answers)
        return tuple(
            _told(world, one, answers[one.repository], moved) if one.repository in answers else one
            for one in begun
        )

    def due(self, rules: Rules) -> list[Repository]:
        """Return what a pass has to ask since somebody wanted to know; it is handed out once."""
        with self._lock:
            found, self.waiting = self.waiting, set()
        known = {image for service in rules.services for image in pulled(rules, service)}
        return sorted(found & known)

    def _begun(
        self, wanted: Iterable[Listed], asked: Mapping[Repository, datetime], at: datetime
    ) -> list[Listed]:
        """Take the right to ask for repositories, or say of each why it is not asked."""
        found: list[Listed] = []
        room = MAX_AT_ONCE
        with self._lock:
            while self.spent and self.spent[0] + SPAN <= at:
                self.spent.popleft()
            for one in wanted:
                times = [when for table in (asked, self.last) if (when := table.get(one.repository))]
                if times and max(times) + RECENT > at:
                    found.append(replace(one, asked=max(times)))
                elif not room or len(self.spent) >= IN_SPAN:
                    found.append(replace(one, is_left=True))
                else:
                    room -= 1
                    self._spend(one.repository, at)
                    found.append(one)
        return found

    def _spend(self, repository: Repository, at: datetime) -> None:
        if len(self.last) >= MAX_KEPT:
            self.last.clear()
        self.spent.append(at)
        self.last[repository] = at
        self.waiting.add(repository)

    def _followed(
        self, world: World, answers: Mapping[Repository, TagAnswer]
    ) -> Mapping[tuple[Repository, Tag], DigestAnswer]:
        """Look up what the tags name that services follow: there a new version is a new digest."""
        wanted = {
            (image, Tag(meant.versions.followed)): None
            for service in world.rules.services
            for meant in world.rules.meanings(service)
            if meant.versions.followed
            for image in meant.images
            if isinstance(listed := answers.get(image), TagList) and meant.versions.followed in listed.names
        }
        return self.registry.digests(wanted, world.rules.registries) if wanted else {}


def _told(
    world: World, one: Listed, answer: TagAnswer, moved: Mapping[tuple[Repository, Tag], DigestAnswer]
) -> Listed:
    """Return what an answer says that the bot did not know."""
    if isinstance(answer, Silence):
        return replace(one, silence=answer)
    before = world.tags_of(one.repository)
    known = before.names if isinstance(before, TagList) else answer.names
    new = [tag for tag in answer.tags if tag not in known]
    for (image, tag), digest in moved.items():
        if (
            image == one.repository
            and isinstance(digest, Digest)
            and world.digests.get((image, tag)) != digest
        ):
            new.append(f"{tag}@{digest[:SHORT]}")
    return replace(one, tags=len(answer.tags), new=tuple(new))
