"""Add up promotions and moves: what each kind of entry about one does to the tables."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from policies.entries import gate_notes, stood
from policies.entries.authors import MOVERS, Authors
from policies.entries.entry import By, Entry, Kind, Share, content_of, parse_time
from policies.entries.promotion import ENDINGS, TRANSITIONS, Approval, Promotion, Stage, part_in
from policies.entries.remembered import Fortune, Move, Open, Standing
from policies.entries.reviews import is_by_review, review_in
from policies.entries.tables import Apply, Tables
from policies.growing import Trail
from policies.ledger.by_hand import clears, merged_by
from policies.ledger.rollout import lent

ENDED_BY_EMERGENCY = "emergency"  # why a promotion made room


def moved(state: Tables, entry: Entry, moves: Iterable[Share]) -> None:
    """Add a move to each place that it is about."""
    promotion = state.promotions.get(entry.promotion)
    for one in moves:
        where = (entry.environment, one.service)
        move = Move(
            one.image,
            one.previous,
            entry.commit,
            entry.time,
            entry.seq,
            entry.kind,
            entry.promotion,
            entry.group,
        )
        state.moves[where] = (state.moves.get(where) or Trail()).and_then(move)
        if promotion and promotion.is_rollback:
            left = [image for image in one.previous if image not in one.image]
            state.note(where, left, Fortune.BACK, at=entry.time, seq=entry.seq)
        state.note(where, one.image, Fortune.MOVED, at=entry.time, seq=entry.seq)


def _bump(state: Tables, entry: Entry, _oid: str) -> None:
    for one in entry.each:
        moved(state, one, one.shares)


def _propose(state: Tables, entry: Entry, _oid: str) -> None:
    if entry.rule is None:
        return
    state.promotions[entry.promotion] = Promotion(
        id=entry.promotion,
        kind=entry.kind,
        environment=entry.environment,
        service=entry.service,
        image=entry.image,
        previous=entry.previous,
        change=entry.change,
        rule=entry.rule,
        head=entry.head,
        heads=(entry.head,) if entry.head else (),
        authors=Authors.attested(entry.evidence),
        by=entry.speaker,
        opened=entry.time,
        note=entry.note,
        seq=entry.seq,
        approvals=_lent(state, entry),
        members=entry.members,
    )
    for service in (entry.service, *(one.service for one in entry.members)):
        state.live[entry.environment, service] = entry.promotion
    counted = f"{entry.kind}/{entry.environment}/{entry.service}/{_digests(entry)}"
    state.counts[counted] = state.count(counted) + 1


def _lent(state: Tables, entry: Entry) -> tuple[Approval, ...]:
    """Return the approvals that a proposal brings along from where its rule takes them."""
    found = state.promotions.get(lent(entry))
    return found.approvals if found else ()


def _digests(entry: Entry) -> str:
    """Return the digests that the key names: those proposed, or for a rollback those left."""
    return content_of(entry.previous if entry.kind is Kind.ROLLBACK else entry.image, entry.group)


def _rollback(state: Tables, entry: Entry, oid: str) -> None:
    _asked_for(state, entry, oid)
    blocked = Standing(entry.speaker, entry.time, entry.note, "rolled-back", None, entry.seq)
    for one in entry.shares:
        for left in one.previous:
            state.blocks.setdefault((entry.environment, one.service, left), blocked)
    if entry.until:
        _reviewed_later(state, entry)
    _at_once(state, entry)


def _asked_for(state: Tables, entry: Entry, oid: str) -> None:
    """Open its own proposal, which fills a line for the person who asks."""
    _propose(state, entry, oid)
    if isinstance(entry.by, By):
        approval = Approval(entry.by, entry.time, entry.seq)
        _change(state, entry, approvals=(approval,))


def _at_once(state: Tables, entry: Entry) -> None:
    if entry.commit:  # without approvals it stands in the place of `bump`
        _end(state, entry, Stage.LANDED, commit=entry.commit)
        moved(state, entry, entry.shares)


def _emergency(state: Tables, entry: Entry, oid: str) -> None:
    for name in (entry.service, *(one.service for one in entry.members)):
        live = state.live_at(entry.environment, name)
        if live and live.stage is Stage.OPEN:  # it takes the place of what is open there
            _close(state, entry, live, Stage.SUPERSEDED, why=ENDED_BY_EMERGENCY)
    _asked_for(state, entry, oid)
    _reviewed_later(state, entry)
    _at_once(state, entry)


def _reviewed_later(state: Tables, entry: Entry) -> None:
    """Open the review of what is done at somebody's word."""
    state.open[entry.seq] = Open(
        entry.kind,
        entry.environment,
        entry.service,
        entry.commit,
        entry.time,
        due=parse_time(entry.until) if entry.until else None,
        promotion=entry.promotion,
    )


def _approve(state: Tables, entry: Entry, _oid: str) -> None:
    promotion = state.promotion_of(entry)
    if promotion and isinstance(entry.by, By):
        who = entry.by.person
        others = tuple(one for one in promotion.approvals if one.by.person != who)
        _undone(
            state, promotion, set(promotion.approvals) - set(others)
        )  # renewed: the new word takes its place
        review = review_in(entry.evidence) if is_by_review(entry) else None
        given = Approval(entry.by, entry.time, entry.seq, review.id if review else 0)
        _change(state, entry, approvals=(*others, given))


def _unapprove(state: Tables, entry: Entry, _oid: str) -> None:
    promotion = state.promotion_of(entry)
    if promotion and isinstance(entry.by, By):
        who = entry.by.person
        _undone(state, promotion, [one for one in promotion.approvals if one.by.person == who])
        _change(state, entry, approvals=tuple(one for one in promotion.approvals if one.by.person != who))


def _void(state: Tables, entry: Entry, _oid: str) -> None:
    promotion = state.promotion_of(entry)
    if promotion and entry.rule:
        _undone(state, promotion, promotion.approvals)
        _change(
            state,
            entry,
            approvals=(),
            change=entry.change,
            rule=entry.rule,
            image=entry.image,
            previous=entry.previous,
            head=entry.head,
            heads=(entry.head,),
            attempts=0,
            refreshed=entry.time,
            why=entry.why,
        )


def _undone(state: Tables, promotion: Promotion, approvals: Iterable[Approval]) -> None:
    for one in approvals:
        counted = f"undone/{promotion.id}/{promotion.change}/{promotion.rule.hash}/{one.by.person}"
        state.counts[counted] = state.count(counted) + 1


def _rebased(state: Tables, entry: Entry, _oid: str) -> None:
    promotion = state.promotion_of(entry)
    heads = (*promotion.heads, entry.head) if promotion else ()
    _change(state, entry, head=entry.head, heads=heads, attempts=0)


def _intent(state: Tables, entry: Entry, oid: str) -> None:
    cleared = entry.time if clears(entry) else None
    gates = gate_notes.read(entry.evidence)
    _step(state, entry, intent=oid, intent_key=entry.key, gates=gates, cleared=cleared)


def _abort(state: Tables, entry: Entry, _oid: str) -> None:
    counted = f"abort/{entry.promotion}/{entry.head}"
    state.counts[counted] = state.count(counted) + 1
    promotion = state.promotion_of(entry)
    if promotion is None:
        return
    if promotion.cleared:  # nobody tried: what people might have merged is taken back
        _step(state, entry, why=entry.why, cleared=None)
        stood.forget(state)
        return
    asked = entry.evidence.get("reviews")
    reviews = asked if isinstance(asked, int) else 0
    attempts = promotion.attempts + 1
    _step(state, entry, why=entry.why, attempts=attempts, attempted=entry.time, reviews=reviews)


def _merged(state: Tables, entry: Entry, _oid: str) -> None:
    who = merged_by(entry.evidence)
    _step(state, entry, commit=entry.commit, merger=who.login if who else "")
    stood.forget(state)


def _landed(state: Tables, entry: Entry, _oid: str) -> None:
    promotion = state.promotion_of(entry)
    if promotion:
        _end(state, entry, Stage.LANDED, commit=entry.commit)
        moved(state, entry, promotion.shares)


def _mismatch(state: Tables, entry: Entry, _oid: str) -> None:
    _end(state, entry, Stage.MISMATCH, commit=entry.commit, why=entry.why)
    stood.note(state, (entry.environment, "", None), state.freezes.get(entry.environment), entry.time)
    state.freezes[entry.environment] = Standing(entry.speaker, entry.time, "", "mismatch", None, entry.seq)
    promotion = state.promotion_of(entry)
    people = part_in(promotion) if promotion else frozenset()
    state.open[entry.seq] = Open(
        entry.kind,
        entry.environment,
        entry.service,
        entry.commit,
        entry.time,
        people,
        promotion=entry.promotion,
        movers=Authors.attested(entry.evidence, MOVERS),
    )


def _reject(state: Tables, entry: Entry, _oid: str) -> None:
    _end(state, entry, Stage.REJECTED)


def _cancel(state: Tables, entry: Entry, _oid: str) -> None:
    _end(state, entry, Stage.CANCELLED)


def _ended(state: Tables, entry: Entry, _oid: str) -> None:
    _end(state, entry, ENDINGS.get(entry.why, Stage.CLOSED), why=entry.why)


def _change(state: Tables, entry: Entry, **fields: object) -> None:
    promotion = state.promotion_of(entry)
    if promotion:
        state.promotions[promotion.id] = replace(promotion, **fields)  # type: ignore[arg-type]  # named by this module


def _step(state: Tables, entry: Entry, **fields: object) -> None:
    promotion = state.promotion_of(entry)
    if promotion:
        _change(state, entry, stage=TRANSITIONS.get((promotion.stage, entry.kind), promotion.stage), **fields)


def _end(state: Tables, entry: Entry, stage: Stage, **fields: object) -> None:
    if promotion := state.promotion_of(entry):
        _close(state, entry, promotion, stage, ended_note=entry.note, **fields)


def _close(state: Tables, entry: Entry, promotion: Promotion, stage: Stage, **fields: object) -> None:
    said = {"stage": stage, "ended_by": entry.speaker, "done": entry.time, **fields}
    state.promotions[promotion.id] = replace(promotion, **said)  # type: ignore[arg-type]  # named by this module
    if stage not in {Stage.LANDED, Stage.MISMATCH}:
        if promotion.is_apart:
            state.open.pop(promotion.seq, None)  # what did not happen needs no review
        for place in [place for place, standing in state.blocks.items() if standing.seq == promotion.seq]:
            del state.blocks[place]  # a rollback that did not happen blocks nothing
    for service in (promotion.service, *(one.service for one in promotion.members)):
        if state.live.get((promotion.environment, service)) == promotion.id:
            del state.live[promotion.environment, service]


APPLY: Mapping[Kind, Apply] = {
    Kind.BUMP: _bump,
    Kind.PROPOSE: _propose,
    Kind.APPROVE: _approve,
    Kind.UNAPPROVE: _unapprove,
    Kind.REJECT: _reject,
    Kind.CANCEL: _cancel,
    Kind.REBASED: _rebased,
    Kind.INTENT: _intent,
    Kind.ABORT: _abort,
    Kind.VOID: _void,
    Kind.ENDED: _ended,
    Kind.MERGED: _merged,
    Kind.LANDED: _landed,
    Kind.MISMATCH: _mismatch,
    Kind.ROLLBACK: _rollback,
    Kind.EMERGENCY: _emergency,
}
