"""Image references in the texts of a GitOps repository: finding them, and what to write for another tag."""

from collections.abc import Iterator
from dataclasses import replace

from policies.errors import PolicyError
from policies.images.image import Digest, ImageReference, Tag
from policies.manifests import charts, helm_values, kustomize, markers, workload
from policies.manifests.places import (
    Draft,
    Found,
    Part,
    Problem,
    ProblemCode,
    Reference,
    ReferenceKind,
    Scalar,
)
from policies.manifests.settling import Settling
from policies.texts import yaml_text
from policies.texts.edit import Edit
from policies.texts.yaml_nodes import Node

__all__ = [
    "Found",
    "Part",
    "Problem",
    "ProblemCode",
    "Reference",
    "ReferenceKind",
    "Scalar",
    "find",
    "rewrite",
]

# Every place that pins an image or a chart has one of them, as in webImage; an object's kind may be the only one.
_TOKENS = (b"mage", b"epository", b"oci://", b"HelmRelease")
_WIDE = (b"\xff\xfe", b"\xfe\xff")  # UTF-16 by its byte order mark


def find(path: str, content: bytes) -> Found:
    """Return the references of one file and what stands in their way; raises nothing, on any bytes."""
    if not markers.is_read(path):
        return Found()
    if content.startswith(_WIDE):
        return Found((), (Problem(path, 1, ProblemCode.NOT_UTF_8, "UTF-16; expected UTF-8 text"),))
    if not any(token in content for token in _TOKENS):
        return Found()
    try:
        yaml = yaml_text.read(content)
    except yaml_text.YamlRefused as refused:
        return Found((), (Problem(path, refused.line, refused.code, refused.detail),))
    marks, problems = markers.find(path, yaml)
    shapes = [shape for root in yaml.documents for shape in _shapes(path, root)]
    drafts = [shape for shape in shapes if isinstance(shape, Draft)]
    problems += [shape for shape in shapes if isinstance(shape, Problem)]
    found = Settling(path, yaml).settle(drafts, marks, problems)
    sources = [source for root in yaml.documents for source in charts.repositories(path, root)]
    patterns = [pattern for root in yaml.documents for pattern in kustomize.patterns(path, root)]
    return replace(found, repositories=tuple(sources), patterns=tuple(patterns))


def _shapes(path: str, root: Node) -> Iterator[Draft | Problem]:
    """Yield what looks like an image in one document, by its surroundings."""
    yield from kustomize.find(path, root)
    yield from charts.find(path, root)
    taken = set()
    for shape in workload.find(path, root):
        yield shape
        taken.update(_starts(shape))
    for shape in helm_values.find(path, root):  # which looks at every image:, a container's too
        if taken.isdisjoint(_starts(shape)):
            yield shape


def _starts(shape: Draft | Problem) -> list[int]:
    return [spot.node.start for spot in shape.spots] if isinstance(shape, Draft) else []


def rewrite(reference: Reference, tag: Tag, digest: Digest | None, *, pin: bool) -> tuple[Edit, ...]:
    """Return the edits that make ``reference`` name ``tag``: with its digest (pin), or as it is written (keep).

    A digest that stands there is never left stale. Raises: PolicyError, where a digest is needed and is None.
    """
    beside = any(scalar.part is Part.DIGEST for scalar in reference.scalars)
    return tuple(
        Edit(scalar.path, scalar.where, scalar.value, new, scalar.start, scalar.end)
        for scalar in reference.scalars
        if (new := _rewritten(scalar, tag, digest, pin=pin, beside=beside)) != scalar.value
    )


def _rewritten(scalar: Scalar, tag: Tag, digest: Digest | None, *, pin: bool, beside: bool) -> str:
    """Return one scalar's new value; ``beside``: the digest has a scalar of its own. Raises: PolicyError."""
    match scalar.part:
        case Part.NAME:
            return scalar.value
        case Part.VERSION:
            return str(tag)
        case Part.CHART:
            return charts.as_version(tag)
        case Part.DIGEST | Part.TAG | Part.IMAGE:  # pragma: no branch  mypy sees that nothing is left
            return _pinned(scalar, tag, digest, pin=pin, beside=beside)


def _pinned(scalar: Scalar, tag: Tag, digest: Digest | None, *, pin: bool, beside: bool) -> str:
    """Return the new value of a scalar that may hold a digest. Raises: PolicyError."""
    here = scalar.value if scalar.part is Part.DIGEST else scalar.value.partition("@")[2]
    wants_digest = (pin if scalar.part is Part.DIGEST or not beside else False) or (bool(here) and not pin)
    if wants_digest and digest is None:
        raise PolicyError(f"{scalar.path}: {scalar.where} takes a digest; expected that of {tag}")
    behind = f"@{digest}" if wants_digest else ""
    if scalar.part is Part.DIGEST:
        return str(digest) if wants_digest else scalar.value
    if scalar.part is Part.TAG:
        return f"{tag}{behind}"
    written = ImageReference.parse(scalar.value)
    only_digest = written.tag is None and written.digest is not None and not pin
    return f"{written.repository}{behind}" if only_digest else f"{written.repository}:{tag}{behind}"
