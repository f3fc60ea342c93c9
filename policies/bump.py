"""What people see of a move from one version to another: how far it goes, and which way."""

from dataclasses import dataclass
from enum import StrEnum

import semver


class Part(StrEnum):
    """The part of a version that differs first."""

    MAJOR = "major"
    MINOR = "minor"
    PATCH = "patch"
    PRERELEASE = "prerelease"


@dataclass(frozen=True, slots=True)
class Bump:
    """A step between two versions; ``by`` counts the numbers between them, 0 where only the prerelease differs."""

    part: Part
    by: int
    is_down: bool = False

    def __str__(self) -> str:
        far = f"{self.by} {self.part}s" if self.by > 1 and self.part is Part.MAJOR else str(self.part)
        return f"{far} down" if self.is_down else far


def bump(old: str, new: str) -> Bump | None:
    """Return the step from the image or tag ``old`` to ``new``.

    None where one of them is no semantic version, or both are the same one.
    """
    before, after = _version(old), _version(new)
    if before is None or after is None or before == after:
        return None
    is_down = after < before
    for part in (Part.MAJOR, Part.MINOR, Part.PATCH):
        one, other = getattr(before, part), getattr(after, part)
        if one != other:
            return Bump(part, abs(other - one), is_down)
    return Bump(Part.PRERELEASE, 0, is_down)


def _version(written: str) -> semver.Version | None:
    """Read the tag of what is written: ``1.2.3``, ``v1.2.3``, ``host/image:1.2.3@sha256:...``."""
    tag = written.partition("@")[0].rpartition(":")[2].removeprefix("v")
    try:
        return semver.Version.parse(tag)
    except ValueError:  # also a number of thousands of digits
        return None
