"""YAML as text with places: tables, lists and scalars, each scalar as it was written; types come from keys."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

import yaml

from policies.rulebook.findings import Findings, shown
from policies.rules.rules import Position

MAX_BYTES = 1_000_000  # of one file
MAX_DEPTH = 12  # the deepest rule needs five
# YAML 1.1 ends lines at these, most viewers do not: what looks like a comment could be a rule.
_HIDDEN_BREAK = "\x85\u2028\u2029"
# Unicode Standard Annex 9: these change the order in which a line is shown, also in comments.
_REORDERING = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_UNSEEN = re.compile(
    rf"\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f{_HIDDEN_BREAK}{_REORDERING}\ufffe\uffff]"
)
_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Unicode, Default_Ignorable_Code_Point outside of those categories, and the blank of Braille.
_BLANKS = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)


@dataclass(frozen=True, slots=True)
class Text:
    """A scalar, as written."""

    at: Position
    value: str


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    at: Position
    items: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Table:
    """A mapping, in the order of its keys; no key twice."""

    at: Position
    entries: "tuple[tuple[Text, Node], ...]"

    def get(self, key: str) -> "Node | None":
        """Return what is written under a key."""
        return next((node for name, node in self.entries if name.value == key), None)


Node = Text | Items | Table


def read(file: str, content: bytes, findings: Findings) -> Node | None:
    """Return the one document of a file, or nothing where it is empty or cannot be read (then it is noted)."""
    text = _decode(file, content, findings)
    if text is None:
        return None
    try:
        return _Composer(file, findings).document(yaml.parse(text, Loader=yaml.CBaseLoader))
    except _StopReading:
        return None
    except yaml.YAMLError as error:
        findings.unreadable(
            _place(file, getattr(error, "problem_mark", None)),
            f"this is not YAML: {getattr(error, 'problem', 'a character is not allowed')}",
            "YAML, with values quoted that begin with one of > | @ % & * ! ` [ {",
        )
    return None


class _StopReading(Exception):  # noqa: N818  it is no error of anybody who calls
    """The rest of the file makes no sense any more; why is noted."""


def _decode(file: str, content: bytes, findings: Findings) -> str | None:
    if len(content) > MAX_BYTES:
        findings.unreadable(
            Position(file, 1, 1), f"the file has {len(content)} bytes", f"at most {MAX_BYTES}"
        )
        return None
    try:
        text = content.decode("utf-8").removeprefix("\ufeff")  # some editors write a byte order mark
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8")
        findings.unreadable(
            _after(file, before), f"byte 0x{content[error.start]:02x} is not UTF-8", "text in UTF-8"
        )
        return None
    unseen = _UNSEEN.search(text)
    if unseen:
        findings.unreadable(
            _after(file, text[: unseen.start()]),
            f"hidden or control character U+{ord(unseen[0]):04X}",
            "text in which nothing is hidden",
        )
        return None
    return text


# the one text of several lines; it is read as one
_PEM = re.compile(
    r"-----BEGIN ([A-Z ]{1,40})-----[ \n](?:[A-Za-z0-9+/=]{1,76}[ \n])+-----END \1-----\n?", re.ASCII
)


def _is_hidden(letter: str) -> bool:
    return (
        unicodedata.category(letter) in _HIDDEN_CATEGORIES
        or (letter.isspace() and letter != " ")
        or _BLANKS.match(letter) is not None
    )


def _after(file: str, before: str) -> Position:
    line = before.rpartition("\n")[2]
    return Position(file, before.count("\n") + 1, len(line) + 1)


def _place(file: str, mark: Any) -> Position:
    """Turn a mark of PyYAML, of which there are two kinds that count alike from 0, into a position."""
    return Position(file, mark.line + 1, mark.column + 1) if mark else Position(file, 1, 1)


@dataclass(frozen=True, slots=True)
class _Composer:
    """Make nodes of events; anchors, aliases, tags and merge keys are refused: what is read is what is written."""

    file: str
    findings: Findings

    def document(self, events: Iterator[yaml.Event]) -> Node | None:
        root: Node | None = None
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent) and root is not None:
                self._stop(event, "a second document", "one document in a file")
            if isinstance(event, yaml.NodeEvent):
                root = self._node(event, events, depth=0)
        return root

    def _node(self, event: yaml.Event, events: Iterator[yaml.Event], depth: int) -> Node:
        at = _place(self.file, event.start_mark)
        if depth > MAX_DEPTH:
            self._stop(event, "lists and tables inside each other", f"at most {MAX_DEPTH} levels")
        self._plainly(event)
        if isinstance(event, yaml.ScalarEvent):
            return self._text(at, event.value)
        if isinstance(event, yaml.SequenceStartEvent):
            return Items(at, tuple(self._items(events, depth)))
        return Table(at, tuple(self._entries(events, depth)))

    def _text(self, at: Position, value: str) -> Text:
        if _PEM.fullmatch(value):
            return Text(at, " ".join(value.split()))
        for letter in "" if value.isascii() and value.isprintable() else value:
            if _is_hidden(letter):
                what = f"hidden or control character U+{ord(letter):04X} in {shown(value)}"
                self.findings.add(at, what, "one line of text in which nothing is hidden")
                break
        return Text(at, value)

    def _items(self, events: Iterator[yaml.Event], depth: int) -> Iterator[Node]:
        for event in events:
            if isinstance(event, yaml.SequenceEndEvent):
                return
            yield self._node(event, events, depth + 1)

    def _entries(self, events: Iterator[yaml.Event], depth: int) -> Iterator[tuple[Text, Node]]:
        lines: dict[str, int] = {}
        for event in events:
            if isinstance(event, yaml.MappingEndEvent):
                return
            key = self._key(event)
            value = self._node(next(events), events, depth + 1)
            if key.value in lines:
                what = f"{shown(key.value)} is written twice, first in line {lines[key.value]}"
                self.findings.add(key.at, what, "each key once")
                continue
            lines[key.value] = key.at.line
            yield key, value

    def _key(self, event: yaml.Event) -> Text:
        self._plainly(event)
        if not isinstance(event, yaml.ScalarEvent):
            self._stop(event, "a key that is no text", "a name before the colon")
        if event.value == "<<":
            self._stop(event, "merge key <<", "the keys themselves: merge keys are not followed")
        return self._text(_place(self.file, event.start_mark), event.value)

    def _plainly(self, event: yaml.Event) -> None:
        """Refuse what would make a value mean something else than what stands there."""
        if isinstance(event, yaml.AliasEvent):
            self._stop(
                event, f"alias {shown(f'*{event.anchor}')}", "the value itself: aliases are not followed"
            )
        anchor, tag = getattr(event, "anchor", None), getattr(event, "tag", None)
        if anchor is not None:
            self._stop(event, f"anchor {shown(f'&{anchor}')}", "no anchors: aliases are not followed")
        if tag is not None:
            self._stop(event, f"tag {shown(tag)}", "no tags: each value is text, typed by its key")

    def _stop(self, event: yaml.Event, what: str, expected: str) -> NoReturn:
        self.findings.unreadable(_place(self.file, event.start_mark), what, expected)
        raise _StopReading
