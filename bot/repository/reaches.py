"""The reach of environments at commits: their folders, and what these pull in from the same repository."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from bot.repository.flux_shelf import MANIFESTS, readable
from bot.repository.mirror import Mirror
from bot.repository.objects import Oid
from policies.manifests.places import ProblemCode
from policies.manifests.reach import reach
from policies.rules.rules import Environment, Rules


class _Files(Mapping[str, bytes]):
    """The files of a commit by path; what can hold no kustomization is empty, and so is what is too large."""

    def __init__(self, mirror: Mirror, listing: Mapping[str, Oid], soon: list[str]) -> None:
        """Read what is certainly looked at in one go, the rest when it is asked for."""
        self._mirror, self._listing = mirror, listing
        self._read = readable(mirror.blobs, [listing[path] for path in soon if path.endswith(MANIFESTS)])

    def __getitem__(self, path: str) -> bytes:
        oid = self._listing[path]
        if not path.endswith(MANIFESTS):
            return b""
        if oid not in self._read:
            self._read |= readable(self._mirror.blobs, [oid])
        return self._read[oid]

    def __iter__(self) -> Iterator[str]:
        return iter(self._listing)

    def __len__(self) -> int:
        return len(self._listing)


@dataclass(frozen=True, slots=True)
class _Reached:
    """What an environment reaches at a commit, and whether a link waits for a file that is not there."""

    roots: tuple[str, ...]
    files: frozenset[str]
    every: frozenset[str]
    is_whole: bool


@dataclass(slots=True)
class Reaches:
    """Says whether commits touch what an environment is made of. Made anew only where what it read has changed."""

    mirror: Mirror
    _known: dict[str, _Reached] = field(default_factory=dict)

    def forget(self, where: Environment) -> None:
        """Note that a commit changed the environment's own files: what these pull in may be something else now."""
        self._known.pop(where.name, None)

    def touches(
        self, rules: Rules, where: Environment, paths: tuple[str, ...], *, parent: Oid, commit: Oid
    ) -> bool:
        """Whether a commit changed, against ``parent``, what is pulled in; commits come in their order."""
        roots = tuple(sorted({root for name in rules.services for root in where.paths_of(name)}))
        known = self._known.get(where.name)
        if known is None or known.roots != roots:
            known = self._known[where.name] = self._look(parent, roots)
        if not known.files.isdisjoint(paths):
            self.forget(where)
            return True
        if known.is_whole or known.every.issuperset(paths):
            return False
        known = self._known[where.name] = self._look(
            commit, roots
        )  # a file has come that a link may wait for
        return not known.files.isdisjoint(paths)

    def _look(self, commit: Oid, roots: tuple[str, ...]) -> _Reached:
        listing = self.mirror.listing(commit, [""])
        own = [path for path in listing if any(_is_under(path, root) for root in roots)]
        found = reach(_Files(self.mirror, listing, own), roots)
        is_whole = all(one.code is not ProblemCode.MISSING for one in found.problems)
        return _Reached(roots, found.files, frozenset(listing), is_whole)


def _is_under(path: str, folder: str) -> bool:
    return folder in {"", "."} or path == folder or path.startswith(f"{folder}/")
