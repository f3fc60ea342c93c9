"""Flux's documents in the clone: of a commit, and whether a commit changed them. A file is looked at once."""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from bot.errors import PermanentError
from bot.repository.mirror import Mirror
from bot.repository.objects import Oid
from policies.rulebook import seen as rules_seen
from policies.rulebook.seen import Flux

MANIFESTS = (".yaml", ".yml", "Kustomization")  # the files that may name an image, or hold a document of Flux
_MAX_FILES = 200_000  # versions of files of which is remembered whether they matter
_KEPT = 16  # commits whose documents are remembered
_MANY = 500  # paths that one command line names; for more the whole commit is listed
_MAX_PATH = 1_000

_Name = TypeVar("_Name", bound=str)
Adds = Callable[[str, Oid], object]


class FluxShelf:
    """Reads Flux's documents out of the mirror and remembers them."""

    def __init__(self, mirror: Mirror) -> None:
        self._mirror = mirror
        self._matters: dict[tuple[str, Oid], bool] = {}
        self._read: dict[frozenset[tuple[str, Oid]], Flux] = {}
        self._at: dict[Oid, Flux] = {}
        self._changes: dict[tuple[Oid, bool], bool] = {}

    def read(self, commit: Oid) -> Flux:
        """Return the documents of a commit."""
        if commit not in self._at:
            files = self._mattering(self._mirror.listing(commit, [""]))
            key = frozenset(files.items())
            if key not in self._read:
                content = self._blobs(files.values())
                flux = rules_seen.read({path: content[oid] for path, oid in files.items()})
                self._read = {**dict(list(self._read.items())[-_KEPT:]), key: flux}
            self._at = {**dict(list(self._at.items())[-_KEPT:]), commit: self._read[key]}
        return self._at[commit]

    def changed(self, commit: Oid, adds: Adds | None) -> bool:
        """Whether a commit changed the documents against its first parent, or what ``adds`` takes from a file."""
        key = (commit, adds is not None)
        if key not in self._changes:
            self._changes[key] = self._compare(commit, adds)
        return self._changes[key]

    def _compare(self, commit: Oid, adds: Adds | None) -> bool:
        parents = self._mirror.parents(commit)
        if not parents:
            return True
        paths = [
            path
            for path in self._mirror.changed_paths(parents[0], commit)
            if path.endswith(MANIFESTS) and path.isprintable() and len(path) <= _MAX_PATH
        ]
        listed = paths if len(paths) <= _MANY else [""]
        old, new = self._mirror.listing(parents[0], listed), self._mirror.listing(commit, listed)
        return any(self._says(path, old, adds) != self._says(path, new, adds) for path in paths)

    def _says(self, path: str, listing: Mapping[str, Oid], adds: Adds | None) -> object:
        """Return what a file adds to what was looked at; None where it is not there or adds nothing."""
        oid = listing.get(path)
        if oid is None:
            return (None, frozenset()) if adds else None
        said = rules_seen.says(path, self._blobs([oid])[oid]) if self._mattering({path: oid}) else None
        return (said, adds(path, oid)) if adds else said

    def _mattering(self, listing: Mapping[str, Oid]) -> dict[str, Oid]:
        """Keep the files that hold documents of Flux, or change how these are read."""
        files = {path: oid for path, oid in listing.items() if path.endswith(MANIFESTS)}
        if len(self._matters) > _MAX_FILES:
            self._matters.clear()
        unread = {path: oid for path, oid in files.items() if (path, oid) not in self._matters}
        content = self._blobs(unread.values())
        for path, oid in unread.items():
            self._matters[path, oid] = rules_seen.concerns(path, content[oid])
        return {path: oid for path, oid in files.items() if self._matters[path, oid]}

    def _blobs(self, oids: Iterable[Oid]) -> dict[Oid, bytes]:
        return readable(self._mirror.blobs, list(dict.fromkeys(oids)))


def readable(read: Callable[[list[_Name]], Mapping[_Name, bytes]], names: list[_Name]) -> dict[_Name, bytes]:
    """Read files; one that cannot be read, for it is too large, is nobody's document: it counts as empty."""
    try:
        return dict(read(names))
    except PermanentError:
        if len(names) == 1:
            return {names[0]: b""}
        half = len(names) // 2
        return readable(read, names[:half]) | readable(read, names[half:])
