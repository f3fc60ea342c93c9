"""One button that says several things: what its value carries, read back exactly, and how long to go on."""

import json
from collections.abc import Callable, Sequence
from typing import TypeVar

from bot.answers import Answer, NotRecorded, Recorded
from handlers.slack.blocks import MAX_BUTTON_VALUE, Said, button, confirm
from handlers.slack.spans import Json, Line, counted, joined, line
from handlers.slack.typed import Fault, reason_of
from policies.codes import Code as Reason
from policies.words import Word

T = TypeVar("T")
W = TypeVar("W", bound=Word)
MAX_LISTED = 30
MAX_ALL = 12  # words of one press: each is a push, and hosts want few in a minute
# what keeps one word from being recorded, and all that follow: they are not tried
HOLDS_FOR_ALL = frozenset(
    {
        Reason.UNKNOWN_PERSON,
        Reason.ACCOUNT,
        "observing",
        "ledger-checking",
        "ledger-read-only",
        "rules-unreadable",
        "not-recorded",
        "forge-missing",
    }
)


def written(name: str, items: Sequence[str], note: str) -> str:
    """Return a button's value: what the list showed, under the ``name`` of what is done with it, and the reason."""
    return json.dumps({name: list(items), "note": note}, ensure_ascii=False, separators=(",", ":"))


def fitting(name: str, items: Sequence[str], note: str) -> int:
    """Return how many of them, from the first, one button may carry; one at least."""
    count = min(len(items), MAX_ALL)
    while count > 1 and len(written(name, items[:count], note)) > MAX_BUTTON_VALUE:
        count -= 1
    return count


def read(name: str, value: str, item: Callable[[str], T | None]) -> tuple[tuple[T, ...], str]:
    """Return what a button's value stands for, each once, and the reason; nothing where it is not one of ours.

    ``item`` reads one of them, and returns nothing where it cannot.
    """
    try:
        found: object = json.loads(value) if len(value) <= MAX_BUTTON_VALUE else None
    except (ValueError, RecursionError):
        return (), ""
    if not isinstance(found, dict) or found.keys() != {name, "note"}:
        return (), ""
    texts, note = found[name], found["note"]
    if not isinstance(texts, list) or not isinstance(note, str) or not 0 < len(texts) <= MAX_ALL:
        return (), ""
    reason = reason_of(note) if note else ""
    items = [item(one) if isinstance(one, str) else None for one in texts]
    if isinstance(reason, Fault) or any(one is None for one in items):
        return (), ""
    return tuple(dict.fromkeys(one for one in items if one is not None)), reason


def rest(does: str, fits: Sequence[W], words: Sequence[W]) -> list[Line]:
    """Say how many one press ``does``, where they are not all."""
    if len(fits) == len(words):
        return []
    return [line(f"One press {does} the first {len(fits)}; say it again for the others.")]


def press(action: str, does: str, text: str, value: str, count: int) -> Json:
    """Return the button that ``does`` so many at once; ``text`` is what it asks back."""
    what = "this one" if count == 1 else f"all {count}"
    sure = confirm(f"{does} {what}?", text, does.split(maxsplit=1)[0])
    return button(action, f"{does} {what}", value=value, style="primary", confirm=sure)


def came(where: Line, each: Said) -> Line:
    """Return what came of one, with the first things that are said of it."""
    detail = line(" ", *joined(each.points[:2], "; ")) if each.points else ()
    return line(*where, *each.head, *detail)


def said_each(words: Sequence[W], say: Callable[[W], tuple[Answer, Said]]) -> list[tuple[W, Answer, Said]]:
    """Say one after the other; others may speak in between, and a refusal that holds for all ends it."""
    told: list[tuple[W, Answer, Said]] = []
    for word in words:
        answer, said = say(word)
        told.append((word, answer, said))
        if isinstance(answer, NotRecorded) and answer.code in HOLDS_FOR_ALL:
            break
    return told


def outcome(
    done: str,
    told: Sequence[tuple[W, Answer, Said]],
    words: Sequence[W],
    came: Callable[[W, Answer, Said], Line],
    after: Line,
) -> Said:
    """Word what came of each; those that were not tried are counted. ``after``: the next step where some were not."""
    recorded = sum(isinstance(answer, Recorded) for _, answer, _ in told)
    points = [came(*one) for one in told]
    if left := len(words) - len(told):
        points.append(line(f"{counted(left, 'other')} not tried, for the same reason"))
    elif recorded < len(words):
        points.append(after)
    return Said(line(f"{done} {recorded} of {len(words)}:"), tuple(points))
