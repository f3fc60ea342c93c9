"""An auditor's sample: who has the seed and the population draws the same one again, with any tool."""

import hashlib
from collections.abc import Sequence

from policies.ledger.population import Change


def sample(changes: Sequence[Change], size: int, seed: str) -> tuple[Change, ...]:
    """Return ``size`` of the changes that moved something, and every exception beside; 0 = all. Their order stays.

    A change's place in the draw is the sha256 of ``<seed>/<id>``: the smallest are taken.
    """
    if not size:
        return tuple(changes)
    drawn = [one for one in changes if one.has_moved and not one.is_exception]
    drawn.sort(key=lambda one: hashlib.sha256(f"{seed}/{one.id}".encode()).digest())
    chosen = {one.id for one in drawn[:size]}
    return tuple(one for one in changes if one.id in chosen or one.is_exception)
