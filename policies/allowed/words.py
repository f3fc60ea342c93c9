"""Whether a word about a promotion stands: approve, unapprove, reject, cancel, rebased, void, ended."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from policies.allowed import groups as allowed_groups
from policies.allowed.asked import Asked, No, Refusal
from policies.allowed.cases import cases_of
from policies.allowed.humans import is_same_human, with_accounts, with_link
from policies.allowed.moves import bound, covered
from policies.allowed.speakers import noted
from policies.codes import Code
from policies.entries.entry import Bot, By, Entry
from policies.entries.reviews import is_by_review
from policies.gates import counts_presses, excluded_because, is_expired, lines_of, merge_within
from policies.ledger.people import is_one
from policies.ledger.state import ENDINGS, Promotion, Stage
from policies.ledger.tally import may_fill
from policies.rules.rules import AUTHORS, EffectiveRule
from policies.verdict import Passed

# until then whoever was linked could end what the rules cover no more
RULED_DECIDE: Final = datetime(2026, 11, 28, tzinfo=UTC)


def is_open(asked: Asked) -> No:
    """Is the promotion there, about the same place, and open for decisions?"""
    promotion, entry = asked.promotion, asked.entry
    if promotion is None:
        yield Refusal(Code.CLOSED, f"there is no promotion {entry.promotion}")
    elif (promotion.environment, promotion.service) != (entry.environment, entry.service):
        yield Refusal(Code.OUT_OF_LINE, "the promotion is about another place")
    elif promotion.stage is not Stage.OPEN:
        yield Refusal(Code.CLOSED, f"the promotion is {promotion.stage}")


def is_same_change(asked: Asked, *, image: bool = False) -> No:
    """Is it about the present change, rule and images?"""
    promotion, entry = asked.promotion, asked.entry
    if promotion is None:
        return
    if entry.change != promotion.change or (image and entry.image != promotion.image):
        yield Refusal(Code.CHANGE_MOVED, f"the change is {promotion.change[:12]}")
    if entry.rule is None or entry.rule.hash != promotion.rule.hash:
        yield Refusal(Code.RULE_MOVED, f"the promotion stands under rule {promotion.rule.hash[:12]}")


def by_approver(asked: Asked) -> No:
    """Does the rule let this person fill one of its lines?"""
    promotion, by = asked.promotion, asked.entry.by
    if promotion is None or not isinstance(by, By):
        return
    if asked.rule is None:
        if asked.entry.time >= RULED_DECIDE:
            yield Refusal(Code.NOT_AN_APPROVER, f"no rule lets {by.person} decide it")
        return
    who, by_whom = with_accounts(asked, by), replace(promotion, by=_requester(asked, promotion))
    whys = [excluded_because(part, by_whom, who) for part in asked.parts]
    if _wrote_under_another_name(asked, promotion, by):
        whys.append(Code.AUTHOR)
    if why := next((one for one in whys if one), None):
        did = "asked for it" if why is Code.REQUESTER else "wrote some of the code between the two images"
        yield Refusal(why, f"{by.person} {did}")
    if not _may_fill(asked, promotion, by.person):
        yield Refusal(Code.NOT_AN_APPROVER, f"the rule does not name {by.person}")


def _wrote_under_another_name(asked: Asked, promotion: Promotion, by: By) -> bool:
    """Whether an author whom the request names is who speaks, by the accounts that the rules of then gave them."""
    excluded = {name for part in asked.parts for name in part.environment.exclude}
    if AUTHORS not in excluded or promotion.is_apart or promotion.authors is None:
        return False
    then = promotion.rule.commit
    wrote = [By(name, via="code") for name in promotion.authors.people]
    return any(is_same_human(asked, one, by, under=then, since=promotion.opened) for one in wrote)


def _requester(asked: Asked, promotion: Promotion) -> Bot | By:
    return with_link(asked, promotion.by) if isinstance(promotion.by, By) else promotion.by


def approve(asked: Asked) -> No:
    """May this person approve exactly this change, now?"""
    yield from is_open(asked)
    yield from is_same_change(asked, image=True)
    yield from bound(asked)
    yield from by_approver(asked)
    promotion, rule, by = asked.promotion, asked.rule, asked.entry.by
    if promotion is None or rule is None or not isinstance(by, By):
        return
    if not is_by_review(asked.entry) and not counts_presses(rule, promotion):
        yield Refusal(Code.REVIEW_MISSING, f"{rule.environment.name} counts reviews in GitHub alone")
    if asked.entry.head and asked.entry.head != promotion.head:
        yield Refusal(Code.HEAD_MOVED, f"the head that was built is {promotion.head[:12]}")
    yield from _once(asked, rule, promotion, by)
    if _is_over(asked, promotion):
        yield Refusal(Code.EXPIRED, "the request is too old")


def _is_over(asked: Asked, promotion: Promotion) -> bool:
    """Whether the request is too old; of a group by the rule of any member that moves."""
    return asked.rules is not None and any(
        is_expired(asked.rules.calendar, part, promotion, asked.entry.time) for part in asked.parts
    )


def _once(asked: Asked, rule: EffectiveRule, promotion: Promotion, by: By) -> No:
    """Has this person not approved it yet, or is it their own approval that they renew, because it waits for a go?"""
    person = by.person
    if other := _under_another_name(asked, promotion, by):
        yield Refusal(Code.ALREADY_APPROVED, f"{person} has approved it as {other}")
    mine = next((one for one in promotion.approvals if one.by.person == person), None)
    renews = asked.entry.evidence.get("renews")
    if mine is None and renews is not None:
        yield Refusal(Code.NOT_APPROVED, f"{person} has nothing to renew")
    elif mine and (
        renews != mine.seq
        or all(isinstance(merge_within(case), Passed) for case in cases_of(asked, rule, promotion))
    ):
        yield Refusal(Code.ALREADY_APPROVED, f"{person} has approved it")


def _under_another_name(asked: Asked, promotion: Promotion, by: By) -> str:
    """Return as whom else this human has approved it, where that fills a line still."""
    who = with_accounts(asked, by)
    others = [one.by for one in promotion.approvals if one.by.person != by.person]
    mine = [one.person for one in others if is_one(with_link(asked, one), who, promotion.opened)]
    return next((name for name in mine if _may_fill(asked, promotion, name)), "")


def _may_fill(asked: Asked, promotion: Promotion, person: str) -> bool:
    rules = asked.rules
    return rules is not None and any(
        may_fill(rules, part.service, lines_of(part, promotion), person, asked.members)
        for part in asked.parts
    )


def unapprove(asked: Asked) -> No:
    """Has this person approved it?"""
    yield from is_open(asked)
    yield from is_same_change(asked)
    yield from bound(asked)
    promotion, by = asked.promotion, asked.entry.by
    if (
        promotion
        and isinstance(by, By)
        and not any(one.by.person == by.person for one in promotion.approvals)
    ):
        yield Refusal(Code.NOT_APPROVED, f"{by.person} has not approved it")


def reject(asked: Asked) -> No:
    """May this person end it, and say why?"""
    yield from is_open(asked)
    yield from by_approver(asked)
    yield from noted(asked)


def cancel(asked: Asked) -> No:
    """Is it the requester, or somebody who may approve?"""
    yield from is_open(asked)
    promotion = asked.promotion
    if promotion and not _is_theirs(asked, promotion):
        yield from by_approver(asked)


def _is_theirs(asked: Asked, promotion: Promotion) -> bool:
    """Whether who speaks asked for it."""
    by, requester = asked.entry.by, _requester(asked, promotion)
    return (
        isinstance(by, By)
        and isinstance(requester, By)
        and is_one(requester, with_accounts(asked, by), promotion.opened)
    )


def rebased(asked: Asked) -> No:
    """Is it the same change under the rule in force?"""
    yield from is_open(asked)
    yield from is_same_change(asked)
    yield from bound(asked)


def void(asked: Asked) -> No:
    """Has the change or the rule moved, and nothing else?"""
    yield from is_open(asked)
    yield from bound(asked)
    yield from covered(asked)
    yield from allowed_groups.joined(asked)
    promotion, entry = asked.promotion, asked.entry
    if promotion is None or entry.rule is None:
        return
    has_change_moved = entry.change != promotion.change
    if not has_change_moved and entry.rule.hash == promotion.rule.hash:
        yield Refusal(Code.OUT_OF_LINE, "neither the change nor the rule has moved")
    if entry.voided != (promotion.change if has_change_moved else promotion.rule.hash):
        yield Refusal(Code.OUT_OF_LINE, "what it voids is not what has moved")
    yield from _same_version(promotion, entry)


def _same_version(promotion: Promotion, entry: Entry) -> No:
    """Does it stay the version that was asked for, of the very members, and for a rollback the very image?"""
    if entry.members != promotion.members:
        yield Refusal(Code.NOT_WHOLE, "other members were asked for")
    if entry.image == promotion.image:
        return
    if [(one.repository, one.tag) for one in entry.image] != [
        (one.repository, one.tag) for one in promotion.image
    ]:
        yield Refusal(Code.CHANGE_MOVED, f"{promotion.image[0].tag} was asked for")
    if promotion.is_rollback:
        yield Refusal(Code.CHANGE_MOVED, "a rollback puts back what ran, as exactly this digest")
    if entry.why != Code.DIGEST_MOVED or entry.change == promotion.change:
        yield Refusal(Code.OUT_OF_LINE, f"another digest is said by {Code.DIGEST_MOVED}, with its change")


def ended(asked: Asked) -> No:
    """Is it over, in the way that the entry says?"""
    yield from is_open(asked)
    promotion, entry = asked.promotion, asked.entry
    if entry.why not in ENDINGS:
        yield Refusal(Code.OUT_OF_LINE, f"{entry.why!r} is no way to end; expected {', '.join(ENDINGS)}")
    if promotion is None:
        return
    if entry.why == "expired" and not _is_over(asked, promotion):
        yield Refusal(Code.OUT_OF_LINE, "it has not expired")
    if entry.why == "removed" and asked.parts and not any(allowed_groups.joined(asked)):
        yield Refusal(Code.OUT_OF_LINE, "the rules still have it")
    if entry.why == "superseded" and promotion.approvals and not promotion.is_rollback:
        yield Refusal(Code.OUT_OF_LINE, "somebody has approved it: the requester decides")
