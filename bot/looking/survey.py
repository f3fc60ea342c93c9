"""Looking: everything known at one moment, gathered from clone, ledger and registries into one World."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.looking.book import Book, RulesAt
from bot.looking.choices import Choices
from bot.repository.mirror import Tips
from policies.canonical import Json
from policies.codes import Code
from policies.entries.entry import Entry, Kind, Pinned, RuleAt, Sighting, write_time
from policies.entries.facts import Fact
from policies.entries.membership import NOBODY, Members
from policies.flux.documents import FluxDocuments, covering
from policies.images.builds import Builds as KnownBuilds
from policies.images.evidence import DigestAnswer, Silence, TagAnswer, TagList
from policies.images.image import Digest, Repository, Tag
from policies.ledger.keys import expected_key
from policies.ledger.renames import Renames, renames
from policies.ledger.state import Place as Where
from policies.ledger.state import State
from policies.pins import Place
from policies.rules.hash import rules_hash
from policies.rules.rules import Rules, Service
from policies.world import About, Pin, World

Image = tuple[Repository, Tag]


@dataclass(slots=True)
class Answers:
    """What registries said last, and when. Lost with the process; asked again then.

    ``turns`` are those in which what is kept was asked: whoever asked later is believed.
    """

    tags: dict[Repository, TagAnswer] = field(default_factory=dict)
    digests: dict[Image, DigestAnswer] = field(default_factory=dict)
    asked: dict[Repository, datetime] = field(default_factory=dict)
    facts: dict[About, tuple[Fact, ...]] = field(default_factory=dict)  # of gates that ask outside
    builds: KnownBuilds = field(
        default_factory=dict
    )  # when images were built, of services that take the newest
    choices: Choices = field(default_factory=Choices)
    turn: int = 0
    turns: dict[Repository | Image, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Survey:
    """One look: where the branches end, the rules in force, the ledger's state, what stands where."""

    at: datetime
    tips: Tips
    rules: RulesAt
    state: State
    places: Mapping[Where, Place]
    world: World
    choices: Choices = field(default_factory=Choices, repr=False, compare=False)

    def place(self, environment: str, service: str) -> Place:
        """Return the references and pin of a place."""
        return self.places.get((environment, service), Place((), Pin()))


def survey(
    *,
    book: Book,
    tips: Tips,
    rules: RulesAt,
    state: State,
    answers: Answers,
    at: datetime,
    members: Members = NOBODY,
) -> Survey:
    """Put together what is known; asks nobody."""
    places = _ours(book.places(tips.target, rules.rules), rules.rules, book.flux(tips.target).documents)
    pins = {
        where: Pin(_known(state, where, place.pin.image), place.pin.problem, place.pin.detail)
        for where, place in places.items()
    }
    start = state.genesis.commit if state.genesis else tips.target
    baseline = {
        (name, service): book.baseline(start, rules.rules, name, service)
        for name in rules.rules.environments
        for service in rules.rules.services
    }
    world = World(
        rules=rules.rules,
        commit=tips.target,
        state=state,
        pins=pins,
        tags=dict(answers.tags),
        digests=dict(answers.digests),
        baseline=baseline,
        facts=_present(answers.facts, tips, state),
        members=members,
        builds=answers.builds,
        stood_since=lambda place: book.since(start, rules.rules, *place),
    )
    return Survey(at, tips, rules, state, places, world, answers.choices)


def _present(
    facts: Mapping[About, tuple[Fact, ...]], tips: Tips, state: State
) -> dict[About, tuple[Fact, ...]]:
    """Leave out what was asked of a commit that is not the target's tip or a live promotion's head any more."""
    commits = {"", tips.target, *(state.promotions[one].head for one in state.live.values())}
    return {about: tuple(one for one in found if one.commit in commits) for about, found in facts.items()}


def _ours(places: Mapping[Where, Place], rules: Rules, documents: FluxDocuments) -> Mapping[Where, Place]:
    """Take their references from the places to which an active automation of Flux writes: two must not write."""
    if not documents.automations:
        return places
    found = dict(places)
    for where, place in places.items():
        active = covering(documents, rules.environment_for(*where).paths_of(where[1]))
        for one in active[:1]:
            what = f"ImageUpdateAutomation {one.name} writes to {one.folder or 'the whole repository'}"
            detail = f"{one.path}:{one.line}: {what}; expected suspend: true"
            found[where] = Place((), Pin(place.pin.image, Code.AUTOMATION_ACTIVE, detail))
    return found


def _known(state: State, where: Where, image: tuple[Pinned, ...]) -> tuple[Pinned, ...]:
    """Add the digest that the ledger knows to a pin that is written as a tag alone."""
    move = state.last_move(*where)
    known = {(one.repository, one.tag): one.digest for one in move.image} if move else {}
    return tuple(
        one if one.digest else replace(one, digest=known.get((one.repository, one.tag), "")) for one in image
    )


# --- what was selected ---------------------------------------------------------------------------------------


def chosen(choices: Choices, service: Service, answer: TagList, builds: KnownBuilds) -> tuple[Tag, ...]:
    """Return what is selected of a service as it is meant somewhere: nothing, or one tag."""
    best = None if service.trouble else choices.best(service, answer, builds)
    return (best,) if best else ()


def _selected(look: Survey, service: str) -> dict[Image, None]:
    """Return what is selected of a service in one environment or another: each image by its tag, once."""
    found: dict[Image, None] = {}
    for meant in look.world.rules.meanings(service):
        answer = look.world.listed(meant)
        for tag in (
            () if isinstance(answer, Silence) else chosen(look.choices, meant, answer, look.world.builds)
        ):
            found.update(dict.fromkeys((image, tag) for image in meant.images))
    return found


# --- what has to be in the ledger before anything else ------------------------------------------------------


def openings(look: Survey, *, branch: str, signer: str, successor: str = "") -> list[Entry]:
    """Return the entries that a look makes necessary: genesis, rules that changed, tags seen for the first time.

    ``signer`` is the key of a new ledger, ``successor`` ('' = none) the one that takes its place.
    Each is applied to ``look.state`` at once, so that what follows in the same push stands on it.
    """
    found: list[Entry] = []
    state = look.state
    is_first = state.genesis is None
    at = write_time(look.at)
    if is_first:
        evidence = _evidence_of_nothing(_empty(look, look.world.rules.services))
        entry = Entry(
            kind=Kind.GENESIS,
            at=at,
            key="",
            commit=look.tips.target,
            branch=branch,
            signer=signer,
            evidence=evidence,
        )
        found.append(_apply(state, entry))
    if successor and state.signer == signer != successor:
        found.append(_apply(state, Entry(kind=Kind.IDENTITY, at=at, key="", signer=successor)))
    if state.rules is None or state.rules.commit != look.rules.commit:
        names = renames(look.world.rules)
        known = {names.service(one) for one in (*state.sighted, *state.empty)}
        strangers = (
            []
            if is_first
            else _empty(look, [name for name in look.world.rules.services if name not in known])
        )
        rule = RuleAt(look.rules.commit, look.rules.files, rules_hash(look.rules.rules))
        entry = Entry(
            kind=Kind.RULES,
            at=at,
            key="",
            commit=look.rules.commit,
            rule=rule,
            evidence={**_evidence_of_nothing(strangers), **_evidence_of(names)},
        )
        found.append(_apply(state, entry))
    if seen := sightings(look, is_first=is_first):
        entry = Entry(
            kind=Kind.SEEN, at=at, key="", seen=tuple(seen), evidence=_evidence_of_builds(look, seen)
        )
        found.append(_apply(state, entry))
    return found


def _apply(state: State, entry: Entry) -> Entry:
    keyed = replace(entry, key=expected_key(state, entry))
    state.apply(replace(keyed, seq=state.seq + 1), state.tip)
    return keyed


def _evidence_of_builds(look: Survey, seen: Iterable[Sighting]) -> dict[str, Json]:
    """Return when what was seen first was built: as it is known now, it orders versions for good."""
    rows: dict[tuple[str, str, str], Json] = {}
    for one in seen:
        for meant in look.world.rules.meanings(one.service):
            build = look.world.builds.get((Repository(one.repository), Tag(one.tag), meant.platforms))
            if meant.versions.needs_builds and build and build.at:
                row: Json = {
                    "service": one.service,
                    "repository": one.repository,
                    "tag": one.tag,
                    "at": write_time(build.at),
                }
                rows.setdefault((one.service, one.repository, one.tag), row)
    return {"built": list(rows.values())} if rows else {}


def _evidence_of(names: Renames) -> dict[str, Json]:
    found = names.to_json()
    return {"renamed": found} if found else {}


def _evidence_of_nothing(services: list[str]) -> dict[str, Json]:
    return {"empty": services} if services else {}


def _empty(look: Survey, services: Iterable[str]) -> list[str]:
    """Return the services whose registry answered, with nothing that the selection would take."""
    found = []
    for name in services:
        rules = look.world.rules
        meanings = rules.meanings(name)
        is_clear = all(
            one.trouble is None and not isinstance(look.world.listed(one), Silence) for one in meanings
        )
        if is_clear and not _selected(look, name):
            found.append(name)
    return found


def sightings(look: Survey, *, is_first: bool) -> list[Sighting]:
    """Return the selected tags that the ledger has not seen. ``before``: it was there when we looked first."""
    known = look.state.sighted
    found: list[Sighting] = []
    for name in look.world.rules.services:
        for image, tag in _selected(look, name):
            digest = look.world.digests.get((image, tag))
            if not isinstance(digest, Digest):
                continue
            follows = any(one.versions.followed for one in look.world.rules.meanings(name))
            if not look.state.sighting(name, Pinned(image, tag, digest), exact=follows):
                before = is_first or (name not in known and name not in look.state.empty)
                found.append(Sighting(name, image, tag, digest, before=before))
    return found
