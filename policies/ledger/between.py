"""Which versions of a service lie between two: as its order has them, newest first, with when they were seen first."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cmp_to_key, partial

from policies.entries.entry import Pinned
from policies.entries.remembered import Seen
from policies.entries.tables import Tables
from policies.images.selection import Fate, Selection
from policies.ledger.newness import is_newer
from policies.rules.rules import EffectiveRule, Rules, Service


@dataclass(frozen=True, slots=True)
class Between:
    """A version in between: when it was seen first (UTC, none = not known), and whether it is blocked there."""

    version: str
    seen: datetime | None = None
    is_blocked: bool = False


def between(
    rules: Rules, state: Tables, rule: EffectiveRule, chosen: Selection, ends: tuple[str, str]
) -> tuple[Between, ...]:
    """Return the versions that lie between two, whichever is the newer; none where one has no place in the order."""
    service = rule.service
    way = is_newer(service, state, *ends)
    if way is None:
        return ()
    new, old = ends if way else ends[::-1]
    tags = [tag for tag, fate in chosen.fates.items() if fate in {Fate.SELECTED, Fate.OLDER}]
    found = [tag for tag in tags if is_newer(service, state, tag, old) and is_newer(service, state, new, tag)]
    where = (rule.environment.name, *rules.upstream(rule.environment.name))
    return tuple(
        Between(
            tag,
            _seen(state.seen, service, tag),
            state.block_on(where, service.name, (Pinned(service.image, tag),)) is not None,
        )
        for tag in sorted(found, key=cmp_to_key(partial(_order, service, state)))
    )


def _order(service: Service, state: Tables, one: str, other: str) -> int:
    """Put the newer of two first."""
    return bool(is_newer(service, state, other, one)) - bool(is_newer(service, state, one, other))


def _seen(seen: Mapping[tuple[str, str, str], Seen], service: Service, tag: str) -> datetime | None:
    found = seen.get((service.name, service.image, tag))
    return found.at if found else None
