"""Asking registries: what is to be asked is gathered first, then asked, which may take long, and kept at once.

Whoever holds the engine's lock gathers and keeps. ``asked`` is for whoever let go of it: it reads and writes nothing
that others write or read, but the memories of builds and labels, which are safe from any thread and kept by digest.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.looking.builds import Builds
from bot.looking.choices import Choices
from bot.looking.image_sources import ImageSources
from bot.looking.survey import Answers, Image, chosen
from bot.ports import Registry
from bot.registries.oci import Endpoint
from policies.entries.entry import Pinned
from policies.images.builds import NO_BUILDS
from policies.images.builds import Builds as KnownBuilds
from policies.images.evidence import DigestAnswer, Silence, Silent, TagAnswer, listed_by_all
from policies.images.image import Digest, Repository, Tag
from policies.ledger.state import State
from policies.rules.rules import DEFAULT_INTERVAL, Rules

MAX_DIGESTS = 10  # tags of one service whose digest is looked up beside the selected one


@dataclass(frozen=True, slots=True)
class Questions:
    """What is to be asked at a time (UTC), with all that it takes to ask; ``turn`` counts who gathered when.

    ``seen`` are the tags of each service that the ledger saw last, ``live`` the images of what is under way,
    ``exact`` those whose digest is asked for by name, ``labels`` those that have to say of which commit they are.
    """

    at: datetime
    turn: int
    rules: Rules
    repositories: tuple[Repository, ...]
    exact: tuple[Image, ...]
    labels: tuple[Pinned, ...]
    seen: Mapping[str, tuple[Tag, ...]]
    live: tuple[Image, ...]
    tags: Mapping[Repository, TagAnswer]
    digests: Mapping[Image, DigestAnswer]
    builds: KnownBuilds
    choices: Choices


@dataclass(frozen=True, slots=True)
class Told:
    """What registries said to questions, and what was chosen from it."""

    questions: Questions
    tags: Mapping[Repository, TagAnswer] = field(default_factory=dict)
    digests: Mapping[Image, DigestAnswer] = field(default_factory=dict)


def due(rules: Rules, answers: Answers, at: datetime, environments: Iterable[str]) -> list[Repository]:
    """Return the repositories whose interval has passed.

    It is their registry's, where the rules say one, else the shortest of the environments that are looked at.
    """
    spans = [rules.environments[name].interval for name in environments if name in rules.environments]
    shortest = min(spans, default=DEFAULT_INTERVAL)
    wanted = {image for service in rules.services for image in pulled(rules, service)}
    hosts = {image.host for image in wanted} if any(one.interval for one in rules.registries.values()) else ()
    said = {host: Endpoint.of(Repository(f"{host}/x"), rules.registries).rule.interval for host in hosts}
    return sorted(
        image
        for image in wanted
        if image not in answers.asked or answers.asked[image] + (said.get(image.host) or shortest) <= at
    )


def pulled(rules: Rules, service: str) -> tuple[Repository, ...]:
    """Return the repositories that a service's images are pulled from, in one environment or another."""
    return tuple(dict.fromkeys(image for meant in rules.meanings(service) for image in meant.images))


def questions(
    rules: Rules,
    state: State,
    answers: Answers,
    repositories: Iterable[Repository],
    at: datetime,
    *,
    exact: Iterable[Image] = (),
    labels: Iterable[Pinned] = (),
) -> Questions:
    """Gather what it takes to ask for these repositories' tags and for what a decision needs beside them."""
    answers.turn += 1
    recent = {name: state.sighted.get(name, ())[-MAX_DIGESTS:] for name in rules.services}
    return Questions(
        at=at,
        turn=answers.turn,
        rules=rules,
        repositories=tuple(dict.fromkeys(repositories)),
        exact=tuple(dict.fromkeys(exact)),
        labels=tuple(labels),
        seen={name: tuple(Tag(one.tag) for one in found) for name, found in recent.items()},
        live=tuple(
            (Repository(image.repository), Tag(image.tag))
            for promotion_id in state.live.values()
            for image in state.promotions[promotion_id].image
        ),
        tags=dict(answers.tags),
        digests=dict(answers.digests),
        builds=answers.builds,
        choices=answers.choices.ahead(),
    )


def asked(
    registry: Registry,
    wanted: Questions,
    builds: Builds | None = None,
    images: ImageSources | None = None,
) -> Told:
    """Ask for tags, then for the digests that a decision needs; what registries do not say is a Silence.

    ``builds`` is who asks when images were built, for services that take the newest, ``images`` who reads of which
    commits they are. It may take long.
    """
    hosts = wanted.rules.registries
    if images is not None:
        images.read(wanted.labels, hosts, wanted.at)
    tags = registry.tags(wanted.repositories, hosts) if wanted.repositories else {}
    known = {**wanted.tags, **tags}
    built = wanted.builds
    if builds is not None and tags:
        built = builds.look(wanted.rules, _beside(wanted, known), wanted.digests, wanted.at)
    named = dict.fromkeys((*wanted.exact, *(needed(wanted, known, built) if tags else ())))
    return Told(wanted, tags, registry.digests(named, hosts) if named else {})


def _beside(wanted: Questions, tags: Mapping[Repository, TagAnswer]) -> dict[Repository, TagAnswer]:
    """Return the lists of services that are asked about: nobody waits for when images of others were built."""
    mine, rules = set(wanted.repositories), wanted.rules
    meanings = [meant for name in rules.services for meant in rules.meanings(name)]
    ours = {image for meant in meanings if not mine.isdisjoint(meant.images) for image in meant.images}
    return {image: answer for image, answer in tags.items() if image in ours}


def keep(told: Told, rules: Rules, answers: Answers, builds: Builds | None = None) -> None:
    """Keep all that was said, at once, so that no tag is known without its digest.

    Left out is what was asked anew since by somebody else, and what the rules in force by now do not ask for, or ask
    for elsewhere. ``builds`` as in ``asked``: what it knows by now.
    """
    wanted, turn = told.questions, told.questions.turn
    foreign = foreign_to(rules, told)
    for image, digest in told.digests.items():
        is_refused = image in wanted.exact and not isinstance(digest, Digest)  # nobody decides by that
        if image[0] not in foreign and not is_refused and answers.turns.get(image, 0) <= turn:
            answers.digests[image], answers.turns[image] = digest, turn
    for repository, tags in told.tags.items():
        if repository not in foreign and answers.turns.get(repository, 0) <= turn:
            answers.tags[repository], answers.turns[repository] = tags, turn
            answers.asked[repository] = wanted.at
    answers.choices.take(wanted.choices)
    if builds is not None and told.tags:
        answers.builds = builds.known(rules, answers.tags, wanted.at)


def foreign_to(rules: Rules, told: Told) -> frozenset[Repository]:
    """Return the repositories whose answers are not those to what the rules ask now."""
    before = told.questions.rules
    if rules is before:
        return frozenset()
    ours = {image for service in rules.services for image in pulled(rules, service)}
    return frozenset(
        one
        for one in (*told.tags, *(repository for repository, _ in told.digests))
        if one not in ours or Endpoint.of(one, before.registries) != Endpoint.of(one, rules.registries)
    )


def needed(
    wanted: Questions, tags: Mapping[Repository, TagAnswer], builds: KnownBuilds = NO_BUILDS
) -> list[Image]:
    """Return the images asked about whose digest a decision asks for: selected, seen lately, under way."""
    found: dict[Image, None] = {}
    mine, rules = set(wanted.repositories), wanted.rules
    for name in rules.services:
        for meant in rules.meanings(name):
            if mine.isdisjoint(meant.images):
                continue
            unasked = Silence(Silent.UNREACHABLE, "it was not asked")
            answer = listed_by_all(tags.get(image, unasked) for image in meant.images)
            if isinstance(answer, Silence):
                continue
            seen = (tag for tag in wanted.seen[name] if tag in answer.names)
            both = (*chosen(wanted.choices, meant, answer, builds), *seen)
            found.update(dict.fromkeys((image, tag) for tag in both for image in meant.images))
    found.update(dict.fromkeys(wanted.live))
    return [image for image in found if image[0] in mine]
