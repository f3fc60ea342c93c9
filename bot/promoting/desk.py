"""The desk: what every step works with, and the one way to look at the world at given tips."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.answers import NotRecorded
from bot.ledger import AppendAnswer, Ledger, Proposal
from bot.looking.book import Book, RulesAt
from bot.looking.builds import Builds
from bot.looking.movers import Movers
from bot.looking.quarantine import Jar
from bot.looking.rosters import Rosters
from bot.looking.source_authors import SourceAuthors
from bot.looking.survey import Answers, Survey, openings, survey
from bot.observing import Observer
from bot.pacing import Pace
from bot.promoting.last_looks import LastLooks
from bot.promoting.poller import Writer, externals
from bot.promoting.promoter import Declined
from bot.promoting.suspicions import Suspicions
from bot.repository.mirror import Mirror, Tips
from bot.repository.objects import Oid
from policies.decide import Decision
from policies.deciding import Decider
from policies.entries.entry import Entry
from policies.ledger.state import State
from policies.validator import refuse


@dataclass(slots=True)
class Desk:
    """Clone, ledger, rules and answers of registries, together."""

    mirror: Mirror
    ledger: Ledger
    book: Book
    writer: Writer
    answers: Answers = field(default_factory=Answers)
    rosters: Rosters = field(default_factory=Rosters)
    authors: SourceAuthors = field(default_factory=SourceAuthors)
    movers: Movers = field(init=False)
    examined: set[Oid] = field(default_factory=set)
    builds: Builds | None = None  # who asks when images were built
    suspicions: Suspicions = field(default_factory=Suspicions)
    last_looks: LastLooks = field(default_factory=LastLooks)
    decider: Decider = field(default_factory=Decider)
    jar: Jar = field(default_factory=Jar)  # what came in and could not be read
    observer: Observer | None = None  # where there is one, nothing is appended

    def __post_init__(self) -> None:
        """Look at movers in the same clone."""
        self.movers = Movers(self.mirror)

    def decide(self, look: Survey) -> Decision:
        """Decide about a look, at its time; what nothing has changed for is not decided anew."""
        return self.decider.decide(look.world, look.at)

    @property
    def pace(self) -> Pace:
        """When the bot may push of itself."""
        return self.mirror.pace

    def rules(self, tips: Tips) -> RulesAt:
        """Return the rules in force. Raises: Declined where none parse."""
        found = self.book.rules_in_force(tips.target)
        if isinstance(found, RulesAt):
            return found
        first = str(found.findings[0]) if found.findings else "there are no rules in the repository"
        raise Declined(NotRecorded(code="rules-unreadable", detail=first))

    def look(self, tips: Tips, state: State, at: datetime) -> Survey:
        """Put together what is known at these tips, in this state; asks nobody. Raises: Declined."""
        rules = self.rules(tips)
        found = survey(
            book=self.book,
            tips=tips,
            rules=rules,
            state=state,
            answers=self.answers,
            at=at,
            members=self.rosters.members(rules.rules, state, at),
        )
        waits = self.suspicions.waits(state)
        again = self.last_looks.waits(one.id for one in state.under_way())
        return replace(found, world=replace(found.world, suspected=waits, looked_again=again))

    def view(self, at: datetime) -> Survey:
        """Return what the last fetch saw, with what would be written down first added. Raises: Declined."""
        tips = self.mirror.tips()
        chain = self.ledger.read(tips).copy()
        if self.observer:
            self.observer.recall(chain.state)
        found = self.look(tips, chain.state, at)
        self.open(found)
        return found

    def open(self, look: Survey) -> Proposal:
        """Return the entries that this look makes necessary, applied to its state."""
        ledger = self.ledger
        successor = ledger.successor.public_key if ledger.successor else ""
        entries = openings(
            look, branch=self.mirror.branch, signer=ledger.signer.public_key, successor=successor
        )
        if self.observer:
            self.observer.keep(entries)
        return Proposal(tuple(entries))

    def append(
        self, make: Callable[[Survey, str], Proposal], at: datetime, *, look_first: bool = True
    ) -> AppendAnswer:
        """Append what ``make`` composes of a look and of the ledger's validated end, after what the look needs.

        Raises: Declined.
        """
        if self.observer:
            raise Declined(NotRecorded(code="observing"))

        def compose(tips: Tips, state: State) -> Proposal:
            tip, seq = state.tip, state.seq
            found = self.look(tips, state, at)
            first = self.open(found)
            kept = self._kept(found.state)
            then = make(found, tip)
            return self._paced(replace(then, entries=(*first.entries, *kept, *then.entries)), state, seq)

        return self.ledger.append(compose, year=f"{at:%Y}", look_first=look_first)

    def turn(self, at: datetime) -> AppendAnswer | None:
        """Begin a new year's ledger when it is time (UTC) and the old one tells everything. Raises: Declined."""
        year, tips = f"{at:%Y}", self.mirror.tips()
        if self.observer or self.ledger.read(tips).year in {"", year}:
            return None

        def is_settled(tips: Tips, state: State) -> bool:
            return not externals(self.look(tips, state, at), self.mirror, self.book, self.examined)

        return self.ledger.turn(year, at, is_settled=is_settled)

    def _kept(self, state: State) -> tuple[Entry, ...]:
        """Return what waited and is still allowed, applied to the state."""
        found: list[Entry] = []
        for one in list(self.pace.later):
            entry = replace(one, seq=state.seq + 1, prev=state.tip)
            if refuse(state, entry, self.book) is not None:
                self.pace.went([one])  # it is there, or does not hold any more
                continue
            state.apply(entry, state.tip)
            found.append(one)
        return tuple(found)

    def _paced(self, proposal: Proposal, state: State, seq: int) -> Proposal:
        """Return what may go now: all of it, or nothing where it has to wait. ``seq``: where the ledger ends."""
        new = [one for one in proposal.entries if state.keys.get(one.key, seq + 1) > seq]
        if new and not self.pace.lets(new, state.shown, has_moves=bool(proposal.updates)):
            return Proposal()
        return proposal
