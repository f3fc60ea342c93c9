"""How long a request and its approvals are good for."""

from policies.codes import Code
from policies.gates.case import Case
from policies.verdict import PASSED, Failed, Verdict, Waiting


def merge_within(case: Case) -> Verdict:
    """Is the last approval fresh enough to merge by itself (``merge-within``)?"""
    if case.promotion and case.promotion.approvals and not case.promotion.is_rollback:
        last = max(approval.at for approval in case.promotion.approvals)
        if case.at > last + case.rule.environment.merge_within:
            return Waiting(Code.WAITING_FOR_A_GO, "the last approval is too old")
    return PASSED


def expired(case: Case) -> Verdict:
    """Is the request still young enough (``expire``)? It counts from the request, or from when it was voided last."""
    if case.promotion:
        since = case.promotion.refreshed or case.promotion.opened
        if case.at > since + case.rule.environment.expire:
            return Failed(Code.EXPIRED, "the request is too old")
    return PASSED
