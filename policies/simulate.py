"""Simulation: what changed rules would have made of what happened; the ledger replayed, nothing written.

Each move is judged on what was really there at the time, not on what the changed rules would have led to before it.
"""

import heapq
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cmp_to_key, partial

from policies.cases import facts_of
from policies.codes import Code
from policies.digest_versions import called
from policies.entry import Entry, Kind, Pinned, Share
from policies.facts import Fact
from policies.gates import ALONE, OPENED_BY_LEDGER, Case, Gate, ask, at_once, before_merge, known_before
from policies.newness import is_newer
from policies.rules import EffectiveRule, Rules, Service, effective
from policies.state import Place, Promotion, State
from policies.verdict import Failed, NotYet, Waiting, not_yet

Baseline = Callable[[Rules, str, str], tuple[Pinned, ...]]


class Outcome(StrEnum):
    """What the changed rules would have made of a move."""

    ALLOWED = "allowed"  # it would have been let through, and did not move
    STOPPED = "stopped"
    EARLIER = "earlier"
    LATER = "later"


@dataclass(frozen=True, slots=True)
class Difference:
    """One move that the changed rules would have judged otherwise.

    ``at``: when it moved (UTC; none = it did not); ``then``: when the changed rules would have let it (none = never
    by time alone).
    """

    outcome: Outcome
    environment: str
    service: str
    version: str
    at: datetime | None = None
    then: datetime | None = None
    reasons: tuple[NotYet, ...] = ()

    @property
    def codes(self) -> tuple[str, ...]:
        """The reasons' codes, each once."""
        return tuple(dict.fromkeys(reason.code.value for reason in self.reasons))


@dataclass(frozen=True, slots=True)
class Simulation:
    """What was replayed and what would have been otherwise; ``unknown``: what the ledger cannot say, a line each."""

    since: datetime
    until: datetime
    moves: int
    differences: tuple[Difference, ...]
    unknown: tuple[str, ...]


@dataclass(slots=True)
class _Watch:
    """A version that was selected, in a place where it has not stood: since when each of the rules would let it."""

    image: tuple[Pinned, ...]
    old: datetime | None = None
    new: datetime | None = None


def simulate(
    year: str,
    entries: Iterable[tuple[str, Entry]],
    *,
    old: Callable[[str], Rules | None],
    new: Rules,
    baseline: Baseline,
    since: datetime,
    until: datetime,
) -> Simulation:
    """Replay entries (commit and entry, oldest first) and judge each move from ``since`` on by the new rules as well.

    ``old`` gives the rules at a commit. With the rules that were in force nothing differs.
    """
    replay = _Replay(State(year), old, new, baseline, since, until)
    for oid, entry in entries:
        replay.step(oid, entry)
    replay.close()
    return Simulation(
        since, until, replay.moves, tuple(replay.differences), tuple(dict.fromkeys(replay.unknown))
    )


@dataclass(slots=True)
class _Replay:
    """The ledger as far as it was replayed, and what was found on the way."""

    state: State
    rules_at: Callable[[str], Rules | None]
    new: Rules
    baseline: Baseline
    since: datetime
    until: datetime
    moves: int = 0
    differences: list[Difference] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    watched: dict[Place, dict[str, _Watch]] = field(default_factory=dict)
    intents: dict[str, Entry] = field(default_factory=dict)
    due: list[tuple[datetime, Place]] = field(default_factory=list)

    @property
    def old(self) -> Rules | None:
        """The rules that were in force."""
        return self.rules_at(self.state.rules.commit) if self.state.rules else None

    def step(self, oid: str, entry: Entry) -> None:
        """Judge and apply one entry, then look at the places that it touched."""
        self._pass_time(entry.time)
        if entry.kind is Kind.INTENT:
            self.intents[entry.promotion] = entry
        if _is_move(entry) and self.since <= entry.time <= self.until:
            for one in entry.each:
                self._judge(one)
        self.state.apply(entry, oid)
        for place in self._touched(entry):
            self._look(place, entry.time)

    def close(self) -> None:
        """Let the rest of the time pass; what was never let through, and would have been, is a difference."""
        self._pass_time(self.until)
        for (environment, service), watches in self.watched.items():
            for watch in watches.values():
                if watch.new and watch.old is None and watch.new >= self.since:
                    version = watch.image[0].tag
                    self.differences.append(
                        Difference(Outcome.ALLOWED, environment, service, version, then=watch.new)
                    )

    # --- one move -----------------------------------------------------------------------------------------------

    def _judge(self, entry: Entry) -> None:
        promotion = self.state.promotion_of(entry)
        self.moves += 1
        for share in (
            promotion.shares if promotion else entry.shares
        ):  # of a group each member by its own rule
            self._judge_one(entry, promotion, share)

    def _judge_one(self, entry: Entry, promotion: Promotion | None, share: Share) -> None:
        place = (entry.environment, share.service)
        rule = effective(self.new, *place)
        decided = self.intents.get(entry.promotion, entry)  # a merge is judged when it was begun
        moved = decided.time
        version = called(self.new.services.get(share.service), share.image)
        watch = self.watched.get(place, {}).pop(version, None)
        reasons = self._reasons(rule, decided, promotion, share)
        then = _opens(reasons)
        if reasons:
            outcome = Outcome.LATER if then else Outcome.STOPPED
            self._differs(outcome, entry, share, then=then, reasons=reasons)
        elif watch and watch.new and watch.new < moved and (watch.old is None or watch.new < watch.old):
            self._differs(Outcome.EARLIER, entry, share, then=watch.new)

    def _differs(
        self,
        outcome: Outcome,
        entry: Entry,
        share: Share,
        *,
        then: datetime | None,
        reasons: tuple[NotYet, ...] = (),
    ) -> None:
        where = (entry.environment, share.service, share.image[0].tag)
        self.differences.append(Difference(outcome, *where, entry.time, then, reasons))

    def _reasons(
        self, rule: EffectiveRule | None, entry: Entry, promotion: Promotion | None, share: Share
    ) -> tuple[NotYet, ...]:
        """Return what the changed rule would have had against a move when it was decided."""
        if rule is None:
            return (Failed(Code.NO_RULE, "the changed rules do not cover it"),)
        if promotion is None and rule.environment.is_guarded:
            return (Waiting(Code.APPROVALS_MISSING, "it moved by itself; somebody would have been asked"),)
        gates, kind = ALONE, promotion.kind if promotion else entry.kind  # by commit: its own entry opens it
        if promotion and rule.environment.is_guarded:
            gates = before_merge(rule, promotion)
        elif kind is Kind.ROLLBACK:
            gates = ()
        elif kind is Kind.EMERGENCY and rule.environment.emergency:
            gates = at_once(rule.environment.emergency)
        image, current, facts = share.image, share.previous, facts_of(entry, share.service)
        case = self._case(rule, image, current, at=entry.time, promotion=promotion, facts=facts)
        found = not_yet(ask(gates, case))
        self.unknown += [
            f"{share.service} {image[0].tag} in {entry.environment}: {reason.detail}"
            for reason in found
            if reason.code in _UNKNOWN
        ]
        return tuple(reason for reason in found if reason.code not in _UNKNOWN)

    # --- versions on their way ----------------------------------------------------------------------------------

    def _touched(self, entry: Entry) -> Iterator[Place]:
        """Yield the places of the new rules about which an entry may say something, where the rules differ."""
        promotion = self.state.promotion_of(entry)
        about = promotion.shares if promotion else [share for one in entry.each for share in one.shares]
        services = {one.service for one in entry.seen} | {one.service for one in about} - {""}
        for environment in self.new.environments:
            is_about_all = bool(services) or entry.kind in {Kind.GENESIS, Kind.RULES}
            is_here = is_about_all or entry.environment == environment
            for service in self.new.services if is_here else ():
                if (not services or service in services) and self._is_changed((environment, service)):
                    yield environment, service

    def _is_changed(self, place: Place) -> bool:
        old = effective(self.old, *place) if self.old else None
        new = effective(self.new, *place)
        if old and new and old.service.versions != new.service.versions:
            said = f"{place[1]} in {place[0]}: of other versions only those are known that were selected then"
            self.unknown.append(said)
        return new is not None and (old is None or old.hash != new.hash)

    def _look(self, place: Place, at: datetime) -> None:
        """Note since when each of the rules would let through the versions that were seen and do not stand there."""
        self._watch(place)
        for rules, attribute in ((self.old, "old"), (self.new, "new")):
            rule = effective(rules, *place) if rules else None
            if rule is not None and (attribute == "new" or self._is_alike(rule, place)):
                self._let(rule, place, attribute, at)

    def _is_alike(self, old: EffectiveRule, place: Place) -> bool:
        """Whether to be let through means the same by both rules: to be offered to people, or to move by itself."""
        new = effective(self.new, *place)
        return new is not None and new.environment.is_guarded == old.environment.is_guarded

    def _watch(self, place: Place) -> None:
        watches = self.watched.setdefault(place, {})
        for one in self.state.sighted.get(place[1], ()):
            image = (Pinned(one.repository, one.tag, one.digest),)
            watches.setdefault(called(self.new.services.get(place[1]), image), _Watch(image))

    def _let(self, rule: EffectiveRule, place: Place, attribute: str, at: datetime) -> None:
        """Note the best version that this rule lets through now; of what waits for time alone, when to look again."""
        current = self._current(place)
        gates = ALONE if not rule.environment.is_guarded else _ASKABLE
        for watch in self._forward(rule, place, current):
            reasons = not_yet(ask(gates, self._case(rule, watch.image, current, at=at)))
            if not reasons:
                if getattr(watch, attribute) is None:
                    setattr(watch, attribute, at)
                return
            opens = _opens(reasons)
            if opens and at < opens <= self.until:
                heapq.heappush(self.due, (opens, place))

    def _forward(self, rule: EffectiveRule, place: Place, current: tuple[Pinned, ...]) -> list[_Watch]:
        """Return the versions that are a step on from what stands there, newest first."""
        if rule.service.versions.followed:
            return [watch for watch in reversed(self.watched[place].values()) if watch.image != current]
        here = {one.tag for one in current}
        found = [
            watch
            for tag, watch in self.watched[place].items()
            if tag not in here
            and all(is_newer(rule.service, self.state, tag, old) is not False for old in here)
        ]
        return sorted(found, key=cmp_to_key(partial(_order, rule.service, self.state)))

    def _current(self, place: Place) -> tuple[Pinned, ...]:
        move = self.state.last_move(*place)
        return move.image if move else self.baseline(self.new, *place)

    def _pass_time(self, at: datetime) -> None:
        """Look again at the places where time alone opened something before ``at``."""
        while self.due and self.due[0][0] <= at:
            when, place = heapq.heappop(self.due)
            self._look(place, when)

    def _case(
        self,
        rule: EffectiveRule,
        image: tuple[Pinned, ...],
        current: tuple[Pinned, ...],
        *,
        at: datetime,
        promotion: Promotion | None = None,
        facts: tuple[Fact, ...] = (),
    ) -> Case:
        service, rules = rule.service.name, self.new
        names = (rule.environment.name, *rule.environment.after)
        stood = {(name, service): self.baseline(rules, name, service) for name in names}
        return Case(rules, rule, self.state, image, current, at, stood, promotion, facts)


# what has to be so before somebody can be asked: what people do afterwards is not the rule's doing
_ASKABLE: tuple[Gate, ...] = tuple(gate for gate in OPENED_BY_LEDGER if gate is not known_before)
_MOVES = frozenset({Kind.BUMP, Kind.LANDED})
_UNKNOWN = frozenset({Code.GATE_UNKNOWN})  # nobody looked then, so nobody can say now


def _is_move(entry: Entry) -> bool:
    return entry.kind in _MOVES or (entry.kind in {Kind.ROLLBACK, Kind.EMERGENCY} and bool(entry.commit))


def _opens(reasons: tuple[NotYet, ...]) -> datetime | None:
    """Return when the last of what waits opens by itself; none where something else has to happen."""
    times = [reason.until if isinstance(reason, Waiting) else None for reason in reasons]
    known = [time for time in times if time is not None]
    return max(known) if known and len(known) == len(times) else None


def _order(service: Service, state: State, one: _Watch, other: _Watch) -> int:
    first, second = one.image[0].tag, other.image[0].tag
    return bool(is_newer(service, state, second, first)) - bool(is_newer(service, state, first, second))
