"""YAML texts as trees whose nodes know where they stand."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import yaml

from policies.texts import yaml_events
from policies.texts.yaml_events import COMMENT, YamlRefused
from policies.texts.yaml_nodes import BLOCKS, AliasNode, ListNode, MapNode, Node, ScalarNode

__all__ = ["YamlRefused", "YamlText", "read"]

Span = tuple[int, int]


class Spans:
    """Stretches of a text, nested or not, that can be asked whether they hold a place."""

    __slots__ = ("_reach", "_starts")

    def __init__(self, spans: Iterable[Span]) -> None:
        ordered = sorted(spans)
        self._starts = [start for start, _ in ordered]
        self._reach = list(accumulate((end for _, end in ordered), max))

    def __contains__(self, at: int) -> bool:
        """Say whether one of them begins at or before ``at`` and ends behind it."""
        index = bisect_right(self._starts, at) - 1
        return index >= 0 and self._reach[index] > at


@dataclass(frozen=True, slots=True)
class YamlText:
    """A decoded text (its byte order mark kept), its documents, and what is worth knowing about spans of it."""

    text: str
    events: Sequence[yaml.Event]
    documents: tuple[Node, ...]
    ambiguous: Spans  # pairs whose key stands more than once in its map
    repeated: Spans  # of these all but the first
    blocks: Spans  # block scalars
    aliased: Spans  # what an alias repeats elsewhere

    @classmethod
    def of_tree(cls, text: str, root: Node) -> "YamlText":
        """Return a text of another format, whose one document has no anchors, blocks or equal keys."""
        none = Spans(())
        return cls(text, (), (root,), ambiguous=none, repeated=none, blocks=none, aliased=none)

    @property
    def encrypted_at(self) -> int | None:
        """The line of the map in which sops keeps its check sum; None where the file is not encrypted."""
        for root in self.documents:
            sops = root.get("sops") if isinstance(root, MapNode) else None
            if isinstance(sops, MapNode) and sops.get("mac") is not None:
                return sops.line
        return None


def read(content: bytes) -> YamlText:
    """Read every document of ``content``. Raises: YamlRefused."""
    text = yaml_events.decode(content)
    events = yaml_events.events(text)
    builder = _Builder(text)
    for event in events:
        builder.take(event)
    return YamlText(
        text=text,
        events=events,
        documents=tuple(builder.documents),
        ambiguous=Spans(builder.ambiguous),
        repeated=Spans(builder.repeated),
        blocks=Spans(builder.blocks),
        aliased=Spans(builder.aliased),
    )


class _Builder:
    """Turns events into nodes without recursion; what an anchor names is looked up where its alias stands."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.ahead = yaml_events.offset(text)
        self.documents: list[Node] = []
        self.ambiguous: list[Span] = []
        self.repeated: list[Span] = []
        self.blocks: list[Span] = []
        self.aliased: set[Span] = set()
        self._siblings: list[Node] = self.documents
        self._open: list[tuple[Any, list[Node]]] = []  # what was begun, and what it stands beside
        self._anchors: dict[str, Node | None] = {}

    def take(self, event: Any) -> None:
        """Add what one event says; events arrive in the order of the text."""
        kind = type(event)
        if kind is yaml.ScalarEvent:
            node = yaml_events.scalar(self.text, event, self.ahead)
            if node.style in BLOCKS:
                self.blocks.append((node.start, node.end))
            if node.anchor is not None:
                self._anchors[node.anchor] = node
            self._siblings.append(node)
        elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
            self._open.append((event, self._siblings))
            self._siblings = []
            if event.anchor is not None:
                self._anchors[event.anchor] = None
        elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
            children = self._siblings
            begun, self._siblings = self._open.pop()
            self._add(self._collection(begun, event, children), begun.anchor)
        elif kind is yaml.AliasEvent:
            self._add(self._alias(event), None)
        elif kind is yaml.DocumentStartEvent:
            self._anchors = {}

    def _add(self, node: Node, anchor: str | None) -> None:
        if anchor is not None:
            self._anchors[anchor] = node
        self._siblings.append(node)

    def _alias(self, event: Any) -> AliasNode:
        start, end, line = yaml_events.span(event, self.ahead)
        if event.anchor not in self._anchors:
            name = event.anchor[:60]
            detail = f"not YAML: the alias *{name} stands for nothing; expected &{name} before it"
            raise YamlRefused("unparsable", line, detail)
        target = self._anchors[event.anchor]
        if target is not None:
            self.aliased.add((target.start, target.end))
        found = COMMENT.match(self.text, end)
        comment, comment_at = (found[1], found.start(1)) if found else ("", -1)
        return AliasNode(event.anchor, target, start, end, line, comment, comment_at)

    def _collection(self, begun: Any, ended: Any, children: list[Node]) -> Node:
        start, _, line = yaml_events.span(begun, self.ahead)
        end = ended.end_mark.index + self.ahead
        if type(begun) is yaml.SequenceStartEvent:
            return ListNode(tuple(children), start, end, line)
        pairs = tuple(zip(children[::2], children[1::2], strict=True))
        by_key = {key.value: value for key, value in pairs if isinstance(key, ScalarNode)}
        if len(by_key) < len(pairs):
            self._note_equal_keys(pairs)
        return MapNode(pairs, by_key, start, end, line)

    def _note_equal_keys(self, pairs: tuple[tuple[Node, Node], ...]) -> None:
        """Keep the spans of pairs whose key stands more than once in their map."""
        first: dict[str, Span | None] = {}
        for key, value in pairs:
            if isinstance(key, ScalarNode):
                at = (key.start, max(key.end, value.end))
                if key.value in first:
                    self.repeated.append(at)
                    self.ambiguous += [at] if (one := first[key.value]) is None else [one, at]
                    first[key.value] = None  # noted
                else:
                    first[key.value] = at
