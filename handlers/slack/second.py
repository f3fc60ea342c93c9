"""The card on which a second person says the same: what it is about, who asks, and one button; read back exactly."""

import json
from typing import Any

from bot.answers import Awaiting, Recorded
from handlers.slack.blocks import (
    MAX_BUTTON_VALUE,
    Message,
    actions,
    bullets,
    button,
    confirm,
    message_of,
    quote,
    rich_text,
    section,
)
from handlers.slack.blocks import Said as Answer
from handlers.slack.spans import Line, Mention, Moment, escaped, line, plain
from policies.entries.entry import EntryError, Kind, parse_time, write_time
from policies.entries.fields import MAX_NOTE
from policies.words import Confirm, Fork, Pair, Redact, Speaker

CONFIRM = "confirm_word"  # action id
_VIA = frozenset({"command", "button", "modal", "shortcut"})
_FIELDS = frozenset({"asked", "entry", "lost", "note", "team", "user", "via"})


def card(of: Awaiting) -> Message:
    """Return what the channel sees: somebody else confirms it, or nothing happens."""
    head = line(Mention(of.first.user, of.person), f" asks to {_what(of.what)}.")
    points = [
        *(line(one) for one in of.facts),
        line("Somebody else who may approve confirms it until ", Moment(of.until), "; else nothing happens."),
    ]
    sure = confirm("Confirm?", _consequence(of.what), "Confirm")
    return Message(
        escaped("\n".join([plain(head), *(f"• {plain(one)}" for one in points)])),
        (
            rich_text("second", section(head), bullets(points), quote(of.what.note)),
            actions("confirm", [button(CONFIRM, "Confirm", value=written(of), style="danger", confirm=sure)]),
        ),
    )


def settled(of: Recorded) -> Message:
    """Return what stands in the card's place once it is recorded."""
    return message_of(Answer(told(of)))


def told(of: Recorded) -> Line:
    """Word what two people have said."""
    people = " and ".join(of.people)
    if of.kind is Kind.REDACT:
        return line(f"The words of #{of.erases} are shown no more: {people} said so, as #{of.seq}.")
    return line(f"The ledger goes on without what was lost: {people} said so, as #{of.seq}.")


def _what(of: Pair) -> str:
    match of:
        case Redact():
            return f"show the words of #{of.entry} no more"
        case Fork():
            return "go on from where the ledger stands now"


def _consequence(of: Pair) -> str:
    match of:
        case Redact():
            return f"The words of #{of.entry} are hidden in every view. They stay in Git, for whoever reads it there."
        case Fork():
            return "What was lost is given up. The entry says so for good, with both names."


def written(of: Awaiting) -> str:
    """Return the button's value: the first word, as its entry will say it."""
    match of.what:
        case Redact():
            about: dict[str, Any] = {"entry": of.what.entry}
        case Fork():
            about = {"lost": of.what.lost}
    about |= {"asked": write_time(of.asked), "note": of.what.note}
    about |= {"team": of.first.team, "user": of.first.user, "via": of.first.via}
    return json.dumps(about, ensure_ascii=False, separators=(",", ":"))


def confirmed(value: str) -> Confirm | None:
    """Return what a button's value asks to confirm; nothing where it is not one of ours."""
    try:
        found = json.loads(value) if len(value) <= MAX_BUTTON_VALUE else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or not found.keys() <= _FIELDS:
        return None
    about = [found.get(name) for name in ("note", "team", "user", "via", "asked")]
    if not all(isinstance(one, str) and one for one in about):
        return None
    note, team, user, via, asked = map(str, about)
    what = _pair(found.get("entry"), found.get("lost"), note)
    try:
        at = parse_time(asked)
    except EntryError:
        return None
    if what is None or via not in _VIA or len(note) > MAX_NOTE:
        return None
    return Confirm(what, Speaker(team, user, via, ""), at)


def _pair(entry: object, lost: object, note: str) -> Pair | None:
    match entry, lost:
        case int(), None if not isinstance(entry, bool):
            return Redact(entry, note)
        case None, str():
            return Fork(note, lost)
        case _:
            return None
