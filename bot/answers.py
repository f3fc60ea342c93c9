"""What the engine answers to a person's word: recorded, or not and why. Values only; handlers put them into words."""

from dataclasses import dataclass
from datetime import datetime

from policies.entries.entry import Kind
from policies.ledger.state import Promotion
from policies.verdict import NotYet
from policies.words import Pair, Speaker


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """The word is on the remote. ``waits``: what still stands in the way; ``given`` of ``wanted`` approvals."""

    kind: Kind
    environment: str = ""
    service: str = ""
    version: str = ""
    previous: str = ""
    group: str = ""  # of whose services the versions are, each named
    promotion: str = ""
    number: int = 0
    url: str = ""
    given: int = 0
    wanted: int = 0
    waits: tuple[NotYet, ...] = ()
    commit: str = ""  # where it moved something already
    unseen: str = ""  # why its card cannot be shown in the channel
    person: str = ""  # who was linked to which login
    login: str = ""
    closes: int = 0  # the entry that a review closes
    seq: int = 0  # the entry itself, of two people's word
    erases: int = 0  # the entry that is not shown any more
    people: tuple[str, ...] = ()  # who said it together
    due: datetime | None = None  # when a review is due (UTC)
    more: tuple["Recorded", ...] = ()  # what was recorded beside it, of one word about several environments


@dataclass(frozen=True, slots=True, kw_only=True)
class NotRecorded:
    """The word was not let through, or could not be written. ``code``: policies/codes.py, or one of ``PROBLEMS``.

    ``choices`` are names that would have been understood: services, environments, versions, open promotions.
    ``waits`` is what stands in the way of the version that ``detail`` names. ``ended`` is the promotion that was meant,
    where it is over; then ``choices`` names the group that its service moves with by now.
    """

    code: str
    detail: str = ""
    choices: tuple[str, ...] = ()
    waits: tuple[NotYet, ...] = ()
    ended: Promotion | None = None
    parts: tuple[
        tuple[str, NotYet], ...
    ] = ()  # of a group: a service with its version, and what keeps it back


@dataclass(frozen=True, slots=True, kw_only=True)
class Awaiting:
    """Nothing is recorded yet: somebody else has to say the same by ``until`` (UTC). ``facts``: what it is about."""

    what: Pair
    first: Speaker
    person: str
    asked: datetime
    until: datetime
    facts: tuple[str, ...] = ()


# codes that are not a rule's: the sentence for each is in handlers/slack/messages.py
PROBLEMS = (
    "unknown-service",
    "unknown-environment",
    "unknown-version",
    "unknown-promotion",
    "unknown-review",
    "unknown-entry",
    "nothing-to-redact",
    "nothing-lost",
    "no-branch",
    "which-environment",
    "nothing-to-promote",
    "nothing-to-roll-back",
    "rules-unreadable",
    "ledger-read-only",
    "ledger-checking",
    "observing",
    "not-recorded",  # the remote could not be reached or another writer kept winning: press again
    "forge-missing",
    "forge-failed",
    "registry-silent",
    "link-unavailable",
    "link-busy",
    "sign-in-expired",
    "sign-in-denied",
    "sign-in-unavailable",
)

Answer = Recorded | NotRecorded
