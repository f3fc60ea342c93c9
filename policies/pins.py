"""What stands where: which references of an environment belong to a service, and what they say together."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self, TypeVar

from policies.codes import Code
from policies.entries.entry import Pinned
from policies.flux.documents import FluxName, policy_named
from policies.images.image import Digest, Repository, Tag
from policies.manifests import charts, kustomize
from policies.manifests.at_path import At
from policies.manifests.places import Found, NamePattern, Problem, Reference, ReferenceKind
from policies.manifests.references import rewrite
from policies.rules.rules import DigestRule, EffectiveRule, Service
from policies.texts.edit import Edit
from policies.world import Pin

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Place:
    """The references of one service in one environment, and the pin that they make together."""

    references: tuple[Reference, ...]
    pin: Pin


@dataclass(frozen=True, slots=True)
class Shelf:
    """What the files of one environment hold, sorted by repository, so that each service looks at its own only.

    ``marked`` holds the references with a marker, by its policy's name without namespace. ``followed`` are the
    ImagePolicies that services follow there, sorted alike: a marker of one belongs to its service.
    """

    references: Mapping[str, tuple[Reference, ...]]
    problems: tuple[Problem, ...]
    marked: Mapping[str, tuple[Reference, ...]] = field(default_factory=dict)
    followed: Mapping[str, tuple[FluxName, ...]] = field(default_factory=dict)
    patterns: tuple[NamePattern, ...] = ()

    @classmethod
    def of(cls, found: Iterable[Found], followed: Iterable[str] = ()) -> Self:
        """Sort what was found in files."""
        files = list(found)
        references: dict[str, list[Reference]] = {}
        marked: dict[str, list[Reference]] = {}
        problems: list[Problem] = []
        names: dict[str, str] = {}
        for one in (*files, charts.resolve(files)):
            problems += one.problems
            for reference in one.references:
                name = names.get(reference.repository)
                if name is None:
                    name = names[reference.repository] = reference.repository.canonical
                references.setdefault(name, []).append(reference)
                if reference.marker is not None:
                    marked.setdefault(policy_named(reference.marker).name, []).append(reference)
        policies: dict[str, list[FluxName]] = {}
        for policy in map(policy_named, followed):
            policies.setdefault(policy.name, []).append(policy)
        patterns = tuple(pattern for one in files for pattern in one.patterns)
        return cls(_fixed(references), tuple(problems), _fixed(marked), _fixed(policies), patterns)

    def place_of(self, service: Service) -> Place:
        """Return what the files say of a service: its images, or why they cannot be used."""
        place = self._written(service)
        for pattern in self.patterns:
            image = next((one for one in service.images if kustomize.fits(pattern.name, one)), None)
            if image is not None and _reaches(pattern, place):  # Kustomize writes over what stands there
                detail = f"the name {pattern.name!r} sets the tag of {image} and of all that fit; expected one name"
                at = f"{pattern.path}:{pattern.line}"
                return Place((), Pin((), Code.UNREADABLE, f"{at}: {detail}"[:400]))
        return place

    def _written(self, service: Service) -> Place:
        """Return what stands there for a service, whatever a pattern makes of it."""
        if service.policy:
            policy = policy_named(service.policy)
            mine = [one for one in self.marked.get(policy.name, ()) if _follows(one, policy)]
            if mine or service.marked_only:
                return _marked(service, mine, self.problems)
        named = [one for image in service.images for one in self.references.get(image.canonical, ())]
        free = [one for one in named if not self._is_followed(one)]
        return place_of(service, free, self.problems)

    def _is_followed(self, one: Reference) -> bool:
        """Whether a service there follows the policy of the reference's marker."""
        if one.marker is None or not self.followed:
            return False
        return any(_follows(one, policy) for policy in self.followed.get(policy_named(one.marker).name, ()))


def _reaches(pattern: NamePattern, place: Place) -> bool:
    """Whether a pattern may pin what stands in a place: its folder holds it, or nothing stands anywhere."""
    folder = _folder(pattern.path)
    return not place.references or any(_is_under(one.path, folder) for one in place.references)


def _fixed(found: Mapping[str, list[_T]]) -> dict[str, tuple[_T, ...]]:
    return {name: tuple(items) for name, items in found.items()}


def _follows(one: Reference, policy: FluxName) -> bool:
    """Whether a reference's marker names an ImagePolicy; the namespace of one that says none is not known."""
    return one.marker is not None and policy_named(one.marker).fits(policy)


def _marked(service: Service, mine: list[Reference], problems: Iterable[Problem]) -> Place:
    """Return what a policy's markers say together: all of them are written, as Flux does."""
    strange = [one for one in mine if one.repository.canonical != service.image.canonical]
    if strange:
        at = f"{strange[0].path}:{strange[0].line}"
        detail = f"{at}: the marker follows {service.policy} ({service.image}), the image is {strange[0].repository}"
        return Place((), Pin((), Code.UNREADABLE, detail))
    return _place(service.image, tuple(one for one in mine if one.tag), problems)


def place_at(service: Service, found: Mapping[At, Found | None]) -> Place:
    """Return what stands at the addresses of a service; one that cannot be used spoils them all."""
    references: list[Reference] = []
    names = {image.canonical for image in service.images}
    for at, held in found.items():
        if held is None:
            return Place((), Pin((), Code.NO_REFERENCE, f"{at.path} is not there; expected the file of {at}"))
        for problem in held.problems:
            where = f"{problem.path}:{problem.line}"
            return Place((), Pin((), Code.UNREADABLE, f"{where}: {problem.detail}"))
        for one in held.references:
            if one.repository.canonical not in names:
                expected = " or ".join(service.images)
                detail = f"{one.path}:{one.line}: {at} holds {one.repository}; expected {expected}"
                return Place((), Pin((), Code.UNREADABLE, detail))
            references.append(one)
    return _together(service, [one for one in references if one.tag], ())


def place_of(service: Service, references: Iterable[Reference], problems: Iterable[Problem]) -> Place:
    """Return what references to a service's images say together, or why they cannot be used."""
    found = list(references)
    by_image = [
        [one for one in found if one.repository.canonical == image.canonical] for image in service.images
    ]
    standing = [one for mine in by_image for one in mine if not _is_overridden(one, mine)]
    for one in standing:
        if one.kind is ReferenceKind.KUSTOMIZE and one.tag is None:  # it wins over every tag, and says none
            at = f"{one.path}:{one.line}"
            detail = f"{at}: images: pins {one.repository} by its digest alone; expected newTag beside it"
            return Place((), Pin((), Code.UNREADABLE, detail))
    return _together(service, [one for one in standing if one.tag], problems)


def _together(service: Service, ours: list[Reference], problems: Iterable[Problem]) -> Place:
    """Put the images of a service together: each has to be there, and all of them have one version."""
    held = list(problems)
    places = [
        _place(image, tuple(one for one in ours if one.repository.canonical == image.canonical), held)
        for image in service.images
    ]
    for place in places:
        if place.pin.problem is not None:
            return Place(place.references if len(places) == 1 else (), place.pin)
    references = tuple(one for place in places for one in place.references)
    images = tuple(one for place in places for one in place.pin.image)
    if len({one.tag for one in images}) > 1:
        found = ", ".join(f"{one.repository} {one.tag}" for one in images)
        return Place(references, Pin((), Code.AMBIGUOUS, f"one version for all of them: {found}"[:400]))
    return Place(references, Pin(images))


def _place(image: Repository, ours: tuple[Reference, ...], problems: Iterable[Problem]) -> Place:
    pins = {(one.tag, one.digest or "") for one in ours}
    if not ours:
        return Place((), _nothing(image, problems))
    if len({tag for tag, _ in pins}) > 1 or len({digest for _, digest in pins if digest}) > 1:
        found = ", ".join(f"{one.tag} in {one.path}:{one.line}" for one in ours)
        return Place(ours, Pin((), Code.AMBIGUOUS, found[:400]))
    tag = next(str(one.tag) for one in ours)
    digest = next((str(one.digest) for one in ours if one.digest), "")
    return Place(ours, Pin((Pinned(image, tag, digest),)))


def _is_overridden(one: Reference, others: Iterable[Reference]) -> bool:
    """Whether a Kustomize ``images:`` entry in this folder or above it replaces the tag that a workload names.

    Kustomize's images transformer runs after the resources are read, so the workload's tag never runs.
    """
    if one.kind is ReferenceKind.KUSTOMIZE or _in_kustomization(one):
        return False
    folder = _folder(one.path)
    return any(
        (other.kind is ReferenceKind.KUSTOMIZE or _in_kustomization(other))
        and _is_under(folder, _folder(other.path))
        for other in others
        if other.tag or other.digest
    )


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def _in_kustomization(one: Reference) -> bool:
    """Whether a marker stands in a kustomization file's ``images:``."""
    return one.path.rpartition("/")[2] in {"kustomization.yaml", "kustomization.yml", "Kustomization"}


def _nothing(image: Repository, problems: Iterable[Problem]) -> Pin:
    for problem in problems:
        detail = f"{image} is not there; {problem.path}:{problem.line}: {problem.detail}"
        return Pin((), Code.NO_REFERENCE, detail)
    return Pin((), Code.NO_REFERENCE, f"no file there names {image} with a tag")


def edits_to(place: Place, rule: EffectiveRule, images: Iterable[Pinned]) -> tuple[Edit, ...]:
    """Return the edits that put images in a place, in the form that the rule asks for. Raises: PolicyError."""
    pin = rule.environment.digest is DigestRule.PIN or bool(rule.service.versions.followed)
    return tuple(
        edit
        for image, repository in ((one, Repository.parse(one.repository).canonical) for one in images)
        for reference in place.references
        if reference.repository.canonical == repository
        for edit in rewrite(
            reference,
            Tag.parse(image.tag),
            Digest.parse(image.digest) if image.digest else None,
            pin=pin,
        )
    )


def files_under(folders: tuple[str, ...], paths: Iterable[str]) -> tuple[str, ...]:
    """Return the files that one of these folders holds, in the order of their names."""
    return within(folders, sorted(paths))


def within(folders: tuple[str, ...], ordered: Sequence[str]) -> tuple[str, ...]:
    """Return the files that one of these folders holds; ``ordered`` are sorted, and so is what is returned."""
    if not {"", "."}.isdisjoint(folders):
        return tuple(ordered)
    found = {path for folder in folders for path in _below(folder, ordered)}
    return tuple(sorted(found))


def _below(folder: str, ordered: Sequence[str]) -> Iterator[str]:
    """Yield the folder itself where it is a file, and what it holds: its names stand side by side."""
    at = bisect_left(ordered, folder)
    yield from (path for path in ordered[at : at + 1] if path == folder)
    yield from ordered[
        bisect_left(ordered, f"{folder}/") : bisect_left(ordered, f"{folder}0")
    ]  # "0" follows "/"


def _is_under(path: str, folder: str) -> bool:
    return folder in {"", "."} or path == folder or path.startswith(f"{folder}/")
