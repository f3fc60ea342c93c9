"""What was asked before something moved, asked again: the same gates, in the state that the entry followed."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from policies.allowed.asked import Asked, Book
from policies.allowed.cases import cases_of
from policies.entries.entry import Entry, Kind
from policies.gates import ALONE, MERGED, TABLE, Gate, before_merge, blocked, is_ruled
from policies.ledger.state import State
from policies.rules.rules import EffectiveRule
from policies.verdict import Verdict

_NAMES = {row.gate: row.name for row in TABLE}


@dataclass(frozen=True, slots=True)
class Judged:
    """One gate by its name in the table, and what it says about a service; ``is_asked``: by a key of the rule."""

    gate: str
    verdict: Verdict
    service: str
    is_asked: bool


def reperformed(
    year: str, entries: Iterable[tuple[str, Entry]], book: Book, wanted: Collection[int]
) -> Iterator[tuple[int, tuple[Judged, ...]]]:
    """Fold the entries of one year or several and yield, for each wanted number, what the gates say there."""
    state = State(year)
    for oid, entry in entries:
        if entry.kind is Kind.GENESIS:  # a year begins with what it carries, and nothing else
            state = State(entry.key.rpartition("/")[2])
        if entry.seq in wanted:
            yield entry.seq, judged(state, entry, book)
        state.apply(entry, oid)


def judged(state: State, entry: Entry, book: Book) -> tuple[Judged, ...]:
    """Return each gate's verdict of an entry that moves something; ``state`` is what it followed."""
    rules = book.rules(state.rules.commit) if state.rules else None
    return tuple(found for one in entry.each for found in _judged(Asked(state, one, book, rules)))


def _judged(asked: Asked) -> Iterator[Judged]:
    if asked.rule is not None:
        for case in cases_of(asked, asked.rule, asked.promotion):
            for gate in _gates(asked, case.rule):
                yield Judged(_NAMES[gate], gate(case), case.service, is_ruled(gate, case))


def _gates(asked: Asked, rule: EffectiveRule) -> tuple[Gate, ...]:
    match asked.entry.kind:
        case Kind.BUMP:
            return ALONE
        case Kind.INTENT:
            return before_merge(rule, asked.promotion) if asked.promotion else MERGED
        case _:
            return (blocked,)
