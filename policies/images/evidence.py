"""What a registry answered, as values: a list of tags, a digest, or a silence with its reason."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from policies.images.image import Digest

_UNKNOWN: frozenset[str] = frozenset({""})  # told apart by identity


class Silent(StrEnum):
    """Why a registry said nothing that can be used. Reason codes: stable, shown to people, in ``--json``."""

    UNREACHABLE = "registry-unreachable"
    SLOW = "registry-slow"
    DENIED = "registry-denied"
    UNKNOWN = "repository-unknown"
    NO_SUCH_TAG = "tag-unknown"
    INVALID = "registry-invalid"
    REFUSED = "registry-refused"  # plain HTTP or a private address that the rules do not allow
    THROTTLED = "registry-throttled"


@dataclass(frozen=True, slots=True)
class Silence:
    """No usable answer. ``detail`` is one line for people: what was asked, what came, what to do."""

    code: Silent
    detail: str


@dataclass(frozen=True, slots=True)
class TagList:
    """The tags of a repository, as many as the registry named; never relied on for order.

    ``refused`` counts names that are not tags by the grammar; ``whole`` is false where a cap cut the list.
    ``names`` is the set of the tags, for whoever has it already. ``compared`` remembers beside which set the
    registry adapter looked for new ones, and what it found.
    """

    tags: tuple[str, ...]
    whole: bool = True
    refused: int = 0
    names: frozenset[str] = field(default=_UNKNOWN, repr=False, compare=False)
    compared: tuple[frozenset[str], frozenset[str]] = field(
        default=(_UNKNOWN, _UNKNOWN), repr=False, compare=False
    )

    def __post_init__(self) -> None:
        """Gather the names where they were not handed in."""
        if self.names is _UNKNOWN:
            object.__setattr__(self, "names", frozenset(self.tags))

    def beside(self, before: frozenset[str]) -> frozenset[str]:
        """Return the names that are not in ``before``."""
        known, new = self.compared
        return new if known is before and before is not _UNKNOWN else self.names - before


DigestAnswer = Digest | Silence
TagAnswer = TagList | Silence


def listed_by_all(answers: Iterable[TagAnswer]) -> TagAnswer:
    """Return the tags that every one of these lists has, in the order of the first; the first silence where one is."""
    found: list[TagList] = []
    for answer in answers:
        if isinstance(answer, Silence):
            return answer
        found.append(answer)
    if len(found) == 1:
        return found[0]
    common = frozenset.intersection(*(one.names for one in found))
    return TagList(
        tuple(tag for tag in found[0].tags if tag in common), whole=all(one.whole for one in found)
    )
