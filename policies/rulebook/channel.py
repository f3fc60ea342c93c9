"""Where something is said, and who is pinged: ``channel``, ``tell``, ``notify``."""

import re

from policies.rulebook.fields import Fields, once
from policies.rulebook.findings import Findings, shown
from policies.rulebook.people import People
from policies.rulebook.text import Text

_MAX_CHANNEL = 80  # Slack, channel names
_CHANNEL = re.compile(r"[\w-]+")
_CHANNEL_ID = re.compile(r"[CG][A-Z0-9]+", re.ASCII)
BROADCASTS = ("@here", "@channel")
# Slack: user ids begin with U or W, user groups with S.
_SLACK_ID = re.compile(r"[UWS][A-Z0-9]{2,31}", re.ASCII)
MAX_NOTIFIED = 20


def channel(text: Text, findings: Findings) -> str:
    """Return the name or id of a channel, without #."""
    name = text.value.removeprefix("#")
    is_plain = _CHANNEL.fullmatch(name) is not None and name == name.lower()
    if len(name) > _MAX_CHANNEL or not (is_plain or _CHANNEL_ID.fullmatch(name)):
        expected = "a name such as deploys in small letters, with or without #, or an id such as C0DEPLOYS"
        findings.add(text.at, f"{shown(text.value)} is not a channel", expected)
    return name


def channel_of(found: Fields, key: str) -> str:
    """Return the channel that a key names, '' where it is absent."""
    text = found.text(key)
    return channel(text, found.findings) if text else ""


def notified(found: Fields, people: People) -> tuple[str, ...]:
    """Return who is pinged: names of people and teams, @here, @channel, Slack's ids of people and groups."""
    texts = found.texts("notify") or ()
    if len(texts) > MAX_NOTIFIED:
        found.findings.add(found.place("notify"), f"notify has {len(texts)} names", f"at most {MAX_NOTIFIED}")
    for text in texts:
        if text.value not in {*people.names, *BROADCASTS} and not _SLACK_ID.fullmatch(text.value):
            found.findings.unknown(text.at, "team or person", text.value, {*people.names, *BROADCASTS})
    return once(texts, "name", found.findings)
