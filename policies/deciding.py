"""The decision again, and again: what nothing has changed for is not decided anew."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from policies.decide import Decision, Row, row_of, selection_of
from policies.entries.entry import Entry, Pinned
from policies.group_rows import grouped
from policies.images.evidence import DigestAnswer, TagAnswer
from policies.images.image import Repository, Tag
from policies.ledger.digest_versions import tag_in
from policies.rules.rules import EffectiveRule, Environment, Rules, effective
from policies.times.calendar import Calendar, intervals
from policies.verdict import NotYet, Waiting
from policies.world import Pin, World

_AHEAD = timedelta(days=8)  # how far the next beginning of a weekly window is looked for


@dataclass(frozen=True, slots=True)
class _Kept:
    """The rows of one service, what they rest on, and until when (UTC) time alone does not change them."""

    mark: Entry | None
    suspected: tuple[NotYet, ...] | None
    pins: tuple[Pin | None, ...]
    stood: tuple[tuple[Pinned, ...] | None, ...]
    tags: tuple[TagAnswer | None, ...]
    asked: tuple[tuple[Repository, Tag], ...]
    digests: tuple[DigestAnswer | None, ...]
    rows: tuple[Row, ...]
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class _Ruled:
    """A service in every environment where it exists: rules, places, and the repositories of its images."""

    rules: tuple[EffectiveRule, ...]
    places: tuple[tuple[str, str], ...]
    images: tuple[Repository, ...]


@dataclass(slots=True)
class Decider:
    """Decides like ``decide``, and keeps the rows of services for which nothing has changed."""

    _world: World | None = None
    _ruled: dict[str, _Ruled] = field(default_factory=dict)
    _kept: dict[str, _Kept] = field(default_factory=dict)

    def decide(self, world: World, at: datetime) -> Decision:
        """Return ``decide(world, at)``."""
        before = self._world
        if before is None or world.rules is not before.rules:
            self._ruled, self._kept, before = _ruled(world.rules), {}, world
        elif before.state.marks.get("") != world.state.marks.get(""):
            self._kept = {}
        self._world = world
        rows = {
            (row.environment, row.service): row
            for service, ruled in self._ruled.items()
            for row in self._rows(before, world, service, ruled, at)
        }
        rows, groups = grouped(world, rows)
        order = (
            rows[environment, service]
            for environment in world.rules.environments
            for service in world.rules.services
            if (environment, service) in rows
        )
        return Decision(at, world.commit, tuple(order), groups)

    def _rows(
        self, before: World, world: World, service: str, ruled: _Ruled, at: datetime
    ) -> tuple[Row, ...]:
        kept = self._kept.get(service)
        if kept is not None and kept.since <= at < kept.until and _rests(kept, before, world, service, ruled):
            return kept.rows
        chosen = {id(rule.service): selection_of(world, rule.service) for rule in ruled.rules}
        rows = tuple(row_of(world, rule, chosen[id(rule.service)], at) for rule in ruled.rules)
        if all(_is_steady(world, rule) for rule in ruled.rules):
            self._kept[service] = _keep(world, service, ruled, rows, at)
        else:
            self._kept.pop(service, None)
        return rows


def _ruled(rules: Rules) -> dict[str, _Ruled]:
    found: dict[str, _Ruled] = {}
    for service in rules.services:
        mine = tuple(
            rule for environment in rules.environments if (rule := effective(rules, environment, service))
        )
        places = tuple((rule.environment.name, service) for rule in mine)
        images = tuple(dict.fromkeys(image for rule in mine for image in rule.service.images))
        found[service] = _Ruled(mine, places, images)
    return found


def _rests(kept: _Kept, before: World, world: World, service: str, ruled: _Ruled) -> bool:
    """Whether all that rows rest on is what it was; a mapping that is the same one is not looked into."""
    return (
        kept.mark == world.state.marks.get(service)
        and kept.suspected == world.suspected.get(service)
        and (world.pins is before.pins or kept.pins == tuple(map(world.pins.get, ruled.places)))
        and (world.baseline is before.baseline or kept.stood == tuple(map(world.baseline.get, ruled.places)))
        and (world.tags is before.tags or kept.tags == tuple(map(world.tags.get, ruled.images)))
        and (world.digests is before.digests or kept.digests == tuple(map(world.digests.get, kept.asked)))
    )


def _keep(world: World, service: str, ruled: _Ruled, rows: tuple[Row, ...], at: datetime) -> _Kept:
    asked = tuple(
        (image, Tag(tag_in(candidate.version)))
        for rule, row in zip(ruled.rules, rows, strict=True)
        for candidate in row.candidates
        for image in rule.service.images
    )
    return _Kept(
        mark=world.state.marks.get(service),
        suspected=world.suspected.get(service),
        pins=tuple(map(world.pins.get, ruled.places)),
        stood=tuple(map(world.baseline.get, ruled.places)),
        tags=tuple(map(world.tags.get, ruled.images)),
        asked=asked,
        digests=tuple(map(world.digests.get, asked)),
        rows=rows,
        since=at,
        until=min(
            (
                _until(rule, world.rules.calendar, row, at)
                for rule, row in zip(ruled.rules, rows, strict=True)
            ),
            default=at,
        ),
    )


def _is_steady(world: World, rule: EffectiveRule) -> bool:
    """Whether nothing but entries, pins, lists and known instants changes a row: no promotion, nobody outside."""
    where = rule.environment
    asks_outside = where.gates or rule.service.platforms
    is_asked = bool(asks_outside) or world.state.live_at(where.name, rule.service.name) is not None
    return not is_asked and not rule.service.versions.needs_builds and not world.state.open and not rule.group


def _until(rule: EffectiveRule, calendar: Calendar, row: Row, at: datetime) -> datetime:
    """Return the first instant (UTC) at which time alone may change a row: something opens, or a window begins."""
    waits = [one for candidate in row.candidates for one in candidate.reasons if isinstance(one, Waiting)]
    times = [one.until for one in waits if one.until and one.until > at]
    return min([*times, _next(rule.environment, calendar, at)])


def _next(where: Environment, calendar: Calendar, at: datetime) -> datetime:
    zone = where.zone or calendar.zone
    begins = [
        begin
        for window in where.freeze
        for begin, _ in intervals(window, calendar, zone, at, at + _AHEAD)
        if begin > at
    ]
    return min(begins, default=at + _AHEAD)
