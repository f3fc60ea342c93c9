"""The words of ``approvals``: ``none``, ``2``, ``2 of release-managers``, ``1 of owners or oncall``, a list."""

import re
from dataclasses import dataclass

from policies.rulebook.fields import once, texts_of
from policies.rulebook.findings import Findings, shown
from policies.rulebook.people import People
from policies.rulebook.text import Node, Text
from policies.rules.rules import OWNERS, Line

NOBODY = "none"
OBSERVE = "observe"
MAX_COUNT = 100  # of people in one line
MAX_LINES = 20
_FORMS = "none, 2, 2 of TEAM, 1 of owners or TEAM, or a list of such lines"
_LINE = re.compile(r"(?P<count>-?[0-9]{1,9})(?: +of +(?P<names>[^ ]+(?: +or +[^ ]+)*))?", re.ASCII)
_AS = re.compile(r"as +(?P<name>[^ ]+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Asked:
    """What ``approvals`` says: lines, or those of the environment that it is ``like``; or that it only observes."""

    lines: tuple[Line, ...] = ()
    like: str = ""
    is_observed: bool = False


def approvals(node: Node, people: People, findings: Findings) -> Asked:
    """Return what an environment asks for; what cannot be filled is noted."""
    word = node.value if isinstance(node, Text) else ""
    if word == OBSERVE:
        return Asked(is_observed=True)
    found = _AS.fullmatch(word)
    return Asked(like=found["name"]) if found else Asked(lines(node, people, findings))


def lines(node: Node, people: People, findings: Findings) -> tuple[Line, ...]:
    """Return the lines that are asked for, none for ``none``; what cannot be filled is noted."""
    texts = texts_of(node, "approvals", findings)
    if texts is None:
        return ()
    if isinstance(node, Text) and node.value == NOBODY:
        return ()
    if not 1 <= len(texts) <= MAX_LINES:
        findings.add(node.at, f"approvals has {len(texts)} lines", f"1 to {MAX_LINES} lines, or none")
        return ()
    found = [_line(text, people, findings) for text in texts]
    return tuple(line for line in found if line is not None)


def _line(text: Text, people: People, findings: Findings) -> Line | None:
    found = _LINE.fullmatch(text.value)
    if found is None:
        findings.add(text.at, f"{shown(text.value)} does not say who approves", _FORMS)
        return None
    line = Line(int(found["count"]), _names(text, found["names"] or "", people, findings))
    if not 1 <= line.count <= MAX_COUNT:
        findings.add(text.at, f"{line.count} approvals", f"1 to {MAX_COUNT}, or none where nobody is asked")
        return None
    _has_so_many(text, line, people, findings)
    return line


def _names(text: Text, written: str, people: People, findings: Findings) -> tuple[str, ...]:
    names = tuple(Text(text.at, name) for name in re.split(" +or +", written) if name)
    for name in names:
        if name.value not in people.names and name.value != OWNERS:
            findings.unknown(text.at, "team or person", name.value, {*people.names, OWNERS})
    return once(names, "name", findings)


def _has_so_many(text: Text, line: Line, people: People, findings: Findings) -> None:
    """Note a line that asks for more people than there are; owners are looked at where services are known."""
    members = people.members(line.of) if line.of and OWNERS not in line.of else None
    if members is not None and len(members) < line.count:
        has = f"{' and '.join(line.of)} {'has' if len(line.of) == 1 else 'have'} {len(members)}"
        findings.add(
            text.at, f"{line.count} approvals are asked and {has}", "as many as there are people, or fewer"
        )
