"""What a gate is asked, and what a gate is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from policies.entries.authors import Authors
from policies.entries.entry import Pinned
from policies.entries.facts import Fact
from policies.entries.membership import Members
from policies.ledger.state import Place, Promotion, Seen, State, is_same
from policies.rules.rules import EffectiveRule, Rules
from policies.verdict import Verdict

StoodSince = Callable[
    [Place], datetime | None
]  # since when (UTC) what stood in a place at genesis stood there


def nobody_knows(_place: Place) -> datetime | None:
    """Say nothing: then it counts from genesis."""
    return None


@dataclass(frozen=True, slots=True)
class Case:
    """What is asked of a gate: may this image stand in the place of that one, there, at this time (UTC)?

    ``baseline`` holds what stood at genesis, for each place that matters; ``promotion`` is the one under way; ``facts``
    are what was looked up outside, ``members`` who is in teams that live there, ``authors``
    who wrote the code between the two images, beside those that the promotion names. ``is_offer``: it is asked before
    somebody is asked, and nothing moves by the answer. ``stood_since`` says since when the baseline stood there.
    """

    rules: Rules
    rule: EffectiveRule
    state: State
    image: tuple[Pinned, ...]
    current: tuple[Pinned, ...]
    at: datetime
    baseline: Mapping[Place, tuple[Pinned, ...]] = field(default_factory=dict)
    promotion: Promotion | None = None
    facts: tuple[Fact, ...] = ()
    members: Members = field(default_factory=dict)
    authors: Authors | None = None
    stood_since: StoodSince = nobody_knows
    is_offer: bool = False

    @property
    def environment(self) -> str:
        """The environment's name."""
        return self.rule.environment.name

    @property
    def service(self) -> str:
        """The service's name."""
        return self.rule.service.name

    @property
    def is_followed(self) -> bool:
        """Whether versions are told apart by their digest alone: then one that is not known agrees with nothing."""
        return bool(self.rule.service.versions.followed)

    def sighting(self, image: Pinned) -> Seen | None:
        """Return the first sighting of an image; of its very digest where that is what tells versions apart."""
        return self.state.sighting(self.service, image, exact=self.is_followed)

    def stood_in(self, environment: str) -> tuple[Pinned, ...]:
        """Return what stood in an environment at genesis, as far as it says which version it was."""
        stood = self.baseline.get((environment, self.service), ())
        return () if self.is_followed and not all(one.digest for one in stood) else stood

    def image_in(self, environment: str) -> tuple[Pinned, ...]:
        """Return the case's image under the names that it is pulled by in another environment (``pulled-from``)."""
        there = self.rules.service_in(environment, self.service)
        if there is None or there.images == self.rule.service.images:
            return self.image
        names: dict[str, str] = dict(zip(self.rule.service.images, there.images, strict=False))
        return tuple(replace(one, repository=names.get(one.repository, one.repository)) for one in self.image)


Gate = Callable[[Case], Verdict]


def holds(images: tuple[Pinned, ...], image: tuple[Pinned, ...]) -> bool:
    """Whether each of ``image`` is among ``images``, as far as both are known."""
    return bool(images) and all(any(is_same(one, other) for other in images) for one in image)
