"""Merges whose entries are on their way: the forge has merged, and the bot has not written so yet, or never did."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.looking.book import Book
from bot.promoting.landing import look as look_at
from bot.promoting.poller import Writer
from bot.repository.mirror import Mirror
from bot.repository.objects import CommitInfo, Oid
from policies.entries.membership import SKEW
from policies.ledger.state import Place, Promotion, Stage
from policies.rules.rules import moving_rule

ARRIVES = timedelta(hours=1)  # a pass writes what was merged; this is a bot that was away, and came back


@dataclass(slots=True)
class Arriving:
    """The promotions that are being merged, as their ledger ends, and what stands on the target branch of each.

    ``until``: up to when (UTC) the ledger could have said more: its newest entry, or now where that is known.
    ``is_now``: whether that is now, so that nothing can be younger.
    """

    mirror: Mirror
    book: Book
    writer: Writer
    until: datetime
    is_now: bool
    by_head: Mapping[tuple[str, Place], Promotion]
    notes: dict[Oid, str] = field(default_factory=dict)  # merges that have time left, oldest first
    wrong: dict[Oid, str] = field(default_factory=dict)  # merges of something else than was approved
    _taken: dict[str, Oid] = field(default_factory=dict)  # the one merge of each promotion

    def takes(self, commit: CommitInfo, place: Place) -> bool:
        """Whether a move is a promotion's own merge, whose entries may still come; note what it is."""
        promotion = next(
            (one for head in commit.parents[1:] if (one := self.by_head.get((head, place)))), None
        )
        if promotion is None:
            return False
        first = (
            Oid(promotion.commit) if promotion.commit else self._taken.setdefault(promotion.id, commit.oid)
        )
        if first != commit.oid or not self._has_time(commit.committed_at):
            return False
        if commit.oid not in self.notes and commit.oid not in self.wrong:
            if wrong := self._wrong(promotion, commit.oid):
                self.wrong[commit.oid] = f"it merges {promotion.id}, and is not what was approved: {wrong}"
            else:
                self.notes[commit.oid] = (
                    f"commit {commit.oid[:12]} merges {promotion.id} as it was approved; its entries are on"
                    f" their way, or the ledger was cut back to its intent: verify again after a pass"
                )
        return True

    def _has_time(self, made: datetime) -> bool:
        is_possible = made <= self.until + SKEW or not self.is_now
        return is_possible and self.until <= made + ARRIVES

    def _wrong(self, promotion: Promotion, commit: Oid) -> str:
        """Return how a merge differs from what was approved, '' where it does not."""
        rules = self.book.rules(promotion.rule.commit)
        rule = moving_rule(rules, promotion.environment, promotion.service) if rules else None
        if rules is None or rule is None:
            return "its rule cannot be read"
        return look_at(
            self.mirror,
            self.book,
            self.writer,
            rules=rules,
            rule=rule,
            image=promotion.image,
            change=promotion.change,
            commit=commit,
            members=promotion.members,
        ).wrong


def by_head(promotions: Mapping[str, Promotion]) -> dict[tuple[str, Place], Promotion]:
    """Return the promotions that are being merged, by the head that was approved and each place that it moves."""
    return {
        (one.head, (one.environment, share.service)): one
        for one in promotions.values()
        if one.stage in {Stage.MERGING, Stage.MERGED}
        for share in one.shares
    }
