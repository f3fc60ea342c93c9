"""A world at one moment, and the words that its checks share."""

from collections.abc import Iterator
from dataclasses import dataclass

from tests.campaign.office import Office
from tests.campaign.reading import Line
from tests.campaign.witness import Witness

FLAGS = {"active": True, "bot": False, "guest": False, "home": True}
OPENINGS = frozenset({"propose", "rollback", "emergency"})
BACK = frozenset({"rollback", "emergency"})  # freezes do not stop them, and they may skip gates
OUTCOMES = frozenset({"landed", "mismatch"})
Broken = Iterator[str]


@dataclass(frozen=True, slots=True)
class Seen:
    """A world at one moment: what was seen of its office, and somebody who checks the ledger from a clone alone."""

    office: Office
    witness: Witness

    @property
    def ledger(self) -> list[Line]:
        """All entries, oldest first."""
        return self.office.reading.ledger()
