"""What is wrong with rules that parse: nobody who could approve, and what only the repository's files show."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from policies.errors import PolicyError
from policies.images.image import Repository
from policies.manifests.reach import SharedPin
from policies.rulebook.contradictions import contradictions
from policies.rulebook.findings import Finding, Weight, shown
from policies.rulebook.metadata import metadata_findings
from policies.rulebook.path import is_inside
from policies.rulebook.quorum import asked_in_vain, can_be_filled, is_left_to_nobody
from policies.rules.rules import OWNERS, EffectiveRule, Environment, Line, Position, Rules, Service, effective

_LISTED = 5  # names in one sentence


@dataclass(frozen=True, slots=True)
class ReferenceSeen:
    """An image reference that a file of the repository holds, at a line from 1; ``marker`` is a Flux marker's name."""

    path: str
    line: int
    repository: str
    marker: str | None = None


def lint(
    rules: Rules,
    references: Mapping[str, Sequence[ReferenceSeen]],
    shared: Mapping[str, Sequence[SharedPin]] = MappingProxyType({}),
) -> tuple[Finding, ...]:
    """Return what should be looked at, in the order of the files.

    ``references`` are those under each environment's paths; environments that are left out were not looked at.
    ``shared`` are the images that an environment pins only outside of its paths.
    """
    found = {
        *contradictions(rules),
        *metadata_findings(rules),
        *_nothing(rules),
        *_approvals(rules),
        *_places(rules, references, shared),
        *_strangers(rules, references),
    }
    return tuple(sorted(found, key=lambda one: (one.at.file, one.at.line, one.at.column, one.what)))


def _nothing(rules: Rules) -> Iterator[Finding]:
    """Say that all files together name no environment, in which nothing would ever move."""
    if not rules.environments:
        at = Position(rules.files[0] if rules.files else "promotion/", 1, 1)
        expected = (
            "environments: {staging: {path: apps/staging, channel: deploys, approvals: none}} in one of them"
        )
        yield Finding(at, "the files of the rules have no environment", expected)


def _approvals(rules: Rules) -> Iterator[Finding]:
    for name in rules.environments:
        alike: dict[tuple[str, int], list[EffectiveRule]] = defaultdict(list)
        for service in rules.services.values():
            rule = effective(rules, name, service.name)
            if rule is not None:
                alike[service.owner, id(rule.environment)].append(rule)
        for found in alike.values():
            yield from _unfillable(found[0].environment, [one.service for one in found], rules)


def _unfillable(where: Environment, services: list[Service], rules: Rules) -> Iterator[Finding]:
    """Judge services of one owner and without exceptions at once: nothing else decides who may approve."""
    apart = where.emergency.approvals if where.emergency else ()
    for key, lines in (
        ("approvals", where.approvals),
        ("rollback", where.rollback.approvals),
        ("emergency", apart),
    ):
        if not can_be_filled(lines, rules, services[0]):
            yield _vain(where, lines, services, f"{key} of {where.name} cannot be filled")
            return
    for key, done in (("rollback", where.rollback), ("emergency", where.emergency)):
        if done and (done.review or key == "emergency") and is_left_to_nobody(done.approvals, rules):
            what = (
                f"the review of {key} in {where.name} is left to nobody: it takes all who are named in people"
            )
            yield Finding(where.at, what, "somebody more in people, or linked in the chat", Weight.WARNING)
    people = list(asked_in_vain(where, rules, services[0]))
    if people:
        what = f"in {where.name} nobody could approve a request of {_listed(people)}"
        yield _vain(where, where.approvals, services, what, Weight.WARNING)


def _vain(
    where: Environment,
    lines: tuple[Line, ...],
    services: list[Service],
    what: str,
    weight: Weight = Weight.ERROR,
) -> Finding:
    """Point to the services where their owner matters; anybody may be linked later where a line names nobody."""
    expected = f"enough different people for {', '.join(str(line) for line in lines)}"
    if any(not line.of for line in lines):
        expected, weight = f"{expected}, in people or linked in the chat", Weight.WARNING
    if not any(OWNERS in line.of for line in lines):
        return Finding(where.at, what, expected, weight)
    owner = f"owner {services[0].owner}" if services[0].owner else "no owner"
    names = _listed([service.name for service in services])
    return Finding(services[0].at, f"{what} for {names} ({owner})", expected, weight)


def _places(
    rules: Rules,
    references: Mapping[str, Sequence[ReferenceSeen]],
    shared: Mapping[str, Sequence[SharedPin]],
) -> Iterator[Finding]:
    looked_at = [where for name, where in rules.environments.items() if name in references]
    seen = {where.name: _by_image(references[where.name]) for where in looked_at}
    for service in rules.services.values():
        meant = {where.name: rules.service_in(where.name, service.name) for where in looked_at}
        for image in service.images:
            at = {where.name: seen[where.name][image.canonical] for where in looked_at}
            there = {one.name for one in looked_at if _stands(meant[one.name], one, at[one.name])}
            away = [name for name, one in meant.items() if one and name not in there]
            based = {
                name: one
                for name in away
                for one in shared.get(name, ())
                if one.reference.repository.canonical == image.canonical
            }
            for one in dict.fromkeys(based.values()):
                expected = "a pin in each environment's own path, such as images: of its kustomization"
                yield Finding(service.at, one.detail, expected, Weight.WARNING)
            yield from _missing(service, image, there, [name for name in away if name not in based], rules)


def _stands(service: Service | None, where: Environment, seen: list[ReferenceSeen]) -> bool:
    """Whether a service that exists in an environment is found there, or has its place said."""
    return service is not None and (
        bool(service.addresses) or any(_is_in(one, where, service) for one in seen)
    )


def _missing(
    service: Service, image: Repository, there: set[str], away: list[str], rules: Rules
) -> Iterator[Finding]:
    if away and not there:
        what = f"image {image} of {service.name} is nowhere in the paths of {_listed(away)}"
        yield Finding(service.at, what, "a reference to it, or the image that is used there")
        return
    for name in away:
        behind = [one for one in rules.environments.values() if name in one.after and one.name in there]
        what = f"image {image} of {service.name} is nowhere in the paths of {name}"
        if behind:
            what = f"{what}, so that it never moves in {_listed([one.name for one in behind])} after it"
        weight = Weight.WARNING if behind else Weight.NOTE
        yield Finding(service.at, what, "a reference to it, where it should run there", weight)


def _strangers(rules: Rules, references: Mapping[str, Sequence[ReferenceSeen]]) -> Iterator[Finding]:
    """Note images and markers that no service owns, each image once in an environment."""
    services: dict[str, list[Service]] = defaultdict(list)
    for service in rules.services.values():
        for one in service.images:
            services[one.canonical].append(service)
    for name, where in rules.environments.items():
        for image, seen in _by_image(references.get(name, ())).items():
            owners = services.get(image, [])
            strange = [one for one in seen if not any(_is_in(one, where, service) for service in owners)]
            yield from _strange(strange, owners, where)


def _strange(seen: list[ReferenceSeen], services: list[Service], where: Environment) -> Iterator[Finding]:
    plain = [one for one in seen if one.marker is None][:1]
    for one in plain + [one for one in seen if one.marker is not None]:
        image = f"image {shown(one.repository, 255)}" if one.marker is None else f"marker {shown(one.marker)}"
        what, expected = f"{image} in {where.name}", "a service with this image, where it should be promoted"
        weight = Weight.NOTE if one.marker is None else Weight.WARNING
        if services:
            folders = [path for service in services for path in where.paths_of(service.name)]
            what, expected = f"{what} is outside of its service's folders", f"it in {_listed(folders)}"
        else:
            what = f"{what} is {'named by no service' if one.marker is None else 'used by no rule'}"
        yield Finding(Position(one.path, one.line, 1), what, expected, weight)


def _by_image(seen: Iterable[ReferenceSeen]) -> defaultdict[str, list[ReferenceSeen]]:
    found: defaultdict[str, list[ReferenceSeen]] = defaultdict(list)
    for one in seen:
        found[_canonical(one.repository)].append(one)
    return found


def _canonical(repository: str) -> str:
    try:
        return Repository.parse(repository).canonical
    except PolicyError:
        return repository  # nobody's image, and said as it is written


def _is_in(one: ReferenceSeen, where: Environment, service: Service) -> bool:
    return any(is_inside(one.path, path) for path in where.paths_of(service.name))


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _LISTED
    return ", ".join(names[:_LISTED]) + (f" and {more} more" if more > 0 else "")
