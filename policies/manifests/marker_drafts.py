"""Drafts of marks that stand in places which say nothing by themselves: arguments, labels, other people's keys."""

from collections.abc import Container, Sequence
from dataclasses import replace

from policies.errors import PolicyError
from policies.images.image import ImageReference, Repository
from policies.manifests import helm_values
from policies.manifests.markers import Mark
from policies.manifests.places import Draft, Part, Problem, ProblemCode, ReferenceKind, Spot
from policies.texts.yaml_nodes import ScalarNode

_TAG_KEYS = ("tag", "newTag")


def find(path: str, alone: Sequence[Mark], marks: Sequence[Mark]) -> tuple[list[Draft], list[Problem]]:
    """Return the drafts of the marks that are ``alone``, and those of ``marks`` whose repository nothing names."""
    named = _repositories_by_policy(marks)
    moving = {mark.node.start for mark in marks if mark.marker.part is not Part.NAME}
    drafts = [_draft(mark, None, [], Part.IMAGE) for mark in alone if mark.marker.part is Part.IMAGE]
    problems: list[Problem] = []
    digests = [mark for mark in alone if mark.marker.part is Part.DIGEST]
    by_place = {(id(mark.parent), mark.marker.policy): mark for mark in digests if mark.parent is not None}
    tags = [mark for mark in alone if mark.marker.part is Part.TAG]
    beside = [by_place.pop((id(mark.parent), mark.marker.policy), None) for mark in tags]
    taken = {mark.node.start for mark in beside if mark is not None}
    # Digests without a tag beside them stand alone; a name alone pins nothing.
    pairs = [
        *zip(tags, beside, strict=True),
        *((mark, None) for mark in digests if mark.node.start not in taken),
    ]
    for mark, digest in pairs:
        near = _neighbour(mark, moving)
        repository = near or named.get(mark.marker.policy)
        if repository is None:
            detail = (
                f"{mark.marker.where} does not say of which repository; expected repository or name beside it"
            )
            problems.append(Problem(path, mark.node.line, ProblemCode.MARKER_REPOSITORY, detail))
        else:
            spots = [_spot(digest)] if digest is not None else _digest_beside(mark, moving)
            drafts.append(_draft(mark, repository, spots, _part(mark, is_beside=near is not None)))
    return drafts, problems


def _spot(mark: Mark) -> Spot:
    return Spot(mark.node, mark.marker.part, mark.marker.where)


def _draft(mark: Mark, repository: str | None, beside: list[Spot], part: Part) -> Draft:
    spots = (replace(_spot(mark), part=part), *beside)
    return Draft(ReferenceKind.MARKER, repository, spots, marker=mark.marker.policy)


def _part(mark: Mark, *, is_beside: bool) -> Part:
    """Say what a mark alone holds: a tag that is away from its image, or beside another tag, is but a label."""
    if mark.marker.part is not Part.TAG or (is_beside and mark.key in _TAG_KEYS):
        return mark.marker.part
    has_another = mark.parent is not None and any(mark.parent.get(key) is not None for key in _TAG_KEYS)
    return Part.TAG if is_beside and not has_another else Part.VERSION


def _digest_beside(mark: Mark, moving: Container[int]) -> list[Spot]:
    """Return the unmarked digest beside a marked tag: it must not stay as it is when the tag moves."""
    node = mark.parent.get("digest") if mark.parent is not None and mark.key in _TAG_KEYS else None
    if not isinstance(node, ScalarNode) or node.is_null or node.start in moving:
        return []
    return [Spot(node, Part.DIGEST, helm_values.dotted(mark.path, "digest"))]


def _neighbour(mark: Mark, moving: Container[int]) -> str | None:
    """Return the repository that stands beside a tag: ``name`` only where the tag is called one.

    What begins at one of ``moving`` is a tag, a digest or a whole image by its own marker, so it names no repository.
    """
    if mark.parent is None:
        return None
    keys = ["newName", "repository"] + (["name"] if mark.key in {*_TAG_KEYS, "digest"} else [])
    still = [key for key in keys if (node := mark.parent.get(key)) is None or node.start not in moving]
    name = next((text for key in still if (text := mark.parent.text(key))), None)
    registry = mark.parent.get("registry")
    if name is None or (registry is not None and registry.start in moving):
        return None
    host = mark.parent.text("registry")
    return f"{host}/{name}" if host else name


def _repositories_by_policy(marks: Sequence[Mark]) -> dict[str, str]:
    """Return the repository that a policy's image and name marks of this file hold."""
    named: dict[str, str] = {}
    for mark in marks:
        try:
            if mark.marker.part is Part.IMAGE:
                named.setdefault(mark.marker.policy, ImageReference.parse(mark.node.value).repository)
            elif mark.marker.part is Part.NAME:
                named.setdefault(mark.marker.policy, Repository.parse(mark.node.value))
        except PolicyError:
            continue  # that mark's own reference says so
    return named
