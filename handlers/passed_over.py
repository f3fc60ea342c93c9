"""What ``why`` speaks of: the version that was named, or the best one and every newer one that was passed over."""

from functools import cmp_to_key

from bot.look import Look
from policies.decide import Candidate, Row
from policies.decide import why as why_not
from policies.newness import is_newer
from policies.rules import Service, effective
from policies.selection import BUILDS
from policies.state import State

MAX_UNBUILT = 10  # versions whose time of build is not known, that are spoken of


def ask_why(look: Look, environment: str, service: str, version: str) -> tuple[Candidate, ...]:
    """Return what stands in the way of one version; '' = the best, and what stands before it in the order."""
    row = look.decision.row(environment, service)
    rule = effective(look.rules, environment, service)
    if row is None or rule is None:
        return ()
    best = row.best.version if row.best else ""
    asked = [version] if version else [best] if best else []
    if not version:
        asked += _before(look.state, row, rule.service, best or row.current)
    answers = (why_not(look.world, environment, service, one, look.decision.at) for one in asked)
    return tuple(answer for answer in answers if answer is not None)


def _before(state: State, row: Row, service: Service, than: str) -> list[str]:
    """Return the versions that the order puts before one, newest first; and those whose build nobody knows."""
    fates = row.selection.fates if row.selection else {}
    found = [tag for tag in fates if tag != than and is_newer(service, state, tag, than)]
    unbuilt = sorted((tag for tag, fate in fates.items() if fate in BUILDS), reverse=True)

    def order(one: str, other: str) -> int:
        return bool(is_newer(service, state, other, one)) - bool(is_newer(service, state, one, other))

    return [*sorted(found, key=cmp_to_key(order)), *unbuilt[:MAX_UNBUILT]]
