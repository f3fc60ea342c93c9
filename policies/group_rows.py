"""The decision about groups: their services move together or not at all; one that is not ready keeps all back."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from policies.canonical import digest_of
from policies.codes import Code
from policies.entries.entry import Member, Pinned, shares
from policies.entries.promotion import version_of
from policies.entries.remembered import is_version
from policies.gates.sightings import was_before
from policies.ledger.newness import is_newer
from policies.ledger.rollout import asks
from policies.ledger.state import Place, Promotion, State
from policies.rows import (
    ANSWERED_BY_ASKING,
    BETWEEN_DIGESTS,
    Candidate,
    Row,
    Standing,
    forward,
    row_with,
)
from policies.rules.rules import EffectiveRule, moving_rule
from policies.verdict import Failed, NotYet, Waiting
from policies.world import World

OF_PEOPLE = frozenset(
    {Code.NOT_REQUESTED, Code.OPEN_ELSEWHERE}
)  # what does not keep a version from being asked for by the bot
OF_A_WORD = ANSWERED_BY_ASKING | OF_PEOPLE  # the same by a person, who takes along what was there before
Skipped = Callable[
    [EffectiveRule], frozenset[Code]
]  # of one member: what does not keep it back, by its own rule
# what a version lacks in a region until it has run in the one before for long enough, and well
_COMES = frozenset({Code.NOT_IN_PREVIOUS, Code.NOT_HEALTHY, Code.SOAKING, Code.TOO_YOUNG})
CONTENT = 12  # digits of a name
_NOBODY = Waiting(Code.NOT_REQUESTED, "nobody has asked for it")


def skips_nothing(_rule: EffectiveRule) -> frozenset[Code]:
    """Return what a rule skips beside what every member may: nothing."""
    return frozenset()


def seen_ahead(state: State, rule: EffectiveRule, stands: tuple[Pinned, ...]) -> str:
    """Return the newest version that the ledger has seen of a service and that is a step on from what stands there.

    What was there before the first look does not move by itself, so it is not ahead.
    """
    tags = [one.tag for one in state.sighted.get(rule.service.name, ())]
    current = stands[0].tag if stands else ""
    return next((tag for tag in _ahead(state, rule, tags, current) if not _is_old(state, rule, tag)), "")


def _ahead(state: State, rule: EffectiveRule, tags: Sequence[str], current: str) -> Sequence[str]:
    """Return those tags that are a step on; by their builds, as the ledger noted them, where the rule says so."""
    service = rule.service
    if not service.versions.needs_builds:
        return forward(rule, current, service.select(tags).ranked)
    fits = service.versions.tags
    named = [tag for tag in tags if fits is None or fits.value(tag) is not None]
    return [tag for tag in named if tag != current and is_newer(service, state, tag, current) is not False]


def _is_old(state: State, rule: EffectiveRule, tag: str) -> bool:
    """Whether a version was there before the first look, and does not move by itself."""
    pinned = Pinned(rule.service.image, tag)
    return not rule.environment.catch_up and bool(was_before(rule.service, state, (pinned,)))


def grouped(
    world: World, rows: Mapping[Place, Row], environment: str = "", group: str = ""
) -> tuple[dict[Place, Row], tuple[Row, ...]]:
    """Return rows with their groups in mind, and a row for each group in each environment, or for the one named."""
    found, groups = dict(rows), []
    for where in (environment,) if environment else world.rules.environments:
        for name in (group,) if group else world.rules.groups:
            rule = moving_rule(world.rules, where, name)
            if rule is None:
                continue
            of = [rows[where, one.service.name] for one in rule.parts]
            row = _row(world, rule, of, offered(rule))
            groups.append(row)
            found |= {(where, one.service): one for one in _kept_back(row, of, offered(rule))}
    return found, tuple(groups)


def offered(rule: EffectiveRule) -> frozenset[Code]:
    """Return the codes of what does not keep a version out of what people see of a group: what their word answers."""
    return OF_A_WORD if rule.environment.is_guarded else OF_PEOPLE


def by_itself(world: World, rule: EffectiveRule, rows: Sequence[Row]) -> Row:
    """Return the row of a group as the bot may ask for it: what was there before the first look stays."""
    return _row(world, rule, rows, OF_PEOPLE)


def next_of(
    world: World,
    rule: EffectiveRule,
    rows: Sequence[Row],
    *,
    allowed: frozenset[Code] = OF_PEOPLE,
    skipped: Skipped = skips_nothing,
) -> tuple[tuple[Candidate, ...], tuple[NotYet, ...]]:
    """Return the version of each member that goes next ('' of those that have none), and what keeps all of them back.

    ``allowed``: the codes of what does not keep a version back; ``skipped``: those that beside these do not keep back a
    member, by its own rule. The candidates are in the order of the members.
    """
    live = world.state.live_at(rule.environment.name, rule.service.name)
    picked: list[Candidate] = []
    waits: list[NotYet] = []
    for part, row in zip(rule.parts, rows, strict=True):
        mine = live.id if live else "-"
        pick = next((one for one in row.candidates if _goes(one, mine, allowed | skipped(part))), None)
        reason = None if pick else _keeps_back(world, part, row)
        waits += [reason] if reason else []
        picked.append(pick or Candidate("", "", Standing.CURRENT))
    return tuple(picked), tuple(waits)


def taken_along(
    world: World, rule: EffectiveRule, rows: Sequence[Row], last: Promotion
) -> tuple[Candidate | None, bool]:
    """Return what the bot asks for that is exactly what moved in ``last``, with what was there before the first look.

    Nothing where the bot would ask for nothing by itself, or for something else. And whether that comes later, for only
    time and reports are missing.
    """
    picked, waits = next_of(world, rule, rows)
    moved = {one.service: one.image for one in last.shares}
    found, is_coming = list(picked), False
    for index, (part, row, pick) in enumerate(zip(rule.parts, rows, picked, strict=True)):
        old = _same(part, row, moved.get(part.service.name, ()))
        if pick.verdict is not Standing.CURRENT or old is None:
            continue
        left = set(old.codes) - OF_A_WORD
        is_coming |= bool(left) and left <= _COMES
        found[index] = pick if left else old
    whole = None if waits or any(one.promotion for one in found) else together(rule, found)
    is_new = any(one.verdict is not Standing.CURRENT for one in picked)
    if whole is None or not is_new or is_coming:
        return None, is_coming and is_new
    is_exact = whole.members == last.members and all(map(is_version, whole.together, last.image))
    return (_standing(replace(whole, reasons=(_NOBODY,))) if is_exact else None), False


def _same(rule: EffectiveRule, row: Row, image: Sequence[Pinned]) -> Candidate | None:
    """Return the candidate that is this very version; nothing where there is none."""
    for one in row.candidates:
        images = one.images(rule)
        if images and len(images) == len(image) and all(map(is_version, images, image)):
            return one
    return None


def kept_back(
    world: World,
    rule: EffectiveRule,
    rows: Sequence[Row],
    picked: Sequence[Candidate],
    *,
    allowed: frozenset[Code],
    skipped: Skipped = skips_nothing,
) -> tuple[tuple[str, NotYet], ...]:
    """Return all that keeps back the members of which nothing was picked: name with version, and each reason.

    ``allowed``, ``skipped``: as ``next_of`` has them. What was there before the first look is told, too, for its other
    reasons: they are why nobody may ask for it.
    """
    found: list[tuple[str, NotYet]] = []
    for part, row, pick in zip(rule.parts, rows, picked, strict=True):
        if pick.verdict is not Standing.CURRENT:
            continue
        best, name = row.best, part.service.name
        told = [one for one in best.reasons if one.code not in allowed | skipped(part)] if best else []
        found += [(f"{name} {best.version}", one) for one in told] if best else []
        if not told and (reason := _keeps_back(world, part, row)):
            found.append((name, reason))
    return tuple(found)


def _goes(candidate: Candidate, live: str, allowed: frozenset[Code]) -> bool:
    return candidate.promotion == live or (
        not candidate.promotion and {one.code for one in candidate.reasons} <= allowed
    )


def _keeps_back(world: World, rule: EffectiveRule, row: Row) -> NotYet | None:
    """Return why a member without a version that goes keeps the others back; nothing where it has nothing newer."""
    name = rule.service.name
    news = [one for one in row.candidates if Code.KNOWN_BEFORE not in one.codes]
    if best := row_with(row, tuple(news)).best:
        # a request of its own, from before it was of the group, may lack nothing and is in the way all the same
        first = best.reasons[0] if best.reasons else Waiting(Code.OPEN_ELSEWHERE)
        until = first.until if isinstance(first, Waiting) else None
        return Waiting(Code.GROUP_WAITS, f"{name} {best.version}: {first.code}", until)
    if row.verdict is not Standing.CURRENT and not row.candidates:
        return Waiting(Code.GROUP_WAITS, f"{name}: {', '.join(row.codes)}")
    if ahead := seen_ahead(world.state, rule, world.pin(rule.environment.name, name).image):
        return Waiting(Code.GROUP_WAITS, f"{name} {ahead}: the registry does not list it any more")
    return None


def _row(world: World, rule: EffectiveRule, rows: Sequence[Row], allowed: frozenset[Code]) -> Row:
    """Return what may happen to a group: what could go next, and the promotion that is under way."""
    environment, group = rule.environment.name, rule.service.name
    live = world.state.live_at(environment, group)
    picked, waits = next_of(world, rule, rows, allowed=allowed)
    found = []
    if (ahead := together(rule, picked)) and not (live and live.image == ahead.together):
        elsewhere = [Waiting(Code.OPEN_ELSEWHERE, f"{live.id} is under way")] if live else []
        asked = [_NOBODY] if rule.environment.is_guarded else []
        reasons = (*_only_before(rule, picked), *asked, *elsewhere, *waits)
        found.append(_standing(replace(ahead, reasons=reasons)))
    if live:
        found.append(_under_way(live, rows))
    codes = () if found else tuple(dict.fromkeys(one.code.value for one in waits))
    row = Row(
        environment,
        group,
        ", ".join(f"{one.service} {one.current}" for one in rows),
        Standing.WAITING if codes else Standing.CURRENT,
        codes or (Code.CURRENT.value,),
        (),
        "; ".join(one.detail for one in waits),
    )
    return row_with(row, tuple(found)) if found else row


def _only_before(rule: EffectiveRule, picked: Sequence[Candidate]) -> Iterator[NotYet]:
    """Yield why nobody is told that a group may be asked for: what it would bring was there before the first look.

    All of it, beside what is under way; where the bot asks by itself, any: the rest it asks for.
    """
    brings = [
        (part.service.name, one)
        for part, one in zip(rule.parts, picked, strict=True)
        if one.verdict is not Standing.CURRENT and not one.promotion
    ]
    old = [(name, one) for name, one in brings if Code.KNOWN_BEFORE in one.codes]
    if len(old) < len(brings) and not asks(rule.environment):
        return
    for name, candidate in old:
        yield from (
            replace(one, detail=f"{name}: {one.detail}")
            for one in candidate.reasons
            if one.code is Code.KNOWN_BEFORE
        )


def together(rule: EffectiveRule, picked: Sequence[Candidate]) -> Candidate | None:
    """Return one candidate of those of the members that move; nothing where none does."""
    moving = [
        (part, one)
        for part, one in zip(rule.parts, picked, strict=True)
        if one.verdict is not Standing.CURRENT
    ]
    if not moving:
        return None
    images = tuple(one.images(part) for part, one in moving)
    flat = tuple(image for each in images for image in each)
    members = tuple(
        Member(part.service.name, len(image)) for (part, _), image in zip(moving, images, strict=True)
    )
    return Candidate(
        version_of(shares(rule.service.name, members, flat, ()), rule.service.name),
        BETWEEN_DIGESTS.join(one.digest for _, one in moving),
        Standing.READY,
        members=members,
        together=flat,
    )


def combination(image: tuple[Pinned, ...]) -> str:
    """Return a short name of what a group would move to, for cards and buttons: another content, another name."""
    return digest_of([str(one) for one in image])[:CONTENT]


def _under_way(live: Promotion, rows: Sequence[Row]) -> Candidate:
    """Return the candidate of a promotion: all that stands in the way of any of its members."""
    by_service = {one.service: one for one in rows}
    told: dict[str, tuple[NotYet, ...]] = {}
    ends: list[datetime] = []
    for share in live.shares:
        row = by_service.get(share.service)
        mine = next((one for one in row.candidates if one.promotion == live.id), None) if row else None
        if mine is not None:
            told[share.service] = mine.reasons
            ends += [mine.expires] if mine.expires else []
        else:
            codes = ", ".join(row.codes) if row else Code.NO_RULE
            told[share.service] = (Waiting(Code.GROUP_WAITS, codes),)
    found = Candidate(
        live.version,
        BETWEEN_DIGESTS.join(one.digest for one in live.image),
        Standing.READY,
        _said(told),
        live.id,
        min(ends, default=None),
        live.members,
        live.image,
    )
    return _standing(found)


def _said(told: Mapping[str, tuple[NotYet, ...]]) -> tuple[NotYet, ...]:
    """Return what stands in the way of members: of all of them once, of others with their name before it."""
    first, *others = told.values()
    common = tuple(one for one in first if others and all(one in reasons for reasons in others))
    return common + tuple(
        replace(one, detail=f"{service}: {one.detail or one.code}")
        for service, reasons in told.items()
        for one in reasons
        if one not in common
    )


def _standing(candidate: Candidate) -> Candidate:
    """Return a candidate with the verdict that its reasons make."""
    if any(isinstance(one, Failed) for one in candidate.reasons):
        return replace(candidate, verdict=Standing.REFUSED)
    return replace(candidate, verdict=Standing.WAITING if candidate.reasons else Standing.READY)


def _kept_back(group: Row, rows: Sequence[Row], allowed: frozenset[Code]) -> Iterator[Row]:
    """Yield the members' rows: what would go by itself says for whom it waits."""
    others = [
        one for candidate in group.candidates for one in candidate.reasons if one.code is Code.GROUP_WAITS
    ]
    live = next((one for one in group.candidates if one.promotion), None)
    held = list(dict.fromkeys(others))
    if not group.candidates and group.verdict is Standing.WAITING:
        held = [Waiting(Code.GROUP_WAITS, group.detail)]
    for row in rows:
        mine = [one for one in held if not one.detail.startswith((f"{row.service} ", f"{row.service}:"))]
        held_back = tuple(_held(one, mine, live, allowed) for one in row.candidates)
        yield row_with(row, held_back) if row.candidates else row


def _held(
    candidate: Candidate, waits: Sequence[NotYet], live: Candidate | None, allowed: frozenset[Code]
) -> Candidate:
    if candidate.promotion:
        is_ready = candidate.verdict is Standing.READY
        late = [Waiting(Code.GROUP_WAITS, one.detail) for one in live.reasons] if live and is_ready else []
        return _standing(replace(candidate, reasons=(*candidate.reasons, *late[:1])))
    if {one.code for one in candidate.reasons} <= allowed:
        return _standing(replace(candidate, reasons=(*candidate.reasons, *waits)))
    return candidate
