"""What people are shown, as values: cards and notices. handlers/ render them; nothing here has words or blocks."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from policies.verdict import NotYet


class CardStage(StrEnum):
    """Where the episode that a card tells is."""

    CANDIDATE = "candidate"  # may be asked for
    OPEN = "open"  # asked for; approvals or gates are missing
    APPROVED = "approved"  # every line filled, a gate still waits
    CLEARED = "cleared"  # approved, nothing waits: somebody merges it at the forge
    MERGING = "merging"
    LANDED = "landed"
    MISMATCH = "mismatch"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"
    REMOVED = "removed"
    CLOSED = "closed"
    MOVED = "moved"  # by the bot alone, where nobody is asked
    GONE = "gone"  # a candidate that is none any more
    RETIRED = "retired"  # it could be asked for when the bot left


DECIDABLE = frozenset({CardStage.OPEN, CardStage.APPROVED, CardStage.CLEARED})


@dataclass(frozen=True, slots=True)
class Who:
    """A person as a card names them: the name in the rules, and the Slack user id for a mention ('' = none)."""

    name: str
    slack: str = ""
    is_reviewer: bool = False  # they approved by a review at the forge, not by a press


@dataclass(frozen=True, slots=True)
class CardLine:
    """One line of the rule: what it asks ("2 of release-managers"), who fills it, how many are missing."""

    asks: str
    people: tuple[Who, ...]
    missing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One episode of one service in one environment. Times are UTC; empty text and zero: not known or not yet."""

    what: str
    channel: str
    environment: str
    service: str
    version: str
    previous: str
    digest: str
    stage: CardStage
    repository: str = ""
    images: tuple[tuple[str, str], ...] = ()  # of a group: what each service becomes, and its digest
    asks: str = ""  # what a button that asks for it names instead of the version
    promotion: str = ""
    change: str = ""
    number: int = 0
    url: str = ""
    requester: Who | None = None
    note: str = ""
    asked: datetime | None = None
    expires: datetime | None = None
    lines: tuple[CardLine, ...] = ()
    waits: tuple[NotYet, ...] = ()
    voided: str = ""  # the code, where approvals were emptied
    ended_by: Who | None = None
    ended_note: str = ""
    instead: str = ""  # the group that is asked for now, where the rules ended it
    commit: str = ""
    merger: str = ""  # the login of who merged it at the forge, where people do
    is_rollback: bool = False
    is_emergency: bool = False
    branch: str = ""  # where its change is, where there is no pull request
    by_people: bool = False  # people merge it at the forge, not the bot
    counts_presses: bool = True  # else reviews at the forge alone are approvals
    authors: tuple[Who, ...] = ()  # who wrote the code and may therefore not approve
    authors_unknown: str = ""  # why that is not known, where the rule asks for it
    newer: str = ""
    review: int = 0  # the entry that somebody who had no part has to review, by `review_due`; 0 = none waits
    review_due: datetime | None = None
    links: tuple[tuple[str, str], ...] = ()  # name and address
    notified: tuple[Who, ...] = ()  # who is pinged; ``slack`` may also be a user group's id, here or channel
    health: str = (
        ""  # of what stands there now: healthy, unhealthy; '' = nobody reports it, or it stands there no more
    )
    is_observed: bool = False  # nobody can decide: it only says what could be asked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing told once, edited when it is over. ``code`` picks the sentence, ``facts`` fill it."""

    what: str
    channel: str
    code: str
    facts: dict[str, str] = field(default_factory=dict)
    is_over: bool = False


Shown = Card | Notice
