"""The decision: for every version, service and environment what may happen now, and why."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile

from policies.codes import Code
from policies.entries.entry import Pinned
from policies.gates import ALONE, Case, ask, before_merge, before_offer, expires, skips
from policies.gates.sightings import was_before
from policies.group_rows import grouped
from policies.images.evidence import Silence, Silent
from policies.images.image import Tag
from policies.images.selection import BUILDS, Fate, Selection
from policies.ledger.digest_versions import called, is_meant
from policies.ledger.newness import is_newer
from policies.ledger.state import Promotion, Stage
from policies.rows import BETWEEN_DIGESTS, Candidate, Row, Standing, forward, row_with
from policies.rules.rules import EffectiveRule, Service, effective
from policies.verdict import Failed, NotYet, Waiting, not_yet
from policies.world import Pin, World

__all__ = [
    "BETWEEN_DIGESTS",
    "Candidate",
    "Decision",
    "Row",
    "Standing",
    "answer_of",
    "decide",
    "decide_row",
    "row_of",
    "rows_of",
    "selection_of",
    "tried_again_at",
    "why",
]


@dataclass(frozen=True, slots=True)
class Decision:
    """A row for each service and environment, environments in the order of the rules. ``at`` is UTC.

    ``groups``: a row for each group where its services move as one.
    """

    at: datetime
    commit: str
    rows: tuple[Row, ...]
    groups: tuple[Row, ...] = ()

    def row(self, environment: str, service: str) -> Row | None:
        """Return one row, of a service or of a group."""
        found = (*self.rows, *self.groups)
        return next((r for r in found if (r.environment, r.service) == (environment, service)), None)


def decide(world: World, at: datetime) -> Decision:
    """Say for everything known what may happen at this time (UTC) and why. Pure: same world, same answer."""
    selections = {
        id(meant): selection_of(world, meant)
        for service in world.rules.services
        for meant in world.rules.meanings(service)
    }
    rows = {
        (environment, service): row_of(world, rule, selections[id(rule.service)], at)
        for environment in world.rules.environments
        for service in world.rules.services
        if (rule := effective(world.rules, environment, service))
    }
    rows, groups = grouped(world, rows)
    return Decision(at, world.commit, tuple(rows.values()), groups)


def rows_of(world: World, rule: EffectiveRule, at: datetime) -> tuple[Row, ...]:
    """Return the rows of a group's members, each by itself, in the group's order."""
    return tuple(row_of(world, part, selection_of(world, part.service), at) for part in rule.parts)


def why(world: World, environment: str, service: str, version: str, at: datetime) -> Candidate | None:
    """Say what stands in the way of one version, also of one that was passed over. None: no such place in the rules."""
    rule = effective(world.rules, environment, service)
    row = decide_row(world, environment, service, at)
    return None if rule is None or row is None else answer_of(world, rule, row, version)


def answer_of(world: World, rule: EffectiveRule, row: Row, version: str) -> Candidate:
    """Say the same of a place that was decided about already, without deciding again."""
    for candidate in row.candidates:
        if candidate.version == version or is_meant(rule.service, candidate.images(rule), version):
            return candidate
    pin = world.pin(row.environment, row.service)
    if version == row.current or is_meant(rule.service, pin.image, version):
        return Candidate(version, "", Standing.CURRENT)
    return _passed_over(world, rule, row, version)


def decide_row(world: World, environment: str, service: str, at: datetime) -> Row | None:
    """Decide about one place or group alone: adding a service never changes a verdict but of those it moves with."""
    rules = world.rules
    group = service if service in rules.groups else rules.moves_with(environment, service)
    names = rules.together(environment, group) if group else (service,)
    rows = {
        (environment, name): row_of(world, rule, selection_of(world, rule.service), at)
        for name in names
        if (rule := effective(rules, environment, name))
    }
    if not group:
        return rows.get((environment, service))
    found, groups = grouped(world, rows, environment, group)
    return next((row for row in (*found.values(), *groups) if row.service == service), None)


def _passed_over(world: World, rule: EffectiveRule, row: Row, version: str) -> Candidate:
    answer = world.listed(rule.service)
    if isinstance(answer, Silence):
        return Candidate(version, "", Standing.WAITING, (Waiting(answer.code, answer.detail),))
    if row.selection is None:  # its place, or what it follows, cannot be used
        return Candidate(version, "", Standing.WAITING, (Waiting(Code(row.codes[0]), row.detail),))
    fate = row.selection.fates.get(version)
    if fate is None:
        reason = Failed(Silent.NO_SUCH_TAG, "the registry has no such tag")
        return Candidate(version, "", Standing.REFUSED, (reason,))
    if fate in BUILDS:
        return Candidate(
            version, "", Standing.WAITING, (Waiting(fate, _said_of_build(world, rule, version)),)
        )
    code = Code.OLDER if fate in {Fate.SELECTED, Fate.OLDER} else fate
    return Candidate(version, "", Standing.REFUSED, (Failed(code),))


def _said_of_build(world: World, rule: EffectiveRule, version: str) -> str:
    """Return why nobody knows when a version was built."""
    service = rule.service
    found = [world.builds.get((image, Tag(version), service.platforms)) for image in service.images]
    return next((one.detail for one in found if one and one.detail), "its registry was not asked yet")


def selection_of(world: World, service: Service) -> Selection | Silence:
    """Return what a service's versions are, or why nobody knows."""
    answer = world.listed(service)
    return answer if isinstance(answer, Silence) else service.select(answer.tags, world.builds)


def row_of(world: World, rule: EffectiveRule, chosen: Selection | Silence, at: datetime) -> Row:
    """Decide about one place, the selection being known."""
    environment, service = rule.environment.name, rule.service.name
    pin, trouble = world.pin(environment, service), rule.service.trouble
    current = called(rule.service, pin.image)
    if pin.problem is not None:
        return Row(environment, service, current, Standing.WAITING, (pin.problem.value,), (), pin.detail)
    if trouble is not None:
        return Row(environment, service, current, Standing.WAITING, (trouble.code.value,), (), trouble.detail)
    if isinstance(chosen, Silence):
        return Row(environment, service, current, Standing.WAITING, (chosen.code.value,), (), chosen.detail)
    candidates = _candidates(world, rule, pin, chosen, at)
    codes_of = (Code.CURRENT.value,) if not chosen.error else (str(chosen.code),)
    verdict = Standing.CURRENT if not chosen.error else Standing.WAITING
    previous = pin.image if candidates else ()
    return row_with(
        Row(environment, service, current, verdict, codes_of, (), chosen.error, chosen, previous), candidates
    )


def _candidates(
    world: World, rule: EffectiveRule, pin: Pin, chosen: Selection, at: datetime
) -> tuple[Candidate, ...]:
    """Judge every eligible version that is newer than what stands there, and the one that is under way."""
    live = world.state.live_at(rule.environment.name, rule.service.name)
    if rule.service.versions.followed:
        named = _digests(world, rule, pin, chosen, live)
        return _in_turn(rule, [_candidate(world, rule, pin, *one, at=at, live=live) for one in named])
    tags = forward(rule, pin.image[0].tag, chosen.ranked)  # best first: the rest is behind
    if rule.service.versions.needs_builds and pin.image[0].tag not in chosen.ranked:
        tags = tags[:1]  # nobody knows when what runs there was built: behind which of the others it stands
    if not tags and _is_step_back(world, rule, pin, chosen.best):
        tags = [chosen.best] if chosen.best else []
    if live and (under_way := live.image_of(rule.service.name)[0].tag) not in tags:
        tags.insert(0, Tag(under_way))
    moving = live.image_of(rule.service.name) if live else ()
    images = [
        (moving, live) if moving and tag == moving[0].tag else (world.images_of(rule.service, tag), None)
        for tag in tags
    ]
    return _in_turn(rule, [_candidate(world, rule, pin, *one, at=at, live=live) for one in images])


def _digests(
    world: World, rule: EffectiveRule, pin: Pin, chosen: Selection, live: Promotion | None
) -> list[tuple[tuple[Pinned, ...], Promotion | None]]:
    """Return what a followed tag names now, and named since what runs there: newest first, with what is under way."""
    if chosen.best is None:
        return [(live.image, live)] if live else []
    seen = world.state.sighted.get(rule.service.name, ())
    named = [
        (Pinned(one.repository, one.tag, one.digest),) for one in reversed(seen) if one.tag == chosen.best
    ]
    images = list(dict.fromkeys([world.images_of(rule.service, chosen.best), *named]))
    images = list(takewhile(lambda one: one != pin.image, images))
    if live and live.image not in images:
        images.insert(0, live.image)
    return [(one, live if live and one == live.image else None) for one in images]


def _in_turn(rule: EffectiveRule, candidates: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """Let the first that is ready go first, where nobody is asked."""
    found: list[Candidate] = []
    for one in candidates:
        first = next((other for other in found if other.verdict is Standing.READY), None)
        if first is None or rule.environment.is_guarded:
            found.append(one)
            continue
        reason = Failed(Code.NEWER_AVAILABLE, f"{first.version} goes first")
        found.append(Candidate(one.version, one.digest, Standing.REFUSED, (reason, *one.reasons)))
    return tuple(found)


def _is_step_back(world: World, rule: EffectiveRule, pin: Pin, best: Tag | None) -> bool:
    """Whether the selection takes an older version than what runs, where nobody is asked: it may be bad evidence.

    What was there at the first look says nothing: it would not move by itself anyway.
    """
    if best is None or rule.environment.is_guarded or rule.environment.is_observed:
        return False
    if is_newer(rule.service, world.state, pin.image[0].tag, best) is not True:
        return False
    is_old = was_before(rule.service, world.state, world.images_of(rule.service, best))
    return rule.environment.catch_up or not is_old


def _candidate(
    world: World,
    rule: EffectiveRule,
    pin: Pin,
    image: tuple[Pinned, ...],
    mine: Promotion | None,
    *,
    at: datetime,
    live: Promotion | None,
) -> Candidate:
    digests = tuple(one.digest for one in image)
    case = Case(
        rules=world.rules,
        rule=rule,
        state=world.state,
        image=image,
        current=pin.image,
        at=at,
        baseline=world.baseline,
        promotion=mine,
        facts=world.facts_of(rule.environment.name, rule.service.name, digests),
        members=world.members,
        stood_since=world.stood_since,
        is_offer=rule.environment.is_guarded and mine is None,
    )
    reasons = list(_before(case))
    if not (mine and (mine.is_rollback or skips(rule, mine, "hold"))):  # the way back does not hang on a list
        reasons += world.suspected.get(rule.service.name, ())
    if live and mine is None:
        reasons.append(
            Waiting(
                Code.OPEN_ELSEWHERE, f"{called(rule.service, live.image_of(rule.service.name))} is under way"
            )
        )
    if mine and mine.stage is Stage.OPEN and mine.id in world.looked_again:
        reasons.append(world.looked_again[mine.id])
    if mine and mine.stage is Stage.OPEN and (again := tried_again_at(mine)) and at < again:
        reasons.append(_not_merged(mine, again))
    if mine and mine.stage is not Stage.OPEN:
        reasons.append(_under_way(mine))
    if any(isinstance(reason, Failed) for reason in reasons):
        verdict = Standing.REFUSED
    else:
        verdict = Standing.WAITING if reasons else Standing.READY
    digest = BETWEEN_DIGESTS.join(digests)
    ends = expires(world.rules.calendar, rule, mine) if mine and mine.stage is Stage.OPEN else None
    version = called(rule.service, image)
    return Candidate(version, digest, verdict, tuple(reasons), mine.id if mine else "", ends)


def _before(case: Case) -> tuple[NotYet, ...]:
    if case.promotion:
        return not_yet(ask(before_merge(case.rule, case.promotion), case))
    return before_offer(case) if case.is_offer else not_yet(ask(ALONE, case))


def _under_way(promotion: Promotion) -> Waiting:
    """Say who merges it: the bot, at this moment, or people, when they like."""
    if promotion.is_cleared:
        return Waiting(Code.BY_HAND, "")
    return Waiting(Code.MERGING, f"it is {promotion.stage}")


def _not_merged(promotion: Promotion, again: datetime) -> Waiting:
    """Say why the forge did not merge, and when it is asked again."""
    if promotion.reviews:
        noun = "review" if promotion.reviews == 1 else "reviews"
        return Waiting(Code.FORGE_REVIEW, f"{promotion.reviews} {noun}")
    return Waiting(Code.FORGE_REFUSED, f"{promotion.why}, {promotion.attempts} times", again)


def tried_again_at(promotion: Promotion) -> datetime | None:
    """Return when a head that was not merged is tried again: after 1, 2, 4 ... minutes, at most an hour.

    Where the forge asked for reviews, one that came since is worth a try at once.
    """
    last = promotion.attempted
    if last is None or not promotion.attempts:
        return None
    if promotion.reviews and any(one.review and one.at > last for one in promotion.approvals):
        return None
    return last + min(timedelta(hours=1), timedelta(minutes=2 ** min(promotion.attempts - 1, 6)))
