"""Figures of deployment from the ledger alone: how often, how fast, how long people were waited for, what was undone.

The same state gives the same figures. Terms are those of DORA where the ledger knows them: a deployment is a version
that landed forward; its lead time begins when the version was seen first, not when its code was written.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import zip_longest
from typing import Self

from policies.entries.entry import Kind
from policies.entries.promotion import Promotion, Stage
from policies.entries.remembered import Move, Place
from policies.entries.tables import Tables

WINDOW = timedelta(days=30)
_TENTHS = 9  # of ten: the slow end that is told


@dataclass(frozen=True, slots=True)
class Spread:
    """Spans of time: how many, the one in the middle, and the one within which nine of ten are."""

    count: int
    median: timedelta
    most: timedelta

    @classmethod
    def of(cls, spans: Iterable[timedelta]) -> Self | None:
        """Return the spread of spans, to the second; nothing of none."""
        found = sorted(spans)
        if not found:
            return None
        middle = len(found) // 2
        half = found[middle] if len(found) % 2 else (found[middle - 1] + found[middle]) / 2
        most = found[-(-len(found) * _TENTHS // 10) - 1]
        return cls(len(found), _whole(half), _whole(most))


def _whole(span: timedelta) -> timedelta:
    return timedelta(seconds=int(span.total_seconds()))


@dataclass(frozen=True, slots=True)
class Figures:
    """What happened in some places in a window of time.

    ``deployments`` went forward, ``emergencies`` of them by the emergency rule; ``failed`` of them were left by a
    rollback, whenever that was. ``by_hand``: moves that came without us. ``ended``: requests that moved nothing.
    """

    deployments: int = 0
    emergencies: int = 0
    rollbacks: int = 0
    by_hand: int = 0
    failed: int = 0
    lead: Spread | None = None  # from the first sighting to the landing, where both are known
    waited: Spread | None = None  # from a request to its last approval, of those that landed
    restored: Spread | None = None  # from a landing to that of the rollback that left it
    ended: Mapping[Stage, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Moved:
    """One move of a place, and the one that came after it."""

    service: str
    move: Move
    promotion: Promotion | None
    then: Move | None
    is_undone: bool

    @property
    def kind(self) -> Kind:
        return self.promotion.kind if self.promotion else self.move.kind

    @property
    def is_forward(self) -> bool:
        return self.kind not in {Kind.ROLLBACK, Kind.EXTERNAL}


def window(state: Tables, at: datetime) -> tuple[datetime, datetime]:
    """Return since when and until when (UTC) figures are made: 30 days, or since this year's ledger began."""
    since = at - WINDOW
    return (max(since, state.genesis.time) if state.genesis else since, at)


def figures(state: Tables, places: Iterable[Place], since: datetime, until: datetime) -> Figures:
    """Return the figures of what landed in these places behind ``since`` and up to ``until`` (both UTC)."""
    wanted = frozenset(places)
    moves = [one for place in sorted(wanted) for one in _moves(state, place) if since < one.move.at <= until]
    forward = [one for one in moves if one.is_forward]
    kinds = Counter(one.kind for one in moves)
    failed = [one for one in forward if one.is_undone]
    landed = {one.promotion.id: one.promotion for one in forward if one.promotion}
    return Figures(
        deployments=len(forward),
        emergencies=kinds[Kind.EMERGENCY],
        rollbacks=kinds[Kind.ROLLBACK],
        by_hand=kinds[Kind.EXTERNAL],
        failed=len(failed),
        lead=Spread.of(_leads(state, forward)),
        waited=Spread.of(_waits(landed.values())),
        restored=Spread.of(one.then.at - one.move.at for one in failed if one.then),
        ended=_ended(state, wanted, since, until),
    )


def _moves(state: Tables, place: Place) -> Iterator[_Moved]:
    made = tuple(state.moves.get(place, ()))
    for move, then in zip_longest(made, made[1:]):
        after = state.promotions.get(then.promotion) if then else None
        kind = after.kind if after else then.kind if then else None
        promotion = state.promotions.get(move.promotion)
        yield _Moved(place[1], move, promotion, then, kind is Kind.ROLLBACK)


def _leads(state: Tables, moves: Iterable[_Moved]) -> Iterator[timedelta]:
    """Yield from first sighting to landing; what was there before the ledger has no known beginning."""
    for one in moves:
        sightings = [
            state.sighting(one.service, image, exact=exact)
            for image in one.move.image[:1]
            for exact in (True, False)
        ]
        found = next((seen for seen in sightings if seen), None)
        if found and not found.sighting.before and found.at <= one.move.at:
            yield one.move.at - found.at


def _waits(promotions: Iterable[Promotion]) -> Iterator[timedelta]:
    """Yield how long people were waited for: up to the approval that came last; not what was given with the request."""
    for one in promotions:
        times = [approval.at for approval in one.approvals if approval.at > one.opened]
        if times:
            yield max(times) - one.opened


def _ended(state: Tables, wanted: frozenset[Place], since: datetime, until: datetime) -> Mapping[Stage, int]:
    """Count the requests that moved nothing, by how they ended."""
    return Counter(
        one.stage
        for one in state.promotions.values()
        if not one.is_live
        and one.stage is not Stage.LANDED
        and one.done is not None
        and since < one.done <= until
        and any((one.environment, share.service) in wanted for share in one.shares)
    )
