"""What the slash command is called in this workspace: where all messages and views learn it before they are sent."""

from dataclasses import replace
from typing import TypeVar

from handlers.slack.blocks import COMMAND, Message
from handlers.slack.spans import Json, escaped

T = TypeVar("T")


def called(message: Message, command: str) -> Message:
    """Return a message in which the commands that it names begin as they do in this workspace."""
    if command == COMMAND:
        return message
    text = message.text
    for said in sorted(_commands(list(message.blocks)), key=len, reverse=True):
        text = text.replace(escaped(said), escaped(_named(said, command)))
    return replace(message, text=text, blocks=tuple(_renamed(one, command) for one in message.blocks))


def called_in(view: Json, command: str) -> Json:
    """Return a view (a form, an App Home) in which commands begin so."""
    return view if command == COMMAND else _renamed(view, command)


def is_command(element: object) -> bool:
    """Whether a part of a block is a command as our sentences name it: code that begins with it."""
    if not isinstance(element, dict):
        return False
    style, text = element.get("style"), element.get("text")
    is_code = isinstance(style, dict) and style.get("code") is True
    return is_code and isinstance(text, str) and f"{text} ".startswith(f"{COMMAND} ")


def _commands(found: object) -> set[str]:
    if is_command(found) and isinstance(found, dict):
        return {str(found["text"])}
    inside = found.values() if isinstance(found, dict) else found if isinstance(found, list) else ()
    return {said for one in inside for said in _commands(one)}


def _renamed(found: T, command: str) -> T:
    if isinstance(found, dict):
        copy = {key: _renamed(one, command) for key, one in found.items()}
        return {**copy, "text": _named(str(found["text"]), command)} if is_command(found) else copy  # type: ignore[return-value]  # a dict as it was
    return [_renamed(one, command) for one in found] if isinstance(found, list) else found  # type: ignore[return-value]  # the same


def _named(said: str, command: str) -> str:
    return command + said.removeprefix(COMMAND)
