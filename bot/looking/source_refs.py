"""Which commits of a service's source two versions of it are: as their images say, and as its tags are called."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from bot.errors import PermanentError
from bot.looking.image_sources import ImageSources, repository_of
from policies.entries.entry import Pinned
from policies.rules.rules import Host, Service

_FORMS = ("{}", "v{}")  # how a tag of an image is called in Git
_ADDRESS = re.compile(
    r"(?:https?://[^/]+/)?([A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]{1,100}?)(?:\.git)?/?", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Refs:
    """Two refs of a repository, OWNER/NAME: what was built of the one, and of the other."""

    source: str
    old: str
    new: str


def by_labels(
    images: ImageSources, hosts: Mapping[str, Host], service: Service, home: str, *, old: Pinned, new: Pinned
) -> Refs:
    """Return the commits that two images say they were built of; ``home`` is our owner's page at the forge.

    Raises: PermanentError.
    """
    read = [images.of(one, hosts) for one in (old, new)]
    said = [one for one in read if not isinstance(one, str)]
    if len(said) < len(read):
        raise PermanentError(next(one for one in read if isinstance(one, str)))
    places = {repository_of(one.source, service.source, home) for one in said}
    if len(places) != 1 or "" in places:
        meant = service.source or f"a repository below {home}"
        raise PermanentError(f"the images do not both name {meant} as their source")
    first, second = (one.revision for one in said)
    return Refs(places.pop(), first, second)


def pairs(old: Iterable[Pinned], new: Iterable[Pinned]) -> Iterator[tuple[Pinned, Pinned]]:
    """Yield each new image behind the one that ran before. Raises: PermanentError, where none did."""
    before = {one.repository: one for one in old}
    for one in new:
        if one.repository not in before:
            raise PermanentError(f"{one.repository} did not run before")
        yield before[one.repository], one


def by_tags(service: Service, old: str, new: str) -> Iterator[Refs]:
    """Yield the tags that two versions may be called by in Git. Raises: PermanentError, where no source is named."""
    address = _ADDRESS.fullmatch(service.source)
    if address is None:
        raise PermanentError(f"the rules name no source of {service.name}")
    yield from (Refs(address[1], form.format(old), form.format(new)) for form in _FORMS)


def no_such_tags(refs: Refs) -> PermanentError:
    """Return the error that says that no form of two tags is there; ``refs`` are the last that were tried."""
    old, new = (one.removeprefix("v") for one in (refs.old, refs.new))
    return PermanentError(
        f"{refs.source} has no tags {old} and {new}, with v before them neither, or may not be seen"
    )
