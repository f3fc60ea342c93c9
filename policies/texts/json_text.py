"""JSON texts as the trees that YAML texts are read to, so that a value knows where it stands."""

import json
import re

from policies.texts import yaml_events
from policies.texts.yaml_events import MAX_DEPTH, MAX_EVENTS, YamlRefused
from policies.texts.yaml_nodes import ListNode, MapNode, Node, ScalarNode
from policies.texts.yaml_text import YamlText

# RFC 8259: no comments, no commas at the end, no other spaces.
_SPACE = re.compile(r"[ \t\r\n]*")
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"')
_LITERAL = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null")
_OTHER = "not text"  # the tag of numbers and booleans: a tag of an image is never one of them


def read(content: bytes) -> YamlText:
    """Read ``content`` as one JSON document whose maps have each key once. Raises: YamlRefused."""
    text = yaml_events.decode(content)
    return YamlText.of_tree(text, _Reader(text).document())


class _Reader:
    """Reads one text from its beginning to its end."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = yaml_events.offset(text)
        self.line = 1
        self._counted = 0
        self._nodes = 0

    def document(self) -> Node:
        """Return the root. Raises: YamlRefused."""
        root = self._value(1)
        if self.at < len(self.text):
            raise self._refused("the end of the text")
        return root

    def _value(self, depth: int) -> Node:
        self._space()
        self._nodes += 1
        if depth > MAX_DEPTH:
            raise YamlRefused("too-deep", self.line, f"nested deeper than {MAX_DEPTH} levels")
        if self._nodes > MAX_EVENTS:
            raise YamlRefused("too-large", self.line, f"more than {MAX_EVENTS} values; expected fewer")
        match self.text[self.at : self.at + 1]:
            case "{":
                node = self._map(depth)
            case "[":
                node = self._list(depth)
            case '"':
                node = self._string("a value")
            case _:
                node = self._literal()
        self._space()
        return node

    def _map(self, depth: int) -> Node:
        start, line = self.at, self.line
        pairs: list[tuple[Node, Node]] = []
        by_key: dict[str, Node] = {}
        more = self._opened("}")
        while more:
            self._space()
            key = self._string("a key in double quotes")
            if key.value in by_key:
                detail = f"the key {key.value[:140]!r} stands twice in its map; expected it once"
                raise YamlRefused("duplicate", key.line, detail)
            self._space()
            self._take(":")
            by_key[key.value] = value = self._value(depth + 1)
            pairs.append((key, value))
            more = self._goes_on("}")
        return MapNode(tuple(pairs), by_key, start, self.at, line)

    def _list(self, depth: int) -> Node:
        start, line = self.at, self.line
        items: list[Node] = []
        more = self._opened("]")
        while more:
            items.append(self._value(depth + 1))
            more = self._goes_on("]")
        return ListNode(tuple(items), start, self.at, line)

    def _string(self, expected: str) -> ScalarNode:
        found = _STRING.match(self.text, self.at)
        if found is None:
            raise self._refused(expected)
        written = found[0]
        value = str(json.loads(written)) if "\\" in written else written[1:-1]
        return self._scalar(found, value, '"', None)

    def _literal(self) -> ScalarNode:
        found = _LITERAL.match(self.text, self.at)
        if found is None:
            raise self._refused("a value")
        return self._scalar(found, found[0], "", None if found[0] == "null" else _OTHER)

    def _scalar(self, found: re.Match[str], value: str, style: str, tag: str | None) -> ScalarNode:
        start, self.at = found.span()
        return ScalarNode(value, start, self.at, self.line, style, tag, None, "", -1, one_line=True)

    def _opened(self, end: str) -> bool:
        """Step into a collection; say whether anything is in it."""
        self.at += 1
        self._space()
        if self.text.startswith(end, self.at):
            self.at += 1
            return False
        return True

    def _goes_on(self, end: str) -> bool:
        """Step over a comma, or out of the collection."""
        if self.text.startswith(end, self.at):
            self.at += 1
            return False
        self._take(",")
        return True

    def _take(self, mark: str) -> None:
        if not self.text.startswith(mark, self.at):
            raise self._refused(f"{mark!r}")
        self.at += 1

    def _space(self) -> None:
        found = _SPACE.match(self.text, self.at)
        self.at = found.end() if found else self.at
        self.line += self.text.count("\n", self._counted, self.at)
        self._counted = self.at

    def _refused(self, expected: str) -> YamlRefused:
        return YamlRefused("unparsable", self.line, f"not JSON at character {self.at}; expected {expected}")
