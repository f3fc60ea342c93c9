"""Whether an entry is allowed where it stands. Authorisation lives here and in the modules named below (version 1)."""

from datetime import datetime, timedelta

from policies.allowed import emergency as allowed_emergency
from policies.allowed import facts as allowed_facts
from policies.allowed import groups as allowed_groups
from policies.allowed import health as allowed_health
from policies.allowed import identity as allowed_identity
from policies.allowed import merges as allowed_merges
from policies.allowed import moves as allowed_moves
from policies.allowed import repair as allowed_repair
from policies.allowed import reviews as allowed_reviews
from policies.allowed import speakers as allowed_speakers
from policies.allowed import standing as allowed_standing
from policies.allowed import words as allowed_words
from policies.allowed.asked import Asked, Book, Check, No, Refusal
from policies.allowed.speakers import ACCOUNT_FLAGS
from policies.codes import Code
from policies.entries.carried import first_number
from policies.entries.entry import Entry, Kind
from policies.ledger.keys import expected_key
from policies.ledger.state import Promotion, Stage, State
from policies.rules.rules import Rules

__all__ = ["ACCOUNT_FLAGS", "Book", "Refusal", "every_refusal", "refuse"]

MAX_SKEW = timedelta(minutes=5)  # between the clocks of two replicas; the order itself comes from the chain


def refuse(state: State, entry: Entry, book: Book) -> Refusal | None:
    """Return why an entry may not follow this state, or nothing where it may."""
    return next(_refusals(state, entry, book), None)


def every_refusal(state: State, entry: Entry, book: Book) -> list[Refusal]:
    """Return all that speaks against an entry where it stands."""
    return list(_refusals(state, entry, book))


def _refusals(state: State, entry: Entry, book: Book) -> No:
    asked = Asked(state, entry, book, _rules_in_force(state, book))
    yield from _place(asked)
    yield from allowed_groups.named(asked)
    yield from _WHO[entry.kind](asked)
    yield from _CHECKS[entry.kind](asked)


def _rules_in_force(state: State, book: Book) -> Rules | None:
    return book.rules(state.rules.commit) if state.rules else None


def _place(asked: Asked) -> No:
    """Is it in line: number, parent, key?"""
    entry, state = asked.entry, asked.state
    seq = state.seq + 1 if state.seq else first_number(entry.carried)
    if entry.seq != seq or entry.prev != state.tip:
        yield Refusal(Code.OUT_OF_LINE, f"it is #{entry.seq} after {entry.prev[:12]}, expected #{seq}")
    if (entry.kind is Kind.GENESIS) != (state.seq == 0):
        yield Refusal(Code.OUT_OF_LINE, "a branch begins with genesis, once")
    if entry.key in state.keys:
        yield Refusal(Code.OUT_OF_LINE, f"its key stands already at #{state.keys[entry.key]}")
    expected = expected_key(state, entry)
    if entry.key != expected:
        yield Refusal(Code.OUT_OF_LINE, f"its key is {entry.key[:120]}, expected {expected[:120]}")
    if asked.promotion and entry.time < _last_word(asked.promotion) - MAX_SKEW:
        yield Refusal(Code.OUT_OF_LINE, "it is older than what was said of the promotion before")


def _last_word(promotion: Promotion) -> datetime:
    times = [promotion.opened, promotion.refreshed, promotion.done, *(one.at for one in promotion.approvals)]
    return max(time for time in times if time)


_WHO: dict[Kind, Check] = {
    Kind.GENESIS: allowed_speakers.by_bot,
    Kind.RULES: allowed_speakers.by_bot,
    Kind.SEEN: allowed_speakers.by_bot,
    Kind.SHOWN: allowed_speakers.by_bot,
    Kind.BUMP: allowed_speakers.by_bot,
    Kind.PROPOSE: allowed_speakers.by_either,
    Kind.APPROVE: allowed_reviews.by_voter,
    Kind.UNAPPROVE: allowed_reviews.by_voter,
    Kind.REJECT: allowed_reviews.by_voter,
    Kind.CANCEL: allowed_speakers.by_person,
    Kind.REBASED: allowed_speakers.by_bot,
    Kind.INTENT: allowed_speakers.by_bot,
    Kind.ABORT: allowed_speakers.by_bot,
    Kind.VOID: allowed_speakers.by_bot,
    Kind.ENDED: allowed_speakers.by_bot,
    Kind.MERGED: allowed_speakers.by_bot,
    Kind.LANDED: allowed_speakers.by_bot,
    Kind.MISMATCH: allowed_speakers.by_bot,
    Kind.ROLLBACK: allowed_speakers.by_person,
    Kind.EXTERNAL: allowed_speakers.by_bot,
    Kind.REVIEW: allowed_speakers.by_person,
    Kind.HOLD: allowed_speakers.by_either,
    Kind.RESUME: allowed_speakers.by_person,
    Kind.BLOCK: allowed_speakers.by_either,
    Kind.UNBLOCK: allowed_speakers.by_person,
    Kind.FREEZE: allowed_speakers.by_either,
    Kind.UNFREEZE: allowed_speakers.by_person,
    Kind.REFUSED: allowed_speakers.by_bot,
    Kind.HEALTHY: allowed_speakers.by_bot,
    Kind.UNHEALTHY: allowed_speakers.by_bot,
    Kind.EMERGENCY: allowed_speakers.by_person,
    Kind.CONFIG: allowed_speakers.by_bot,
    Kind.IDENTITY: allowed_identity.by_themselves,
    Kind.CHECKPOINT: allowed_speakers.by_bot,
    Kind.REDACT: allowed_speakers.by_two,
    Kind.FORK: allowed_speakers.by_two,
    Kind.QUARANTINE: allowed_speakers.by_bot,
}

_CHECKS: dict[Kind, Check] = {
    Kind.GENESIS: allowed_facts.genesis,
    Kind.RULES: allowed_facts.rules,
    Kind.SEEN: allowed_facts.seen,
    Kind.SHOWN: allowed_facts.nothing,
    Kind.BUMP: allowed_moves.bump,
    Kind.PROPOSE: allowed_moves.propose,
    Kind.APPROVE: allowed_words.approve,
    Kind.UNAPPROVE: allowed_words.unapprove,
    Kind.REJECT: allowed_words.reject,
    Kind.CANCEL: allowed_words.cancel,
    Kind.REBASED: allowed_words.rebased,
    Kind.INTENT: allowed_merges.intent,
    Kind.ABORT: allowed_merges.at_stage(Stage.MERGING),
    Kind.VOID: allowed_words.void,
    Kind.ENDED: allowed_words.ended,
    Kind.MERGED: allowed_merges.merged,
    Kind.LANDED: allowed_merges.landed,
    Kind.MISMATCH: allowed_merges.landed,
    Kind.ROLLBACK: allowed_moves.rollback,
    Kind.EXTERNAL: allowed_facts.external,
    Kind.REVIEW: allowed_emergency.review,
    Kind.HOLD: allowed_standing.standing,
    Kind.RESUME: allowed_standing.lifted,
    Kind.BLOCK: allowed_standing.standing,
    Kind.UNBLOCK: allowed_standing.lifted,
    Kind.FREEZE: allowed_standing.standing,
    Kind.UNFREEZE: allowed_standing.lifted,
    Kind.REFUSED: allowed_facts.refused,
    Kind.HEALTHY: allowed_health.health,
    Kind.UNHEALTHY: allowed_health.health,
    Kind.EMERGENCY: allowed_emergency.emergency,
    Kind.CONFIG: allowed_facts.config,
    Kind.IDENTITY: allowed_repair.identity,
    Kind.CHECKPOINT: allowed_repair.checkpoint,
    Kind.REDACT: allowed_repair.redact,
    Kind.FORK: allowed_repair.fork,
    Kind.QUARANTINE: allowed_repair.quarantine,
}
