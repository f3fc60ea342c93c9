"""What waits for a review, on a line each: for `pending` and for the App Home."""

from collections.abc import Mapping

from handlers.engine import Look
from handlers.slack.blocks import COMMAND
from handlers.slack.spans import Code, Line, Moment, Sign, Strong, line
from policies.entries.entry import Kind
from policies.ledger.state import Open

_WHAT: Mapping[Kind, str] = {
    Kind.EMERGENCY: "emergency",
    Kind.ROLLBACK: "rollback",
    Kind.EXTERNAL: "move by others",
    Kind.MISMATCH: "mismatch",
    Kind.CONFIG: "change of files",
}


def waiting(look: Look) -> tuple[Line, ...]:
    """Return what somebody who had no part in it has to close, oldest first; what is under way is not over yet."""
    promotions = look.state.promotions
    over = [
        (seq, one)
        for seq, one in sorted(look.state.open.items())
        if one.promotion not in promotions or not promotions[one.promotion].is_live
    ]
    return tuple(_line(look, seq, one) for seq, one in over)


def _line(look: Look, seq: int, one: Open) -> Line:
    of = line(" of ", Strong(one.service)) if one.service else ()
    head = line(Code(f"#{seq}"), f" {_WHAT[one.kind]}", *of, " in ", Strong(one.environment))
    if one.due is None:
        return line(*head, " waits for a review")
    if one.due < look.decision.at:
        return line(Sign("warning"), " ", *head, " should have been reviewed until ", Moment(one.due))
    return line(*head, " waits for a review until ", Moment(one.due))


def hint() -> Line:
    """Return how one is closed."""
    return line("Who had no part in it closes one: ", Code(f"{COMMAND} review #NUMBER because WHY"))
