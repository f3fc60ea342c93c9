"""Reviews at the forge become words in the ledger: an approval, one that is taken back, a rejection."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.forge.people import last_words
from bot.ledger import Appended, NotAllowed, NotWritten, Proposal
from bot.looking.rosters import teams_of
from bot.looking.survey import Survey
from bot.ports import Chat, Forge, Review
from bot.promoting.accounts import flags_of, forge_flags
from bot.promoting.desk import Desk
from bot.promoting.promoter import Said, judge
from bot.promoting.refusals import note_refusal
from policies.canonical import Json
from policies.entries.entry import By, write_time
from policies.entries.promotion import Promotion
from policies.entries.reviews import REVIEW, Attested, ReviewState
from policies.ledger.people import Known, of_forge
from policies.rules.rules import moving_rule
from policies.words import Approve, Reject, Unapprove

_log = logging.getLogger(__name__)
_Word = Approve | Unapprove | Reject


@dataclass(slots=True)
class Reviews:
    """Hears what reviewers said. ``refused``: words that were not let through, and are not tried again."""

    desk: Desk
    forge: Forge
    chat: Chat | None
    refused: set[tuple[str, int, str]] = field(default_factory=set)
    left: list[str] = field(default_factory=list)

    def hear(self, look: Survey, promotion: Promotion, number: int, at: datetime) -> bool:
        """Write down what reviewers of this pull request said since; say whether something was. Raises: BotError."""
        for review in last_words(tuple(self.forge.reviews(number))):
            author = review.author
            who = of_forge(
                look.world.rules,
                look.state.links,
                look.state.forge_ids,
                number=author.id,
                login=author.login,
            )
            words = _words(promotion, who.name, review) if who else ()
            known = (promotion.id, review.id, review.state) in self.refused
            if who and words and not known and self._write(look, who, promotion, review, words, at):
                return True
        return False

    def _write(  # noqa: PLR0917  what a word needs, in the order in which it is found out
        self,
        look: Survey,
        who: Known,
        promotion: Promotion,
        review: Review,
        words: tuple[_Word, ...],
        at: datetime,
    ) -> bool:
        said = self._said(look, who, promotion, review, at)
        if said is None:
            return False

        def compose(found: Survey, _tip: str) -> Proposal:
            entries = []
            for word in words:
                now = found.state.promotions[promotion.id]
                if not now.is_live:
                    break
                *before, entry = judge(found, said, word, now).entries
                found.state.apply(replace(entry, seq=found.state.seq + 1), found.state.tip)
                entries += [*before, entry]
            return Proposal(tuple(entries))

        answer = self.desk.append(compose, at, look_first=False)
        match answer:
            case Appended():
                return bool(answer.entries)
            case NotWritten():
                self.left.append(f"{answer.code}: {answer.detail}")
            case NotAllowed():
                self.refused.add((promotion.id, review.id, review.state))
                _log.info("review %d by %s does not count: %s", review.id, who.name, answer.refusal)
                note_refusal(self.desk, answer, who.name, at)
        return False

    def _said(
        self, look: Survey, who: Known, promotion: Promotion, review: Review, at: datetime
    ) -> Said | None:
        """Look the reviewer up; nothing where the chat is missing that knows them too."""
        account = self.forge.account_of_id(review.author.id)
        login = account.login if account else review.author.login
        looked = write_time(at)
        seen = Attested(review.id, login, review.author.id, review.commit, ReviewState(review.state), looked)
        evidence: dict[str, Json] = {
            "review": seen.as_json(),
            "forge_account": forge_flags(account),
            "looked": looked,
        }
        if who.slack and self.chat is None:
            self.left.append(f"review {review.id}: {who.name} cannot be looked up; set SLACK_BOT_TOKEN")
            return None
        if who.slack and self.chat is not None:
            evidence["account"] = _json(flags_of(self.chat, self.chat.home(), who.slack))
        rules, rosters = look.world.rules, self.desk.rosters
        rule = moving_rule(rules, promotion.environment, promotion.service)
        judging = rule.moving([one.service for one in promotion.members]) if rule else ()
        teams = teams_of(rules, judging)
        rosters.refresh(teams, at)
        evidence |= rosters.evidence(rules, look.state, teams, [who.name], at)
        by = By(who.name, REVIEW, forge_id=review.author.id, forge_login=login)
        return Said(by, evidence, f"review-{review.id}")


def _json(flags: Mapping[str, bool]) -> dict[str, Json]:
    return {**flags}


def _words(promotion: Promotion, person: str, review: Review) -> tuple[_Word, ...]:
    """Return what a person's last review means now that was not said yet."""
    stands = next((one for one in promotion.approvals if one.by.person == person), None)
    if review.state == ReviewState.DISMISSED:
        is_taken_back = stands is not None and stands.review == review.id and not review.is_stale
        return (Unapprove(promotion.id),) if is_taken_back else ()
    if review.commit not in promotion.heads:
        return ()
    if review.state == ReviewState.CHANGES_REQUESTED:
        note = review.body or f"changes requested in review {review.id}"
        return (Reject(promotion.id, note),)
    if stands is None:
        return (Approve(promotion.id),)
    # stronger evidence takes the place of a press, a newer review that of an older one
    return () if stands.review == review.id else (Unapprove(promotion.id), Approve(promotion.id))
