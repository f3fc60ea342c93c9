"""The table of gates: each with its name, its codes, what it needs, what it stands before, and who may skip it."""

from dataclasses import dataclass
from enum import Flag, auto

from policies.codes import Code
from policies.gates import before, content, counting, order, outside, promised, sightings, standing, waits
from policies.gates.case import Case, Gate
from policies.ledger.state import Promotion
from policies.rules.rules import Apart, EffectiveRule
from policies.verdict import NotYet, Verdict, not_yet


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
    """One gate. ``needs``: what it looks at, for people; ``skip``: the word in ``skips`` that passes it ('' = none)."""

    name: str
    gate: Gate
    codes: tuple[Code, ...]
    needs: str
    before: Before
    skip: str = ""

    @property
    def question(self) -> str:
        """What the gate asks: the first line of its docstring."""
        return (self.gate.__doc__ or "").split("\n", maxsplit=1)[0]


_A, _Q, _O, _M, _R = Before
_WAY_ON = _A | _O | _M

TABLE: tuple[Row, ...] = (
    Row("downgrade", order.downgrade, (Code.DOWNGRADE,), "what stands there", _A | _Q | _O),
    Row("went-back", order.went_back, (Code.DOWNGRADE,), "the last move there", _A),
    Row(
        "digest", content.digest, (Code.DIGEST_UNKNOWN, Code.DIGEST_MOVED), "the first sighting", _WAY_ON | _Q
    ),
    Row("jump", content.jump, (Code.MAJOR_JUMP,), "what stands there", _A),
    Row("blocked", content.blocked, (Code.BLOCKED,), "blocks and rollbacks", _WAY_ON | _Q),
    Row("previous", before.previous, (Code.NOT_IN_PREVIOUS,), "moves before", _WAY_ON, skip="previous"),
    Row("takes", before.takes, (Code.NOT_THERE_NOW,), "moves before", _WAY_ON, skip="previous"),
    Row(
        "health",
        before.healthy,
        (Code.NOT_HEALTHY, Code.UNHEALTHY),
        "health before",
        _WAY_ON,
        skip="health",
    ),
    Row("soak", waits.soak, (Code.SOAKING,), "health or moves before", _WAY_ON, skip="soak"),
    Row("age", waits.age, (Code.TOO_YOUNG, Code.AGE_UNKNOWN), "the first sighting", _WAY_ON, skip="age"),
    Row("known-before", sightings.known_before, (Code.KNOWN_BEFORE,), "the first sighting", _A | _O),
    Row("hold", standing.held, (Code.HELD,), "holds", _WAY_ON, skip="hold"),
    Row(
        "freeze",
        standing.frozen,
        (Code.FROZEN, Code.REVIEW_OVERDUE),
        "freezes by people",
        _WAY_ON,
        skip="freeze",
    ),
    Row("config", standing.reviewed, (Code.CONFIG_UNREVIEWED,), "changes of files", _WAY_ON, skip="config"),
    Row("window", waits.freeze, (Code.FREEZE_WINDOW,), "the rules' windows", _WAY_ON, skip="freeze"),
    Row("limit", waits.limit, (Code.LIMIT_REACHED,), "moves there", _WAY_ON, skip="limit"),
    Row(
        "checks",
        outside.checks,
        (Code.GATE_UNKNOWN, Code.CHECKS_PENDING, Code.CHECKS_FAILED),
        "the forge",
        _WAY_ON,
        skip="checks",
    ),
    Row(
        "http",
        outside.http,
        (Code.GATE_UNKNOWN, Code.CONDITION_NOT_MET),
        "an address",
        _WAY_ON,
        skip="http",
    ),
    Row(
        "prometheus",
        outside.prometheus,
        (Code.GATE_UNKNOWN, Code.CONDITION_NOT_MET),
        "Prometheus",
        _WAY_ON,
        skip="prometheus",
    ),
    Row(
        "signature",
        outside.signature,
        (
            Code.GATE_UNKNOWN,
            Code.SIGNATURE_MISSING,
            Code.SIGNATURE_INVALID,
            Code.TRUST_ROOT_MISSING,
            Code.SIGSTORE_MISSING,
        ),
        "the registry",
        _WAY_ON,
    ),
    Row(
        "labels",
        outside.labels,
        (Code.GATE_UNKNOWN, Code.LABEL_DIFFERS),
        "the registry",
        _WAY_ON,
        skip="labels",
    ),
    Row(
        "platforms",
        outside.platforms,
        (Code.GATE_UNKNOWN, Code.PLATFORM_MISSING),
        "the registry",
        _WAY_ON,
    ),
    Row("expired", promised.expired, (Code.EXPIRED,), "the request", _M | _R),
    Row(
        "approvals",
        counting.approvals,
        (Code.NOT_REQUESTED, Code.MEMBERS_UNKNOWN, Code.APPROVALS_MISSING, Code.REVIEW_MISSING),
        "approvals",
        _O | _M | _R,
    ),
    Row(
        "merge-within",
        promised.merge_within,
        (Code.WAITING_FOR_A_GO,),
        "the last approval",
        _M,
        skip="freeze",
    ),
)
SKIPPABLE = tuple(dict.fromkeys(row.skip for row in TABLE if row.skip))


def gates(stand: Before) -> tuple[Gate, ...]:
    """Return the gates that stand before something, in the table's order."""
    return tuple(row.gate for row in TABLE if stand in row.before)


ALONE, ASKED, OFFERED, MERGED, ROLLED_BACK = (gates(one) for one in Before)
OPENED = tuple(gate for gate in OFFERED if gate is not counting.approvals)  # before the bot asks by itself
OPENED_BY_LEDGER = tuple(
    gate for gate in OPENED if gate not in outside.GATES
)  # the same, where nobody looked outside
OUTSIDE_CODES = frozenset(code for row in TABLE if row.gate in outside.GATES for code in row.codes)


# what people, or a window of the rules, may put in the way of a merge after its intent
STOPS: tuple[Gate, ...] = (
    content.blocked,
    standing.held,
    standing.frozen,
    standing.reviewed,
    waits.freeze,
)
# the same of what was cleared for people, until somebody makes it: that may take long
STILL: tuple[Gate, ...] = (*STOPS, promised.expired, promised.merge_within)


def before_merge(rule: EffectiveRule, promotion: Promotion) -> tuple[Gate, ...]:
    """Return the gates that stand before the merge of a promotion.

    A rollback passes all that can be skipped, or what its rule names; an emergency only what its rule names.
    """
    where = rule.environment
    if promotion.is_rollback:
        kept = set(SKIPPABLE) - set(where.rollback.skips) if where.rollback.skips else set()
        return tuple(row.gate for row in TABLE if Before.ROLLED_BACK in row.before or row.skip in kept)
    skipped = where.emergency.skips if promotion.is_emergency and where.emergency else ()
    return tuple(row.gate for row in TABLE if Before.MERGED in row.before and row.skip not in skipped)


def at_once(emergency: Apart) -> tuple[Gate, ...]:
    """Return the gates that stand before an emergency where nobody is asked: those of a move alone, if not skipped."""
    kept = [row for row in TABLE if Before.ALONE in row.before and row.skip not in emergency.skips]
    return tuple(row.gate for row in kept if row.gate not in _ANSWERED)


def skipped_codes(rule: EffectiveRule) -> frozenset[Code]:
    """Return the codes of what an emergency passes under a rule; none where it knows no emergency."""
    apart = rule.environment.emergency
    named = apart.skips if apart else ()
    return frozenset(code for row in TABLE if row.skip in named for code in row.codes)


# what a person answers by naming a version
_ANSWERED: frozenset[Gate] = frozenset({content.jump, sightings.known_before})


def ask(asked: tuple[Gate, ...], case: Case) -> tuple[Verdict, ...]:
    """Return each gate's verdict, in order."""
    return tuple(gate(case) for gate in asked)


def before_offer(case: Case) -> tuple[NotYet, ...]:
    """Return what stands before an offer.

    Outside is asked last: while another gate waits, what nobody has looked up yet is no reason beside it.
    """
    reasons = not_yet(ask(OFFERED, case))
    if all(one.code in OUTSIDE_CODES | {Code.NOT_REQUESTED} for one in reasons):
        return reasons
    return tuple(one for one in reasons if one.code is not Code.GATE_UNKNOWN)
