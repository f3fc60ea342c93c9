"""What the rules did to a promotion that they end: its service joined a group, its group grew, or is none any more."""

from collections.abc import Sequence

from bot.looking.survey import Survey
from policies.allowed.asked import Refusal
from policies.entries.fields import MAX_NOTE
from policies.entries.promotion import Promotion
from policies.rules.rules import Rules, moving_rule

_SHORT = 12  # of a commit


def regrouped(look: Survey, promotion: Promotion, joined: Sequence[Refusal]) -> str:
    """Return what became of it, to stand behind "it"; '' where the rules do not have it at all.

    ``joined``: what services have to move that joined its group since it was asked for.
    """
    rules, environment, service = look.world.rules, promotion.environment, promotion.service
    since = f"as of commit {look.rules.commit[:_SHORT]}"
    said = ""
    if group := rules.moves_with(environment, service):
        said = f"moves together with {group} {since}"
    elif joined:
        said = f"moves together with more services {since}: {', '.join(one.detail for one in joined)}"
    elif rule := moving_rule(rules, environment, service) if promotion.group else None:
        kept = {one.service.name for one in rule.parts}
        said = f"moves without {', '.join(one.service for one in promotion.members if one.service not in kept)} {since}"
    elif _is_loose(rules, promotion):
        said = f"does not move as a group any more {since}"
    return said[:MAX_NOTE]


def _is_loose(rules: Rules, promotion: Promotion) -> bool:
    """Whether the services of a group are all there still, and move each by itself."""
    is_there = promotion.environment in rules.environments
    return (
        bool(promotion.group) and is_there and all(one.service in rules.services for one in promotion.members)
    )


def instead(rules: Rules, promotion: Promotion) -> str:
    """Return the group to ask for in place of what ended; '' where there is none."""
    environment, service = promotion.environment, promotion.service
    is_whole = promotion.group and moving_rule(rules, environment, service) is not None
    return rules.moves_with(environment, service) or (service if is_whole else "")
