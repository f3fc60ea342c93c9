"""YAML texts as libyaml's events, with caps on what a hostile text can cost, and where each scalar's text stands."""

import re
from typing import Any

import yaml

from policies.errors import PolicyError
from policies.texts.yaml_nodes import BLOCKS, ScalarNode

MAX_BYTES = 8 * 1024 * 1024  # bundles of CRDs reach 5 MB; nobody writes more by hand
MAX_EVENTS = 500_000  # what such a bundle has; each takes about half a kilobyte while it is looked at
MAX_DEPTH = 200  # libyaml grows quadratic with the depth of flow collections
MAX_ALIASES = 10_000  # they are never expanded; this many is an attack or a mistake

# YAML 1.1 breaks lines at these too; a comment ends there for libyaml and for Go's port of it.
COMMENT = re.compile(r"[ \t]*(?:,[ \t]*)?(#[^\r\n\x85\u2028\u2029]*)")
_BEFORE_COMMENTS = frozenset(" \t,#")
_PROPERTIES = re.compile(r"(?:[&!]\S*(?:\s+(?:#[^\r\n]*\s+)*|$))*")
_BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"
_OPENING = frozenset({yaml.MappingStartEvent, yaml.SequenceStartEvent})
_CLOSING = frozenset({yaml.MappingEndEvent, yaml.SequenceEndEvent})


class YamlRefused(PolicyError):  # noqa: N818  a refusal is what it is: foreseen, and nobody erred
    """The bytes are not a YAML text that can be edited; ``code`` and ``line`` (1-based) say why and where."""

    def __init__(self, code: str, line: int, detail: str) -> None:
        super().__init__(f"line {line}: {detail}")
        self.code = code
        self.line = line
        self.detail = detail


def decode(content: bytes) -> str:
    """Return the text of ``content``, strictly UTF-8, byte order mark and line ends kept. Raises: YamlRefused."""
    if len(content) > MAX_BYTES:
        raise YamlRefused("too-large", 1, f"{len(content)} bytes; expected at most {MAX_BYTES}")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        detail = f"byte {error.start} is not UTF-8; expected UTF-8 text"
        raise YamlRefused("not-utf-8", line, detail) from error
    if text.startswith(_BOM * 2):
        raise YamlRefused("not-utf-8", 1, "two byte order marks; expected one at most")
    return text


def events(text: str) -> list[yaml.Event]:
    """Return libyaml's events; their marks do not count a byte order mark. Raises: YamlRefused."""
    found: list[yaml.Event] = []
    depth = aliases = 0
    try:
        following = yaml.CSafeLoader(text.removeprefix(_BOM)).get_event
        kind: Any = None
        while kind is not yaml.StreamEndEvent:
            event: Any = following()
            kind = type(event)
            if kind in _OPENING:
                depth += 1
            elif kind in _CLOSING:
                depth -= 1
            elif kind is yaml.AliasEvent:
                aliases += 1
            found.append(event)
            if depth > MAX_DEPTH or aliases > MAX_ALIASES or len(found) > MAX_EVENTS:
                raise _too_much(event, depth, aliases)
    except yaml.YAMLError as error:
        raise _refused(error, text) from error
    return found


def offset(text: str) -> int:
    """Return how far an index in ``text`` is ahead of an event's mark: the byte order mark is not counted."""
    return 1 if text.startswith(_BOM) else 0


def span(event: Any, ahead: int) -> tuple[int, int, int]:
    """Return where an event begins and ends in its text, and its first line (1-based)."""
    begin = event.start_mark
    return begin.index + ahead, event.end_mark.index + ahead, begin.line + 1


def scalar(text: str, event: Any, ahead: int) -> ScalarNode:
    """Place a scalar event in ``text``: its mark begins at anchor and tag, its text does not."""
    start, end, line = span(event, ahead)
    anchor, tag, value, style = event.anchor, event.tag, event.value, event.style or ""
    if anchor is not None or text.startswith("!", start, end):
        properties = _PROPERTIES.match(text, start, end)
        start = properties.end() if properties else start
    one_line = _stands_on_one_line(text[start:end], value, style)
    # Most scalars are keys: a colon follows, and nothing has to be searched.
    found = (
        COMMENT.match(text, end) if style not in BLOCKS and text[end : end + 1] in _BEFORE_COMMENTS else None
    )
    comment, comment_at = (found[1], found.start(1)) if found else ("", -1)
    line = event.end_mark.line + 1 if one_line else line
    return ScalarNode(value, start, end, line, style, tag, anchor, comment, comment_at, one_line)


def _stands_on_one_line(written: str, value: str, style: str) -> bool:
    """Say whether the text between the marks is the scalar's own, on one line, as its style writes it."""
    if style == "":
        return written == value
    if style in {"'", '"'}:
        return len(written) > 1 and written[0] == written[-1] == style and len(written.splitlines()) == 1
    return False


def _too_much(event: Any, depth: int, aliases: int) -> YamlRefused:
    """Say which cap was met, and where."""
    line = span(event, 0)[2]
    if depth > MAX_DEPTH:
        return YamlRefused("too-deep", line, f"nested deeper than {MAX_DEPTH} levels; expected less depth")
    what = f"{MAX_ALIASES} aliases" if aliases > MAX_ALIASES else f"{MAX_EVENTS} values"
    return YamlRefused("too-large", line, f"more than {what}; expected a file that people can read")


def _refused(error: yaml.YAMLError, text: str) -> YamlRefused:
    """Name line and cause of what libyaml could not read; a template is called by its name."""
    mark = getattr(error, "problem_mark", None)
    at = getattr(error, "position", 0)  # of a character that YAML does not allow, in bytes
    line = mark.line + 1 if mark is not None else text.encode().count(b"\n", 0, at) + 1
    if "{{" in text:
        line = text.count("\n", 0, text.index("{{")) + 1
        return YamlRefused("template", line, "a template, not YAML; expected YAML before it is rendered")
    cause = getattr(error, "problem", None) or getattr(error, "reason", None) or "cannot be read"
    return YamlRefused("unparsable", line, f"not YAML: {cause}; expected YAML that can be read")
