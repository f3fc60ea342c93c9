"""How a promotion ended, for somebody who decides about it too late: how, by whom, when, and what they can do now."""

from handlers.slack.blocks import COMMAND
from handlers.slack.spans import Code, Line, Mention, Moment, Span, line
from handlers.slack.spelling import spell
from policies.entries.entry import By
from policies.ledger.state import Promotion, Stage
from policies.words import Emergency, Propose, Rollback

_WHY = "WHY"  # stands for a reason that somebody gives
_ENDED: dict[Stage, str] = {
    Stage.MERGING: "It is being merged at this moment",
    Stage.MERGED: "It was merged",
    Stage.LANDED: "It landed",
    Stage.MISMATCH: "Something else than what was approved landed",
    Stage.REJECTED: "It was rejected",
    Stage.CANCELLED: "It was cancelled",
    Stage.EXPIRED: "It expired",
    Stage.SUPERSEDED: "Another version took its place",
    Stage.REMOVED: "It was dropped by the rules",
    Stage.CLOSED: "Its pull request was closed, or its branch taken away",
}
_MERGED = frozenset({Stage.MERGING, Stage.MERGED, Stage.LANDED, Stage.MISMATCH})


def is_told(promotion: Promotion | None) -> bool:
    """Whether it is over for whoever wants to decide about it."""
    return promotion is not None and promotion.stage in _ENDED


def ended(promotion: Promotion) -> Line:
    """Return how it ended, by whom and when."""
    spans: list[Span] = [_how(promotion)]
    if isinstance(promotion.ended_by, By):
        spans += [" by ", Mention("", promotion.ended_by.person)]
    elif promotion.merger and promotion.stage in _MERGED:
        spans.append(f", merged at GitHub by {promotion.merger}")
    if promotion.done:
        spans += [" at ", Moment(promotion.done)]
    return (*spans, ", so nothing was recorded.")


def _how(promotion: Promotion) -> str:
    if promotion.stage is Stage.REMOVED and promotion.ended_note:
        return f"It ended, for it {promotion.ended_note},"
    return _ENDED[promotion.stage]


def after(promotion: Promotion, group: str = "") -> tuple[Line, ...]:
    """Return the words with which somebody ended it, and what can be done now.

    ``group``: which is asked for by now, '' = the service by itself.
    """
    is_said = isinstance(promotion.ended_by, By) and promotion.ended_note
    because = line("\N{LEFT DOUBLE QUOTATION MARK}", promotion.ended_note, "\N{RIGHT DOUBLE QUOTATION MARK}")
    return (*((because,) if is_said else ()), _next(promotion, group))


def _next(promotion: Promotion, group: str) -> Line:
    if promotion.stage in {Stage.MERGING, Stage.MERGED}:
        return line("The card shows how it goes.")
    if promotion.stage is Stage.LANDED:
        return _landed(promotion, group)
    if promotion.stage is Stage.MISMATCH:
        return line(Code(f"{COMMAND} pending"), " lists the review that it waits for.")
    if promotion.stage is Stage.SUPERSEDED:
        return line(Code(f"{COMMAND} pending"), " lists what is under way.")
    if promotion.stage is Stage.REMOVED and not group:
        return line(
            Code(f"{COMMAND} all to {promotion.environment}"), " lists what may be asked for there now."
        )
    return line("To ask for it anew: ", anew(promotion, group))


def _landed(promotion: Promotion, group: str) -> Line:
    since = line(Code(f"{COMMAND} history {promotion.shares[0].service}"), " lists what came since.")
    if promotion.is_rollback:
        return since
    back = Rollback(group or promotion.service, _WHY, environments=(promotion.environment,))
    return line("Where it still stands, this undoes it: ", Code(f"{COMMAND} {spell(back)}"), "; ", *since)


def anew(promotion: Promotion, group: str = "") -> Code:
    """Return the command that asks for it again."""
    name, where = group or promotion.service, promotion.environment
    version = "" if group or promotion.group else promotion.version
    if promotion.is_rollback:
        return Code(f"{COMMAND} {spell(Rollback(name, _WHY, version, (where,)))}")
    if promotion.is_emergency:
        return Code(f"{COMMAND} {spell(Emergency(name, version, where, _WHY))}")
    return Code(f"{COMMAND} {spell(Propose(name, version, where))}")
