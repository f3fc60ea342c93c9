"""What the gates are asked about an entry: one case for each service that it moves; and whether one stops it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial

from policies.allowed.asked import Asked, No, Refusal
from policies.canonical import Json
from policies.codes import Code
from policies.entries.entry import Entry, Pinned, Share, shares
from policies.entries.facts import Fact, from_json
from policies.gates import Case, Gate, ask, notes
from policies.gates.case import nobody_knows
from policies.ledger.state import Place, Promotion
from policies.rules.rules import EffectiveRule, Rules
from policies.verdict import not_yet

GatesFor = Callable[[EffectiveRule], tuple[Gate, ...]]


def cases_of(asked: Asked, rule: EffectiveRule, promotion: Promotion | None = None) -> tuple[Case, ...]:
    """Return a case for each service that moves; none where the rule does not have one of them."""
    entry = asked.entry
    image = entry.image or (promotion.image if promotion else ())
    previous = entry.previous or (promotion.previous if promotion else ())
    members = entry.members or (promotion.members if promotion else ())
    ruled = {one.service.name: one for one in rule.moving([one.service for one in members])}
    moves = shares(rule.service.name, members, image, previous)
    return tuple(_case(asked, ruled[one.service], one, promotion) for one in moves if one.service in ruled)


def case_of(asked: Asked, rule: EffectiveRule) -> Case:
    """Return what the gates are asked about an entry of one service, under that service's rule."""
    entry = asked.entry
    return _case(asked, rule, Share(entry.service, entry.image, entry.previous), None)


def _case(asked: Asked, rule: EffectiveRule, share: Share, promotion: Promotion | None) -> Case:
    entry, service = asked.entry, share.service
    baseline: dict[Place, tuple[Pinned, ...]] = {
        (name, service): stood_at_first(asked, name, service)
        for name in (entry.environment, *rule.environment.after)
    }
    return Case(
        rules=asked.rules or Rules({}, {}),
        rule=rule,
        state=asked.state,
        image=share.image,
        current=share.previous,
        at=entry.time,
        baseline=baseline,
        promotion=promotion,
        facts=facts_of(entry, service),
        members=asked.members,
        authors=asked.authors,
        stood_since=partial(_stood_since, asked),
    )


def _stood_since(asked: Asked, place: Place) -> datetime | None:
    genesis, rules = asked.state.genesis, asked.rules
    return asked.book.since(genesis.commit, rules, *place) if genesis and rules else None


def stood_at_first(asked: Asked, environment: str, service: str) -> tuple[Pinned, ...]:
    """Return what stood in a place at genesis."""
    genesis, rules = asked.state.genesis, asked.rules
    if genesis is None or rules is None:
        return ()
    return asked.book.baseline(genesis.commit, rules, environment, service)


def facts_of(entry: Entry, service: str) -> tuple[Fact, ...]:
    """Return what an entry says was looked up outside about one service that it moves."""
    return from_json(_of(entry.evidence.get("facts", []), entry, service))


def _of(told: Json, entry: Entry, service: str) -> Json:
    """Return what is told of one service: of a group, by member."""
    if not entry.group:
        return told
    return told.get(service, []) if isinstance(told, Mapping) else []


def stopped(
    asked: Asked, gates: GatesFor, promotion: Promotion | None = None, *, is_offer: bool = False
) -> No:
    """Yield what stands in the way of any service that moves; ``is_offer``: before people are asked."""
    rule = asked.rule
    cases = cases_of(asked, rule, promotion) if rule else ()
    if not cases:
        yield Refusal(Code.NOT_WHOLE, "the rule has no such services")
    for case in cases:
        for verdict in not_yet(ask(gates(case.rule), replace(case, is_offer=is_offer))):
            yield Refusal(verdict.code, of_member(asked.entry.group, case, verdict.detail))


def noted_rightly(
    asked: Asked, rule: EffectiveRule, gates: GatesFor, promotion: Promotion | None = None
) -> No:
    """Is what it says of the gates, where it says something, what they say?"""
    said = asked.entry.evidence.get("gates")
    if said is None:
        return
    cases = cases_of(asked, rule, promotion)
    before = tuple(
        replace(case, stood_since=nobody_knows) for case in cases
    )  # as it was counted: from genesis
    if all(said != _noted(asked.entry, one, gates) for one in (cases, before)):
        yield Refusal(Code.OUT_OF_LINE, "what it says of the gates is not so")


def _noted(entry: Entry, cases: tuple[Case, ...], gates: GatesFor) -> Json:
    """Return what there is to note: of a group by member."""
    told: dict[str, Json] = {case.service: {**notes(case, gates(case.rule))} for case in cases}
    return {name: one for name, one in told.items() if one} if entry.group else told.get(entry.service, {})


def of_member(group: str, case: Case, detail: str) -> str:
    """Say of whom it is said, where several move as one."""
    return f"{case.service}: {detail}" if group else detail
