"""The tables that a ledger branch adds up to, and what can be asked of them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from policies.entries.entry import Entry, Link, Pinned, Placed, Sighting
from policies.entries.promotion import Promotion
from policies.entries.remembered import (
    Doubt,
    Event,
    ForgeId,
    Fortune,
    Health,
    Move,
    Open,
    Place,
    Seen,
    Span,
    Spot,
    Standing,
    is_same,
    is_version,
)
from policies.growing import Growing, Trail

LIFTS: Final = "lifts"  # in the evidence of a resume: the numbers of the holds that it is about


@dataclass(slots=True)
class Tables:
    """What a ledger branch adds up to."""

    year: str
    seq: int = 0
    tip: str = ""
    genesis: Entry | None = None
    rules: Entry | None = None  # the last `rules` entry: what is in force
    keys: Growing[str, int] = field(default_factory=Growing)
    counts: Growing[str, int] = field(default_factory=Growing)
    seen: Growing[tuple[str, str, str], Seen] = field(default_factory=Growing)  # service, repository, tag
    built: Growing[tuple[str, str, str], datetime] = field(default_factory=Growing)  # the same: when (UTC)
    sighted: Growing[str, Trail[Sighting]] = field(
        default_factory=Growing
    )  # service -> its tags, oldest first
    empty: dict[str, bool] = field(default_factory=dict)  # services without a version when we looked first
    shown: Growing[str, Placed] = field(default_factory=Growing)
    promotions: Growing[str, Promotion] = field(default_factory=Growing)
    live: dict[Place, str] = field(default_factory=dict)
    moves: Growing[Place, Trail[Move]] = field(default_factory=Growing)
    # environment, service, repository, tag -> what befell that image there: `moves` and `health` by image
    events: Growing[tuple[str, str, str, str], Trail[Event]] = field(default_factory=Growing)
    before: Growing[str, tuple[str, ...]] = field(
        default_factory=Growing
    )  # service -> tags that were there before
    commits: Growing[str, int] = field(default_factory=Growing)
    ours: Growing[str, int] = field(
        default_factory=Growing
    )  # those of `commits` that this bot or its forge made
    holds: dict[Place, Standing] = field(default_factory=dict)  # environment '' = everywhere
    blocks: dict[tuple[str, str, Pinned], Standing] = field(default_factory=dict)
    freezes: dict[str, Standing] = field(default_factory=dict)
    unblocked: dict[tuple[str, str, Pinned], datetime] = field(default_factory=dict)  # when last (UTC)
    unfrozen: dict[str, datetime] = field(default_factory=dict)  # the same
    # when what was replaced since, and freezes lifted since, stood: while people may merge something, else empty
    stood: dict[Spot, tuple[Span, ...]] = field(default_factory=dict)
    open: dict[int, Open] = field(default_factory=dict)
    health: Growing[Place, Trail[Health]] = field(default_factory=Growing)  # oldest first
    configured: dict[str, str] = field(default_factory=dict)  # environment -> commit that `config` came to
    links: dict[str, Link] = field(default_factory=dict)  # person -> what an `identity` links
    signer: str = ""  # the public key that signs from here on
    lost: dict[str, frozenset[str]] = field(default_factory=dict)  # service -> tags whose loss was told
    accepted: dict[tuple[str, Pinned], int] = field(
        default_factory=dict
    )  # bad evidence that a person took on
    answered: dict[Doubt, int] = field(default_factory=dict)  # what a person answered for, by which entry
    # entries with a person's words, since `WORDS_DECIDE`
    worded: Growing[int, bool] = field(default_factory=Growing)
    redacted: dict[int, int] = field(default_factory=dict)  # entry that is not to be shown -> who says so
    forks: dict[str, int] = field(default_factory=dict)  # tips that two people gave up
    forge_ids: dict[str, ForgeId] = field(default_factory=dict)  # by person, as entries named them
    marks: Growing[str, Entry] = field(
        default_factory=Growing
    )  # service -> the last entry about it; '' = about all
    at: str = ""

    def promotion_of(self, entry: Entry) -> Promotion | None:
        """Return the promotion that an entry is about."""
        return self.promotions.get(entry.promotion)

    def live_at(self, environment: str, service: str) -> Promotion | None:
        """Return the one promotion that is under way there."""
        found = self.live.get((environment, service))
        return self.promotions[found] if found else None

    def under_way(self) -> tuple[Promotion, ...]:
        """Return the promotions that are under way, each once, in the order in which they began."""
        return tuple(self.promotions[one] for one in dict.fromkeys(self.live.values()))

    def befell(self, environment: str, service: str, image: Pinned) -> Trail[Event]:
        """Return what befell an image's tag in a place, oldest first, whatever its digest was."""
        return self.events.get((environment, service, image.repository, image.tag)) or Trail()

    def note(self, place: Place, images: Iterable[Pinned], what: Fortune, *, at: datetime, seq: int) -> None:
        """Add what befell images in a place."""
        for one in images:
            key = (*place, one.repository, one.tag)
            self.events[key] = (self.events.get(key) or Trail()).and_then(Event(seq, what, at, one.digest))

    def last_move(self, environment: str, service: str) -> Move | None:
        """Return what we moved there last."""
        moves = self.moves.get((environment, service), ())
        return moves[-1] if moves else None

    def health_of(self, environment: str, service: str) -> Health | None:
        """Return what was seen last of what stands there now; nothing where nothing was seen since it moved."""
        found = self.health.get((environment, service), ())
        move = self.last_move(environment, service)
        return found[-1] if found and (move is None or move.seq < found[-1].seq) else None

    def sighting(self, service: str, image: Pinned, *, exact: bool) -> Seen | None:
        """Return the first sighting of an image's tag; ``exact``: of this very digest of it."""
        first = self.seen.get((service, image.repository, image.tag))
        if not exact or (first and first.sighting.digest == image.digest):
            return first
        return self.seen.get((service, image.repository, f"{image.tag}@{image.digest}"))

    def is_accepted(self, service: str, image: Pinned) -> bool:
        """Whether a person unblocked this very image after the bot had blocked it for bad evidence."""
        return (service, image) in self.accepted

    def is_answered(self, place: Place, code: str, image: Pinned, previous: Pinned | None = None) -> bool:
        """Whether a person lifted the hold by which a guard doubted exactly this there: the image, the step to it."""
        return any(
            doubt[:3] == (*place, code)
            and doubt[3] == image
            and (previous is None or is_same(doubt[4], previous))
            for doubt in self.answered
        )

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

    def overdue(self, environment: str, at: datetime) -> list[int]:
        """Return the numbers of what should have been reviewed in an environment by then (UTC), oldest first."""
        return [
            seq
            for seq, one in self.open.items()
            if one.environment == environment and one.due and one.due < at
        ]

    def block_on(
        self, environments: Iterable[str], service: str, image: tuple[Pinned, ...]
    ) -> Standing | None:
        """Return the block that forbids this version in one of these: the environment and all that come before it."""
        wanted = {"", *environments}
        for (where, what, blocked), standing in self.blocks.items():
            if what == service and where in wanted and any(is_version(blocked, one) for one in image):
                return standing
        return None


def lifted_holds(state: Tables, entry: Entry) -> tuple[Place, ...]:
    """Return the holds that a resume lifts: there, or everywhere where it names no environment.

    Where its evidence says which holds it is about, those alone: another may have taken their place meanwhile.
    """
    named = lifts_of(entry)
    return tuple(
        place
        for place, standing in state.holds.items()
        if _covers(entry, place[0]) and place[1] == entry.service and (named is None or standing.seq in named)
    )


def lifts_of(entry: Entry) -> frozenset[int] | None:
    """Return the numbers of the holds that a resume is about; nothing where it does not say, so that all are.

    What is not a list of numbers names no hold.
    """
    if LIFTS not in entry.evidence:
        return None
    told = entry.evidence[LIFTS]
    return frozenset(one for one in told if type(one) is int) if isinstance(told, list) else frozenset()


def lifted_blocks(state: Tables, entry: Entry) -> tuple[tuple[str, str, Pinned], ...]:
    """Return the blocks that an unblock lifts: there, or everywhere where it names no environment."""
    return tuple(
        place
        for place in state.blocks
        if _covers(entry, place[0])
        and place[1] == entry.service
        and any(is_version(place[2], image) for image in entry.image)
    )


def _covers(entry: Entry, environment: str) -> bool:
    return not entry.environment or entry.environment == environment


Apply = Callable[[Tables, Entry, str], None]  # adds one entry, by its commit's oid
