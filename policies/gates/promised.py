"""How long a request and its approvals are good for."""

from datetime import datetime

from policies.codes import Code
from policies.gates.case import Case
from policies.gates.standing import frozen
from policies.gates.waits import freeze
from policies.ledger.emergency import REMINDED_AT
from policies.ledger.state import Promotion
from policies.rules.rules import EffectiveRule
from policies.times.calendar import Calendar, working_time
from policies.times.windows import touched
from policies.verdict import PASSED, Failed, Verdict, Waiting


def merge_within(case: Case) -> Verdict:
    """May it still merge by itself: is the last approval fresh (``merge-within``), and was nothing frozen since?

    While it is frozen that alone is said: a go would be too early.
    """
    if not case.promotion or not case.promotion.approvals or case.promotion.is_rollback:
        return PASSED
    last = max(approval.at for approval in case.promotion.approvals)
    if case.at > last + case.rule.environment.merge_within:
        return Waiting(Code.WAITING_FOR_A_GO, "the last approval is too old")
    if was_frozen(case, last) and frozen(case) == freeze(case) == PASSED:
        return Waiting(Code.WAITING_FOR_A_GO, "it was frozen after the last approval")
    return PASSED


def was_frozen(case: Case, since: datetime) -> bool:
    """Whether the environment was frozen at some moment since then (UTC), by somebody or by a window of the rules."""
    where, state = case.rule.environment, case.state
    standing, thawed = state.freezes.get(where.name), state.unfrozen.get(where.name)
    if (standing and standing.outlasts(since)) or (thawed and thawed > since):
        return True
    zone = where.zone or case.rules.calendar.zone
    return touched(where.freeze, case.rules.calendar, zone, since, case.at)


def expired(case: Case) -> Verdict:
    """Is the request still young enough (``expire``, in working time)?"""
    if case.promotion and is_expired(case.rules.calendar, case.rule, case.promotion, case.at):
        return Failed(Code.EXPIRED, "the request is too old")
    return PASSED


def expires(calendar: Calendar, rule: EffectiveRule, promotion: Promotion) -> datetime:
    """Return when a request is over (UTC): it counts from the request, or from when it was voided last."""
    return working_time(calendar, promotion.refreshed or promotion.opened, rule.environment.expire)


def reminds(calendar: Calendar, rule: EffectiveRule, promotion: Promotion) -> datetime:
    """Return when people are reminded of a request (UTC): when half of its time is over, in working time too."""
    return working_time(
        calendar, promotion.refreshed or promotion.opened, rule.environment.expire / REMINDED_AT
    )


def is_expired(calendar: Calendar, rule: EffectiveRule, promotion: Promotion, at: datetime) -> bool:
    """Whether a request is over at that time (UTC). Working time is no shorter than time, so most need no calendar."""
    since = promotion.refreshed or promotion.opened
    return at > since + rule.environment.expire and at > expires(calendar, rule, promotion)
