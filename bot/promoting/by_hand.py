"""What people merge at the forge: whether it is still cleared, and who merged."""

from datetime import datetime

from bot.errors import TransientError
from bot.looking.survey import Survey
from bot.ports import Forge
from bot.promoting.desk import Desk
from bot.promoting.promoter import Declined, moved
from bot.repository.objects import Oid
from policies.canonical import Json
from policies.codes import Code
from policies.decide import decide_row
from policies.entries.entry import write_time
from policies.entries.promotion import Promotion
from policies.ledger.by_hand import BY_HAND, MergedBy
from policies.verdict import NotYet, Waiting


def in_the_way(
    desk: Desk, look: Survey, promotion: Promotion, digests: tuple[str, ...], *, over: str, at: datetime
) -> tuple[NotYet, ...]:
    """Return what speaks against the merge of what was cleared; nothing where people may merge it still.

    ``over`` is why it ends, '' = it does not; ``digests`` are what the registry says of its tags now.
    """
    if over:
        return (Waiting(Code.CLOSED, over),)
    try:
        anew = moved(look, desk.writer, promotion, digests).entries
    except Declined as declined:
        return (Waiting(Code.CHANGE_MOVED, declined.answer.detail),)
    if anew:
        return (Waiting(Code.CHANGE_MOVED, "it is built and decided anew"),)
    if is_stale(desk, look, promotion):
        return (Waiting(Code.HEAD_MOVED, "its files changed on the target branch, so it is built anew"),)
    row = decide_row(look.world, promotion.environment, promotion.service, at)
    mine = next((one for one in row.candidates if one.promotion == promotion.id), None) if row else None
    if mine is None:
        return (Waiting(Code.NO_RULE, row.detail if row else "the rules do not cover it"),)
    return tuple(one for one in mine.reasons if one.code != Code.BY_HAND)


def is_stale(desk: Desk, look: Survey, promotion: Promotion) -> bool:
    """Whether files of the change are others on the target branch than where the head was built: it may conflict."""
    head = Oid(promotion.head)
    parent = desk.mirror.parents(head)[0]
    paths = desk.mirror.changed_paths(parent, head)
    return desk.mirror.listing(parent, paths) != desk.mirror.listing(look.tips.target, paths)


def merger_of(forge: Forge, number: int, at: datetime) -> dict[str, Json]:
    """Return the evidence of who merged a pull request, looked up now. Raises: BotError."""
    found = forge.merger(number)
    if found is None:
        raise TransientError(f"the forge does not say yet who merged pull request {number}")
    account = found.account
    seen = MergedBy(account.id if account else 0, account.login if account else "", found.at, write_time(at))
    return {BY_HAND: seen.as_json()}
