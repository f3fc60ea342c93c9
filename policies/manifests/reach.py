"""Reach: what an environment's kustomizations pull in from elsewhere in the repository, and who shares it."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from policies.manifests.kustomizations import Kustomization, Link, Tree, is_remote, joined
from policies.manifests.places import Problem, ProblemCode, Reference

MAX_DEPTH = 50  # kustomizations that pull in each other; nobody nests more than a few


@dataclass(frozen=True, slots=True)
class Reach:
    """The files of an environment: its own, and with who pulls them in those from outside of its paths."""

    files: frozenset[str]
    shared: Mapping[str, tuple[str, ...]]
    problems: tuple[Problem, ...] = ()

    @property
    def own(self) -> frozenset[str]:
        """The files below the environment's paths."""
        return self.files - self.shared.keys()


@dataclass(frozen=True, slots=True)
class SharedPin:
    """An image that an environment pins only in a file outside of its paths, and all environments that share it."""

    reference: Reference
    environments: tuple[str, ...]

    @property
    def detail(self) -> str:
        """Say it in one line, for people."""
        one = self.reference
        *others, last = self.environments
        who = (
            f"{', '.join(others)} and {last} share" if others else f"{last} pulls in from outside of its path"
        )
        return f"{one.repository} is pinned only in {one.path}:{one.line}, which {who}"


def reach(files: Mapping[str, bytes], roots: Iterable[str]) -> Reach:
    """Return what the paths ``roots`` reach in a repository of ``files``; raises nothing, on any bytes.

    What is fetched from elsewhere is left out. A kustomization whose file is not there, or outside, is said.
    """
    tree = Tree(files)
    folders = [joined("", root.lstrip("/")) for root in roots]
    own = {path for folder in folders if folder is not None for path in tree.under(folder)}
    pulled: dict[str, set[str]] = {}
    problems: list[Problem] = []
    seen = set(own)
    ahead = deque((path, 0) for path in sorted(own))
    while ahead:
        path, depth = ahead.popleft()
        for found in _pulled_by(tree, path):
            if isinstance(found, Problem):
                problems.append(found)
                continue
            if found not in own:
                pulled.setdefault(found, set()).add(path)
            if found not in seen and depth < MAX_DEPTH:
                seen.add(found)
                ahead.append((found, depth + 1))
            elif found not in seen:
                detail = f"pulls in {found!r}, more than {MAX_DEPTH} steps away; expected less depth"
                problems.append(Problem(path, 1, ProblemCode.TOO_DEEP, detail))
    shared = {path: tuple(sorted(who)) for path, who in sorted(pulled.items()) if path in seen}
    return Reach(frozenset(seen), shared, tuple(sorted(set(problems), key=lambda one: (one.path, one.line))))


def shared_pins(
    references: Iterable[Reference], reaches: Mapping[str, Reach]
) -> Mapping[str, tuple[SharedPin, ...]]:
    """Return by environment the images that it reaches, and pins in none of its own files."""
    pins = [one for one in references if one.tag or one.digest]
    by_path: dict[str, list[Reference]] = {}
    for one in pins:
        by_path.setdefault(one.path, []).append(one)
    users = {
        path: tuple(sorted(name for name, one in reaches.items() if path in one.files)) for path in by_path
    }
    found = {}
    for name, reached in reaches.items():
        own = {one.repository.canonical for path in reached.own for one in by_path.get(path, ())}
        found[name] = tuple(
            SharedPin(one, users[path])
            for path in reached.shared
            for one in by_path.get(path, ())
            if one.repository.canonical not in own
        )
    return found


def _pulled_by(tree: Tree, path: str) -> Iterator[str | Problem]:
    """Yield the files that one file pulls in, or what is wrong with it."""
    said = tree.read(path)
    if said.problem is not None:
        yield said.problem
    if said.own is not None:
        yield from _of_kustomization(tree, said.own)
    for build in said.builds:
        if tree.is_folder(build.folder):  # else it is a folder of another repository
            yield from tree.built_by_flux(build.folder)
            for link in build.components:
                yield from _file_of(tree, build, link)


def _of_kustomization(tree: Tree, one: Kustomization) -> Iterator[str | Problem]:
    for link in (*one.resources, *one.components, *one.patches):
        yield from _file_of(tree, one, link)
    for link in one.others:  # values, plain files: what is not given here is nobody's business
        found = joined(one.folder, link.text)
        if found is not None and found in tree.files:
            yield found


def _file_of(tree: Tree, one: Kustomization, link: Link) -> Iterator[str | Problem]:
    """Yield the file that a link leads to: a folder stands for its kustomization."""
    found = target(tree, one.folder, link.text)
    if found is not None:
        yield found
    elif not is_remote(link.text):
        code = ProblemCode.OUTSIDE if joined(one.folder, link.text) is None else ProblemCode.MISSING
        what = "leads out of the repository" if code is ProblemCode.OUTSIDE else "is not there"
        detail = f"{link.text[:140]!r} {what}; expected a file, or a folder with a kustomization.yaml"
        yield Problem(one.path, link.line, code, detail)


def target(tree: Tree, folder: str, text: str) -> str | None:
    """Return the file that Kustomize reads for a path from a folder; None where there is none."""
    found = joined(folder, text)
    if found is None:
        return None
    return found if found in tree.files else tree.kustomization_in(found)
