"""Holds messages and views against Block Kit's shapes and limits, as Slack does before it accepts them.

Limits: Slack's reference of blocks and views. What this twin does not know it refuses, as ``unsupported type``.
"""

import copy
import secrets
from collections.abc import Iterable, Iterator
from typing import Any

from sandbox.slack.block_elements import (
    IMAGE,
    IN_ACTIONS,
    IN_INPUT,
    IN_SECTION,
    MAX_ALT_TEXT,
    MAX_ID,
    MAX_URL,
    plain,
    text,
)
from sandbox.slack.shapes import (
    Check,
    Problem,
    also,
    anything,
    boolean,
    by_type,
    integer,
    items,
    one_of,
    record,
    string,
)

MAX_BLOCKS = 50  # of a message
MAX_VIEW_BLOCKS = 100  # of a modal or an App Home
MAX_HEADER = 150
MAX_FIELDS = 10
MAX_FIELD = 2000
MAX_ACTIONS = 25
MAX_CONTEXT = 10
MAX_LABEL = 2000
MAX_MARKDOWN = 12_000  # of all markdown blocks of a message together
MAX_ROWS = 100
MAX_COLUMNS = 20
MAX_ALERT = 200
MAX_VIEW_TITLE = 24  # title, submit and close
MAX_PRIVATE_METADATA = 3000

_KIND = {"type": anything}
_BLOCK_ID = {"block_id": string(most=MAX_ID)}
_STYLE = record({}, dict.fromkeys(("bold", "italic", "strike", "code", "underline"), boolean))
_SPAN = {"style": _STYLE}
_INLINE = by_type(
    {
        "text": record({**_KIND, "text": string(least=1)}, _SPAN),
        "link": record({**_KIND, "url": string(least=1)}, {**_SPAN, "text": string(), "unsafe": boolean}),
        "user": record({**_KIND, "user_id": string(least=1)}, _SPAN),
        "usergroup": record({**_KIND, "usergroup_id": string(least=1)}, _SPAN),
        "channel": record({**_KIND, "channel_id": string(least=1)}, _SPAN),
        "emoji": record({**_KIND, "name": string(least=1)}, {**_SPAN, "unicode": string()}),
        "broadcast": record({**_KIND, "range": one_of("here", "channel", "everyone")}, _SPAN),
        "color": record({**_KIND, "value": string(least=1)}, _SPAN),
        "date": record(
            {**_KIND, "timestamp": integer(0, 9_999_999_999), "format": string(least=1)},
            {**_SPAN, "url": string(), "fallback": string()},
        ),
    }
)
_MANY = 1000  # Slack names no limit for the elements of rich text
_SPANS = {**_KIND, "elements": items(_INLINE, most=_MANY, least=0)}
_SECTION_OF_TEXT = record(_SPANS)
_FRAME = {"border": integer(0, 1)}
RICH_TEXT = record(
    {
        **_KIND,
        "elements": items(
            by_type(
                {
                    "rich_text_section": _SECTION_OF_TEXT,
                    "rich_text_preformatted": record(_SPANS, {**_FRAME, "language": string()}),
                    "rich_text_quote": record(_SPANS, _FRAME),
                    "rich_text_list": record(
                        {
                            **_KIND,
                            "elements": items(by_type({"rich_text_section": _SECTION_OF_TEXT}), most=_MANY),
                            "style": one_of("bullet", "ordered"),
                        },
                        {**_FRAME, "indent": integer(0, 8), "offset": integer(0, 100_000)},
                    ),
                }
            ),
            most=_MANY,
        ),
    },
    _BLOCK_ID,
)


def _text_or_fields(value: Any, at: str) -> Iterator[Problem]:
    if "text" not in value and "fields" not in value:
        yield Problem(at, "must define either `text` or `fields`")


def _source(value: Any, at: str) -> Iterator[Problem]:
    if ("image_url" in value) == ("slack_file" in value):
        yield Problem(at, "must define either `image_url` or `slack_file`")


_CELL = by_type({"raw_text": record({**_KIND, "text": string()}), "rich_text": RICH_TEXT})
_BLOCKS: dict[str, Check] = {
    "section": also(
        record(
            _KIND,
            {
                **_BLOCK_ID,
                "text": text(),
                "fields": items(text(MAX_FIELD), most=MAX_FIELDS),
                "accessory": IN_SECTION,
                "expand": boolean,
            },
        ),
        _text_or_fields,
    ),
    "header": record({**_KIND, "text": plain(MAX_HEADER)}, _BLOCK_ID),
    "divider": record(_KIND, _BLOCK_ID),
    "image": also(
        record(
            {**_KIND, "alt_text": string(most=MAX_ALT_TEXT)},
            {
                **_BLOCK_ID,
                "image_url": string(most=MAX_URL, least=1),
                "slack_file": anything,
                "title": plain(2000),
            },
        ),
        _source,
    ),
    "context": record(
        {
            **_KIND,
            "elements": items(
                by_type({"image": also(IMAGE, _source), "plain_text": text(), "mrkdwn": text()}),
                most=MAX_CONTEXT,
            ),
        },
        _BLOCK_ID,
    ),
    "actions": record({**_KIND, "elements": items(IN_ACTIONS, most=MAX_ACTIONS)}, _BLOCK_ID),
    "input": record(
        {**_KIND, "label": plain(MAX_LABEL), "element": IN_INPUT},
        {**_BLOCK_ID, "hint": plain(MAX_LABEL), "optional": boolean, "dispatch_action": boolean},
    ),
    "rich_text": RICH_TEXT,
}
_MESSAGE_BLOCKS: dict[str, Check] = {
    **_BLOCKS,
    "markdown": record({**_KIND, "text": string(most=MAX_MARKDOWN, least=1)}, _BLOCK_ID),
    "table": record(
        {**_KIND, "rows": items(items(_CELL, most=MAX_COLUMNS), most=MAX_ROWS)},
        {**_BLOCK_ID, "column_settings": items(anything, most=MAX_COLUMNS)},
    ),
}
_MODAL_BLOCKS: dict[str, Check] = {
    **_BLOCKS,
    "alert": record({**_KIND, "text": text(MAX_ALERT)}, {**_BLOCK_ID, "level": string()}),
}
_IDENTITY = {
    "private_metadata": string(most=MAX_PRIVATE_METADATA),
    "callback_id": string(most=MAX_ID),
    "external_id": string(most=MAX_ID),
}
_VIEWS: dict[str, Check] = {
    "modal": record(
        {
            **_KIND,
            "title": plain(MAX_VIEW_TITLE),
            "blocks": items(by_type(_MODAL_BLOCKS), most=MAX_VIEW_BLOCKS),
        },
        {
            **_IDENTITY,
            "submit": plain(MAX_VIEW_TITLE),
            "close": plain(MAX_VIEW_TITLE),
            "clear_on_close": boolean,
            "notify_on_close": boolean,
            "submit_disabled": boolean,
        },
    ),
    "home": record(
        {**_KIND, "blocks": items(by_type(_BLOCKS), most=MAX_VIEW_BLOCKS, least=0)},
        _IDENTITY,
    ),
}


def problems_of_blocks(blocks: Any, at: str = "/blocks") -> list[Problem]:
    """List what Slack would refuse in a message's blocks; empty where all is well."""
    found = list(items(by_type(_MESSAGE_BLOCKS), most=MAX_BLOCKS, least=0)(blocks, at))
    if isinstance(blocks, list):
        found += _doubles(blocks, at)
        found += _together(blocks, at)
    return found


def problems_of_view(view: Any, at: str = "/view") -> list[Problem]:
    """List what Slack would refuse in a modal or an App Home."""
    found = list(by_type(_VIEWS)(view, at))
    blocks = view.get("blocks") if isinstance(view, dict) else None
    if not isinstance(blocks, list):
        return found
    asks = any(isinstance(block, dict) and block.get("type") == "input" for block in blocks)
    if view.get("type") == "modal" and asks and "submit" not in view:
        found.append(Problem(at, "must define `submit` to use an `input` block in modals"))
    return found + list(_doubles(blocks, f"{at}/blocks"))


def interactive(block: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return the elements of a block that carry an action, each with its place inside the block."""
    places: list[tuple[str, Any]] = [("accessory", block.get("accessory")), ("element", block.get("element"))]
    elements = block.get("elements") if block.get("type") == "actions" else None
    if isinstance(elements, list):
        places += [(f"elements/{index}", element) for index, element in enumerate(elements)]
    return [(place, element) for place, element in places if isinstance(element, dict)]


def with_ids(blocks: Iterable[dict[str, Any]]) -> tuple[dict[str, Any], ...]:
    """Copy blocks, and give each block and each element that acts the id that Slack gives where none is named."""
    named = tuple(copy.deepcopy(list(blocks)))
    for block in named:
        block["block_id"] = block.get("block_id") or secrets.token_urlsafe(4)
        for _, element in interactive(block):
            if element.get("type") != "image":
                element["action_id"] = element.get("action_id") or secrets.token_urlsafe(4)
    return named


def _doubles(blocks: list[Any], at: str) -> Iterator[Problem]:
    """Find a ``block_id`` that stands twice in a message, or an ``action_id`` twice in a block."""
    seen: set[str] = set()
    for index, block in enumerate(blocks):
        if not isinstance(block, dict):
            continue
        name = block.get("block_id")
        if isinstance(name, str) and name:
            if name in seen:
                yield Problem(f"{at}/{index}/block_id", f"`block_id` {name} already exists")
            seen.add(name)
        actions: set[str] = set()
        for place, element in interactive(block):
            action = element.get("action_id")
            if isinstance(action, str):
                if action in actions:
                    yield Problem(f"{at}/{index}/{place}/action_id", f"`action_id` {action} already exists")
                actions.add(action)


def _together(blocks: list[Any], at: str) -> Iterator[Problem]:
    """Hold against the limits that count over the whole message."""
    records = [block for block in blocks if isinstance(block, dict)]
    markdown = [str(block.get("text")) for block in records if block.get("type") == "markdown"]
    if len(markdown) > 1 and sum(map(len, markdown)) > MAX_MARKDOWN:
        yield Problem(at, f"markdown blocks must be less than {MAX_MARKDOWN + 1} characters together")
    if sum(block.get("type") == "table" for block in records) > 1:
        yield Problem(at, "only_one_table_allowed")
