"""A recent view of everything, for questions: no network, computes nothing of its own."""

from dataclasses import dataclass
from datetime import datetime

from policies.decide import Decision
from policies.entries.membership import Members
from policies.ledger.state import State
from policies.rules.rules import Rules
from policies.world import World


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen last. ``problem``: one line for people where something could not be read anew; '' = all well.

    ``is_observing``: the bot writes nothing, whatever it sees.
    """

    world: World
    decision: Decision
    problem: str = ""
    is_observing: bool = False

    @property
    def is_checked(self) -> bool:
        """Whether the ledger behind it was checked: always."""
        return True

    @property
    def rules(self) -> Rules:
        """The rules in force."""
        return self.world.rules

    @property
    def members(self) -> Members:
        """Who is in teams that live elsewhere, as far as they were looked up."""
        return self.world.members

    def current_since(self, environment: str, service: str) -> datetime | None:
        """Return since when (UTC) what runs in a place runs there: by the ledger, before it by Git's history."""
        return self.world.current_since(environment, service)

    @property
    def state(self) -> State:
        """What the ledger stands for."""
        return self.world.state
