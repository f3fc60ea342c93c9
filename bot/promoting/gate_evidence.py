"""What an entry has to say of the gates that it passed: how long it soaked, and what was looked up outside."""

from bot.looking.survey import Survey
from policies.canonical import Json
from policies.entries.entry import Member, Pinned, parse_time, shares, write_time
from policies.entries.facts import to_json
from policies.gates import ALONE, Case, before_merge, notes
from policies.ledger.state import Promotion
from policies.rules.rules import EffectiveRule


def gate_evidence(
    look: Survey,
    rule: EffectiveRule,
    image: tuple[Pinned, ...],
    promotion: Promotion | None = None,
    members: tuple[Member, ...] = (),
) -> dict[str, Json]:
    """Return evidence for a move by the bot alone, or for the merge of a promotion; the validator holds it to it.

    Of a group it stands by member: those of the promotion, or ``members``.
    """
    members = promotion.members if promotion else members
    if not members:
        return _of_one(look, rule, image, promotion)
    found: dict[str, dict[str, Json]] = {}
    moves = shares(rule.service.name, members, image, ())
    for part, one in zip(rule.moving([one.service for one in members]), moves, strict=True):
        for what, said in _of_one(look, part, one.image, promotion).items():
            found.setdefault(what, {})[one.service] = said
    return {what: {**said} for what, said in found.items()}


def _of_one(
    look: Survey, rule: EffectiveRule, image: tuple[Pinned, ...], promotion: Promotion | None
) -> dict[str, Json]:
    where, service = rule.environment.name, rule.service.name
    facts = look.world.facts_of(where, service, tuple(one.digest for one in image))
    case = Case(
        rules=look.world.rules,
        rule=rule,
        state=look.state,
        image=image,
        current=_stood(promotion, service) if promotion else look.world.pin(where, service).image,
        at=parse_time(write_time(look.at)),
        baseline=look.world.baseline,
        promotion=promotion,
        facts=facts,
        stood_since=look.world.stood_since,
    )
    found: dict[str, Json] = {}
    if said := notes(case, before_merge(rule, promotion) if promotion else ALONE):
        found["gates"] = {**said}
    if facts:
        found["facts"] = to_json(facts)
    return found


def _stood(promotion: Promotion, service: str) -> tuple[Pinned, ...]:
    return next(one.previous for one in promotion.shares if one.service == service)
