"""What the validator is asked: one entry, the state that it follows, the clone beside it; and its answer."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final, Protocol

from policies.entries.authors import Authors
from policies.entries.entry import Entry, Pinned
from policies.entries.membership import Members, members_of
from policies.ledger.hands import told_anew
from policies.ledger.people import who_may_count
from policies.ledger.state import Promotion, State
from policies.rules.rules import EffectiveRule, Rules, moving_rule

# from here on what an entry says beside its decision is held against the state and the clone: what stood there, when
# accounts were looked up, that whoever counts is known, what junk was about; older entries were not
TOLD_DECIDES: Final = datetime(2026, 11, 29, tzinfo=UTC)


class Book(Protocol):
    """What the validator reads from the clone beside the ledger: nothing that changes, everything by commit."""

    def rules(self, commit: str) -> Rules | None:
        """Return the rules as they stood at a commit, or nothing where they did not parse."""

    def baseline(self, commit: str, rules: Rules, environment: str, service: str) -> tuple[Pinned, ...]:
        """Return what stood in a place at a commit, as these rules say where to look."""

    def stood_after(
        self, commit: str, rules: Rules, environment: str, service: str
    ) -> Iterable[tuple[Pinned, ...]]:
        """Return what stood in a place at a commit, and at each later one of the line that touched its files."""

    def since(self, commit: str, rules: Rules, environment: str, service: str) -> datetime | None:
        """Return since when (UTC) what stood in a place at a commit stood there, by Git's history."""

    def follows(self, old: str, new: str) -> bool:
        """Whether ``new`` is ``old`` or came after it on the target branch."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an entry is not allowed: a stable code and one line for people."""

    code: StrEnum
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}" if self.detail else str(self.code)


@dataclass(frozen=True, slots=True)
class Asked:
    """One entry, the state that it follows, and the rules that are in force there."""

    state: State
    entry: Entry
    book: Book
    rules: Rules | None

    @property
    def is_told_rightly(self) -> bool:
        """Whether what it says beside its decision is held against the state and the clone, too."""
        return self.entry.time >= TOLD_DECIDES

    @property
    def promotion(self) -> Promotion | None:
        """The promotion that the entry is about."""
        return self.state.promotion_of(self.entry)

    @property
    def members(self) -> Members:
        """Who is in which team that lives elsewhere, as the entry attests it."""
        found, state = members_of(self.entry.evidence, self.entry.time), self.state
        return who_may_count(self.rules, state.links, state.forge_ids, found) if self.rules else found

    @property
    def authors(self) -> Authors | None:
        """Who wrote the code between the two images, as the entry attests it; held against what the request said."""
        told, promotion = Authors.attested(self.entry.evidence), self.promotion
        return told_anew(promotion.authors, told, promotion.opened) if promotion else told

    @property
    def rule(self) -> EffectiveRule | None:
        """The effective rule of what moves: of a service by itself, or of a group; nothing for a part of one."""
        if self.rules is None:
            return None
        found = moving_rule(self.rules, self.entry.environment, self.entry.service)
        return found if found and bool(found.parts) == bool(self.entry.group) else None

    @property
    def parts(self) -> tuple[EffectiveRule, ...]:
        """The rules that judge it: of a group those of the members that move; none where one is no member."""
        promotion = self.promotion
        members = self.entry.members or (promotion.members if promotion else ())
        return self.rule.moving([one.service for one in members]) if self.rule else ()


def judged_by(book: Book, promotion: Promotion) -> EffectiveRule | None:
    """Return the rule that a promotion was judged by; nothing where the rules of then do not cover it."""
    rules = book.rules(promotion.rule.commit)
    return moving_rule(rules, promotion.environment, promotion.service) if rules else None


No = Iterator[Refusal]

Check = Callable[[Asked], No]
