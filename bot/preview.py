"""A first look at a long ledger that nobody has judged yet: to answer questions from, and nothing else.

What comes out is no ``State`` and no ``Look``: the validator, an entry, a card and the forge's calls do not take it.
"""

import gc
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from datetime import datetime

from bot.looking.book import Book, RulesAt
from bot.looking.survey import Answers, survey
from bot.repository.mirror import Tips
from bot.repository.objects import RawCommit
from policies import decide as decisions
from policies.decide import Candidate, Decision
from policies.entries.entry import EntryError
from policies.entries.membership import NOBODY, Members
from policies.entries.skim import skim
from policies.entries.tables import Tables
from policies.ledger.state import State
from policies.rules.rules import Rules

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Preview:
    """What a ledger says of itself, unjudged and with signatures unchecked. ``state`` cannot grow."""

    rules: Rules
    decision: Decision
    state: Tables
    why: Callable[[str, str, str], Candidate | None] = field(repr=False, compare=False)
    since: Callable[[str, str], datetime | None] = field(repr=False, compare=False)
    members: Members = field(default_factory=lambda: NOBODY)
    problem: str = ""
    is_observing: bool = False

    @property
    def is_checked(self) -> bool:
        """Whether what is shown was checked: never."""
        return False

    def current_since(self, environment: str, service: str) -> datetime | None:
        """Return since when (UTC) what runs in a place runs there, as the unjudged ledger has it."""
        return self.since(environment, service)


def preview_of(
    book: Book, tips: Tips, year: str, commits: Sequence[RawCommit], at: datetime
) -> Preview | None:
    """Add a ledger up without judging it and look at the tips with that; asks no registry.

    Nothing where the rules cannot be read, or no valid ledger could be so: the check says what is wrong.
    """
    try:
        rules = book.rules_in_force(tips.target)
        if not isinstance(rules, RulesAt):
            return None
        with _uncollected():
            state = _added_up(year, commits)
        world = survey(book=book, tips=tips, rules=rules, state=state, answers=Answers(), at=at).world
        return Preview(
            rules=rules.rules,
            decision=decisions.decide(world, at),
            state=tables_of(state),
            why=lambda environment, service, version: decisions.why(world, environment, service, version, at),
            since=world.current_since,
        )
    except Exception as error:  # noqa: BLE001  what nobody has judged may be anything; the check goes on
        _log.warning("no first look before the ledger is checked: %s", error)
        return None


def tables_of(state: State) -> Tables:
    """Return what a state adds up to as tables alone, which cannot grow."""
    return Tables(*(getattr(state, one.name) for one in fields(Tables)))


@contextmanager
def _uncollected() -> Iterator[None]:
    """Let no garbage be looked for meanwhile: a fifth of the time, and what is added up here has no cycles."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _added_up(year: str, commits: Iterable[RawCommit]) -> State:
    """Return what commits add up to, parents before children. Raises: EntryError, and what odd entries lead to."""
    state = State(year)
    for raw in commits:
        _, _, message = raw.data.partition(b"\n\n")
        entry = skim(message.partition(b"\n\n")[2])
        if entry.prev != state.tip:
            raise EntryError(f"entry {raw.oid[:12]} does not follow the one before it")
        state.apply(entry, raw.oid)
    return state
