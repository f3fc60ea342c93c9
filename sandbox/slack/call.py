"""One call of the Web API: its arguments, who calls, and how Slack words what it refuses."""

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.slack.shapes import Problem
from sandbox.slack.tickets import SlackRefusal
from sandbox.slack.workspace import Workspace

Answer = dict[str, Any]
MAX_PAGE = 1000  # Slack, "Pagination"


@dataclass(frozen=True, slots=True)
class Call:
    """What an app asked: arguments as form text or JSON values, and the scopes of its token."""

    workspace: Workspace
    arguments: Mapping[str, Any]
    scopes: frozenset[str]

    def word(self, name: str) -> str:
        """Return an argument as text; '' where it is left out."""
        value = self.arguments.get(name)
        if value is None:
            return ""
        if isinstance(value, bool):
            return "true" if value else "false"
        return value if isinstance(value, str) else json.dumps(value)

    def needed(self, name: str) -> str:
        """Return an argument that must be there. Raises: SlackRefusal."""
        word = self.word(name)
        if not word:
            raise invalid_arguments(f"[ERROR] missing required field: {name}")
        return word

    def flag(self, name: str) -> bool:
        """Tell whether a switch is on."""
        return self.word(name).lower() in {"true", "1"}

    def structure(self, name: str, refusal: str) -> Any:
        """Return an argument that is JSON, also where it came as text. Raises: SlackRefusal."""
        value = self.arguments.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value) if value.strip() else None
        except (ValueError, RecursionError):
            raise SlackRefusal(refusal) from None

    def page(self, of: Sequence[Any], default: int = 100) -> tuple[list[Any], str]:
        """Return the part of a list that ``cursor`` and ``limit`` ask for, and the next cursor ('' at the end)."""
        limit = self.word("limit") or "0"
        if not limit.isascii() or not limit.isdigit() or int(limit) > MAX_PAGE:
            raise SlackRefusal("invalid_limit")
        start = _offset(self.word("cursor"))
        end = start + (int(limit) or default)
        following = base64.b64encode(f"next:{end}".encode()).decode() if end < len(of) else ""
        return list(of[start:end]), following


@dataclass(frozen=True, slots=True)
class Method:
    """One method of the Web API: what answers, and the scopes of which the token needs one."""

    answer: Callable[[Call], Answer]
    scopes: tuple[str, ...] = ()


def invalid_arguments(*messages: str) -> SlackRefusal:
    """Word a refusal of arguments."""
    return SlackRefusal("invalid_arguments", response_metadata={"messages": list(messages)})


def refuse_problems(error: str, problems: Sequence[Problem]) -> None:
    """Raise what Slack answers to blocks or views with ``problems``. Raises: SlackRefusal."""
    if problems:
        said = [str(problem) for problem in problems]
        marked = [f"[ERROR] {one}" for one in said]
        raise SlackRefusal(error, errors=said, response_metadata={"messages": marked})


def _offset(cursor: str) -> int:
    try:
        mark, _, number = base64.b64decode(cursor, validate=True).decode("ascii").partition(":")
        if not cursor:
            return 0
        if mark == "next":
            return int(number)
    except (binascii.Error, ValueError):
        pass
    raise SlackRefusal("invalid_cursor")
