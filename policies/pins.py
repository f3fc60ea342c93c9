"""What stands where: which references of an environment belong to a service, and what they say together."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from policies.codes import Code
from policies.edit import Edit
from policies.entry import Pinned
from policies.image import Digest, Tag
from policies.places import Found, Problem, Reference, ReferenceKind
from policies.references import rewrite
from policies.rules import DigestRule, EffectiveRule, Service
from policies.world import Pin


@dataclass(frozen=True, slots=True)
class Place:
    """The references of one service in one environment, and the pin that they make together."""

    references: tuple[Reference, ...]
    pin: Pin


@dataclass(frozen=True, slots=True)
class Shelf:
    """What the files of one environment hold, sorted by repository, so that each service looks at its own only."""

    references: Mapping[str, tuple[Reference, ...]]
    problems: tuple[Problem, ...]

    @classmethod
    def of(cls, found: Iterable[Found]) -> Self:
        """Sort what was found in files."""
        references: dict[str, list[Reference]] = {}
        problems: list[Problem] = []
        names: dict[str, str] = {}
        for one in found:
            problems += one.problems
            for reference in one.references:
                name = names.get(reference.repository)
                if name is None:
                    name = names[reference.repository] = reference.repository.canonical
                references.setdefault(name, []).append(reference)
        return cls({name: tuple(mine) for name, mine in references.items()}, tuple(problems))

    def place_of(self, service: Service) -> Place:
        """Return what the files say of a service: its images, or why they cannot be used."""
        return place_of(service, self.references.get(service.image.canonical, ()), self.problems)


def place_of(service: Service, references: Iterable[Reference], problems: Iterable[Problem]) -> Place:
    """Return what references to a service's image say together, or why they cannot be used."""
    mine = [one for one in references if one.repository.canonical == service.image.canonical]
    ours = tuple(one for one in mine if one.tag and not _is_overridden(one, mine))
    pins = {(one.tag, one.digest or "") for one in ours}
    if not ours:
        return Place((), _nothing(service, problems))
    if len({tag for tag, _ in pins}) > 1 or len({digest for _, digest in pins if digest}) > 1:
        found = ", ".join(f"{one.tag} in {one.path}:{one.line}" for one in ours)
        return Place(ours, Pin((), Code.AMBIGUOUS, found[:400]))
    tag = next(str(one.tag) for one in ours)
    digest = next((str(one.digest) for one in ours if one.digest), "")
    return Place(ours, Pin((Pinned(service.image, tag, digest),)))


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
        if other.tag
    )


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def _in_kustomization(one: Reference) -> bool:
    """Whether a marker stands in a kustomization file's ``images:``."""
    return one.path.rpartition("/")[2] in {"kustomization.yaml", "kustomization.yml", "Kustomization"}


def _nothing(service: Service, problems: Iterable[Problem]) -> Pin:
    for problem in problems:
        return Pin(
            (),
            Code.NO_REFERENCE,
            f"{service.image} is not there; {problem.path}:{problem.line}: {problem.detail}",
        )
    return Pin((), Code.NO_REFERENCE, f"no file there names {service.image} with a tag")


def edits_to(place: Place, rule: EffectiveRule, image: Pinned) -> tuple[Edit, ...]:
    """Return the edits that put an image in a place, in the form that the rule asks for. Raises: PolicyError."""
    pin = rule.environment.digest is DigestRule.PIN
    digest = Digest.parse(image.digest) if image.digest else None
    tag = Tag.parse(image.tag)
    return tuple(edit for one in place.references for edit in rewrite(one, tag, digest, pin=pin))


def files_under(folders: tuple[str, ...], paths: Iterable[str]) -> tuple[str, ...]:
    """Return the files that one of these folders holds, in the order of their names."""
    return tuple(path for path in sorted(paths) if any(_is_under(path, folder) for folder in folders))


def _is_under(path: str, folder: str) -> bool:
    return folder in {"", "."} or path == folder or path.startswith(f"{folder}/")
