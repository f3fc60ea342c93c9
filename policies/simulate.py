"""Simulation: what changed rules would have made of what happened; the ledger replayed, nothing written.

Each move is judged on what was really there at the time, not on what the changed rules would have led to before it.
"""

import heapq
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from functools import cmp_to_key, partial

from policies.allowed.cases import facts_of
from policies.codes import Code
from policies.entries.authors import Authors
from policies.entries.entry import Entry, Kind, Pinned, Share
from policies.entries.membership import members_of
from policies.gates import ALONE, Case, Gate, ask, at_once, before_merge
from policies.images.selection import BUILDS, Fate
from policies.ledger.digest_versions import called
from policies.ledger.newness import is_newer
from policies.ledger.people import who_may_count
from policies.ledger.state import Place, Promotion, Stage, State
from policies.rules.rules import EffectiveRule, Rules, Service, effective
from policies.verdict import Failed, NotYet, Waiting, not_yet

Baseline = Callable[[Rules, str, str], tuple[Pinned, ...]]
StoodSince = Callable[[Rules, str, str], datetime | None]


class Outcome(StrEnum):
    """What the changed rules would have made of a move."""

    ALLOWED = "allowed"  # it would have been let through, and did not move
    STOPPED = "stopped"
    EARLIER = "earlier"
    LATER = "later"
    UNKNOWN = "unknown"  # it hangs on somebody outside who was not asked then


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


@dataclass(frozen=True, slots=True)
class _Ready:
    """Since when rules would let something through, as far as the ledger says; ``unsure``: what it does not say."""

    at: datetime
    unsure: tuple[NotYet, ...]


@dataclass(slots=True)
class _Watch:
    """A version that has not moved: since when each of the rules would let it."""

    image: tuple[Pinned, ...]
    old: _Ready | None = None
    new: _Ready | None = None

    @property
    def held(self) -> _Ready | None:
        """Since when the old rules let it; nothing where they hung on somebody outside and the new ones do not."""
        hangs = self.old is not None and self.old.unsure and self.new is not None and not self.new.unsure
        return None if hangs else self.old

    @property
    def sooner(self) -> _Ready | None:
        """Since when the new rules would have let it while the old ones did not; nothing where those came first."""
        return self.new if self.new and (self.held is None or self.new.at < self.held.at) else None


@dataclass(frozen=True, slots=True)
class _Judged:
    """What the new rules have against a move, and what they were asked; no case = nothing that time could open."""

    reasons: tuple[NotYet, ...]
    case: Case | None = None
    gates: tuple[Gate, ...] = ()


@dataclass(slots=True)
class _Later:
    """A move that the new rules would have made wait: the difference that tells it, and how to ask again.

    ``due``: when it may open by itself (UTC); none = somebody has to say something first. ``of_itself``: the codes of
    what only the move itself brought about.
    """

    index: int
    entry: Entry
    share: Share
    case: Case
    gates: tuple[Gate, ...]
    due: datetime | None
    of_itself: frozenset[Code] = frozenset({Code.LIMIT_REACHED})

    def is_touched_by(self, entry: Entry) -> bool:
        """Whether an entry may change what stood in the way: of this service, or of all, there or before it."""
        places = ("", self.entry.environment, *self.case.rule.environment.after)
        about = {one.service for each in entry.each for one in each.shares} | {entry.service}
        is_other = entry.kind not in _QUIET and entry.seq != self.entry.seq
        return is_other and entry.environment in places and bool(about & {"", self.share.service})


def simulate(
    year: str,
    entries: Iterable[tuple[str, Entry]],
    *,
    old: Callable[[str], Rules | None],
    new: Rules,
    baseline: Baseline,
    since: datetime,
    until: datetime,
    stood_since: StoodSince,
) -> Simulation:
    """Replay entries (commit and entry, oldest first) and judge each move from ``since`` on by the new rules as well.

    ``old`` gives the rules at a commit; ``baseline`` what stood in a place at genesis, ``stood_since`` since when
    (UTC). With the rules that were in force nothing differs.
    """
    replay = _Replay(State(year), old, new, baseline, since, until, stood_since)
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
    stood_since: StoodSince
    moves: int = 0
    differences: list[Difference] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    watched: dict[Place, dict[str, _Watch]] = field(default_factory=dict)
    requests: dict[str, _Watch] = field(default_factory=dict)  # by promotion
    intents: dict[str, Entry] = field(default_factory=dict)
    due: list[tuple[datetime, Place]] = field(default_factory=list)
    later: list[_Later] = field(default_factory=list)

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
        for moved in self.later:
            if moved.entry.seq == entry.seq:
                moved.of_itself |= self._since_it_moved(moved)
        for place in self._touched(entry):
            self._look(place, entry.time)
        for waiting in [each for each in self.later if each.is_touched_by(entry)]:
            self._ask_again(waiting, entry.time)

    def close(self) -> None:
        """Let the rest of the time pass; what was never let through, and would have been, is a difference."""
        self._pass_time(self.until)
        for (environment, service), watches in self.watched.items():
            for watch in watches.values():
                self._not_moved(watch, environment, service, watch.image)
        for name, watch in self.requests.items():
            promotion = self.state.promotions[name]
            for share in promotion.shares if promotion.stage not in _MERGED else ():
                self._not_moved(watch, promotion.environment, share.service, share.image)

    def _not_moved(self, watch: _Watch, environment: str, service: str, image: tuple[Pinned, ...]) -> None:
        ready = watch.new
        if ready and watch.held is None and ready.at >= self.since:
            outcome = Outcome.UNKNOWN if ready.unsure else Outcome.ALLOWED
            then = None if ready.unsure else ready.at
            version = self._called(service, image)
            found = Difference(outcome, environment, service, version, None, then, ready.unsure)
            self.differences.append(found)

    def _called(self, service: str, image: tuple[Pinned, ...]) -> str:
        """Return a version as people read it: of a tag that is followed with its digest."""
        return called(self.new.services.get(service), image)

    # --- one move -----------------------------------------------------------------------------------------------

    def _judge(self, entry: Entry) -> None:
        promotion = self.state.promotion_of(entry)
        self.moves += 1
        request = self.requests.pop(entry.promotion, None)
        for share in (
            promotion.shares if promotion else entry.shares
        ):  # of a group each member by its own rule
            self._judge_one(entry, promotion, share, request)

    def _judge_one(
        self, entry: Entry, promotion: Promotion | None, share: Share, request: _Watch | None
    ) -> None:
        place = (entry.environment, share.service)
        rule = effective(self.new, *place)
        decided = self.intents.get(entry.promotion, entry)  # a merge is judged when it was begun
        version = self._called(share.service, share.image)
        watch = self.watched.get(place, {}).pop(version, None)
        if rule and rule.environment.is_guarded:
            watch = request  # where people are asked, nothing moves before they were
        judged = self._judged(rule, decided, promotion, share)
        reasons = judged.reasons
        known, unsure = _parted(reasons)
        then = _opens(known)
        ready = watch.sooner if watch else None
        if known and then is None:
            self._differs(Outcome.STOPPED, entry, share, reasons=reasons)
        elif unsure:
            self._differs(Outcome.UNKNOWN, entry, share, reasons=reasons)
        elif known and judged.case:
            self._differs(Outcome.LATER, entry, share, then=then, reasons=reasons)
            index = len(self.differences) - 1
            self.later.append(_Later(index, entry, share, judged.case, judged.gates, then))
        elif ready and ready.at < decided.time:
            outcome = Outcome.UNKNOWN if ready.unsure else Outcome.EARLIER
            then = None if ready.unsure else ready.at
            self._differs(outcome, entry, share, then=then, reasons=ready.unsure)

    def _differs(
        self,
        outcome: Outcome,
        entry: Entry,
        share: Share,
        *,
        then: datetime | None = None,
        reasons: tuple[NotYet, ...] = (),
    ) -> None:
        where = (entry.environment, share.service, self._called(share.service, share.image))
        self.differences.append(Difference(outcome, *where, entry.time, then, reasons))

    def _judged(
        self, rule: EffectiveRule | None, entry: Entry, promotion: Promotion | None, share: Share
    ) -> _Judged:
        """Return what the changed rule would have had against a move when it was decided."""
        if rule is None:
            return _Judged((Failed(Code.NO_RULE, "the changed rules do not cover it"),))
        kind = promotion.kind if promotion else entry.kind
        old = effective(self.old, entry.environment, share.service) if self.old else None
        is_chosen = kind is Kind.ROLLBACK or not _chooses_otherwise(old, rule)  # the way back: any that ran
        passed_over = () if is_chosen else _passed_over(rule.service, share.image)
        if promotion is None and rule.environment.is_guarded:
            asked = Waiting(Code.APPROVALS_MISSING, "it moved by itself; somebody would have been asked")
            return _Judged((*passed_over, asked))
        gates = ALONE  # by commit: its own entry opens it
        if promotion and rule.environment.is_guarded:
            gates = before_merge(rule, promotion)
        elif kind is Kind.ROLLBACK:
            gates = ()
        elif kind is Kind.EMERGENCY and rule.environment.emergency:
            gates = at_once(rule.environment.emergency)
        case = self._case(self.new, rule, share.image, share.previous, at=entry.time, promotion=promotion)
        case = self._attested(case, entry)
        found = not_yet(ask(gates, case))
        self.unknown += [
            f"{share.service} {share.image[0].tag} in {entry.environment}: {reason.detail}"
            for reason in found
            if reason.code in _UNKNOWN
        ]
        return _Judged((*passed_over, *found), case, gates)

    def _since_it_moved(self, one: _Later) -> frozenset[Code]:
        """Return the codes of what stands in the way now that the move was made, and did not before."""
        now = {reason.code for reason in not_yet(ask(one.gates, one.case))}
        before = {reason.code for reason in self.differences[one.index].reasons}
        return frozenset(code for code in now - before if isinstance(code, Code))

    def _ask_again(self, one: _Later, at: datetime) -> None:
        """Ask at a later time what made a move wait: whether it would have been let through then.

        What was looked up outside stands for what it said then; what the move itself brought about is no reason.
        """
        found = not_yet(ask(one.gates, replace(one.case, at=at)))
        reasons = tuple(reason for reason in found if reason.code not in _UNKNOWN | one.of_itself)
        told, opens = self.differences[one.index], _opens(reasons)
        one.due = min((time for time in map(_until, reasons) if time and time > at), default=None)
        if not reasons:
            self.later.remove(one)
            self.differences[one.index] = replace(told, outcome=Outcome.LATER, then=at)
        else:
            outcome = Outcome.LATER if opens else Outcome.STOPPED
            self.differences[one.index] = replace(told, outcome=outcome, then=opens, reasons=reasons)

    def _attested(self, case: Case, entry: Entry) -> Case:
        """Add what an entry says was looked up outside: by gates, in teams, in the code's history."""
        state = self.state
        members = members_of(entry.evidence, entry.time)
        return replace(
            case,
            facts=facts_of(entry, case.service),
            members=who_may_count(case.rules, state.links, state.forge_ids, members),
            authors=Authors.attested(entry.evidence),
        )

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
        rules, new = self.old, effective(self.new, *place)
        old = effective(rules, *place) if rules else None
        if new is None:
            return False
        if rules is None or old is None:
            return True
        is_other = _chooses_otherwise(old, new)
        if is_other:
            said = f"{place[1]} in {place[0]}: of other versions only those are known that were selected then"
            self.unknown.append(said)
        return is_other or old.hash != new.hash or rules.teams != self.new.teams

    def _look(self, place: Place, at: datetime) -> None:
        """Note since when each of the rules would let through what does not stand there: versions, or a request."""
        if self.new.environment_for(*place).is_guarded:
            self._look_at_request(place, at)
            return
        self._watch(place)
        for rules, attribute in ((self.old, "old"), (self.new, "new")):
            rule = effective(rules, *place) if rules else None
            # where people are asked, to be let through means another thing
            if rules and rule and not rule.environment.is_guarded:
                self._let(rules, rule, place, attribute, at)

    def _look_at_request(self, place: Place, at: datetime) -> None:
        """Note since when each of the rules would merge what people have asked for there."""
        promotion = self.state.live_at(*place)
        if promotion is None or promotion.stage is not Stage.OPEN:
            return
        watch = self.requests.setdefault(promotion.id, _Watch(promotion.image))
        for rules, attribute in ((self.old, "old"), (self.new, "new")):
            reasons = self._before_merge(rules, promotion, at) if rules else None
            if reasons is not None:
                self._note(watch, attribute, reasons, place, at)

    def _before_merge(self, rules: Rules, promotion: Promotion, at: datetime) -> tuple[NotYet, ...] | None:
        """Return what stands before a merge, of each service that moves; nothing where rules do not have one."""
        found: list[NotYet] = []
        for share in promotion.shares:
            rule = effective(rules, promotion.environment, share.service)
            if rule is None:
                return None
            case = self._case(rules, rule, share.image, share.previous, at=at, promotion=promotion)
            found += not_yet(ask(before_merge(rule, promotion), case))
            if rules is self.new and not promotion.is_rollback:
                found += _passed_over(rule.service, share.image)
        return tuple(found)

    def _watch(self, place: Place) -> None:
        watches = self.watched.setdefault(place, {})
        for one in self.state.sighted.get(place[1], ()):
            image = (Pinned(one.repository, one.tag, one.digest),)
            watches.setdefault(self._called(place[1], image), _Watch(image))

    def _let(self, rules: Rules, rule: EffectiveRule, place: Place, attribute: str, at: datetime) -> None:
        """Note the best version that this rule lets through now."""
        current = self._current(place)
        for watch in self._forward(rule, place, current):
            case = self._case(rules, rule, watch.image, current, at=at)
            if self._note(watch, attribute, not_yet(ask(ALONE, case)), place, at):
                return

    def _note(
        self, watch: _Watch, attribute: str, reasons: tuple[NotYet, ...], place: Place, at: datetime
    ) -> bool:
        """Say whether nothing that is known stands in the way; of what waits for time alone, when to look again."""
        known, unsure = _parted(reasons)
        opens = _opens(known)
        if opens and at < opens <= self.until:
            heapq.heappush(self.due, (opens, place))
        if not known and getattr(watch, attribute) is None:
            setattr(watch, attribute, _Ready(at, unsure))
        return not known

    def _forward(self, rule: EffectiveRule, place: Place, current: tuple[Pinned, ...]) -> list[_Watch]:
        """Return the versions that are a step on from what stands there, newest first."""
        taken = {
            name: watch
            for name, watch in self.watched[place].items()
            if not _passed_over(rule.service, watch.image)
        }
        if rule.service.versions.followed:
            return [watch for watch in reversed(taken.values()) if watch.image != current]
        here = {one.tag for one in current}
        found = [
            watch
            for tag, watch in taken.items()
            if tag not in here
            and all(is_newer(rule.service, self.state, tag, old) is not False for old in here)
        ]
        return sorted(found, key=cmp_to_key(partial(_order, rule.service, self.state)))

    def _current(self, place: Place) -> tuple[Pinned, ...]:
        move = self.state.last_move(*place)
        return move.image if move else self.baseline(self.new, *place)

    def _pass_time(self, at: datetime) -> None:
        """Look again at the places where time alone opened something before ``at``, and at what had to wait."""
        while self.due and self.due[0][0] <= at:
            when, place = heapq.heappop(self.due)
            self._look(place, when)
        while opened := [one for one in self.later if one.due and one.due <= at]:
            first = min(opened, key=lambda one: (one.due, one.index))
            self._ask_again(first, first.due or at)

    def _case(
        self,
        rules: Rules,
        rule: EffectiveRule,
        image: tuple[Pinned, ...],
        current: tuple[Pinned, ...],
        *,
        at: datetime,
        promotion: Promotion | None = None,
    ) -> Case:
        service = rule.service.name
        names = (rule.environment.name, *rule.environment.after)
        stood = {(name, service): self.baseline(rules, name, service) for name in names}

        def since(place: Place) -> datetime | None:
            return self.stood_since(rules, *place)

        return Case(rules, rule, self.state, image, current, at, stood, promotion, stood_since=since)


_MOVES = frozenset({Kind.BUMP, Kind.LANDED})
_QUIET = frozenset(
    {Kind.SEEN, Kind.SHOWN, Kind.RULES, Kind.CHECKPOINT, Kind.IDENTITY}
)  # open and stop nothing
_MERGED = frozenset({Stage.MERGING, Stage.MERGED, Stage.LANDED, Stage.MISMATCH})
_UNKNOWN = frozenset({Code.GATE_UNKNOWN, Code.MEMBERS_UNKNOWN})  # nobody looked then, so nobody can say now
_TAKEN = frozenset({Fate.SELECTED, *BUILDS})  # a build's time is for the order: it leaves nothing out


def _is_move(entry: Entry) -> bool:
    return entry.kind in _MOVES or (entry.kind in {Kind.ROLLBACK, Kind.EMERGENCY} and bool(entry.commit))


def _opens(reasons: tuple[NotYet, ...]) -> datetime | None:
    """Return when the last of what waits opens by itself; none where something else has to happen."""
    times = [_until(reason) for reason in reasons]
    known = [time for time in times if time is not None]
    return max(known) if known and len(known) == len(times) else None


def _until(reason: NotYet) -> datetime | None:
    return reason.until if isinstance(reason, Waiting) else None


def _parted(reasons: tuple[NotYet, ...]) -> tuple[tuple[NotYet, ...], tuple[NotYet, ...]]:
    """Return what stands in the way, and what nobody knows."""
    known = tuple(one for one in reasons if one.code not in _UNKNOWN)
    return known, tuple(one for one in reasons if one.code in _UNKNOWN)


def _chooses_otherwise(old: EffectiveRule | None, new: EffectiveRule) -> bool:
    """Whether the rules take other versions than they did."""
    return old is None or _choice(old.service) != _choice(new.service)


def _choice(service: Service) -> tuple[object, ...]:
    return service.versions, service.exclusions, service.trouble


def _passed_over(service: Service, images: tuple[Pinned, ...]) -> tuple[NotYet, ...]:
    """Return why a service's ``versions`` do not take a version at all; nothing where they do."""
    if service.trouble:
        return (Failed(service.trouble.code, service.trouble.detail),)
    tag = images[0].tag
    fate = service.select([tag]).fates[tag]
    return () if fate in _TAKEN else (Failed(fate, f"versions: {service.versions_text}"),)


def _order(service: Service, state: State, one: _Watch, other: _Watch) -> int:
    first, second = one.image[0].tag, other.image[0].tag
    return bool(is_newer(service, state, second, first)) - bool(is_newer(service, state, first, second))
