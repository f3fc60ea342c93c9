"""Settling: one file's drafts and marks become its references, each scalar in one of them at most."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from policies.errors import PolicyError
from policies.images.image import Digest, ImageReference, Repository, Tag
from policies.manifests import marker_drafts, markers, places
from policies.manifests.markers import Mark
from policies.manifests.places import (
    ChartVersion,
    Draft,
    Found,
    Part,
    Problem,
    ProblemCode,
    Reference,
    ReferenceKind,
    Scalar,
    Spot,
)
from policies.texts.yaml_nodes import AliasNode, Node, ScalarNode
from policies.texts.yaml_text import YamlText

_TEMPLATES = ("{{", "${", "$(")
_ALWAYS_SAID = frozenset({ProblemCode.AMBIGUOUS, ProblemCode.TEMPLATE})
_TAGS = frozenset({Part.VERSION, Part.CHART})  # what a marker of a tag may stand on as well


class Settling:
    """Makes references of one file's drafts and marks: each scalar in one reference at most."""

    def __init__(self, path: str, yaml: YamlText) -> None:
        self.path = path
        self.yaml = yaml
        self.problems: list[Problem] = []

    def settle(self, drafts: Sequence[Draft], marks: Sequence[Mark], problems: Sequence[Problem]) -> Found:
        """Return what the file holds, in its order."""
        self.problems = list(problems)
        open_marks = {mark.node.start: mark for mark in marks}
        all_drafts = [self._marked(draft, open_marks) for draft in drafts]
        alone, unnamed = marker_drafts.find(self.path, list(open_marks.values()), marks)
        self.problems += unnamed
        kept = _told_apart([*(draft for draft in all_drafts if draft is not None), *alone])
        places_found = [place for draft in kept for place in self._place(draft)]
        if (places_found or marks) and (line := self.yaml.encrypted_at) is not None:
            return Found((), (*self.problems, places.encrypted(self.path, line)))
        places_found = self._without_duplicates(places_found)
        references = [place for place in places_found if isinstance(place, Reference)]
        references.sort(key=lambda reference: reference.scalars[0].start)
        self.problems.sort(key=lambda problem: problem.line)
        charts = tuple(place for place in places_found if isinstance(place, ChartVersion))
        return Found(tuple(references), tuple(self.problems), charts)

    def _marked(self, draft: Draft, open_marks: dict[int, Mark]) -> Draft | None:
        """Take the marks on a draft's scalars into it: a marker's name wins over the place's."""
        own = {
            spot.node.start: open_marks.pop(spot.node.start)
            for spot in draft.spots
            if spot.node.start in open_marks
        }
        if not own:
            return draft
        policies = sorted({mark.marker.policy for mark in own.values()})
        if len(policies) > 1:
            detail = f"markers of {policies} for one image; expected one"
            self._problem(draft.spots[0], ProblemCode.MARKER_FORM, detail)
            return None
        spots = []
        for spot in draft.spots:
            mark = own.get(spot.node.start)
            if mark is not None and not _fits(mark.marker.part, spot.part):
                if (
                    not draft.certain and draft.repository is None
                ):  # only a key called image: the marker knows
                    open_marks |= own
                    return None
                expected = markers.Marker(policies[0], spot.part).where.removeprefix("marker:")
                self._problem(
                    spot, ProblemCode.MARKER_FORM, f"the marker's form does not fit; expected {expected}"
                )
                return None
            spots.append(spot if mark is None else replace(spot, where=mark.marker.where))
        return replace(draft, spots=tuple(spots), certain=True, marker=policies[0])

    def _place(self, draft: Draft) -> Iterator[Reference | ChartVersion]:
        """Read a draft's values; yield nothing where they are no image, saying so where that is certain."""
        spots = [spot for spot in draft.spots if spot.part is not Part.NAME or _is_editable(spot.node)]
        for spot in spots:
            if (problem := self._obstacle(spot)) is not None:
                if draft.certain or isinstance(spot.node, AliasNode) or problem[0] in _ALWAYS_SAID:
                    self._problem(spot, *problem)
                return
        scalars = tuple(_scalar(self.path, spot) for spot in spots)
        if draft.release is not None:
            yield ChartVersion(draft.release, scalars[0], draft.marker, spots[0].node.line)
            return
        try:
            image = _image(draft.repository, scalars)
        except PolicyError as error:
            text = " ".join([draft.repository or "", *(scalar.value for scalar in scalars)])
            is_template = any(token in text for token in _TEMPLATES)
            if draft.certain or is_template:
                code = ProblemCode.TEMPLATE if is_template else ProblemCode.NOT_AN_IMAGE
                pinned = next((spot for spot in spots if spot.part is not Part.NAME), spots[0])
                self._problem(pinned, code, str(error))
            return
        if image.tag is None and image.digest is None and draft.marker is None:
            return  # an image without tag and digest pins nothing
        self._notice_aliases(spots)
        line = min(spot.node.line for spot in spots if spot.part is not Part.NAME)
        yield Reference(
            self.path,
            draft.kind if draft.marker is None else ReferenceKind.MARKER,
            image.repository,
            image.tag,
            image.digest,
            scalars,
            draft.marker,
            line,
            None if draft.kind is ReferenceKind.MARKER else draft.kind,
        )

    def _obstacle(self, spot: Spot) -> tuple[ProblemCode, str] | None:
        """Say why this place cannot be written to."""
        node = spot.node
        if isinstance(node, AliasNode):
            return (
                ProblemCode.ALIAS,
                f"the alias *{node.name}; expected the value itself, an alias is not followed",
            )
        if self.yaml.text.startswith("{{", node.start):
            return ProblemCode.TEMPLATE, "a template; expected a value"
        if not isinstance(node, ScalarNode):
            return ProblemCode.NOT_AN_IMAGE, "a map or a list; expected a value on one line"
        if node.start in self.yaml.ambiguous:
            return ProblemCode.AMBIGUOUS, "under a key that its map has twice; expected it once"
        if not spot.where.isprintable():
            return ProblemCode.NOT_AN_IMAGE, "a name with control characters; expected one printable line"
        return markers.unwritable(node)

    def _notice_aliases(self, spots: Sequence[Spot]) -> None:
        """Say where an edit will be seen in other places too."""
        for spot in spots:
            if spot.part is not Part.NAME and spot.node.start in self.yaml.aliased:
                anchor = getattr(spot.node, "anchor", "")
                self._problem(
                    spot, ProblemCode.SHARED, f"&{anchor} is repeated by aliases, which change with it"
                )

    def _without_duplicates(
        self, found: Sequence[Reference | ChartVersion]
    ) -> list[Reference | ChartVersion]:
        """Drop places that cannot be told apart; a marker may stand at as many scalars as it likes."""
        counts = Counter(
            scalar.where
            for place in found
            for scalar in _scalars_of(place)
            if not scalar.where.startswith("marker:")
        )
        kept = []
        for place in found:
            twice = next((scalar.where for scalar in _scalars_of(place) if counts[scalar.where] > 1), None)
            if twice is None:
                kept.append(place)
            else:
                detail = f"{twice} stands more than once in this file; expected each image once"
                self.problems.append(Problem(self.path, place.line, ProblemCode.DUPLICATE, detail))
        return kept

    def _problem(self, spot: Spot, code: ProblemCode, detail: str) -> None:
        self.problems.append(Problem(self.path, spot.node.line, code, f"{spot.where!r}: {detail}"))


def _scalars_of(place: Reference | ChartVersion) -> tuple[Scalar, ...]:
    return place.scalars if isinstance(place, Reference) else (place.scalar,)


def _fits(marked: Part, part: Part) -> bool:
    """Say whether a marker of this form may stand on such a place."""
    return marked is part or (marked is Part.TAG and part in _TAGS)


def _told_apart(drafts: Sequence[Draft]) -> list[Draft]:
    """Put the object's name into places that several objects of one file call the same."""
    counts = Counter(
        spot.where for draft in drafts for spot in draft.spots if not spot.where.startswith("marker:")
    )
    apart = []
    for draft in drafts:
        if draft.owner and any(counts[spot.where] > 1 for spot in draft.spots):
            spots = tuple(replace(spot, where=_owned(spot.where, draft.owner)) for spot in draft.spots)
            apart.append(replace(draft, spots=spots))
        else:
            apart.append(draft)
    return apart


def _owned(where: str, owner: str) -> str:
    kind, _, place = where.partition(":")
    return where if kind == "marker" else f"{kind}:{owner}/{place}"


def _image(repository: str | None, scalars: Sequence[Scalar]) -> ImageReference:
    """Read the image that the scalars name together. Raises: PolicyError."""
    texts = {scalar.part: scalar.value for scalar in scalars}
    if repository is None:
        return ImageReference.parse(texts[Part.IMAGE])
    written = texts.get(Part.TAG, texts.get(Part.VERSION, ""))
    tag, at, digest = written.partition("@")
    beside = texts.get(Part.DIGEST, "")
    found = beside or digest
    if at and not digest:
        raise PolicyError(f"{written[:140]!r} ends with @; expected a digest behind it")
    return ImageReference(
        Repository.parse(repository),
        Tag.parse(tag) if tag else None,
        Digest.parse(found) if found else None,
    )


def _is_editable(node: Node) -> bool:
    return isinstance(node, ScalarNode) and node.obstacle is None


def _scalar(path: str, spot: Spot) -> Scalar:
    node = spot.node
    value = node.value if isinstance(node, ScalarNode) else ""
    return Scalar(path, spot.where, spot.part, value, node.start, node.end)
