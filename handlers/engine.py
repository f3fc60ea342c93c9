"""The engine as this floor sees it: one way to decide, and a recent view to answer questions from."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Protocol

from bot.answers import Answer, Awaiting, NotRecorded
from bot.looking.on_demand import Listed
from bot.ports import Asked
from bot.promoting.brings import Brings
from policies.decide import Candidate, Decision
from policies.entries.membership import Members
from policies.entries.tables import Tables
from policies.rules.rules import Rules
from policies.words import Pair, Speaker, Word


class Look(Protocol):
    """A recent view. ``problem``: one line for people where something could not be read anew; '' = all well."""

    @property
    def rules(self) -> Rules:
        """The rules in force."""

    @property
    def decision(self) -> Decision:
        """What may happen, and why."""

    @property
    def state(self) -> Tables:
        """What the ledger stands for, to be shown."""

    @property
    def members(self) -> Members:
        """Who is in teams that live elsewhere, as far as they were looked up."""

    @property
    def is_checked(self) -> bool:
        """Whether the ledger was checked; where not, nothing is decided by what is seen."""

    @property
    def problem(self) -> str:
        """What could not be read."""

    @property
    def is_observing(self) -> bool:
        """Whether the bot writes nothing, whatever it sees."""

    def current_since(self, environment: str, service: str) -> datetime | None:
        """Return since when (UTC) what runs in a place runs there; none where nobody knows."""


class Engine(Protocol):
    """Carries out and answers. Raises: BotError."""

    def say(self, speaker: Speaker, word: Word) -> Answer:
        """Take a person's word; blocks for seconds. The only way to decide."""

    def prepare(self, speaker: Speaker, word: Pair) -> Awaiting | NotRecorded:
        """Look at what two people have to say together, for the first of them; records nothing."""

    def look(self) -> Look:
        """Return a recent view, without network."""

    def why(self, environment: str, service: str, version: str) -> Candidate | None:
        """Say what stands in the way of one version; nothing where there is no such place."""

    def brings(self, service: str, version: str, environment: str) -> tuple[Brings, ...]:
        """Say what a version ('' = the next) brings, in one environment or ('') each; asks outside, for seconds.

        Nothing while the ledger is still being checked.
        """

    def check(self, services: Iterable[str]) -> tuple[Listed, ...]:
        """Ask registries now what these services have, within bounds; for seconds. Decides nothing.

        Nothing while the ledger is still being checked.
        """

    def link(self, speaker: Speaker, tell: Callable[[Answer], None]) -> Asked | NotRecorded:
        """Give a code by which somebody shows which account at the forge is theirs; ``tell`` hears how it ended."""

    def is_outside(self, team: str, slack_user: str) -> bool:
        """Whether somebody is neither linked nor a full member of the bot's own workspace, as far as can be seen."""

    def is_surely_outside(self, team: str, slack_user: str) -> bool:
        """Whether the chat says so; one that says nothing is no reason to say it of somebody."""

    def person_of(self, slack_user: str) -> str:
        """Return the name that the rules link to a Slack user id; '' = not linked."""
