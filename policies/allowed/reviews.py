"""Whether a word that was given at the forge is what it says: this person's, of this change, as it was looked up."""

from collections.abc import Mapping

from policies.allowed.asked import Asked, No, Refusal
from policies.allowed.speakers import by_person, looked_up, may_speak
from policies.canonical import Json, canonical
from policies.codes import Code
from policies.entries.entry import By, Kind
from policies.entries.membership import is_fresh
from policies.entries.promotion import Approval
from policies.entries.reviews import Attested, ReviewState, is_by_review, review_in
from policies.ledger.people import known

FORGE_FLAGS: Mapping[str, Json] = {"active": True, "bot": False}

_SAYS: Mapping[Kind, frozenset[ReviewState]] = {
    Kind.APPROVE: frozenset({ReviewState.APPROVED}),
    Kind.REJECT: frozenset({ReviewState.CHANGES_REQUESTED}),
    # taken back; or given where a press or an older review stands, which it replaces
    Kind.UNAPPROVE: frozenset({ReviewState.DISMISSED, ReviewState.APPROVED}),
}


def may_review(flags: Json | None) -> bool:
    """Whether a forge account, as it was looked up, is an active person's: compared as written."""
    return isinstance(flags, Mapping) and canonical(dict(flags)) == canonical(dict(FORGE_FLAGS))


def by_voter(asked: Asked) -> No:
    """Is it a linked human, by a press in Slack or by a review at the forge?"""
    yield from by_reviewer(asked) if is_by_review(asked.entry) else by_person(asked)


def by_reviewer(asked: Asked) -> No:
    """Is it a review of this very promotion, by exactly this account, which is the person's?"""
    by, review = asked.entry.by, review_in(asked.entry.evidence)
    if not isinstance(by, By) or asked.rules is None:
        yield Refusal(Code.UNKNOWN_PERSON, "a review is a person's")
        return
    if review is None or not is_fresh(review.looked, asked.entry.time):
        yield Refusal(
            Code.NOT_ATTESTED, "nothing in the entry shows the review, as it was looked up just then"
        )
        return
    yield from _whose(asked, by, review)
    yield from _what(asked, by, review)


def _whose(asked: Asked, by: By, review: Attested) -> No:
    """Is the account that reviewed the one that the person has?"""
    rules, state = asked.rules, asked.state
    person = known(rules, state.links, state.forge_ids, by.person) if rules else None
    if (review.user, review.login) != (by.forge_id, by.forge_login):
        theirs, said = f"{review.login} ({review.user})", f"{by.forge_login} ({by.forge_id})"
        yield Refusal(Code.UNKNOWN_PERSON, f"the review is by {theirs}, not by {said}")
    if person is None or not person.owns(by.forge_id, by.forge_login):
        yield Refusal(Code.UNKNOWN_PERSON, f"nobody linked {by.person} to {by.forge_login} ({by.forge_id})")
    if person and person.domain:
        yield Refusal(
            Code.MATCHED, f"{by.person} is known by an address; they approve in Slack, or link themselves"
        )
    if by.slack_user or by.slack_team:
        yield Refusal(Code.OUT_OF_LINE, "a review is given at the forge, by an account of the forge")
    if not may_review(asked.entry.evidence.get("forge_account")):
        yield Refusal(Code.ACCOUNT, f"expected {by.forge_login} to be an active person's account")
    if person and person.slack and not may_speak(asked.entry.evidence.get("account")):
        yield Refusal(Code.ACCOUNT, f"the Slack account of {by.person} was not looked up, or may not speak")
    yield from looked_up(asked)


def _what(asked: Asked, by: By, review: Attested) -> No:
    """Is it about a head of this change, and does it say what the entry says?"""
    promotion, entry = asked.promotion, asked.entry
    if review.state not in _SAYS.get(entry.kind, frozenset()):
        yield Refusal(Code.NOT_ATTESTED, f"a review that is {review.state} is no word to {entry.kind}")
    if promotion is None:
        return
    stands = next((one for one in promotion.approvals if one.by.person == by.person), None)
    if entry.kind is Kind.UNAPPROVE and not _undoes(review, stands):
        yield Refusal(Code.NOT_ATTESTED, "it is not the review that stands as this approval")
    elif entry.kind is not Kind.UNAPPROVE and review.commit not in promotion.heads:
        yield Refusal(
            Code.HEAD_MOVED, f"the review is of {review.commit[:12] or 'no commit'}, another content"
        )


def _undoes(review: Attested, stands: Approval | None) -> bool:
    """Whether a review was taken back that stands as an approval, or may take the place of what stands."""
    if stands is None:
        return False
    return stands.review == review.id if review.state is ReviewState.DISMISSED else stands.review != review.id
