"""Versions of a service that follows one tag: they are told apart by their digest, ``latest@sha256:9b1c2d3e4f5a``."""

import re
from collections.abc import Sequence
from typing import Final

from policies.entries.entry import Pinned
from policies.rules.rules import Service

SHORT: Final = 19  # characters of a digest that people read: ``sha256:`` and twelve digits
_SAID: Final = re.compile(
    r"(?:(?P<tag>[A-Za-z0-9_][A-Za-z0-9._-]{0,127})@)?(?P<digest>sha256:[0-9a-f]{4,64})", re.ASCII
)


def called(service: Service | None, images: Sequence[Pinned]) -> str:
    """Return what people call a version: its tag, with the short digest where the service follows a tag."""
    if not images:
        return ""
    first = images[0]
    is_followed = service is not None and service.versions.followed
    return f"{first.tag}@{first.digest[:SHORT]}" if is_followed and first.digest else first.tag


def tag_in(version: str) -> str:
    """Return the tag of a version as it is called."""
    return version.partition("@")[0]


def is_digest(word: str) -> bool:
    """Whether a word names a version by its digest, or the beginning of one."""
    return _SAID.fullmatch(word) is not None


def is_meant(service: Service | None, images: Sequence[Pinned], said: str) -> bool:
    """Whether who says this means these images: the version as it is called, or the beginning of its digest."""
    if not images or called(service, images) == said:
        return bool(images)
    read = _SAID.fullmatch(said)
    if read is None or service is None or not service.versions.followed:
        return False
    return read["tag"] in {None, images[0].tag} and images[0].digest.startswith(read["digest"])


def told_apart(previous: Sequence[Pinned], image: Sequence[Pinned]) -> tuple[str, str]:
    """Return what stood there and what comes as one line tells them apart: by digest where the tag is the same."""
    is_same = bool(previous and image) and [one.tag for one in previous] == [one.tag for one in image]
    before, after = (
        ", ".join(_spelled(one, with_digest=is_same) for one in images) for images in (previous, image)
    )
    return before, after


def _spelled(image: Pinned, *, with_digest: bool) -> str:
    return f"{image.tag}@{image.digest[:SHORT]}" if with_digest and image.digest else image.tag
