"""What is done first and looked at afterwards: when the review of an emergency or of a rollback is due."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from policies.entries.entry import write_time
from policies.rules.rules import Apart, EffectiveRule

REVIEW: Final = timedelta(days=2)  # of an emergency, where the rule does not say how long
REMINDED_AT: Final = 2  # people are reminded, of a request too, when so much of the time is over: half of it


def due(apart: Apart, at: datetime) -> datetime:
    """Return when an emergency of that time has to be reviewed (UTC)."""
    return at + (apart.review or REVIEW)


def rollback_due(apart: Apart, at: datetime) -> str:
    """Return when a rollback of that time has to be reviewed, as entries write it; '' = nobody has to look."""
    return write_time(at + apart.review) if apart.review else ""


def earliest_due(rules: Iterable[EffectiveRule], at: datetime) -> str:
    """Return when a rollback of what these rules judge has to be reviewed: when the first of them says so."""
    dues = [rollback_due(one.environment.rollback, at) for one in rules]
    return min((one for one in dues if one), default="")


def reminds(opened: datetime, until: datetime) -> datetime:
    """Return when people are reminded of a review (UTC)."""
    return opened + (until - opened) / REMINDED_AT
