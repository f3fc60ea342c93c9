"""A merge that we make ourselves: target branch and ledger move in one push, or neither does; then we look."""

from dataclasses import replace
from datetime import datetime

from bot import wording
from bot.answers import NotRecorded
from bot.ledger import HOST_REFUSES, AppendAnswer, NotAllowed, NotWritten, Proposal
from bot.looking.survey import Survey
from bot.promoting.desk import Desk
from bot.promoting.promoter import Declined, edits_of, rule_of
from bot.promoting.stopped import UNASKED, stopped
from bot.promoting.urgency import urgency_of
from bot.repository.objects import Oid
from bot.repository.push import RefUpdate
from policies.codes import Code
from policies.entries.change import change_hash
from policies.entries.entry import Entry, Kind, write_time
from policies.entries.promotion import Promotion, Stage


def land(desk: Desk, promotion: Promotion, *, url: str, at: datetime) -> AppendAnswer:
    """Push the landing commit with the entry that says so, on condition that both branches end where we looked.

    What it came to (``landed``, ``mismatch``) is written once somebody has looked at what stands on the remote.
    Made anew whenever somebody was faster, so that no freeze, hold or block comes in between.
    Raises: Declined, BotError.
    """

    def compose(look: Survey, _tip: str) -> Proposal:
        now = look.state.promotions[promotion.id]
        if now.stage is not Stage.MERGING or now.head != promotion.head:
            return Proposal()
        for one in stopped(look, now, UNASKED):
            raise Declined(NotRecorded(code=one.code, detail=one.detail))
        commit = _commit(desk, look, now, url=url, at=at)
        merged = replace(
            _about(Kind.MERGED, now, at), head=now.head, commit=commit, evidence={"pushed": True}
        )
        move = RefUpdate(f"refs/heads/{desk.mirror.branch}", look.tips.target, commit)
        return Proposal((merged,), (move,), "bump")

    return desk.append(compose, at)


def _commit(desk: Desk, look: Survey, promotion: Promotion, *, url: str, at: datetime) -> Oid:
    """Make the merge of the very head on the target's end, or a commit there, of exactly the change.

    Raises: Declined, BotError.
    """
    rule = rule_of(look, promotion.environment, promotion.service)
    if rule.hash != promotion.rule.hash:
        raise Declined(NotRecorded(code=Code.RULE_MOVED, detail="it was judged by another rule"))
    edits = edits_of(look, desk.writer, rule, promotion.image, promotion.members)
    if change_hash(edits) != promotion.change:
        raise Declined(NotRecorded(code=Code.CHANGE_MOVED, detail="another change would land"))
    title, message = wording.landing(
        promotion,
        folder=desk.writer.folder,
        url=url,
        intent=promotion.intent,
        key=promotion.intent_key,
        proof=desk.writer.proof(promotion.intent),
        urgency=urgency_of(desk.book, look.state, promotion),
    )
    beside = Oid(promotion.head) if rule.environment.has_pull_requests else None
    return desk.writer.build(look.tips.target, edits, message=f"{title}\n\n{message}\n", at=at, beside=beside)


def why_not(answer: AppendAnswer) -> str:
    """Return as what an answer that wrote nothing ends the attempt; '' where it is tried again as it is."""
    match answer:
        case NotAllowed():
            return "frozen" if answer.refusal.code == Code.FROZEN else "refused"
        case NotWritten() if answer.detail.startswith(HOST_REFUSES):
            return "refused"
        case _:
            return ""


def _about(kind: Kind, promotion: Promotion, at: datetime) -> Entry:
    return Entry(
        kind=kind,
        at=write_time(at),
        key=f"{kind}/{promotion.id}",
        environment=promotion.environment,
        service=promotion.service,
        group=promotion.group,
        promotion=promotion.id,
    )
