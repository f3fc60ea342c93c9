"""What is wrong with a repository's rules, and with the places that they name: of a folder, or of a commit."""

import os
import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from bot.errors import PermanentError
from bot.registries.signatures import TRUST_ROOT
from bot.repository.flux_shelf import MANIFESTS, readable
from bot.repository.mirror import MAX_BLOB_BYTES, Mirror
from bot.repository.objects import Oid
from policies.codes import Code
from policies.manifests import at_path, charts, kustomize, references
from policies.manifests.places import Found, Problem, ProblemCode, Reference
from policies.manifests.reach import SharedPin, reach, shared_pins
from policies.pins import Shelf, files_under, place_at
from policies.rulebook import seen as rules_seen
from policies.rulebook.findings import Finding, RulesError, Weight
from policies.rulebook.flux_lint import flux_findings
from policies.rulebook.lint import ReferenceSeen, lint
from policies.rulebook.parse import parse
from policies.rulebook.seen import Flux
from policies.rules.rules import Environment, Position, Rules, Service

MAX_FILES = 200_000  # a folder with more is not the one that was meant
_NAMES = (*MANIFESTS, ".json", ".toml")  # the files that may name an image, or be named by a rule
_GOOD_TO_KNOW = frozenset({ProblemCode.SHARED, ProblemCode.TEMPLATE})

Read = Callable[[Iterable[str]], Mapping[str, bytes]]


def lint_folder(root: Path, folder: str) -> tuple[Finding, ...]:
    """Look at the files of a work tree. Raises: PermanentError."""
    if not (root / folder).is_dir():
        raise PermanentError(
            f"there is no folder {folder}/ in {root}; expected the root of a GitOps repository"
        )

    def read(paths: Iterable[str]) -> Mapping[str, bytes]:
        return {path: _read(root / path) for path in paths}

    return _lint(sorted(_walk(root)), read, folder)


def lint_commit(mirror: Mirror, commit: Oid, folder: str) -> tuple[Finding, ...]:
    """Look at the files of a commit. Raises: BotError."""
    listing = mirror.listing(commit, [""])

    def read(paths: Iterable[str]) -> Mapping[str, bytes]:
        wanted = {path: listing[path] for path in paths}
        content = mirror.blobs(wanted.values())
        return {path: content[oid] for path, oid in wanted.items()}

    return _lint(sorted(listing), read, folder)


def _lint(paths: list[str], read: Read, folder: str) -> tuple[Finding, ...]:
    wanted = [path for path in paths if path.startswith(f"{folder}/")]
    if not any(path.endswith((".yaml", ".yml")) for path in wanted):
        here = Position(f"{folder}/", 1, 1)
        return (Finding(here, "there is no file with rules", "environments and services in a .yaml file"),)
    tree = Tree(paths, read)
    try:
        rules = parse(read(wanted), tree)
    except RulesError as error:
        return error.findings
    found = {*_places(rules, tree), *flux_findings(rules, tree.flux(), tree.kustomized)}
    return tuple(sorted(found, key=lambda one: (one.at.file, one.at.line, one.at.column)))


class Tree:
    """The files that may name an image or hold a document of Flux, each read once: what rules look at."""

    def __init__(self, every: list[str], read: Read) -> None:
        self.every = frozenset(every)
        self.paths = [path for path in every if path.endswith(MANIFESTS)]
        self._read = read
        self._found: dict[str, Found] = {}
        self._flux: Flux | None = None
        self._content: Mapping[str, bytes] | None = None

    @property
    def content(self) -> Mapping[str, bytes]:
        """All manifests, also those that no environment names."""
        if self._content is None:
            self._content = readable(self._read, self.paths)
        return self._content

    @property
    def kustomized(self) -> frozenset[str]:
        """The folders with a kustomization file."""
        return frozenset(
            posixpath.dirname(one) for one in self.every if posixpath.basename(one) in kustomize.FILES
        )

    def flux(self) -> Flux:
        """Return Flux's documents."""
        if self._flux is None:
            self._flux = rules_seen.read(self.content)
        return self._flux

    def references(self, folders: tuple[str, ...]) -> Iterator[Reference]:
        """Yield the image references in folders."""
        for one in self.found(files_under(folders, self.paths)).values():
            yield from one.references

    def shared(self, rules: Rules) -> Mapping[str, tuple[SharedPin, ...]]:
        """Return the images that environments pin only outside of their paths."""
        roots = {name: _folders(where, rules) for name, where in rules.environments.items()}
        reaches = {name: reach(self.content, folders) for name, folders in roots.items()}
        wanted = sorted({path for one in reaches.values() for path in one.files})
        return shared_pins((one for held in self.found(wanted).values() for one in held.references), reaches)

    def file(self, path: str) -> bytes | None:
        """Return any file, also one that holds no manifest; None where it is not there."""
        return self._read([path])[path] if path in self.every else None

    def found(self, paths: Iterable[str]) -> dict[str, Found]:
        """Return what files hold."""
        wanted = list(paths)
        unread = self._read([path for path in wanted if path not in self._found])
        self._found.update({path: references.find(path, content) for path, content in unread.items()})
        return {path: self._found[path] for path in wanted}


def _places(rules: Rules, tree: Tree) -> Iterator[Finding]:
    """Hold the rules against the files that their environments name."""
    seen: dict[str, list[ReferenceSeen]] = {}
    for name, where in rules.environments.items():
        found = list(tree.found(files_under(_folders(where, rules), tree.paths)).values())
        found.append(charts.resolve(found))
        seen[name] = [_seen(one) for held in found for one in held.references]
        yield from (_problem(one) for held in found for one in held.problems)
        yield from _torn(rules, where, tree)
    yield from _unrooted(rules, tree)
    yield from lint(rules, seen, tree.shared(rules))


def _unrooted(rules: Rules, tree: Tree) -> Iterator[Finding]:
    """Yield the gates whose trust root is not there: they wait for it."""
    for where in (*rules.environments.values(), *rules.exceptions.values()):
        for gate in where.gates:
            for path in gate.settings.get(TRUST_ROOT, ()):
                if path not in tree.every:
                    what = f"{TRUST_ROOT} of {gate.name} names {path}, which is not there"
                    yield Finding(gate.at, what, "a file with Sigstore's trust root, trusted_root.json")


def _folders(environment: Environment, rules: Rules) -> tuple[str, ...]:
    return tuple({folder for service in rules.services for folder in environment.paths_of(service)})


def _seen(one: Reference) -> ReferenceSeen:
    return ReferenceSeen(one.path, one.line, str(one.repository), one.marker)


def _problem(problem: Problem) -> Finding:
    what, _, expected = problem.detail.partition("; expected ")
    weight = Weight.NOTE if problem.code in _GOOD_TO_KNOW else Weight.WARNING
    return Finding(
        Position(problem.path, problem.line, 1), what, expected or "a reference that can be edited", weight
    )


def _torn(rules: Rules, where: Environment, tree: Tree) -> Iterator[Finding]:
    """Yield the services whose places contradict each other, or what they follow: they never move."""
    followed = [one.policy for (name, _), one in rules.there.items() if name == where.name]
    shelves: dict[tuple[str, ...], Shelf] = {}
    for name, service in rules.services.items():
        paths = where.paths_of(name)
        if paths not in shelves:
            shelves[paths] = Shelf.of(tree.found(files_under(paths, tree.paths)).values(), followed)
        meant = rules.service_in(where.name, name)
        if meant is None:
            continue
        if meant.addresses:
            yield from _addressed(meant, where, tree)
            continue
        pin = shelves[paths].place_of(meant).pin
        if pin.problem is Code.AMBIGUOUS:
            what = f"several places in {where.name} name {name} with different tags: {pin.detail}"
            yield Finding(service.at, what, "the same tag in all of them")
        elif pin.problem is Code.UNREADABLE:
            yield Finding(service.at, f"in {where.name} {pin.detail}", "the policy's own image")


def _addressed(service: Service, where: Environment, tree: Tree) -> Iterator[Finding]:
    """Yield what is wrong with the addresses of a service."""
    held = {at: tree.file(at.path) for at in service.addresses}
    found = {
        at: None if content is None else at_path.find(at, content, service.image)
        for at, content in held.items()
    }
    pin = place_at(service, found).pin
    if pin.problem is not None:
        what, _, expected = pin.detail.partition("; expected ")
        yield Finding(service.at, f"at of {service.name} in {where.name}: {what}", expected or "one tag")


def _walk(root: Path) -> Iterator[str]:
    """Yield the paths of regular files, without hidden folders; no link is followed. Raises: PermanentError."""
    count = 0
    for where, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in names:
            path = Path(where) / name
            if not (name.endswith(_NAMES) and path.is_file() and not path.is_symlink()):
                continue
            count += 1
            if count > MAX_FILES:
                raise PermanentError(f"{root} holds over {MAX_FILES} files; expected a GitOps repository")
            yield path.relative_to(root).as_posix()


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BLOB_BYTES)
    except OSError as error:
        raise PermanentError(f"{path} cannot be read: {error.strerror}") from error
