"""What happens next to a version that waits: what ends by itself and when, who has to do what, who merges it."""

from collections.abc import Sequence
from datetime import datetime

from handlers.engine import Look
from handlers.slack.reasons import happens, phrase
from policies.codes import Code
from policies.decide import Candidate, Standing
from policies.gates.counting import count_approvals
from policies.ledger.rollout import asks
from policies.ledger.state import Promotion
from policies.rows import ANSWERED_BY_PEOPLE
from policies.rules.rules import OWNERS, EffectiveRule, Line, Merges, effective, moving_rule
from policies.verdict import NotYet

_THEN: dict[str, str] = {
    Code.REVIEW_MISSING: "somebody approves it by a review in GitHub",
    Code.WAITING_FOR_A_GO: "an approver gives it anew",
    Code.NOT_IN_PREVIOUS: "it runs in the environment before",
    Code.NOT_THERE_NOW: "it runs in the environment before again",
    Code.NOT_HEALTHY: "it is reported healthy in the environment before",
    Code.UNHEALTHY: "it is reported healthy in the environment before",
    Code.HELD: "somebody resumes the service",
    Code.FROZEN: "somebody lifts the freeze",
    Code.OPEN_ELSEWHERE: "the promotion that is open there ends",
    Code.CHECKS_PENDING: "the checks succeed",
    Code.FORGE_REVIEW: "the reviews are given that the forge asks for",
    Code.CONFIG_UNREVIEWED: "somebody reviews the changed files",
    Code.REVIEW_OVERDUE: "somebody gives the overdue review",
}
# where a move is asked for, and where it is not
_KNOWN_BEFORE = {
    True: "somebody asks for it, or `catch-up` takes it along",
    False: "a newer version comes, or `catch-up` takes it along",
}
_MERGES_BY_HAND = "somebody merges it at the forge"


def next_of(look: Look, environment: str, service: str, candidate: Candidate, at: datetime) -> str:
    """Return what happens next, step by step; '' where it does not wait. ``at`` is the time of the decision (UTC)."""
    is_group = service in look.rules.groups
    rule = (moving_rule if is_group else effective)(look.rules, environment, service)
    if candidate.verdict is not Standing.WAITING or rule is None:
        return ""
    live = look.state.promotions.get(candidate.promotion)
    unasked = any(one.code is Code.NOT_REQUESTED for one in candidate.reasons)
    answered = (
        {Code.MERGING, Code.KNOWN_BEFORE} if unasked else {Code.MERGING}
    )  # a request moves what was there
    others = [one for one in candidate.reasons if one.code not in ANSWERED_BY_PEOPLE | answered]
    steps = [_step(one, at, has_promotions=rule.environment.has_promotions) for one in others]
    steps += _of_people(look, rule, live, candidate)
    if not unasked:
        steps += _last(rule, live, others)
    return ", then ".join(dict.fromkeys(steps))


def _step(reason: NotYet, at: datetime, *, has_promotions: bool) -> str:
    if reason.code is Code.BY_HAND:
        return _MERGES_BY_HAND
    if reason.code is Code.KNOWN_BEFORE:
        return _KNOWN_BEFORE[has_promotions]
    unsaid = f"a later pass finds that this is over: {phrase(reason.code.value)}"
    return happens(reason, at) or _THEN.get(reason.code, unsaid)


def _of_people(look: Look, rule: EffectiveRule, live: Promotion | None, candidate: Candidate) -> list[str]:
    """Return what people have to do, in the order in which they can."""
    codes = {one.code for one in candidate.reasons}
    steps: list[str] = []
    if Code.NOT_REQUESTED in codes:
        by_itself = asks(rule.environment) and Code.KNOWN_BEFORE not in codes
        asked = "Countersign asks for it" if by_itself else "somebody asks for it"
        steps += [asked, *_approvals(_lines(rule, candidate))]
    if Code.APPROVALS_MISSING in codes and live:
        count = count_approvals(look.rules, rule, live, look.members)
        steps += _approvals(count.missing)
    return [*steps, *(_THEN[one] for one in (Code.REVIEW_MISSING, Code.WAITING_FOR_A_GO) if one in codes)]


def _lines(rule: EffectiveRule, candidate: Candidate) -> list[Line]:
    """Return the lines that have to be filled: of a group those of each member that would move, the same ones once."""
    asked: dict[tuple[Line, str], Line] = {}
    for part in rule.moving([one.service for one in candidate.members]):
        for one in part.environment.approvals:
            asked.setdefault((one, part.service.owner if OWNERS in one.of else ""), one)
    return list(asked.values())


def _approvals(lines: Sequence[Line]) -> list[str]:
    count = sum(line.count for line in lines)
    named = ", ".join(map(str, lines)) if any(line.of for line in lines) else ""
    noun = f"{count} approval{'' if count == 1 else 's'}"
    return [f"{noun}: {named}" if named else noun] if count else []


def _last(rule: EffectiveRule, live: Promotion | None, others: Sequence[NotYet]) -> list[str]:
    """Return who brings it in."""
    stays = set() if rule.environment.has_promotions else {Code.KNOWN_BEFORE}
    if any(one.code in {Code.BY_HAND, *stays} for one in others):
        return []
    if live is None:
        return ["moves by itself"]
    by_hand = rule.environment.merges is Merges.BY_HAND and not live.is_apart
    return [_MERGES_BY_HAND if by_hand else "merges by itself"]
