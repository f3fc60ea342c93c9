"""What a person's word becomes: entries and branches that go out together. The validator says whether it may."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from bot import wording
from bot.answers import NotRecorded
from bot.ledger import Proposal
from bot.looking.survey import Survey
from bot.promoting.poller import Writer, rule_at, standing
from bot.promoting.regrouped import instead
from bot.promoting.withdrawal import withdrawal
from bot.repository.objects import Oid
from bot.repository.push import RefUpdate
from policies.canonical import Json
from policies.codes import Code
from policies.entries.change import change_hash
from policies.entries.entry import Bot, By, Entry, Kind, Member, Pinned, shares, write_time
from policies.entries.promotion import version_of
from policies.errors import PolicyError
from policies.gates import Case, merge_within
from policies.ledger.digest_versions import called, is_meant
from policies.ledger.keys import expected_key, promotion_id
from policies.ledger.state import LIFTS, Promotion, Stage
from policies.rules.rules import EffectiveRule, Service, moving_rule
from policies.texts.edit import Edit
from policies.verdict import Passed
from policies.words import (
    Approve,
    Block,
    Cancel,
    Freeze,
    Hold,
    Reject,
    Resume,
    Unapprove,
    Unblock,
    Unfreeze,
)

Images = tuple[Pinned, ...]  # of one service: all have one version


class Declined(Exception):  # noqa: N818  an answer on its way to the person who asked, not a fault
    """The word cannot become an entry; the answer says why."""

    def __init__(self, answer: NotRecorded) -> None:
        self.answer = answer
        super().__init__(answer.code)


@dataclass(frozen=True, slots=True)
class Said:
    """Who says it, with the evidence of who they are; ``trigger`` is the click's own id."""

    by: By
    evidence: Mapping[str, Json]
    trigger: str


def branch_of(promotion: str, environment: str, service: str) -> str:
    """Return the short name of a promotion's branch."""
    return f"countersign/{environment}/{service}/{promotion}"


def rule_of(look: Survey, environment: str, service: str) -> EffectiveRule:
    """Return the effective rule. Raises: Declined."""
    rule = moving_rule(look.world.rules, environment, service)
    if rule is None and (group := look.world.rules.moves_with(environment, service)):
        raise Declined(in_group(environment, service, group))
    if rule is None:
        raise Declined(NotRecorded(code=Code.NO_RULE, detail=f"no rule covers {service} in {environment}"))
    return rule


def in_group(environment: str, service: str, group: str) -> NotRecorded:
    """Answer who asks for a part of a group: it moves whole, under the group's name."""
    return NotRecorded(
        code=Code.IN_GROUP, detail=f"{service} moves with {group} in {environment}", choices=(group,)
    )


def edits_of(
    look: Survey, writer: Writer, rule: EffectiveRule, image: Images, members: tuple[Member, ...] = ()
) -> tuple[Edit, ...]:
    """Return what would be replaced. Raises: Declined."""
    for part in rule.moving([one.service for one in members]):
        place = look.place(part.environment.name, part.service.name)
        if place.pin.problem:
            raise Declined(NotRecorded(code=place.pin.problem, detail=place.pin.detail))
    try:
        edits = writer.edits_of(look.place, rule, image, members)
    except PolicyError as error:
        raise Declined(NotRecorded(code=Code.UNREADABLE, detail=str(error))) from error
    if not edits:
        said = version_of(shares(rule.service.name, members, image, ()), rule.service.name if members else "")
        raise Declined(NotRecorded(code=Code.CURRENT, detail=f"{said} is what stands there now"))
    return edits


def refuse_observed(rule: EffectiveRule) -> None:
    """Refuse to write about an environment that is only observed. Raises: Declined."""
    if rule.environment.is_observed:
        raise Declined(NotRecorded(code=Code.OBSERVED, detail=f"{rule.environment.name} is only observed"))


def propose(
    look: Survey,
    writer: Writer,
    said: Said,
    *,
    rule: EffectiveRule,
    image: Images,
    note: str,
    members: tuple[Member, ...] = (),
) -> Proposal:
    """Ask for a version, or for that of each of a group's members: an open one that nobody approved makes room.

    Raises: Declined.
    """
    refuse_observed(rule)
    if not rule.environment.has_promotions:
        detail = f"{rule.environment.name} moves by itself"
        raise Declined(NotRecorded(code=Code.NOT_GUARDED, detail=detail))
    return proposal(
        look, writer, said.by, rule=rule, image=image, members=members, evidence=said.evidence, note=note
    )


def proposal(
    look: Survey,
    writer: Writer,
    by: Bot | By,
    *,
    rule: EffectiveRule,
    image: Images,
    evidence: Mapping[str, Json],
    members: tuple[Member, ...] = (),
    note: str = "",
    why: str = "",
) -> Proposal:
    """Return the entry that asks for a version, and its branch. Raises: Declined."""
    environment, service = rule.environment.name, rule.service.name
    edits = edits_of(look, writer, rule, image, members)
    ended = make_room(look, rule, image)
    entry = Entry(
        kind=Kind.PROPOSE,
        at=write_time(look.at),
        key="",
        by=by,
        environment=environment,
        service=service,
        group=service if members else "",
        members=members,
        image=image,
        previous=standing(look, environment, service, members),
        change=change_hash(edits),
        rule=rule_at(look, rule),
        evidence=evidence,
        note=note,
        why=why,
    )
    entry, update = with_branch(look, writer, entry, edits)
    return Proposal((*ended, entry), (update,), "branch")


def make_room(look: Survey, rule: EffectiveRule, image: Images) -> tuple[Entry, ...]:
    """End what is open there and approved by nobody. Raises: Declined where somebody has to decide."""
    found = under_way(look, rule)
    for live in found:
        if live.stage is not Stage.OPEN or live.approvals or live.image == image:
            detail = f"{live.version} is under way as {live.id}"
            raise Declined(NotRecorded(code=Code.OPEN_ELSEWHERE, detail=detail, choices=(live.id,)))
    return tuple(end(look, live, "superseded") for live in found)


def under_way(look: Survey, rule: EffectiveRule) -> tuple[Promotion, ...]:
    """Return what is under way in a place: of a group also what began there when its members moved alone."""
    names = (rule.service.name, *(one.service.name for one in rule.parts))
    found = [look.state.live_at(rule.environment.name, name) for name in names]
    return tuple({one.id: one for one in found if one}.values())


def end(look: Survey, promotion: Promotion, why: str, note: str = "") -> Entry:
    """Return the entry that ends a promotion early, applied to the look's state."""
    entry = Entry(
        kind=Kind.ENDED,
        at=write_time(look.at),
        key=f"ended/{promotion.id}",
        environment=promotion.environment,
        service=promotion.service,
        group=promotion.group,
        promotion=promotion.id,
        why=why,
        note=note,
    )
    look.state.apply(replace(entry, seq=look.state.seq + 1), look.state.tip)
    return entry


def with_branch(
    look: Survey, writer: Writer, entry: Entry, edits: tuple[Edit, ...]
) -> tuple[Entry, RefUpdate]:
    """Give a proposal its key, its promotion, and the head that goes out with it."""
    key = expected_key(look.state, entry)
    promotion = promotion_id(look.state.year, key)
    message = wording.branch_message(promotion, wording.subject_of(entry))
    head = writer.build(look.tips.target, edits, message=message, at=look.at)
    branch = branch_of(promotion, entry.environment, entry.service)
    update = RefUpdate(f"refs/heads/{branch}", look.tips.promotions.get(branch), head)
    return replace(entry, key=key, promotion=promotion, head=head), update


def judge(
    look: Survey, said: Said, word: Approve | Unapprove | Reject | Cancel, promotion: Promotion
) -> Proposal:
    """Turn a word about a promotion into its entry. Raises: Declined."""
    if not promotion.is_live:
        raise Declined(over(look, promotion))
    about = Entry(
        kind=_KINDS[type(word)],
        at=write_time(look.at),
        key="",
        by=said.by,
        environment=promotion.environment,
        service=promotion.service,
        group=promotion.group,
        promotion=promotion.id,
        evidence=said.evidence,
        note=word.note,
    )
    if isinstance(word, Approve | Unapprove):
        rule = rule_of(look, promotion.environment, promotion.service)
        about = replace(about, change=promotion.change, rule=rule_at(look, rule))
    if isinstance(word, Approve):
        if word.change and not promotion.change.startswith(word.change):
            raise Declined(NotRecorded(code=Code.CHANGE_MOVED, detail="the card showed another change"))
        renewed = _renewed(look, rule, promotion, said)
        evidence = {**said.evidence, "renews": renewed} if renewed else said.evidence
        about = replace(about, image=promotion.image, head=promotion.head, evidence=evidence)
    about = replace(about, key=expected_key(look.state, about))
    if about.key in look.state.keys:  # it was said before: nothing is taken back for it
        return Proposal((about,))
    return Proposal((*withdrawal(look, promotion.environment, promotion.service), about))


def over(look: Survey, promotion: Promotion) -> NotRecorded:
    """Answer who decides about a promotion too late."""
    group = instead(look.world.rules, promotion)
    return NotRecorded(
        code=Code.CLOSED,
        detail=f"the promotion is {promotion.stage}",
        choices=(group,) if group else (),
        ended=promotion,
    )


def _renewed(look: Survey, rule: EffectiveRule, promotion: Promotion, said: Said) -> int:
    """Return the number of the person's own approval that they give anew; 0 where it needs no go, or is their first."""
    mine = next((one for one in promotion.approvals if one.by.person == said.by.person), None)
    cases = cases_under_way(look, rule, promotion)
    return mine.seq if mine and not all(isinstance(merge_within(one), Passed) for one in cases) else 0


def cases_under_way(look: Survey, rule: EffectiveRule, promotion: Promotion) -> tuple[Case, ...]:
    """Return what gates that need nothing from outside are asked of a promotion: a case for each service that moves."""
    moves = {one.service: one for one in promotion.shares}
    return tuple(
        Case(
            look.world.rules,
            part,
            look.state,
            moves[part.service.name].image,
            moves[part.service.name].previous,
            look.at,
            promotion=promotion,
        )
        for part in rule.moving([one.service for one in promotion.members])
    )


_KINDS: Mapping[type, Kind] = {
    Approve: Kind.APPROVE,
    Unapprove: Kind.UNAPPROVE,
    Reject: Kind.REJECT,
    Cancel: Kind.CANCEL,
}


def stand(
    look: Survey,
    said: Said,
    word: Hold | Resume | Block | Unblock | Freeze | Unfreeze,
    seen: Collection[int] | None = None,
) -> Proposal:
    """Turn a hold, block, freeze, or what lifts one, into its entries. Raises: Declined.

    ``seen``: the numbers of the holds that the person was told of; nothing = of all that stand in this look.
    """
    base = Entry(
        kind=_STANDING[type(word)],
        at=write_time(look.at),
        key="",
        by=said.by,
        trigger=said.trigger,
        evidence=said.evidence,
        note=word.note,
    )
    if isinstance(word, Hold | Freeze) and word.until:
        base = replace(base, until=write_time(word.until))
    entries = [replace(base, **about) for about in _about(look, word)]  # type: ignore[arg-type]  # named below
    if isinstance(word, Resume):
        entries = [
            replace(one, evidence={**one.evidence, LIFTS: [*_lifts(look, word, one.service, seen)]})
            for one in _with_holds(look, word, entries, seen)
        ]
    return Proposal(tuple(replace(one, key=expected_key(look.state, one)) for one in entries))


_STANDING: Mapping[type, Kind] = {
    Hold: Kind.HOLD,
    Resume: Kind.RESUME,
    Block: Kind.BLOCK,
    Unblock: Kind.UNBLOCK,
    Freeze: Kind.FREEZE,
    Unfreeze: Kind.UNFREEZE,
}


def _about(
    look: Survey, word: Hold | Resume | Block | Unblock | Freeze | Unfreeze
) -> list[dict[str, object]]:
    match word:
        case Hold() | Resume():
            members = look.world.rules.groups.get(word.service, (word.service,))
            return [{"service": one, "environment": word.environment} for one in members]
        case Block() | Unblock():
            service = look.world.rules.services.get(word.service)
            if service is None:
                raise Declined(
                    NotRecorded(
                        code="unknown-service",
                        detail=word.service,
                        choices=look.world.rules.groups.get(word.service) or tuple(look.world.rules.services),
                    )
                )
            return [{"service": word.service, "image": (_blocked(look, service, word.version),)}]
        case Freeze():
            names = (
                tuple(look.world.rules.environments) if word.environments == ("all",) else word.environments
            )
            return [{"environment": name} for name in names]
        case Unfreeze():
            return [{"environment": word.environment}]


def _with_holds(
    look: Survey, word: Resume, entries: list[Entry], seen: Collection[int] | None
) -> list[Entry]:
    """Return the entries that lift something; all where none does, and the validator says why."""
    return [one for one in entries if _lifts(look, word, one.service, seen)] or entries


def _lifts(look: Survey, word: Resume, service: str, seen: Collection[int] | None) -> tuple[int, ...]:
    """Return the numbers of the holds that a person lifts: those by people, and those by the bot that they saw."""
    return tuple(
        sorted(
            one.seq
            for (where, name), one in look.state.holds.items()
            if name == service
            and word.environment in {"", where}
            and one.is_on(look.at)
            and (seen is None or one.seq in seen or isinstance(one.by, By))
        )
    )


def _blocked(look: Survey, service: Service, said: str) -> Pinned:
    """Return what a block is of: a tag, whatever it names; of a tag that moves one digest. Raises: Declined."""
    if not service.versions.followed or said == service.versions.followed:
        return Pinned(service.image, said)
    seen = [Pinned(one.repository, one.tag, one.digest) for one in look.state.sighted.get(service.name, ())]
    moves = (move for (_, name), them in look.state.moves.items() if name == service.name for move in them)
    ran = (one for move in moves for one in move.image)
    found = list(dict.fromkeys(one for one in (*seen, *ran) if is_meant(service, (one,), said)))
    if len(found) != 1:
        choices = tuple(called(service, (one,)) for one in found or reversed(seen))[:3]
        raise Declined(NotRecorded(code="unknown-version", detail=said, choices=choices))
    return found[0]


def head_branch(promotion: Promotion) -> str:
    """Return the short name of a promotion's branch."""
    return branch_of(promotion.id, promotion.environment, promotion.service)


def _as_now(images: Images, digests: Sequence[str]) -> Images:
    """Return images with the digests that the registry says now; '' = it did not say."""
    pairs = zip(images, digests, strict=True)
    return tuple(replace(image, digest=digest) if digest else image for image, digest in pairs)


def moved(look: Survey, writer: Writer, promotion: Promotion, digests: Sequence[str]) -> Proposal:
    """Void a promotion whose change or rule is another one now, with the head that shows the new one; else nothing.

    ``digests`` are what the registry says of the tag now, by image ('' = it did not say). Raises: Declined.
    """
    rule = rule_of(look, promotion.environment, promotion.service)
    image = promotion.image if promotion.is_rollback else _as_now(promotion.image, digests)
    edits = edits_of(look, writer, rule, image, promotion.members)
    change, at = change_hash(edits), rule_at(look, rule)
    if change == promotion.change and at.hash == promotion.rule.hash:
        return Proposal()
    if change == promotion.change:
        why, voided = Code.RULE_MOVED, promotion.rule.hash
    else:
        why, voided = (
            (Code.DIGEST_MOVED if image != promotion.image else Code.CHANGE_MOVED),
            promotion.change,
        )
    key = f"void/{promotion.id}/{voided}"
    if key in look.state.keys:  # it went there and back: nobody should have to follow that
        return Proposal((end(look, promotion, "closed"),))
    previous = standing(look, promotion.environment, promotion.service, promotion.members)
    first = wording.subject_of(replace(promotion, image=image, previous=previous))
    head = writer.build(
        look.tips.target, edits, message=wording.branch_message(promotion.id, first), at=look.at
    )
    entry = Entry(
        kind=Kind.VOID,
        at=write_time(look.at),
        key=key,
        environment=promotion.environment,
        service=promotion.service,
        group=promotion.group,
        members=promotion.members,
        promotion=promotion.id,
        image=image,
        previous=previous,
        change=change,
        rule=at,
        head=head,
        voided=voided,
        why=why.value,
    )
    branch = head_branch(promotion)
    return Proposal(
        (entry,), (RefUpdate(f"refs/heads/{branch}", look.tips.promotions.get(branch), Oid(head)),), "branch"
    )
