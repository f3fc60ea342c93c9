"""``merges: by-hand``: people merge at the forge what the ledger has cleared; who did it, and when, is evidence."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from policies.canonical import Json
from policies.entries.entry import Entry, EntryError, parse_time, write_time
from policies.entries.promotion import Promotion
from policies.rules.rules import EffectiveRule, Merges

MERGES = "merges"  # in the evidence of an intent: people merge what it clears
BY_HAND = "by_hand"  # in the evidence of `merged`: who merged, and when


@dataclass(frozen=True, slots=True)
class MergedBy:
    """Who merged at the forge, as it was looked up: number and login of the account (0 and '' = it is gone), when."""

    id: int
    login: str
    at: datetime
    looked: str

    def as_json(self) -> dict[str, Json]:
        """Return it as evidence."""
        return {"id": self.id, "login": self.login, "at": write_time(self.at), "looked": self.looked}


def is_for_people(rule: EffectiveRule, promotion: Promotion) -> bool:
    """Whether people merge it: not a way back, nor an emergency, which wait for nobody's browser (promise 6)."""
    where = rule.environment
    is_asked = where.is_guarded and where.has_pull_requests
    return where.merges is Merges.BY_HAND and is_asked and not promotion.is_apart


def clears(entry: Entry) -> bool:
    """Whether an intent clears a head for people to merge."""
    return entry.evidence.get(MERGES) == Merges.BY_HAND.value


def clearance() -> dict[str, Json]:
    """Return the evidence of an intent that clears a head for people."""
    return {MERGES: Merges.BY_HAND.value}


def merged_by(evidence: Mapping[str, Json]) -> MergedBy | None:
    """Return who merged, nothing where nobody is named or it is malformed."""
    found = evidence.get(BY_HAND)
    if not isinstance(found, Mapping) or found.keys() != {"id", "login", "at", "looked"}:
        return None
    number, words = found["id"], [found[name] for name in ("login", "at", "looked")]
    if (
        isinstance(number, bool)
        or not isinstance(number, int)
        or not all(isinstance(one, str) for one in words)
    ):
        return None
    login, at, looked = (str(one) for one in words)
    try:
        return MergedBy(number, login, parse_time(at), looked)
    except EntryError:
        return None
