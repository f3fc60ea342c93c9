"""Image names as Flux reads them (go-containerregistry, weak mode): parsing, canonical spelling, scheme."""

import ipaddress
import re
from dataclasses import dataclass
from typing import Self

from policies.errors import PolicyError

DOCKER_HUB = "index.docker.io"
_ALIAS = "docker.io"
_OFFICIAL = "library"  # where Docker Hub keeps names without a slash

_PATH = re.compile(r"[a-z0-9_./-]{1,255}")
_TAG = re.compile(r"[A-Za-z0-9_.-]{1,128}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
# RFC 3986 authority without user, as Go's net/url takes it: it lets all characters beyond ASCII through.
_HOST = re.compile(r"[A-Za-z0-9!$&'()*+,;=<>\"._~:\]\u0080-\U0010ffff-]*")
_PORT = re.compile(r"(?::[0-9]*)?")
_LOCAL = re.compile(r"localhost:.*|[^\n]*\.localhost(?::[0-9]{1,5})?", re.DOTALL)
_LOOPBACK = re.compile(r"127\.0\.0\.1(?::[0-9]{1,5})?|::1|\[::1\](?::[0-9]{1,5})?")
_PRIVATE = tuple(map(ipaddress.IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))  # RFC 1918


@dataclass(frozen=True, slots=True)
class ImageName:
    """A name taken apart. ``text`` is what was written; either ``tag`` or ``digest`` is set, never both.

    A tag beside a digest is checked and dropped: the digest says which image it is.
    """

    text: str
    registry: str
    path: str
    tag: str
    digest: str

    @classmethod
    def parse(cls, text: str, *, registry: str = DOCKER_HUB, tag: str = "latest") -> Self:
        """Read a reference; ``registry`` and ``tag`` stand in where none is written. Raises: PolicyError."""
        if "@" not in text:
            base, written = _split_tag(text)
            host, path = parse_repository(base, registry=registry)
            return cls(text, host, path, written or tag, "")
        base, _, digest = text.partition("@")
        if _DIGEST.fullmatch(digest) is None:
            raise PolicyError(
                f"{text[:140]!r} has no digest behind its @; expected sha256: and 64 hexadecimal digits"
            )
        host, path = parse_repository(_split_tag(base)[0], registry=registry)
        # Beside a digest the whole name is read again in its canonical spelling, which is longer on Docker Hub.
        host, path = parse_repository(f"{host}/{path}")
        return cls(text, host, path, "", digest)

    @property
    def repository(self) -> str:
        """The canonical spelling of the repository, the same for ``alpine`` and ``docker.io/library/alpine``."""
        return f"{self.registry}/{self.path}"

    @property
    def identifier(self) -> str:
        """The digest, or else the tag."""
        return self.digest or self.tag

    def __str__(self) -> str:
        """Write the canonical spelling of the whole name."""
        return f"{self.repository}@{self.digest}" if self.digest else f"{self.repository}:{self.tag}"


def parse_registry(text: str, *, default: str = DOCKER_HUB) -> str:
    """Return the host and port that ``text`` means; nothing means ``default``. Raises: PolicyError."""
    if not _is_authority(text):
        raise PolicyError(f"{text[:140]!r} is not a registry; expected HOST or HOST:PORT")
    name = text or default
    return DOCKER_HUB if name == _ALIAS else name


def parse_repository(text: str, *, registry: str = DOCKER_HUB) -> tuple[str, str]:
    """Return registry and path. The first part is a registry if it has a dot or a colon, or is ``localhost``.

    Raises: PolicyError.
    """
    first, slash, rest = text.partition("/")
    has_registry = bool(slash) and (first == "localhost" or "." in first or ":" in first)
    path = rest if has_registry else text
    if _PATH.fullmatch(path) is None:
        raise PolicyError(
            f"{text[:140]!r} is not an image repository; expected HOST/PATH in lower case without tag"
        )
    host = parse_registry(first if has_registry else "", default=registry)
    return host, f"{_OFFICIAL}/{path}" if host == DOCKER_HUB and "/" not in path else path


def parse_image_repository(text: str) -> ImageName:
    """Read ``ImageRepository.spec.image``: a name without scheme, tag and digest. Raises: PolicyError."""
    scheme, separator, _ = text.partition("://")
    if separator:
        raise PolicyError(
            f"the image {text[:140]!r} should not include a URL scheme; remove {scheme[:60] + '://'!r}"
        )
    name = ImageName.parse(text)
    _, colon, tag = text.removeprefix(name.registry).partition(":")
    if colon:
        raise PolicyError(f"the image {text[:140]!r} should not include a tag; remove {':' + tag[:140]!r}")
    return name


def scheme(registry: str, *, insecure: bool = False) -> str:
    """Return ``http`` for what is on this machine or in a private network or said to be insecure, else ``https``."""
    is_near = _LOCAL.fullmatch(registry) or _LOOPBACK.fullmatch(registry)
    return "http" if insecure or is_near or is_private(registry) else "https"


def is_private(registry: str) -> bool:
    """Say whether the host is an address of a private network (RFC 1918)."""
    try:
        address = ipaddress.IPv4Address(registry.partition(":")[0])
    except ValueError:
        return False
    return any(address in network for network in _PRIVATE)


def _split_tag(text: str) -> tuple[str, str]:
    """Return what stands before the tag, and the tag: nothing where none is written. Raises: PolicyError."""
    base, colon, tag = text.rpartition(":")
    if not colon or "/" in tag:  # the colon of a port
        return text, ""
    if _TAG.fullmatch(tag) is None:
        raise PolicyError(
            f"{text[:140]!r} has no tag behind its colon; expected at most 128 of A-Z a-z 0-9 _ . -"
        )
    return base, tag


def _is_authority(text: str) -> bool:
    """Say whether Go's net/url takes ``text`` for a host, with or without a port."""
    if text.startswith("["):
        address, bracket, port = text[1:].rpartition("]")
        return bool(bracket) and _PORT.fullmatch(port) is not None and _is_ipv6(address)
    colon = text.rfind(":")
    port = text[colon:] if colon >= 0 else ""
    return _HOST.fullmatch(text) is not None and _PORT.fullmatch(port) is not None


def _is_ipv6(text: str) -> bool:
    """Say whether it is an IPv6 address without a zone."""
    try:
        return ipaddress.IPv6Address(text).scope_id is None
    except ValueError:
        return False
