"""The nodes of a YAML tree: scalars, aliases, maps and lists, each with its span in the text."""

from collections.abc import Mapping
from dataclasses import dataclass

_TYPES = (
    "tag:yaml.org,2002:"  # written !!, they say how a text is to be read; all others are the reader's own
)
_TEXT = f"{_TYPES}str"
BLOCKS = frozenset({"|", ">"})  # the styles of block scalars


@dataclass(frozen=True, slots=True)
class ScalarNode:
    """One scalar. ``start`` and ``end`` span its text with quotes, without anchor and tag; ``line`` is 1-based.

    ``style`` is ``''`` (plain), ``'``, ``"``, ``|`` or ``>``. ``comment`` is the one on its line, with its #,
    which stands at ``comment_at``; empty and -1 where there is none.
    """

    value: str
    start: int
    end: int
    line: int
    style: str
    tag: str | None
    anchor: str | None
    comment: str
    comment_at: int
    one_line: bool

    @property
    def is_null(self) -> bool:
        """Say whether YAML reads this as nothing."""
        return not self.style and self.tag is None and self.value in {"", "~", "null", "Null", "NULL"}

    @property
    def obstacle(self) -> str | None:
        """Say why this scalar's text cannot be replaced in its place; None where it can."""
        if self.style in BLOCKS:
            return "a block scalar"
        if not self.one_line:
            return "a scalar over several lines"
        if self.tag not in {None, _TEXT} and not str(self.tag).startswith("!"):
            return f"a scalar with the tag {self.tag!r}"
        return "an empty value" if self.start == self.end else None


@dataclass(frozen=True, slots=True)
class AliasNode:
    """A reference to what an anchor names; ``target`` is None where that is not complete (``&a [*a]``)."""

    name: str
    target: "Node | None"
    start: int
    end: int
    line: int
    comment: str
    comment_at: int


@dataclass(frozen=True, slots=True)
class MapNode:
    """A map as its pairs, in order, duplicates kept; ``by_key`` has the last of each, as most readers take it."""

    items: "tuple[tuple[Node, Node], ...]"
    by_key: "Mapping[str, Node]"
    start: int
    end: int
    line: int

    def get(self, key: str) -> "Node | None":
        """Return the value under the scalar key ``key``."""
        return self.by_key.get(key)

    def text(self, key: str) -> str | None:
        """Return the scalar under ``key`` as text, read through an alias or a merge; None where there is none."""
        node = self.get(key)
        scalar = resolved(node) if node is not None else self._merged(key)
        return scalar.value if isinstance(scalar, ScalarNode) and not scalar.is_null else None

    def _merged(self, key: str) -> "Node | None":
        """Look ``key`` up in what ``<<`` merges, one level deep."""
        base = self.get("<<")
        target = resolved(base) if base is not None else None
        found = target.get(key) if isinstance(target, MapNode) else None
        return resolved(found) if found is not None else None


@dataclass(frozen=True, slots=True)
class ListNode:
    """A sequence of nodes."""

    items: "tuple[Node, ...]"
    start: int
    end: int
    line: int


Node = ScalarNode | AliasNode | MapNode | ListNode


def resolved(node: Node) -> Node | None:
    """Follow an alias to what it names."""
    return node.target if isinstance(node, AliasNode) else node
