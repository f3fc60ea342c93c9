"""Edits: new values for single scalars of a YAML, JSON or TOML text, applied to their bytes and then proved."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, zip_longest
from operator import attrgetter
from typing import Any

import yaml

from policies.errors import PolicyError
from policies.texts import json_text, quoting, toml_text, yaml_events
from policies.texts.yaml_nodes import ListNode, MapNode, Node, ScalarNode
from policies.texts.yaml_text import YamlText

_TREES: dict[str, Callable[[bytes], YamlText]] = {"json": json_text.read, "toml": toml_text.read}
Leaf = tuple[str, ScalarNode | None]  # what it is, and the value itself where it is one


class EditRefused(PolicyError):  # noqa: N818  a refusal is what it is: foreseen, and nobody erred
    """The edit would change, or could not be shown to spare, something that nobody asked to change."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One scalar's new value. ``old`` and ``new`` are values; ``start`` and ``end`` span its text, in characters."""

    path: str
    where: str
    old: str
    new: str
    start: int
    end: int


def apply(content: bytes, edits: Sequence[Edit]) -> bytes:
    """Replace the edited scalars' text and nothing else, and prove it by reading the result again.

    Raises: EditRefused, where the text is not what the edits were made for or the proof fails; YamlRefused.
    """
    if all(edit.old == edit.new for edit in edits):
        return content
    read = _TREES.get(edits[0].path.rpartition(".")[2])
    if read is not None:
        return _splice_tree(read, content, edits)
    text = yaml_events.decode(content)
    return splice(text, yaml_events.events(text), edits).encode("utf-8")


def splice(text: str, before: Sequence[yaml.Event], edits: Sequence[Edit]) -> str:
    """Do the same with a text that was read ``before``. Raises: EditRefused."""
    wanted = sorted((edit for edit in set(edits) if edit.old != edit.new), key=lambda edit: edit.start)
    _refuse_overlaps(wanted)
    nodes = _edited_scalars(text, before, wanted)
    pieces, last = [], 0
    for edit in wanted:
        pieces += [text[last : edit.start], _rewritten(nodes[edit.start][1], edit)]
        last = edit.end
    result = "".join([*pieces, text[last:]])
    _prove(before, result, {nodes[edit.start][0]: edit for edit in wanted})
    return result


def _splice_tree(read: Callable[[bytes], YamlText], content: bytes, edits: Sequence[Edit]) -> bytes:
    """Do the same with JSON or TOML. Raises: EditRefused, YamlRefused."""
    wanted = sorted((edit for edit in set(edits) if edit.old != edit.new), key=lambda edit: edit.start)
    _refuse_overlaps(wanted)
    before = read(content)
    leaves = [leaf for root in before.documents for leaf in _leaves(root)]
    nodes = {node.start: node for _, node in leaves if node is not None and node.style in {'"', "'"}}
    pieces, last = [], 0
    for edit in wanted:
        node = nodes.get(edit.start)
        if node is None or (node.end, node.value) != (edit.end, edit.old) or node.obstacle is not None:
            raise _is_gone(edit)
        pieces += [before.text[last : edit.start], _rewritten(node, edit)]
        last = edit.end
    result = "".join([*pieces, before.text[last:]]).encode("utf-8")
    _prove_tree(read, leaves, result, {edit.start: edit for edit in wanted})
    return result


def _leaves(node: Node) -> Iterator[Leaf]:
    """Yield all that a JSON or TOML text says, in order; places are no part of it."""
    match node:
        case MapNode():
            yield "{", None
            for key, value in node.items:
                yield f"key {getattr(key, 'value', '')}", None
                yield from _leaves(value)
            yield "}", None
        case ListNode():
            yield "[", None
            for item in node.items:
                yield from _leaves(item)
            yield "]", None
        case ScalarNode():
            yield f"{node.tag} {node.value}", node
        case _:
            raise EditRefused("an alias in a text without aliases")


def _prove_tree(
    read: Callable[[bytes], YamlText], before: Sequence[Leaf], result: bytes, edited: dict[int, Edit]
) -> None:
    """Demand the same document but for the edited values. Raises: EditRefused."""
    try:
        after = [leaf for root in read(result).documents for leaf in _leaves(root)]
    except yaml_events.YamlRefused as error:
        raise EditRefused(f"the edited text cannot be read: {error}") from error
    for old, new in zip_longest(before, after, fillvalue=("", None)):
        node = old[1]
        edit = edited.get(node.start) if node is not None and node.style in {'"', "'"} else None
        wanted = old[0] if node is None or edit is None else f"{node.tag} {edit.new}"
        if new[0] != wanted:
            line = node.line if node is not None else 1
            raise EditRefused(f"the edited text would differ at line {line} in more than the edited values")


def _refuse_overlaps(wanted: Sequence[Edit]) -> None:
    """Two edits of one place contradict each other. Raises: EditRefused."""
    if len({edit.path for edit in wanted}) > 1:
        raise EditRefused(f"edits of {sorted({edit.path for edit in wanted})}; expected those of one file")
    for first, second in pairwise(wanted):
        if second.start < first.end or second.start == first.start:
            raise EditRefused(f"{first.path}: {first.where} and {second.where} edit the same text")


def _edited_scalars(
    text: str, events: Sequence[yaml.Event], wanted: Sequence[Edit]
) -> dict[int, tuple[int, ScalarNode]]:
    """Find each edit's scalar, by its start, with its place among the events. Raises: EditRefused."""
    ahead = yaml_events.offset(text)
    ends = {edit.end: edit for edit in wanted}
    found: dict[int, tuple[int, ScalarNode]] = {}
    for index, event in enumerate(events):
        if not isinstance(event, yaml.ScalarEvent):
            continue
        edit = ends.get(yaml_events.span(event, ahead)[1])
        if edit is not None:
            node = yaml_events.scalar(text, event, ahead)
            if (node.start, node.value) == (edit.start, edit.old) and node.obstacle is None:
                found[edit.start] = (index, node)
    for edit in wanted:
        if edit.start not in found:
            raise _is_gone(edit)
    return found


def _is_gone(edit: Edit) -> EditRefused:
    return EditRefused(
        f"{edit.path}: {edit.where} is not a scalar {edit.old!r} of one line any more; read the file again"
    )


def _rewritten(node: ScalarNode, edit: Edit) -> str:
    """Write the new value in the old one's quotes. Raises: EditRefused."""
    try:
        return quoting.written(edit.new, node.style)
    except PolicyError as error:
        raise EditRefused(f"{edit.path}: {edit.where}: {error}") from error


def _prove(before: Sequence[yaml.Event], result: str, edited: dict[int, Edit]) -> None:
    """Demand the same events but for the edited values. Raises: EditRefused."""
    try:
        after = yaml_events.events(result)
    except yaml_events.YamlRefused as error:
        raise EditRefused(f"the edited text cannot be read: {error}") from error
    for index, (old, new) in enumerate(zip_longest(before, after)):
        edit = edited.get(index)
        if not (_is_same(old, new) if edit is None else _is_edited(old, new, edit)):
            line = yaml_events.span(new, 0)[2] if new is not None else 1
            raise EditRefused(f"the edited text would differ at line {line} in more than the edited values")


def _is_edited(old: yaml.Event | None, new: yaml.Event | None, edit: Edit) -> bool:
    """Say whether ``new`` is the scalar ``old`` with the edit's value, and text to every reader."""
    return (
        isinstance(old, yaml.ScalarEvent)
        and isinstance(new, yaml.ScalarEvent)
        and (new.anchor, new.tag, new.value) == (old.anchor, old.tag, edit.new)
        and (bool(new.style) or not quoting.needs_quotes(new.value))
    )


_MEANINGS: dict[type[yaml.Event], Callable[[Any], object]] = {
    yaml.ScalarEvent: attrgetter("value", "anchor", "tag", "implicit", "style"),
    yaml.MappingStartEvent: attrgetter("anchor", "tag", "implicit", "flow_style"),
    yaml.SequenceStartEvent: attrgetter("anchor", "tag", "implicit", "flow_style"),
    yaml.MappingEndEvent: type,
    yaml.SequenceEndEvent: type,
    yaml.AliasEvent: attrgetter("anchor"),
    yaml.DocumentStartEvent: attrgetter("explicit", "version", "tags"),
    yaml.DocumentEndEvent: attrgetter("explicit"),
    yaml.StreamStartEvent: type,
    yaml.StreamEndEvent: type,
}


def _is_same(old: yaml.Event | None, new: yaml.Event | None) -> bool:
    """Say whether two events are equal in all but their marks."""
    if old is None or type(new) is not type(old):
        return False
    meaning = _MEANINGS[type(old)]
    return bool(meaning(old) == meaning(new))
