"""What the ledger stands for: the fold of its entries. Nothing here decides; it only adds up."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from policies.entry import Bot, By, Entry, Kind, Pinned, Placed, RuleAt, Sighting, parse_time

EXTERNAL_HOLD = timedelta(hours=24)  # LEDGER, `external`: holds the service where the bot moves by itself


class Stage(StrEnum):
    """How far a promotion is. Derived from entries, never stored (DESIGN section 7)."""

    OPEN = "open"
    MERGING = "merging"
    MERGED = "merged"
    LANDED = "landed"
    MISMATCH = "mismatch"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"
    REMOVED = "removed"
    CLOSED = "closed"


# (stage, kind) -> stage. What is not here leaves the stage as it is; the validator says whether it was allowed.
TRANSITIONS: dict[tuple[Stage, Kind], Stage] = {
    (Stage.OPEN, Kind.INTENT): Stage.MERGING,
    (Stage.MERGING, Kind.ABORT): Stage.OPEN,
    (Stage.MERGING, Kind.MERGED): Stage.MERGED,
    (Stage.MERGED, Kind.LANDED): Stage.LANDED,
    (Stage.MERGED, Kind.MISMATCH): Stage.MISMATCH,
    (Stage.OPEN, Kind.REJECT): Stage.REJECTED,
    (Stage.OPEN, Kind.CANCEL): Stage.CANCELLED,
}
ENDINGS: dict[str, Stage] = {
    "expired": Stage.EXPIRED,
    "superseded": Stage.SUPERSEDED,
    "removed": Stage.REMOVED,
    "closed": Stage.CLOSED,
}
LIVE = frozenset({Stage.OPEN, Stage.MERGING, Stage.MERGED})


@dataclass(frozen=True, slots=True)
class Approval:
    """One person's word for one change under one rule."""

    by: By
    at: datetime
    seq: int


@dataclass(frozen=True, slots=True)
class Promotion:
    """One promotion as its entries tell it. ``approvals`` are those that stand for the present change and rule."""

    id: str
    kind: Kind
    environment: str
    service: str
    image: tuple[Pinned, ...]
    previous: tuple[Pinned, ...]
    change: str
    rule: RuleAt
    head: str
    by: Bot | By
    opened: datetime
    note: str
    seq: int
    stage: Stage = Stage.OPEN
    approvals: tuple[Approval, ...] = ()
    refreshed: datetime | None = None  # when it was voided last: expiry counts from there
    intent: str = ""  # oid of the live or last intent's commit
    intent_key: str = ""
    attempts: int = 0  # how often this head was not merged, and when last
    attempted: datetime | None = None
    commit: str = ""
    ended_by: Bot | By | None = None
    ended_note: str = ""
    why: str = ""
    done: datetime | None = None

    @property
    def is_live(self) -> bool:
        """Whether something may still happen to it."""
        return self.stage in LIVE

    @property
    def is_rollback(self) -> bool:
        """Whether it goes back."""
        return self.kind is Kind.ROLLBACK


@dataclass(frozen=True, slots=True)
class Move:
    """What an entry put in place: a bump, a landed promotion, a rollback."""

    image: tuple[Pinned, ...]
    previous: tuple[Pinned, ...]
    commit: str
    at: datetime
    seq: int
    kind: Kind
    promotion: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """A hold, block or freeze that is in force. ``until`` none = until somebody lifts it."""

    by: Bot | By
    at: datetime
    note: str
    why: str
    until: datetime | None
    seq: int

    def is_on(self, at: datetime) -> bool:
        """Whether it is in force at that time (UTC)."""
        return self.until is None or at < self.until

    def outlasts(self, until: datetime) -> bool:
        """Whether it is in force up to that time (UTC) and beyond."""
        return self.until is None or self.until >= until


@dataclass(frozen=True, slots=True)
class Seen:
    """When a selection first picked a tag, and what it was then."""

    sighting: Sighting
    at: datetime


@dataclass(frozen=True, slots=True)
class Open:
    """An exception that waits for its review: an external change or a mismatch."""

    kind: Kind
    environment: str
    service: str
    commit: str
    at: datetime
    people: frozenset[str] = frozenset()  # who asked, approved or did it: somebody else closes it


Place = tuple[str, str]  # environment, service


@dataclass(slots=True)
class State:
    """The state that a ledger branch stands for. ``apply`` grows it; ``copy`` lets one try."""

    year: str
    seq: int = 0
    tip: str = ""
    genesis: Entry | None = None
    rules: Entry | None = None  # the last `rules` entry: what is in force
    keys: dict[str, int] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    seen: dict[tuple[str, str, str], Seen] = field(default_factory=dict)  # service, repository, tag
    empty: dict[str, bool] = field(default_factory=dict)  # services without a version when we looked first
    shown: dict[str, Placed] = field(default_factory=dict)
    promotions: dict[str, Promotion] = field(default_factory=dict)
    live: dict[Place, str] = field(default_factory=dict)
    moves: dict[Place, tuple[Move, ...]] = field(default_factory=dict)
    commits: dict[str, int] = field(default_factory=dict)
    ours: dict[str, int] = field(default_factory=dict)  # those of `commits` that this bot or its forge made
    holds: dict[Place, Standing] = field(default_factory=dict)  # environment '' = everywhere
    blocks: dict[tuple[str, str, Pinned], Standing] = field(default_factory=dict)
    freezes: dict[str, Standing] = field(default_factory=dict)
    open: dict[int, Open] = field(default_factory=dict)
    at: str = ""

    def copy(self) -> "State":
        """Return a state that may grow without touching this one."""
        other = replace(self)
        for name in _TABLES:
            setattr(other, name, dict(getattr(self, name)))
        return other

    def promotion_of(self, entry: Entry) -> Promotion | None:
        """Return the promotion that an entry is about."""
        return self.promotions.get(entry.promotion)

    def live_at(self, environment: str, service: str) -> Promotion | None:
        """Return the one promotion that is under way there."""
        found = self.live.get((environment, service))
        return self.promotions[found] if found else None

    def last_move(self, environment: str, service: str) -> Move | None:
        """Return what we moved there last."""
        moves = self.moves.get((environment, service), ())
        return moves[-1] if moves else None

    def count(self, what: str) -> int:
        """Return how often something counted has happened: see keys.py."""
        return self.counts.get(what, 0)

    def hold_on(self, environment: str, service: str, at: datetime) -> Standing | None:
        """Return the hold that keeps a service where it is."""
        for place in ((environment, service), ("", service)):
            if (found := self.holds.get(place)) and found.is_on(at):
                return found
        return None

    def freeze_on(self, environment: str, at: datetime) -> Standing | None:
        """Return the freeze under which an environment stands still."""
        found = self.freezes.get(environment)
        return found if found and found.is_on(at) else None

    def block_on(
        self, environments: Iterable[str], service: str, image: tuple[Pinned, ...]
    ) -> Standing | None:
        """Return the block that forbids this version in one of these: the environment and all that come before it."""
        wanted = {"", *environments}
        for (where, what, blocked), standing in self.blocks.items():
            if what == service and where in wanted and any(is_same(blocked, one) for one in image):
                return standing
        return None

    def apply(self, entry: Entry, oid: str) -> None:
        """Add one entry, ``oid`` being its commit. Whether it was allowed is the validator's question, asked before."""
        self.seq, self.tip, self.at = entry.seq, oid, entry.at
        self.keys[entry.key] = entry.seq
        if entry.commit and entry.kind not in {Kind.GENESIS, Kind.RULES}:
            self.commits.setdefault(entry.commit, entry.seq)
            if entry.kind is not Kind.EXTERNAL:
                self.ours.setdefault(entry.commit, entry.seq)
        _APPLY.get(entry.kind, _nothing)(self, entry, oid)


_TABLES = (
    "keys counts seen empty shown promotions live moves commits ours holds blocks freezes open".split()  # noqa: SIM905  a word each
)


def fold(year: str, entries: Iterable[tuple[str, Entry]]) -> State:
    """Return the state of a branch: pairs of commit oid and entry, oldest first."""
    state = State(year)
    for oid, entry in entries:
        state.apply(entry, oid)
    return state


def is_same(one: Pinned, other: Pinned) -> bool:
    """Whether two pins mean the same image, as far as both are known: a digest that is not known agrees with any."""
    same = one.repository == other.repository and one.tag == other.tag
    return same and (not one.digest or not other.digest or one.digest == other.digest)


def _nothing(_state: State, _entry: Entry, _oid: str) -> None:
    pass


def _genesis(state: State, entry: Entry, _oid: str) -> None:
    state.genesis = entry
    _empty(state, entry)


def _empty(state: State, entry: Entry) -> None:
    named = entry.evidence.get("empty", ())
    if isinstance(named, list):
        state.empty.update({str(name): True for name in named})


def _rules(state: State, entry: Entry, _oid: str) -> None:
    state.rules = entry
    _empty(state, entry)


def _seen(state: State, entry: Entry, _oid: str) -> None:
    for one in entry.seen:
        state.seen.setdefault((one.service, one.repository, one.tag), Seen(one, entry.time))


def _shown(state: State, entry: Entry, _oid: str) -> None:
    for place in entry.shown:
        if place.what not in state.shown or state.shown[place.what].seq <= place.seq:
            state.shown[place.what] = place


def _moved(state: State, entry: Entry, image: tuple[Pinned, ...], previous: tuple[Pinned, ...]) -> None:
    where = (entry.environment, entry.service)
    move = Move(image, previous, entry.commit, entry.time, entry.seq, entry.kind, entry.promotion)
    state.moves[where] = (*state.moves.get(where, ()), move)


def _bump(state: State, entry: Entry, _oid: str) -> None:
    _moved(state, entry, entry.image, entry.previous)


def _propose(state: State, entry: Entry, _oid: str) -> None:
    if entry.rule is None:
        return
    state.promotions[entry.promotion] = Promotion(
        id=entry.promotion,
        kind=entry.kind,
        environment=entry.environment,
        service=entry.service,
        image=entry.image,
        previous=entry.previous,
        change=entry.change,
        rule=entry.rule,
        head=entry.head,
        by=entry.by,
        opened=entry.time,
        note=entry.note,
        seq=entry.seq,
    )
    state.live[entry.environment, entry.service] = entry.promotion
    counted = f"{entry.kind}/{entry.environment}/{entry.service}/{_digests(entry)}"
    state.counts[counted] = state.count(counted) + 1


def _digests(entry: Entry) -> str:
    """Return the digests that the key names: those proposed, or for a rollback those left."""
    images = entry.previous if entry.kind is Kind.ROLLBACK else entry.image
    return "+".join(image.digest or image.tag for image in images)


def _rollback(state: State, entry: Entry, oid: str) -> None:
    _propose(state, entry, oid)
    if isinstance(entry.by, By):
        approval = Approval(entry.by, entry.time, entry.seq)
        _change(state, entry, approvals=(approval,))
    for left in entry.previous:
        blocked = Standing(entry.by, entry.time, entry.note, "rolled-back", None, entry.seq)
        state.blocks.setdefault((entry.environment, entry.service, left), blocked)
    if entry.commit:  # without approvals it stands in the place of `bump`
        _end(state, entry, Stage.LANDED, commit=entry.commit)
        _moved(state, entry, entry.image, entry.previous)


def _approve(state: State, entry: Entry, _oid: str) -> None:
    promotion = state.promotion_of(entry)
    if promotion and isinstance(entry.by, By):
        _change(state, entry, approvals=(*promotion.approvals, Approval(entry.by, entry.time, entry.seq)))


def _unapprove(state: State, entry: Entry, _oid: str) -> None:
    promotion = state.promotion_of(entry)
    if promotion and isinstance(entry.by, By):
        who = entry.by.person
        _undone(state, promotion, [one for one in promotion.approvals if one.by.person == who])
        _change(state, entry, approvals=tuple(one for one in promotion.approvals if one.by.person != who))


def _void(state: State, entry: Entry, _oid: str) -> None:
    promotion = state.promotion_of(entry)
    if promotion and entry.rule:
        _undone(state, promotion, promotion.approvals)
        _change(
            state,
            entry,
            approvals=(),
            change=entry.change,
            rule=entry.rule,
            image=entry.image,
            previous=entry.previous,
            head=entry.head,
            attempts=0,
            refreshed=entry.time,
            why=entry.why,
        )


def _undone(state: State, promotion: Promotion, approvals: Iterable[Approval]) -> None:
    for one in approvals:
        counted = f"undone/{promotion.id}/{promotion.change}/{promotion.rule.hash}/{one.by.person}"
        state.counts[counted] = state.count(counted) + 1


def _rebased(state: State, entry: Entry, _oid: str) -> None:
    _change(state, entry, head=entry.head, attempts=0)


def _intent(state: State, entry: Entry, oid: str) -> None:
    _step(state, entry, intent=oid, intent_key=entry.key)


def _abort(state: State, entry: Entry, _oid: str) -> None:
    counted = f"abort/{entry.promotion}/{entry.head}"
    state.counts[counted] = state.count(counted) + 1
    promotion = state.promotion_of(entry)
    attempts = promotion.attempts + 1 if promotion else 1
    _step(state, entry, why=entry.why, attempts=attempts, attempted=entry.time)


def _merged(state: State, entry: Entry, _oid: str) -> None:
    _step(state, entry, commit=entry.commit)


def _landed(state: State, entry: Entry, _oid: str) -> None:
    promotion = state.promotion_of(entry)
    if promotion:
        _end(state, entry, Stage.LANDED, commit=entry.commit)
        _moved(state, entry, promotion.image, promotion.previous)


def _mismatch(state: State, entry: Entry, _oid: str) -> None:
    _end(state, entry, Stage.MISMATCH, commit=entry.commit, why=entry.why)
    state.freezes[entry.environment] = Standing(entry.by, entry.time, "", "mismatch", None, entry.seq)
    promotion = state.promotion_of(entry)
    people = _part_in(promotion) if promotion else frozenset()
    state.open[entry.seq] = Open(
        entry.kind, entry.environment, entry.service, entry.commit, entry.time, people
    )


def _part_in(promotion: Promotion) -> frozenset[str]:
    asked = {promotion.by.person} if isinstance(promotion.by, By) else set()
    return frozenset(asked | {one.by.person for one in promotion.approvals})


def _reject(state: State, entry: Entry, _oid: str) -> None:
    _end(state, entry, Stage.REJECTED)


def _cancel(state: State, entry: Entry, _oid: str) -> None:
    _end(state, entry, Stage.CANCELLED)


def _ended(state: State, entry: Entry, _oid: str) -> None:
    _end(state, entry, ENDINGS.get(entry.why, Stage.CLOSED), why=entry.why)


def _external(state: State, entry: Entry, _oid: str) -> None:
    place = (entry.environment, entry.service)
    _moved(state, entry, entry.image, entry.previous)
    if entry.why != "guarded":
        until = entry.time + EXTERNAL_HOLD
        if place not in state.holds or not state.holds[place].outlasts(until):
            state.holds[place] = Standing(entry.by, entry.time, entry.note, "external", until, entry.seq)
    else:
        state.open[entry.seq] = Open(entry.kind, entry.environment, entry.service, entry.commit, entry.time)


def _review(state: State, entry: Entry, _oid: str) -> None:
    state.open.pop(entry.closes, None)


def _standing(entry: Entry) -> Standing:
    until = parse_time(entry.until) if entry.until else None
    return Standing(entry.by, entry.time, entry.note, entry.why, until, entry.seq)


def _hold(state: State, entry: Entry, _oid: str) -> None:
    state.holds[entry.environment, entry.service] = _standing(entry)


def _resume(state: State, entry: Entry, _oid: str) -> None:
    for place in lifted_holds(state, entry):
        del state.holds[place]


def _block(state: State, entry: Entry, _oid: str) -> None:
    for image in entry.image:
        state.blocks[entry.environment, entry.service, image] = _standing(entry)


def _unblock(state: State, entry: Entry, _oid: str) -> None:
    for place in lifted_blocks(state, entry):
        del state.blocks[place]


def lifted_holds(state: State, entry: Entry) -> tuple[Place, ...]:
    """Return the holds that a resume lifts: there, or everywhere where it names no environment."""
    return tuple(place for place in state.holds if _covers(entry, place[0]) and place[1] == entry.service)


def lifted_blocks(state: State, entry: Entry) -> tuple[tuple[str, str, Pinned], ...]:
    """Return the blocks that an unblock lifts: there, or everywhere where it names no environment."""
    return tuple(
        place
        for place in state.blocks
        if _covers(entry, place[0])
        and place[1] == entry.service
        and any(is_same(place[2], image) for image in entry.image)
    )


def _covers(entry: Entry, environment: str) -> bool:
    return not entry.environment or entry.environment == environment


def _freeze(state: State, entry: Entry, _oid: str) -> None:
    state.freezes[entry.environment] = _standing(entry)


def _unfreeze(state: State, entry: Entry, _oid: str) -> None:
    state.freezes.pop(entry.environment, None)


def _change(state: State, entry: Entry, **fields: object) -> None:
    promotion = state.promotion_of(entry)
    if promotion:
        state.promotions[promotion.id] = replace(promotion, **fields)  # type: ignore[arg-type]  # named by this module


def _step(state: State, entry: Entry, **fields: object) -> None:
    promotion = state.promotion_of(entry)
    if promotion:
        _change(state, entry, stage=TRANSITIONS.get((promotion.stage, entry.kind), promotion.stage), **fields)


def _end(state: State, entry: Entry, stage: Stage, **fields: object) -> None:
    _change(state, entry, stage=stage, ended_by=entry.by, ended_note=entry.note, done=entry.time, **fields)
    promotion = state.promotion_of(entry)
    if promotion and promotion.is_rollback and stage not in {Stage.LANDED, Stage.MISMATCH}:
        for place in [place for place, standing in state.blocks.items() if standing.seq == promotion.seq]:
            del state.blocks[place]  # a rollback that did not happen blocks nothing
    if state.live.get((entry.environment, entry.service)) == entry.promotion:
        del state.live[entry.environment, entry.service]


_APPLY = {
    Kind.GENESIS: _genesis,
    Kind.RULES: _rules,
    Kind.SEEN: _seen,
    Kind.SHOWN: _shown,
    Kind.BUMP: _bump,
    Kind.PROPOSE: _propose,
    Kind.APPROVE: _approve,
    Kind.UNAPPROVE: _unapprove,
    Kind.REJECT: _reject,
    Kind.CANCEL: _cancel,
    Kind.REBASED: _rebased,
    Kind.INTENT: _intent,
    Kind.ABORT: _abort,
    Kind.VOID: _void,
    Kind.ENDED: _ended,
    Kind.MERGED: _merged,
    Kind.LANDED: _landed,
    Kind.MISMATCH: _mismatch,
    Kind.ROLLBACK: _rollback,
    Kind.EXTERNAL: _external,
    Kind.REVIEW: _review,
    Kind.HOLD: _hold,
    Kind.RESUME: _resume,
    Kind.BLOCK: _block,
    Kind.UNBLOCK: _unblock,
    Kind.FREEZE: _freeze,
    Kind.UNFREEZE: _unfreeze,
}


def history(moves: Mapping[Place, tuple[Move, ...]], environment: str, service: str) -> tuple[Move, ...]:
    """Return what was moved there, oldest first."""
    return moves.get((environment, service), ())
