"""Overrides: which images of workloads never run as they are written, because a kustomization sets another tag."""

from collections.abc import Iterable, Mapping, Sequence

from policies.manifests.kustomizations import ImageEntry, Kustomization, Link, Tree
from policies.manifests.places import Reference, ReferenceKind
from policies.manifests.reach import MAX_DEPTH, target

_MAX_BUILDS = 20_000  # components are built once for each kustomization that has them

# How an image stands after what was built so far: its name, and whether a tag or a digest was set for it.
_Standing = tuple[str, bool]
_State = dict[Reference, frozenset[_Standing]]


def overrides(files: Mapping[str, bytes], references: Iterable[Reference]) -> frozenset[Reference]:
    """Return the workloads' references that ``images:`` of kustomizations in ``files`` override, in every build.

    Kustomize sets images after it read its resources, components and patches, innermost first, and by the name
    as it is written there. What no kustomization of ``files`` pulls in is not overridden.
    """
    mine = [one for one in references if ReferenceKind.WORKLOAD in {one.kind, one.shape}]
    builds = _Builds(files, mine)
    try:
        done = builds.all()
    except _TooMuchError:
        return frozenset()
    return frozenset(one for one, stands in done.items() if all(is_set for _, is_set in stands))


class _TooMuchError(Exception):
    """A repository that would take for ever to build: nothing is said of it."""


class _Builds:
    """Builds kustomizations as far as names of images go."""

    def __init__(self, files: Mapping[str, bytes], references: Iterable[Reference]) -> None:
        self.tree = Tree(files)
        self.by_path: dict[str, list[Reference]] = {}
        for one in references:
            self.by_path.setdefault(one.path, []).append(one)
        self._done: dict[str, _State] = {}
        self._open: set[str] = set()  # a kustomization that pulls in itself adds nothing
        self._count = 0

    def all(self) -> _State:
        """Build all that nothing else builds, and all that Flux builds. Raises: _TooMuchError."""
        if not self.by_path:
            return {}
        read = [self.tree.read(path) for path in self.tree.files]
        own = [one.own for one in read if one.own is not None]
        flux = [build for one in read for build in one.builds if self.tree.is_folder(build.folder)]
        inner = {
            self._target(one, link) for one in (*own, *flux) for link in (*one.resources, *one.components)
        }
        inner |= {path for build in flux for path in self.tree.built_by_flux(build.folder)}
        roots = [self._built(one.path, 0) for one in own if one.path not in inner]
        return _together([*roots, *(self._of_flux(build) for build in flux)])

    def _of_flux(self, build: Kustomization) -> _State:
        parts = [self._built(path, 0) for path in self.tree.built_by_flux(build.folder)]
        return self._finished(build, _together(parts), 0)

    def _built(self, path: str, depth: int) -> _State:
        """Return how the images of one file stand: a kustomization is built, any other holds what it holds."""
        own = self.tree.read(path).own if path in self.tree.files else None
        if own is None:
            return {one: frozenset({(str(one.repository), False)}) for one in self.by_path.get(path, ())}
        if path in self._open or depth > MAX_DEPTH:
            return {}
        if path not in self._done:
            self._open.add(path)
            self._done[path] = self._with(own, {}, depth)
            self._open.discard(path)
        return self._done[path]

    def _with(self, one: Kustomization, before: _State, depth: int) -> _State:
        """Add a kustomization to what was built before it, which only a component has."""
        self._count += 1
        if self._count > _MAX_BUILDS:
            raise _TooMuchError
        parts = [self._built(path, depth + 1) for path in self._targets(one, one.resources)]
        return self._finished(one, _together([before, *parts]), depth)

    def _finished(self, one: Kustomization, state: _State, depth: int) -> _State:
        """Apply components, patches and images, in Kustomize's order."""
        for path in self._targets(one, one.components):
            own = self.tree.read(path).own
            if own is not None and path not in self._open and depth < MAX_DEPTH:
                self._open.add(path)
                state = self._with(own, state, depth + 1)
                self._open.discard(path)
        patches = [self._built(path, depth + 1) for path in self._targets(one, one.patches)]
        state = _together([state, *patches])
        if not one.images:
            return state
        return {
            reference: frozenset(_applied(stands, one.images) for stands in before)
            for reference, before in state.items()
        }

    def _targets(self, one: Kustomization, links: Sequence[Link]) -> list[str]:
        found = (self._target(one, link) for link in links)
        return list(dict.fromkeys(path for path in found if path is not None))

    def _target(self, one: Kustomization, link: Link) -> str | None:
        return target(self.tree, one.folder, link.text)


def _applied(stands: _Standing, entries: Sequence[ImageEntry]) -> _Standing:
    """Apply one kustomization's entries to one image, one after the other."""
    name, is_set = stands
    for entry in entries:
        if entry.name == name:
            name, is_set = entry.new_name or name, is_set or entry.pins
    return name, is_set


def _together(states: Iterable[_State]) -> _State:
    """Put what was built apart beside each other; an image may stand in several ways."""
    whole: _State = {}
    for state in states:
        for reference, stands in state.items():
            before = whole.get(reference)
            whole[reference] = stands if before is None else before | stands
    return whole
