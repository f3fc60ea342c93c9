"""Where the rules ask the bot to ask: versions are proposed as soon as nothing but people stands in their way."""

import logging
from dataclasses import replace

from bot.ledger import Proposal
from bot.looking.survey import Survey
from bot.promoting.poller import Writer
from bot.promoting.promoter import Declined, proposal
from bot.repository.push import RefUpdate
from policies.canonical import Json
from policies.codes import Code
from policies.decide import Candidate, Decision, Row, rows_of
from policies.entries.entry import Bot, Entry, Member, Pinned, shares
from policies.entries.facts import to_json
from policies.group_rows import by_itself, taken_along
from policies.ledger.keys import propose_key
from policies.ledger.rollout import asks, evidence_of, last_by_people, source
from policies.rules.rules import EffectiveRule, moving_rule

_log = logging.getLogger(__name__)
AT_ONCE = "at-once"  # why the bot asks


def opened(look: Survey, decision: Decision, writer: Writer, *, has_forge: bool = True) -> Proposal:
    """Return the proposals of versions for which only people are missing, newest first in each place; once for each.

    Without a forge nothing is asked for that would go by pull request.
    """
    entries: list[Entry] = []
    updates: list[RefUpdate] = []
    rules = look.world.rules
    asked = {
        where.name for where in (*rules.environments.values(), *rules.exceptions.values()) if asks(where)
    }
    for row in (*decision.rows, *decision.groups) if asked else ():
        rule = moving_rule(rules, row.environment, row.service)
        if rule is None or not asks(rule.environment):
            continue
        if rule.environment.has_pull_requests and not has_forge:
            continue
        try:
            found = _opened(look, writer, rule, _of_bot(look, decision, rule, row))
        except Declined as declined:
            _log.info("%s is not asked for in %s: %s", row.service, row.environment, declined.answer.detail)
            continue
        entries += found.entries
        updates += found.updates
    return Proposal(tuple(entries), tuple(updates), "branch")


def _of_bot(look: Survey, decision: Decision, rule: EffectiveRule, row: Row) -> Row:
    """Return a row with what the bot may ask for: of a group not what only a person's word takes along."""
    found = [decision.row(row.environment, one.service.name) for one in rule.parts]
    parts = [one for one in found if one is not None]
    if not parts:
        return row
    own, last = by_itself(look.world, rule, parts), last_by_people(look.state, rule)
    if last is None or not last.members:
        return own
    same, is_coming = taken_along(look.world, rule, rows_of(look.world, rule, look.at), last)
    if is_coming:
        _log.info(
            "%s waits in %s until all that moved in %s may", row.service, row.environment, last.environment
        )
        return replace(own, candidates=())
    return replace(own, candidates=(same, *own.candidates)) if same else own


def _opened(look: Survey, writer: Writer, rule: EffectiveRule, row: Row) -> Proposal:
    """Ask for the best version of one place. Raises: Declined where another one is under way that somebody decides."""
    for candidate in row.candidates:
        if set(candidate.codes) - {Code.NOT_REQUESTED, Code.OPEN_ELSEWHERE} or candidate.promotion:
            continue
        image = candidate.images(rule)
        if not propose_key(look.state, row.environment, row.service, image, _group(row, candidate)).endswith(
            "/1"
        ):
            return Proposal()
        found = source(look.state, rule, image)
        members = candidate.members
        evidence = {
            **evidence_of(found if found and found.members == members else None),
            **_looked_up(look, rule, image, members),
        }
        return proposal(
            look, writer, Bot(), rule=rule, image=image, members=members, evidence=evidence, why=AT_ONCE
        )
    return Proposal()


def _looked_up(
    look: Survey, rule: EffectiveRule, image: tuple[Pinned, ...], members: tuple[Member, ...]
) -> dict[str, Json]:
    """Return what gates of the rule were answered outside, of a group by member; the validator holds it to that."""
    told: dict[str, Json] = {}
    for one in shares(rule.service.name, members, image, ()):
        digests = tuple(pinned.digest for pinned in one.image)
        if facts := look.world.facts_of(rule.environment.name, one.service, digests):
            told[one.service] = [*to_json(facts)]
    if not told:
        return {}
    return {"facts": told if members else told[rule.service.name]}


def _group(row: Row, candidate: Candidate) -> str:
    return row.service if candidate.members else ""
