"""What goes apart from the way on: rollbacks, in one environment or several, and emergencies."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from bot import wording
from bot.answers import NotRecorded
from bot.ledger import Proposal
from bot.looking.survey import Survey
from bot.promoting.poller import Writer, rule_at, standing
from bot.promoting.promoter import (
    Declined,
    Images,
    Said,
    edits_of,
    end,
    refuse_observed,
    rule_of,
    under_way,
    with_branch,
)
from bot.promoting.urgency import mark, under
from bot.promoting.withdrawal import withdrawal
from bot.repository.objects import Oid
from bot.repository.push import RefUpdate
from policies.allowed.groups import last_moved
from policies.codes import Code
from policies.entries.change import change_hash
from policies.entries.entry import Entry, Kind, Member, is_exact, write_time
from policies.ledger.digest_versions import called, is_meant
from policies.ledger.emergency import due, earliest_due
from policies.ledger.keys import expected_key, promotion_id
from policies.ledger.state import Stage
from policies.rules.rules import EffectiveRule
from policies.texts.edit import Edit
from policies.words import Emergency, Review, Rollback

_NO_GROUP: Mapping[str, tuple[Member, ...]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Ground:
    """What such a word is written upon: who writes commits, the target branch, and the ledger's validated end."""

    writer: Writer
    branch: str
    tip: str


def rollback(  # noqa: PLR0917  what such a word is made of
    look: Survey,
    ground: Ground,
    said: Said,
    word: Rollback,
    images: Mapping[str, Images],
    members: Mapping[str, tuple[Member, ...]] = _NO_GROUP,
) -> Proposal:
    """Put back what ran before in each environment: all in one push, or none of it. Raises: Declined.

    ``images`` by environment; ``members``: of a group whose they are.
    """
    entries: list[Entry] = []
    branches: list[RefUpdate] = []
    parent = look.tips.target
    for environment, image in images.items():
        moving = members.get(environment, ())
        rule = rule_of(look, environment, word.service)
        refuse_observed(rule)
        edits = edits_of(look, ground.writer, rule, image, moving)
        ended = _made_room(look, rule)
        entry = _entry(look, rule, said, image, edits, moving)
        parts = rule.moving([one.service for one in moving])
        entry = replace(entry, note=word.note, until=earliest_due(parts, entry.time))
        if rule.environment.has_promotions:
            entry, update = with_branch(look, ground.writer, entry, edits)
            branches.append(update)
        else:
            entry = _committed(look, ground, entry, edits, parent)
            parent = Oid(entry.commit)
        entries += [*ended, entry]
    return Proposal(tuple(entries), (*branches, *_moves(look, ground, parent)), _point(look, parent))


def emergency(
    look: Survey,
    ground: Ground,
    said: Said,
    word: Emergency,
    *,
    rule: EffectiveRule,
    image: Images,
    members: tuple[Member, ...] = (),
) -> Proposal:
    """Move a version now, or those of a group's members, in the place of what is open there. Raises: Declined."""
    parts = rule.moving([one.service for one in members])
    refuse_calm(parts)
    refuse_observed(rule)
    edits = edits_of(look, ground.writer, rule, image, members)
    before = tuple(
        entry for one in under_way(look, rule) for entry in withdrawal(look, one.environment, one.service)
    )
    _refuse_merging(look, rule)
    entry = _entry(look, rule, said, image, edits, members)
    ruled = [part.environment.emergency for part in parts]
    until = write_time(min(due(apart, entry.time) for apart in ruled if apart))
    entry = replace(entry, kind=Kind.EMERGENCY, note=word.note, until=until)
    if rule.environment.has_promotions:
        entry, update = with_branch(look, ground.writer, entry, edits)
        return Proposal((*before, entry), (update,), "branch")
    entry = replace(entry, evidence={**entry.evidence, **mark()})
    entry = _committed(look, ground, entry, edits, look.tips.target, urgency=under(parts, until))
    parent = Oid(entry.commit)
    return Proposal((*before, entry), _moves(look, ground, parent), _point(look, parent))


def refuse_calm(parts: Iterable[EffectiveRule]) -> None:
    """Refuse an emergency of a service whose rule knows none. Raises: Declined."""
    for part in parts:
        if part.environment.emergency is None:
            detail = f"{part.environment.name} knows no emergency for {part.service.name}"
            raise Declined(NotRecorded(code=Code.NO_EMERGENCY, detail=detail))


def review(look: Survey, said: Said, word: Review, closes: int) -> Proposal:
    """Close what waits for a review. Raises: Declined."""
    opened = look.state.open.get(closes)
    if opened is None:
        raise Declined(NotRecorded(code=Code.NOT_STANDING, detail=f"#{closes} is closed already"))
    entry = Entry(
        kind=Kind.REVIEW,
        at=write_time(look.at),
        key="",
        by=said.by,
        environment=opened.environment,
        service=opened.service,
        closes=closes,
        evidence=said.evidence,
        note=word.note,
    )
    return Proposal((replace(entry, key=expected_key(look.state, entry)),))


def _entry(  # noqa: PLR0917  what such an entry is made of
    look: Survey,
    rule: EffectiveRule,
    said: Said,
    image: Images,
    edits: Sequence[Edit],
    members: tuple[Member, ...] = (),
) -> Entry:
    """Return what is common to both."""
    environment, service = rule.environment.name, rule.service.name
    return Entry(
        kind=Kind.ROLLBACK,
        at=write_time(look.at),
        key="",
        by=said.by,
        environment=environment,
        service=service,
        group=service if members else "",
        members=members,
        image=image,
        previous=standing(look, environment, service, members),
        change=change_hash(edits),
        rule=rule_at(look, rule),
        evidence=said.evidence,
    )


def _committed(
    look: Survey,
    ground: Ground,
    entry: Entry,
    edits: Sequence[Edit],
    parent: Oid,
    *,
    urgency: wording.Urgency | None = None,
) -> Entry:
    """Give an entry its key, its promotion, and the commit that moves it at once."""
    key = expected_key(look.state, entry)
    entry = replace(entry, key=key, promotion=promotion_id(look.state.year, key))
    writer = ground.writer
    message = wording.move_message(
        entry, folder=writer.folder, tip=ground.tip, proof=writer.proof(ground.tip), urgency=urgency
    )
    return replace(entry, commit=writer.build(parent, edits, message=message, at=look.at))


def _moves(look: Survey, ground: Ground, end_: Oid) -> tuple[RefUpdate, ...]:
    if end_ == look.tips.target:
        return ()
    return (RefUpdate(f"refs/heads/{ground.branch}", look.tips.target, end_),)


def _point(look: Survey, end_: Oid) -> str:
    return "branch" if end_ == look.tips.target else "bump"


def _made_room(look: Survey, rule: EffectiveRule) -> tuple[Entry, ...]:
    """End what is open there, where nobody has approved it, or what waits for a person's merge. Raises: Declined."""
    before = tuple(
        entry for one in under_way(look, rule) for entry in withdrawal(look, one.environment, one.service)
    )
    _refuse_merging(look, rule)
    found = under_way(look, rule)
    if before:  # the way back waits for nobody who might merge it (promise 6)
        return (*before, *(end(look, one, "closed", "a rollback took its place") for one in found))
    for live in found:
        if live.approvals and not live.is_rollback:
            detail = f"{live.version} has approvals as {live.id}; cancel or reject it first"
            raise Declined(NotRecorded(code=Code.OPEN_ELSEWHERE, detail=detail, choices=(live.id,)))
    return tuple(end(look, live, "superseded") for live in found)


def _refuse_merging(look: Survey, rule: EffectiveRule) -> None:
    for live in under_way(look, rule):
        if live.stage is not Stage.OPEN:
            detail = f"{live.version} is being merged as {live.id}"
            raise Declined(NotRecorded(code=Code.MERGING, detail=detail))


def group_target(look: Survey, rule: EffectiveRule) -> tuple[tuple[str, Images], ...]:
    """Return what ran before of each member that a group's last move there moved; others stay. Raises: Declined."""
    environment = rule.environment.name
    names = last_moved(look.state, environment, [one.service.name for one in rule.parts])
    if not names:
        detail = f"no service of {rule.service.name} has moved in {environment}"
        raise Declined(NotRecorded(code="nothing-to-roll-back", detail=detail))
    return tuple((name, rollback_target(look, environment, name, "")) for name in names)


def rollback_target(look: Survey, environment: str, service: str, version: str) -> Images:
    """Return what ran there before, the last other version or a named one; a digest may be unknown.

    Raises: Declined.
    """
    place = (environment, service)
    meant = look.world.rules.service_in(*place)
    current = called(meant, look.world.pin(*place).image)
    stood = [move.image for move in look.state.moves.get(place, ())]
    stood = [look.world.baseline.get(place, ()), *stood]
    upstream = (environment, *look.world.rules.upstream(environment))
    for images in filter(None, reversed(stood)):
        if (not is_meant(meant, images, version)) if version else (called(meant, images) == current):
            continue
        if meant and meant.versions.followed and not is_exact(images):
            continue  # nobody knows what the tag named then
        block = look.state.block_on(upstream, service, images)
        if block is None:
            return images
        if version:
            detail = f"{version} is blocked: {block.note or block.why}"
            raise Declined(NotRecorded(code=Code.BLOCKED, detail=detail))
    code = "unknown-version" if version else "nothing-to-roll-back"
    ran = dict.fromkeys(called(meant, images) for images in reversed(stood) if images)
    tags = tuple(one for one in ran if one != current)
    raise Declined(
        NotRecorded(
            code=code,
            detail=f"{version} has not run in {environment}"
            if version
            else f"nothing else ran in {environment}",
            choices=tags,
        )
    )
