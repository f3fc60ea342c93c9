"""What a decision says: a candidate with its verdict, a row of them for a place, best first."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import partial
from itertools import takewhile

from policies.codes import Code
from policies.entries.entry import Member, Pinned
from policies.images.image import Tag
from policies.images.selection import Selection, newer
from policies.ledger.digest_versions import tag_in
from policies.rules.rules import EffectiveRule
from policies.verdict import NotYet, Waiting

BETWEEN_DIGESTS = "+"  # as keys of the ledger have it
# what waits for a request or an approval, whenever people give it
ANSWERED_BY_PEOPLE: frozenset[StrEnum] = frozenset(
    {Code.NOT_REQUESTED, Code.APPROVALS_MISSING, Code.REVIEW_MISSING, Code.WAITING_FOR_A_GO}
)


# what does not keep a person from asking for a version: the request answers it, or is what it waits for
ANSWERED_BY_ASKING: frozenset[Code] = frozenset(
    {Code.NOT_REQUESTED, Code.KNOWN_BEFORE, Code.APPROVALS_MISSING}
)


class Standing(StrEnum):
    """A verdict in one word, as ``plan --json`` gives it."""

    CURRENT = "current"
    READY = "ready"
    WAITING = "waiting"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Candidate:
    """One version and what stands in its way.

    ``digest`` has those of all images of the service, in their order, with ``+`` between them. Of a group ``version``
    names each member that would move with its own, ``together`` has their images, and ``members`` says whose they are.
    """

    version: str
    digest: str
    verdict: Standing
    reasons: tuple[NotYet, ...] = ()
    promotion: str = ""
    expires: datetime | None = None  # when the request is over (UTC), where one is open
    members: tuple[Member, ...] = ()
    together: tuple[Pinned, ...] = ()

    @property
    def codes(self) -> tuple[str, ...]:
        """The reasons' codes, in the gates' order, each once."""
        return tuple(dict.fromkeys(reason.code.value for reason in self.reasons))

    @property
    def may_be_asked_for(self) -> bool:
        """Whether nothing but people stands in its way, so that somebody may ask for it where people are asked."""
        return all(reason.code in ANSWERED_BY_ASKING for reason in self.reasons)

    @property
    def until(self) -> datetime | None:
        """When (UTC) the last of what opens by itself does; what is left then is for people to answer.

        None where anything else than people has no known time: nobody knows when that ends.
        """
        waits = [reason for reason in self.reasons if reason.code not in ANSWERED_BY_PEOPLE]
        times = [reason.until if isinstance(reason, Waiting) else None for reason in waits]
        known = [until for until in times if until is not None]
        return max(known) if known and len(known) == len(times) else None

    def images(self, rule: EffectiveRule) -> tuple[Pinned, ...]:
        """Return what would stand there."""
        if self.together:
            return self.together
        digests = self.digest.split(BETWEEN_DIGESTS)
        return tuple(
            Pinned(image, tag_in(self.version), digest)
            for image, digest in zip(rule.service.images, digests, strict=False)
        )


@dataclass(frozen=True, slots=True)
class Row:
    """One service in one environment: what runs there, what could come, best first."""

    environment: str
    service: str
    current: str
    verdict: Standing
    codes: tuple[str, ...]
    candidates: tuple[Candidate, ...]
    detail: str = ""
    selection: Selection | None = None
    previous: tuple[Pinned, ...] = ()  # what stands there

    @property
    def best(self) -> Candidate | None:
        """The candidate that the row speaks of: the newest that is ready, else waits, else is refused."""
        for verdict in (Standing.READY, Standing.WAITING, Standing.REFUSED):
            for candidate in self.candidates:
                if candidate.verdict is verdict:
                    return candidate
        return None


def forward(rule: EffectiveRule, current: str, ranked: tuple[Tag, ...]) -> list[Tag]:
    """Return the versions that are newer than what stands there, best first."""
    return list(takewhile(partial(_is_forward, rule, current), ranked))


def _is_forward(rule: EffectiveRule, current: str, tag: str) -> bool:
    """Whether a version is newer than what stands there; where that has no place in the order, any is."""
    return tag != current and newer(rule.service.versions, tag, current) is not False


def row_with(row: Row, candidates: tuple[Candidate, ...]) -> Row:
    """Return a row with these candidates, which are some, and the verdict of the best."""
    found = replace(row, candidates=candidates)
    best = found.best
    if best is None:
        return found
    return replace(found, verdict=best.verdict, codes=best.codes or (Code.READY.value,), detail="")
