"""From the files of ``promotion/`` to rules, or to everything that is wrong with them."""

from collections.abc import Mapping

from policies.rules import Rules
from policies.rules_checks import check
from policies.rules_document import Document, document
from policies.rules_environment import environment
from policies.rules_findings import Finding, Findings, RulesError
from policies.rules_people import people
from policies.rules_registry import registry
from policies.rules_service import defaults, service

__all__ = ["Finding", "RulesError", "parse"]


def parse(files: Mapping[str, bytes]) -> Rules:
    """Read the files of the folder, path in the repository to bytes, as one document.

    Files that are not YAML by name are passed over; without any, the rules are empty.

    Raises: RulesError with every finding.
    """
    findings = Findings()
    whole = document(files, findings)
    if findings.is_blind:
        findings.check()
    rules = _rules(whole, findings)
    check(whole, rules, findings)
    findings.check()
    return rules


def _rules(whole: Document, findings: Findings) -> Rules:
    sections = whole.sections
    known = people(sections["people"], sections["teams"], findings)
    given = defaults(sections["defaults"], known, findings)
    environments = [
        environment(entry, sections["environments"], known, findings)
        for entry in sections["environments"].values()
    ]
    services = [service(entry, given, known, findings) for entry in sections["services"].values()]
    hosts = [registry(entry, findings) for entry in sections["registries"].values()]
    return Rules(
        environments={one.name: one for one in environments if one},
        services={one.name: one for one in services if one},
        people=known.persons,
        teams=known.teams,
        registries=dict(one for one in hosts if one),
        files=whole.files,
    )
