"""Where nobody is asked: what is ready moves, with its entry, in one push; and moves by others are written down."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from bot import wording
from bot.ledger import Proposal
from bot.looking.book import Book
from bot.looking.survey import Survey
from bot.promoting.gate_evidence import gate_evidence
from bot.repository.mirror import Mirror
from bot.repository.objects import Oid
from bot.repository.push import RefUpdate
from bot.signing import Signer, vouch
from policies.allowed.facts import moved_past
from policies.allowed.moves import MAX_TOGETHER
from policies.canonical import Json
from policies.decide import Candidate, Decision, Standing
from policies.entries.change import change_hash
from policies.entries.entry import (
    MAX_LINE,
    Beside,
    Bot,
    Entry,
    Kind,
    Member,
    Pinned,
    RuleAt,
    shares,
    write_time,
)
from policies.errors import PolicyError
from policies.gates.sightings import was_before
from policies.ledger.keys import bump_key, expected_key
from policies.ledger.state import Place as Where
from policies.pins import Place, edits_to
from policies.rules.rules import EffectiveRule, moving_rule
from policies.texts.edit import Edit, apply

ROOM = MAX_LINE - 4096  # bytes of a line, but for its number, its key, and what it says of its commit


@dataclass(frozen=True, slots=True)
class Stuck:
    """A move that cannot be written, and why: shown, and tried again at the next pass."""

    where: Where
    detail: str


class Writer:
    """Makes the commits of moves: the scalars' bytes and nothing else."""

    def __init__(self, mirror: Mirror, folder: str, signer: Signer | None = None) -> None:
        """Write into this mirror; ``folder`` is where the rules are; ``signer`` vouches for the ledger's end."""
        self._mirror = mirror
        self._signer = signer
        self.folder = folder

    def proof(self, tip: str) -> str:
        """Return our word that the ledger ended there, for a trailer; '' where there is nothing to say."""
        return vouch(self._signer, tip) if self._signer and tip else ""

    def edits(self, place: Place, rule: EffectiveRule, images: Iterable[Pinned]) -> tuple[Edit, ...]:
        """Return what would be replaced. Raises: PolicyError."""
        return edits_to(place, rule, images)

    def edits_of(
        self,
        places: Callable[[str, str], Place],
        rule: EffectiveRule,
        images: tuple[Pinned, ...],
        members: tuple[Member, ...] = (),
    ) -> tuple[Edit, ...]:
        """Return what would be replaced for a service, or for each member of a group. Raises: PolicyError."""
        parts = rule.moving([one.service for one in members])
        if not parts:
            raise PolicyError(f"the rule of {rule.service.name} does not have these services")
        moves = shares(rule.service.name, members, images, ())
        return tuple(
            edit
            for part, one in zip(parts, moves, strict=True)
            for edit in self.edits(places(part.environment.name, one.service), part, one.image)
        )

    def build(
        self, parent: Oid, edits: Iterable[Edit], *, message: str, at: datetime, beside: Oid | None = None
    ) -> Oid:
        """Make a commit on ``parent``, these scalars replaced; a merge of ``beside``. Raises: PolicyError, BotError."""
        by_path: dict[str, list[Edit]] = {}
        for edit in edits:
            by_path.setdefault(edit.path, []).append(edit)
        listing = self._mirror.listing(parent, sorted(by_path))
        content = self._mirror.blobs(listing.values())
        files = {path: apply(content[listing[path]], found) for path, found in by_path.items()}
        parents = [parent, beside] if beside else [parent]
        return self._mirror.commit(parents, files, message=message, at=at)


def rule_at(look: Survey, rule: EffectiveRule) -> RuleAt:
    """Return the effective rule as entries name it."""
    return RuleAt(look.rules.commit, look.rules.files, rule.hash)


def bumps(
    look: Survey,
    decision: Decision,
    writer: Writer,
    *,
    branch: str,
    tip: str,
    environment: str = "",
    without: Collection[Where] = (),
    apart: Collection[Where] = (),
    stuck: list[Stuck],
) -> Proposal:
    """Return the moves that are ready where nobody is asked, each a commit and its entry, on the target's tip.

    What was there before the first look and moves by ``catch-up`` goes together: one commit, one entry.
    ``tip`` is the ledger's end that was validated. ``environment`` '' = all. ``apart`` goes by itself all the same.
    What cannot be written goes to ``stuck``.
    """
    ready: list[_Ready] = []
    for row in (*decision.rows, *decision.groups):
        best = row.best
        if best is None or best.verdict is not Standing.READY or environment not in {"", row.environment}:
            continue
        rule = moving_rule(look.world.rules, row.environment, row.service)  # none for a member of a group
        if rule is None or rule.environment.has_promotions or (row.environment, row.service) in without:
            continue
        try:
            ready.append(_ready(look, writer, rule, best))
        except PolicyError as error:
            stuck.append(Stuck((row.environment, row.service), str(error)))
    entries: list[Entry] = []
    parent = look.tips.target
    for together in _together(look, ready, apart):
        try:
            entry = _bump(look, writer, together, parent=parent, tip=tip)
        except PolicyError as error:
            stuck += [Stuck(one.where, str(error)) for one in together]
            continue
        entries.append(entry)
        parent = Oid(entry.commit)
    if not entries:
        return Proposal()
    move = RefUpdate(f"refs/heads/{branch}", look.tips.target, parent)
    return Proposal(tuple(entries), (move,), "bump")


@dataclass(frozen=True, slots=True)
class _Ready:
    """One service that moves: what would be replaced, by which rule, on which evidence."""

    rule: EffectiveRule
    image: tuple[Pinned, ...]
    edits: tuple[Edit, ...]
    evidence: dict[str, Json]
    members: tuple[Member, ...] = ()  # of a group, which goes by itself

    @property
    def where(self) -> Where:
        return (self.rule.environment.name, self.rule.service.name)


def _ready(look: Survey, writer: Writer, rule: EffectiveRule, best: Candidate) -> _Ready:
    image = best.images(rule)
    edits = writer.edits_of(look.place, rule, image, best.members)
    if not edits:
        raise PolicyError(f"nothing names {rule.service.name} there any more")
    seen: Json = {"digest": best.digest, "looked": write_time(look.at)}
    looked = gate_evidence(look, rule, image, members=best.members)
    return _Ready(rule, image, edits, {"registry": seen, **looked}, best.members)


def _together(
    look: Survey, ready: Iterable[_Ready], apart: Collection[Where]
) -> Iterator[tuple[_Ready, ...]]:
    """Yield what goes in one commit: the backlog of an environment, by name; each other move by itself."""
    backlog: dict[str, list[_Ready]] = {}
    alone: list[_Ready] = []
    for one in ready:
        where = one.rule.environment
        is_old = not one.members and where.catch_up and was_before(one.rule.service, look.state, one.image)
        (backlog.setdefault(where.name, []) if is_old and one.where not in apart else alone).append(one)
    for moves in backlog.values():
        moves.sort(key=lambda one: one.where)
        for at in range(0, len(moves), MAX_TOGETHER):
            yield from _fitting(look, tuple(moves[at : at + MAX_TOGETHER]))
    yield from ((one,) for one in alone)


def _fitting(look: Survey, moves: tuple[_Ready, ...]) -> Iterator[tuple[_Ready, ...]]:
    """Yield runs of moves of which each has room on one line of the ledger, or is one move."""
    half = len(moves) // 2
    if not half or len(_unbuilt(look, moves).line()) <= ROOM:
        yield moves
        return
    yield from _fitting(look, moves[:half])
    yield from _fitting(look, moves[half:])


def _bump(look: Survey, writer: Writer, together: tuple[_Ready, ...], *, parent: Oid, tip: str) -> Entry:
    edits = [edit for one in together for edit in one.edits]
    change, entry = change_hash(edits), _unbuilt(look, together)
    if (size := len(entry.line())) > ROOM:
        raise PolicyError(
            f"the entry would have {size} bytes, most of them answers of gates; expected at most {ROOM}: "
            "take services from the group, or gates from its rule"
        )
    entry = replace(entry, key=bump_key(entry.environment, parent, change), change=change)
    message = wording.move_message(entry, folder=writer.folder, tip=tip, proof=writer.proof(tip))
    commit = writer.build(parent, edits, message=message, at=look.at)
    return replace(entry, commit=commit)


def _unbuilt(look: Survey, together: tuple[_Ready, ...]) -> Entry:
    """Return the entry of what moves together, but for what its commit says: key, change and commit."""
    first, *others = (
        Beside(
            service=one.rule.service.name,
            image=one.image,
            previous=standing(look, *one.where, one.members),
            rule=rule_at(look, one.rule),
            evidence=one.evidence,
        )
        for one in together
    )
    members = together[0].members
    return Entry(
        kind=Kind.BUMP,
        at=write_time(look.at),
        key="",
        by=Bot(),
        environment=together[0].rule.environment.name,
        service=first.service,
        group=first.service if members else "",
        members=members,
        image=first.image,
        previous=first.previous,
        rule=first.rule,
        also=tuple(others),
        evidence=first.evidence,
    )


def standing(look: Survey, environment: str, service: str, members: tuple[Member, ...]) -> tuple[Pinned, ...]:
    """Return what stands in the place of a service, or in those of a group's members, in their order."""
    names = [one.service for one in members] or [service]
    return tuple(image for name in names for image in look.world.pin(environment, name).image)


def externals(look: Survey, mirror: Mirror, book: Book, examined: set[Oid]) -> list[Entry]:
    """Return an entry for each move on the target branch that is not ours: the images differ from the parent's.

    ``examined`` remembers the commits that moved nothing; it grows. What moved something is found again until its
    entry stands: a push may be lost, or held back by the pace.
    """
    genesis = look.state.genesis
    if genesis is None:
        return []
    found: list[Entry] = []
    heads = {look.state.promotions[one].head for one in look.state.live.values()}
    line = [
        one
        for one in mirror.first_parents(look.tips.target, since=Oid(genesis.commit))
        if one not in examined and one not in look.state.commits  # ours: git need not be asked about it
    ]
    for commit in reversed(line):
        parents = mirror.parents(commit)
        if set(parents[1:]) & heads:
            continue  # a merge that is being written down
        moves = _moved(look, book, Oid(parents[0]), commit) if parents else []
        if not moves:
            examined.add(commit)
        found += moves
    return found


def _moved(look: Survey, book: Book, before: Oid, commit: Oid) -> list[Entry]:
    found: list[Entry] = []
    for where, was, image in book.moved(before, commit):
        if where[0] not in look.world.rules.environments or where[1] not in look.world.rules.services:
            continue
        entry = Entry(
            kind=Kind.EXTERNAL,
            at=write_time(look.at),
            key="",
            environment=where[0],
            service=where[1],
            commit=commit,
            image=image,
            previous=was,
            why=moved_past(look.world.rules.environment_for(*where)),
        )
        found.append(replace(entry, key=expected_key(look.state, entry)))
    return found
