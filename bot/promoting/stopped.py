"""What was put in the way of a merge between its intent and the moment at which the bot makes it."""

from collections.abc import Collection

from bot.looking.survey import Survey
from bot.promoting.promoter import cases_under_way
from policies.codes import Code
from policies.entries.promotion import Promotion
from policies.gates import STOPS, Gate, ask, before_merge, blocked, held
from policies.rules.rules import moving_rule
from policies.verdict import NotYet, not_yet

# what the entry validator does not ask of a merge that we push; it refuses a freeze by itself
UNASKED: tuple[Gate, ...] = (blocked, held)


def stopped(look: Survey, promotion: Promotion, gates: Collection[Gate] = STOPS) -> tuple[NotYet, ...]:
    """Return what stops the merge now, of those gates that stood before its intent: what is skipped stays skipped."""
    rule = moving_rule(look.world.rules, promotion.environment, promotion.service)
    found: list[NotYet] = []
    for case in cases_under_way(look, rule, promotion) if rule else ():
        asked = tuple(gate for gate in before_merge(case.rule, promotion) if gate in gates)
        found += not_yet(ask(asked, case))
    return tuple(found)


def as_abort(code: str) -> str:
    """Return as what an attempt ends that this stops: a window of the rules is a freeze, too."""
    return Code.FROZEN.value if code == Code.FREEZE_WINDOW else str(code)
