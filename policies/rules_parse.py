"""From the files of ``promotion/`` to rules, or to everything that is wrong with them."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import replace

from policies.rules import Rules, Service
from policies.rules_addresses import addresses
from policies.rules_checks import check
from policies.rules_discover import Discovery, Listed
from policies.rules_document import Document, document
from policies.rules_environment import environment
from policies.rules_findings import Finding, Findings, RulesError
from policies.rules_flux import Followed
from policies.rules_people import People, people
from policies.rules_registry import registry
from policies.rules_seen import Nothing, Seen
from policies.rules_service import defaults, service

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
    environments = {
        one.name: one
        for entry in sections["environments"].values()
        if (one := environment(entry, sections["environments"], known, findings))
    }
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
    return Rules(
        environments=environments,
        services=plain,
        people=known.persons,
        teams=known.teams,
        registries=dict(one for one in hosts if one),
        files=whole.files,
        there=found,
    )


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
