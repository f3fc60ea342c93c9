"""Observing: nothing is written. What a ledger would begin with is kept in the database; what would move is told."""

from collections.abc import Collection, Iterable
from dataclasses import replace

from bot.index import Index
from bot.looking.survey import Survey
from bot.looking.troubles import Trouble, Wrong
from policies.decide import Decision, Standing
from policies.entries.entry import Entry, Kind, parse
from policies.ledger.state import State


class Observer:
    """Keeps the entries that each look makes necessary, so that the next look, also after a restart, stands on them."""

    def __init__(self, index: Index) -> None:
        """Keep them in this index."""
        self._index = index

    def recall(self, state: State) -> None:
        """Add what was kept; beside a ledger that has begun only when tags were first seen."""
        has_begun = state.genesis is not None
        for line in self._index.observed():
            entry = parse(line)
            if entry.key not in state.keys and (entry.kind is Kind.SEEN or not has_begun):
                state.apply(replace(entry, seq=state.seq + 1), state.tip)

    def keep(self, entries: Iterable[Entry]) -> None:
        """Keep entries that are new."""
        for entry in entries:
            self._index.remember_observed(entry.key, replace(entry, seq=1).line())


def would_move(look: Survey, decision: Decision, observed: Collection[str]) -> tuple[Trouble, ...]:
    """Return what would move by itself in environments that are only observed."""
    rules = look.world.rules
    return tuple(
        Trouble(
            Wrong.WOULD_MOVE,
            row.environment,
            row.service,
            {"version": row.best.version, "previous": row.current},
            row.best.version,
        )
        for row in decision.rows
        if row.environment in observed and not rules.environment_for(row.environment, row.service).is_guarded
        if row.best is not None and row.best.verdict is Standing.READY
    )
