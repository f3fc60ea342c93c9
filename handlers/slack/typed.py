"""What somebody typed, cleaned of what Slack and keyboards do to it: words, and the reason after ``because``."""

import re
import unicodedata
from dataclasses import dataclass

from policies.entries.entry import MAX_NOTE

_DOUBLE = "\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb"  # what keyboards make of "
_SINGLE = "\u2018\u2019\u201a\u201b\u2032"  # and of '
_QUOTES = str.maketrans({**dict.fromkeys(_DOUBLE, '"'), **dict.fromkeys(_SINGLE, "'")})
# Slack, "Formatting text": <@U1|ada>, <#C1|deploys>, <!here>, <https://example.com|text>
_ANGLE = re.compile(r"<([@#!]?)([^<>|\n]*)(?:\|([^<>\n]*))?>")
_BECAUSE = re.compile(r"(?:^|(?<=\s))because(?=\s|$)", re.IGNORECASE)
_AROUND = "\"'`,;"


@dataclass(frozen=True, slots=True)
class Typed:
    """Words before ``because``, and what stands after it. ``fault``: what is wrong with the reason."""

    words: tuple[str, ...]
    reason: str = ""
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a text cannot be a reason: a sentence."""

    sentence: str


def typed(text: str) -> Typed:
    """Read a command's text, free of Slack's escapes. Never raises."""
    clean = text.translate(_QUOTES)
    head, *rest = _BECAUSE.split(clean, maxsplit=1)
    words = tuple(word for part in head.split() if (word := part.strip(_AROUND)))
    if not rest:
        return Typed(words)
    reason = reason_of(rest[0])
    if isinstance(reason, Fault):
        return Typed(words, fault=reason.sentence)
    return Typed(words, reason)


def reason_of(text: str) -> str | Fault:
    """Return a reason as one line of at most 280 characters, or why it is none."""
    reason = _spaced(text).strip().translate(_QUOTES)
    if len(reason) > 1 and reason[0] == reason[-1] and reason[0] in "\"'" and reason[0] not in reason[1:-1]:
        reason = reason[1:-1].strip()
    if not reason:
        return Fault("A reason has at least one word: say `because` and why.")
    lines = len(reason.splitlines())
    if lines > 1:
        return Fault(f"A reason is one line, yours has {lines}. Nothing was done; here is your text.")
    if len(reason) > MAX_NOTE:
        return Fault(
            f"A reason has at most {MAX_NOTE} characters, yours has {len(reason)}. "
            "Nothing was done; here is your text."
        )
    if any(unicodedata.category(one) in {"Cc", "Cf", "Cs"} for one in reason):
        return Fault("A reason has no control characters, yours has. Nothing was done; here is your text.")
    return reason


def unescaped(text: str) -> str:
    """Undo what Slack does to a command's text, once, ampersands last: who typed ``&lt;`` meant that."""
    return _ANGLE.sub(_meant, text).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _meant(match: re.Match[str]) -> str:
    sign, target, label = match[1], match[2], match[3]
    if not sign:
        return target.removeprefix("mailto:")
    shown = label or target
    return f"#{shown}" if sign == "#" else f"@{shown.removeprefix('@')}"


def _spaced(text: str) -> str:
    """Return text in which each odd space is a plain one; line breaks stay."""
    return "".join(" " if one == "\t" or unicodedata.category(one) == "Zs" else one for one in text)
