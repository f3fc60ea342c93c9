"""``groups``: services with versions of their own that move together or not at all."""

from collections.abc import Collection, Mapping

from policies.rulebook.document import Entry
from policies.rulebook.fields import is_name, once, texts_of
from policies.rulebook.findings import Findings, shown
from policies.rulebook.text import Text

MAX_GROUP = 50


def groups(
    section: Mapping[str, Entry],
    services: Collection[str],
    environments: Collection[str],
    findings: Findings,
) -> dict[str, tuple[str, ...]]:
    """Read all groups; a service is in one at most, and a group is named like nothing else."""
    found: dict[str, tuple[str, ...]] = {}
    taken: dict[str, str] = {}
    for name, entry in section.items():
        is_name(entry.name, "a group", findings)
        for kind, names in (("a service", services), ("an environment", environments)):
            if name in names:
                findings.add(entry.name.at, f"{name} is {kind} already", "another name for the group")
        texts = texts_of(entry.node, f"group {shown(name)}", findings)
        if texts is None:
            continue
        if not 2 <= len(texts) <= MAX_GROUP:  # noqa: PLR2004  one service needs no group
            what = f"group {shown(name)} has {len(texts)} services"
            findings.add(entry.node.at, what, f"2 to {MAX_GROUP} services")
        for text in texts:
            _check(text, name, services, taken, findings)
        found[name] = once(texts, "service", findings)
    return found


def _check(
    text: Text, name: str, services: Collection[str], taken: dict[str, str], findings: Findings
) -> None:
    if text.value not in services:
        findings.unknown(text.at, "service", text.value, services)
    elif taken.setdefault(text.value, name) != name:
        findings.add(
            text.at, f"{text.value} is in group {taken[text.value]} already", "a service in one group"
        )
