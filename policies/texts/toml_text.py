"""TOML texts as the trees that YAML texts are read to: tomllib says what the values are, a scan where they stand."""

import re
import tomllib
from bisect import bisect_left
from typing import Any

from policies.texts import yaml_events
from policies.texts.yaml_events import YamlRefused
from policies.texts.yaml_nodes import ListNode, MapNode, Node, ScalarNode
from policies.texts.yaml_text import YamlText

MAX_BYTES = 1024 * 1024  # tomllib reads about a megabyte in a second
_MAX_DEPTH = 100
_SPACE = re.compile(r"[ \t]*")
# One character at a time: possessive repeats within groups go wrong before Python 3.11.4.
_SPACES = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_BASIC = re.compile(r'"(?:[^"\\\n]|\\.)*"')
_LITERAL = re.compile(r"'[^'\n]*'")
_LONG_BASIC = re.compile(r'"""(?:[^"\\]|\\.|"(?!""))*"""(?:"{0,2})', re.DOTALL)
_LONG_LITERAL = re.compile(r"'''(?:[^']|'(?!''))*'''(?:'{0,2})")
_OTHER = re.compile(r"[^\s,\]}#\"'\[{=]+(?:[ ][0-9:.+Zz-]+)?")  # a date may have a space before its time

Path = tuple[str | int, ...]


def read(content: bytes) -> YamlText:
    """Read ``content`` as TOML. Raises: YamlRefused."""
    if len(content) > MAX_BYTES:
        raise YamlRefused("too-large", 1, f"{len(content)} bytes; expected at most {MAX_BYTES}")
    text = yaml_events.decode(content)
    scan = _Scan(text)
    scan.document()
    try:
        values = tomllib.loads(text[yaml_events.offset(text) :])
    except (ValueError, RecursionError) as error:
        raise YamlRefused("unparsable", 1, f"not TOML: {error}"[:300]) from error
    return YamlText.of_tree(text, _Tree(text, scan.spans).node(values, ()))


class _Scan:
    """Goes over a text once and notes where each value stands; what is not TOML is left to tomllib to say."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = yaml_events.offset(text)
        self.spans: dict[Path, tuple[int, int]] = {}
        self._last: dict[Path, int] = {}  # the index of the newest table of each array of tables

    def document(self) -> None:
        """Go to the end of the text. Raises: YamlRefused."""
        table: Path = ()
        self._over(_SPACES)
        while self.at < len(self.text):
            if self._took("[["):
                table = self._array_table(self._key())
                self._expect("]]")
            elif self._took("["):
                table = self._table(self._key())
                self._expect("]")
            else:
                self._pair(table, 1)
            self._over(_SPACES)

    def _table(self, key: Path) -> Path:
        """Return where a table stands: a name of an array of tables means its newest one."""
        path: Path = ()
        for part in key:
            path = (*path, part)
            if path in self._last:
                path = (*path, self._last[path])
        return path

    def _array_table(self, key: Path) -> Path:
        path = (*self._table(key[:-1]), key[-1])
        self._last[path] = self._last.get(path, -1) + 1
        return (*path, self._last[path])

    def _pair(self, table: Path, depth: int) -> None:
        key = self._key()
        self._expect("=")
        self._over(_SPACE)
        self._value((*table, *key), depth)

    def _key(self) -> Path:
        parts: list[str] = []
        while True:
            self._over(_SPACE)
            found = next(
                (one for form in (_BARE_KEY, _BASIC, _LITERAL) if (one := form.match(self.text, self.at))),
                None,
            )
            if found is None or len(parts) > _MAX_DEPTH:
                raise self._refused("a key")
            self.at = found.end()
            parts.append(_unquoted(found[0]))
            self._over(_SPACE)
            if not self._took("."):
                return tuple(parts)

    def _value(self, path: Path, depth: int) -> None:
        """Go over one value, and note it."""
        start = self.at
        if depth > _MAX_DEPTH:
            raise self._refused("less depth")
        if self._took("["):
            self._items(path, depth)
        elif self._took("{"):
            self._inline(path, depth)
        else:
            forms = (_LONG_BASIC, _LONG_LITERAL, _BASIC, _LITERAL, _OTHER)
            found = next((one for form in forms if (one := form.match(self.text, self.at))), None)
            if found is None:
                raise self._refused("a value")
            self.at = found.end()
        self.spans[path] = (start, self.at)

    def _items(self, path: Path, depth: int) -> None:
        index = 0
        self._over(_SPACES)
        while not self._took("]"):
            self._value((*path, index), depth + 1)
            index += 1
            self._over(_SPACES)
            if not self._took(",") and not self.text.startswith("]", self.at):
                raise self._refused("',' or ']'")
            self._over(_SPACES)

    def _inline(self, path: Path, depth: int) -> None:
        self._over(_SPACES)
        while not self._took("}"):
            self._pair(path, depth + 1)
            self._over(_SPACES)
            if not self._took(",") and not self.text.startswith("}", self.at):
                raise self._refused("',' or '}'")
            self._over(_SPACES)

    def _over(self, what: re.Pattern[str]) -> None:
        found = what.match(self.text, self.at)
        self.at = found.end() if found else self.at

    def _took(self, mark: str) -> bool:
        if self.text.startswith(mark, self.at):
            self.at += len(mark)
            return True
        return False

    def _expect(self, mark: str) -> None:
        self._over(_SPACE)
        if not self._took(mark):
            raise self._refused(f"{mark!r}")

    def _refused(self, expected: str) -> YamlRefused:
        line = self.text.count("\n", 0, self.at) + 1
        return YamlRefused("unparsable", line, f"not TOML at character {self.at}; expected {expected}")


class _Tree:
    """Makes nodes of tomllib's values and the places that were noted for them."""

    def __init__(self, text: str, spans: dict[Path, tuple[int, int]]) -> None:
        self.text = text
        self.spans = spans
        self.lines = [at for at, char in enumerate(text) if char == "\n"]

    def node(self, value: Any, path: Path) -> Node:
        """Return the tree of one value. Its depth is that of the scan, which is capped."""
        start, end = self.spans.get(path, (0, 0))
        line = self._line(start)
        if isinstance(value, dict):
            by_key = {key: self.node(item, (*path, key)) for key, item in value.items()}
            pairs = tuple((_scalar(key, (0, 0), 1, '"'), item) for key, item in by_key.items())
            return MapNode(pairs, by_key, start, end, line)
        if isinstance(value, list):
            items = tuple(self.node(item, (*path, index)) for index, item in enumerate(value))
            return ListNode(items, start, end, line)
        if not isinstance(value, str):
            return _scalar(repr(value), (start, end), line, "", "not text")
        written = self.text[start:end]
        style = written[:1] if not written.startswith(('"""', "'''")) else "|"
        return _scalar(value, (start, end), line, style)

    def _line(self, at: int) -> int:
        return bisect_left(self.lines, at) + 1


def _scalar(value: str, span: tuple[int, int], line: int, style: str, tag: str | None = None) -> ScalarNode:
    return ScalarNode(value, *span, line, style, tag, None, "", -1, one_line=style != "|")


def _unquoted(written: str) -> str:
    """Return the key that is written bare or in quotes."""
    if written[0] == "'":
        return written[1:-1]
    if written[0] != '"':
        return written
    try:
        return str(tomllib.loads(f"k={written}")["k"])
    except ValueError:
        return written  # tomllib says so of the whole text
