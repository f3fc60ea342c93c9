"""YAML texts as trees that remember where each scalar stands, read from libyaml's event stream."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import yaml

from policies.errors import PolicyError
from policies.yaml_nodes import BLOCKS, AliasNode, ListNode, MapNode, Node, ScalarNode

MAX_BYTES = 8 * 1024 * 1024  # bundles of CRDs reach 5 MB; nobody writes more by hand
MAX_DEPTH = 200  # libyaml grows quadratic with the depth of flow collections
MAX_ALIASES = 10_000  # they are never expanded; this many is an attack or a mistake

# YAML 1.1 breaks lines at these too; a comment ends there for libyaml and for Go's port of it.
_COMMENT = re.compile(r"[ \t]*,?[ \t]*(#[^\r\n\x85\u2028\u2029]*)")
_PROPERTIES = re.compile(r"(?:[&!]\S*(?:\s+(?:#[^\r\n]*\s+)*|$))*")
_BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"


class YamlRefused(PolicyError):  # noqa: N818  a refusal is what it is: foreseen, and nobody erred
    """The bytes are not a YAML text that can be edited; ``code`` and ``line`` (1-based) say why and where."""

    def __init__(self, code: str, line: int, detail: str) -> None:
        super().__init__(f"line {line}: {detail}")
        self.code = code
        self.line = line
        self.detail = detail


@dataclass(frozen=True, slots=True)
class YamlText:
    """A decoded text (its byte order mark kept), its documents, and what is worth knowing about spans of it."""

    text: str
    documents: tuple[Node, ...]
    ambiguous: tuple[tuple[int, int], ...]  # pairs whose key stands more than once in its map
    repeated: tuple[tuple[int, int], ...]  # of these all but the first
    blocks: tuple[tuple[int, int], ...]  # spans of block scalars
    aliased: frozenset[int]  # starts of scalars that an alias repeats elsewhere

    @property
    def encrypted_at(self) -> int | None:
        """The line of the map in which sops keeps its check sum; None where the file is not encrypted."""
        for root in self.documents:
            sops = root.get("sops") if isinstance(root, MapNode) else None
            if isinstance(sops, MapNode) and sops.get("mac") is not None:
                return sops.line
        return None


def decode(content: bytes) -> str:
    """Return the text of ``content``, strictly UTF-8, byte order mark and line ends kept. Raises: YamlRefused."""
    if len(content) > MAX_BYTES:
        raise YamlRefused("too-large", 1, f"{len(content)} bytes; expected at most {MAX_BYTES}")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise YamlRefused(
            "not-utf-8", line, f"byte {error.start} is not UTF-8; expected UTF-8 text"
        ) from error
    if text.startswith(_BOM * 2):
        raise YamlRefused("not-utf-8", 1, "two byte order marks; expected one at most")
    return text


def events(text: str) -> Iterator[yaml.Event]:
    """Yield libyaml's events; their marks do not count a byte order mark. Raises: YamlRefused."""
    depth = aliases = 0
    try:
        for event in yaml.parse(text.removeprefix(_BOM), Loader=yaml.CSafeLoader):
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
            elif isinstance(event, yaml.AliasEvent):
                aliases += 1
            if depth > MAX_DEPTH or aliases > MAX_ALIASES:
                what = (
                    f"nested deeper than {MAX_DEPTH}" if depth > MAX_DEPTH else f"over {MAX_ALIASES} aliases"
                )
                raise YamlRefused("too-deep", _mark(event.start_mark).line + 1, what)
            yield event
    except yaml.YAMLError as error:
        raise _refused(error, text) from error


def offset(text: str) -> int:
    """Return how far an index in ``text`` is ahead of an event's mark: the byte order mark is not counted."""
    return 1 if text.startswith(_BOM) else 0


def span(text: str, event: yaml.Event) -> tuple[int, int, int]:
    """Return where an event begins and ends in ``text``, and its first line (1-based)."""
    begin, end, ahead = _mark(event.start_mark), _mark(event.end_mark), offset(text)
    return begin.index + ahead, end.index + ahead, begin.line + 1


def scalar(text: str, event: yaml.ScalarEvent) -> ScalarNode:
    """Place a scalar event in ``text``: its mark begins at anchor and tag, its text does not."""
    start, end, line = span(text, event)
    if event.anchor is not None or text[start : start + 1] == "!":
        properties = _PROPERTIES.match(text, start, end)
        start = properties.end() if properties else start
    style = event.style or ""
    one_line = _stands_on_one_line(text[start:end], event.value, style)
    found = _COMMENT.match(text, end) if style not in BLOCKS else None
    return ScalarNode(
        value=event.value,
        start=start,
        end=end,
        line=_mark(event.end_mark).line + 1 if one_line else line,
        style=style,
        tag=event.tag,
        anchor=event.anchor,
        comment=found[1] if found else "",
        comment_at=found.start(1) if found else -1,
        one_line=one_line,
    )


def read(content: bytes) -> YamlText:
    """Read every document of ``content``. Raises: YamlRefused."""
    text = decode(content)
    builder = _Builder(text)
    for event in events(text):
        builder.take(event)
    return YamlText(
        text=text,
        documents=tuple(builder.documents),
        ambiguous=tuple(builder.ambiguous),
        repeated=tuple(builder.repeated),
        blocks=tuple(builder.blocks),
        aliased=frozenset(builder.aliased),
    )


class _Builder:
    """Turns events into nodes without recursion; what an anchor names is looked up where its alias stands."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.documents: list[Node] = []
        self.ambiguous: list[tuple[int, int]] = []
        self.repeated: list[tuple[int, int]] = []
        self.blocks: list[tuple[int, int]] = []
        self.aliased: set[int] = set()
        self._open: list[tuple[yaml.CollectionStartEvent, list[Node]]] = []
        self._anchors: dict[str, Node | None] = {}

    def take(self, event: yaml.Event) -> None:
        match event:
            case yaml.ScalarEvent():
                node = scalar(self.text, event)
                if node.style in BLOCKS:
                    self.blocks.append((node.start, node.end))
                self._add(node, event.anchor)
            case yaml.AliasEvent():
                self._add(self._alias(event), None)
            case yaml.CollectionStartEvent():
                self._open.append((event, []))
                if event.anchor is not None:
                    self._anchors[event.anchor] = None
            case yaml.CollectionEndEvent():
                begun, children = self._open.pop()
                self._add(self._collection(begun, event, children), begun.anchor)
            case yaml.DocumentStartEvent():
                self._anchors = {}
            case _:
                pass

    def _add(self, node: Node, anchor: str | None) -> None:
        if anchor is not None:
            self._anchors[anchor] = node
        if self._open:
            self._open[-1][1].append(node)
        else:
            self.documents.append(node)

    def _alias(self, event: yaml.AliasEvent) -> AliasNode:
        start, end, line = span(self.text, event)
        name = event.anchor or ""
        target = self._anchors.get(name)
        if isinstance(target, ScalarNode):
            self.aliased.add(target.start)
        found = _COMMENT.match(self.text, end)
        comment, comment_at = (found[1], found.start(1)) if found else ("", -1)
        return AliasNode(name, target, start, end, line, comment, comment_at)

    def _collection(
        self, begun: yaml.CollectionStartEvent, ended: yaml.CollectionEndEvent, children: list[Node]
    ) -> Node:
        start, _, line = span(self.text, begun)
        end = span(self.text, ended)[1]
        if isinstance(begun, yaml.SequenceStartEvent):
            return ListNode(tuple(children), start, end, line)
        pairs = tuple(zip(children[::2], children[1::2], strict=True))
        self._note_equal_keys(pairs)
        return MapNode(pairs, start, end, line)

    def _note_equal_keys(self, pairs: tuple[tuple[Node, Node], ...]) -> None:
        """Keep the spans of pairs whose key stands more than once in their map."""
        counts = Counter(key.value for key, _ in pairs if isinstance(key, ScalarNode))
        if len(counts) == len(pairs):
            return
        seen: set[str] = set()
        for key, value in pairs:
            if isinstance(key, ScalarNode) and counts[key.value] > 1:
                at = (key.start, max(key.end, value.end))
                self.ambiguous.append(at)
                if key.value in seen:
                    self.repeated.append(at)
                seen.add(key.value)


def _mark(mark: object) -> yaml.Mark:
    """Narrow a mark: libyaml gives every event both of its marks."""
    return cast("yaml.Mark", mark)


def _stands_on_one_line(written: str, value: str, style: str) -> bool:
    """Say whether the text between the marks is the scalar's own, on one line, as its style writes it."""
    if style == "":
        return written == value
    if style in {"'", '"'}:
        return len(written) > 1 and written[0] == written[-1] == style and len(written.splitlines()) == 1
    return False


def _refused(error: yaml.YAMLError, text: str) -> YamlRefused:
    """Name line and cause of what libyaml could not read; a template is called by its name."""
    mark = getattr(error, "problem_mark", None)
    at = getattr(error, "position", 0)  # of a character that YAML does not allow, in bytes
    line = mark.line + 1 if mark is not None else text.encode().count(b"\n", 0, at) + 1
    if "{{" in text:
        line = text.count("\n", 0, text.index("{{")) + 1
        return YamlRefused("template", line, "a template, not YAML; expected YAML before it is rendered")
    cause = getattr(error, "problem", None) or getattr(error, "reason", None) or "cannot be read"
    return YamlRefused("unparsable", line, f"not YAML: {cause}")
