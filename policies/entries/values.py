"""What an entry holds, as values: its kinds, who speaks, images, rules, sightings, places, instants."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from policies.canonical import Json
from policies.errors import PolicyError
from policies.images.image import Digest

_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z", re.ASCII)


class EntryError(PolicyError):
    """A line of the ledger cannot be read as an entry; the message says what is wrong with it."""


class UnknownKindError(EntryError):
    """A newer program wrote this entry; an older one may only read."""


class Kind(StrEnum):
    """What an entry says happened. Names are for ever."""

    GENESIS = "genesis"
    RULES = "rules"
    SEEN = "seen"
    SHOWN = "shown"
    BUMP = "bump"
    PROPOSE = "propose"
    APPROVE = "approve"
    UNAPPROVE = "unapprove"
    REJECT = "reject"
    CANCEL = "cancel"
    REBASED = "rebased"
    INTENT = "intent"
    ABORT = "abort"
    VOID = "void"
    ENDED = "ended"
    MERGED = "merged"
    LANDED = "landed"
    MISMATCH = "mismatch"
    ROLLBACK = "rollback"
    EXTERNAL = "external"
    REVIEW = "review"
    HOLD = "hold"
    RESUME = "resume"
    BLOCK = "block"
    UNBLOCK = "unblock"
    FREEZE = "freeze"
    UNFREEZE = "unfreeze"
    REFUSED = "refused"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    EMERGENCY = "emergency"
    CONFIG = "config"
    IDENTITY = "identity"
    CHECKPOINT = "checkpoint"
    REDACT = "redact"
    FORK = "fork"
    QUARANTINE = "quarantine"


@dataclass(frozen=True, slots=True)
class Bot:
    """The bot says it of itself."""


BOT = Bot()


@dataclass(frozen=True, slots=True)
class By:
    """A person said it. Ids decide, names decorate; ``forge_id`` 0 = not linked there. ``via``: button, command, ..."""

    person: str
    via: str
    slack_team: str = ""
    slack_user: str = ""
    forge_id: int = 0
    forge_login: str = ""


@dataclass(frozen=True, slots=True)
class Both:
    """Two people said it together, each by their own account: what one alone may not."""

    one: By
    other: By


Voice = Bot | By | Both


@dataclass(frozen=True, slots=True)
class Link:
    """One human, one account at each place: a person of the rules, in the chat and at the forge.

    ``domain``: of the e-mail address by which the two were matched; '' = the person proved both.
    """

    person: str
    slack_team: str
    slack_user: str
    forge_id: int
    forge_login: str
    domain: str = ""


@dataclass(frozen=True, slots=True, order=True)
class Pinned:
    """One image of a service. ``digest`` '' = not known (what stood there before without one)."""

    repository: str
    tag: str
    digest: str = ""

    def __str__(self) -> str:
        return f"{self.repository}:{self.tag}" + (f"@{self.digest}" if self.digest else "")


@dataclass(frozen=True, slots=True)
class Member:
    """One service of a group that moves, and how many of the entry's images, in their order, are its own."""

    service: str
    images: int


@dataclass(frozen=True, slots=True)
class Share:
    """What one service moves of what moves together: its images, and what stood there before."""

    service: str
    image: tuple[Pinned, ...]
    previous: tuple[Pinned, ...]


def shares(
    service: str,
    members: tuple[Member, ...],
    image: tuple[Pinned, ...],
    previous: tuple[Pinned, ...],
) -> tuple[Share, ...]:
    """Return what each member of a group moves, in order; a service that moves by itself has it all."""
    if not members:
        return (Share(service, image, previous),)
    found: list[Share] = []
    begin = 0
    for one in members:
        end = begin + one.images
        found.append(Share(one.service, image[begin:end], previous[begin:end]))
        begin = end
    return tuple(found)


@dataclass(frozen=True, slots=True)
class RuleAt:
    """Which effective rule judged: the commit it was read at, the files, its hash."""

    commit: str
    files: tuple[str, ...]
    hash: str


@dataclass(frozen=True, slots=True)
class Beside:
    """Another service that the same commit moved, with what an entry says of a service: its own rule and evidence."""

    service: str
    image: tuple[Pinned, ...]
    previous: tuple[Pinned, ...]
    rule: RuleAt
    evidence: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sighting:
    """A tag that a selection picked. ``before``: it was there when we first looked, so only a person moves it."""

    service: str
    repository: str
    tag: str
    digest: str
    before: bool = False


@dataclass(frozen=True, slots=True)
class Placed:
    """Where something is shown: ``what`` is our name of it, ``seq`` the redraw that was sent last."""

    what: str
    channel: str
    message: str
    seq: int


def parse_time(text: str) -> datetime:
    """Return an instant written as RFC 3339, UTC, whole seconds, ``Z``. Raises: EntryError."""
    try:
        if _INSTANT.fullmatch(text):
            return datetime.fromisoformat(text)
    except ValueError:
        pass  # of the form, and no day of the calendar
    raise EntryError(f"{text[:40]!r} is not an instant; expected 2026-11-23T10:04:05Z")


def write_time(at: datetime) -> str:
    """Return an instant as the ledger writes it. ``at`` is aware."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def digests_of(images: tuple[Pinned, ...]) -> str:
    """Return the digests of a service's images as keys carry them."""
    return "+".join(image.digest for image in images)


def content_of(images: tuple[Pinned, ...], group: str) -> str:
    """Return what names images in a key: their digests, or tags where none is known; of a group the hash of those.

    A group may have more images than a key has room for.
    """
    found = "+".join(image.digest or image.tag for image in images)
    return hashlib.sha256(found.encode()).hexdigest() if group else found


def is_exact(images: tuple[Pinned, ...]) -> bool:
    """Whether every image is named by tag and digest."""
    return bool(images) and all(image.tag and image.digest and Digest.parse(image.digest) for image in images)
