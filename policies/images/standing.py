"""The best tag of a list, kept so that a list which changed a little costs a little."""

from collections.abc import Iterable
from dataclasses import dataclass

from policies.images.evidence import TagList
from policies.images.image import Tag
from policies.images.selection import Numerical, SelectionPolicy, best, select


@dataclass(frozen=True, slots=True)
class Standing:
    """What a policy chose from a list of tags, and why it could not (``error``, as in a selection)."""

    policy: SelectionPolicy
    tags: frozenset[str]
    best: Tag | None
    error: str = ""


def stand(policy: SelectionPolicy, listed: TagList) -> Standing:
    """Choose from the whole list."""
    return _standing(policy, listed.names, listed.tags)


def advance(standing: Standing, listed: TagList) -> Standing:
    """Return ``stand(standing.policy, listed)``, looking only at what is new where that is enough."""
    policy, champion = standing.policy, standing.best
    new = listed.beside(standing.tags)
    is_gone = champion is not None and champion not in listed.names
    if standing.error or is_gone or _takes_its_value(policy, champion, new):
        return stand(policy, listed)
    if not new:
        return Standing(policy, listed.names, champion)
    return _standing(policy, listed.names, (*new, champion) if champion else new)


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
