"""What a person may say, as values: one class for each word of ``/promote`` that decides something."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who speaks, as the chat says it. ``trigger`` is the click's own id; ``via``: button, command, modal, shortcut."""

    team: str
    user: str
    via: str
    trigger: str


@dataclass(frozen=True, slots=True)
class Propose:
    """Ask for a version ('' = the newest that may be asked for) in an environment ('' = where there is one choice)."""

    service: str
    version: str = ""
    environment: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Approve:
    """Approve a promotion, named by its id, or by ``#number`` of its pull request.

    ``change`` is what the person saw on the card ('' = by command, whatever is open now).
    """

    promotion: str
    change: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Unapprove:
    """Take one's own approval back."""

    promotion: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Reject:
    """End a promotion, with a reason."""

    promotion: str
    note: str


@dataclass(frozen=True, slots=True)
class Cancel:
    """Withdraw one's own request."""

    promotion: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Rollback:
    """Put back what ran before ('' = the last one), in these environments (none named = where there is one choice)."""

    service: str
    note: str
    version: str = ""
    environments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hold:
    """Keep a service what it is, in one environment or ('' ) everywhere."""

    service: str
    note: str
    environment: str = ""
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Resume:
    """Lift a hold."""

    service: str
    note: str
    environment: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """Say that a version never moves."""

    service: str
    version: str
    note: str


@dataclass(frozen=True, slots=True)
class Unblock:
    """Lift a block."""

    service: str
    version: str
    note: str


@dataclass(frozen=True, slots=True)
class Freeze:
    """Make environments stand still; ``all`` names every one."""

    environments: tuple[str, ...]
    note: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Unfreeze:
    """Let an environment move again."""

    environment: str
    note: str


@dataclass(frozen=True, slots=True)
class Emergency:
    """Move a version now, past what the environment's rule lets an emergency skip; somebody else reviews it later.

    Of a group, which has no version of its own, ``version`` is ''.
    """

    service: str
    version: str
    environment: str
    note: str


@dataclass(frozen=True, slots=True)
class Review:
    """Close what waits for a review: by ``#seq`` of its entry, its promotion, its pull request, or its commit."""

    what: str
    note: str


@dataclass(frozen=True, slots=True)
class Redact:
    """Take the words of one entry, by its number, out of every view; for two people to say."""

    entry: int
    note: str


@dataclass(frozen=True, slots=True)
class Fork:
    """Go on from where a rewritten ledger stands now; for two people to say. ``lost``: the end that is given up."""

    note: str
    lost: str = ""


Pair = Redact | Fork


@dataclass(frozen=True, slots=True)
class Confirm:
    """Say with somebody else what one alone may not say: what, who said it ``first``, and when (UTC)."""

    what: Pair
    first: Speaker
    asked: datetime


Alone = (
    Propose
    | Approve
    | Unapprove
    | Reject
    | Cancel
    | Rollback
    | Hold
    | Resume
    | Block
    | Unblock
    | Freeze
    | Unfreeze
    | Emergency
    | Review
)
Word = Alone | Confirm
