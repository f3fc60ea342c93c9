"""Block Kit's limits: what Slack takes at the limit, and what it refuses one step further."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slack_sdk.models.blocks import Block

from sandbox.slack.block_kit import problems_of_blocks, problems_of_view, with_ids


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text}


def section(text: str = "x", **more: Any) -> dict[str, Any]:
    return {"type": "section", "text": mrkdwn(text), **more}


def button(action: str = "a", **more: Any) -> dict[str, Any]:
    return {"type": "button", "text": plain("Go"), "action_id": action, **more}


def actions(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "actions", "elements": list(elements)}


def buttons(number: int) -> dict[str, Any]:
    return actions(*(button(f"a{index}") for index in range(number)))


def confirm(**more: Any) -> dict[str, Any]:
    return {
        "title": plain("t"),
        "text": mrkdwn("t"),
        "confirm": plain("y"),
        "deny": plain("n"),
        **more,
    }


def option(number: int = 0, **more: Any) -> dict[str, Any]:
    return {"text": plain(f"o{number}"), "value": f"v{number}", **more}


def select(number: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "type": "static_select",
        "action_id": "s",
        "options": [option(index) for index in range(number)],
        **more,
    }


def reason(**more: Any) -> dict[str, Any]:
    return {
        "type": "input",
        "block_id": "why",
        "label": plain("Why"),
        "element": {"type": "plain_text_input", "action_id": "why", **more},
    }


def modal(*blocks: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "type": "modal",
        "title": plain("Reject"),
        "submit": plain("Send"),
        "blocks": list(blocks or (section(),)),
        **more,
    }


AT_THE_LIMIT = {
    "no blocks": [],
    "fifty blocks": [{"type": "divider"}] * 50,
    "section of 3000": [section("x" * 3000)],
    "ten fields of 2000": [{"type": "section", "fields": [mrkdwn("x" * 2000)] * 10}],
    "header of 150": [{"type": "header", "text": plain("x" * 150)}],
    "25 buttons": [buttons(25)],
    "button text of 75": [actions(button() | {"text": plain("x" * 75)})],
    "button value of 2000": [actions(button(value="x" * 2000))],
    "confirm at its limits": [
        actions(
            button(
                confirm=confirm(
                    title=plain("x" * 100),
                    text=mrkdwn("x" * 300),
                    confirm=plain("x" * 30),
                    deny=plain("x" * 30),
                )
            )
        )
    ],
    "select of 100": [actions(select(100))],
    "overflow of 5": [
        section(accessory={"type": "overflow", "action_id": "o", "options": [option(n) for n in range(5)]})
    ],
    "context of 10": [{"type": "context", "elements": [mrkdwn("x")] * 10}],
    "same action id in two blocks": [actions(button("a")), actions(button("a"))],
    "link without action id": [
        actions({"type": "button", "text": plain("Open"), "url": "https://example.com/"})
    ],
    "rich text": [
        {
            "type": "rich_text",
            "elements": [
                {
                    "type": "rich_text_section",
                    "elements": [
                        {"type": "text", "text": "x", "style": {"bold": True}},
                        {"type": "user", "user_id": "U0ADA"},
                        {"type": "link", "url": "https://example.com/", "text": "here"},
                    ],
                },
                {
                    "type": "rich_text_list",
                    "style": "bullet",
                    "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "x"}]}],
                },
            ],
        }
    ],
    "table": [{"type": "table", "rows": [[{"type": "raw_text", "text": "x"}] * 20] * 100}],
    "markdown of 12000": [{"type": "markdown", "text": "x" * 12_000}],
}

BEYOND = {
    "51 blocks": ([{"type": "divider"}] * 51, "/blocks", "no more than 50 items allowed"),
    "not a list": ({}, "/blocks", "must be an array"),
    "not a block": (["x"], "/blocks/0", "must be an object"),
    "no type": ([{"text": plain("x")}], "/blocks/0", "missing required field: type"),
    "unknown type": ([{"type": "carousel_of_doom"}], "/blocks/0/type", "unsupported type: carousel_of_doom"),
    "type that is no word": ([{"type": ["section"]}], "/blocks/0/type", "unsupported type: ['section']"),
    "a button as a block": ([button()], "/blocks/0/type", "unsupported type: button"),
    "alert in a message": (
        [{"type": "alert", "text": plain("x")}],
        "/blocks/0/type",
        "unsupported type: alert",
    ),
    "unknown key": ([section(colour="red")], "/blocks/0/colour", "invalid additional property: colour"),
    "section with nothing": (
        [{"type": "section"}],
        "/blocks/0",
        "must define either `text` or `fields`",
    ),
    "section text as a string": ([{"type": "section", "text": "x"}], "/blocks/0/text", "must be an object"),
    "empty text": ([section("")], "/blocks/0/text/text", "must be more than 0 characters"),
    "text of 3001": ([section("x" * 3001)], "/blocks/0/text/text", "must be less than 3001 characters"),
    "eleven fields": (
        [{"type": "section", "fields": [mrkdwn("x")] * 11}],
        "/blocks/0/fields",
        "no more than 10 items allowed",
    ),
    "field of 2001": (
        [{"type": "section", "fields": [mrkdwn("x"), mrkdwn("x" * 2001)]}],
        "/blocks/0/fields/1/text",
        "must be less than 2001 characters",
    ),
    "header without text": ([{"type": "header"}], "/blocks/0", "missing required field: text"),
    "header in mrkdwn": (
        [{"type": "header", "text": mrkdwn("x")}],
        "/blocks/0/text/type",
        "unsupported type: mrkdwn",
    ),
    "header of 151": (
        [{"type": "header", "text": plain("x" * 151)}],
        "/blocks/0/text/text",
        "must be less than 151 characters",
    ),
    "26 buttons": ([buttons(26)], "/blocks/0/elements", "no more than 25 items allowed"),
    "no buttons": ([buttons(0)], "/blocks/0/elements", "no fewer than 1 items allowed"),
    "button text of 76": (
        [actions(button() | {"text": plain("x" * 76)})],
        "/blocks/0/elements/0/text/text",
        "must be less than 76 characters",
    ),
    "button text in mrkdwn": (
        [actions(button() | {"text": mrkdwn("x")})],
        "/blocks/0/elements/0/text/type",
        "unsupported type: mrkdwn",
    ),
    "button value of 2001": (
        [actions(button(value="x" * 2001))],
        "/blocks/0/elements/0/value",
        "must be less than 2001 characters",
    ),
    "button value as a number": (
        [actions(button(value=1))],
        "/blocks/0/elements/0/value",
        "must provide a string",
    ),
    "button style": (
        [actions(button(style="loud"))],
        "/blocks/0/elements/0/style",
        "must be a valid enum value, one of: primary, danger",
    ),
    "confirm without deny": (
        [actions(button(confirm={k: v for k, v in confirm().items() if k != "deny"}))],
        "/blocks/0/elements/0/confirm",
        "missing required field: deny",
    ),
    "confirm button of 31": (
        [actions(button(confirm=confirm(confirm=plain("x" * 31))))],
        "/blocks/0/elements/0/confirm/confirm/text",
        "must be less than 31 characters",
    ),
    "action id of 256": (
        [actions(button("x" * 256))],
        "/blocks/0/elements/0/action_id",
        "must be less than 256 characters",
    ),
    "block id of 256": (
        [section(block_id="x" * 256)],
        "/blocks/0/block_id",
        "must be less than 256 characters",
    ),
    "block id twice": (
        [section(block_id="b"), section(block_id="b")],
        "/blocks/1/block_id",
        "`block_id` b already exists",
    ),
    "action id twice in a block": (
        [actions(button("a"), button("a"))],
        "/blocks/0/elements/1/action_id",
        "`action_id` a already exists",
    ),
    "select of 101": (
        [actions(select(101))],
        "/blocks/0/elements/0/options",
        "no more than 100 items allowed",
    ),
    "option value of 151": (
        [actions(select(0, options=[option(value="x" * 151)]))],
        "/blocks/0/elements/0/options/0/value",
        "must be less than 151 characters",
    ),
    "initial option that is not offered": (
        [actions(select(1, initial_option=option(7)))],
        "/blocks/0/elements/0",
        "initial option must match one of the options",
    ),
    "overflow of 6": (
        [section(accessory={"type": "overflow", "action_id": "o", "options": [option(n) for n in range(6)]})],
        "/blocks/0/accessory/options",
        "no more than 5 items allowed",
    ),
    "context of 11": (
        [{"type": "context", "elements": [mrkdwn("x")] * 11}],
        "/blocks/0/elements",
        "no more than 10 items allowed",
    ),
    "a button in a context": (
        [{"type": "context", "elements": [button()]}],
        "/blocks/0/elements/0/type",
        "unsupported type: button",
    ),
    "two tables": (
        [{"type": "table", "rows": [[{"type": "raw_text", "text": "x"}]]}] * 2,
        "/blocks",
        "only_one_table_allowed",
    ),
    "markdown of 12001 together": (
        [{"type": "markdown", "text": "x" * 6000}, {"type": "markdown", "text": "x" * 6001}],
        "/blocks",
        "markdown blocks must be less than 12001 characters together",
    ),
    "a pointer is escaped": (
        [section() | {"a/b~c": 1}],
        "/blocks/0/a~1b~0c",
        "invalid additional property: a/b~c",
    ),
}

VIEWS_BEYOND = {
    "not an object": ("x", "/view", "must be an object"),
    "unknown type": ({"type": "page"}, "/view/type", "unsupported type: page"),
    "title of 25": (modal(title=plain("x" * 25)), "/view/title/text", "must be less than 25 characters"),
    "title in mrkdwn": (modal(title=mrkdwn("x")), "/view/title/type", "unsupported type: mrkdwn"),
    "submit of 25": (modal(submit=plain("x" * 25)), "/view/submit/text", "must be less than 25 characters"),
    "close of 25": (modal(close=plain("x" * 25)), "/view/close/text", "must be less than 25 characters"),
    "no title": (
        {"type": "modal", "blocks": [section()]},
        "/view",
        "missing required field: title",
    ),
    "private metadata of 3001": (
        modal(private_metadata="x" * 3001),
        "/view/private_metadata",
        "must be less than 3001 characters",
    ),
    "callback id of 256": (
        modal(callback_id="x" * 256),
        "/view/callback_id",
        "must be less than 256 characters",
    ),
    "101 blocks": (
        modal(*([{"type": "divider"}] * 101)),
        "/view/blocks",
        "no more than 100 items allowed",
    ),
    "input without submit": (
        {k: v for k, v in modal(reason()).items() if k != "submit"},
        "/view",
        "must define `submit` to use an `input` block in modals",
    ),
    "a button as input": (
        modal(reason() | {"element": button()}),
        "/view/blocks/0/element/type",
        "unsupported type: button",
    ),
    "input of 3001": (
        modal(reason(max_length=3001)),
        "/view/blocks/0/element/max_length",
        "must be between 1 and 3000",
    ),
    "shortest over longest": (
        modal(reason(min_length=5, max_length=4)),
        "/view/blocks/0/element/min_length",
        "must not be greater than `max_length`",
    ),
    "block id twice": (
        modal(reason(), reason()),
        "/view/blocks/1/block_id",
        "`block_id` why already exists",
    ),
    "home with a title": (
        {"type": "home", "title": plain("x"), "blocks": []},
        "/view/title",
        "invalid additional property: title",
    ),
}


@pytest.mark.parametrize("blocks", AT_THE_LIMIT.values(), ids=AT_THE_LIMIT.keys())
def test_what_stays_within_the_limits_is_taken(blocks: list[dict[str, Any]]) -> None:
    assert problems_of_blocks(blocks) == []


@pytest.mark.parametrize(("blocks", "pointer", "message"), BEYOND.values(), ids=BEYOND.keys())
def test_what_slack_refuses_is_named_where_it_stands(blocks: Any, pointer: str, message: str) -> None:
    assert [(one.pointer, one.message) for one in problems_of_blocks(blocks)] == [(pointer, message)]


@pytest.mark.parametrize(
    "view",
    [
        modal(reason(max_length=3000, min_length=1)),
        modal(title=plain("x" * 24), private_metadata="x" * 3000, callback_id="x" * 255),
        modal(*([{"type": "divider"}] * 100)),
        modal({"type": "alert", "text": plain("x" * 200)}),
        {"type": "home", "blocks": [section(), buttons(2)]},
    ],
    ids=["reason", "limits", "100 blocks", "alert", "home"],
)
def test_a_view_within_the_limits_is_taken(view: dict[str, Any]) -> None:
    assert problems_of_view(view) == []


@pytest.mark.parametrize(("view", "pointer", "message"), VIEWS_BEYOND.values(), ids=VIEWS_BEYOND.keys())
def test_what_slack_refuses_in_a_view_is_named_where_it_stands(view: Any, pointer: str, message: str) -> None:
    assert (pointer, message) in [(one.pointer, one.message) for one in problems_of_view(view)]


@pytest.mark.parametrize("blocks", AT_THE_LIMIT.values(), ids=AT_THE_LIMIT.keys())
def test_what_is_taken_here_is_taken_by_slacks_own_models(blocks: list[dict[str, Any]]) -> None:
    for block in blocks:
        parsed = Block.parse(json.loads(json.dumps(block)))

        assert parsed is not None
        parsed.validate_json()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "text", "elements", "fields", "accessory", "block_id", "element", "rows", "x"]
            ),
            inner
            | st.sampled_from(["section", "actions", "input", "rich_text", "button", "plain_text", "table"]),
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(JSON)
def test_whatever_is_sent_gets_an_answer(value: Any) -> None:
    for problem in [*problems_of_blocks(value), *problems_of_view(value)]:
        assert problem.pointer.startswith(("/blocks", "/view"))


@given(JSON.map(lambda value: [value]))
def test_what_was_taken_can_be_given_ids_and_is_taken_again(blocks: list[Any]) -> None:
    if not problems_of_blocks(blocks):
        assert problems_of_blocks(list(with_ids(blocks))) == []


def test_blocks_and_elements_without_ids_get_some() -> None:
    link = {"type": "button", "text": plain("Open"), "url": "https://example.com/"}

    (named,) = with_ids([actions(link)])

    assert named["block_id"]
    assert named["elements"][0]["action_id"]
    assert "action_id" not in link
