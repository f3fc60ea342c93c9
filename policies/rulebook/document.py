"""All files of the rules as one document: sections, and in them names that are each defined once."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from policies.rulebook.fields import kind_of
from policies.rulebook.findings import Findings, shown
from policies.rulebook.text import Node, Table, Text, read
from policies.rules.rules import Position

SECTIONS = (
    "environments",
    "services",
    "people",
    "teams",
    "defaults",
    "registries",
    "discover",
    "calendar",
    "groups",
    "identity",
)
_SUFFIXES = (".yaml", ".yml")
MAX_FILES = 1_000


@dataclass(frozen=True, slots=True)
class Entry:
    """A name and what is written under it."""

    name: Text
    node: Node

    def place(self, key: str) -> Position:
        """Return where a key of this entry is written, or the name where it is absent."""
        found = self.node.get(key) if isinstance(self.node, Table) else None
        return found.at if found else self.name.at


@dataclass(frozen=True, slots=True)
class Document:
    """The sections of all files, in the order of the files by name."""

    files: tuple[str, ...]
    sections: Mapping[str, dict[str, Entry]] = field(default_factory=lambda: {name: {} for name in SECTIONS})


def document(files: Mapping[str, bytes], findings: Findings) -> Document:
    """Read all YAML files of the folder; other files are passed over."""
    names = tuple(sorted(name for name in files if name.endswith(_SUFFIXES)))
    if len(names) > MAX_FILES:
        findings.add(Position(names[0], 1, 1), f"there are {len(names)} files", f"at most {MAX_FILES}")
        return Document(names)
    whole = Document(names)
    for name in names:
        for section, entries in _sections(name, files[name], findings):
            _add(whole.sections[section], entries, section, findings)
    return whole


def _sections(file: str, content: bytes, findings: Findings) -> Iterator[tuple[str, Table]]:
    root = read(file, content, findings)
    if root is None or (isinstance(root, Text) and not root.value):
        return
    if not isinstance(root, Table):
        findings.add(root.at, f"the file is {kind_of(root)}", f"a table with {', '.join(SECTIONS)}")
        return
    for key, node in root.entries:
        if key.value not in SECTIONS:
            findings.unknown(key.at, "key", key.value, SECTIONS)
        elif isinstance(node, Table):
            yield key.value, node
        elif not (isinstance(node, Text) and not node.value):
            findings.add(node.at, f"{key.value} is {kind_of(node)}", "a table of names")


def _add(section: dict[str, Entry], entries: Table, what: str, findings: Findings) -> None:
    for name, node in entries.entries:
        first = section.get(name.value)
        if first is None:
            section[name.value] = Entry(name, node)
        else:
            said = f"{shown(name.value)} is defined twice in {what}, first at {first.name.at}"
            findings.add(name.at, said, "a name defined once in all files")
