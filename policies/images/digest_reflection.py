"""Digest reflection: which digest stands beside the selected tag, and what stood there before."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from policies.errors import PolicyError


class DigestReflection(StrEnum):
    """When the digest of a selected tag is looked up (ImagePolicy, ``spec.digestReflectionPolicy``)."""

    NEVER = "Never"
    IF_NOT_PRESENT = "IfNotPresent"
    ALWAYS = "Always"  # again at every interval, for tags that move

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the policy; nothing means never. Raises: PolicyError."""
        try:
            return cls(text or "Never")
        except ValueError:
            raise PolicyError(
                f"{text[:60]!r} is no digest reflection; expected Never, IfNotPresent or Always"
            ) from None


@dataclass(frozen=True, slots=True)
class Latest:
    """What a policy points to: the image's name as written, its tag, and its digest or nothing."""

    name: str
    tag: str
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Reflected:
    """What stands in the status of a policy: what it points to, and what it pointed to before that changed."""

    latest: Latest
    previous: Latest | None = None


def asks_registry(policy: DigestReflection, name: str, tag: str, before: Reflected | None) -> bool:
    """Say whether the registry has to be asked for the digest of ``tag``."""
    match policy:
        case DigestReflection.NEVER:
            return False
        case DigestReflection.ALWAYS:
            return True
        case DigestReflection.IF_NOT_PRESENT:  # pragma: no branch  mypy sees that nothing is left
            if before is None:
                return True
            latest = before.latest
            return (latest.name, latest.tag) != (name, tag) or not latest.digest


def reflect(
    policy: DigestReflection, name: str, tag: str, *, before: Reflected | None, answer: str = ""
) -> Reflected:
    """Return the next status. ``answer`` is the registry's digest, read only where ``asks_registry`` says so."""
    if asks_registry(policy, name, tag, before):
        digest = answer
    else:
        digest = before.latest.digest if before and policy is DigestReflection.IF_NOT_PRESENT else ""
    latest = Latest(name, tag, digest)
    if before is None:
        return Reflected(latest)
    return Reflected(latest, before.previous if latest == before.latest else before.latest)


def asks_again(policy: DigestReflection) -> bool:
    """Say whether the policy runs again at its interval; others wait for new tags."""
    return policy is DigestReflection.ALWAYS
