"""Whether what people merged at the forge was allowed at the moment at which they did it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from policies.allowed.asked import Asked, No, Refusal, judged_by
from policies.allowed.cases import cases_of, of_member
from policies.codes import Code
from policies.entries import stood
from policies.entries.membership import SKEW, is_fresh
from policies.entries.remembered import Span, Spot
from policies.gates import STILL, Case, ask
from policies.ledger.by_hand import BY_HAND, MergedBy, clears, is_for_people, merged_by
from policies.ledger.state import Promotion, State
from policies.rules.rules import EffectiveRule
from policies.verdict import not_yet


def cleared(asked: Asked, rule: EffectiveRule, promotion: Promotion) -> No:
    """Does an intent say that people merge it, exactly where the rule leaves that to them?"""
    if clears(asked.entry) != is_for_people(rule, promotion):
        who = "people merge" if is_for_people(rule, promotion) else "the bot merges"
        yield Refusal(Code.OUT_OF_LINE, f"{who} there, and the entry says otherwise")


def by_people(asked: Asked) -> No:
    """Did somebody merge it whom the forge names, after it was cleared, and with nothing in the way at that moment?"""
    promotion, evidence = asked.promotion, asked.entry.evidence
    if promotion is None:
        return
    if promotion.cleared is None:
        if BY_HAND in evidence:
            yield Refusal(Code.OUT_OF_LINE, "nobody cleared it for people to merge")
        return
    found = merged_by(evidence)
    if found is None or not is_fresh(found.looked, asked.entry.time):
        yield Refusal(
            Code.NOT_ATTESTED, "people merge there; expected who did and when, as looked up just then"
        )
        return
    yield from _in_time(asked, promotion.cleared, found)
    yield from _unhindered(asked, promotion, promotion.cleared, found.at)


def _in_time(asked: Asked, since: datetime, found: MergedBy) -> No:
    if not since - SKEW <= found.at <= asked.entry.time + SKEW:
        yield Refusal(
            Code.MERGED_EARLY,
            f"it was merged at {found.at:%Y-%m-%d %H:%M:%S}, and cleared at {since:%H:%M:%S}",
        )


def _unhindered(asked: Asked, promotion: Promotion, since: datetime, at: datetime) -> No:
    """Did nothing stand in the way that time or people put there since it was cleared? By the rule that cleared it."""
    rules, rule = asked.book.rules(promotion.rule.commit), judged_by(asked.book, promotion)
    cases = cases_of(asked, rule, promotion) if rule else ()
    if rules is None or not cases:
        yield Refusal(Code.NO_RULE, f"the rules at {promotion.rule.commit[:12]} do not cover it")
        return
    state = _as_of(asked.state, asked.state.stood if since >= stood.DECIDES else {}, at)
    for one in cases:
        case: Case = replace(one, rules=rules, at=at, state=state)
        for verdict in not_yet(ask(STILL, case)):
            yield Refusal(verdict.code, of_member(promotion.group, case, verdict.detail))


def _as_of(state: State, past: Mapping[Spot, tuple[Span, ...]], at: datetime) -> State:
    """Return a state with the holds, freezes, blocks and open exceptions of an instant (UTC), as far as they are known.

    ``past`` is when what was replaced or lifted since stood. Of what was lifted only freezes are known: what was held
    or blocked, and is free by now, stays free.
    """
    found = state.copy()
    frozen = {where: past.get((where, "", None), ()) for where in {*state.freezes, *state.unfrozen}}
    holds = {place: stood.as_of(one, past.get((*place, None), ()), at) for place, one in state.holds.items()}
    freezes = {where: stood.as_of(one, frozen[where], at) for where, one in state.freezes.items()}
    blocks = {place: stood.as_of(one, past.get(place, ()), at) for place, one in state.blocks.items()}
    ended = {where: stood.thawed(state.unfrozen.get(where), spans, at) for where, spans in frozen.items()}
    found.holds = {place: one for place, one in holds.items() if one}
    found.freezes = {where: one for where, one in freezes.items() if one}
    found.blocks = {place: one for place, one in blocks.items() if one}
    found.unfrozen = {where: end for where, end in ended.items() if end}
    found.open = {seq: one for seq, one in state.open.items() if one.at <= at}
    return found
