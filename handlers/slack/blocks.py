"""Builders of Block Kit blocks within Slack's limits. Strings of others stand only in plain or rich text."""

from collections.abc import Sequence
from dataclasses import dataclass

from handlers.slack.spans import Json, Line, escaped, listed, plain, rich, verbatim, visible

# Slack, reference of Block Kit
MAX_BLOCKS = 50  # of a message
MAX_BUTTONS = 25  # of an actions block
MAX_BUTTON_TEXT = 75
MAX_BUTTON_VALUE = 2000
MAX_CONFIRM_TITLE = 100
MAX_CONFIRM_TEXT = 300
MAX_CONFIRM_BUTTON = 30
MAX_VIEW_TITLE = 24
MAX_INPUT = 280  # the ledger's limit of a note; Slack's is 3000
MAX_POINTS = 40  # ours: more is a page, not an answer
MAX_GIVEN = 8000  # ours: characters of a person's text that are given back
COMMAND = "/promote"  # as sentences say it, as code; where a workspace calls it otherwise `called.py` says so
RUN = "run"  # action ids of corrected commands: run_0, run_1, run_2


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent: text for notifications, escaped; blocks for eyes."""

    text: str
    blocks: tuple[Json, ...]


@dataclass(frozen=True, slots=True)
class Said:
    """An answer before it has a form: a sentence, points, text given back, commands that one button each runs.

    ``buttons`` stand below it as they are.
    """

    head: Line
    points: tuple[Line, ...] = ()
    given: str = ""
    commands: tuple[str, ...] = ()
    buttons: tuple[Json, ...] = ()

    @property
    def lines(self) -> tuple[Line, ...]:
        """The sentence and the points, to stand as points of another answer."""
        return (self.head, *self.points)

    @property
    def text(self) -> str:
        """The answer as plain text of several lines, not escaped: for logs and tests."""
        return "\n".join([plain(self.head), *(f"• {plain(point)}" for point in self.points)])


def section(*lines: Line) -> Json:
    """Return lines as one part of a rich text block."""
    elements: list[Json] = []
    for spans in lines:
        elements += [{"type": "text", "text": "\n"}, *rich(spans)] if elements else rich(spans)
    return {"type": "rich_text_section", "elements": elements}


def bullets(lines: Sequence[Line]) -> Json:
    """Return lines as a list; what is too much is counted."""
    shown = listed(lines, MAX_POINTS, tuple)
    return {"type": "rich_text_list", "style": "bullet", "elements": [section(one) for one in shown]}


def quote(text: str) -> Json:
    """Return somebody's words as a quotation."""
    return {"type": "rich_text_quote", "elements": rich((visible(text),))}


def preformatted(text: str) -> Json:
    """Return somebody's words as they were typed."""
    return {"type": "rich_text_preformatted", "elements": rich((verbatim(text[:MAX_GIVEN]),))}


def rich_text(block_id: str, *parts: Json) -> Json:
    """Return a rich text block."""
    return {"type": "rich_text", "block_id": block_id, "elements": list(parts)}


def plain_text(text: str, most: int) -> Json:
    """Return a text object that is never mark-up."""
    return {"type": "plain_text", "text": visible(text, most) or "-", "emoji": False}


def button(
    action_id: str, text: str, *, value: str = "", style: str = "", url: str = "", confirm: Json | None = None
) -> Json:
    """Return a button. Raises: ValueError where its value would not fit: half a value is another one."""
    if len(value) > MAX_BUTTON_VALUE:
        raise ValueError(f"the value of button {action_id} has {len(value)} characters")
    more = {"value": value, "style": style, "url": url, "confirm": confirm}
    return {
        "type": "button",
        "action_id": action_id,
        "text": plain_text(text, MAX_BUTTON_TEXT),
        **{key: one for key, one in more.items() if one},
    }


def confirm(title: str, text: str, yes: str) -> Json:
    """Return the dialog that asks once more before a click counts."""
    return {
        "title": plain_text(title, MAX_CONFIRM_TITLE),
        "text": plain_text(text, MAX_CONFIRM_TEXT),
        "confirm": plain_text(yes, MAX_CONFIRM_BUTTON),
        "deny": plain_text("Back", MAX_CONFIRM_BUTTON),
    }


def actions(block_id: str, buttons: Sequence[Json]) -> Json:
    """Return buttons in a row."""
    return {"type": "actions", "block_id": block_id, "elements": list(buttons[:MAX_BUTTONS])}


def message_of(said: Said) -> Message:
    """Return an answer as a message for one person."""
    parts = [section(said.head)]
    if said.points:
        parts.append(bullets(said.points))
    if said.given:
        parts.append(preformatted(said.given))
    blocks = [rich_text("answer", *parts)]
    if said.buttons:
        blocks.append(actions("buttons", said.buttons))
    runs = [one for one in said.commands if len(one) <= MAX_BUTTON_VALUE]
    if runs:
        blocks.append(
            actions("commands", [button(f"{RUN}_{n}", one, value=one) for n, one in enumerate(runs[:3])])
        )
    return Message(escaped(said.text), tuple(blocks))
