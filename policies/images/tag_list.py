"""What a scan of a repository keeps: its tags without the excluded ones, in the order in which Flux stores them."""

from collections.abc import Iterable, Sequence
from zlib import adler32

from policies.errors import PolicyError
from policies.images.tag_filter import compiled

_SIGNATURES = r"^.*\.sig$"  # cosign stores them as tags
DEFAULT_EXCLUSIONS = (_SIGNATURES,)
MAX_EXCLUSIONS = 25  # ImageRepository, spec.exclusionList
_LATEST = 10  # ImageRepository, status.lastScanResult.latestTags


def exclusions_of(written: Sequence[str] | None) -> tuple[str, ...]:
    """Return the exclusion list in force: an own list replaces the default, an empty one does not."""
    return tuple(written or DEFAULT_EXCLUSIONS)


def without_excluded(tags: Iterable[str], exclusions: Iterable[str]) -> list[str]:
    """Leave out the tags in which one of the RE2 patterns is found. Raises: PolicyError."""
    searches = [
        _is_signature if pattern == _SIGNATURES else compiled(pattern).search for pattern in exclusions
    ]
    return [tag for tag in tags if _is_text(tag) and not any(search(tag) for search in searches)]


def scan(tags: Iterable[str], exclusions: Sequence[str] | None = None) -> tuple[str, ...]:
    """Return what is stored of the tags of a registry, in descending byte order. Raises: PolicyError."""
    if exclusions is not None and len(exclusions) > MAX_EXCLUSIONS:
        raise PolicyError(
            f"the exclusion list has {len(exclusions)} patterns; expected at most {MAX_EXCLUSIONS}"
        )
    return tuple(sorted(without_excluded(tags, exclusions_of(exclusions)), reverse=True))


def latest_tags(stored: Sequence[str]) -> tuple[str, ...]:
    """Return the tags that a status shows: the first ten stored ones, which need not be the newest."""
    return tuple(stored[:_LATEST])


def checksum(stored: Sequence[str]) -> str:
    """Return the revision of a stored list, equal for equal lists whatever the order of the registry."""
    return str(adler32(",".join(stored).encode()))


def is_same_exclusion_list(one: Sequence[str], other: Sequence[str]) -> bool:
    """Say whether a change of the list asks for a new scan: as sets, but a repeated pattern counts as Flux does."""
    return len(one) == len(other) and set(one) <= set(other)


def _is_signature(tag: str) -> bool:
    """Search for the default pattern, which nearly every list has, in a tenth of the time."""
    return tag.endswith(".sig") and "\n" not in tag


def _is_text(tag: str) -> bool:
    """Say whether the name can be written down: half a character cannot."""
    return tag.isascii() or not any("\ud800" <= character <= "\udfff" for character in tag)
