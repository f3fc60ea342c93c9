"""Image references as values: a repository, a tag, a digest."""

import re
from dataclasses import dataclass
from typing import Self

from policies.errors import PolicyError
from policies.images.image_name import parse_repository

# OCI distribution specification, "Pulling manifests": a reference is a tag of at most 128 characters.
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}", re.ASCII)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)
_HOST = re.compile(
    r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?|\[[0-9a-fA-F:]+\](?::[0-9]{1,5})?", re.ASCII
)
_PATH = re.compile(
    r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*", re.ASCII
)
_MAX_REPOSITORY = 255


class Tag(str):
    """A tag as the registry names it: one line of ASCII, at most 128 characters."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return ``text`` as a tag. Raises: PolicyError."""
        if _TAG.fullmatch(text) is None:
            raise PolicyError(f"{text[:140]!r} is not a tag; expected at most 128 of A-Z a-z 0-9 _ . -")
        return cls(text)


class Digest(str):
    """The content address of a manifest or index: ``sha256:`` and 64 hexadecimal digits."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return ``text`` as a digest. Raises: PolicyError."""
        if _DIGEST.fullmatch(text) is None:
            raise PolicyError(f"{text[:140]!r} is not a digest; expected sha256: and 64 hexadecimal digits")
        return cls(text)


class Repository(str):
    """A repository as people write it: ``ghcr.io/example/checkout-api``, without tag and digest."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return ``text`` as a repository. Raises: PolicyError."""
        host, path = parse_repository(text)
        # Narrower than what Flux takes: a name that no registry can hold is refused before it is asked for.
        if len(text) > _MAX_REPOSITORY or _PATH.fullmatch(path) is None or _HOST.fullmatch(host) is None:
            raise PolicyError(f"{text[:140]!r} is not an image repository; expected HOST/PATH without tag")
        return cls(text)

    @property
    def host(self) -> str:
        """The registry's host and port; Docker Hub's where none is written."""
        return parse_repository(self)[0]

    @property
    def path(self) -> str:
        """The name inside its registry; Docker Hub's official images live under ``library``."""
        return parse_repository(self)[1]

    @property
    def canonical(self) -> str:
        """One spelling for each repository, so that ``alpine`` and ``docker.io/library/alpine`` are equal."""
        return "/".join(parse_repository(self))


@dataclass(frozen=True, slots=True)
class ImageReference:
    """One image: where it lives, what it is called, and what it is."""

    repository: Repository
    tag: Tag | None
    digest: Digest | None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Split ``repository[:tag][@digest]``. Raises: PolicyError."""
        named, at, digest = text.partition("@")
        head, slash, last = named.rpartition("/")
        name, colon, tag = last.partition(":")
        return cls(
            Repository.parse(head + slash + name),
            Tag.parse(tag) if colon else None,
            Digest.parse(digest) if at else None,
        )

    def __str__(self) -> str:
        """Write it as a manifest would: ``repository:tag@digest``."""
        tag = f":{self.tag}" if self.tag else ""
        return f"{self.repository}{tag}" + (f"@{self.digest}" if self.digest else "")
