"""Versions as Flux reads them: a lenient semantic version, its canonical text and its place in the order."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import total_ordering
from typing import Any, Self

from policies.errors import PolicyError
from policies.images.version_screen import reaching, sample

# What the order compares: three numbers and a prerelease. Only ever compared as a whole.
Precedence = tuple[Any, ...]

MAX_VERSION = 256  # Masterminds semver 3.5, MaxVersionLen
MAX_NUMBER = 2**64 - 1  # it keeps numbers in 64 bits without sign
RELEASE: Precedence = (1,)  # above every prerelease, which begins with 0

_IDENTIFIERS = r"[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*"
_VERSION = re.compile(
    rf"v?([0-9]+)(?:\.([0-9]+))?(?:\.([0-9]+))?(?:-({_IDENTIFIERS}))?(?:\+({_IDENTIFIERS}))?"
)
_LEAD = re.compile(r"v?([0-9]+)(?:\.([0-9]+))?")  # how a version begins; whether it is one is seen later
_EXPECTED = "expected numbers as in 1.2.3, optionally v before and -prerelease or +metadata after"


@total_ordering
@dataclass(frozen=True, slots=True, eq=False)
class Version:
    """A parsed version. Equal and ordered by precedence: neither the spelling nor the metadata counts."""

    major: int
    minor: int
    patch: int
    prerelease: str
    metadata: str
    original: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``text`` leniently: ``1``, ``v1.2`` and ``01.2.3`` are versions. Raises: PolicyError."""
        match = _VERSION.fullmatch(text) if len(text) <= MAX_VERSION else None
        if match is None:
            raise PolicyError(f"{text[:140]!r} is not a version; {_EXPECTED}")
        major, minor, patch = (int(match[group] or 0) for group in (1, 2, 3))
        if max(major, minor, patch) > MAX_NUMBER:
            raise PolicyError(f"{text[:140]!r} is not a version; expected numbers of at most {MAX_NUMBER}")
        if match[4] and prerelease_precedence(match[4]) is None:
            raise PolicyError(
                f"{text[:140]!r} is not a version; expected no leading zero in a numeric prerelease part"
            )
        return cls(major, minor, patch, match[4] or "", match[5] or "", text)

    @classmethod
    def parse_tag(cls, text: str) -> Self:
        """Read a tag as an ImagePolicy does: at least two dots, then as ``parse``. Raises: PolicyError."""
        if text.count(".") < 2:  # noqa: PLR2004  the dots of three numbers
            raise PolicyError(
                f"{text[:140]!r} is not a version for a policy; expected three parts, as in 1.2.3"
            )
        return cls.parse(text)

    @property
    def precedence(self) -> Precedence:
        """Its place in the order, comparable with that of any other version."""
        prerelease = prerelease_precedence(self.prerelease) if self.prerelease else RELEASE
        return (self.major, self.minor, self.patch, prerelease)

    def __eq__(self, other: object) -> bool:
        """Compare by precedence: metadata and spelling do not count."""
        return isinstance(other, Version) and self.precedence == other.precedence

    def __hash__(self) -> int:
        """Agree with equality."""
        return hash(self.precedence)

    def __lt__(self, other: "Version") -> bool:
        """Say whether it stands before the other in the order of semantic versions."""
        return self.precedence < other.precedence

    def __str__(self) -> str:
        """Write the canonical text: three numbers, no ``v``, no leading zeros."""
        prerelease = f"-{self.prerelease}" if self.prerelease else ""
        metadata = f"+{self.metadata}" if self.metadata else ""
        return f"{self.major}.{self.minor}.{self.patch}{prerelease}{metadata}"


def tag_precedence(tag: str) -> Precedence | None:
    """Return the place of a tag in the order, None where a policy sees no version in it.

    The same as ``Version.parse_tag(tag).precedence`` without an object for each of a hundred thousand tags.
    """
    match = _VERSION.fullmatch(tag) if len(tag) <= MAX_VERSION else None
    if match is None:
        return None
    major, minor, patch, prerelease, _ = match.groups()
    if patch is None and tag.count(".") < 2:  # noqa: PLR2004  1.2-beta.5 has its two dots elsewhere
        return None
    place = RELEASE if prerelease is None else prerelease_precedence(prerelease)
    if place is None:
        return None
    numbers = (int(major), int(minor or 0), int(patch or 0), place)
    # Nineteen digits always fit into 64 bits, so that nearly every tag skips the comparison.
    if len(tag) > 19 and max(numbers[:3]) > MAX_NUMBER:  # noqa: PLR2004  digits of 10**18
        return None
    return numbers


def highest_tag(
    texts: Sequence[str],
    is_taken: Callable[[Precedence], bool],
    *,
    lowest: Precedence = (),
    highest_major: float = math.inf,
    tags: Mapping[str, str] | None = None,
) -> str:
    """Return the tag of the highest version that is taken, of equal ones the last in ascending bytes.

    ``tags`` says to which tag a text belongs, where it is not the tag itself. No version below ``lowest`` or above
    ``highest_major`` is taken. Nothing where none is. Most of a hundred thousand tags are never looked at: the best
    of a sample says how the others have to begin.
    """
    first = _highest(sample(texts), is_taken, highest_major, tags, ((), ""))
    major, minor, patch = (max(0, number) for number in (*max(lowest, first[0])[:3], 0, 0, 0)[:3])
    left = reaching(texts, (major, minor, patch), highest_major)
    return _highest(left, is_taken, highest_major, tags, first)[1]


def _highest(
    texts: Sequence[str],
    is_taken: Callable[[Precedence], bool],
    highest_major: float,
    tags: Mapping[str, str] | None,
    first: tuple[Precedence, str],
) -> tuple[Precedence, str]:
    """Return the highest version's place and tag, beginning with the best so far.

    Most lose by their first two numbers: ``is_taken`` is asked about those alone that stand before the best so far.
    """
    highest, found = first
    major, minor = highest[:2] if highest else (-1, -1)
    lead = _LEAD.match
    for text in texts:
        begins = lead(text) if len(text) <= MAX_VERSION else None
        if begins is not None:
            number, second = begins.groups()
            number = int(number)
            if number < major or number > highest_major or (number == major and int(second or 0) < minor):
                continue
        place = tag_precedence(text)
        if place is None or place < highest:
            continue
        tag = text if tags is None else tags[text]
        if (place > highest or tag > found) and is_taken(place):
            highest, found = place, tag
            major, minor = place[:2]
    return highest, found


def prerelease_precedence(text: str) -> Precedence | None:
    """Return the place of a prerelease among prereleases, None where a numeric part has a leading zero.

    Numbers come before words, and a number beyond 64 bits is a word.
    """
    places: list[Any] = [0]
    for part in text.split("."):
        if not part.isdigit():
            places.append((1, part))
        elif part[0] == "0" and len(part) > 1:
            return None
        else:
            number = int(part)
            places.append((0, number) if number <= MAX_NUMBER else (1, part))
    return tuple(places)
