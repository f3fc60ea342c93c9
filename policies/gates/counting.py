"""The approvals of a promotion: which lines judge it, who is excluded, who fills what."""

from policies.codes import Code
from policies.entry import By
from policies.gates.case import Case
from policies.rules import REQUESTER, EffectiveRule, Line, Rules
from policies.state import Promotion
from policies.tally import Tally, tally
from policies.verdict import PASSED, Verdict, Waiting


def approvals(case: Case) -> Verdict:
    """Is every line of the rule filled, by different people who are not excluded?"""
    if case.promotion is None:
        return Waiting(Code.NOT_REQUESTED, "nobody has asked for it")
    count = count_approvals(case.rules, case.rule, case.promotion)
    if count.is_complete:
        return PASSED
    return Waiting(Code.APPROVALS_MISSING, f"{count.given} of {count.wanted} approvals")


def lines_of(rule: EffectiveRule, promotion: Promotion) -> tuple[Line, ...]:
    """Return the approval lines that judge this promotion: a rollback has its own."""
    return rule.environment.rollback.approvals if promotion.is_rollback else rule.environment.approvals


def is_excluded(rule: EffectiveRule, promotion: Promotion, person: str) -> bool:
    """Whether the rule bars this person: the requester, but not from a rollback."""
    asked = isinstance(promotion.by, By) and promotion.by.person == person
    return asked and REQUESTER in rule.environment.exclude and not promotion.is_rollback


def count_approvals(rules: Rules, rule: EffectiveRule, promotion: Promotion) -> Tally:
    """Return who fills which line of the rule for this promotion, as the rules stand."""
    people = [one.by.person for one in promotion.approvals if one.by.person in rules.people]
    counted = [person for person in people if not is_excluded(rule, promotion, person)]
    return tally(rules, rule.service, lines_of(rule, promotion), counted)
