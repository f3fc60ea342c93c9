"""Rollouts: ``approvals: as ENVIRONMENT``. What people approved there fills the lines here, for the very same version.

The bot asks for it by itself, and names the promotion whose approvals it brings along; the fold takes them over from
there, so that everything else counts them like any others.
"""

from collections.abc import Mapping

from policies.canonical import Json
from policies.entries.entry import By, Entry, Kind, Pinned
from policies.entries.promotion import Promotion, Stage
from policies.entries.remembered import is_version
from policies.entries.tables import Tables
from policies.rules.rules import EffectiveRule, Environment, Opens

AS = "as"  # in the evidence of a proposal: the promotion whose approvals it brings along


def asks(where: Environment) -> bool:
    """Whether the bot asks by itself there as soon as a version may be asked for."""
    return where.is_self_merging or (
        where.is_guarded and (where.opens is Opens.AT_ONCE or bool(where.approvals_as))
    )


def source(state: Tables, rule: EffectiveRule, image: tuple[Pinned, ...]) -> Promotion | None:
    """Return the last promotion of this very version that landed where the rule takes its approvals from."""
    found = [one for one in state.promotions.values() if is_source(one, rule, image)]
    return max(found, key=lambda one: one.seq, default=None)


def is_source(promotion: Promotion, rule: EffectiveRule, image: tuple[Pinned, ...]) -> bool:
    """Whether a promotion may lend its approvals to this image: asked for by a rule's way, landed, the same version."""
    same = len(promotion.image) == len(image) and all(
        is_version(one, other) and bool(one.digest)
        for one, other in zip(promotion.image, image, strict=False)
    )
    return _may_lend(promotion) and same and (promotion.environment, promotion.service) == _where(rule)


def _may_lend(promotion: Promotion) -> bool:
    """Whether a promotion landed by a request: a way back, or an emergency, lends nothing."""
    return promotion.kind is Kind.PROPOSE and promotion.stage is Stage.LANDED


def _where(rule: EffectiveRule) -> tuple[str, str]:
    return rule.environment.approvals_as, rule.service.name


def lent(entry: Entry) -> str:
    """Return the promotion whose approvals a proposal brings along, '' = none."""
    found = entry.evidence.get(AS)
    named: Json = found.get("promotion", "") if isinstance(found, Mapping) else ""
    return named if isinstance(named, str) else ""


def is_taken_along(state: Tables, entry: Entry, rule: EffectiveRule) -> bool:
    """Whether a group's request is for exactly what a person asked for, and others approved, where it takes them from.

    Then what was there before the first look goes on with it: it was their word that moved it.
    """
    found = state.promotions.get(lent(entry))
    if found is None or not entry.group or found.members != entry.members:
        return False
    return isinstance(found.by, By) and is_source(found, rule, entry.image)


def last_by_people(state: Tables, rule: EffectiveRule) -> Promotion | None:
    """Return what landed last where the rule takes its approvals from, if a person asked for it."""
    lends = state.promotions.values() if rule.environment.approvals_as else ()
    found = [one for one in lends if _may_lend(one) and (one.environment, one.service) == _where(rule)]
    last = max(found, key=lambda one: one.seq, default=None)
    return last if last and isinstance(last.by, By) else None


def evidence_of(found: Promotion | None) -> dict[str, Json]:
    """Return the evidence that brings a promotion's approvals along."""
    return {AS: {"promotion": found.id}} if found else {}
