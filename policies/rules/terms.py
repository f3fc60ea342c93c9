"""The small values that rules are made of: choices, lines of approvals, teams, people, and where each was written."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from policies.codes import Code
from policies.times.duration import spell

DEFAULT_EXPIRE = timedelta(hours=24)
DEFAULT_INTERVAL = timedelta(minutes=5)
DEFAULT_MERGE_WITHIN = timedelta(hours=4)
OWNERS = "owners"  # in an approval line: the service's owner
REQUESTER = "requester"  # in `exclude`: who asked may not approve
AUTHORS = "authors"  # in `exclude`: whose code it is, between the two images, may not approve


@dataclass(frozen=True, slots=True)
class Position:
    """Where a rule was written, for people: file, line and column, both from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Layer(StrEnum):
    """Which text a key of an effective rule comes from; each wins over those before it."""

    BUILT_IN = "built-in"
    DEFAULTS = "defaults"
    LIKE = "like"
    LIKE_EXCEPTION = "like-exception"
    OWN = "own"
    OWN_EXCEPTION = "own-exception"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a key of an effective rule was said."""

    layer: Layer
    at: Position


class DigestRule(StrEnum):
    """Whether a move writes the digest beside the tag (``pin``) or keeps the form that is there."""

    PIN = "pin"
    KEEP = "keep"


class Via(StrEnum):
    """How a move reaches the target branch."""

    COMMIT = "commit"
    PULL_REQUEST = "pull-request"


class Takes(StrEnum):
    """Which version is a candidate: the newest that may, or what the environment before runs at this moment."""

    NEWEST = "newest"
    SAME = "same"


class Opens(StrEnum):
    """When a pull request is opened: when somebody asks, or as soon as there is a candidate."""

    ON_REQUEST = "on-request"
    AT_ONCE = "at-once"


class Merges(StrEnum):
    """Who merges what is approved: the bot, by the forge or by one push of its own, or a person."""

    WHEN_APPROVED = "when-approved"
    ATOMIC = "atomic"
    BY_HAND = "by-hand"


class Evidence(StrEnum):
    """Where an approval has to be given to count: anywhere, as a review at the forge, or one of them there."""

    SLACK = "slack"
    REVIEW = "review"
    ONE_REVIEW = "1 review"


class ConfigRule(StrEnum):
    """What happens to changes in an environment's reach that move no image."""

    RECORD = "record"
    GUARD = "guard"
    IGNORE = "ignore"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of ``approvals``: so many different people out of these teams or persons; nobody named = any linked."""

    count: int
    of: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.count} of {' or '.join(self.of)}" if self.of else f"{self.count}"


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many moves of an environment within a span."""

    count: int
    span: timedelta

    def __str__(self) -> str:
        return f"{self.count} per {spell(self.span)}"


@dataclass(frozen=True, slots=True)
class Apart:
    """What is asked of a rollback or an emergency, apart from the way forward.

    ``tell`` is a channel, '' = the environment's. ``review`` is how long somebody else has to look at it afterwards,
    none = nobody has to. ``skips`` names gates.
    """

    approvals: tuple[Line, ...]
    tell: str = ""
    review: timedelta | None = None
    skips: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OutsideGate:
    """A gate that asks somebody outside: of which kind, under which name, with which settings."""

    kind: str
    name: str
    settings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    at: Position = field(default=Position("", 1, 1), compare=False)


@dataclass(frozen=True, slots=True)
class Team:
    """People under one name. ``source`` is where its members are looked up, such as github:acme/security; '' = here."""

    name: str
    people: tuple[str, ...] = ()
    source: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """One human: ids decide, names decorate. ``slack`` is a user id, ``github`` a login; '' = not linked there."""

    name: str
    slack: str = ""
    github: str = ""


@dataclass(frozen=True, slots=True)
class Identity:
    """Whether accounts may be matched by e-mail: addresses of which domains, and whether such a match may approve."""

    email: tuple[str, ...] = ()
    approve: bool = False


@dataclass(frozen=True, slots=True)
class Host:
    """What the rules allow for one registry host, and how often it is asked (none said: as its environments say)."""

    http: bool = False
    private: bool = False
    ca: str = ""
    concurrency: int = 0
    interval: timedelta | None = None
    at: Position = field(default=Position("", 1, 1), compare=False)


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why the versions of a service are not known in an environment; ``detail`` begins with Flux's own reason."""

    code: Code
    detail: str


ANY_JUMP = "any"


def jump_text(jump: int | None) -> str:
    """Write how many major versions a move may climb without a person, as rules have it."""
    return ANY_JUMP if jump is None else str(jump)
