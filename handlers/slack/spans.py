"""Pieces of a sentence, and how they become rich text or plain text. Strings of others are never mark-up."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

Json = dict[str, Any]
T = TypeVar("T")

MAX_WORD = 300  # characters of one string of others, so that a card stays a card
MAX_SENTENCE = 1000
MAX_TEXT = 3500  # characters of the plain text after escaping; Slack, chat.update: 4000
_MAX_TIMESTAMP = 9_999_999_999  # Slack, rich text dates
_USER = re.compile(r"[UW][A-Z0-9]{1,30}", re.ASCII)
_GROUP = re.compile(r"S[A-Z0-9]{2,31}", re.ASCII)
_BROADCASTS = ("here", "channel")  # only the rules name them, never a person's words
_URL = re.compile(r"https?://[^\s<>|\"\x00-\x1f\x7f]{1,2000}", re.ASCII)
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}  # Slack, "Escaping text"
_DATE = "{date_short_pretty} {time}"


@dataclass(frozen=True, slots=True)
class Strong:
    """A word that stands out."""

    text: str


@dataclass(frozen=True, slots=True)
class Code:
    """A version, a digest, a command."""

    text: str


@dataclass(frozen=True, slots=True)
class Mention:
    """A person, a user group, here or channel: by what Slack calls them where it is known, else by name."""

    user: str
    name: str


@dataclass(frozen=True, slots=True)
class Link:
    """A text that leads to an address; only http and https do."""

    url: str
    text: str


@dataclass(frozen=True, slots=True)
class Moment:
    """A time (UTC), which Slack shows in the reader's own zone."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Sign:
    """An emoji by its name in Slack."""

    name: str


Span = str | Strong | Code | Mention | Link | Moment | Sign
Line = tuple[Span, ...]


def counted(count: int, what: str, *verb: str) -> str:
    """Return a number with what it counts, as people say it: ``1 version``, ``3 versions``.

    ``verb``: what one and what several do: ``1 version waits``, ``3 versions wait``.
    """
    said = f"{count} {what}" if count == 1 else f"{count} {what}s"
    return f"{said} {verb[count != 1]}" if verb else said


def listed(items: Sequence[T], most: int, said: Callable[[T], Line]) -> list[Line]:
    """Return a line of each, of many the first, and how many more there are."""
    more = [line(f"and {len(items) - most} more")] if len(items) > most else []
    return [*map(said, items[:most]), *more]


def line(*spans: Span) -> Line:
    """Return spans as one line."""
    return spans


def marked(sentence: str) -> Line:
    """Return a sentence in which each `word between backticks` stands as code."""
    parts = sentence.split("`")
    return tuple(Code(part) if index % 2 else part for index, part in enumerate(parts) if part)


def joined(parts: Iterable[Line], between: str = ", ") -> Line:
    """Return lines behind each other, with ``between`` where they meet."""
    found: list[Span] = []
    for part in parts:
        found += [between, *part] if found else [*part]
    return tuple(found)


def visible(text: str, most: int = MAX_WORD) -> str:
    """Return a string of others as one line without characters that steer or hide, at most so long."""
    whole = " ".join("".join(_shown(one) for one in text[: 4 * most]).split(" ")).strip()
    return whole if len(whole) <= most else whole[: most - 1] + "…"


def verbatim(text: str) -> str:
    """Return a string of others with its line breaks, all other control characters made visible."""
    return "\n".join("".join(_shown(one) for one in part) for part in text.splitlines())


def escaped(text: str, most: int = MAX_TEXT) -> str:
    """Return text in which nothing is mark-up, at most so long, an entity never cut."""
    found: list[str] = []
    left = most - 1
    for one in text:
        piece = _ENTITIES.get(one, one)
        if len(piece) > left:
            return "".join(found) + "…"
        found.append(piece)
        left -= len(piece)
    return "".join(found)


def plain(spans: Line) -> str:
    """Return a line as plain text, not escaped."""
    return "".join(_words(span) for span in spans).strip()


def rich(spans: Line) -> list[Json]:
    """Return a line as elements of a rich text section; never none."""
    return [element for span in spans if (element := _element(span))] or [{"type": "text", "text": " "}]


def is_address(url: str) -> bool:
    """Whether a text is an http or https address that a link or a button may lead to."""
    return _URL.fullmatch(url) is not None


def clock_time(at: datetime) -> str:
    """Return a time as people read it where Slack cannot convert it."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def _shown(one: str) -> str:
    if one.isspace():
        return " "
    return "\N{REPLACEMENT CHARACTER}" if unicodedata.category(one) in {"Cc", "Cf", "Cs"} else one


def _words(span: Span) -> str:
    match span:
        case str():
            return _harmless(span)
        case Strong() | Code() | Link():
            return visible(span.text)
        case Mention():
            return visible(span.name or span.user)
        case Moment():
            return clock_time(span.at)
        case Sign():
            return ""


def _element(span: Span) -> Json | None:
    match span:
        case str():
            return _text(_harmless(span))
        case Strong():
            return _text(visible(span.text), bold=True)
        case Code():
            return _text(visible(span.text), code=True)
        case Mention() | Link():
            return _pointer(span)
        case Moment():
            return _moment(span.at)
        case Sign():
            return {"type": "emoji", "name": span.name}


def _pointer(span: Mention | Link) -> Json | None:
    """Return what points to a person or a page; its text alone where it would point to neither."""
    if isinstance(span, Mention):
        return _mention(span)
    if is_address(span.url):
        return {"type": "link", "url": span.url, "text": visible(span.text) or "link"}
    return _text(visible(span.text))


def _mention(span: Mention) -> Json | None:
    if _USER.fullmatch(span.user):
        return {"type": "user", "user_id": span.user}
    if _GROUP.fullmatch(span.user):
        return {"type": "usergroup", "usergroup_id": span.user}
    if span.user in _BROADCASTS:
        return {"type": "broadcast", "range": span.user}
    return _text(visible(span.name), bold=True)


def _harmless(text: str) -> str:
    return "".join(_shown(one) for one in text[:MAX_SENTENCE])


def _text(text: str, **style: bool) -> Json | None:
    if not text:
        return None
    return {"type": "text", "text": text, "style": style} if style else {"type": "text", "text": text}


def _moment(at: datetime) -> Json | None:
    seconds = int(at.timestamp())
    if not 0 <= seconds <= _MAX_TIMESTAMP:
        return _text(clock_time(at))
    return {"type": "date", "timestamp": seconds, "format": _DATE, "fallback": clock_time(at)}
