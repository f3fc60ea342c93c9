"""A known person's decision that the rule did not let through is written down at leisure; a failure is only logged."""

import logging
from dataclasses import replace
from datetime import datetime

from bot.ledger import Appended, NotAllowed, Proposal
from bot.promoting.desk import Desk
from policies.codes import Code
from policies.entries.entry import Entry, Kind, write_time
from policies.ledger.keys import expected_key

_log = logging.getLogger(__name__)
_WRITTEN = frozenset(
    {
        Code.REQUESTER,
        Code.AUTHOR,
        Code.NOT_AN_APPROVER,
        Code.ALREADY_APPROVED,
        Code.ACCOUNT,
        Code.EXPIRED,
        Code.REVIEW_MISSING,
    }
)


def note_refusal(desk: Desk, answer: NotAllowed, person: str, at: datetime) -> None:
    """Write down what was not let through, once for each promotion, person and code."""
    refusal, entry = answer.refusal, answer.entry
    if refusal.code not in _WRITTEN or not entry.promotion or entry.kind in {Kind.PROPOSE, Kind.ROLLBACK}:
        return

    about = Entry(
        kind=Kind.REFUSED,
        at=write_time(at),
        key="",
        environment=entry.environment,
        service=entry.service,
        promotion=entry.promotion,
        why=str(refusal.code),
        evidence={"person": person, "decision": entry.kind.value},
    )
    desk.pace.keep(replace(about, key=expected_key(desk.view(at).state, about)))
    written = desk.append(lambda _look, _tip: Proposal(), at, look_first=False)
    if not isinstance(written, Appended):
        _log.warning("a refusal was not recorded: %s", written)
