"""Whether an emergency may be asked for, and whether what waits for a review may be closed."""

from policies.allowed.asked import Asked, No, Refusal
from policies.allowed.cases import stopped
from policies.allowed.humans import is_same_human, with_accounts
from policies.allowed.moves import bound, carried_by, covered, identified
from policies.allowed.speakers import noted
from policies.codes import Code
from policies.entries.authors import MOVERS, Authors
from policies.entries.entry import By, Kind, write_time
from policies.gates import ASKED, at_once
from policies.ledger.emergency import due
from policies.ledger.hands import is_among
from policies.ledger.state import Open, Promotion, spoke_in
from policies.ledger.tally import may_approve, may_fill

_APART = frozenset({Kind.EMERGENCY, Kind.ROLLBACK})


def emergency(asked: Asked) -> No:
    """May this person move this there now, past nothing but what the rule says may be skipped?"""
    yield from noted(asked)
    yield from bound(asked)
    yield from covered(asked)
    yield from identified(asked)
    entry, rule = asked.entry, asked.rule
    if rule is None or asked.rules is None or not isinstance(entry.by, By):
        return
    apart = rule.environment.emergency
    if rule.parts:
        yield Refusal(Code.NO_EMERGENCY, "a group knows no emergency")
        return
    if apart is None:
        yield Refusal(Code.NO_EMERGENCY, f"{entry.environment} knows no emergency")
        return
    if not may_fill(asked.rules, rule.service, apart.approvals, entry.by.person, asked.members):
        yield Refusal(Code.NOT_AN_APPROVER, f"the rule does not let {entry.by.person} call an emergency")
    if entry.until != write_time(due(apart, entry.time)):
        yield Refusal(Code.OUT_OF_LINE, f"its review is due {write_time(due(apart, entry.time))}")
    yield from carried_by(asked, rule, apart)
    gates = at_once(apart) if entry.commit else ASKED
    yield from stopped(asked, lambda _rule: gates)


def review(asked: Asked) -> No:
    """Is it open, is it over, and does somebody close it who had no part?"""
    yield from noted(asked)
    opened = asked.state.open.get(asked.entry.closes)
    by = asked.entry.by
    if opened is None:
        yield Refusal(Code.NOT_STANDING, f"nothing that waits for a review is #{asked.entry.closes}")
        return
    promotion = asked.state.promotions.get(opened.promotion)
    if (
        promotion and promotion.is_live and opened.kind in _APART
    ):  # what others opened is over when it is opened
        yield Refusal(Code.NOT_OVER, f"{promotion.id} is {promotion.stage}")
    if not isinstance(by, By):
        return
    if by.person in opened.people or (promotion and _spoke(asked, opened, promotion, by)):
        yield Refusal(Code.REQUESTER, f"{by.person} had a part in it")
    if _moved(asked, opened, by):
        yield Refusal(Code.MOVER, f"it came by the hands of {by.person}")
    if opened.kind is Kind.CONFIG and not _approves(asked, opened, by):
        yield Refusal(Code.NOT_AN_APPROVER, f"{by.person} may not approve in {opened.environment}")


def _spoke(asked: Asked, opened: Open, promotion: Promotion, by: By) -> bool:
    """Whether who speaks asked for it or approved it, whatever their name was then."""
    under = promotion.rule.commit
    return any(is_same_human(asked, one, by, under=under, since=opened.at) for one in spoke_in(promotion))


def _moved(asked: Asked, opened: Open, by: By) -> bool:
    """Whether it came by their hands: as attested when it was found, and as asked again for the review."""
    told = (opened.movers, Authors.attested(asked.entry.evidence, MOVERS))
    who = with_accounts(asked, by)
    return any(is_among(one, who, opened.at) for one in told)


def _approves(asked: Asked, opened: Open, by: By) -> bool:
    """Whether a person may approve there: what guards files asks for who guards moves."""
    return asked.rules is not None and may_approve(
        asked.rules, opened.environment, "", by.person, asked.members
    )
