"""Commands in what people were shown: each has to be code that begins with the slash command, so that it is renamed."""

from collections.abc import Iterable, Iterator

from handlers.slack.blocks import COMMAND
from handlers.slack.called import is_command
from sandbox.slack.feed import Event

_OF_PEOPLE = frozenset({"rich_text_quote", "rich_text_preformatted"})  # their words, as they typed them


def fixed(events: Iterable[Event]) -> list[str]:
    """Return the texts of the app that name the command where nothing renames it."""
    shown = [one.message.blocks for one in events if one.message and one.message.by_app]
    shown += [(one.view.payload,) for one in events if one.view]
    return sorted({text for blocks in shown for text in _fixed(blocks)})


def _fixed(found: object) -> Iterator[str]:
    if isinstance(found, str) and COMMAND in found:
        yield found
    elif isinstance(found, dict) and not is_command(found) and found.get("type") not in _OF_PEOPLE:
        for one in found.values():
            yield from _fixed(one)
    elif isinstance(found, list | tuple):
        for one in found:
            yield from _fixed(one)
