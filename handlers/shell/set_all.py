"""``countersign set --all-to``: move every image reference of a folder, with a marker or not, to one tag."""

from collections.abc import Iterable, Iterator

from handlers.shell.terminal import UseError
from policies.errors import PolicyError
from policies.images.image import Digest, Tag
from policies.manifests import charts, references
from policies.manifests.places import Found, Part, Problem, ProblemCode, Reference
from policies.manifests.setters import Setting
from policies.texts import edit
from policies.texts.yaml_text import YamlRefused

NO_DIGEST = "digest-unknown"
NOT_A_VERSION = "not-a-version"

Settled = tuple[str, bytes, Setting]  # path, what the file holds, what becomes of it


def everything_to(text: str, files: Iterable[tuple[str, bytes]]) -> Iterator[Settled]:
    """Yield what becomes of files whose references move to ``TAG[@DIGEST]``. Raises: UseError, at once."""
    try:
        tag = Tag.parse(text.partition("@")[0])
        digest = Digest.parse(text.partition("@")[2]) if "@" in text else None
    except PolicyError as error:
        raise UseError(f"--all-to: {error}") from error
    return _all_moved(files, tag, digest)


def _all_moved(files: Iterable[tuple[str, bytes]], tag: Tag, digest: Digest | None) -> Iterator[Settled]:
    """Look at each file for itself, then at the charts, whose repositories other files name."""
    held = {
        path: (content, found)
        for path, content in files
        if (found := references.find(path, content)) != Found()
    }
    of_charts = charts.resolve(found for _, found in held.values())
    beside: dict[str, list[Reference | Problem]] = {}
    of_all: tuple[Reference | Problem, ...] = (*of_charts.references, *of_charts.problems)
    for one in of_all:
        beside.setdefault(one.path, []).append(one)
    for path, (content, alone) in held.items():
        yield path, content, _moved(path, content, _joined(alone, beside.get(path, [])), tag, digest)


def _joined(alone: Found, of_charts: Iterable[Reference | Problem]) -> Found:
    """Add to what a file says by itself what the others make of its charts."""
    more = list(of_charts)
    references = (one for one in more if isinstance(one, Reference))
    problems = (one for one in more if isinstance(one, Problem))
    return Found((*alone.references, *references), (*alone.problems, *problems))


def _moved(path: str, content: bytes, found: Found, tag: Tag, digest: Digest | None) -> Setting:
    """Move each reference of one file, as it is written: a digest stays a digest."""
    edits: list[edit.Edit] = []
    named = list(found.problems)
    for reference in found.references:
        try:
            edits += references.rewrite(reference, tag, digest, pin=False)
        except PolicyError as error:
            named.append(_unmoved(reference, error, tag))
    try:
        return Setting(edit.apply(content, edits), tuple(edits), tuple(named))
    except edit.EditRefused as refused:
        named.append(Problem(path, 1, ProblemCode.UNPARSABLE, str(refused)))
    except YamlRefused as refused:
        named.append(Problem(path, refused.line, refused.code, refused.detail))
    return Setting(content, (), tuple(named))


def _unmoved(reference: Reference, error: PolicyError, tag: Tag) -> Problem:
    """Say why a reference cannot name the tag."""
    if any(scalar.part is Part.CHART for scalar in reference.scalars):
        return Problem(reference.path, reference.line, NOT_A_VERSION, str(error))
    return Problem(reference.path, reference.line, NO_DIGEST, f"{error}, as in --all-to {tag}@sha256:...")
