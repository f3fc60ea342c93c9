"""Slack's mark-up as plain terminal text: mentions, links, dates and emoji by name; nothing that steers a terminal."""

import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime

from sandbox.slack.workspace import Workspace

_ANGLE = re.compile(r"<([^<>\n]*)>")
_BOLD = re.compile(r"(?<![\w*])\*(?=\S)([^*\n]+)(?<=\S)\*(?![\w*])")
_ITALIC = re.compile(r"(?<![\w_/`])_(?=\S)([^_\n]+)(?<=\S)_(?![\w_/`])")
_EMOJI = re.compile(r":([a-z0-9_+-]+):")
_SIGNS: Mapping[str, str] = {
    "white_check_mark": "\N{WHITE HEAVY CHECK MARK}",
    "x": "\N{CROSS MARK}",
    "warning": "\N{WARNING SIGN}",
    "package": "\N{PACKAGE}",
    "rocket": "\N{ROCKET}",
    "lock": "\N{LOCK}",
    "hourglass_flowing_sand": "\N{HOURGLASS WITH FLOWING SAND}",
    "snowflake": "\N{SNOWFLAKE}",
    "leftwards_arrow_with_hook": "\N{LEFTWARDS ARROW WITH HOOK}",
    "rewind": "\N{BLACK LEFT-POINTING DOUBLE TRIANGLE}",
    "no_entry": "\N{NO ENTRY}",
    "white_circle": "\N{MEDIUM WHITE CIRCLE}",
    "large_green_circle": "\N{LARGE GREEN CIRCLE}",
    "rotating_light": "\N{POLICE CARS REVOLVING LIGHT}",
    "grey_question": "\N{WHITE QUESTION MARK ORNAMENT}",
    "eyes": "\N{EYES}",
    "anchor": "\N{ANCHOR}",
    "wave": "\N{WAVING HAND SIGN}",
}
# Slack, "Date formatting": the tokens, in UTC. A laptop's zone would make two runs differ.
_DATES: Mapping[str, str] = {
    "{date_num}": "%Y-%m-%d",
    "{date}": "%B %-d, %Y",
    "{date_pretty}": "%B %-d, %Y",
    "{date_short}": "%b %-d, %Y",
    "{date_short_pretty}": "%b %-d, %Y",
    "{date_long}": "%A, %B %-d, %Y",
    "{date_long_pretty}": "%A, %B %-d, %Y",
    "{time}": "%H:%M UTC",
    "{time_secs}": "%H:%M:%S UTC",
}


def harmless(text: str) -> str:
    """Show control and direction characters instead of obeying them; line ends and tabs stay."""
    return "".join(
        one if one in "\n\t" or unicodedata.category(one) not in {"Cc", "Cf", "Cs"} else f"\\u{ord(one):04x}"
        for one in text.replace("\r\n", "\n")
    )


def rendered(workspace: Workspace, text: str) -> str:
    """Return mrkdwn as a person would read it."""
    shown = _ANGLE.sub(lambda match: _reference(workspace, match[1]), text)
    shown = "`".join(
        part if index % 2 else _ITALIC.sub(r"\1", _BOLD.sub(r"\1", emoji(part)))
        for index, part in enumerate(shown.split("`"))
    )
    return harmless(shown.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))


def emoji(text: str) -> str:
    """Return text with the signs for the emoji names that are known here; others stay as they are."""
    return _EMOJI.sub(lambda match: _SIGNS.get(match[1], match[0]), text)


def date(timestamp: int, form: str, fallback: str) -> str:
    """Return a date as Slack would show it to a person whose zone is UTC."""
    try:
        moment = datetime.fromtimestamp(timestamp, UTC)
    except (OverflowError, OSError, ValueError):
        return fallback
    for token, pattern in _DATES.items():
        form = form.replace(token, moment.strftime(pattern))
    return fallback if "{" in form else form


def person(workspace: Workspace, user: str) -> str:
    """Return the name of a user; the id where nobody is known by it."""
    return next((one.name for one in workspace.users if one.id == user), user)


def room(workspace: Workspace, channel: str) -> str:
    """Return the name of a channel, or of the person with whom a direct message is."""
    for one in workspace.channels:
        if one.id == channel:
            return f"@{person(workspace, one.partner(workspace.app.user))}" if one.is_im else f"#{one.name}"
    return channel


def group(workspace: Workspace, key: str) -> str:
    """Return the handle of a user group."""
    return next((f"@{one.handle}" for one in workspace.usergroups if one.id == key), f"@{key}")


def _reference(workspace: Workspace, inside: str) -> str:
    target, _, label = inside.partition("|")
    if target.startswith("@"):
        return "@" + person(workspace, target[1:])
    if target.startswith("#"):
        return room(workspace, target[1:])
    if target.startswith("!date^"):
        parts = target.split("^")
        is_whole = len(parts) > 2 and parts[1].isascii() and parts[1].isdigit()  # noqa: PLR2004  date, time, form
        return date(int(parts[1]), parts[2], label) if is_whole else label
    if target.startswith("!subteam^"):
        return group(workspace, target.removeprefix("!subteam^"))
    if target.startswith("!"):
        return "@" + (label or target[1:])
    return f"{label} ({target})" if label and label != target else target
