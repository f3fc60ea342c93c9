"""Where our setters differ from Flux's on purpose, and what "the same" means where they do not.

The same: our file is the original with just those scalars replaced, and it carries the values of Flux's file. Flux
writes every changed file anew (indentation, blank lines, quotes, comments of empty documents); we never do.

Each rule has its reason, says by the nature of the original file whether it applies, and forgives nothing but
what it names: everything else in the file has to carry Flux's values all the same.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias, cast

import yaml

Value = tuple[str, str]  # the type that YAML 1.1 gives a scalar, and its text
Values = dict[tuple[object, ...], Value]  # by document, keys and indexes
Tree = Mapping[str, bytes]
Node: TypeAlias = "Value | list[Node] | Map"

_TEXT = "tag:yaml.org,2002:str"
_FLOAT = re.compile(r"[-+]?[0-9]+[eE][-+]?[0-9]+")
_TOKEN = re.compile(r"(?:\$|u0024)imagepolicy|io\.k8s\.cli\.setters")  # what every marker holds


@dataclass(frozen=True, slots=True)
class Map:
    """A map as its pairs."""

    pairs: list[tuple[Node, Node]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One deliberate difference."""

    reason: str
    applies: Callable[[bytes], bool]
    agrees: Callable[[Tree, Tree, Tree], bool]  # original, ours, Flux's


def same_values(ours: Tree, theirs: Tree) -> bool:
    """Say whether two trees have the same files with the same values."""
    return ours.keys() == theirs.keys() and all(_same(ours[path], theirs[path]) for path in ours)


def rule_of(original: Tree, ours: Tree, theirs: Tree) -> str | None:
    """Return the name of the rule by which these trees may differ: of the first, where each file has one."""
    alike = {path for path in ours.keys() & theirs.keys() if _same(ours[path], theirs[path])}
    before, mine, other = (
        {path: content for path, content in tree.items() if path not in alike}
        for tree in (original, ours, theirs)
    )
    if mine.keys() != other.keys():
        return _rule_of(before, mine, other)
    names = [_rule_of({path: before[path]}, {path: mine[path]}, {path: other[path]}) for path in mine]
    return names[0] if names and all(names) else None


def _rule_of(original: Tree, ours: Tree, theirs: Tree) -> str | None:
    for name, rule in RULES.items():
        if any(rule.applies(content) for content in original.values()) and rule.agrees(
            original, ours, theirs
        ):
            return name
    return None


def values(content: bytes) -> Values:
    """Return every scalar of every document; documents that say nothing, and what kyaml drops, are left out."""
    documents = [node for node in _documents(content) if not _says_nothing(node)]
    return {path: value for number, node in enumerate(documents) for path, value in _scalars(node, (number,))}


def _same(ours: bytes, theirs: bytes) -> bool:
    if ours == theirs:
        return True
    try:
        return values(ours) == values(theirs)
    except yaml.YAMLError:
        return False


def _documents(content: bytes) -> list[Node]:
    """Build trees of events: composing them would refuse an anchor that is defined twice, which Go takes."""
    top: list[Node] = []
    stack: list[list[Node]] = [top]
    for event in yaml.parse(content, Loader=yaml.CSafeLoader):
        siblings = stack[-1]
        if isinstance(event, yaml.ScalarEvent):
            kind = event.tag or _resolved(event.value, is_plain=event.implicit[0])
            siblings.append((kind, event.value))
        elif isinstance(event, yaml.AliasEvent):
            siblings.append(("*", str(event.anchor)))
        elif isinstance(event, yaml.CollectionStartEvent):
            stack.append([])
        elif isinstance(event, yaml.CollectionEndEvent):
            stack.pop()
            is_map = isinstance(event, yaml.MappingEndEvent)
            stack[-1].append(
                Map(list(zip(siblings[::2], siblings[1::2], strict=True))) if is_map else siblings
            )
    return top


def _says_nothing(node: Node) -> bool:
    return isinstance(node, tuple) and node[0] == "tag:yaml.org,2002:null"


def _scalars(node: Node, path: tuple[object, ...]) -> Iterator[tuple[tuple[object, ...], Value]]:
    """Yield scalars below ``node``; equal keys are told apart by their order."""
    match node:
        case tuple():
            yield path, (_TEXT, "") if not node[1] else node  # kyaml writes an empty value in braces as ''
        case list():
            for index, item in enumerate(node):
                yield from _scalars(item, (*path, index))
        case Map():
            seen: dict[str, int] = {}
            for key, value in node.pairs:
                name = key[1] if isinstance(key, tuple) else str(key)
                seen[name] = seen.get(name, 0) + 1
                if not (len(path) == 1 and name == "metadata" and _says_nothing(value)):
                    yield from _scalars(value, (*path, name, seen[name]))


def _marked(content: bytes) -> list[yaml.ScalarEvent]:
    """Return the scalars on whose lines, first or last, a marker stands, or in the comment above."""
    text = content.decode("utf-8", "replace").removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}")
    lines = text.split("\n")
    marked = {number for number, line in enumerate(lines) if _TOKEN.search(line)}
    marked |= {number + 1 for number in marked if lines[number].lstrip(" -").startswith("#")}
    try:
        events = [
            event
            for event in yaml.parse(text, Loader=yaml.CSafeLoader)
            if isinstance(event, yaml.ScalarEvent)
        ]
    except yaml.YAMLError:
        return []
    return [event for event in events if marked & set(_lines(event))]


def _lines(event: yaml.Event) -> tuple[int, int]:
    """Return the first and the last line of an event."""
    begin, end = cast("yaml.Mark", event.start_mark), cast("yaml.Mark", event.end_mark)
    return begin.line, end.line


def _is_long(event: yaml.Event) -> bool:
    first, last = _lines(event)
    return first != last


def _marks_another_type(content: bytes) -> bool:
    """Is a value marked that is not text: a plain one that YAML reads otherwise, or one that is said to be?"""
    return any(
        _is_typed(event)
        or (event.implicit[0] and event.value and _resolved(event.value, is_plain=True) != _TEXT)
        for event in _marked(content)
    )


def _is_typed(event: yaml.ScalarEvent) -> bool:
    """Is it written with another type: ``!!int "3"``? We name it and leave it."""
    return str(event.tag).startswith("tag:yaml.org,2002:") and event.tag != _TEXT


def _resolved(value: str, *, is_plain: bool) -> str:
    """Return the type that YAML 1.1 gives a scalar without a tag, or YAML 1.2: a float without a dot."""
    if is_plain and _FLOAT.fullmatch(value) and math.isfinite(float(value)):
        return "tag:yaml.org,2002:float"
    return str(yaml.SafeLoader("").resolve(yaml.ScalarNode, value, (is_plain, not is_plain)))  # type: ignore[no-untyped-call]


def _marks_several_lines(content: bytes) -> bool:
    """Is a value marked that does not end on the line on which it begins?"""
    return any(_is_long(event) for event in _marked(content))


def _marks_inside_of_a_list(content: bytes) -> bool:
    """Does a ``kind: List`` hold markers?"""
    return bool(_marked(content)) and (_TEXT, "List") in {
        value for path, value in values(content).items() if path[1:] == ("kind", 1)
    }


def _is_cut_wrongly(content: bytes) -> bool:
    """Does a directive stand before a document, or a value on the line of its ``---``?"""
    return re.search(rb"^(?:\xef\xbb\xbf)?(?:%|---[ \t]+[^ \t\r\n#])", content, re.MULTILINE) is not None


def _untouched_by_flux(original: Tree, ours: Tree, theirs: Tree) -> bool:
    """Flux left such files alone; in the others the values agree."""
    return ours.keys() == theirs.keys() and all(
        theirs[path] == original[path] if _is_cut_wrongly(original[path]) else _same(ours[path], theirs[path])
        for path in ours
    )


def _same_texts(original: Tree, ours: Tree, theirs: Tree) -> bool:
    """The texts agree; where the types do not, the original's was no text and ours is."""
    if ours.keys() != theirs.keys():
        return False
    for path, content in ours.items():
        mine, other, old = values(content), values(theirs[path]), values(original[path])
        if mine.keys() != other.keys():
            return False
        typed = {event.value for event in _marked(original[path]) if _is_typed(event)}
        for place, (kind, text) in mine.items():
            if mine[place] == old.get(place) and text in typed:
                continue
            if text != other[place][1]:
                return False
            if kind != other[place][0] and not (kind == _TEXT and old[place][0] == other[place][0] != _TEXT):
                return False
    return True


def _same_but_for_several_lines(original: Tree, ours: Tree, theirs: Tree) -> bool:
    """The values agree but where we left alone what Flux changed, and those stand on several lines."""
    if ours.keys() != theirs.keys():
        return False
    for path, content in ours.items():
        mine, other, old = values(content), values(theirs[path]), values(original[path])
        long = {event.value for event in _marked(original[path]) if _is_long(event)}
        places = mine.keys() | other.keys()
        if any(
            mine.get(at) != other.get(at) and not (mine[at] == old[at] and mine[at][1] in long)
            for at in places
        ):
            return False
    return True


def _same_item_elsewhere(original: Tree, ours: Tree, theirs: Tree) -> bool:
    """Flux left the list as it was; each file that it made instead is an item of our list."""
    items = [item for path in ours for item in _items(ours[path])]
    made = [values(theirs[path]) for path in theirs.keys() - original.keys()]
    kept = {path: theirs[path] for path in theirs.keys() & original.keys()}
    return bool(made) and all(file in items for file in made) and same_values(original, kept)


def _items(content: bytes) -> list[Values]:
    """Return the items of a list as if each were a file."""
    items: dict[object, Values] = {}
    for path, value in values(content).items():
        if path[1:3] == ("items", 1):
            items.setdefault((path[0], path[3]), {})[(0, *path[4:])] = value
    return list(items.values())


RULES = {
    "typed-value": Rule(
        "Flux keeps the old value's type: 1.0 becomes !!float v1.0.1, which no reader takes; we write text",
        _marks_another_type,
        _same_texts,
    ),
    "cut-wrongly": Rule(
        "Flux cuts a file at its --- before it reads it, and skips it where a directive or a value stands there",
        _is_cut_wrongly,
        _untouched_by_flux,
    ),
    "several-lines": Rule(
        "a value over several lines is not one place in a line; we name it and leave it, Flux folds it anew",
        _marks_several_lines,
        _same_but_for_several_lines,
    ),
    "kind-list": Rule(
        "Flux writes an item of a kind: List into a new file and leaves the list; we write it where it stands",
        _marks_inside_of_a_list,
        _same_item_elsewhere,
    ),
}
