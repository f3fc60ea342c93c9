"""Version ranges in the dialect of Flux (Masterminds semver 3.5): parsing, and which versions they let in.

Every term but ``!=`` is a half-open interval on the order of versions, so a group of terms (AND) is one interval
and a list of holes. Bounds are tuples that compare with ``Precedence``: ``(2,)`` lies before every 2.x, and
``precedence + (0,)`` directly behind that version.
"""

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Self

from policies.errors import PolicyError
from policies.images.version import RELEASE, Precedence, Version

MAX_RANGE = 512  # Masterminds semver 3.5, MaxConstraintLen
MAX_GROUPS = 32  # MaxConstraintGroups

_SPACE = r"[\t\n\f\r ]"
# The class of a number holds a bar as well: a quirk of the original, with effects (see ``_rewrite_hyphens``).
_NUMBER = r"[0-9xX*|]+"
_IDENTIFIERS = r"[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*"
_VERSION = rf"v?{_NUMBER}(?:\.{_NUMBER}){{0,2}}(?:-{_IDENTIFIERS})?(?:\+{_IDENTIFIERS})?"
_HYPHEN = re.compile(rf"{_SPACE}*({_VERSION}){_SPACE}+-{_SPACE}+({_VERSION}){_SPACE}*")
_SEPARATOR = re.compile(rf"{_SPACE}*,{_SPACE}*|{_SPACE}+")
_TERM = re.compile(
    rf"(?P<operator>!=|>=|=>|<=|=<|~>|[=><~^]|){_SPACE}*(?P<version>v?(?P<major>{_NUMBER})"
    rf"(?:\.(?P<minor>{_NUMBER}))?(?:\.(?P<patch>{_NUMBER}))?"
    rf"(?P<prerelease>-{_IDENTIFIERS})?(?:\+{_IDENTIFIERS})?)"
)
_STARS = frozenset({"x", "X", "*", None})

# Below and above everything.
_BOTTOM: Precedence = (-1,)
_TOP: Precedence = (float("inf"),)


class Entry(Enum):
    """What a range says to a version."""

    IN = auto()
    OUT = auto()
    PRERELEASE = auto()  # it would be in, did the group name a prerelease


class _Open(Enum):
    """The first part of a term's version that is a star or missing."""

    NOTHING = auto()
    MAJOR = auto()
    MINOR = auto()
    PATCH = auto()


@dataclass(frozen=True, slots=True)
class _Hole:
    """What ``!=`` takes out: versions from ``low`` to below ``high``, of ``prerelease`` only where that is set."""

    low: Precedence
    high: Precedence
    prerelease: Precedence | None = None

    def holds(self, place: Precedence) -> bool:
        return self.low <= place < self.high and self.prerelease in (None, place[3])


@dataclass(frozen=True, slots=True)
class _Group:
    """Terms that must all hold: versions from ``low`` to below ``high`` but for the holes."""

    low: Precedence
    high: Precedence
    holes: tuple[_Hole, ...]
    takes_prereleases: bool


@dataclass(frozen=True, slots=True)
class Range:
    """A parsed range. ``text`` is what was written."""

    text: str
    groups: tuple[_Group, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``text``; ``||`` separates groups, space or comma the terms of one. Raises: PolicyError."""
        if len(text) > MAX_RANGE:
            raise PolicyError(
                f"the range {text[:60]!r}... is too long; expected at most {MAX_RANGE} characters"
            )
        groups = _rewrite_hyphens(text).split("||")
        if len(groups) > MAX_GROUPS:
            raise PolicyError(
                f"the range {text[:60]!r}... has {len(groups)} groups; expected at most {MAX_GROUPS}"
            )
        return cls(text, tuple(_group(group, text) for group in groups))

    @property
    def highest_major(self) -> float:
        """The first number above which no version is in the range."""
        return max(float(group.high[0]) for group in self.groups)

    @property
    def lowest(self) -> Precedence:
        """Where the lowest group begins: no version before it is in the range."""
        return min(group.low for group in self.groups)

    def entry(self, place: Precedence) -> Entry:
        """Say whether the version at ``place`` is let in. Prereleases enter where a term of the group names one."""
        answer = Entry.OUT
        for group in self.groups:
            if not group.low <= place < group.high:
                continue
            if group.holes and any(hole.holds(place) for hole in group.holes):
                continue
            if group.takes_prereleases or place[3] == RELEASE:
                return Entry.IN
            answer = Entry.PRERELEASE
        return answer

    def admits(self, version: Version) -> bool:
        """Say whether the version is in the range."""
        return self.takes(version.precedence)

    def takes(self, place: Precedence) -> bool:
        """Say whether the version at ``place`` is in the range."""
        return self.entry(place) is Entry.IN

    def __str__(self) -> str:
        """Write it as it was written."""
        return self.text


def _rewrite_hyphens(text: str) -> str:
    """Turn ``1.2 - 2.3`` into ``>= 1.2, <= 2.3``.

    A rewriting of the text before anything else is read: the space around it is swallowed (so that as a second
    term it needs a comma before it), and a bar that touches it belongs to its number (``1 - 2||3`` is invalid).
    Each finding replaces the first place where its text stands.
    """
    rewritten = text
    for match in _HYPHEN.finditer(text):
        rewritten = rewritten.replace(match[0], f">= {match[1]}, <= {match[2]} ", 1)
    return rewritten


def _group(text: str, whole: str) -> _Group:
    """Read the terms of one group and intersect their intervals."""
    low, high = _BOTTOM, _TOP
    holes: list[_Hole] = []
    takes_prereleases = False
    for match in _terms(text, whole):
        version, first_open = _version_of(match, whole)
        takes_prereleases = takes_prereleases or bool(version.prerelease)
        if match["operator"] == "!=":
            holes.append(_hole(version, first_open))
        else:
            from_, to = _interval(match["operator"], version, first_open)
            low, high = max(low, from_), min(high, to)
    return _Group(low, high, tuple(holes), takes_prereleases)


def _terms(text: str, whole: str) -> list[re.Match[str]]:
    """Split a group into its terms: one at least, with space or one comma between them."""
    terms: list[re.Match[str]] = []
    rest = text.strip("\t\n\f\r ")
    position = 0
    while True:
        term = _TERM.match(rest, position)
        if term is None:
            raise _improper(rest[position:], whole)
        terms.append(term)
        if term.end() == len(rest):
            return terms
        separator = _SEPARATOR.match(rest, term.end())
        if separator is None:
            raise _improper(rest[term.start() :], whole)
        position = separator.end()


def _improper(found: str, whole: str) -> PolicyError:
    """Say what was found where a term should stand."""
    where = f"{found[:60]!r} in it" if found else "nothing where a term should stand"
    return PolicyError(
        f"{whole[:140]!r} is not a version range; found {where}, "
        "expected terms such as >=1.2.3 or ~1.4 or 1.x, with spaces or commas for and, || for or"
    )


def _version_of(match: re.Match[str], whole: str) -> tuple[Version, _Open]:
    """Return the version of a term with zeros for its open parts, and where it is open.

    What stands behind the first star is not looked at, but for the prerelease.
    """
    major, minor, patch = match["major"], match["minor"], match["patch"]
    prerelease = match["prerelease"] or ""
    if major in _STARS:
        text, first_open = f"0.0.0{prerelease}", _Open.MAJOR
    elif minor in _STARS:
        text, first_open = f"{major}.0.0{prerelease}", _Open.MINOR
    elif patch in _STARS:
        text, first_open = f"{major}.{minor}.0{prerelease}", _Open.PATCH
    else:
        text, first_open = match["version"], _Open.NOTHING
    try:
        return Version.parse(text), first_open
    except PolicyError as error:
        raise PolicyError(f"{whole[:140]!r} is not a version range: {error}") from error


def _interval(operator: str, version: Version, first_open: _Open) -> tuple[Precedence, Precedence]:
    """Return the interval of a term, its end excluded. ``version`` has zeros for open parts."""
    at = version.precedence
    match operator:
        case ">":
            interval = (_behind(version, first_open), _TOP)
        case "<":
            interval = (_BOTTOM, at)
        case ">=" | "=>":
            interval = (at, _TOP)
        case "<=" | "=<":
            interval = (_BOTTOM, _end_of_at_most(version, first_open))
        case "^":
            interval = (at, _end_of_caret(version, first_open))
        case "" | "=" if first_open is _Open.NOTHING:
            interval = (at, (*at, 0))
        case _:  # "~", "~>", and "=" where a part is open
            interval = (at, _end_of_tilde(version, first_open))
    return interval


def _behind(version: Version, first_open: _Open) -> Precedence:
    """Return where ``>`` begins: ``>1`` means 2.0.0 and above, ``>1.1`` means 1.2.0 and above."""
    match first_open:
        case _Open.MINOR:
            return (version.major + 1,)
        case _Open.PATCH:
            return (version.major, version.minor + 1)
        case _Open.NOTHING | _Open.MAJOR:  # pragma: no branch  mypy sees that nothing is left
            return (*version.precedence, 0)


def _end_of_at_most(version: Version, first_open: _Open) -> Precedence:
    """Return where ``<=`` ends: ``<=1`` lets in all of 1.x. ``<=*`` ends with 0.0.x, as in the original."""
    match first_open:
        case _Open.NOTHING:
            return (*version.precedence, 0)
        case _Open.MINOR:
            return (version.major + 1,)
        case _Open.MAJOR | _Open.PATCH:  # pragma: no branch  mypy sees that nothing is left
            return (version.major, version.minor + 1)


def _end_of_tilde(version: Version, first_open: _Open) -> Precedence:
    """Return where ``~`` ends: with its minor, or its major where the minor is open; ``~0.0.0`` never ends."""
    if first_open is _Open.MINOR:
        return (version.major + 1,)
    is_zero = version.major == version.minor == version.patch == 0
    if is_zero and first_open is not _Open.PATCH:
        return _TOP
    return (version.major, version.minor + 1)


def _end_of_caret(version: Version, first_open: _Open) -> Precedence:
    """Return where ``^`` ends: behind the leftmost number that is not zero. ``^*`` is ``^0.0.0``."""
    if version.major > 0 or first_open is _Open.MINOR:
        return (version.major + 1,)
    if version.minor > 0 or first_open is _Open.PATCH:
        return (0, version.minor + 1)
    return (0, 0, version.patch + 1)


def _hole(version: Version, first_open: _Open) -> _Hole:
    """Return what ``!=`` takes out: ``!=1`` all of 1.x, ``!=1.2`` the 1.2.x of the same prerelease."""
    at: tuple[Any, ...] = version.precedence
    match first_open:
        case _Open.NOTHING | _Open.MAJOR:
            return _Hole(at, (*at, 0))
        case _Open.MINOR:
            return _Hole((version.major,), (version.major + 1,))
        case _Open.PATCH:  # pragma: no branch  mypy sees that nothing is left
            return _Hole((version.major, version.minor), (version.major, version.minor + 1), at[3])
