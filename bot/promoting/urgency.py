"""What a landing says of an emergency: until when somebody looks at it, and what the rule lets it skip."""

from collections.abc import Iterable

from bot.looking.book import Book
from bot.wording import Urgency
from policies.canonical import Json
from policies.entries.entry import Entry, Kind, write_time
from policies.ledger.state import Promotion, State
from policies.rules.rules import EffectiveRule, moving_rule

MARKED = "marked"  # in evidence: the landing says that it is an emergency. Older ones say nothing of it


def mark() -> dict[str, Json]:
    """Return the evidence by which an entry promises such a landing."""
    return {MARKED: True}


def is_marked(entry: Entry | None) -> bool:
    """Whether an entry promises it: an emergency by commit itself, else its intent."""
    return entry is not None and entry.evidence.get(MARKED) is True


def under(parts: Iterable[EffectiveRule], until: str) -> Urgency:
    """Return what is said under the rules of what moves: of a group what the rule of any member skips, each once."""
    named = [part.environment.emergency.skips for part in parts if part.environment.emergency]
    return Urgency(until, tuple(dict.fromkeys(one for skips in named for one in skips)))


def urgency_of(book: Book, state: State, promotion: Promotion) -> Urgency | None:
    """Return what the landing of a promotion says; nothing where it is no emergency."""
    opened = state.open.get(promotion.seq)
    if promotion.kind is not Kind.EMERGENCY or opened is None or opened.due is None:
        return None
    rules = book.rules(promotion.rule.commit)
    rule = moving_rule(rules, promotion.environment, promotion.service) if rules else None
    parts = rule.moving([one.service for one in promotion.members]) if rule else ()
    return under(parts, write_time(opened.due))
