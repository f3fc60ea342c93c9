"""Whether an emergency may be asked for, and whether what waits for a review may be closed."""

from policies.allowed.asked import Asked, No, Refusal
from policies.allowed.cases import stopped
from policies.allowed.groups import everybody
from policies.allowed.humans import is_same_human, with_accounts
from policies.allowed.moves import bound, carried_by, covered, identified, observed
from policies.allowed.speakers import noted
from policies.codes import Code
from policies.entries.authors import MOVERS, Authors
from policies.entries.entry import By, Kind, write_time
from policies.gates import ASKED, Gate, at_once
from policies.ledger.emergency import due
from policies.ledger.hands import is_among, told_anew
from policies.ledger.state import Open, Promotion, spoke_in
from policies.ledger.tally import may_approve, may_fill
from policies.rules.rules import EffectiveRule


def emergency(asked: Asked) -> No:
    """May this person move this there now, past nothing but what the rule says may be skipped?"""
    yield from noted(asked)
    yield from bound(asked)
    yield from covered(asked)
    yield from identified(asked)
    yield from observed(asked)
    entry, rule = asked.entry, asked.rule
    if rule is None or asked.rules is None or not isinstance(entry.by, By):
        return
    judged = [(part, part.environment.emergency) for part in asked.parts]
    ruled = [(part, apart) for part, apart in judged if apart is not None]
    for part, apart in judged:
        if apart is None:
            whose = f" for {part.service.name}" if rule.parts else ""
            yield Refusal(Code.NO_EMERGENCY, f"{entry.environment} knows no emergency{whose}")
    if not ruled or len(ruled) < len(judged):
        return
    person = entry.by.person
    may = [
        may_fill(asked.rules, part.service, apart.approvals, person, asked.members) for part, apart in ruled
    ]
    if not (any(may) if entry.head else all(may)):  # at once one person answers for every member
        yield Refusal(Code.NOT_AN_APPROVER, f"the rule does not let {person} call an emergency")
    until = write_time(min(due(apart, entry.time) for _, apart in ruled))
    if entry.until != until:
        yield Refusal(Code.OUT_OF_LINE, f"its review is due {until}")
    for part, apart in ruled:
        yield from carried_by(asked, part, apart)
    if rule.parts:
        yield from everybody(asked)
    yield from stopped(asked, _urgent if entry.commit else _as_asked)


def _urgent(rule: EffectiveRule) -> tuple[Gate, ...]:
    """Return what stands before it where it moves at once: of each service all that its own rule does not skip."""
    apart = rule.environment.emergency
    return at_once(apart) if apart else ASKED


def _as_asked(_rule: EffectiveRule) -> tuple[Gate, ...]:
    return ASKED


def review(asked: Asked) -> No:
    """Is it open, is it over, and does somebody close it who had no part?"""
    yield from noted(asked)
    opened = asked.state.open.get(asked.entry.closes)
    by = asked.entry.by
    if opened is None:
        yield Refusal(Code.NOT_STANDING, f"nothing that waits for a review is #{asked.entry.closes}")
        return
    promotion = asked.state.promotions.get(opened.promotion)
    if promotion and promotion.is_live:
        yield Refusal(Code.NOT_OVER, f"{promotion.id} is {promotion.stage}")
    if not isinstance(by, By):
        return
    if by.person in opened.people or (promotion and _spoke(asked, opened, promotion, by)):
        yield Refusal(Code.REQUESTER, f"{by.person} had a part in it")
    if how := _moved(asked, opened, by):
        yield Refusal(Code.MOVER, f"it {how} by the hands of {by.person}")
    if opened.kind is Kind.CONFIG and not _approves(asked, opened, by):
        yield Refusal(Code.NOT_AN_APPROVER, f"{by.person} may not approve in {opened.environment}")


def _spoke(asked: Asked, opened: Open, promotion: Promotion, by: By) -> bool:
    """Whether who speaks asked for it or approved it, whatever their name was then."""
    under = promotion.rule.commit
    return any(is_same_human(asked, one, by, under=under, since=opened.at) for one in spoke_in(promotion))


def _moved(asked: Asked, opened: Open, by: By) -> str:
    """Say that it came by their hands, or may have: by what was told when it was found, and for the review; '' = no."""
    now = Authors.attested(asked.entry.evidence, MOVERS) or Authors()
    told = (opened.movers, told_anew(opened.movers, now, opened.at))
    who = with_accounts(asked, by)
    found = [one for one in told if is_among(one, who, opened.at)]
    if not found:
        return ""
    return "may have come" if all(one and one.is_doubtful for one in found) else "came"


def _approves(asked: Asked, opened: Open, by: By) -> bool:
    """Whether a person may approve there: what guards files asks for who guards moves."""
    return asked.rules is not None and may_approve(
        asked.rules, opened.environment, opened.service, by.person, asked.members
    )
