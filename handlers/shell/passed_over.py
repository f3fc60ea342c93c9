"""What ``why`` speaks of: the version that was named, or every one since what runs in the place."""

from functools import cmp_to_key

from bot.look import Look
from policies.decide import Candidate, Row, answer_of
from policies.images.selection import BUILDS
from policies.ledger.newness import is_newer
from policies.ledger.state import State
from policies.rules.rules import Service, effective

MAX_UNBUILT = 10  # versions whose time of build is not known, that are spoken of


def ask_why(look: Look, environment: str, service: str, version: str) -> tuple[Candidate, ...]:
    """Return what stands in the way of one version; '' = of every one since the current one, newest first.

    Of a group, which has no versions, that of what it could move to, and of what is under way.
    """
    row = look.decision.row(environment, service)
    if row is not None and service in look.rules.groups:
        return row.candidates
    rule = effective(look.rules, environment, service)
    if row is None or rule is None:
        return ()
    asked = [version] if version else _since(look.state, row, rule.service)
    return tuple(answer_of(look.world, rule, row, one) for one in asked)


def _since(state: State, row: Row, service: Service) -> list[str]:
    """Return the candidates and what the order puts before what runs, newest first; then what has no known build."""
    fates = row.selection.fates if row.selection else {}
    candidates = [one.version for one in row.candidates]
    start = _start(state, row, service)
    passed = [
        tag for tag in fates if tag not in candidates and start and is_newer(service, state, tag, start)
    ]

    def order(one: str, other: str) -> int:
        return bool(is_newer(service, state, other, one)) - bool(is_newer(service, state, one, other))

    unbuilt = sorted((tag for tag, fate in fates.items() if fate in BUILDS), reverse=True)
    # of a tag that is followed the candidates are its digests, which stand in order already
    found = [*candidates, *passed] if service.versions.followed else [*passed, *candidates]
    listed = found if service.versions.followed else sorted(found, key=cmp_to_key(order))
    return [*listed, *(tag for tag in unbuilt[:MAX_UNBUILT] if tag not in listed)]


def _start(state: State, row: Row, service: Service) -> str:
    """Return what the others are held against: what runs, or the best where that has no place in the order."""
    best = row.best.version if row.best else ""
    if not best or is_newer(service, state, best, row.current) is not None:
        return row.current
    return best
