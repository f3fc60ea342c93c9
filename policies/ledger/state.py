"""What the ledger stands for: the fold of its entries. Nothing here decides; it only adds up."""

from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, fields, replace

from policies.entries.entry import By, Entry, Kind
from policies.entries.promotion import (
    ENDINGS,
    LIVE,
    TRANSITIONS,
    Approval,
    Promotion,
    Stage,
    part_in,
    spoke_in,
)
from policies.entries.remembered import ForgeId, Health, Move, Open, Place, Seen, Standing, is_same
from policies.entries.tables import LIFTS, Apply, Tables, lifted_blocks, lifted_holds, lifts_of
from policies.growing import Trail
from policies.ledger import facts as fold_facts
from policies.ledger import promotions as fold_promotions
from policies.ledger import repair as fold_repair
from policies.ledger import standing as fold_standing
from policies.ledger.facts import EXTERNAL_HOLD

__all__ = [
    "ENDINGS",
    "EXTERNAL_HOLD",
    "LIFTS",
    "LIVE",
    "TRANSITIONS",
    "Approval",
    "Health",
    "Move",
    "Open",
    "Place",
    "Promotion",
    "Seen",
    "Stage",
    "Standing",
    "State",
    "fold",
    "history",
    "is_same",
    "lifted_blocks",
    "lifted_holds",
    "lifts_of",
    "part_in",
    "spoke_in",
]


# kinds whose commit is one that was looked at, not one that moved something
_NO_MOVE = frozenset({Kind.GENESIS, Kind.RULES, Kind.HEALTHY, Kind.UNHEALTHY, Kind.CONFIG})


@dataclass(slots=True)
class State(Tables):
    """The state that a ledger branch stands for. ``apply`` grows it; ``copy`` lets one try."""

    def copy(self) -> "State":
        """Return a state that may grow without touching this one."""
        other = replace(self)
        for name in _TABLES:
            setattr(other, name, getattr(self, name).copy())
        return other

    def apply(self, entry: Entry, oid: str) -> None:
        """Add one entry, ``oid`` being its commit. Whether it was allowed is the validator's question, asked before."""
        self.seq, self.tip, self.at = entry.seq, oid, entry.at
        self.keys[entry.key] = entry.seq
        if entry.commit and entry.kind not in _NO_MOVE:
            self.commits.setdefault(entry.commit, entry.seq)
            if entry.kind is not Kind.EXTERNAL:
                self.ours.setdefault(entry.commit, entry.seq)
        self._meet(entry)
        for name in _about(entry):
            self.marks[name] = entry
        _APPLY.get(entry.kind, _nothing)(self, entry, oid)
        fold_repair.note_words(self, entry)

    def _meet(self, entry: Entry) -> None:
        """Remember the number of a person's forge account, under the login that it had then."""
        by = entry.by
        if isinstance(by, By) and by.forge_id:
            met = self.forge_ids.get(by.person)
            if met is None or met.number != by.forge_id:
                self.forge_ids[by.person] = ForgeId(by.forge_id, by.forge_login)


_TABLES = tuple(one.name for one in fields(Tables) if one.default_factory is not MISSING)


def fold(year: str, entries: Iterable[tuple[str, Entry]]) -> State:
    """Return the state of a branch: pairs of commit oid and entry, oldest first."""
    state = State(year)
    for oid, entry in entries:
        state.apply(entry, oid)
    return state


def _about(entry: Entry) -> Iterable[str]:
    """Return the services about which an entry says something that a decision may rest on; '' = all of them."""
    if entry.kind is Kind.SEEN:
        return {one.service for one in entry.seen}
    return () if entry.kind in _SAYS_NOTHING else {entry.service, *(one.service for one in entry.also)}


_SAYS_NOTHING = frozenset({Kind.SHOWN, Kind.REFUSED, Kind.QUARANTINE})


def _nothing(_state: Tables, _entry: Entry, _oid: str) -> None:
    pass


_APPLY: Mapping[Kind, Apply] = {
    **fold_facts.APPLY,
    **fold_promotions.APPLY,
    **fold_standing.APPLY,
    **fold_repair.APPLY,
}


def history(moves: Mapping[Place, Trail[Move]], environment: str, service: str) -> tuple[Move, ...]:
    """Return what was moved there, oldest first."""
    return tuple(moves.get((environment, service), ()))
