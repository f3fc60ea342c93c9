"""What may stand inside a block: texts, options, confirm dialogs, buttons, menus, inputs; with Slack's limits.

Limits: Slack's reference of Block Kit elements and composition objects.
"""

from collections.abc import Iterator
from typing import Any

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

MAX_TEXT = 3000  # characters of any text object
MAX_ID = 255  # block_id, action_id, callback_id, external_id
MAX_URL = 3000
MAX_ALT_TEXT = 2000
MAX_BUTTON_TEXT = 75
MAX_BUTTON_VALUE = 2000
MAX_OPTION_TEXT = 75
MAX_OPTION_VALUE = 150
MAX_OPTIONS = 100  # of a menu
MAX_PLACEHOLDER = 150
MAX_CHOICES = 10  # of check boxes and radio buttons
MAX_OVERFLOW = 5
MAX_INPUT = 3000  # max_length of a plain text input

_KIND = {"type": anything}
_NAME = string(most=MAX_ID, least=1)
_URL = string(most=MAX_URL, least=1)
_WORD = string(most=MAX_ID)


def text(most: int = MAX_TEXT, *kinds: str) -> Check:
    """Expect a text object of at most ``most`` characters, of one of ``kinds`` (both where none is named)."""
    content = {**_KIND, "text": string(most=most, least=1)}
    shapes = {
        "plain_text": record(content, {"emoji": boolean}),
        "mrkdwn": record(content, {"verbatim": boolean}),
    }
    return by_type({kind: shapes[kind] for kind in kinds or tuple(shapes)})


def plain(most: int = MAX_TEXT) -> Check:
    """Expect a text object that is ``plain_text``."""
    return text(most, "plain_text")


def _option(*kinds: str) -> Check:
    return record(
        {"text": text(MAX_OPTION_TEXT, *kinds), "value": string(most=MAX_OPTION_VALUE, least=1)},
        {"description": text(MAX_OPTION_TEXT, *kinds), "url": _URL},
    )


def _initial_is_offered(value: Any, at: str) -> Iterator[Problem]:
    offered = value.get("options")
    chosen = value.get("initial_options", [value["initial_option"]] if "initial_option" in value else [])
    if isinstance(offered, list) and isinstance(chosen, list) and any(one not in offered for one in chosen):
        yield Problem(at, "initial option must match one of the options")


def _options_or_groups(value: Any, at: str) -> Iterator[Problem]:
    if ("options" in value) == ("option_groups" in value):
        yield Problem(at, "must define either `options` or `option_groups`")


def _least_within_most(value: Any, at: str) -> Iterator[Problem]:
    least, most = value.get("min_length"), value.get("max_length")
    if isinstance(least, int) and isinstance(most, int) and least > most:
        yield Problem(f"{at}/min_length", "must not be greater than `max_length`")


CONFIRM = record(
    {"title": plain(100), "text": text(300), "confirm": plain(30), "deny": plain(30)},
    {"style": one_of("primary", "danger")},
)
_OPTION = _option("plain_text")
_GROUP = record({"label": plain(75), "options": items(_OPTION, most=MAX_OPTIONS)})
_CHOICE = _option()
_ACT = {"action_id": _NAME, "confirm": CONFIRM, "focus_on_load": boolean}
_FIELD = {
    "action_id": _NAME,
    "focus_on_load": boolean,
    "placeholder": plain(MAX_PLACEHOLDER),
    "dispatch_action_config": record({"trigger_actions_on": items(string(), most=2)}),
}
_MENU = {**_ACT, "placeholder": plain(MAX_PLACEHOLDER)}
_OFFER = {
    "options": items(_OPTION, most=MAX_OPTIONS),
    "option_groups": items(_GROUP, most=MAX_OPTIONS),
}
_OPTION_LIST = items(_OPTION, most=MAX_OPTIONS)
_MANY = {"max_selected_items": integer(1, MAX_OPTIONS)}
_TYPED_AHEAD = {"min_query_length": integer(0, 100)}

IMAGE = record(
    {**_KIND, "alt_text": string(most=MAX_ALT_TEXT)},
    {"image_url": _URL, "slack_file": anything},
)
BUTTON = record(
    {**_KIND, "text": plain(MAX_BUTTON_TEXT)},
    {
        "action_id": _NAME,
        "url": _URL,
        "value": string(most=MAX_BUTTON_VALUE),
        "style": one_of("primary", "danger"),
        "confirm": CONFIRM,
        "accessibility_label": string(most=MAX_BUTTON_TEXT),
    },
)


def _menu(**more: Check) -> Check:
    return record(_KIND, {**_MENU, **more})


def _picker(kind: str) -> dict[str, Check]:
    return {
        f"{kind}_select": _menu(
            **{
                f"initial_{kind.removesuffix('s')}": _WORD,
                "response_url_enabled": boolean,
                "filter": anything,
            }
        ),
        f"multi_{kind}_select": _menu(
            **{f"initial_{kind}": items(_WORD, most=MAX_OPTIONS), "filter": anything}, **_MANY
        ),
    }


_CHOICES = {**_ACT, "options": items(_CHOICE, most=MAX_CHOICES)}

MENUS: dict[str, Check] = {
    "button": BUTTON,
    "overflow": record({**_KIND, "options": items(_OPTION, most=MAX_OVERFLOW)}, _ACT),
    "static_select": also(_menu(**_OFFER, initial_option=_OPTION), _options_or_groups, _initial_is_offered),
    "multi_static_select": also(
        _menu(**_OFFER, **_MANY, initial_options=_OPTION_LIST), _options_or_groups, _initial_is_offered
    ),
    "external_select": _menu(**_TYPED_AHEAD, initial_option=_OPTION),
    "multi_external_select": _menu(**_TYPED_AHEAD, **_MANY, initial_options=_OPTION_LIST),
    **_picker("users"),
    **_picker("conversations"),
    **_picker("channels"),
    "datepicker": _menu(initial_date=string(most=10)),
    "timepicker": _menu(initial_time=string(most=5), timezone=string()),
    "datetimepicker": record(_KIND, {**_ACT, "initial_date_time": integer(0, 9_999_999_999)}),
    "checkboxes": also(
        record(
            _KIND | {"options": _CHOICES["options"]}, {**_ACT, "initial_options": items(_CHOICE, most=10)}
        ),
        _initial_is_offered,
    ),
    "radio_buttons": also(
        record(_KIND | {"options": _CHOICES["options"]}, {**_ACT, "initial_option": _CHOICE}),
        _initial_is_offered,
    ),
}
FIELDS: dict[str, Check] = {
    "plain_text_input": also(
        record(
            _KIND,
            {
                **_FIELD,
                "initial_value": string(most=MAX_INPUT),
                "multiline": boolean,
                "min_length": integer(0, MAX_INPUT),
                "max_length": integer(1, MAX_INPUT),
            },
        ),
        _least_within_most,
    ),
    "email_text_input": record(_KIND, {**_FIELD, "initial_value": string(most=MAX_INPUT)}),
    "url_text_input": record(_KIND, {**_FIELD, "initial_value": string(most=MAX_INPUT)}),
    "number_input": record(
        {**_KIND, "is_decimal_allowed": boolean},
        {**_FIELD, "initial_value": string(), "min_value": string(), "max_value": string()},
    ),
}

# Slack's reference: which element may stand in which block.
IN_ACTIONS = by_type(MENUS)
IN_SECTION = by_type({**MENUS, "image": IMAGE})
IN_INPUT = by_type({**{k: v for k, v in MENUS.items() if k not in {"button", "overflow"}}, **FIELDS})
