"""Reading the fields of one Flux document: typed values, and a problem with its line for each that does not fit."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from policies.errors import PolicyError
from policies.flux.objects import FluxName, Reason
from policies.manifests.places import Problem
from policies.texts import quoting
from policies.texts.yaml_nodes import ListNode, MapNode, Node, ScalarNode, resolved

# The pattern in the schema of every interval and timeout.
_DURATION = re.compile(r"(?:[0-9]+(?:\.[0-9]+)?(?:ms|s|m|h))+", re.ASCII)
# What YAML may take for a number, a date or a word; only then are quotes a matter of type.
_TYPED = re.compile(r"[-+~.:\w]*", re.ASCII)
_TRUE, _FALSE = frozenset({"true", "True", "TRUE"}), frozenset({"false", "False", "FALSE"})


@dataclass(slots=True)
class Fields:
    """The values below one node of a document. All nodes of a document note their problems in one list."""

    path: str
    node: MapNode | None
    line: int
    problems: list[Problem] = field(default_factory=list)
    where: str = ""

    def sub(self, key: str) -> "Fields":
        """Return the map under ``key``; an empty one where nothing is written there."""
        node = self._get(key)
        where = f"{self.where}.{key}".lstrip(".")
        if node is not None and not isinstance(node, MapNode):
            self.note(Reason.INVALID, f"{where} is {_kind(node)}; expected a map", node)
        found = node if isinstance(node, MapNode) else None
        return Fields(self.path, found, found.line if found else self.line_of(key), self.problems, where)

    def has(self, key: str) -> bool:
        """Say whether something is written under ``key``; null is nothing."""
        return self._get(key) is not None

    def keys(self) -> Iterator[str]:
        """Yield the keys under which something is written."""
        for key in self.node.by_key if self.node else ():
            if self.has(key):
                yield key

    def text(self, key: str, default: str = "") -> str:
        """Return the text under ``key``."""
        node = self._get(key)
        return default if node is None else self._text(f"{self.where}.{key}", node)

    def flag(self, key: str) -> bool:
        """Return the boolean under ``key``, false where it is left out."""
        node = self._get(key)
        value = node.value if isinstance(node, ScalarNode) and not node.style else None
        if node is not None and value not in _TRUE | _FALSE:
            self.note(Reason.INVALID, f"{self.where}.{key} is {_shown(node)}; expected true or false", node)
        return value in _TRUE

    def texts(self, key: str) -> tuple[str, ...] | None:
        """Return the list of texts under ``key``; None where it is left out."""
        node = self._get(key)
        if node is None:
            return None
        where = f"{self.where}.{key}"
        if not isinstance(node, ListNode):
            self.note(Reason.INVALID, f"{where} is {_kind(node)}; expected a list", node)
            return ()
        return tuple(self._text(where, item) for item in map(resolved, node.items) if item is not None)

    def items(self, key: str) -> "tuple[Fields, ...]":
        """Return the maps in the list under ``key``."""
        node = self._get(key)
        where = f"{self.where}.{key}"
        if node is None:
            return ()
        entries = [resolved(item) for item in node.items] if isinstance(node, ListNode) else [node]
        found = [entry for entry in entries if isinstance(entry, MapNode)]
        if not isinstance(node, ListNode) or len(found) < len(entries):
            self.note(Reason.INVALID, f"{where} is not a list of maps; expected one", node)
        return tuple(Fields(self.path, entry, entry.line, self.problems, where) for entry in found)

    def table(self, key: str) -> Mapping[str, str]:
        """Return the map of texts under ``key``."""
        below = self.sub(key)
        return {name: below.text(name) for name in below.keys()}  # noqa: SIM118  keys with something written

    def duration(self, key: str, *, required: bool = False) -> None:
        """Check the duration under ``key`` by the pattern of Flux's schema."""
        node = self._get(key)
        if node is None:
            if required:
                self.note(Reason.INVALID, f"{self.where}.{key} is left out; expected a duration such as 5m")
            return
        value = node.value if isinstance(node, ScalarNode) else ""
        if _DURATION.fullmatch(value) is None:
            self.note(
                Reason.INVALID,
                f"{self.where}.{key} is {_shown(node)}; expected a duration such as 5m or 1h30m",
                node,
            )

    def no_effect(self, keys: Mapping[str, str]) -> None:
        """Note each of ``keys`` that is written here, with what holds instead."""
        for key, instead in keys.items():
            if self.has(key):
                self.note(
                    Reason.NO_EFFECT, f"{self.where}.{key} has no effect here: {instead}", self._get(key)
                )

    def note(self, reason: Reason, detail: str, node: Node | None = None) -> None:
        """Note a problem, at ``node`` where there is one."""
        self.problems.append(Problem(self.path, node.line if node else self.line, reason, detail))

    def refuse(self, reason: Reason, key: str, error: PolicyError) -> None:
        """Note what a value under ``key`` was refused for."""
        self.problems.append(
            Problem(self.path, self.line_of(key), reason, f"{self.where}.{key}: {error}".lstrip("."))
        )

    def line_of(self, key: str) -> int:
        """Return the line of what is written under ``key``, else of the map."""
        node = self.node.get(key) if self.node else None
        return node.line if node else self.line

    def _get(self, key: str) -> Node | None:
        node = self.node.get(key) if self.node else None
        found = resolved(node) if node is not None else None
        return None if isinstance(found, ScalarNode) and found.is_null else found

    def _text(self, where: str, node: Node) -> str:
        """Read one text; a number or a truth value is none for the API server."""
        if not isinstance(node, ScalarNode):
            self.note(Reason.INVALID, f"{where} is {_kind(node)}; expected text", node)
            return ""
        is_typed = not node.style and node.tag is None and _TYPED.fullmatch(node.value) is not None
        if is_typed and quoting.needs_quotes(node.value):
            self.note(
                Reason.INVALID,
                f"{where} is {node.value[:140]!r}, which YAML reads as no text; quote it",
                node,
            )
        return node.value


def name_of(fields: Fields, default: str) -> FluxName:
    """Read ``metadata``: name and namespace; ``default`` is that of a kustomization beside the file."""
    metadata = fields.sub("metadata")
    name = metadata.text("name")
    if not name:
        fields.note(Reason.INVALID, "metadata.name is left out; expected the object's name")
    return FluxName(default or metadata.text("namespace"), name)


def invalid(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Return the problems that keep a document from being used."""
    return tuple(problem for problem in problems if problem.code != Reason.NO_EFFECT)


def _kind(node: Node) -> str:
    if isinstance(node, ScalarNode):
        return "a single value"
    return "a list" if isinstance(node, ListNode) else "a map"


def _shown(node: Node) -> str:
    return repr(node.value[:140]) if isinstance(node, ScalarNode) else _kind(node)
