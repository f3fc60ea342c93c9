"""A JSON text that somebody hands in: reading it, and saying of each place what is wrong there, with its line."""

import json
from dataclasses import dataclass
from typing import Any, TypeVar

from handlers.shell.terminal import UseError
from policies.errors import PolicyError
from policies.images.image import Digest, Repository
from policies.texts import json_text
from policies.texts.yaml_nodes import ListNode, MapNode, Node
from policies.texts.yaml_text import YamlRefused

STDIN = "-"
_KINDS = {dict: "an object", str: "text", type(None): "null", bool: "true or false", list: "a list"}
_T = TypeVar("_T", Repository, Digest)


@dataclass(frozen=True, slots=True)
class Given:
    """A place in a JSON text: where it came from, and by which keys and positions one gets there."""

    source: str
    text: str
    path: tuple[str | int, ...] = ()

    def below(self, *more: str | int) -> "Given":
        """Return a place further down."""
        return Given(self.source, self.text, (*self.path, *more))

    def said(self, what: str) -> str:
        """Say something of this place, with its line: looked for only now, for most texts are as they should be."""
        return f"{named(self.source)}:{self._line()}: {what}"

    def parsed(self, parser: type[_T], text: str) -> _T:
        """Read a value. Raises: UseError."""
        try:
            return parser.parse(text)
        except PolicyError as error:
            raise UseError(self.said(str(error))) from error

    def _line(self) -> int:
        try:
            node: Node | None = json_text.read(self.text.encode()).documents[0]
        except YamlRefused as refused:
            return refused.line
        line = 1
        for step in self.path:
            if isinstance(node, MapNode):
                key = next((key for key, _ in node.items if getattr(key, "value", None) == step), None)
                line = key.line if key is not None else line
                node = node.get(str(step))
            elif isinstance(node, ListNode) and isinstance(step, int):
                node = node.items[step]
                line = node.line
        return line


def read_json(source: str, text: str) -> Any:
    """Read a text whose objects have each key once. Raises: UseError."""
    try:
        return json.loads(text, object_pairs_hook=_once)
    except PolicyError as error:
        raise UseError(Given(source, text).said(str(error))) from error
    except json.JSONDecodeError as error:
        raise UseError(f"{named(source)}:{error.lineno}: not JSON: {error.msg}; expected JSON") from error
    except ValueError as error:  # a number of thousands of digits
        raise UseError(f"{named(source)}:1: not JSON that can be read: {error}; expected tags") from error
    except RecursionError:
        raise UseError(f"{named(source)}:1: nested too deep; expected a list of tags") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build an object whose keys stand once. Raises: PolicyError."""
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(key for number, (key, _) in enumerate(pairs) if key in dict(pairs[:number]))
        raise PolicyError(f"the key {twice[:140]!r} stands twice in its object; expected it once")
    return found


def strings(given: Given, found: Any, expected: str) -> list[str]:
    """Check that it is a list of texts. Raises: UseError."""
    if not isinstance(found, list):
        raise UseError(given.said(f"{kind_of(found)}; expected {expected}"))
    odd = next((at for at, item in enumerate(found) if not isinstance(item, str)), None)
    if odd is not None:
        written = json.dumps(found[odd])[:60]
        raise UseError(given.below(odd).said(f"{written} among the tags; expected text, in double quotes"))
    return found


def kind_of(found: Any) -> str:
    """Say what was found in the place of something else."""
    return _KINDS.get(type(found), "a number")


def named(source: str) -> str:
    """Call a source by its name."""
    return "stdin" if source == STDIN else source
