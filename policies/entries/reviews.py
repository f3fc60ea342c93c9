"""A review at the forge as an entry attests it: whose, of which commit, saying what."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from policies.canonical import Json
from policies.entries.entry import By, Entry

REVIEW = "review"  # `via` of a word that was given at the forge


class ReviewState(StrEnum):
    """What a review says now, in the forge's words."""

    APPROVED = "APPROVED"
    CHANGES_REQUESTED = "CHANGES_REQUESTED"
    DISMISSED = "DISMISSED"


@dataclass(frozen=True, slots=True)
class Attested:
    """One review as it was looked up."""

    id: int
    login: str
    user: int
    commit: str
    state: ReviewState
    looked: str

    def as_json(self) -> dict[str, Json]:
        """Return it as evidence."""
        return {
            "id": self.id,
            "login": self.login,
            "user": self.user,
            "commit": self.commit,
            "state": self.state.value,
            "looked": self.looked,
        }


def review_in(evidence: Mapping[str, Json]) -> Attested | None:
    """Return the review that an entry leans on, nothing where there is none or it is malformed."""
    found = evidence.get("review")
    if not isinstance(found, Mapping):
        return None
    number, user = found.get("id"), found.get("user")
    words = [found.get(name) for name in ("login", "commit", "state", "looked")]
    if not (_is_number(number) and _is_number(user) and all(isinstance(one, str) for one in words)):
        return None
    login, commit, state, looked = (str(one) for one in words)
    if state not in set(ReviewState):
        return None
    return Attested(int(str(number)), login, int(str(user)), commit, ReviewState(state), looked)


def is_by_review(entry: Entry) -> bool:
    """Whether a person spoke by a review."""
    return isinstance(entry.by, By) and entry.by.via == REVIEW


def _is_number(value: Json | None) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
