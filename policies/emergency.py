"""An emergency: when its review is due."""

from datetime import datetime, timedelta
from typing import Final

from policies.rules import Apart

REVIEW: Final = timedelta(days=2)  # where the rule does not say how long


def due(apart: Apart, at: datetime) -> datetime:
    """Return when an emergency of that time has to be reviewed (UTC)."""
    return at + (apart.review or REVIEW)
