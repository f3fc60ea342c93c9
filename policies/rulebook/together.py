"""Whether the members of a group can move as one: somewhere at all, and there on one way."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from policies.rulebook.contradictions import never_ends
from policies.rulebook.document import Document, Entry
from policies.rulebook.findings import Findings
from policies.rules.rules import Environment, Position, Rules

# What carries a change, asks for it and merges it: one pull request cannot go two ways. What has to be so before it
# merges (lines of approvals, soak, windows, gates) may differ: then each member's has to be so.
WAY: Mapping[str, Callable[[Environment], object]] = MappingProxyType(
    {
        "approvals: observe": lambda where: where.is_observed,
        "approvals: none": lambda where: where.is_guarded,
        "approvals: as": lambda where: where.approvals_as,
        "via": lambda where: where.via,
        "opens": lambda where: where.opens,
        "merges": lambda where: where.merges,
        "evidence": lambda where: where.evidence,
    }
)


def check_groups(document: Document, rules: Rules, findings: Findings) -> None:
    """Note groups that never move as one, and members that an environment moves on different ways."""
    for name, members in rules.groups.items():
        known = [one for one in members if one in rules.services]
        entry = document.sections["groups"][name]
        if len(known) < len(members):
            continue  # said already
        if not any(rules.together(where, name) for where in rules.environments):
            what = f"the services of group {name} are together in no environment"
            findings.add(entry.node.at, what, "an environment in which two of them exist")
        for one in known:
            if rules.services[one].versions.followed:
                what = f"{one} of group {name} follows a tag that moves: nobody could say which digests belong together"
                findings.add(
                    entry.node.at, what, "versions by their tags, or the service outside of the group"
                )
        for where in rules.environments:
            _one_way(rules, where, name, entry, findings)
            _some_time(rules, where, name, entry, findings)


def _some_time(rules: Rules, environment: str, group: str, entry: Entry, findings: Findings) -> None:
    """Note windows of the week that leave some moment to each member, and none to all of them."""
    named = [rules.environment_for(environment, one) for one in rules.together(environment, group)]
    windows = tuple(dict.fromkeys(window for where in named for window in where.freeze))
    if never_ends(windows) and not any(never_ends(where.freeze) for where in named):
        what = f"freeze of the services of group {group} in {environment} together never ends"
        findings.add(entry.node.at, what, "a time at which all of them may move")


def _one_way(rules: Rules, environment: str, group: str, entry: Entry, findings: Findings) -> None:
    first, *others = rules.together(environment, group) or ("",)
    for other in others:
        one, two = (rules.environment_for(environment, name) for name in (first, other))
        for key, read in WAY.items():
            if read(one) != read(two):
                what = f"{first} and {other} of group {group} differ in {environment} by {key}"
                findings.add(_place(rules, environment, (other, first), key, entry), what, f"the same {key}")
                break


def _place(rules: Rules, environment: str, services: tuple[str, ...], key: str, entry: Entry) -> Position:
    """Return where the exception is written that makes the difference, else where the group is."""
    word = key.partition(":")[0]
    for service in services:
        source = rules.provenance.get((environment, service), {}).get(word)
        if source is not None and (environment, service) in rules.exceptions:
            return source.at
    return entry.node.at
