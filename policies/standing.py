"""The best tag of a list, kept so that a list which changed a little costs a little."""

from collections.abc import Iterable
from dataclasses import dataclass

from policies.image import Tag
from policies.selection import Numerical, SelectionPolicy, best, select


@dataclass(frozen=True, slots=True)
class Standing:
    """What a policy chose from a list of tags, and why it could not (``error``, as in a selection)."""

    policy: SelectionPolicy
    tags: frozenset[str]
    best: Tag | None
    error: str = ""


def stand(policy: SelectionPolicy, tags: Iterable[str]) -> Standing:
    """Choose from the whole list."""
    listed = tuple(tags)  # judged in the list's order: it is read faster than a set's
    return _standing(policy, frozenset(listed), listed)


def advance(standing: Standing, tags: Iterable[str]) -> Standing:
    """Return ``stand(standing.policy, tags)``, looking only at what is new where that is enough."""
    names = frozenset(tags)
    policy, champion = standing.policy, standing.best
    new = names - standing.tags
    if standing.error or (champion and champion not in names) or _takes_its_value(policy, champion, new):
        return _standing(policy, names, names)
    if not new:
        return Standing(policy, names, champion)
    return _standing(policy, names, (*new, champion) if champion else new)


def _standing(policy: SelectionPolicy, names: frozenset[str], judged: Iterable[str]) -> Standing:
    """Choose from ``judged``, all that can be the best of ``names``."""
    if isinstance(policy.choose, Numerical):
        selection = select(policy, judged)
        return Standing(policy, names, selection.best, selection.error)
    return Standing(policy, names, best(policy, judged))


def _takes_its_value(policy: SelectionPolicy, champion: Tag | None, new: Iterable[str]) -> bool:
    """Say whether a new tag has the value of the best one, which it may then hide from the order."""
    if policy.tags is None or champion is None:
        return False
    value_of = policy.tags.value
    value = value_of(champion)
    return any(value_of(tag) == value for tag in new)
