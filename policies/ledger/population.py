"""The population: every change that a ledger tells of, or should, once, in an auditor's words."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from policies.canonical import Json
from policies.entries.entry import Bot, By, Entry, Kind, Pinned, RuleAt, write_time
from policies.ledger.order import Between
from policies.ledger.state import LIVE, Place, Promotion, Stage, State


class Sort(StrEnum):
    """What an auditor calls a change."""

    STANDARD = "standard"  # moved by rule, where nobody is asked
    NORMAL = "normal"  # asked for, and approved as the rule wants it
    EMERGENCY = "emergency"  # under the emergency rule, to be reviewed afterwards
    UNAUTHORISED = "unauthorised"  # moved past the bot, or not as it was approved


UNRECORDED = "unrecorded-move"  # the `why` of a move that no entry tells of
MOVED = "moved"  # an outcome beside those of promotions: it stands on the target branch by one entry
_ENDS = frozenset({Kind.LANDED, Kind.MISMATCH, Kind.ENDED, Kind.REJECT, Kind.CANCEL})
_DECIDES = frozenset({Kind.BUMP, Kind.INTENT})  # and a rollback by commit
_ALONE = frozenset({Kind.BUMP, Kind.EXTERNAL})


@dataclass(frozen=True, slots=True)
class Word:
    """Something that a person said of a change: who, when, by which entry, with which words or code."""

    by: By
    at: str
    seq: int
    oid: str
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change. ``at``: when it came to what it came to. ``decided``: the entry that let it move, 0 = none did.

    ``between``: where ``at`` breaks the order in which things came, the times that it did come between.
    """

    id: str
    sort: Sort
    kind: Kind
    outcome: str
    at: str
    environment: str
    service: str
    image: tuple[Pinned, ...]
    previous: tuple[Pinned, ...]
    asked: Word | None = None
    approvals: tuple[Word, ...] = ()
    refusals: tuple[Word, ...] = ()
    ended: Word | None = None
    why: str = ""
    needs_review: bool = False
    review: Word | None = None
    change: str = ""
    rule: RuleAt | None = None
    head: str = ""
    commit: str = ""
    url: str = ""
    between: Between | None = None
    decided: int = 0
    entries: tuple[tuple[str, Entry], ...] = ()

    @property
    def has_moved(self) -> bool:
        """Whether something stands on the target branch because of it."""
        return bool(self.commit)

    @property
    def is_under_way(self) -> bool:
        """Whether something may still become of it: then nobody can review it yet."""
        return self.outcome in LIVE

    @property
    def is_exception(self) -> bool:
        """Whether an auditor wants to see it whatever the sample is."""
        return self.sort in {Sort.EMERGENCY, Sort.UNAUTHORISED}


@dataclass(slots=True)
class _Thread:
    """The entries of one change, oldest first, and who closed it afterwards."""

    entries: list[tuple[str, Entry]] = field(default_factory=list)
    review: Word | None = None


def population(
    state: State,
    entries: Iterable[tuple[str, Entry]],
    off: Mapping[int, Between] = MappingProxyType({}),
) -> tuple[Change, ...]:
    """Return all changes, in the order in which they began; ``state`` is what the entries stand for.

    ``off``: entries that are dated out of their order, by number, with the times that they came between.
    """
    threads: dict[str, _Thread] = {}
    by_seq: dict[int, str] = {}
    for oid, entry in entries:
        if entry.kind is Kind.REVIEW:
            if (thread := threads.get(by_seq.get(entry.closes, ""))) and isinstance(entry.by, By):
                thread.review = Word(entry.by, entry.at, entry.seq, oid, entry.note)
            continue
        for one in entry.each:
            name = one.promotion or (_number(entry, one) if entry.kind in _ALONE else "")
            if name:
                threads.setdefault(name, _Thread()).entries.append((oid, one))
                by_seq[entry.seq] = name
    found = [_change(state, name, thread, off) for name, thread in threads.items()]
    return tuple(one for one in found if one is not None)


def unrecorded(
    commit: str,
    at: datetime,
    place: Place,
    image: tuple[Pinned, ...],
    previous: tuple[Pinned, ...],
    *,
    between: Between | None = None,
) -> Change:
    """Return a move on the target branch that no entry tells of; ``at``: when its commit says it was made (UTC)."""
    environment, service = place
    return Change(
        id=f"#{commit[:12]}/{environment}/{service}",
        sort=Sort.UNAUTHORISED,
        kind=Kind.EXTERNAL,
        outcome=MOVED,
        at=write_time(at),
        environment=environment,
        service=service,
        image=image,
        previous=previous,
        why=UNRECORDED,
        needs_review=True,
        commit=commit,
        between=between,
    )


def _number(entry: Entry, one: Entry) -> str:
    """Return how a change without a promotion is called: by its entry, and the service where it moved several."""
    return f"{entry.seq}/{one.service}" if entry.also else f"{entry.seq}"


def _change(state: State, name: str, thread: _Thread, off: Mapping[int, Between]) -> Change | None:
    if name in state.promotions:
        return _of_promotion(state.promotions[name], thread, off)
    (oid, entry), *_ = thread.entries
    if entry.kind not in _ALONE:
        return None  # about a promotion that is not in what was read
    is_ours = entry.kind is Kind.BUMP
    return Change(
        id=f"#{name}",
        sort=Sort.STANDARD if is_ours else Sort.UNAUTHORISED,
        kind=entry.kind,
        outcome=MOVED,
        at=entry.at,
        environment=entry.environment,
        service=entry.service,
        image=entry.image,
        previous=entry.previous,
        needs_review=not is_ours and entry.why == "guarded",
        review=thread.review,
        why=entry.why,
        change=entry.change,
        rule=entry.rule,
        commit=entry.commit,
        between=off.get(entry.seq),
        decided=entry.seq if is_ours else 0,
        entries=((oid, entry),),
    )


def _of_promotion(promotion: Promotion, thread: _Thread, off: Mapping[int, Between]) -> Change:
    begun = thread.entries[0]
    last = next((entry for _, entry in reversed(thread.entries) if entry.kind in _ENDS), begun[1])
    sort = _sort(promotion)
    words = {entry.seq: _word(oid, entry) for oid, entry in thread.entries}
    standing = {one.seq for one in promotion.approvals}
    return Change(
        id=promotion.id,
        sort=sort,
        kind=promotion.kind,
        outcome=promotion.stage.value,
        at=last.at,
        environment=promotion.environment,
        service=promotion.service,
        image=promotion.image,
        previous=promotion.previous,
        asked=words.get(begun[1].seq),
        approvals=tuple(word for seq, word in words.items() if seq in standing and word),
        refusals=tuple(_refusal(oid, entry) for oid, entry in thread.entries if entry.kind is Kind.REFUSED),
        ended=words.get(last.seq) if last is not begun[1] else None,
        why=promotion.why,
        needs_review=sort is Sort.UNAUTHORISED
        or (sort is Sort.EMERGENCY and (promotion.is_live or bool(promotion.commit)))
        or (bool(begun[1].until) and (promotion.is_live or bool(promotion.commit))),
        review=thread.review,
        change=promotion.change,
        rule=promotion.rule,
        head=promotion.head,
        commit=promotion.commit,
        between=off.get(last.seq),
        url=next((url for _, entry in reversed(thread.entries) if (url := pull_request_of(entry))), ""),
        decided=_decided(promotion, thread),
        entries=tuple(thread.entries),
    )


def _sort(promotion: Promotion) -> Sort:
    if promotion.stage is Stage.MISMATCH:
        return Sort.UNAUTHORISED
    if promotion.kind.value == Sort.EMERGENCY:
        return Sort.EMERGENCY
    return Sort.NORMAL if promotion.head else Sort.STANDARD  # a rollback by commit: nobody is asked there


def _decided(promotion: Promotion, thread: _Thread) -> int:
    """Return the last entry that let it move: an intent, or the rollback that went by commit."""
    found = [entry.seq for _, entry in thread.entries if entry.kind in _DECIDES]
    if not found and promotion.commit and not promotion.head:
        found = [thread.entries[0][1].seq]
    return found[-1] if found else 0


def _word(oid: str, entry: Entry) -> Word | None:
    if not isinstance(entry.by, By):
        return None
    return Word(entry.by, entry.at, entry.seq, oid, entry.note)


def _refusal(oid: str, entry: Entry) -> Word:
    """Return whose decision was not let through, and why: the bot writes it, of a person whom it names."""
    by = entry.by if isinstance(entry.by, By) else By(str(entry.evidence.get("person", "")), "")
    return Word(by, entry.at, entry.seq, oid, entry.why)


def pull_request_of(entry: Entry) -> str:
    """Return the address of the pull request that an entry's evidence names, '' where it names none."""
    named: Json | None = entry.evidence.get("pull_request")
    url = named.get("url") if isinstance(named, Mapping) else None
    return url if isinstance(url, str) else ""


def who(by: Bot | By) -> str:
    """Return a speaker by name and ids."""
    if not isinstance(by, By):
        return "the bot"
    ids = [f"slack:{by.slack_team}/{by.slack_user}"] if by.slack_user else []
    ids += [f"github:{by.forge_login}/{by.forge_id}"] if by.forge_login else []
    return f"{by.person} ({' '.join(ids)})" if ids else by.person
