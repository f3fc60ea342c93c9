"""Whether something may move, or be asked for: bump, propose, rollback; under the rule in force."""

from dataclasses import replace

from policies.allowed import groups as allowed_groups
from policies.allowed.asked import Asked, No, Refusal
from policies.allowed.cases import cases_of, noted_rightly, stopped
from policies.allowed.speakers import noted
from policies.allowed.stands import stood
from policies.codes import Code
from policies.entries.entry import Bot, By, Kind, is_exact
from policies.gates import ALONE, ASKED, OPENED, OPENED_BY_LEDGER, Case, Gate, blocked, has_run, known_before
from policies.ledger.emergency import earliest_due
from policies.ledger.keys import promotion_id
from policies.ledger.rollout import AS, asks, is_source, is_taken_along, lent
from policies.ledger.state import Promotion, Stage
from policies.ledger.tally import may_fill
from policies.rules.rules import Apart, EffectiveRule


def bound(asked: Asked) -> No:
    """Does the entry name the effective rule that is in force?"""
    entry, rule, last = asked.entry, asked.rule, asked.state.rules
    if asked.rules and (group := asked.rules.moves_with(entry.environment, entry.service)):
        yield Refusal(Code.IN_GROUP, f"{entry.service} moves with {group} in {entry.environment}")
    elif rule is None or last is None:
        yield Refusal(Code.NO_RULE, f"no rule covers {entry.service} in {entry.environment}")
    elif entry.rule is None or entry.rule.commit != last.commit or entry.rule.hash != rule.hash:
        yield Refusal(Code.RULE_MOVED, f"the rule in force is {rule.hash[:12]} at {last.commit[:12]}")


def covered(asked: Asked) -> No:
    """Are these the service's images, or those of a group's members, by tag and digest, in the place of what stands?"""
    rule, image = asked.rule, asked.entry.image
    if rule and rule.parts:
        yield from allowed_groups.members(asked, rule)
    elif rule and [one.repository for one in image] != list(rule.service.images):
        yield Refusal(Code.NO_RULE, f"{asked.entry.service} is {' and '.join(rule.service.images)}")
    if not is_exact(image):
        yield Refusal(Code.DIGEST_UNKNOWN, "an image is named by tag and digest")
    yield from stood(asked)


MAX_TOGETHER = 100  # services in one entry; fewer where their line, with what was looked up, has no room


def bump(asked: Asked) -> No:
    """May the bot move this without asking anybody? Of several services: each of them?"""
    entry = asked.entry
    services = [one.service for one in entry.each]
    if services != sorted(set(services)) or len(services) > MAX_TOGETHER:
        yield Refusal(
            Code.OUT_OF_LINE, f"expected each service once, in order, at most {MAX_TOGETHER} together"
        )
    yield from _new(asked)
    for one in entry.each:
        for refusal in _alone(replace(asked, entry=one)):
            yield replace(refusal, detail=f"{one.service}: {refusal.detail}") if entry.also else refusal


def _alone(asked: Asked) -> No:
    yield from bound(asked)
    yield from covered(asked)
    rule, entry = asked.rule, asked.entry
    if rule is None:
        return
    if rule.environment.is_self_merging:
        yield Refusal(Code.OUT_OF_LINE, f"{entry.environment} moves by pull request")
    if rule.environment.is_guarded:
        yield Refusal(Code.GUARDED, f"{entry.environment} asks for approvals")
    yield from observed(asked)
    yield from _sighted(asked, rule)
    if under_way(asked):
        yield Refusal(Code.OPEN_ELSEWHERE, "a promotion is under way there")
    yield from allowed_groups.everybody(asked)
    yield from stopped(asked, lambda _rule: ALONE)
    yield from noted_rightly(asked, rule, lambda _rule: ALONE)


def observed(asked: Asked) -> No:
    """Is something moved there at all?"""
    if asked.rule and asked.rule.environment.is_observed:
        yield Refusal(Code.OBSERVED, f"{asked.entry.environment} is only observed")


def _sighted(asked: Asked, rule: EffectiveRule) -> No:
    """Has the ledger seen each of the images before?"""
    entry = asked.entry
    exact = bool(rule.service.versions.followed)
    named = [(share.service, one) for share in entry.shares for one in share.image]
    if not all(asked.state.sighting(*one, exact=exact) for one in named):
        yield Refusal(Code.NOT_SEEN, "its first sighting is not in the ledger")


def _new(asked: Asked) -> No:
    """Is the commit one that no entry has named?"""
    if found := asked.state.commits.get(asked.entry.commit):
        yield Refusal(Code.OUT_OF_LINE, f"the commit has its entry: #{found}")


def identified(asked: Asked) -> No:
    """Is it the promotion that its key makes, in a place that is free?"""
    entry = asked.entry
    if entry.promotion != promotion_id(asked.state.year, entry.key):
        yield Refusal(Code.OUT_OF_LINE, "the promotion is not the one that its key makes")
    makes_room = {entry.service, *(one.service for one in entry.members)}
    for name, live in _all_under_way(asked):
        takes_its_place = entry.kind is Kind.EMERGENCY and live.stage is Stage.OPEN and name in makes_room
        if not takes_its_place:
            yield Refusal(Code.OPEN_ELSEWHERE, "another promotion is open there")
            return


def under_way(asked: Asked) -> Promotion | None:
    """Return what is under way in the place, or of a group in that of any member."""
    return next((one for _, one in _all_under_way(asked)), None)


def _all_under_way(asked: Asked) -> list[tuple[str, Promotion]]:
    """Return what is under way in the place, and of a group in that of each member, by the name that it is under."""
    entry = asked.entry
    parts = asked.rule.parts if asked.rule else ()
    names = (entry.service, *(one.service.name for one in parts))
    found = ((name, asked.state.live_at(entry.environment, name)) for name in names)
    return [(name, one) for name, one in found if one]


def propose(asked: Asked) -> No:
    """May this be asked for there?"""
    yield from bound(asked)
    yield from covered(asked)
    yield from identified(asked)
    rule = asked.rule
    if rule and not rule.environment.has_promotions:
        yield Refusal(Code.NOT_GUARDED, f"{asked.entry.environment} asks nobody")
    if rule:
        gates = _before_asking(asked, rule)
        if gates is ALONE:
            yield from _sighted(asked, rule)
        yield from allowed_groups.everybody(asked)
        yield from stopped(asked, lambda _rule: gates, is_offer=gates is not ALONE)
        yield from _opened(asked, rule)


def _before_asking(asked: Asked, rule: EffectiveRule) -> tuple[Gate, ...]:
    """Return what stands before a proposal: of the bot where it merges alone, all that stands before a bump.

    Else it is held to what it says was looked up outside; older entries say nothing of that. What people approved
    where a group's request takes its approvals from may have been there before the first look.
    """
    if not isinstance(asked.entry.by, Bot):
        return ASKED
    if rule.environment.is_self_merging:
        return ALONE
    gates = OPENED if "facts" in asked.entry.evidence else OPENED_BY_LEDGER
    if is_taken_along(asked.state, asked.entry, rule):
        return tuple(one for one in gates if one is not known_before)
    return gates


def _opened(asked: Asked, rule: EffectiveRule) -> No:
    """May the bot ask by itself, once for each version, and bring along the approvals that it names?"""
    entry, named = asked.entry, lent(asked.entry)
    if not isinstance(entry.by, Bot):
        if AS in entry.evidence:
            yield Refusal(Code.NOT_AN_APPROVER, "approvals are brought along by the bot alone")
        return
    if not asks(rule.environment):
        yield Refusal(Code.UNKNOWN_PERSON, f"{entry.environment} is asked for by people")
    if not entry.key.endswith("/1"):
        yield Refusal(Code.ALREADY_ASKED, "it was asked for before; a person may ask again")
    if AS in entry.evidence:
        found = asked.state.promotions.get(named)
        if found is None or found.members != entry.members or not is_source(found, rule, entry.image):
            yield Refusal(Code.CHANGE_MOVED, f"{named or 'nothing'} lends no approvals to it")


def rollback(asked: Asked) -> No:
    """May this person put this back there?"""
    yield from noted(asked)
    yield from bound(asked)
    yield from covered(asked)
    yield from identified(asked)
    entry, rule = asked.entry, asked.rule
    if rule is None or not isinstance(entry.by, By):
        return
    yield from observed(asked)
    if rule.parts:
        yield from allowed_groups.undone(asked)
    yield from stopped(
        asked, lambda _rule: (blocked,)
    )  # else one person could go forward again to what was left
    cases = cases_of(asked, rule)
    for case in cases:
        if not has_run(case, entry.environment):
            yield Refusal(Code.NEVER_RAN, f"{case.image[0].tag} has never run in {entry.environment}")
        yield from carried_by(asked, case.rule, case.rule.environment.rollback)
    may = [_may_go_back(asked, case, entry.by.person) for case in cases]
    if not (any(may) if entry.head else all(may)):  # at once one person answers for every member
        yield Refusal(Code.NOT_AN_APPROVER, f"the rule does not let {entry.by.person} roll back")
    if entry.until != (until := earliest_due(asked.parts, entry.time)):
        yield Refusal(Code.OUT_OF_LINE, f"its review is due: {until or 'never, nobody is asked for one'}")


def _may_go_back(asked: Asked, case: Case, person: str) -> bool:
    lines = case.rule.environment.rollback.approvals
    return may_fill(case.rules, case.rule.service, lines, person, asked.members)


def carried_by(asked: Asked, rule: EffectiveRule, apart: Apart) -> No:
    """Is it a promotion or a commit at once, as the rule asks, and alone only where one person is enough?"""
    entry = asked.entry
    if bool(entry.commit) == rule.environment.has_promotions or bool(entry.head) == bool(entry.commit):
        yield Refusal(Code.OUT_OF_LINE, "it is a promotion where the rule asks people, else a commit at once")
    if entry.commit and sum(line.count for line in apart.approvals) > 1:
        yield Refusal(Code.APPROVALS_MISSING, f"one person alone may not say {entry.kind} here")
    yield from _new(asked)
