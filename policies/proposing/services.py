"""Which images become services, under which names, with which versions; and which do not, and why."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from policies.codes import Code
from policies.errors import PolicyError
from policies.flux.documents import FluxDocuments, ImagePolicy, Unresolved, repository_of, resolve
from policies.images.image import Repository
from policies.images.selection import SelectionPolicy
from policies.manifests.places import Reference
from policies.pins import place_of
from policies.proposing.places import Place
from policies.proposing.versions import Versions, of_policy, of_tags
from policies.rulebook.fields import MAX_NAME, RESERVED
from policies.rules.rules import Position, Service
from policies.world import Pin

_NOWHERE = Position("", 1, 1)
_ANYTHING = SelectionPolicy.alphabetical()
_LISTED = 5  # places or names in one sentence


@dataclass(frozen=True, slots=True)
class Draft:
    """An image that could be a service. ``versions`` is None where nothing could be guessed; ``why`` it is none."""

    name: str
    image: Repository
    versions: Versions | None
    environments: tuple[str, ...]
    places: tuple[str, ...]
    why: str = ""
    is_outsider: bool = False


Sorted = Mapping[str, Sequence[Reference]]  # environment: its references


def drafts(references: Sorted, documents: FluxDocuments, places: Mapping[str, Place]) -> tuple[Draft, ...]:
    """Return every image that stands in an environment, by name; ``why`` is empty for those that become services."""
    images: dict[str, dict[str, list[Reference]]] = defaultdict(lambda: defaultdict(list))
    for environment in places:
        for one in references.get(environment, ()):
            if one.tag is not None:
                images[one.repository.canonical][environment].append(one)
    names = named({image: _first(held).repository for image, held in images.items()})
    markers = [one.marker for held in references.values() for one in held if one.marker]
    known = _Policies.of(documents, markers)
    found = [_draft(names[image], held, known) for image, held in images.items()]
    return tuple(sorted(found, key=lambda one: one.name))


def named(images: Mapping[str, Repository]) -> dict[str, str]:
    """Name each image by its last part; where two would be called the same, by more of its path, or a number."""
    names: dict[str, str] = {}
    for size in range(1, 5):
        left = [image for image in images if image not in names]
        asked = {image: _name(images[image], size) for image in left}
        taken = list(asked.values()) + list(names.values())
        names |= {
            image: name for image, name in asked.items() if taken.count(name) == 1 and name not in RESERVED
        }
    for image in sorted(images.keys() - names.keys()):
        base = _name(images[image], 1)[: MAX_NAME - 6]
        number = next(n for n in range(2, len(images) + 3) if f"{base}-{n}" not in names.values())
        names[image] = f"{base}-{number}"
    return names


def _name(image: Repository, size: int) -> str:
    parts = "-".join(image.path.split("/")[-size:]) if size <= image.path.count("/") + 1 else image.canonical
    return re.sub(r"[^a-z0-9]+", "-", parts.lower()).strip("-")[:MAX_NAME].strip("-") or "service"


def _draft(name: str, held: Mapping[str, Sequence[Reference]], known: "_Policies") -> Draft:
    """Judge one image by the places that hold it, environment by environment."""
    all_of_it = [one for references in held.values() for one in references]
    image = all_of_it[0].repository
    policies = known.choosing(all_of_it)
    service = Service(name, (image,), _ANYTHING, "", _NOWHERE)
    torn = [(where, pin.detail) for where, pin in _pins(service, held) if pin.problem is Code.AMBIGUOUS]
    versions, why = _chosen(policies, all_of_it)
    is_outsider = (
        not why and not torn and not policies and len(all_of_it) == 1 and all_of_it[0].marker is None
    )
    if torn:
        where, detail = torn[0]
        why = f"several places in {where} name it with different tags, and it would never move: {detail}"
    elif is_outsider:
        why = "it stands in one place and has no ImagePolicy: likely somebody else's"
    spots = tuple(f"{one.path}:{one.line}" for one in all_of_it)
    return Draft(name, image, versions, tuple(held), spots, why, is_outsider)


def _pins(service: Service, held: Mapping[str, Sequence[Reference]]) -> list[tuple[str, Pin]]:
    return [(where, place_of(service, references, ()).pin) for where, references in held.items()]


def _chosen(policies: Sequence[ImagePolicy], held: Sequence[Reference]) -> tuple[Versions | None, str]:
    """Return what a policy says, else what the tags look like, else why neither does."""
    for policy in policies:
        if policy.selection is not None:
            try:
                said = of_policy(policy.selection)
            except PolicyError as error:
                return (
                    None,
                    f"{policy.path}:{policy.line}: ImagePolicy {policy.name} cannot be taken over: {error}",
                )
            others = [one for one in policies if one.selection not in {None, policy.selection}]
            remark = f"as ImagePolicy {policy.name} says"
            if others:
                remark += (
                    f"; {', '.join(f'{one.path}:{one.line}' for one in others[:_LISTED])} says otherwise"
                )
            return Versions(said.text, remark), ""
    guess = of_tags([str(one.tag) for one in held])
    return (guess, "") if isinstance(guess, Versions) else (None, guess)


@dataclass(frozen=True, slots=True)
class _Policies:
    """The ImagePolicies, found by a marker's name and by the image that they choose for, each looked up once."""

    by_marker: Mapping[str, ImagePolicy]
    by_image: Mapping[str, Sequence[ImagePolicy]]

    @classmethod
    def of(cls, documents: FluxDocuments, markers: Iterable[str]) -> "_Policies":
        by_image: dict[str, list[ImagePolicy]] = defaultdict(list)
        for policy in documents.policies:
            repository = repository_of(policy, documents)
            if not isinstance(repository, Unresolved):
                by_image[_canonical(repository.image)].append(policy)
        found = {marker: resolve(marker, documents) for marker in dict.fromkeys(markers)}
        return cls({name: one for name, one in found.items() if isinstance(one, ImagePolicy)}, by_image)

    def choosing(self, held: Sequence[Reference]) -> tuple[ImagePolicy, ...]:
        """Return those that choose for one image: of its markers first, then of its repository."""
        marked = [policy for one in held if (policy := self.by_marker.get(one.marker or ""))]
        listed = [*marked, *self.by_image.get(held[0].repository.canonical, ())]
        return tuple({(one.path, one.line): one for one in listed}.values())


def _canonical(written: str) -> str:
    try:
        return Repository.parse(written).canonical
    except PolicyError:
        return ""  # no image's name


def _first(held: Mapping[str, Sequence[Reference]]) -> Reference:
    return next(one for references in held.values() for one in references)
