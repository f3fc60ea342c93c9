"""The table of gates: each with its name, its codes, what it needs, what it stands before, and who may skip it."""

from dataclasses import dataclass
from enum import Flag, auto

from policies.codes import Code
from policies.gates import before, content, counting, order, promised, sightings, standing
from policies.gates.case import Case, Gate
from policies.verdict import Verdict


class Before(Flag):
    """What a gate stands before."""

    ALONE = auto()  # a move by the bot alone
    ASKED = auto()  # somebody's request: what waiting cannot mend
    OFFERED = auto()  # offering a version where people are asked
    MERGED = auto()  # the merge of what was approved
    ROLLED_BACK = (
        auto()
    )  # the merge of a rollback: a person's word, so no soak, checks, age or freeze (promise 6)


@dataclass(frozen=True, slots=True)
class Row:
    """One gate. ``needs`` is what it looks at, for people; ``is_skipped``: an emergency whose rule names it passes."""

    name: str
    gate: Gate
    codes: tuple[Code, ...]
    needs: str
    before: Before
    is_skipped: bool = False

    @property
    def question(self) -> str:
        """What the gate asks: the first line of its docstring."""
        return (self.gate.__doc__ or "").split("\n", maxsplit=1)[0]


_A, _Q, _O, _M = Before.ALONE, Before.ASKED, Before.OFFERED, Before.MERGED
_R = Before.ROLLED_BACK

TABLE: tuple[Row, ...] = (
    Row("downgrade", order.downgrade, (Code.DOWNGRADE,), "what stands there", _A | _Q | _O),
    Row("went-back", order.went_back, (Code.DOWNGRADE,), "the last move there", _A),
    Row(
        "digest",
        content.digest,
        (Code.DIGEST_UNKNOWN, Code.DIGEST_MOVED),
        "the first sighting",
        _A | _Q | _O | _M,
    ),
    Row("blocked", content.blocked, (Code.BLOCKED,), "blocks and rollbacks", _A | _Q | _O | _M),
    Row(
        "previous",
        before.previous,
        (Code.NOT_IN_PREVIOUS,),
        "moves in the environments before",
        _A | _O | _M,
        is_skipped=True,
    ),
    Row("known-before", sightings.known_before, (Code.KNOWN_BEFORE,), "the first sighting", _A | _O),
    Row("held", standing.held, (Code.HELD,), "holds", _A | _O | _M, is_skipped=True),
    Row("frozen", standing.frozen, (Code.FROZEN,), "freezes by people", _A | _O | _M, is_skipped=True),
    Row("expired", promised.expired, (Code.EXPIRED,), "the request", _M | _R),
    Row(
        "approvals",
        counting.approvals,
        (Code.NOT_REQUESTED, Code.APPROVALS_MISSING),
        "approvals",
        _O | _M | _R,
    ),
    Row("merge-within", promised.merge_within, (Code.WAITING_FOR_A_GO,), "the last approval", _M),
)


def gates(stand: Before) -> tuple[Gate, ...]:
    """Return the gates that stand before something, in the table's order."""
    return tuple(row.gate for row in TABLE if stand in row.before)


ALONE, ASKED, OFFERED, MERGED, ROLLED_BACK = (gates(one) for one in Before)


def ask(asked: tuple[Gate, ...], case: Case) -> tuple[Verdict, ...]:
    """Return each gate's verdict, in order."""
    return tuple(gate(case) for gate in asked)
