"""Flux markers: comments that say which ImagePolicy a scalar follows, as kyaml's setters read them."""

import json
import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass

from policies.errors import PolicyError
from policies.manifests.places import Part, Problem, ProblemCode
from policies.texts.yaml_nodes import AliasNode, ListNode, MapNode, Node, ScalarNode
from policies.texts.yaml_text import YamlText

TOKEN = '"$imagepolicy"'  # noqa: S105  Flux looks into files that hold these characters
_KEY = "$imagepolicy"
_LONG_KEY, _LONG_PREFIX = "$ref", "#/definitions/io.k8s.cli.setters."  # kyaml's long form of a setter
_VALUE = re.compile(
    r"([a-z0-9](?:[a-z0-9.-]*[a-z0-9])?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)(?::(.*))?", re.ASCII
)
_PARTS = {None: Part.IMAGE, "tag": Part.TAG, "name": Part.NAME, "digest": Part.DIGEST}
_FIRST = re.compile(
    r"[ \t]*(?:-[ \t]+)?(?:[&!]\S*[ \t]+)*"
)  # what may stand before a value with a comment above
_COMMENT_LINE = re.compile(r"[ \t]*(?:-[ \t]+)?(#[^\r\n]*)\r?")


@dataclass(frozen=True, slots=True)
class Marker:
    """What a comment says: the policy as ``namespace:name`` and which part of its image belongs here."""

    policy: str
    part: Part

    @property
    def where(self) -> str:
        """The place's name in the ledger."""
        return f"marker:{self.policy}" + ("" if self.part is Part.IMAGE else f":{self.part}")


@dataclass(frozen=True, slots=True)
class Mark:
    """A marker with its scalar, the map that the scalar stands in (None in a list), its key and dotted path."""

    marker: Marker
    node: ScalarNode
    parent: MapNode | None
    key: str
    path: str


@dataclass(frozen=True, slots=True)
class _Commented:
    """A value with a comment that could be a marker, and where both stand."""

    node: ScalarNode | AliasNode
    comment: str
    comment_at: int
    parent: MapNode | None
    key: str
    path: str


class MarkerIgnored(PolicyError):  # noqa: N818  a refusal is what it is: foreseen, and nobody erred
    """A comment that was meant as a marker, and that Flux does not take for one."""

    def __init__(self, code: ProblemCode, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


def is_read(path: str) -> bool:
    """Say whether Flux, and so we, would look into a file of this name for markers."""
    name = path.rpartition("/")[2]
    return name.endswith((".yaml", ".yml")) or name == "Kustomization"


def parse(comment: str) -> Marker | None:
    """Read a comment with its #; None where it is no marker. Raises: MarkerIgnored."""
    if not _is_spoken_in(comment):
        return None
    fields = _fields(comment.lstrip("#").strip(" \t"))
    if fields is None:
        if _KEY not in comment:
            return None
        detail = f"{comment[:140]} is no marker; expected one JSON object of strings and nothing else"
        raise MarkerIgnored(ProblemCode.MARKER_INERT, detail)
    value = fields.get(_KEY)
    if value is None:
        long = fields.get(_LONG_KEY) or ""
        value = long.removeprefix(_LONG_PREFIX) if long.startswith(_LONG_PREFIX) else None
    return None if value is None else _marker(value)


def find(path: str, yaml: YamlText) -> tuple[list[Mark], list[Problem]]:
    """Return a file's marks, and the markers that nothing will be written for, with the reason."""
    marks: list[Mark] = []
    problems: list[Problem] = []
    attached: set[int] = set()
    if TOKEN not in yaml.text:
        return marks, problems
    for root in yaml.documents:
        for found in _commented(yaml.text, root, None, "", ()):
            attached.add(found.comment_at)
            try:
                marker = parse(found.comment)
            except MarkerIgnored as ignored:
                problems.append(Problem(path, found.node.line, ignored.code, ignored.detail))
                continue
            if marker is None:
                continue
            problem = _obstacle(root, found.node)
            if problem is not None:
                problems.append(Problem(path, found.node.line, *problem))
            elif isinstance(found.node, ScalarNode):  # pragma: no branch  an alias is an obstacle
                marks.append(Mark(marker, found.node, found.parent, found.key, found.path))
    problems += _strays(path, yaml, attached)
    return marks, problems


def _is_spoken_in(comment: str) -> bool:
    """Say whether a comment holds the dollar sign of a marker, as it is or as JSON may write it."""
    return "$" in comment or "\\u0024" in comment


def _fields(text: str) -> dict[str, str | None] | None:
    """Read ``text`` as one JSON object of strings, as Go does: null is an empty string."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or not all(isinstance(item, str | None) for item in value.values()):
        return None
    return {key: item or "" for key, item in value.items()}


def _marker(value: str) -> Marker:
    """Split ``namespace:name[:suffix]``. Raises: MarkerIgnored."""
    parts = _VALUE.fullmatch(value)
    if parts is None:
        detail = f"a marker for {value[:140]!r}; expected namespace:name, with :tag, :name or :digest behind it or not"
        raise MarkerIgnored(ProblemCode.MARKER_INERT, detail)
    if parts[2] not in _PARTS:
        detail = f"a marker with the suffix {parts[2][:140]!r}; expected tag, name or digest"
        raise MarkerIgnored(ProblemCode.MARKER_SUFFIX, detail)
    return Marker(parts[1], _PARTS[parts[2]])


def _obstacle(root: Node, node: ScalarNode | AliasNode) -> tuple[ProblemCode, str] | None:
    """Say why a marked value is not written: Flux does not either, but for scalars over several lines."""
    if not isinstance(root, MapNode):
        detail = (
            "a marker in a document that is not a map (a JSON 6902 patch?); Flux does not write there either"
        )
        return ProblemCode.NOT_AN_OBJECT, detail
    if isinstance(root.get("metadata"), ScalarNode) and root.text("metadata") is not None:
        return ProblemCode.NOT_AN_OBJECT, "a marker in a document whose metadata is not a map; expected a map"
    if isinstance(node, AliasNode):
        return ProblemCode.ALIAS, f"a marker on the alias *{node.name}; expected it where &{node.name} stands"
    problem = unwritable(node)
    return None if problem is None else (problem[0], f"a marker on {problem[1]}")


def unwritable(node: ScalarNode) -> tuple[ProblemCode, str] | None:
    """Say why a scalar's text cannot be replaced in its place."""
    if node.obstacle is None:
        return None
    code = ProblemCode.NOT_AN_IMAGE if node.one_line else ProblemCode.BLOCK_SCALAR
    return code, f"{node.obstacle}; expected a plain or quoted value on one line"


def _commented(
    text: str, node: Node, parent: MapNode | None, key: str, path: tuple[str, ...]
) -> Iterator[_Commented]:
    """Yield every value below ``node`` whose own comment holds a dollar sign; keys have none for Flux."""
    match node:
        case ScalarNode() | AliasNode():
            if _is_spoken_in(node.comment):
                yield _Commented(node, node.comment, node.comment_at, parent, key, ".".join(path))
            elif isinstance(node, ScalarNode) and (above := _line_above(text, node)) is not None:
                yield _Commented(node, *above, parent, key, ".".join(path))
        case MapNode():
            for name, value in node.items:
                label = name.value if isinstance(name, ScalarNode) else ""
                nested = path if isinstance(value, ScalarNode | AliasNode) or not label else (*path, label)
                yield from _commented(text, value, node, label, nested)
        case ListNode():  # pragma: no branch  mypy sees that nothing is left
            for item in node.items:
                named = item.text("name") if isinstance(item, MapNode) else None
                yield from _commented(text, item, None, "", (*path, named) if named else path)


def _line_above(text: str, node: ScalarNode) -> tuple[str, int] | None:
    """Return the comment line right above a value that begins its line: kyaml reads a head comment there as well."""
    begin = text.rfind("\n", 0, node.start) + 1
    if begin == 0 or _FIRST.fullmatch(text, begin, node.start) is None:
        return None
    above = text.rfind("\n", 0, begin - 1) + 1
    before = text.rfind("\n", 0, max(above - 1, 0)) + 1
    comment = _COMMENT_LINE.fullmatch(text, above, begin - 1)
    if (
        comment is None
        or not _is_spoken_in(comment[1])
        or (above and _COMMENT_LINE.fullmatch(text, before, above - 1))
    ):
        return None
    return comment[1], comment.start(1)


def _strays(path: str, yaml: YamlText, attached: set[int]) -> Iterator[Problem]:
    """Yield a problem for every marker that stands neither behind a value nor above a list's item."""
    places = sorted(attached)
    line, counted = 1, 0
    at = yaml.text.find(TOKEN)
    while at >= 0:
        line, counted = line + yaml.text.count("\n", counted, at), at
        last = bisect_left(places, at) - 1
        if last < 0 or yaml.text.find("\n", places[last], at) >= 0:
            code, what = _stray(yaml, at)
            detail = f"a marker {what}; expected it behind a plain or quoted value on the same line"
            yield Problem(path, line, code, detail)
        at = yaml.text.find(TOKEN, at + len(TOKEN))


def _stray(yaml: YamlText, at: int) -> tuple[ProblemCode, str]:
    """Say what the marker at ``at`` stands on."""
    if at in yaml.blocks:
        return ProblemCode.BLOCK_SCALAR, "in or on a block of text"
    if yaml.text.find("{{", yaml.text.rfind("\n", 0, at) + 1, at) >= 0:
        return ProblemCode.TEMPLATE, "on a template"
    return ProblemCode.MARKER_INERT, "that belongs to no value"
