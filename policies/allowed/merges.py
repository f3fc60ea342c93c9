"""Whether a promotion may be merged, and what may be said of its merge."""

from collections.abc import Callable, Mapping

from policies.allowed.asked import Asked, No, Refusal, judged_by
from policies.allowed.by_hand import by_people, cleared
from policies.allowed.cases import noted_rightly, stopped
from policies.allowed.moves import bound
from policies.allowed.reviews import may_review
from policies.allowed.speakers import looked_up, may_speak
from policies.allowed.words import is_open, is_same_change
from policies.codes import Code
from policies.entries.authors import Authors
from policies.entries.emails import is_attested
from policies.entries.entry import Kind
from policies.gates import Gate, before_merge, count_approvals, skips
from policies.ledger.people import Known, known
from policies.ledger.state import Promotion, Stage
from policies.rules.rules import AUTHORS, EffectiveRule, Merges, Rules


def intent(asked: Asked) -> No:
    """Is every line filled and every gate passed, for the very head that was built?"""
    yield from is_open(asked)
    yield from is_same_change(asked, image=True)
    yield from bound(asked)
    promotion, rule = asked.promotion, asked.rule
    if promotion is None or rule is None:
        return
    if asked.entry.head != promotion.head:
        yield Refusal(Code.HEAD_MOVED, f"the head that was built is {promotion.head[:12]}")

    def gates(part: EffectiveRule) -> tuple[Gate, ...]:
        return before_merge(part, promotion)

    yield from stopped(asked, gates, promotion)
    yield from noted_rightly(asked, rule, gates, promotion)
    yield from cleared(asked, rule, promotion)
    yield from _looked_up_again(asked, rule, promotion)
    excluded = {name for part in asked.parts for name in part.environment.exclude}
    is_asked = AUTHORS in excluded and not promotion.is_apart
    if is_asked and Authors.attested(asked.entry.evidence) is None:
        yield Refusal(Code.EVIDENCE_MISSING, "expected who wrote the code, or that it is not known")


def _looked_up_again(asked: Asked, rule: EffectiveRule, promotion: Promotion) -> No:
    """Were the accounts of all whose approval counts looked up before the merge, and may they still speak?"""
    looked = asked.entry.evidence.get("accounts")
    flags = looked if isinstance(looked, Mapping) else {}
    seen = asked.entry.evidence.get("forge_accounts")
    reviewers = seen if isinstance(seen, Mapping) else {}
    count = count_approvals(asked.rules or Rules({}, {}), rule, promotion, asked.members, asked.authors)
    people_who_count = sorted({one for _, people in count.lines for one in people})
    if people_who_count:
        yield from looked_up(asked)
    for person in people_who_count:
        if asked.is_told_rightly and _who(asked, person) is None:
            yield Refusal(Code.UNKNOWN_PERSON, f"neither the rules nor a link say who {person} is")
        if _needs_chat(asked, promotion, person) and not may_speak(flags.get(person)):
            yield Refusal(Code.ACCOUNT, f"the account of {person} was not looked up, or may not speak")
        if not _is_matched_still(asked, person):
            yield Refusal(
                Code.EVIDENCE_MISSING, f"nothing shows that the accounts of {person} have one address"
            )
        if _is_reviewer(promotion, person) and not may_review(reviewers.get(person)):
            yield Refusal(Code.ACCOUNT, f"the forge's account of {person} was not looked up, or is nobody's")


def _is_matched_still(asked: Asked, person: str) -> bool:
    """Whether somebody is known otherwise than by an address, or both accounts have it still."""
    who, entry = _who(asked, person), asked.entry
    return not (who and who.domain) or is_attested(entry.evidence, person, who.domain, entry.time)


def _who(asked: Asked, person: str) -> Known | None:
    """Return who somebody is by the rules in force and links; nothing where a link is one that the rules contradict."""
    state, rules = asked.state, asked.rules
    return known(rules, state.links, state.forge_ids, person) if rules else None


def _is_reviewer(promotion: Promotion, person: str) -> bool:
    """Whether a person's approval is a review."""
    return any(one.review for one in promotion.approvals if one.by.person == person)


def _needs_chat(asked: Asked, promotion: Promotion, person: str) -> bool:
    """Whether somebody has an account in Slack, or spoke by one: then it has to be one that may speak."""
    who = _who(asked, person)
    return not _is_reviewer(promotion, person) or who is None or bool(who.slack)


def at_stage(stage: Stage) -> Callable[[Asked], No]:
    """Return a check that the promotion is at this stage, there, with this head."""

    def check(asked: Asked) -> No:
        promotion, entry = asked.promotion, asked.entry
        if promotion is None or promotion.stage is not stage:
            found = promotion.stage if promotion else "unknown"
            yield Refusal(Code.CLOSED, f"the promotion is {found}, expected {stage}")
        elif (promotion.environment, promotion.service) != (entry.environment, entry.service):
            yield Refusal(Code.OUT_OF_LINE, "the promotion is about another place")
        elif entry.head and entry.head != promotion.head:
            yield Refusal(Code.HEAD_MOVED, f"the head that was built is {promotion.head[:12]}")

    return check


def merged(asked: Asked) -> No:
    """Is it the head of the intent; and where we push the merge ourselves, or people merge, was it allowed then?"""
    yield from at_stage(Stage.MERGING)(asked)
    yield from by_people(asked)
    promotion, rule = asked.promotion, asked.rule
    if promotion is None:
        return
    if "pushed" not in asked.entry.evidence:  # the forge merged it: a fact, whatever happened meanwhile
        yield from _by_forge(asked, promotion)
        return
    if rule is None or not is_pushed(rule):
        yield Refusal(Code.NO_RULE, f"{asked.entry.environment} is merged by the forge")
    passes = promotion.is_rollback or (rule is not None and skips(rule, promotion, "freeze"))
    if not passes and asked.state.freeze_on(asked.entry.environment, asked.entry.time):
        yield Refusal(Code.FROZEN, f"{asked.entry.environment} has stood still since")


def _by_forge(asked: Asked, promotion: Promotion) -> No:
    """Is there a pull request at all that could be merged, by the rule that was judged by?"""
    rule = judged_by(asked.book, promotion)
    if rule is None:
        yield Refusal(Code.NO_RULE, f"the rules at {promotion.rule.commit[:12]} do not cover it")
    elif rule.environment.is_by_commit:
        yield Refusal(Code.OUT_OF_LINE, f"{promotion.environment} has no pull requests: the bot pushes")


def is_pushed(rule: EffectiveRule) -> bool:
    """Whether the bot pushes what lands, in one with the entry that says so."""
    where = rule.environment
    return where.merges is Merges.ATOMIC or where.is_by_commit


def landed(asked: Asked) -> No:
    """Is it about the merge, and the image, that the ledger knows?"""
    yield from at_stage(Stage.MERGED)(asked)
    promotion, entry = asked.promotion, asked.entry
    if promotion and entry.commit != promotion.commit:
        yield Refusal(Code.OUT_OF_LINE, "another commit was merged")
    if promotion and entry.kind is Kind.LANDED and entry.image != promotion.image:
        yield Refusal(Code.CHANGE_MOVED, "another image was approved")
    if promotion and asked.is_told_rightly and entry.previous not in {(), promotion.previous}:
        yield Refusal(Code.OUT_OF_LINE, "what it says stood there is not what the promotion says")
