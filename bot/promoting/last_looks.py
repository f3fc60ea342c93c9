"""What the last looks before a merge found: why what is approved is not merged, since when, and what comes next."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from policies.codes import Code
from policies.entries.authors import Authors
from policies.ledger.tally import Tally
from policies.verdict import Waiting

AGAIN = "it is looked up again at each pass, and merged once nothing is in the way"
ASK_ANEW = "somebody cancels it and asks for it again"
SOMEBODY_ELSE = "somebody else approves it, too"
TOO_FEW = "the forge tells fewer of those who wrote the code than it did with the request"


@dataclass(frozen=True, slots=True)
class Found:
    """What is in the way, and what happens next; one line each."""

    code: Code
    what: str
    then: str


@dataclass(slots=True)
class LastLooks:
    """What was found of each promotion, and since when (UTC). Lost with the process: then it is found again."""

    found: dict[str, tuple[Found, datetime]] = field(default_factory=dict)

    def note(self, promotion: str, found: Found, at: datetime) -> None:
        """Note what is in the way of a merge now; what was in the way before keeps its beginning."""
        last = self.found.get(promotion)
        self.found[promotion] = (found, last[1] if last and last[0] == found else at)

    def forget(self, promotion: str) -> None:
        """Note that nothing of the kind is in the way any more."""
        self.found.pop(promotion, None)

    def keep(self, live: Iterable[str]) -> None:
        """Forget all but these."""
        self.found = {name: self.found[name] for name in live if name in self.found}

    def waits(self, live: Iterable[str]) -> Mapping[str, Waiting]:
        """Return for what each of the promotions that are under way waits."""
        return {name: _said(*self.found[name]) for name in live if name in self.found}


def _said(found: Found, since: datetime) -> Waiting:
    return Waiting(found.code, f"{found.what}, since {since:%Y-%m-%d %H:%M} UTC; {found.then}")


def of_authors(told: Authors, whole: Tally, left: Tally) -> Found:
    """Return why approvals do not fill the lines by who is ``told`` now to have written the code.

    ``whole``: who fills them without that, ``left``: with it.
    """
    if told.is_doubtful:
        return Found(Code.LOOKED_AGAIN, TOO_FEW, AGAIN)
    return Found(Code.AUTHOR, " and ".join(sorted(_people(whole) - _people(left))), SOMEBODY_ELSE)


def _people(tally: Tally) -> set[str]:
    return {person for _, people in tally.lines for person in people}
