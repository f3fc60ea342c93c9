"""Everything known at one moment, as values: what ``decide`` looks at."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from policies.codes import Code
from policies.entries.entry import Pinned
from policies.entries.facts import Fact
from policies.entries.membership import Members
from policies.images.builds import Builds
from policies.images.evidence import DigestAnswer, Silence, Silent, TagAnswer, listed_by_all
from policies.images.image import Digest, Repository, Tag
from policies.ledger.state import Place, State
from policies.rules.rules import Rules, Service
from policies.verdict import NotYet

About = tuple[str, str, tuple[str, ...]]  # environment, service, digests: what a fact is about


@dataclass(frozen=True, slots=True)
class Pin:
    """What the Git tip says for a service in an environment; ``problem`` where it says nothing that can be used."""

    image: tuple[Pinned, ...] = ()
    problem: Code | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class World:
    """Rules, Git, registries and ledger at one moment. ``commit`` is the target branch's tip."""

    rules: Rules
    commit: str
    state: State
    pins: Mapping[Place, Pin]
    tags: Mapping[Repository, TagAnswer]
    digests: Mapping[tuple[Repository, Tag], DigestAnswer] = field(default_factory=dict)
    baseline: Mapping[Place, tuple[Pinned, ...]] = field(default_factory=dict)
    facts: Mapping[About, tuple[Fact, ...]] = field(default_factory=dict)
    members: Members = field(default_factory=dict)
    builds: Builds = field(default_factory=dict)
    stood_since: Callable[[Place], datetime | None] = field(default=lambda _place: None, compare=False)
    suspected: Mapping[str, tuple[NotYet, ...]] = field(default_factory=dict)  # service -> bad evidence of it
    looked_again: Mapping[str, NotYet] = field(default_factory=dict)  # promotion -> what a last look found

    def pin(self, environment: str, service: str) -> Pin:
        """Return what stands in a place."""
        return self.pins.get((environment, service), Pin(problem=Code.NO_REFERENCE))

    def current_since(self, environment: str, service: str) -> datetime | None:
        """Return since when (UTC) what runs in a place runs there: by the ledger, before it by Git's history."""
        move = self.state.last_move(environment, service)
        return move.at if move else self.stood_since((environment, service))

    def facts_of(self, environment: str, service: str, digests: tuple[str, ...]) -> tuple[Fact, ...]:
        """Return what was looked up outside about these digests there."""
        return self.facts.get((environment, service, digests), ())

    def tags_of(self, repository: Repository) -> TagAnswer:
        """Return what the registry said of a repository."""
        return self.tags.get(repository, Silence(Silent.UNREACHABLE, "it was not asked"))

    def listed(self, service: Service) -> TagAnswer:
        """Return the tags that all images of a service have: its versions."""
        return listed_by_all(self.tags_of(image) for image in service.images)

    def images_of(self, service: Service, tag: Tag) -> tuple[Pinned, ...]:
        """Return what a version of a service is now: each image with its digest, '' where it is not known."""
        return tuple(Pinned(image, tag, self.digest_of(service.name, image, tag)) for image in service.images)

    def digest_of(self, service: str, repository: Repository, tag: Tag) -> str:
        """Return the digest that a tag names: as the registry says now, else as it was first seen, else ''."""
        answer = self.digests.get((repository, tag))
        if isinstance(answer, Digest):
            return answer
        seen = self.state.seen.get((service, repository, tag))
        return seen.sighting.digest if seen and answer is None else ""
