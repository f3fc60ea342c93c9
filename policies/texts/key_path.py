"""Key paths: ``at:`` of the rules, which names one scalar of one file."""

import re
from dataclasses import dataclass
from typing import Self

from policies.errors import PolicyError
from policies.texts.yaml_nodes import ListNode, MapNode, Node

_STEP = re.compile(
    r"""
    (?P<dot>\.?) (?: "(?P<quoted>(?:[^"\\]|\\["\\])+)" | (?P<key>[^\s."\[\]=]+) )
    | \[ (?P<index>[0-9]{1,6}) \]
    | \[ (?P<by>[^\s."\[\]=]+) = (?P<value>[^\[\]]+) \]
    """,
    re.VERBOSE,
)
_BARE = re.compile(r"[^\s.\"\[\]=]+")
_MAX_LENGTH = 1_000
_MAX_STEPS = 100
_EXPECTED = "expected keys with dots between, such as web.image.tag or containers[name=app].image"


@dataclass(frozen=True, slots=True)
class Key:
    """The value under one key of a map."""

    name: str

    def of(self, node: Node) -> tuple[Node, ...]:
        """Return what this step leads to."""
        found = node.get(self.name) if isinstance(node, MapNode) else None
        return () if found is None else (found,)

    def __str__(self) -> str:
        """Write it in quotes where dots and brackets would be read as steps."""
        escaped = self.name.replace("\\", "\\\\").replace('"', '\\"')
        return self.name if _BARE.fullmatch(self.name) else f'"{escaped}"'


@dataclass(frozen=True, slots=True)
class Index:
    """The item of a list at a place, counted from 0."""

    number: int

    def of(self, node: Node) -> tuple[Node, ...]:
        """Return what this step leads to."""
        return node.items[self.number : self.number + 1] if isinstance(node, ListNode) else ()

    def __str__(self) -> str:
        """Write it in brackets."""
        return f"[{self.number}]"


@dataclass(frozen=True, slots=True)
class Named:
    """The items of a list of maps that hold a value under a key."""

    key: str
    value: str

    def of(self, node: Node) -> tuple[Node, ...]:
        """Return what this step leads to."""
        items = node.items if isinstance(node, ListNode) else ()
        return tuple(
            item for item in items if isinstance(item, MapNode) and item.text(self.key) == self.value
        )

    def __str__(self) -> str:
        """Write it in brackets."""
        return f"[{self.key}={self.value}]"


Step = Key | Index | Named


@dataclass(frozen=True, slots=True)
class KeyPath:
    """The steps from the root of a document to one value."""

    steps: tuple[Step, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``web.image.tag``, ``containers[name=app].image``, ``list[0]``, ``"a.b".c``. Raises: PolicyError."""
        if len(text) > _MAX_LENGTH or not text.isprintable():
            raise PolicyError(f"{text[:140]!r} is not a key path; {_EXPECTED}")
        steps: list[Step] = []
        at = 0
        while at < len(text) and len(steps) < _MAX_STEPS:
            found = _STEP.match(text, at)
            is_key = found is not None and found["dot"] is not None
            if found is None or (is_key and bool(found["dot"]) != bool(steps)):
                break
            steps.append(_step(found))
            at = found.end()
        if at < len(text) or not steps:
            raise PolicyError(f"{text[:140]!r} is not a key path from character {at + 1} on; {_EXPECTED}")
        return cls(tuple(steps))

    def __str__(self) -> str:
        """Write it as it is read."""
        return "".join(
            f".{step}" if index and isinstance(step, Key) else str(step)
            for index, step in enumerate(self.steps)
        )

    def beside(self, name: str) -> "KeyPath":
        """Return the path of another key of the same map."""
        return KeyPath((*self.steps[:-1], Key(name)))


def _step(found: re.Match[str]) -> Step:
    if found["index"] is not None:
        return Index(int(found["index"]))
    if found["by"] is not None:
        return Named(found["by"], found["value"])
    return Key(found["key"] or re.sub(r"\\(.)", r"\1", found["quoted"]))
