"""Whether something may move, or be asked for: bump, propose, rollback; under the rule in force."""

from dataclasses import replace
from datetime import datetime
from functools import partial

from policies.allowed_speakers import noted
from policies.asked import Asked, No, Refusal
from policies.codes import Code
from policies.emergency import rollback_due
from policies.entry import Bot, By, Kind, Pinned, is_exact
from policies.facts import from_json
from policies.gates import ALONE, ASKED, OPENED, OPENED_BY_LEDGER, Case, Gate, ask, blocked, has_run, notes
from policies.gates.case import nobody_knows
from policies.keys import promotion_id
from policies.rollout import AS, asks, is_source, lent
from policies.rules import Apart, EffectiveRule, Rules
from policies.state import Place, Promotion, Stage
from policies.tally import may_fill
from policies.verdict import not_yet


def bound(asked: Asked) -> No:
    """Does the entry name the effective rule that is in force?"""
    entry, rule, last = asked.entry, asked.rule, asked.state.rules
    if rule is None or last is None:
        yield Refusal(Code.NO_RULE, f"no rule covers {entry.service} in {entry.environment}")
    elif entry.rule is None or entry.rule.commit != last.commit or entry.rule.hash != rule.hash:
        yield Refusal(Code.RULE_MOVED, f"the rule in force is {rule.hash[:12]} at {last.commit[:12]}")


def covered(asked: Asked) -> No:
    """Are these the service's images, each with tag and digest?"""
    rule, image = asked.rule, asked.entry.image
    if rule and [one.repository for one in image] != list(rule.service.images):
        yield Refusal(Code.NO_RULE, f"{asked.entry.service} is {' and '.join(rule.service.images)}")
    if not is_exact(image):
        yield Refusal(Code.DIGEST_UNKNOWN, "an image is named by tag and digest")


def case_of(asked: Asked, rule: EffectiveRule, promotion: Promotion | None = None) -> Case:
    """Return what the gates are asked about this entry."""
    entry = asked.entry
    baseline: dict[Place, tuple[Pinned, ...]] = {
        (name, entry.service): _baseline(asked, name) for name in (entry.environment, *rule.environment.after)
    }
    return Case(
        rules=asked.rules or Rules({}, {}),
        rule=rule,
        state=asked.state,
        image=entry.image or (promotion.image if promotion else ()),
        current=entry.previous or (promotion.previous if promotion else ()),
        at=entry.time,
        baseline=baseline,
        promotion=promotion,
        facts=from_json(entry.evidence.get("facts", [])),
        members=asked.members,
        authors=asked.authors,
        stood_since=partial(_stood_since, asked),
    )


def _stood_since(asked: Asked, place: Place) -> datetime | None:
    genesis, rules = asked.state.genesis, asked.rules
    return asked.book.since(genesis.commit, rules, *place) if genesis and rules else None


def _baseline(asked: Asked, environment: str) -> tuple[Pinned, ...]:
    genesis, rules = asked.state.genesis, asked.rules
    if genesis is None or rules is None:
        return ()
    return asked.book.baseline(genesis.commit, rules, environment, asked.entry.service)


MAX_TOGETHER = 100  # services in one entry: its line has room for them with what was looked up for each


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
    yield from _sighted(asked)
    if asked.state.live_at(entry.environment, entry.service):
        yield Refusal(Code.OPEN_ELSEWHERE, "a promotion is under way there")
    case = case_of(asked, rule)
    for verdict in not_yet(ask(ALONE, case)):
        yield Refusal(verdict.code, verdict.detail)
    yield from noted_rightly(asked, case, ALONE)


def noted_rightly(asked: Asked, case: Case, gates: tuple[Gate, ...]) -> No:
    """Is what it says of the gates, where it says something, what they say?"""
    said = asked.entry.evidence.get("gates")
    if said is None or said == notes(case, gates):
        return
    if said != notes(
        replace(case, stood_since=nobody_knows), gates
    ):  # as it was counted before: from genesis
        yield Refusal(Code.OUT_OF_LINE, "what it says of the gates is not so")


def observed(asked: Asked) -> No:
    """Is something moved there at all?"""
    if asked.rule and asked.rule.environment.is_observed:
        yield Refusal(Code.OBSERVED, f"{asked.entry.environment} is only observed")


def _sighted(asked: Asked) -> No:
    """Has the ledger seen each of the images before?"""
    entry = asked.entry
    if not all((entry.service, one.repository, one.tag) in asked.state.seen for one in entry.image):
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
    live = asked.state.live_at(entry.environment, entry.service)
    if live and not (
        entry.kind is Kind.EMERGENCY and live.stage is Stage.OPEN
    ):  # an emergency takes its place
        yield Refusal(Code.OPEN_ELSEWHERE, "another promotion is open there")


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
            yield from _sighted(asked)
        case = replace(case_of(asked, rule), is_offer=gates is not ALONE)
        for verdict in not_yet(ask(gates, case)):
            yield Refusal(verdict.code, verdict.detail)
        yield from _opened(asked, rule)


def _before_asking(asked: Asked, rule: EffectiveRule) -> tuple[Gate, ...]:
    """Return what stands before a proposal: of the bot where it merges alone, all that stands before a bump.

    Else it is held to what it says was looked up outside; older entries say nothing of that.
    """
    if not isinstance(asked.entry.by, Bot):
        return ASKED
    if rule.environment.is_self_merging:
        return ALONE
    return OPENED if "facts" in asked.entry.evidence else OPENED_BY_LEDGER


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
        if found is None or not is_source(found, rule, entry.image):
            yield Refusal(Code.CHANGE_MOVED, f"{named or 'nothing'} lends no approvals to it")


def rollback(asked: Asked) -> No:
    """May this person put this back there?"""
    yield from noted(asked)
    yield from bound(asked)
    yield from covered(asked)
    yield from identified(asked)
    entry, rule = asked.entry, asked.rule
    if rule is None or not isinstance(entry.by, By) or asked.rules is None:
        return
    yield from observed(asked)
    case = case_of(asked, rule)
    for verdict in not_yet(ask((blocked,), case)):  # else one person could go forward again to what was left
        yield Refusal(verdict.code, verdict.detail)
    if not has_run(case, entry.environment, entry.image):
        yield Refusal(Code.NEVER_RAN, f"{entry.image[0].tag} has never run in {entry.environment}")
    if not may_fill(
        asked.rules, rule.service, rule.environment.rollback.approvals, entry.by.person, asked.members
    ):
        yield Refusal(Code.NOT_AN_APPROVER, f"the rule does not let {entry.by.person} roll back")
    if entry.until != (until := rollback_due(rule.environment.rollback, entry.time)):
        yield Refusal(Code.OUT_OF_LINE, f"its review is due: {until or 'never, nobody is asked for one'}")
    yield from carried_by(asked, rule, rule.environment.rollback)


def carried_by(asked: Asked, rule: EffectiveRule, apart: Apart) -> No:
    """Is it a promotion or a commit at once, as the rule asks, and alone only where one person is enough?"""
    entry = asked.entry
    if bool(entry.commit) == rule.environment.has_promotions or bool(entry.head) == bool(entry.commit):
        yield Refusal(Code.OUT_OF_LINE, "it is a promotion where the rule asks people, else a commit at once")
    if entry.commit and sum(line.count for line in apart.approvals) > 1:
        yield Refusal(Code.APPROVALS_MISSING, f"one person alone may not say {entry.kind} here")
    yield from _new(asked)
