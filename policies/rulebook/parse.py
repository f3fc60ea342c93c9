"""From the files of ``promotion/`` to rules, or to everything that is wrong with them."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from policies.rulebook.addresses import addresses
from policies.rulebook.approvals_as import filled
from policies.rulebook.checks import check
from policies.rulebook.discover import Discovery, Listed
from policies.rulebook.document import Document, Entry, document
from policies.rulebook.environment import environment
from policies.rulebook.findings import Finding, Findings, RulesError
from policies.rulebook.flux import Followed
from policies.rulebook.groups import groups
from policies.rulebook.identity import identity
from policies.rulebook.layers import Layered, layered
from policies.rulebook.people import People, people
from policies.rulebook.pulled import pulled
from policies.rulebook.registry import registry
from policies.rulebook.seen import Nothing, Seen
from policies.rulebook.service import defaults, service
from policies.rulebook.text import Table
from policies.rulebook.waits import calendar
from policies.rules.rules import Layer, Rules, Service, Source

__all__ = ["Finding", "RulesError", "parse"]


def parse(files: Mapping[str, bytes], seen: Seen | None = None) -> Rules:
    """Read the files of the folder, path in the repository to bytes, as one document.

    Files that are not YAML by name are passed over; without any, the rules are empty. ``seen`` is the repository in
    which they stand, for what they follow or discover.

    Raises: RulesError with every finding.
    """
    findings = Findings()
    whole = document(files, findings)
    if findings.is_blind:
        findings.check()
    rules = _rules(whole, seen or Nothing(), findings)
    check(whole, rules, findings)
    findings.check()
    return rules


def _rules(whole: Document, seen: Seen, findings: Findings) -> Rules:
    sections = whole.sections
    known = people(sections["people"], sections["teams"], findings)
    dates = calendar(sections["calendar"], findings)
    said = layered(sections["environments"], findings)
    names = sections["environments"]
    read = {
        name: one
        for name, entry in said.plain.items()
        if (one := environment(entry, names, known, dates, findings))
    }
    excepted = {
        place: one
        for place, entry in said.excepted.items()
        if not findings.is_full and (one := environment(entry, names, known, dates, findings))
    }
    environments, exceptions = filled(read, excepted, said, findings)
    followed = Followed(environments.values(), seen)
    services = _services(whole, known, Discovery(environments.values(), seen, followed, findings))
    hosts = [registry(entry, findings) for entry in sections["registries"].values()]
    several = Counter(one.image.canonical for one in services)
    shared = {one.name for one in services if one.policy and several[one.image.canonical] > 1}
    found = {where: _marked(one, shared) for where, one in followed.there.items()}
    plain = {one.name: _marked(one, shared) for one in services}
    for where, addressed in addresses(sections["services"], environments, findings).items():
        if where[1] in plain:
            found[where] = replace(found.get(where, plain[where[1]]), addresses=addressed)
    found |= pulled(environments, exceptions, plain, found)
    _known_places(said, environments, plain.values(), sections["services"], findings)
    together = groups(sections["groups"], plain, environments, findings)
    return Rules(
        exceptions={place: one for place, one in exceptions.items() if place[1] in plain},
        groups=together,
        identity=identity(sections["identity"], findings),
        calendar=dates,
        provenance=_provenance(said, whole, together),
        environments=environments,
        services=plain,
        people=known.persons,
        teams=known.teams,
        registries=dict(one for one in hosts if one),
        files=whole.files,
        there=found,
    )


def _known_places(
    said: Layered,
    environments: Collection[str],
    services: Iterable[Service],
    written: Mapping[str, Entry],
    findings: Findings,
) -> None:
    """Note exceptions of services, and services in environments, that do not exist."""
    found = {one.name: one for one in services}
    for (_, name), text in said.names.items():
        if name not in found and name not in written:
            findings.unknown(text.at, "service", name, found)
    for one in found.values():
        for name in one.environments:
            if name not in environments:
                at = written[one.name].place("environments") if one.name in written else one.at
                findings.unknown(at, "environment", name, environments)


def _provenance(
    said: Layered, whole: Document, grouped: Mapping[str, tuple[str, ...]]
) -> dict[tuple[str, str], Mapping[str, Source]]:
    given = {key: Source(Layer.DEFAULTS, one.name.at) for key, one in whole.sections["defaults"].items()}
    found: dict[tuple[str, str], Mapping[str, Source]] = dict(said.sources)
    for name, entry in whole.sections["services"].items():
        own = entry.node.entries if isinstance(entry.node, Table) else ()
        found["", name] = {**given, **{key.value: Source(Layer.OWN, key.at) for key, _ in own}}
    written = {
        name: Source(Layer.OWN, whole.sections["groups"][group].name.at)
        for group, members in grouped.items()
        for name in members
    }
    return {**found, ("", ""): written} if written else found


def _services(whole: Document, known: People, discovery: Discovery) -> list[Service]:
    """Read the services that are listed, then those that are discovered."""
    findings, followed, section = discovery.findings, discovery.followed, whole.sections["services"]
    given = defaults(whole.sections["defaults"], known, findings)
    listed = [service(entry, given, known, findings, followed) for entry in section.values()]
    services = [one for one in listed if one]
    for key, entry in sorted(whole.sections["discover"].items()):  # flux comes before images
        names = {*section, *(one.name for one in services)}
        has_versions = given.node("versions") is not None
        found = list(discovery.entries(key, entry, Listed(names, tuple(services)), has_versions=has_versions))
        services += [one for new in found if (one := service(new, given, known, findings, followed))]
    return services


def _marked(one: Service, shared: Collection[str]) -> Service:
    return replace(one, marked_only=True) if one.name in shared else one
