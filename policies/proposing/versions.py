"""Which versions a service may take: as an ImagePolicy says it, else guessed by the shape of the tags that run."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from policies.errors import PolicyError
from policies.images.selection import (
    Alphabetical,
    DigestOf,
    NewestBuild,
    Numerical,
    SelectionPolicy,
    Semver,
    select,
)
from policies.images.selection_policy import NEWEST_BUILD
from policies.images.version import Version, tag_precedence
from policies.texts.quoting import written

_YEARS = range(1990, 2200)  # a first number like this is a year: no next one is a break
_PRERELEASE = re.compile(
    r"(?:alpha|beta|rc|dev|pre|preview|snapshot|nightly|m)[.-]?[0-9]*(?:[.-][0-9]+)*", re.IGNORECASE
)
_PARTS = re.compile(r"v?[0-9]+\.[0-9]+\.[0-9]+(?:[-+].*)?", re.ASCII)
# Built by a pipeline: a branch, a commit, a time; or a time or number alone.
_BUILD = re.compile(
    r"(?P<branch>[A-Za-z][A-Za-z0-9_]*)-(?:(?P<sha>[0-9a-f]{7,40})-)?(?P<number>[0-9]{2,14})", re.ASCII
)
_TIME = re.compile(r"[0-9]{8,14}", re.ASCII)
_DATED = re.compile(r"(?P<head>[A-Za-z.]*?)[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9-]+Z?)?", re.ASCII)
_FLOATING = frozenset({"latest", "main", "master", "stable", "edge", "nightly", "develop", "dev", "release"})


@dataclass(frozen=True, slots=True)
class Versions:
    """What stands behind ``versions:``, as YAML, and what a reader should know of it ('' = nothing)."""

    text: str
    remark: str = ""


def of_policy(policy: SelectionPolicy) -> Versions:
    """Write an ImagePolicy as our rules do. Raises: PolicyError, where it cannot be written in one line."""
    match policy.choose:
        case Semver(range=range_):
            how, value = "semver", range_.text
        case Alphabetical(order=order):
            how, value = "alphabetical", order.value
        case NewestBuild():
            how, value = "newest-build", NEWEST_BUILD
        case DigestOf(tag=tag):
            how, value = "digest-of", str(tag)
        case Numerical(order=order):  # pragma: no branch  mypy sees that nothing is left
            how, value = "numerical", order.value
    if policy.tags is None:
        return Versions(_quoted(value) if how == "semver" else f"{{{how}: {value}}}")
    said = {how: value, "tags": policy.tags.pattern} | (
        {"extract": policy.tags.extract} if policy.tags.extract else {}
    )
    return Versions("{" + ", ".join(f"{key}: {_quoted(text)}" for key, text in said.items()) + "}")


def of_tags(tags: Sequence[str]) -> Versions | str:
    """Guess from the tags that run now, or say why nothing can be guessed."""
    wanted = list(dict.fromkeys(tags))
    floating = [tag for tag in wanted if tag.lower() in _FLOATING]
    if floating:
        return f"the tag {floating[0]} is moved in place: it says no version"
    guess = _versions(wanted) or _build(wanted)
    if guess is None:
        return f"no order can be read in the tag{'s' if len(wanted) > 1 else ''} {', '.join(wanted[:5])}"
    policy, remark = guess
    left = [tag for tag in wanted if select(policy, [tag]).best is None]
    if left:  # pragma: no cover  a guess that leaves a tag that it was made from would be our fault
        return f"the tags {', '.join(wanted[:5])} have different shapes"
    return Versions(of_policy(policy).text, remark)


def _versions(tags: Sequence[str]) -> tuple[SelectionPolicy, str] | None:
    """Guess a range, where all tags are versions of three parts."""
    if not all(_PARTS.fullmatch(tag) and tag_precedence(tag) is not None for tag in tags):
        return None
    read = [Version.parse_tag(tag) for tag in tags]
    before = [one.prerelease for one in read if one.prerelease]
    if not all(_PRERELEASE.fullmatch(text) for text in before):
        return None  # a variant such as -alpine or -18-minimal, which versions would rank as a prerelease
    low, high = min(one.major for one in read), max(one.major for one in read)
    mark = "-0" if before else ""
    remark = "prereleases are taken, because one runs now" if before else ""
    if low in _YEARS:
        return SelectionPolicy.semver(
            f">={low}.0.0{mark}"
        ), "the first number is a year, so no next one ends it"
    return SelectionPolicy.semver(f">={low}.0.0{mark} <{high + 1}.0.0{mark}"), remark


def _build(tags: Sequence[str]) -> tuple[SelectionPolicy, str] | None:
    """Guess an order of builds, where all tags have one shape."""
    if all(_TIME.fullmatch(tag) for tag in tags):
        return SelectionPolicy.numerical("asc", "^[0-9]{8,14}$"), "the highest number is the newest"
    built = [match for tag in tags if (match := _BUILD.fullmatch(tag))]
    if len(built) == len(tags) and len({(one["branch"], bool(one["sha"])) for one in built}) == 1:
        middle = "[0-9a-f]{7,40}-" if built[0]["sha"] else ""
        pattern = f"^{built[0]['branch']}-{middle}(?P<number>[0-9]+)$"
        return SelectionPolicy.numerical("asc", pattern, "$number"), "the highest number is the newest"
    dated = [match for tag in tags if (match := _DATED.fullmatch(tag))]
    if len(dated) == len(tags) and len({one["head"] for one in dated}) == 1:
        pattern = f"^{re.escape(dated[0]['head'])}[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}"
        return SelectionPolicy.alphabetical("asc", pattern), "the latest date is the newest"
    return None


def _quoted(text: str) -> str:
    """Write text for YAML. Raises: PolicyError."""
    if not text:
        raise PolicyError("nothing is written there; expected a range or an order")
    return written(text, "'")
