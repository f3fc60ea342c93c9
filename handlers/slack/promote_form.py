"""The form behind `/promote` without words and behind the shortcuts: service, version, environment, why."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from handlers.slack.blocks import MAX_INPUT, MAX_VIEW_TITLE, plain_text
from handlers.slack.names import look_up
from handlers.slack.spans import Json
from handlers.slack.typed import Fault, reason_of
from policies.errors import PolicyError
from policies.images.image import Tag
from policies.ledger.digest_versions import is_digest
from policies.rules.rules import Rules
from policies.words import Propose

PROMOTING = "promoting"  # callback id
SERVICE, VERSION, ENVIRONMENT, WHY = "service", "version", "environment", "why"  # block and action ids
MAX_OPTIONS = 100  # Slack, static_select
_MAX_OPTION = 75
_MAX_LABEL = 2000
_MAX_TAG = 128
_MAX_WORDS = 200  # of a message that are looked at
_PARTS = re.compile(r"[^\s:@/,;()`'\"<>|]{1,128}")


@dataclass(frozen=True, slots=True)
class Guess:
    """What the form begins with; '' = nothing."""

    service: str = ""
    version: str = ""
    environment: str = ""


def guess(text: str, rules: Rules) -> Guess:
    """Guess from a message which service and version it speaks of: the first whole names; a version has a digit."""
    words = [one[0] for one in zip(_PARTS.findall(text), range(_MAX_WORDS), strict=False)]
    services = [word for word in words if word in rules.services or word in rules.groups]
    environments = [word for word in words if word in _guarded(rules)]
    after = words[words.index(services[0]) + 1 :] if services else []
    versions = [word.rstrip(".") for word in after if word[:1].isdigit() or re.match(r"v\d", word)]
    return Guess(next(iter(services), ""), next(iter(versions), ""), next(iter(environments), ""))


def promote_form(rules: Rules, channel: str, begun: Guess) -> Json:
    """Return the form; ``channel`` is where its person is answered."""
    guarded = _guarded(rules)
    environment = begun.environment or (guarded[0] if len(guarded) == 1 else "")
    blocks = [
        _field(SERVICE, "Service", _choice(SERVICE, (*rules.services, *rules.groups), begun.service)),
        _field(
            VERSION,
            "Version",
            _line(VERSION, begun.version, _MAX_TAG),
            hint="Left empty: the newest that may be asked for.",
            optional=True,
        ),
        _field(ENVIRONMENT, "Environment", _choice(ENVIRONMENT, guarded, environment)),
        _field(
            WHY, "Why?", _line(WHY, "", MAX_INPUT), hint="One line. It stands on the card and in the record."
        ),
    ]
    return {
        "type": "modal",
        "callback_id": PROMOTING,
        "private_metadata": channel,
        "title": plain_text("Promote an image", MAX_VIEW_TITLE),
        "submit": plain_text("Ask", MAX_VIEW_TITLE),
        "close": plain_text("Back", MAX_VIEW_TITLE),
        "blocks": blocks,
    }


def read(view: Mapping[str, Any], rules: Rules) -> Propose | dict[str, str]:
    """Return what was asked for, or what is wrong by block id. Whether it may be asked for is not said here."""
    wrong: dict[str, str] = {}
    service, version, environment, why = (_value(view, one) for one in (SERVICE, VERSION, ENVIRONMENT, WHY))
    named = look_up(service.strip(), (*rules.services, *rules.groups))
    if not named:
        wrong[SERVICE] = "The rules have no such service."
    where = look_up(environment.strip(), rules.environments)
    if not where:
        wrong[ENVIRONMENT] = "The rules have no such environment."
    tag = version.strip().strip("`'\"")
    try:
        tag = str(Tag.parse(tag)) if tag and not is_digest(tag) else tag
    except PolicyError:
        wrong[VERSION] = "That is no version: a tag has letters, digits, dots, dashes and underscores."
    note = reason_of(why)
    if isinstance(note, Fault):
        wrong[WHY] = note.sentence.replace("`", "")
    if wrong or isinstance(note, Fault):
        return wrong
    return Propose(named, tag, where, note)


def _guarded(rules: Rules) -> tuple[str, ...]:
    return tuple(one.name for one in rules.environments.values() if one.is_guarded)


def _field(name: str, label: str, element: Json, *, hint: str = "", optional: bool = False) -> Json:
    more = {"hint": plain_text(hint, _MAX_LABEL)} if hint else {}
    return {
        "type": "input",
        "block_id": name,
        "label": plain_text(label, _MAX_LABEL),
        "element": element,
        "optional": optional,
        **more,
    }


def _line(name: str, begun: str, most: int) -> Json:
    more = {"initial_value": begun[:most]} if begun else {}
    return {"type": "plain_text_input", "action_id": name, "multiline": False, "max_length": most, **more}


def _choice(name: str, options: Sequence[str], begun: str) -> Json:
    """Return a menu, or a line to type in where there is nothing to choose from or more than a menu holds."""
    if not 0 < len(options) <= MAX_OPTIONS:
        return _line(name, begun, _MAX_OPTION)
    listed = {one: {"text": plain_text(one, _MAX_OPTION), "value": one} for one in options}
    more = {"initial_option": listed[begun]} if begun in listed else {}
    return {"type": "static_select", "action_id": name, "options": list(listed.values()), **more}


def _value(view: Mapping[str, Any], name: str) -> str:
    """Return what was typed or chosen, '' where nothing was."""
    values = (view.get("state") or {}).get("values") or {}
    given = (values.get(name) or {}).get(name) or {}
    found = given.get("value") or (given.get("selected_option") or {}).get("value")
    return found if isinstance(found, str) else ""
