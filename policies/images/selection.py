"""Selection: which of a repository's tags a policy takes, in which order the others stand, and why not they."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache, partial
from types import MappingProxyType
from typing import Any

from policies.images.builds import Build
from policies.images.image import Tag
from policies.images.number import parse_number
from policies.images.selection_policy import (
    Alphabetical,
    DigestOf,
    NewestBuild,
    Numerical,
    Order,
    SelectionPolicy,
    Semver,
)
from policies.images.tag_filter import TagFilter
from policies.images.version import Precedence, highest_tag, tag_precedence
from policies.images.version_range import Entry, Range

# The policies are read from here, too: who selects needs both.
__all__ = [
    "Alphabetical",
    "DigestOf",
    "Fate",
    "NewestBuild",
    "Numerical",
    "Order",
    "Selection",
    "SelectionPolicy",
    "Semver",
    "best",
    "newer",
    "select",
]


class Fate(StrEnum):
    """What became of a tag. Reason codes: stable, shown to people, in ``--json``."""

    SELECTED = "selected"
    OLDER = "older"  # eligible, but another one stands before it
    NOT_A_TAG = "not-a-tag"  # a name that cannot stand in a line of a manifest
    FILTERED = "tag-filtered"
    SAME_VALUE = "same-value"  # the filter extracts the same from a smaller tag, which counts
    NOT_A_VERSION = "not-a-version"
    OUT_OF_RANGE = "out-of-range"
    PRERELEASE = "prerelease"  # would be in range, did the range name a prerelease
    NOT_A_NUMBER = "not-a-number"
    UNDECIDED = "undecided"  # a number, but beside it stands a tag that is none
    BUILD_UNREAD = "build-unread"  # when it, or another tag, was built was not looked up yet
    BUILD_UNKNOWN = "build-unknown"  # nothing says when it was built
    BUILD_UNTRUSTED = "build-untrusted"  # what says when it was built cannot be so


BUILDS = frozenset(
    {Fate.BUILD_UNREAD, Fate.BUILD_UNKNOWN, Fate.BUILD_UNTRUSTED}
)  # not passed over: they wait
_NO_BUILDS: Mapping[str, Build] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Selection:
    """What a policy says to a list of tags.

    ``ranked`` holds every eligible tag, best first; ``fates`` every name that was handed in. ``error`` says why a
    policy could not decide at all, which is more than that nothing was eligible; ``code`` is its stable word.
    """

    best: Tag | None
    ranked: tuple[Tag, ...]
    fates: Mapping[str, Fate] = field(compare=False)
    error: str = ""
    code: str = "selection-failed"


def select(
    policy: SelectionPolicy, tags: Iterable[str], builds: Mapping[str, Build] = _NO_BUILDS
) -> Selection:
    """Choose among ``tags``, whose order and repetitions do not matter; ``builds`` says when they were built.

    Ties end as in Flux: of equal versions the first in descending byte order stands first, of equal numbers the
    last. Behind a filter, where Flux answers at random, the same.
    """
    fates: dict[str, Fate] = {}
    values = _values(policy, tags, fates)
    match policy.choose:
        case Semver(range=range_):
            ranked = _rank_versions(range_, values, fates)
        case Alphabetical(order=order):
            ranked = [values[value] for value in sorted(values, reverse=order is Order.ASC)]
        case NewestBuild():
            return _newest(values, builds, fates)
        case DigestOf(tag=tag):
            fates |= dict.fromkeys((name for name in values if name != tag), Fate.FILTERED)
            ranked = [tag] if tag in values else []
        case Numerical(order=order):  # pragma: no branch  mypy sees that nothing is left
            numbers, error = _numbers(values, fates)
            if error:
                return Selection(None, (), fates, error)
            ranked = _rank_numbers(order, values, numbers)
    return _selection(ranked, fates)


def best(policy: SelectionPolicy, tags: Iterable[str]) -> Tag | None:
    """Return ``select(policy, tags).best``, in a third of its time."""
    names = list(tags)
    match policy.choose:
        case Semver(range=range_):
            values = _values(policy, names, None) if policy.tags else None
            texts = names if values is None else list(values)
            low, high = range_.lowest, range_.highest_major
            found = highest_tag(texts, range_.takes, lowest=low, highest_major=high, tags=values)
        case Alphabetical(order=order):
            values = _values(policy, names, None)
            outermost = max if order is Order.ASC else min
            found = values[outermost(values)] if values else ""
        case Numerical() | NewestBuild() | DigestOf():  # pragma: no branch  mypy sees that nothing is left
            return select(policy, names).best
    return Tag(found) if found else None


def newer(policy: SelectionPolicy, one: str, other: str) -> bool | None:
    """Say whether the policy's order puts ``one`` behind ``other``: the way to ``one`` is a step forward.

    Ranges do not matter. None where one of the two has no place in the order: filtered, no version, no number.
    """
    place = _place_in_order(policy)
    first, second = place(one), place(other)
    if first is None or second is None:
        return None
    is_descending = isinstance(policy.choose, Alphabetical | Numerical) and policy.choose.order is Order.DESC
    return bool(first < second if is_descending else first > second)


def major(policy: SelectionPolicy, tag: str) -> int | None:
    """Return a tag's major version; None where the policy is not by version, or the tag is none."""
    place = _place_in_order(policy)(tag) if isinstance(policy.choose, Semver) else None
    return None if place is None else int(place[0])


def eligible(policy: SelectionPolicy, tags: Iterable[str]) -> tuple[Tag, ...]:
    """Return the tags that a policy would put in order, as far as their names say: those behind its filter."""
    return tuple(map(Tag, _values(policy, tags, None).values()))


def _values(policy: SelectionPolicy, tags: Iterable[str], fates: dict[str, Fate] | None) -> Mapping[str, str]:
    """Return value to tag of what the policy orders, and note the fates of what it does not.

    Names that would break a line are left out first. Without a filter only an alphabetical policy could ever
    choose one; for a numerical one they are names like others, that are no numbers.
    """
    names = dict.fromkeys(tags)
    if policy.tags is None and isinstance(policy.choose, Semver | Numerical):
        return dict(zip(names, names, strict=True))
    clean = [name for name in names if name and name.isprintable()]
    values = policy.tags.values(clean) if policy.tags else dict(zip(clean, clean, strict=True))
    if fates is not None and len(clean) < len(names):
        fates |= dict.fromkeys(names.keys() - set(clean), Fate.NOT_A_TAG)
    if fates is not None and policy.tags:
        left, value_of = set(values.values()), policy.tags.value
        fates |= {
            name: Fate.FILTERED if value_of(name) is None else Fate.SAME_VALUE
            for name in clean
            if name not in left
        }
    return values


def _rank_versions(range_: Range, values: Mapping[str, str], fates: dict[str, Fate]) -> list[str]:
    """Return the tags in the range, highest first, of equal ones the last in ascending bytes."""
    places: dict[str, Precedence] = {}
    outside: list[str] = []
    prereleases: list[str] = []
    no_versions: list[str] = []
    entry, is_in, is_out = range_.entry, Entry.IN, Entry.OUT  # looked up once, not a hundred thousand times
    for value, tag in values.items():
        place = _precedence(value)
        if place is None:
            no_versions.append(tag)
        elif (answer := entry(place)) is is_in:
            places[tag] = place
        elif answer is is_out:
            outside.append(tag)
        else:
            prereleases.append(tag)
    fates |= dict.fromkeys(no_versions, Fate.NOT_A_VERSION)
    fates |= dict.fromkeys(outside, Fate.OUT_OF_RANGE)
    fates |= dict.fromkeys(prereleases, Fate.PRERELEASE)
    # Twice, as sorting pairs takes three times as long; the second keeps the order of equal ones.
    return sorted(sorted(places, reverse=True), key=places.__getitem__, reverse=True)


def _numbers(values: Mapping[str, str], fates: dict[str, Fate]) -> tuple[dict[str, float], str]:
    """Return tag to number; or why there is no order, for one value that is no number spoils them all."""
    numbers = {tag: parse_number(value) for value, tag in values.items()}
    decided = {tag: number for tag, number in numbers.items() if number is not None}
    if len(decided) == len(numbers):
        return decided, ""
    fates |= {tag: Fate.NOT_A_NUMBER if number is None else Fate.UNDECIDED for tag, number in numbers.items()}
    spoilers = sorted((tag for tag, number in numbers.items() if number is None), reverse=True)
    return {}, (
        f"{spoilers[0][:140]!r} is not a number, and a numerical policy needs all of its tags to be numbers; "
        f"filter it and {len(spoilers) - 1} others out"
    )


def _rank_numbers(order: Order, values: Mapping[str, str], numbers: Mapping[str, float]) -> list[str]:
    """Return the tags by number, equal ones in ascending bytes; what is not comparable stands last."""
    sign = -1 if order is Order.ASC else 1

    def place(tag: str) -> tuple[bool, float, str]:
        number = numbers[tag]
        return (True, 0.0, tag) if math.isnan(number) else (False, sign * number, tag)

    return sorted(values.values(), key=place)


def _newest(values: Mapping[str, str], builds: Mapping[str, Build], fates: dict[str, Fate]) -> Selection:
    """Order by the time of the build, of equal ones the last in ascending bytes first.

    As long as one was not looked at, nothing is chosen: it may be the newest. What cannot be known is passed over.
    """
    tags = list(values.values())
    found = {tag: builds.get(tag) for tag in tags}
    if unread := [tag for tag, one in found.items() if one is None]:
        fates |= dict.fromkeys(tags, Fate.BUILD_UNREAD)
        error = f"when {len(unread)} of {len(tags)} tags were built was not looked up yet"
        return Selection(None, (), fates, error, Fate.BUILD_UNREAD)
    known = {tag: one.at for tag, one in found.items() if one and one.at}
    fates |= {tag: _unbuilt(one) for tag, one in found.items() if one and one.at is None}
    if tags and not known:
        first = min(tags)
        error = f"of {len(tags)} tags none says when it was built; {first}: {builds[first].detail}"
        return Selection(None, (), fates, error, _unbuilt(builds[first]))
    return _selection(sorted(known, key=lambda tag: (known[tag], tag), reverse=True), fates)


def _unbuilt(build: Build) -> Fate:
    return Fate.BUILD_UNTRUSTED if build.is_untrusted else Fate.BUILD_UNKNOWN


def _selection(ranked: list[str], fates: dict[str, Fate]) -> Selection:
    """Write down the outcome."""
    if not ranked:
        return Selection(None, (), fates)
    fates |= dict.fromkeys(ranked, Fate.OLDER)
    fates[ranked[0]] = Fate.SELECTED
    tags = tuple(map(Tag, ranked))
    return Selection(tags[0], tags, fates)


# Services share their versions' names: of many services most tags were read before.
_precedence = lru_cache(maxsize=1 << 16)(tag_precedence)


def _place_in_order(policy: SelectionPolicy) -> Callable[[str], Any]:
    """Return what says where a tag stands in the policy's order; None for one that has no place."""
    match policy.choose:
        case Semver():
            return partial(_place, policy.tags, _precedence)
        case Alphabetical():
            return partial(_place, policy.tags, str)
        case NewestBuild() | DigestOf():
            return lambda _tag: None  # a name alone says nothing of it
        case Numerical():  # pragma: no branch  mypy sees that nothing is left
            return partial(_place, policy.tags, _comparable_number)


def _place(tags: TagFilter | None, of_value: Callable[[str], Any], tag: str) -> Any:
    """Return the place of a tag, by the value that the filter extracts."""
    value = tags.value(tag) if tags else tag
    return None if value is None else of_value(value)


def _comparable_number(value: str) -> float | None:
    """Return the number but where it is not comparable."""
    number = parse_number(value)
    return None if number is None or math.isnan(number) else number
