"""When holds, blocks and freezes stood of which nothing else is left: while people may merge what was cleared.

What is in force says since when. Where another takes its place that is lost, and so is the beginning of a freeze that
is lifted. A merge that was made in between and is noticed later is judged by both. A year does not turn meanwhile.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from policies.entries.remembered import Span, Spot, Standing
from policies.entries.tables import Tables

# what was cleared before (UTC) is judged by what is in force alone: so did those who wrote what became of it
DECIDES: Final = datetime(2026, 11, 26, tzinfo=UTC)


def note(state: Tables, spot: Spot, old: Standing | None, at: datetime) -> None:
    """Remember when one stood that ends at a time (UTC), if it did not end before."""
    if old and _is_asked(state):
        until = min(at, old.until or at)
        state.stood[spot] = (*state.stood.get(spot, ()), Span(old.at, until))


def forget(state: Tables) -> None:
    """Forget all of it once people may merge nothing any more."""
    if not _is_asked(state):
        state.stood = {}


def _is_asked(state: Tables) -> bool:
    return any(one.is_cleared for one in state.under_way())


def as_of(one: Standing, spans: Sequence[Span], at: datetime) -> Standing | None:
    """Return what stood in the place of one at a time (UTC); nothing where that was free then."""
    if one.at <= at:
        return one
    return replace(one, at=at) if any(span.holds(at) for span in spans) else None


def thawed(last: datetime | None, spans: Sequence[Span], at: datetime) -> datetime | None:
    """Return when the last freeze ended that had begun by a time (UTC); ``last`` is when one was lifted last."""
    ends = [span.until for span in spans if span.since <= at]
    if ends or spans:
        return max(ends, default=last if last and last <= at else None)
    return last
