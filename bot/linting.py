"""What is wrong with a repository's rules, and with the places that they name: of a folder, or of a commit."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from bot.errors import PermanentError
from bot.mirror import MAX_BLOB_BYTES, Mirror
from bot.objects import Oid
from policies import references
from policies.codes import Code
from policies.pins import files_under, place_of
from policies.places import Found, Problem, ProblemCode
from policies.rules import Environment, Position, Rules
from policies.rules_findings import Finding, RulesError, Weight
from policies.rules_lint import ReferenceSeen, lint
from policies.rules_parse import parse

MAX_FILES = 200_000  # a folder with more is not the one that was meant
_NAMES = (".yaml", ".yml", "Kustomization")  # the files that may name an image
_GOOD_TO_KNOW = frozenset({ProblemCode.SHARED, ProblemCode.TEMPLATE})

Read = Callable[[Iterable[str]], Mapping[str, bytes]]


def lint_folder(root: Path, folder: str) -> tuple[Finding, ...]:
    """Look at the files of a work tree. Raises: PermanentError."""
    if not (root / folder).is_dir():
        raise PermanentError(
            f"there is no folder {folder}/ in {root}; expected the root of a GitOps repository"
        )
    return _lint(sorted(_walk(root)), lambda paths: {path: _read(root / path) for path in paths}, folder)


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
    try:
        rules = parse(read(wanted))
    except RulesError as error:
        return error.findings
    return _places(rules, [path for path in paths if path.endswith(_NAMES)], read)


def _places(rules: Rules, paths: list[str], read: Read) -> tuple[Finding, ...]:
    """Hold the rules against the files that their environments name."""
    folders = {
        (name, service): environment.paths_of(service)
        for name, environment in rules.environments.items()
        for service in rules.services
    }
    everywhere = tuple(sorted({folder for found in folders.values() for folder in found}))
    looked_at = files_under(everywhere, paths)
    found = {path: references.find(path, content) for path, content in read(looked_at).items()}
    files = {name: files_under(_folders(one, rules), looked_at) for name, one in rules.environments.items()}
    seen = {name: [one for path in held for one in _seen(found[path])] for name, held in files.items()}
    problems = dict.fromkeys(_problem(one) for path in looked_at for one in found[path].problems)
    torn = _torn(rules, folders, found)
    return tuple(
        sorted(
            {*lint(rules, seen), *problems, *torn}, key=lambda one: (one.at.file, one.at.line, one.at.column)
        )
    )


def _folders(environment: Environment, rules: Rules) -> tuple[str, ...]:
    return tuple({folder for service in rules.services for folder in environment.paths_of(service)})


def _seen(found: Found) -> Iterator[ReferenceSeen]:
    for one in found.references:
        yield ReferenceSeen(one.path, one.line, str(one.repository), one.marker)


def _problem(problem: Problem) -> Finding:
    what, _, expected = problem.detail.partition("; expected ")
    weight = Weight.NOTE if problem.code in _GOOD_TO_KNOW else Weight.WARNING
    return Finding(
        Position(problem.path, problem.line, 1), what, expected or "a reference that can be edited", weight
    )


def _torn(
    rules: Rules, folders: Mapping[tuple[str, str], tuple[str, ...]], found: Mapping[str, Found]
) -> Iterator[Finding]:
    """Yield the services that several places name with different tags: they never move."""
    for (environment, service), paths in folders.items():
        held = files_under(paths, found)
        mine = [one for path in held for one in found[path].references]
        pin = place_of(rules.services[service], mine, ()).pin
        if pin.problem is Code.AMBIGUOUS:
            what = f"several places in {environment} name {service} with different tags: {pin.detail}"
            yield Finding(rules.services[service].at, what, "the same tag in all of them")


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
