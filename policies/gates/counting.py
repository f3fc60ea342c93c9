"""The approvals of a promotion: which lines judge it, who is excluded, who fills what."""

from dataclasses import replace

from policies.codes import Code
from policies.entries.authors import Authors
from policies.entries.entry import By
from policies.entries.membership import NOBODY, Members
from policies.gates.case import Case
from policies.ledger.hands import is_among
from policies.ledger.people import is_one
from policies.ledger.state import Promotion
from policies.ledger.tally import Tally, may_fill, tally
from policies.rules.rules import AUTHORS, REQUESTER, EffectiveRule, Evidence, Line, Rules
from policies.verdict import PASSED, Verdict, Waiting

_NOBODY_CAN = Tally(((Line(1), ()),))


def approvals(case: Case) -> Verdict:
    """Is every line of the rule filled, by different people who are not excluded?"""
    if case.promotion is None:
        return Waiting(Code.NOT_REQUESTED, "nobody has asked for it")
    count = count_of(case.rules, case.rule, case.promotion, case.members, case.authors)
    if not count.is_complete:
        if unknown := not_looked_up(case.rules, case.rule, count, case.members):
            return Waiting(Code.MEMBERS_UNKNOWN, ", ".join(unknown))
        return Waiting(Code.APPROVALS_MISSING, f"{count.given} of {count.wanted} approvals")
    if asks_for_a_review(case.rule, case.promotion) and not has_review(case.promotion, count):
        return Waiting(Code.REVIEW_MISSING, "one of the approvals has to be a review in GitHub")
    return PASSED


def not_looked_up(rules: Rules, rule: EffectiveRule, count: Tally, members: Members) -> tuple[str, ...]:
    """Return the teams of unfilled lines that could not be looked up, with where they live."""
    teams = [team for line in count.missing for team in rules.outside(line.of, rule.service)]
    return tuple(dict.fromkeys(f"{team.name} ({team.source})" for team in teams if team.name not in members))


def asks_for_a_review(rule: EffectiveRule, promotion: Promotion) -> bool:
    """Whether a press alone is not enough evidence; a way back, or an emergency, asks nobody for more."""
    return rule.environment.evidence is not Evidence.SLACK and not promotion.is_apart


def counts_presses(rule: EffectiveRule, promotion: Promotion) -> bool:
    """Whether an approval that was given in Slack counts at all."""
    return rule.environment.evidence is not Evidence.REVIEW or promotion.is_apart


def has_review(promotion: Promotion, count: Tally) -> bool:
    """Whether somebody who fills a line did it by a review."""
    counted = {person for _, people in count.lines for person in people}
    return any(one.review for one in promotion.approvals if one.by.person in counted)


def lines_of(rule: EffectiveRule, promotion: Promotion) -> tuple[Line, ...]:
    """Return the approval lines that judge this promotion: a rollback and an emergency have their own."""
    if promotion.is_rollback:
        return rule.environment.rollback.approvals
    apart = rule.environment.emergency if promotion.is_emergency else None
    return apart.approvals if apart else rule.environment.approvals


def is_excluded(rule: EffectiveRule, promotion: Promotion, by: By, authors: Authors | None = None) -> bool:
    """Whether the rule bars this person: who asked, who wrote the code; nobody from a rollback or an emergency.

    ``authors``: beside those that the request attests.
    """
    return excluded_because(rule, promotion, by, authors) is not None


def excluded_because(
    rule: EffectiveRule, promotion: Promotion, by: By, authors: Authors | None = None
) -> Code | None:
    """Return why the rule bars a person, nothing where it does not; who asked or wrote is barred under every name."""
    if promotion.is_apart:
        return None
    exclude = rule.environment.exclude
    if REQUESTER in exclude and isinstance(promotion.by, By) and is_one(promotion.by, by, promotion.opened):
        return Code.REQUESTER
    wrote = any(is_among(one, by, promotion.opened) for one in (promotion.authors, authors))
    return Code.AUTHOR if AUTHORS in exclude and wrote else None


def _with_login(rules: Rules, by: By) -> By:
    """Return who approved with the login that the rules give them, where their word named none."""
    person = rules.people.get(by.person)
    return replace(by, forge_login=by.forge_login or (person.github if person else ""))


def count_approvals(
    rules: Rules,
    rule: EffectiveRule,
    promotion: Promotion,
    members: Members = NOBODY,
    authors: Authors | None = None,
) -> Tally:
    """Return who fills which line of the rule for this promotion, as the rules stand.

    ``members``: of teams that live elsewhere, as they were looked up. Of a group the lines of every member that moves
    have to be filled; one person fills one of each.
    """
    counted = counts(rules, rule, promotion, members, authors)
    return Tally(tuple(line for _, one in counted for line in one.lines))


def counts(
    rules: Rules,
    rule: EffectiveRule,
    promotion: Promotion,
    members: Members = NOBODY,
    authors: Authors | None = None,
) -> tuple[tuple[tuple[str, ...], Tally], ...]:
    """Return who fills which line, with the services whose lines they are.

    Members that ask the same of the same people stand together. Where the rule does not have them, nobody fills a line.
    """
    found: list[tuple[tuple[str, ...], Tally]] = []
    known: list[tuple[Tally, list[frozenset[str]]]] = []
    for part in rule.moving([one.service for one in promotion.members]):
        count = count_of(rules, part, promotion, members, authors)
        asked = (count, [rules.members(line.of, part.service, members) for line, _ in count.lines])
        if asked in known:
            names, _ = found[known.index(asked)]
            found[known.index(asked)] = ((*names, part.service.name), count)
        else:
            known.append(asked)
            found.append(((part.service.name,), count))
    return tuple(found) or ((("",), _NOBODY_CAN),)


def count_of(
    rules: Rules,
    rule: EffectiveRule,
    promotion: Promotion,
    members: Members = NOBODY,
    authors: Authors | None = None,
) -> Tally:
    """Return who fills which line of one service's rule; who has two names fills them once."""
    lines = lines_of(rule, promotion)
    given = [one.by for one in promotion.approvals if one.review or counts_presses(rule, promotion)]
    counted: list[By] = []
    for by in given:
        is_again = any(is_one(earlier, by, promotion.opened) for earlier in counted)
        if is_again or is_excluded(rule, promotion, _with_login(rules, by), authors):
            continue
        if may_fill(rules, rule.service, lines, by.person, members):
            counted.append(by)
    return tally(rules, rule.service, lines, [by.person for by in counted], members)


def skips(rule: EffectiveRule, promotion: Promotion, gate: str) -> bool:
    """Whether this is an emergency whose rule names that gate: of a group that of each member that moves."""
    parts = rule.moving([one.service for one in promotion.members]) or (rule,)
    named = [part.environment.emergency.skips for part in parts if part.environment.emergency]
    return promotion.is_emergency and len(named) == len(parts) and all(gate in one for one in named)
