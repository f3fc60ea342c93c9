"""The forms that ask for a reason: why somebody rejects, or goes back."""

from collections.abc import Mapping
from typing import Any

from handlers.slack.blocks import MAX_INPUT, MAX_VIEW_TITLE, plain_text
from handlers.slack.spans import Json

REJECTED = "rejected"  # callback ids
ROLLED_BACK = "rolled_back"
REASON = "reason"  # block id and action id of the field
_MAX_LABEL = 2000


def reject_form(value: str, channel: str) -> Json:
    """Return the form; ``value`` is the button's, ``channel`` where its person is answered."""
    return _form(REJECTED, "Reject", value, channel)


def rollback_form(value: str, channel: str) -> Json:
    """Return the form of the way back; the same."""
    return _form(ROLLED_BACK, "Roll back", value, channel)


def _form(callback: str, title: str, value: str, channel: str) -> Json:
    return {
        "type": "modal",
        "callback_id": callback,
        "private_metadata": f"{value}|{channel}",
        "title": plain_text(title, MAX_VIEW_TITLE),
        "submit": plain_text(title, MAX_VIEW_TITLE),
        "close": plain_text("Back", MAX_VIEW_TITLE),
        "blocks": [
            {
                "type": "input",
                "block_id": REASON,
                "label": plain_text("Why?", _MAX_LABEL),
                "hint": plain_text("One line. It stands on the card and in the record.", _MAX_LABEL),
                "element": {
                    "type": "plain_text_input",
                    "action_id": REASON,
                    "multiline": False,
                    "min_length": 1,
                    "max_length": MAX_INPUT,
                    "focus_on_load": True,
                },
            }
        ],
    }


def typed_reason(view: Mapping[str, Any]) -> str:
    """Return what was typed, '' where nothing was."""
    values = (view.get("state") or {}).get("values") or {}
    typed = ((values.get(REASON) or {}).get(REASON) or {}).get("value")
    return typed if isinstance(typed, str) else ""


def about(view: Mapping[str, Any]) -> tuple[str, str]:
    """Return the button's value and the channel that the form was opened with."""
    value, _, channel = str(view.get("private_metadata") or "").rpartition("|")
    return value, channel
