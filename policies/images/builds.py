"""When images were built: what can be trusted of it, and what it is for a version."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Final

from policies.images.image import Repository, Tag

# Docker's first release. What is older is no build: reproducible builds write the epoch, or another constant.
EARLIEST: Final = datetime(2013, 3, 20, tzinfo=UTC)
SKEW: Final = timedelta(minutes=5)  # between the builder's clock and ours

Said = tuple[tuple[str, ...], ...]  # for each platform: the texts that name an instant, the better first


@dataclass(frozen=True, slots=True)
class Build:
    """When what a tag names was built (UTC); none = nothing that can be trusted says so, and ``detail`` why.

    ``is_untrusted``: something says it, and cannot be so.
    """

    at: datetime | None
    detail: str = ""
    is_untrusted: bool = False


# repository, tag, platforms that count (none = all): the same tag may be asked about for several services
BuildKey = tuple[Repository, Tag, tuple[str, ...]]
Builds = Mapping[BuildKey, Build]
NO_BUILDS: Builds = MappingProxyType({})


def judged(said: Said, now: datetime) -> Build:
    """Return when an image was built: when the last of its platforms was. ``now`` is the time of the look (UTC)."""
    found = [_of_platform(texts, now) for texts in said]
    wrong = next((one for one in found if one.at is None), None)
    if wrong or not found:
        return wrong or Build(None, "it has no image of the service's platforms")
    return Build(max(one.at for one in found if one.at))


def _of_platform(texts: Iterable[str], now: datetime) -> Build:
    """Return the first instant that can be trusted, else why the first that is said cannot."""
    wrong: Build | None = None
    for text in filter(None, texts):
        one = _read(text, now)
        if one.at is not None:
            return one
        wrong = wrong or one
    return wrong or Build(None, "neither its configuration nor an annotation says when it was built")


def _read(text: str, now: datetime) -> Build:
    """Read an instant as image configurations have it: RFC 3339 (OCI image specification, "created")."""
    try:
        at = datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return Build(None, f"{text[:40]!r} is no instant", is_untrusted=True)
    if at < EARLIEST:
        return Build(
            None, f"{at:%Y-%m-%d} is no time of a build: reproducible builds write it", is_untrusted=True
        )
    if at > now + SKEW:
        return Build(None, f"{at:%Y-%m-%d %H:%M} UTC is yet to come", is_untrusted=True)
    return Build(at)


def together(found: Iterable[Build | None]) -> Build | None:
    """Return when a version of several images was built: when the last was; none where one was not asked about."""
    all_of = list(found)
    if None in all_of:
        return None
    known = [one for one in all_of if one is not None]
    wrong = next((one for one in known if one.at is None), None)
    return wrong or Build(max(one.at for one in known if one.at))
