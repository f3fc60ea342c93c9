"""Whether e-mail addresses say who is who: ``identity`` of the rules, off unless domains are named."""

from collections.abc import Mapping

from policies.entries.mail_domains import is_domain, is_public
from policies.rulebook.document import Entry
from policies.rulebook.fields import Fields, fields, once
from policies.rulebook.findings import Findings, shown
from policies.rulebook.keys import IDENTITY
from policies.rulebook.text import Table, Text
from policies.rules.rules import Identity, Position


def identity(section: Mapping[str, Entry], findings: Findings) -> Identity:
    """Read it; without the section nobody is known by an address."""
    if not section:
        return Identity()
    at = next((entry.name.at for entry in section.values()), Position("", 1, 1))
    table = Table(at, tuple((entry.name, entry.node) for entry in section.values()))
    found = fields(table, IDENTITY, findings) or Fields(at, {}, findings)
    if found.node("email") is None:
        found.missing(at, "identity names no domains", "email: [acme.example]")
    domains = tuple(one for one in found.texts("email") or () if _is_usable(one, findings))
    return Identity(once(list(domains), "domain", findings), found.flag("approve", default=False))


def _is_usable(text: Text, findings: Findings) -> bool:
    """Return whether addresses of a domain can say who somebody of an organization is."""
    if not is_domain(text.value):
        findings.add(
            text.at, f"{shown(text.value)} is no mail domain", "one in small letters, such as acme.example"
        )
    elif is_public(text.value):
        findings.add(
            text.at, f"anybody has an address at {text.value}", "a domain of your organization alone"
        )
    else:
        return True
    return False
