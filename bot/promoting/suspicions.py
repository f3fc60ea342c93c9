"""What was sighted of bad evidence, and what is written of it once it was sighted twice."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.ledger import Proposal
from bot.looking.survey import Answers, Survey
from policies import guards
from policies.codes import Code
from policies.decide import Candidate, Decision
from policies.entries.entry import Kind
from policies.guards import Finding, Sight
from policies.images.evidence import TagList
from policies.images.image import Repository
from policies.ledger.digest_versions import tag_in
from policies.ledger.state import State
from policies.rules.rules import DEFAULT_INTERVAL, Rules, Service, effective
from policies.verdict import NotYet

_RECENT = 10  # tags of a service that the ledger saw last: what a list is held against after a restart


@dataclass(slots=True)
class Suspicions:
    """What was sighted since the process began. Lost with it: then a first sighting is a first sighting again."""

    good: dict[Repository, TagList] = field(default_factory=dict)  # the last list of each that was believed
    first: dict[Sight, datetime] = field(default_factory=dict)
    found: tuple[Finding, ...] = ()
    confirmed: tuple[Finding, ...] = ()

    def examine(self, rules: Rules, state: State, answers: Answers, last: Decision | None) -> None:
        """Hold what registries said against what is known; ``last`` is the decision of the look before."""
        looked = {
            service.name: answers.asked[service.image]
            for service in rules.services.values()
            if service.image in answers.asked
        }
        found = [
            *self._lists(rules, state, answers),
            *guards.moved(rules, state, answers.digests),
            *(jumps(rules, last) if last else ()),
            *(doubts(rules, last) if last else ()),
        ]
        self.found = guards.still_open(state, [one for one in found if one.service in looked])
        self.first = guards.sighted(self.found, self.first, looked)
        self.confirmed = guards.confirmed(self.found, self.first, looked, _interval(rules))

    def _lists(self, rules: Rules, state: State, answers: Answers) -> list[Finding]:
        found: list[Finding] = []
        services: dict[Repository, list[Service]] = defaultdict(list)
        for one in rules.services.values():
            services[one.image].append(one)
        for repository, answer in answers.tags.items():
            if not isinstance(answer, TagList):
                continue
            mine = services.get(repository, ())
            listed = [doubt for service in mine if (doubt := self._list(state, service, answer))]
            bad = guards.still_open(state, listed)
            found += bad
            if not bad:
                self.good[repository] = answer
        return found

    def _list(self, state: State, service: Service, answer: TagList) -> Finding | None:
        before = self.good.get(service.image)
        if before is answer:
            return None
        recent = [one.tag for one in state.sighted.get(service.name, ())[-_RECENT:]]
        told = state.lost.get(service.name, frozenset())
        return guards.cut_short(service.name, answer) or guards.lost(
            service.name, before.tags if before else recent, answer, told
        )

    def waits(self, state: State) -> Mapping[str, tuple[NotYet, ...]]:
        """Return why services stand still although nothing is written of it yet."""
        held: dict[str, tuple[NotYet, ...]] = {}
        for one in guards.still_open(state, self.found):
            if not one.image:
                held[one.service] = (*held.get(one.service, ()), one.waiting)
        return held

    def entries(self, look: Survey) -> Proposal:
        """Return the holds and blocks that were sighted twice, where nobody holds the service anyway."""
        return Proposal(
            tuple(
                guards.entry_of(guards.anew(look.state, one), at=look.at, first=self.first[one.sight])
                for one in guards.still_open(look.state, self.confirmed)
                if one.service in look.world.rules.services
                and (one.kind is Kind.BLOCK or not _is_held(look, one))
                and not _is_blocked(look.state, one)
            )
        )


def _is_held(look: Survey, finding: Finding) -> bool:
    return look.state.hold_on(finding.environment, finding.service, look.at) is not None


def _is_blocked(state: State, finding: Finding) -> bool:
    """Whether a block stands in that very place already: one of a person's is not the bot's to change."""
    return any((finding.environment, finding.service, image) in state.blocks for image in finding.image)


def jumps(rules: Rules, decision: Decision) -> list[Finding]:
    """Return the versions that a decision keeps out because they climb too many major versions."""
    return [
        guards.jumped(row.service, row.environment, candidate.images(rule), reason.detail)
        for row in decision.rows
        if (rule := effective(rules, row.environment, row.service))
        for candidate in row.candidates
        for reason in candidate.reasons
        if reason.code is Code.MAJOR_JUMP and candidate.digest
    ]


def doubts(rules: Rules, decision: Decision) -> list[Finding]:
    """Return what a decision keeps out because somebody has to answer for it: steps back, and unknown ages.

    Of ages only what could come next, or is under way: what was never selected is nobody's question.
    """
    found: list[Finding] = []
    for row in decision.rows:
        rule = effective(rules, row.environment, row.service)
        best = row.selection.best if row.selection else None
        for one in row.candidates if rule else ():
            if not rule or not one.digest or not (one.promotion or tag_in(one.version) == best):
                continue
            about = (row.service, row.environment, one.images(rule))
            is_blocked = Code.BLOCKED.value in one.codes
            if (said := _reason(one, Code.DOWNGRADE)) and not is_blocked and not rule.environment.is_guarded:
                found.append(guards.step_back(*about, row.previous, said))
            if said := _reason(one, Code.AGE_UNKNOWN):
                found.append(guards.ageless(*about, said))
    return found


def _reason(candidate: Candidate, code: Code) -> str:
    return next((one.detail for one in candidate.reasons if one.code is code), "")


def _interval(rules: Rules) -> timedelta:
    return min((one.interval for one in rules.environments.values()), default=DEFAULT_INTERVAL)
