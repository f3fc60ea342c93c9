"""Taking back what was cleared for people to merge: whatever else is said of it comes after that."""

from dataclasses import replace

from bot.looking.survey import Survey
from policies.entries.entry import Entry, Kind, write_time
from policies.ledger.keys import attempt_key

WITHDRAWN = "withdrawn"  # why of an abort: nobody may merge it any more


def withdrawal(look: Survey, environment: str, service: str) -> tuple[Entry, ...]:
    """Return the entry that takes back what people could merge there, applied to the look's state; else nothing."""
    live = look.state.live_at(environment, service)
    if live is None or not live.is_cleared:
        return ()
    entry = Entry(
        kind=Kind.ABORT,
        at=write_time(look.at),
        key=attempt_key(look.state, Kind.ABORT, live.id, live.head),
        environment=environment,
        service=live.service,
        group=live.group,
        promotion=live.id,
        head=live.head,
        why=WITHDRAWN,
    )
    look.state.apply(replace(entry, seq=look.state.seq + 1), look.state.tip)
    return (entry,)
