"""Slack's payloads as values: who speaks, where they are answered, what a button carries."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from handlers.slack.reply import Address
from policies.words import Propose, Speaker

_MAX_TRIGGER = 120
_ODD = re.compile(r"[^0-9A-Za-z._-]")
_PROMOTION = re.compile(r"([0-9a-f]{12})\|([0-9a-f]{0,64})", re.ASCII)
_CANDIDATE = re.compile(  # service, environment, version; of a tag that is followed with its digest
    r"([a-z0-9][a-z0-9-]{0,62})\|([a-z0-9][a-z0-9-]{0,62})"
    r"\|([A-Za-z0-9_][A-Za-z0-9._-]{0,127}(?:@sha256:[0-9a-f]{4,64})?)",
    re.ASCII,
)

Body = Mapping[str, Any]


def of_command(body: Body) -> Speaker:
    """Return who typed a command."""
    return Speaker(_text(body, "team_id"), _text(body, "user_id"), "command", _trigger(body))


def of_interaction(body: Body, via: str) -> Speaker:
    """Return who clicked or sent a form: the person's own workspace, not the one that it happened in."""
    user = _table(body, "user")
    team = _text(user, "team_id") or _text(_table(body, "team"), "id")
    return Speaker(team, _text(user, "id"), via, _trigger(body))


def address_of_command(body: Body) -> Address:
    """Return where somebody who typed a command is answered."""
    return Address(_text(body, "user_id"), _text(body, "channel_id"), _text(body, "response_url"))


def address_of_interaction(body: Body, channel: str = "") -> Address:
    """Return where somebody who clicked is answered; ``channel`` for forms, which have none."""
    where = _text(_table(body, "channel"), "id") or _text(_table(body, "container"), "channel_id") or channel
    return Address(_text(_table(body, "user"), "id"), where, _text(body, "response_url"))


def value_of(body: Body) -> str:
    """Return what the button that was pressed carries."""
    return _text(_action(body), "value")


def text_of_message(body: Body) -> str:
    """Return the text of the message that a shortcut was used on, '' where there is none."""
    return _text(_table(body, "message"), "text")


def promotion_of(value: str) -> tuple[str, str] | None:
    """Return promotion id and change of a decision button's value; nothing where it is not one of ours."""
    found = _PROMOTION.fullmatch(value)
    return (found[1], found[2]) if found else None


def candidate_of(value: str) -> Propose | None:
    """Return the request that a candidate's button stands for."""
    found = _CANDIDATE.fullmatch(value)
    return Propose(found[1], found[3], found[2]) if found else None


def _trigger(body: Body) -> str:
    """Return the click's own id, of characters that may stand in a key."""
    given = _text(body, "trigger_id") or _text(_action(body), "action_ts") or _text(body, "action_ts")
    if not given:
        given = hashlib.sha256(json.dumps(dict(body), sort_keys=True, default=str).encode()).hexdigest()[:24]
    return _ODD.sub("-", given)[:_MAX_TRIGGER]


def _action(body: Body) -> Body:
    actions = body.get("actions")
    first = actions[0] if isinstance(actions, list) and actions else {}
    return first if isinstance(first, dict) else {}


def _table(body: Body, name: str) -> Body:
    found = body.get(name)
    return found if isinstance(found, dict) else {}


def _text(body: Body, name: str) -> str:
    found = body.get(name)
    return found if isinstance(found, str) else ""
