"""Folders of an environment: relative, normal, and claimed by one owner only."""

import posixpath
import re
from collections.abc import Iterable, Iterator

from policies.errors import PolicyError

PLACEHOLDER = "<service>"
MAX_PATH = 512
_STRANGE = re.compile(r"[\\*?<>]|[^\S ]", re.ASCII)


def folder(text: str) -> str:
    """Return a folder of the repository in its one spelling, ``<service>`` left in. Raises: PolicyError."""
    parts = [part for part in text.split("/") if part not in {"", "."}]
    expected = "a folder of the repository such as apps/staging"
    if text.startswith("/"):
        raise PolicyError(f"path {text[:80]!r} is absolute; expected {expected}")
    if ".." in parts or ".git" in (part.lower() for part in parts):
        raise PolicyError(f"path {text[:80]!r} leaves the repository's files; expected {expected}")
    if not parts or len(text) > MAX_PATH:
        raise PolicyError(f"path {text[:80]!r} is not a folder; expected {expected}")
    if _STRANGE.search(text.replace(PLACEHOLDER, "")) or not text.isprintable():
        raise PolicyError(
            f"path {text[:80]!r} is a pattern or not plain; expected {expected}, or with {PLACEHOLDER}"
        )
    return "/".join(parts)


def is_inside(path: str, other: str) -> bool:
    """Return whether a folder is another one or lies in it."""
    return path == other or path.startswith(f"{other}/")


def clashes(claims: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str, str]]:
    """Find folders that two owners claim, given as folder and owner: yields folder, its owner, and the other.

    One folder inside another one is a clash too. Each folder is told at most once.
    """
    claimed: dict[str, str] = {}
    pairs = list(claims)
    for path, owner in pairs:
        if claimed.setdefault(path, owner) != owner:
            yield path, owner, claimed[path]
    for path, owner in pairs:
        above = posixpath.dirname(path)
        while above:
            if claimed.get(above, owner) != owner:
                yield path, owner, claimed[above]
                break
            above = posixpath.dirname(above)
