"""A promotion as its entries tell it, and the table of its stages."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from policies.entries.authors import Authors
from policies.entries.entry import Bot, By, Kind, Member, Pinned, RuleAt, Share, shares
from policies.entries.gate_notes import Notes


class Stage(StrEnum):
    """How far a promotion is. Derived from entries, never stored (DESIGN section 7)."""

    OPEN = "open"
    MERGING = "merging"  # or cleared, so that people merge it
    MERGED = "merged"
    LANDED = "landed"
    MISMATCH = "mismatch"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"
    REMOVED = "removed"
    CLOSED = "closed"


# (stage, kind) -> stage. What is not here leaves the stage as it is; the validator says whether it was allowed.
TRANSITIONS: dict[tuple[Stage, Kind], Stage] = {
    (Stage.OPEN, Kind.INTENT): Stage.MERGING,
    (Stage.MERGING, Kind.ABORT): Stage.OPEN,
    (Stage.MERGING, Kind.MERGED): Stage.MERGED,
    (Stage.MERGED, Kind.LANDED): Stage.LANDED,
    (Stage.MERGED, Kind.MISMATCH): Stage.MISMATCH,
    (Stage.OPEN, Kind.REJECT): Stage.REJECTED,
    (Stage.OPEN, Kind.CANCEL): Stage.CANCELLED,
}
ENDINGS: dict[str, Stage] = {
    "expired": Stage.EXPIRED,
    "superseded": Stage.SUPERSEDED,
    "removed": Stage.REMOVED,
    "closed": Stage.CLOSED,
}
MAX_TOLD = 6  # services of a group in a sentence
LIVE = frozenset({Stage.OPEN, Stage.MERGING, Stage.MERGED})


@dataclass(frozen=True, slots=True)
class Approval:
    """One person's word for one change under one rule."""

    by: By
    at: datetime
    seq: int
    review: int = 0  # the forge's number of the review that it is; 0 = it was given in Slack


@dataclass(frozen=True, slots=True)
class Promotion:
    """One promotion as its entries tell it. ``approvals`` are those that stand for the present change and rule.

    Of a group ``service`` is its name, and ``members`` are those that move.
    ``heads`` are all that were built of the present change, the present one among them.
    """

    id: str
    kind: Kind
    environment: str
    service: str
    image: tuple[Pinned, ...]
    previous: tuple[Pinned, ...]
    change: str
    rule: RuleAt
    head: str
    by: Bot | By
    opened: datetime
    note: str
    seq: int
    stage: Stage = Stage.OPEN
    heads: tuple[str, ...] = ()
    authors: Authors | None = None  # of the code between the two images, as the request attests them
    approvals: tuple[Approval, ...] = ()
    refreshed: datetime | None = None  # when it was voided last: expiry counts from there
    intent: str = ""  # oid of the live or last intent's commit
    intent_key: str = ""
    gates: Notes = ()  # what that intent says of the gates that had passed
    cleared: datetime | None = None  # since when people may merge it (UTC); none = the bot merges
    merger: str = ""  # the login of who did
    attempts: int = 0  # how often this head was not merged, and when last
    attempted: datetime | None = None
    reviews: int = 0  # that the forge's own rules asked for when it did not merge
    commit: str = ""
    ended_by: Bot | By | None = None
    ended_note: str = ""
    why: str = ""
    done: datetime | None = None
    members: tuple[Member, ...] = ()

    @property
    def group(self) -> str:
        """The group that moves, '' = a service by itself."""
        return self.service if self.members else ""

    @property
    def shares(self) -> tuple[Share, ...]:
        """What each service moves."""
        return shares(self.service, self.members, self.image, self.previous)

    @property
    def version(self) -> str:
        """The version that is asked for; of a group each member's with its name."""
        return version_of(self.shares, self.group)

    def image_of(self, service: str) -> tuple[Pinned, ...]:
        """Return the images of one service; none where it does not move."""
        return next((one.image for one in self.shares if one.service == service), ())

    @property
    def is_live(self) -> bool:
        """Whether something may still happen to it."""
        return self.stage in LIVE

    @property
    def is_cleared(self) -> bool:
        """Whether it waits for a person to merge it at the forge."""
        return self.stage is Stage.MERGING and self.cleared is not None

    @property
    def is_rollback(self) -> bool:
        """Whether it goes back."""
        return self.kind is Kind.ROLLBACK

    @property
    def is_emergency(self) -> bool:
        """Whether it skips what the rule lets an emergency skip."""
        return self.kind is Kind.EMERGENCY

    @property
    def is_apart(self) -> bool:
        """Whether it has lines of its own, and fills one for the person who asks."""
        return self.is_rollback or self.is_emergency


def version_of(moves: Iterable[Share], group: str) -> str:
    """Return what moves there as people read it: a version, or of a group each member's with its name."""
    told = [f"{one.service} {one.image[0].tag}" if group else one.image[0].tag for one in moves if one.image]
    return ", ".join(told) if len(told) <= MAX_TOLD else f"{len(told)} services"


def part_in(promotion: Promotion) -> frozenset[str]:
    """Return who asked for it or approved it."""
    return frozenset(one.person for one in spoke_in(promotion))


def spoke_in(promotion: Promotion) -> tuple[By, ...]:
    """Return who asked for it or approved it, with the accounts by which they did."""
    asked = (promotion.by,) if isinstance(promotion.by, By) else ()
    return (*asked, *(one.by for one in promotion.approvals))
