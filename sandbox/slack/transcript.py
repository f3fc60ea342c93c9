"""The workspace as a terminal shows it: who says what where, buttons as [Approve], edits as edits."""

import json
from collections.abc import Callable
from typing import Any

from sandbox.slack.feed import Event, EventKind, Message, View
from sandbox.slack.mrkdwn import date, emoji, group, harmless, person, rendered, room
from sandbox.slack.workspace import SLACKBOT, Workspace

_INDENT = "    "


class Transcript:
    """Turns events into lines of plain text. Strings of others cannot steer the terminal."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def follow(self, write: Callable[[str], object], *, since: int = 0) -> Callable[[], None]:
        """Hand each event's text to ``write`` (``print``) as it happens; the answer ends it."""
        return self._workspace.subscribe(lambda event: write(self.event(event)), since=since)

    def event(self, event: Event) -> str:  # noqa: C901, PLR0911  one answer for each kind of event
        """Return one event as text of one or more lines, without a line end."""
        match event.kind:
            case EventKind.POSTED | EventKind.WHISPERED | EventKind.EDITED | EventKind.WHISPER_EDITED:
                return self._said(event)
            case EventKind.DELETED | EventKind.WHISPER_DELETED:
                return f"{self._head(event)} deleted: {self._first_line(event)}"
            case EventKind.VIEW_OPENED | EventKind.VIEW_PUSHED | EventKind.VIEW_UPDATED:
                verb = {EventKind.VIEW_OPENED: "opens", EventKind.VIEW_PUSHED: "lies on top"}
                return self._modal(event, verb.get(event.kind, "changes"))
            case EventKind.HOME_PUBLISHED:
                return self._home(event)
            case EventKind.VIEW_REFUSED:
                return f"(modal of {self._name(event.only_for)}) does not take it: {self._pairs(event.text)}"
            case EventKind.VIEW_CLOSED:
                return f"(modal of {self._name(event.only_for)}) closes: {self._title(event.view)}"
            case EventKind.COMMAND:
                return f"{self._head(event)}: {_line(event.text)}"
            case EventKind.CLICKED:
                return f"{self._head(event)} clicks [{_line(emoji(event.text))}]"
            case EventKind.SUBMITTED:
                title = self._title(event.view)
                return f"{self._name(event.user)} sends {title}: {self._pairs(event.text) or 'as it is'}"
            case EventKind.WARNED:
                shown = _line(event.text)
                return f"{self._head(event)} sees a warning sign: the app did not answer ({shown})"

    def message(self, message: Message) -> list[str]:
        """Return what a message shows: its blocks, or its text where it has none."""
        if not message.blocks:
            return rendered(self._workspace, message.text).split("\n") + self._attached(message)
        return self.blocks(list(message.blocks)) + self._attached(message)

    def blocks(self, blocks: list[dict[str, Any]]) -> list[str]:
        """Return blocks as lines."""
        return [line for block in blocks for line in self._block(block).split("\n")]

    def _said(self, event: Event) -> str:
        assert event.message is not None  # noqa: S101  events of these kinds carry their message
        message = event.message
        marks = []
        if event.kind in {EventKind.EDITED, EventKind.WHISPER_EDITED}:
            marks.append("edited")
        if message.thread_ts and message.thread_ts != message.ts:
            marks.append("in thread")
        if message.only_for:
            marks.append(f"only visible to {self._name(message.only_for)}")
        note = f" ({', '.join(marks)})" if marks else ""
        return self._laid_out(f"{self._head(event)}{note}: ", self.message(message))

    def _modal(self, event: Event, verb: str) -> str:
        assert event.view is not None  # noqa: S101  events of these kinds carry their view
        payload = event.view.payload
        last = " ".join(
            f"[{self._plain(payload.get(key)) or word}]"
            for key, word in (("submit", ""), ("close", "Cancel"))
            if key == "close" or payload.get("submit")
        )
        head = f"(modal of {self._name(event.only_for)}) {verb}: {self._title(event.view)}"
        return self._laid_out(f"{head}\n{_INDENT}", [*self.blocks(payload["blocks"]), last])

    def _home(self, event: Event) -> str:
        assert event.view is not None  # noqa: S101  events of this kind carry their view
        lines = self.blocks(event.view.payload["blocks"])
        return self._laid_out(f"(home of {self._name(event.only_for)}) shows: ", lines)

    def _laid_out(self, head: str, lines: list[str]) -> str:
        return head + f"\n{_INDENT}".join(lines)

    def _head(self, event: Event) -> str:
        name = self._name(event.user)
        return f"{_line(room(self._workspace, event.channel))}  {name}" if event.channel else name

    def _name(self, user: str) -> str:
        if user == self._workspace.app.user:
            return _line(self._workspace.app.name)
        return "Slackbot" if user == SLACKBOT else _line(person(self._workspace, user))

    def _title(self, view: View | None) -> str:
        return self._plain(view.payload.get("title")) if view else ""

    def _first_line(self, event: Event) -> str:
        return self.message(event.message)[0] if event.message else ""

    def _pairs(self, text: str) -> str:
        return "; ".join(f"{_line(key)} = {_line(_flat(value))}" for key, value in json.loads(text).items())

    def _attached(self, message: Message) -> list[str]:
        texts = [str(one.get("text") or one.get("fallback") or "") for one in message.attachments]
        return [f"| {rendered(self._workspace, text)}" for text in texts if text]

    # Block Kit

    def _block(self, block: dict[str, Any]) -> str:  # noqa: C901, PLR0911  one answer for each type of block
        match block["type"]:
            case "divider":
                return "-" * 8
            case "header":
                return f"== {self._text(block['text'])} =="
            case "section":
                return self._section(block)
            case "context":
                return " | ".join(self._element(one) for one in block["elements"])
            case "actions":
                return " ".join(self._element(one) for one in block["elements"])
            case "input":
                mark = " (optional)" if block.get("optional") else ""
                return f"{self._text(block['label'])}{mark}: {self._element(block['element'])}"
            case "rich_text":
                return "\n".join(self._rich(one) for one in block["elements"])
            case "image":
                return f"[image: {harmless(block['alt_text'])}]"
            case "markdown":
                return harmless(block["text"])
            case "alert":
                return f"! {self._text(block['text'])}"
            case "table":
                return "\n".join(" | ".join(self._cell(cell) for cell in row) for row in block["rows"])
            case other:
                return f"[a block of type {harmless(str(other))}]"

    def _section(self, block: dict[str, Any]) -> str:
        lines = [self._text(block["text"])] if "text" in block else []
        lines += [self._text(field).replace("\n", ": ") for field in block.get("fields", [])]
        if "accessory" in block:
            lines[-1] += " " + self._element(block["accessory"])
        return "\n".join(lines)

    def _element(self, element: dict[str, Any]) -> str:
        match element["type"]:
            case "mrkdwn" | "plain_text":
                return self._text(element)
            case "button":
                return f"[{self._text(element['text'])}]"
            case "image":
                return f"[image: {harmless(element['alt_text'])}]"
            case "overflow" | "radio_buttons" | "checkboxes":
                return f"[{' / '.join(self._text(option['text']) for option in element['options'])}]"
            case _:
                hint = self._plain(element.get("placeholder"))
                initial = element.get("initial_value") or self._plain(
                    (element.get("initial_option") or {}).get("text")
                )
                return f"[{harmless(str(initial or hint or '...'))}]"

    def _rich(self, element: dict[str, Any]) -> str:
        parts = element["elements"]
        match element["type"]:
            case "rich_text_list":
                ordered = element["style"] == "ordered"
                return "\n".join(
                    f"{f'{number}.' if ordered else '-'} {self._rich(part)}"
                    for number, part in enumerate(parts, 1 + element.get("offset", 0))
                )
            case "rich_text_quote":
                return "\n".join(f"> {line}" for line in self._spans(parts).split("\n"))
            case _:
                return self._spans(parts)

    def _spans(self, parts: list[dict[str, Any]]) -> str:
        return "".join(self._span(part) for part in parts)

    def _span(self, part: dict[str, Any]) -> str:  # noqa: PLR0911  one answer for each type of span
        there = self._workspace
        match part["type"]:
            case "text":
                shown = harmless(part["text"])
                return f"`{shown}`" if part.get("style", {}).get("code") else shown
            case "link":
                text = part.get("text")
                return harmless(f"{text} ({part['url']})" if text else part["url"])
            case "user":
                return "@" + harmless(person(there, part["user_id"]))
            case "usergroup":
                return harmless(group(there, part["usergroup_id"]))
            case "channel":
                return harmless(room(there, part["channel_id"]))
            case "emoji":
                return harmless(emoji(f":{part['name']}:"))
            case "date":
                return harmless(date(part["timestamp"], part["format"], part.get("fallback", "")))
            case "broadcast":
                return "@" + harmless(part["range"])
            case _:
                return harmless(str(part.get("value", "")))

    def _cell(self, cell: dict[str, Any]) -> str:
        if cell["type"] == "raw_text":
            return harmless(cell["text"])
        return " ".join(self._rich(one) for one in cell["elements"])

    def _text(self, text: dict[str, Any]) -> str:
        if text["type"] == "mrkdwn":
            return rendered(self._workspace, text["text"])
        return harmless(emoji(text["text"]))

    def _plain(self, text: dict[str, Any] | None) -> str:
        return _line(self._text(text)) if text else ""


def _line(text: str) -> str:
    """Keep what a person typed on one line, so that it cannot pass for somebody else's."""
    return harmless(text).replace("\n", " ")


def _flat(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
