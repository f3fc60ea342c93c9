"""``countersign set``: write images where markers ask for them, and say what was changed and what was not done."""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.errors import PermanentError
from bot.folder import Folder
from handlers.shell.select import chosen_repository
from handlers.shell.set_all import NO_DIGEST, Settled, everything_to
from handlers.shell.tag_sources import Live, Shelf, read_documents, read_shelf
from handlers.shell.terminal import FINDINGS, FINE, UseError, print_json, print_lines, tell
from policies.bump import bump
from policies.errors import PolicyError
from policies.flux.documents import FluxDocuments, ImagePolicy, ImageRepository, Reason
from policies.images import tag_list
from policies.images.digest_reflection import DigestReflection
from policies.images.evidence import Silence, TagAnswer
from policies.images.image import ImageReference, Repository, Tag
from policies.images.selection import select
from policies.manifests import setters
from policies.manifests.places import Problem, ProblemCode
from policies.manifests.setters import Setting
from policies.texts import edit, unified_diff

SCHEMA = "countersign.set/1"
NOT_SELECTED = "not-selected"
SUSPENDED = "suspended"
# What is good to know, and no reason for a pipeline to fail; --strict thinks otherwise.
NOTES = frozenset(
    {
        ProblemCode.CHART_RANGE,
        ProblemCode.CHART_SOURCE,
        ProblemCode.MARKER_POLICY,
        ProblemCode.NOT_AN_IMAGE,
        ProblemCode.SHARED,
        Reason.NO_EFFECT,
        SUSPENDED,
        "symlink",
    }
)


@dataclass(slots=True)
class Report:
    """What was changed, with the line of each change; the files before and after; what was not done."""

    changes: list[tuple[int, edit.Edit]] = field(default_factory=list)
    files: dict[str, tuple[bytes, bytes]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    failed: str = ""  # why writing ended early

    def add(self, path: str, before: bytes, setting: Setting) -> None:
        """Note what became of one file."""
        self.problems += setting.problems
        if setting.content != before:
            text = before.decode("utf-8")
            self.files[path] = (before, setting.content)
            changes = sorted(set(setting.changes), key=lambda change: change.start)
            self.changes += [(text.count("\n", 0, change.start) + 1, change) for change in changes]

    def is_fine(self, *, strict: bool) -> bool:
        """Say whether nothing was refused; ``strict``: and nothing noted."""
        return not self.failed and all(not strict and problem.code in NOTES for problem in self.problems)


def run(
    *,
    folder: Path,
    images: Sequence[str],
    policies: Sequence[Path],
    tags: str,
    all_to: str,
    live: Live | None,
    dry_run: bool,
    strict: bool,
    as_json: bool,
) -> int:
    """Set what was asked for in a folder and print it. Raises: UseError, PermanentError."""
    if sum(map(bool, (images or policies, all_to))) != 1:
        raise UseError("say what to set: --image NS:NAME=IMAGE:TAG, --policies PATH, or --all-to TAG alone")
    if bool(policies) != bool(tags or live) or (tags and live):
        raise UseError(
            "--policies needs tags: --tags FILE, or --live; one of them, and never without --policies"
        )
    if not folder.exists():
        raise UseError(f"there is no folder or file {folder}")
    report = Report()
    opened = Folder.open(folder)
    if all_to:
        settings = everything_to(all_to, opened.files())
    else:
        wanted = (
            chosen(read_documents(policies), live or read_shelf(tags), report.problems) if policies else {}
        )
        settings = by_markers(wanted | dict(map(_named, images)), opened.files())
    look(opened, settings, report)
    if not dry_run:
        _write(opened, report)
    _print(report, dry_run=dry_run, strict=strict, as_json=as_json)
    return FINE if report.is_fine(strict=strict) else FINDINGS


def look(folder: Folder, settings: Iterable[Settled], report: Report) -> None:
    """Find out what every file would become; writes nothing. Raises: PermanentError."""
    for path, content, setting in settings:
        report.add(path, content, setting)
    report.problems += [Problem(one.path, 1, one.code, one.detail) for one in folder.left_out]
    report.problems.sort(key=lambda problem: (problem.path, problem.line))
    report.changes.sort(key=lambda one: (one[1].path, one[1].start))


def by_markers(wanted: Mapping[str, ImageReference], files: Iterable[tuple[str, bytes]]) -> Iterator[Settled]:
    """Yield what becomes of files whose markers are followed to these images, by ``namespace:name`` of a policy."""
    for path, content in files:
        yield path, content, setters.set_markers(path, content, wanted)


def _named(text: str) -> tuple[str, ImageReference]:
    """Split ``ns:name=image:tag[@digest]``. Raises: UseError."""
    policy, equals, image = text.partition("=")
    namespace, colon, name = policy.replace("/", ":").partition(":")
    if not equals or not namespace or not colon or not name:
        raise UseError(f"--image is {text[:140]!r}; expected NAMESPACE:NAME=IMAGE:TAG, with @DIGEST or not")
    try:
        return f"{namespace}:{name}", setters.latest(image)
    except PolicyError as error:
        raise UseError(f"--image {policy[:140]}: {error}") from error


# --- what policies choose -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Followed:
    """A policy that can choose, and what it chooses from."""

    policy: ImagePolicy
    image: Repository
    exclusions: tuple[str, ...]

    @property
    def marker(self) -> str:
        """What a marker says to follow it."""
        return f"{self.policy.name.namespace}:{self.policy.name.name}"

    def problem(self, code: str, detail: str) -> Problem:
        """Say why it is not followed."""
        return Problem(self.policy.path, self.policy.line, code, detail)


def chosen(
    documents: FluxDocuments, source: Live | Shelf, problems: list[Problem]
) -> dict[str, ImageReference]:
    """Return the image of each policy that can be followed, by ``namespace:name``; the others join ``problems``."""
    problems += [problem for problem in documents.problems if problem.code != Reason.NO_EFFECT]
    followed = list(_followed(documents, problems))
    answers = source.tags(sorted({one.image for one in followed}))
    picked: list[tuple[_Followed, Tag]] = []
    for one in followed:
        tag = _pick(one, answers[one.image])
        if isinstance(tag, Problem):
            problems.append(tag)
        else:
            picked.append((one, tag))
    pinned = {(one.image, tag) for one, tag in picked if one.policy.digest is not DigestReflection.NEVER}
    digests = source.digests(sorted(pinned))
    images: dict[str, ImageReference] = {}
    for one, tag in picked:
        digest = digests[one.image, tag] if one.policy.digest is not DigestReflection.NEVER else None
        if isinstance(digest, Silence):
            problems.append(one.problem(NO_DIGEST, digest.detail))
        else:
            images[one.marker] = ImageReference(one.image, tag, digest)
    return images


def _followed(documents: FluxDocuments, problems: list[Problem]) -> Iterator[_Followed]:
    """Yield the policies that can choose; why others cannot, the documents' problems say, or these."""
    for policy in documents.policies:
        repository = chosen_repository(policy, documents)
        if policy.selection is None or not isinstance(repository, ImageRepository):
            continue
        obstacle = _obstacle(policy, documents)
        try:
            image = Repository.parse(repository.image)
        except PolicyError as error:
            obstacle = obstacle or (Reason.IMAGE_URL_INVALID, str(error))
        if obstacle:
            problems.append(Problem(policy.path, policy.line, *obstacle))
        else:
            yield _Followed(policy, image, repository.exclusions)


def _obstacle(policy: ImagePolicy, documents: FluxDocuments) -> tuple[str, str] | None:
    """Say why a valid policy is not followed."""
    name = f"ImagePolicy {policy.name}"
    same = [f"{other.path}:{other.line}" for other in documents.policies if other.name == policy.name]
    if len(same) > 1:
        return (
            Reason.AMBIGUOUS,
            f"{name} stands more than once: {', '.join(same[:10])}; expected one, name its folder",
        )
    if policy.is_suspended:
        return SUSPENDED, f"{name} is suspended: what its markers hold stays"
    if not policy.name.namespace:
        return Reason.INVALID, f"{name} has no namespace; expected one, as markers name it"
    return None


def _pick(one: _Followed, answer: TagAnswer) -> Tag | Problem:
    """Choose from what a registry, or a file, says."""
    if isinstance(answer, Silence):
        return one.problem(answer.code, answer.detail)
    if not answer.whole:
        return one.problem(
            NOT_SELECTED, f"{one.image} has more tags than are read; nothing is chosen from a part of them"
        )
    if one.policy.selection is None:  # for the type checker: those are not followed
        raise PolicyError(f"{one.marker} has no selection")
    selection = select(one.policy.selection, tag_list.without_excluded(answer.tags, one.exclusions))
    if selection.best is not None:
        return selection.best
    fitting = f"none of the {len(answer.tags)} tags of {one.image} fits; expected one that the policy takes"
    why = selection.error or fitting
    return one.problem(NOT_SELECTED, f"ImagePolicy {one.policy.name} chooses nothing: {why}")


# --- writing and saying ---------------------------------------------------------------------------------------


def _write(folder: Folder, report: Report) -> None:
    """Write file by file; where one cannot be written, say so and leave the rest as it is."""
    left = list(report.files)
    try:
        while left:
            folder.write(left[0], *report.files[left[0]])
            left.pop(0)
    except PermanentError as error:
        report.failed = str(error)
        report.changes = [one for one in report.changes if one[1].path not in left]
        report.files = {path: both for path, both in report.files.items() if path not in left}


def _print(report: Report, *, dry_run: bool, strict: bool, as_json: bool) -> None:
    """Print changes on stdout and the rest on stderr; with ``dry_run`` the diff alone is on stdout."""
    if as_json:
        print_json(_shape(report, dry_run=dry_run, strict=strict))
    elif dry_run:
        sys.stdout.buffer.write(_diff(report).encode("utf-8"))  # the files' own bytes, whatever the locale
        sys.stdout.flush()
        for line in _changed(report):
            tell(line)
    else:
        print_lines(_changed(report))
    if as_json:
        return
    for problem in report.problems:
        said = "note" if problem.code in NOTES else "not done"
        tell(f"{said}: {problem.path}:{problem.line}: {problem.code}: {problem.detail}")
    if report.failed:
        tell(f"not done: {report.failed}")
    would = "would be set" if dry_run else "set"
    tell(f"{len(report.changes)} values in {len(report.files)} files {would}; nothing else in them changes")


def _changed(report: Report) -> list[str]:
    return [
        f"{change.path}:{line} {change.where} {change.old} -> {change.new}{_far(change)}"
        for line, change in report.changes
    ]


def _far(change: edit.Edit) -> str:
    """Say how far the version goes, where it is one."""
    step = bump(change.old, change.new)
    return f" ({step})" if step else ""


def _diff(report: Report) -> str:
    return "".join(
        unified_diff.unified(path, before.decode("utf-8"), after.decode("utf-8"))
        for path, (before, after) in sorted(report.files.items())
    )


def _shape(report: Report, *, dry_run: bool, strict: bool) -> Mapping[str, Any]:
    """Return the report as ``countersign.set/1``."""
    shape: dict[str, Any] = {
        "schema": SCHEMA,
        "dry_run": dry_run,
        "fine": report.is_fine(strict=strict),
        "changed": [
            {
                "file": one.path,
                "line": line,
                "where": one.where,
                "old": one.old,
                "new": one.new,
                "bump": str(bump(one.old, one.new) or ""),
            }
            for line, one in report.changes
        ],
        "written": [] if dry_run else sorted(report.files),
        "not_done": [
            {
                "file": one.path,
                "line": one.line,
                "code": str(one.code),
                "detail": one.detail,
                "note": one.code in NOTES,
            }
            for one in report.problems
        ],
        "failed": report.failed,
    }
    return shape | ({"diff": _diff(report)} if dry_run else {})
