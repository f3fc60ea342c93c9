"""From the files of a GitOps repository to rules that could be its own, and to what could not be placed."""

import posixpath
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from policies.flux import documents as flux_documents
from policies.flux.documents import FluxDocuments, Reason
from policies.manifests import charts, references
from policies.manifests.places import Found, ProblemCode, Reference
from policies.proposing.places import RANKS, Place, after, environments, place_of, sharers
from policies.proposing.places import SHARED as BASES
from policies.proposing.services import Draft, drafts
from policies.proposing.text import environments_text, people_text, services_text
from policies.rulebook.environment import MAX_PATHS
from policies.rulebook.findings import RulesError
from policies.rulebook.parse import parse
from policies.rulebook.schema import for_editors
from policies.rules.rules import Rules

ALONE = "production"  # what a repository is called that tells no environments
_FLUX_OWN = frozenset({"gotk-components.yaml", "gotk-sync.yaml"})  # written by `flux bootstrap`, and again
_LISTED = 5  # places in one sentence


@dataclass(frozen=True, slots=True)
class Note:
    """Something that was not placed, or has to be decided by a person. ``patch`` is a unified diff that mends it."""

    code: str
    where: str
    detail: str
    patch: str = ""


@dataclass(frozen=True, slots=True)
class Proposal:
    """Files of rules that parse, by their paths, what they hold, and what could not be placed."""

    files: Mapping[str, str]
    environments: tuple[Place, ...]
    services: tuple[Draft, ...]
    aside: tuple[Draft, ...]  # images that are listed as comments
    notes: tuple[Note, ...]


def propose(files: Mapping[str, bytes], folder: str = "promotion") -> Proposal:
    """Propose the files of ``folder``; what is in it by now is not looked at.

    Raises: RulesError, where nothing could be proposed that parses.
    """
    seen = {path: content for path, content in files.items() if _is_deployed(path, folder)}
    found = {path: references.find(path, content) for path, content in sorted(seen.items())}
    everywhere = _references(found)
    places, notes = _places(seen, everywhere)
    documents = flux_documents.read(seen)
    inside, outside = _sorted(everywhere, places)
    judged = drafts(inside, documents, places)
    used = _used(places, inside)
    services, refused = _that_parse([one for one in judged if not one.why], used, folder)
    aside = tuple(one for one in judged if one.why) + refused
    notes += _outside(outside, sharers(seen, places))
    notes += [note for one in aside if not one.is_outsider for note in _put_aside(one)]
    notes += [*_never_moving(services, used), *_problems(found), *_flux(documents)]
    return Proposal(_texts(used, services, aside, folder), used, services, aside, tuple(notes))


def _is_deployed(path: str, folder: str) -> bool:
    """Leave out the rules, and hidden folders: what stands in .github is of pipelines."""
    return not path.startswith(f"{folder}/") and not any(
        part.startswith(".") for part in path.split("/")[:-1]
    )


def _references(found: Mapping[str, Found]) -> list[Reference]:
    """Return what can be moved, without what Flux writes for itself."""
    return [
        one
        for path, held in found.items()
        for one in held.references
        if path.rpartition("/")[2] not in _FLUX_OWN
    ]


def _places(
    seen: Mapping[str, bytes], everywhere: Sequence[Reference]
) -> tuple[dict[str, Place], list[Note]]:
    """Return the environments of the folders' names, or one for all, where no folder tells any."""
    places = environments(sorted(seen))
    if places or not everywhere:
        return places, [] if places else [_nothing()]
    tops = sorted({one.path.partition("/")[0] for one in everywhere})
    place = Place(ALONE, RANKS[ALONE], tuple(top for top in tops if _fits(top)))
    detail = (
        f"no folder is called like an environment (staging, production, ...); {', '.join(tops[:_LISTED])} is taken"
        f" for one, {ALONE}: rename it, or divide its path"
    )
    return {ALONE: place}, [Note("one-environment", tops[0], detail)]


def _fits(path: str) -> bool:
    """Say whether a rule can name this path."""
    return bool(environments([f"{path}/{ALONE}/x.yaml"]))


def _nothing() -> Note:
    return Note(
        "no-references", "", "no file names an image with a tag, and no folder is called like an environment"
    )


def _sorted(
    everywhere: Sequence[Reference], places: Mapping[str, Place]
) -> tuple[dict[str, list[Reference]], list[Reference]]:
    """Part the references by environment, and those that are in none."""
    inside: dict[str, list[Reference]] = defaultdict(list)
    outside: list[Reference] = []
    for one in everywhere:
        place = place_of(one.path, places.values())
        (outside if place is None else inside[place.name]).append(one)
    return inside, outside


def _used(places: Mapping[str, Place], inside: Mapping[str, Sequence[Reference]]) -> tuple[Place, ...]:
    """Leave out folders that name no image, where others of the environment do."""
    used: list[Place] = []
    for place in places.values():
        held = [
            one for one in place.paths if any(_is_in(ref.path, one) for ref in inside.get(place.name, ()))
        ]
        used.append(replace(place, paths=(tuple(held) or place.paths)[:MAX_PATHS]))
    return tuple(used)


def _is_in(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")


# --- what parses ------------------------------------------------------------------------------------------------


def _texts(
    places: Sequence[Place], services: Sequence[Draft], aside: Sequence[Draft], folder: str
) -> dict[str, str]:
    befores = {place.name: after(place, places) for place in places}
    return {
        f"{folder}/environments.yaml": for_editors(environments_text(places, befores)),
        f"{folder}/services.yaml": for_editors(services_text(services, aside)),
        f"{folder}/people.yaml": for_editors(people_text()),
    }


def _that_parse(
    services: Sequence[Draft], places: Sequence[Place], folder: str
) -> tuple[tuple[Draft, ...], tuple[Draft, ...]]:
    """Part what the rules' own parser takes from what it refuses. Raises: RulesError."""
    _parsed((), places, folder)  # without services: what is wrong then is not theirs
    try:
        _parsed(services, places, folder)
    except RulesError:
        refusals = {one: _refusal(one, places, folder) for one in services}
        good = tuple(one for one in services if not refusals[one])
        _parsed(good, places, folder)
        return good, tuple(replace(one, why=why) for one, why in refusals.items() if why)
    return tuple(services), ()


def _refusal(service: Draft, places: Sequence[Place], folder: str) -> str:
    try:
        _parsed((service,), places, folder)
    except RulesError as error:
        return f"the rules refuse it: {error.findings[0].what}; expected {error.findings[0].expected}"
    return ""


def _parsed(services: Sequence[Draft], places: Sequence[Place], folder: str) -> Rules:
    texts = _texts(places, services, (), folder)
    return parse({path: text.encode() for path, text in texts.items()})


# --- what could not be placed -----------------------------------------------------------------------------------


def _outside(outside: Sequence[Reference], shared: Mapping[str, frozenset[str]]) -> list[Note]:
    """Say of images that stand in no environment whether a base is shared, and what to do."""
    groups: dict[str, list[Reference]] = defaultdict(list)
    for one in outside:
        if one.tag is not None:
            groups[one.path].append(one)
    return [_outside_note(path, held, shared) for path, held in sorted(groups.items())]


def _outside_note(path: str, held: Sequence[Reference], shared: Mapping[str, frozenset[str]]) -> Note:
    images = ", ".join(f"{one.repository}:{one.tag}" for one in held[:_LISTED])
    where = f"{path}:{held[0].line}"
    names = sorted(shared.get(path, shared.get(posixpath.dirname(path), frozenset())))
    if len(names) > 1:
        mend = "give each overlay an images: entry with its own newTag (or values of its own)"
        return Note(
            "shared-base",
            where,
            f"{images} is shared by {', '.join(names)} and would move there at once; {mend}",
        )
    if names:
        mend = f"name the tag in a folder of {names[0]}, or add this one to its path"
        return Note("base", where, f"{images} is in a base of {names[0]} alone; {mend}")
    if not BASES.isdisjoint(path.split("/")):
        mend = "name the tag in each environment's folder"
        return Note("shared-base", where, f"{images} is in a base that several may share; {mend}")
    mend = "add its folder to the path of an environment, where it should be promoted"
    return Note("outside", where, f"{images} is in no environment's folder; {mend}")


def _put_aside(draft: Draft) -> Iterator[Note]:
    places = ", ".join(draft.places[:_LISTED])
    yield Note("not-a-service", draft.places[0], f"{draft.image} ({places}): {draft.why}")


def _never_moving(services: Sequence[Draft], places: Sequence[Place]) -> Iterator[Note]:
    """Name services that an environment waits for elsewhere, where they do not stand."""
    for place in places:
        befores = after(place, places)
        for one in services:
            missing = [name for name in befores if name not in one.environments]
            if place.name in one.environments and missing:
                detail = (
                    f"{one.name} runs in {place.name} and not in {', '.join(missing)} before it:"
                    f" it will not move in {place.name} until it does"
                )
                yield Note("nowhere-before", one.places[0], detail)


def _problems(found: Mapping[str, Found]) -> Iterator[Note]:
    for path, held in found.items():
        if path.rpartition("/")[2] not in _FLUX_OWN:
            for one in held.problems:
                yield Note(one.code, f"{one.path}:{one.line}", one.detail)
            yield from _charts(path, held)


def _charts(path: str, held: Found) -> Iterator[Note]:
    """Name the charts of HelmReleases: nothing moves their versions, whether one is written or a range."""
    for chart in held.charts:
        version, name = chart.scalar.value, chart.release.name
        detail = f"the chart of HelmRelease {name} is at {version}: charts of HelmReleases are not promoted"
        code = ProblemCode.CHART_SOURCE
        if not charts.exact(version):
            detail = f"the chart of HelmRelease {name} follows {version!r}, which Flux resolves: nothing to promote"
            code = ProblemCode.CHART_RANGE
        yield Note(code, f"{path}:{chart.line}", detail)


def _flux(documents: FluxDocuments) -> Iterator[Note]:
    """Name the automations that would write at the same time as we do, and what is wrong in Flux's documents."""
    for one in documents.automations:
        if not one.is_suspended:
            detail = (
                f"ImageUpdateAutomation {one.name} writes in {one.folder or 'the whole repository'}:"
                " suspend it before Countersign promotes there"
            )
            yield Note("active-automation", f"{one.path}:{one.line}", detail, one.suspend_patch)
    for problem in documents.problems:
        if problem.code != Reason.NO_EFFECT:
            yield Note(problem.code, f"{problem.path}:{problem.line}", problem.detail)
