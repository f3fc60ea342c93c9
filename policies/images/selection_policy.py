"""Selection policies: how a repository's tags are ordered, and the filter that they pass first."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from policies.errors import PolicyError
from policies.images.image import Tag
from policies.images.tag_filter import TagFilter
from policies.images.version_range import Range

NEWEST_BUILD = "true"  # the only thing to say of it


class Order(StrEnum):
    """Ascending takes the last in the order, descending the first."""

    ASC = "asc"
    DESC = "desc"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an order in any case; nothing means ascending. Raises: PolicyError."""
        try:
            return cls(text.lower() or "asc")
        except ValueError:
            raise PolicyError(f"{text[:60]!r} is not an order; expected asc or desc") from None


@dataclass(frozen=True, slots=True)
class Semver:
    """Take the highest version in a range."""

    range: Range


@dataclass(frozen=True, slots=True)
class Alphabetical:
    """Order by bytes."""

    order: Order


@dataclass(frozen=True, slots=True)
class Numerical:
    """Order by number."""

    order: Order


@dataclass(frozen=True, slots=True)
class NewestBuild:
    """Take the tag whose image was built last, as far as what says so can be trusted."""


@dataclass(frozen=True, slots=True)
class DigestOf:
    """Follow one tag that moves: what changes is its digest."""

    tag: Tag


@dataclass(frozen=True, slots=True)
class SelectionPolicy:
    """How tags are chosen, and the filter that they pass first."""

    choose: Semver | Alphabetical | Numerical | NewestBuild | DigestOf
    tags: TagFilter | None = None

    @classmethod
    def of(
        cls,
        *,
        semver: str | None = None,
        alphabetical: str | None = None,
        numerical: str | None = None,
        pattern: str | None = None,
        extract: str = "",
    ) -> Self:
        """Build the policy of an ImagePolicy from its range or order; the first that is set counts.

        Raises: PolicyError.
        """
        if semver is not None:
            return cls.semver(semver, pattern, extract)
        if alphabetical is not None:
            return cls.alphabetical(alphabetical, pattern, extract)
        if numerical is not None:
            return cls.numerical(numerical, pattern, extract)
        raise PolicyError("the policy chooses nothing; expected one of semver, alphabetical and numerical")

    @classmethod
    def semver(cls, range_text: str, pattern: str | None = None, extract: str = "") -> Self:
        """Build a policy from the text of a range. Raises: PolicyError."""
        return cls(Semver(Range.parse(range_text)), _filter(pattern, extract))

    @classmethod
    def alphabetical(cls, order: str = "", pattern: str | None = None, extract: str = "") -> Self:
        """Build a policy that orders by bytes. Raises: PolicyError."""
        return cls(Alphabetical(Order.parse(order)), _filter(pattern, extract))

    @classmethod
    def numerical(cls, order: str = "", pattern: str | None = None, extract: str = "") -> Self:
        """Build a policy that orders by number. Raises: PolicyError."""
        return cls(Numerical(Order.parse(order)), _filter(pattern, extract))

    @classmethod
    def newest_build(cls, text: str = "", pattern: str | None = None, extract: str = "") -> Self:
        """Build a policy that orders by the time of the build. Raises: PolicyError."""
        if text != NEWEST_BUILD:
            raise PolicyError(
                f"newest-build is {text[:60]!r}; expected true: the tag whose image was built last"
            )
        if extract:
            raise PolicyError("extract beside newest-build says nothing: builds are ordered by their time")
        return cls(NewestBuild(), _filter(pattern, ""))

    @classmethod
    def digest_of(cls, text: str = "", pattern: str | None = None, extract: str = "") -> Self:
        """Build a policy that follows the digest of a tag. Raises: PolicyError."""
        if pattern is not None or extract:
            raise PolicyError("tags and extract beside digest-of say nothing: it follows this one tag")
        return cls(DigestOf(Tag.parse(text)))

    @property
    def followed(self) -> str:
        """The one tag whose digest is followed, '' where versions are told apart by their tags."""
        return self.choose.tag if isinstance(self.choose, DigestOf) else ""

    @property
    def needs_builds(self) -> bool:
        """Whether somebody has to ask when images were built."""
        return isinstance(self.choose, NewestBuild)


def _filter(pattern: str | None, extract: str) -> TagFilter | None:
    """Build the filter of a policy, where there is one."""
    return None if pattern is None else TagFilter.parse(pattern, extract)
