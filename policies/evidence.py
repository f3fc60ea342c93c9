"""What a registry answered, as values: a list of tags, a digest, or a silence with its reason."""

from dataclasses import dataclass
from enum import StrEnum

from policies.image import Digest


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
    """

    tags: tuple[str, ...]
    whole: bool = True
    refused: int = 0


DigestAnswer = Digest | Silence
TagAnswer = TagList | Silence
