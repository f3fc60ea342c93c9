"""The append loop: each entry is checked against the very state that it follows, and pushed if that still stands."""

import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot import faults
from bot.chains.chain import Chain, grow, year_begun
from bot.chains.signatures_ahead import ahead
from bot.chains.years import checkpoint, genesis, may_turn, read_year, wrongly_begun
from bot.checking import Checking
from bot.errors import TransientError
from bot.measures import MEASURES, Measure
from bot.repository.mirror import Mirror, Tips
from bot.repository.objects import Oid, RawCommit
from bot.repository.push import Lost, Ok, PushAnswer, RefUpdate, Refused, Unknown
from bot.repository.second_remote import SecondRemote
from bot.signing import Signer, is_vouched
from policies.codes import Code
from policies.entries.carried import first_number
from policies.entries.entry import Entry, EntryError, parse
from policies.ledger.state import State
from policies.validator import Book, Refusal, refuse

GIVE_UP_SECONDS = 60.0  # a person sees "not recorded, press again", never silence
MAX_TRIES = 40
JITTER_SECONDS = 0.3  # after a lost race, so that two writers do not meet again
HOST_REFUSES = "the host refuses the push: "
_ALL = 1 << 30
ANCHORS = 50  # how many of the newest moves are asked where the ledger ended then


@dataclass(frozen=True, slots=True)
class Proposal:
    """What shall go out in one atomic push: entries, and branches that move with them. ``point`` names its kind."""

    entries: tuple[Entry, ...] = ()
    updates: tuple[RefUpdate, ...] = ()
    point: str = "ledger"


@dataclass(frozen=True, slots=True)
class Appended:
    """It is on the remote. ``entries`` are those that were new; none: everything was there already, by key."""

    entries: tuple[tuple[Oid, Entry], ...]
    state: State


@dataclass(frozen=True, slots=True)
class NotAllowed:
    """The validator refused an entry, in the state that it would have followed."""

    entry: Entry
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class NotWritten:
    """Nothing was recorded. ``code``: ledger-read-only or not-recorded."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class LostEnd:
    """An end of the ledger that it does not contain any more, and who knows of it, as the end of a sentence.

    ``is_sure``: it is no mere line that anybody who may push could have written.
    """

    oid: str
    who: str
    is_sure: bool = True


AppendAnswer = Appended | NotAllowed | NotWritten
Compose = Callable[[Tips, State], Proposal]


@dataclass(slots=True)
class Ledger:
    """The one ledger of a repository. ``remembered`` is the tip that the index saw last ('' = none)."""

    mirror: Mirror
    signer: Signer
    book: Book
    remembered: str = ""
    successor: Signer | None = None  # the key that is to sign from now on
    second: SecondRemote | None = None  # where each end of it is kept, too
    checking: Checking | None = None  # who shows something while a long ledger is read first
    _chain: Chain | None = None
    _read_to: Oid | None = None  # where the branch ended when it was read last
    _begun: tuple[str, str] = (
        "",
        "",
    )  # a year's first entry, and what is wrong between it and the year before
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def read(self, tips: Tips, year: str = "") -> Chain:
        """Return the ledger as the last fetch saw it; only what is new since then is read and checked."""
        with self._lock:
            year = year or max(tips.ledgers, default="")
            tip = tips.ledgers.get(year)
            chain = self._chain
            if chain is not None and chain.tip and not self._goes_on(chain, tips.ledgers.get(chain.year)):
                self.remembered = chain.tip  # what was read once and is gone is an anchor
            is_mended = chain is not None and bool(chain.faults) and tip != self._read_to
            self._read_to = tip
            is_gone = chain is None or chain.year != year or (chain.tip and not self._goes_on(chain, tip))
            if chain is not None and not is_gone and not is_mended and tip == chain.tip:
                return chain  # what is handed out is read; whoever lets it grow copies it
            # what was wrong with it may have been taken back
            chain = Chain(year, State(year)) if chain is None or is_gone or is_mended else chain.copy()
            if tip and tip != chain.tip and not chain.faults:
                commits = self.mirror.raw_commits(tip, since=chain.tip)
                with ahead(commits) as signatures, self._watched(chain, commits) as watched:
                    grow(chain, watched, self.book, signatures.signed_by)
            self._chain = chain
            return chain

    def _watched(
        self, chain: Chain, commits: Sequence[RawCommit]
    ) -> AbstractContextManager[Iterable[RawCommit]]:
        """Let the first reading be watched; what is read anew after a fault was shown before."""
        is_first = self._chain is None
        return self.checking.of(chain, commits) if self.checking and is_first else nullcontext(commits)

    def end(self, tips: Tips) -> tuple[int, str]:
        """Return number and commit of the last entry; '' where it can only be read, or is empty."""
        if self.read_only_because(tips):
            return (0, "")
        state = self.read(tips).state
        return (state.seq, state.tip)

    def _goes_on(self, chain: Chain, tip: Oid | None) -> bool:
        return tip is not None and (
            chain.tip == tip or (bool(chain.tip) and self.mirror.is_ancestor(Oid(chain.state.tip), tip))
        )

    def read_only_because(self, tips: Tips) -> str:
        """Say why nothing may be appended, or '' where it may: a fault, another's key, a history that was cut."""
        chain = self.read(tips)
        if unfit := self._unfit(tips, chain):
            return unfit
        if lost := self._cut(tips, chain):
            return (
                f"the ledger no longer contains {lost.oid[:12]}, which {lost.who}; somebody rewrote history"
            )
        return ""

    def _unfit(self, tips: Tips, chain: Chain) -> str:
        """Say why what stands there cannot be gone on from, '' where it can."""
        if chain.faults:
            newer = (
                "a newer program wrote it; upgrade"
                if chain.faults[0].is_newer
                else "run `countersign verify`"
            )
            return f"{chain.faults[0]}; {newer}"
        if chain.tip and self._hand(chain.signer) is None:
            return "the ledger is signed with another key; set COUNTERSIGN_SIGNING_KEY to that key"
        if wrong := self._wrongly_begun(tips, chain):
            return f"ledger/{chain.year}: {wrong}; run `countersign verify`"
        return ""

    def lost(self, tips: Tips, kept: Chain | None = None) -> tuple[LostEnd, ...]:
        """Return every end of the ledger that somebody knows and it does not have, what was known last first.

        ``kept``: as it would be with what our clone has of it.
        """
        return tuple(self._lost(tips, kept or self.read(tips), limit=_ALL))

    def _is_older(self, tips: Tips, oid: str) -> bool:
        """Whether an entry stands in the branch of an earlier year."""
        newest = max(tips.ledgers, default="")
        return any(
            self.mirror.is_ancestor(Oid(oid), tip) for year, tip in tips.ledgers.items() if year != newest
        )

    def _wrongly_begun(self, tips: Tips, chain: Chain) -> str:
        """Say why this year does not go on from the one before, where that one's branch is here; asked once."""
        first = chain.entries[0][0] if chain.entries else ""
        earlier = sorted(year for year in tips.ledgers if year < chain.year)
        if not first or not earlier:
            return ""
        if self._begun[0] != first:
            year = earlier[-1]
            old = read_year(self.mirror, self.book, year, tips.ledgers[year])
            self._begun = (first, wrongly_begun(old, chain))
        return self._begun[1]

    def _is_there_now(self, oid: str) -> bool:
        """Whether a ledger contains an entry now: another replica may have been faster than our last look."""
        tips = self.mirror.fetch()
        return any(self.mirror.is_ancestor(Oid(oid), tip) for tip in tips.ledgers.values())

    @property
    def hands(self) -> tuple[Signer, ...]:
        """Our keys: the one that is set, and the one that is to follow it."""
        return (self.signer, self.successor) if self.successor else (self.signer,)

    def _hand(self, key: str) -> Signer | None:
        """Return which of our keys it is that signs next; none where the ledger names another one."""
        return next((one for one in self.hands if one.public_key == key), None)

    def _cut(self, tips: Tips, chain: Chain) -> LostEnd | None:
        """Return the first anchor that the ledger lost."""
        return next(self._lost(tips, chain, limit=ANCHORS), None)

    def _lost(self, tips: Tips, chain: Chain, *, limit: int) -> Iterator[LostEnd]:
        """Yield the anchors that the ledger lost, of moves those that ``limit`` commits name."""

        def is_known(oid: str) -> bool:
            return chain.entries.has(oid) or oid in chain.state.forks

        if self.remembered and not is_known(self.remembered) and not self._is_older(tips, self.remembered):
            yield LostEnd(self.remembered, "the index of this machine saw last")
        for oid in self.second.ends().values() if self.second else ():
            if not is_known(oid) and not self._is_older(tips, oid) and not self._is_there_now(oid):
                yield LostEnd(oid, "the second remote has")
        keys = {*chain.signers, *(one.public_key for one in self.hands)}
        named = self.mirror.anchors(tips.target, limit=limit)
        if len(named) == limit and not all(is_vouched(keys, one.tip, one.proof) for one in named):
            named = self.mirror.anchors(tips.target, limit=_ALL)  # nobody hides true ones behind made-up ones
        for one in named:
            # Anybody who may push can write a trailer; where there is a ledger, only the bot's own word counts.
            is_sure = is_vouched(keys, one.tip, one.proof)
            counts = not chain.tip or is_sure
            if not is_known(one.tip) and counts and not self._is_older(tips, one.tip):
                yield LostEnd(one.tip, f"commit {one.commit[:12]} names", is_sure)

    def append(self, compose: Compose, *, year: str, look_first: bool = True) -> AppendAnswer:
        """Write what ``compose`` makes of the present tips and state; made anew whenever somebody was faster.

        ``look_first`` false: begin with what the last fetch saw (one handshake less). ``year``: of a new ledger.
        """
        with self._lock:
            return self._persist(lambda: self._try(compose, year), look_first=look_first)

    def repair(self, compose: Compose, *, base: str = "") -> AppendAnswer:
        """Write where history was rewritten, if what is written explains everything that was lost; else nothing.

        ``base``: where no branch is left, the end in our clone from which it goes on, with all that it contains.
        """
        with self._lock:
            return self._persist(lambda: self._try(compose, "", is_repair=True, base=base), look_first=True)

    def kept(self, end: str) -> Chain | None:
        """Return the ledger up to an end, from what our clone still has of it; nothing where not all of it stands."""
        if not self.mirror.known([Oid(end)]):
            return None
        commits = self.mirror.raw_commits(Oid(end))
        year = year_begun(commits[0]) if commits else ""
        if not year:
            return None
        chain = Chain(year, State(year))
        grow(chain, commits, self.book)
        return chain if chain.tip == end and not chain.faults else None

    def _persist(
        self, attempt_once: Callable[[], AppendAnswer | Lost | Unknown], *, look_first: bool
    ) -> AppendAnswer:
        """Try again while others are faster, or nobody can tell; give up in time."""
        began = time.monotonic()
        deadline = began + GIVE_UP_SECONDS
        detail = ""
        for attempt in range(MAX_TRIES):
            if attempt or look_first:
                self._fetch_until(deadline)
            answer = attempt_once()
            if not isinstance(answer, Lost | Unknown):
                _measured(answer, time.monotonic() - began)
                return answer
            if isinstance(answer, Lost):
                MEASURES.count(Measure.RACES_LOST)
            detail = answer.detail
            if time.monotonic() > deadline:
                break
            time.sleep(random.uniform(0, JITTER_SECONDS))  # noqa: S311  spreads writers, guards nothing
        return NotWritten("not-recorded", f"the repository could not be written to: {detail}")

    def _fetch_until(self, deadline: float) -> None:
        while True:
            try:
                self.mirror.fetch()
            except TransientError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(1.0)
            else:
                return

    def turn(self, year: str, at: datetime, *, is_settled: Callable[[Tips, State], bool]) -> AppendAnswer:
        """Begin a new year, in one push with the end of the old one; nothing is written where it is not time.

        ``is_settled`` says whether everything that the old year should tell stands in it. ``at`` is UTC.
        """
        with self._lock:
            return self._persist(lambda: self._turn(year, at, is_settled), look_first=False)

    def _turn(
        self, year: str, at: datetime, is_settled: Callable[[Tips, State], bool]
    ) -> AppendAnswer | Lost | Unknown:
        tips = self.mirror.tips()
        if reason := self.read_only_because(tips):
            return NotWritten("ledger-read-only", reason)
        chain = self.read(tips)
        if not may_turn(chain, year) or not is_settled(tips, chain.state.copy()):
            return Appended((), chain.state)
        old, new = chain.copy(), Chain(year, State(year))
        ended = self._build(old, Proposal((checkpoint(old.state, at),)))
        if isinstance(ended, NotAllowed):
            return ended
        begun = self._build(new, Proposal((genesis(old, year, tips, self.mirror.branch, at),)))
        if isinstance(begun, NotAllowed):
            return begun
        moves = [
            RefUpdate(f"refs/heads/ledger/{old.year}", tips.ledgers.get(old.year), old.tip),
            RefUpdate(f"refs/heads/ledger/{year}", None, new.tip),
        ]
        faults.point("before-ledger-push")
        answer = self.mirror.push(moves)
        faults.point("after-ledger-push")
        return self._answered(answer, new, [*ended, *begun], moves)

    def _answered(
        self, answer: PushAnswer, grown: Chain, written: list[tuple[Oid, Entry]], moves: list[RefUpdate]
    ) -> AppendAnswer | Lost | Unknown:
        """Take what the host said of a push."""
        match answer:
            case Ok():
                self._chain = grown
                self.mirror.remember(moves)
                self.mirror.pace.went(entry for _, entry in written)
                self.remembered = written[-1][0]
                if self.second:
                    self.second.send(self.mirror.tips().ledgers, grown.state.forks)
                return Appended(tuple(written), grown.state)
            case Refused():
                return NotWritten("not-recorded", f"{HOST_REFUSES}{answer.detail}")
            case Lost() | Unknown():
                return answer

    def _try(
        self, compose: Compose, year: str, *, is_repair: bool = False, base: str = ""
    ) -> AppendAnswer | Lost | Unknown:
        tips = self.mirror.tips()
        chain = self.read(tips)
        if base and not tips.ledgers:
            chain = self.kept(base) or chain
        if reason := self._unfit(tips, chain) if is_repair else self.read_only_because(tips):
            return NotWritten("ledger-read-only", reason)
        grown = chain.copy() if chain.year else Chain(year, State(year))
        proposal = compose(tips, grown.state.copy())
        written = self._build(grown, proposal)
        if isinstance(written, NotAllowed):
            return written
        if is_repair and (left := self._cut(tips, grown)):
            return NotWritten("ledger-read-only", f"{left.oid[:12]} would still be missing, which {left.who}")
        if not written:
            self.mirror.pace.went(proposal.entries)  # all of it is there already
            return Appended((), grown.state)
        ref = f"refs/heads/ledger/{grown.year}"
        moves = [RefUpdate(ref, tips.ledgers.get(grown.year), written[-1][0]), *proposal.updates]
        faults.point(f"before-{proposal.point}-push")
        answer = self.mirror.push(moves)
        faults.point(f"after-{proposal.point}-push")
        return self._answered(answer, grown, written, moves)

    def _build(self, chain: Chain, proposal: Proposal) -> list[tuple[Oid, Entry]] | NotAllowed:
        """Make the commits of what is not there yet, each checked against the state before it."""
        written: list[tuple[Oid, Entry]] = []
        for wanted in proposal.entries:
            if wanted.key in chain.state.keys:
                continue
            seq = chain.state.seq + 1 if chain.state.seq else first_number(wanted.carried)
            entry = replace(wanted, seq=seq, prev=chain.state.tip)
            if unreadable := _unreadable(entry):
                return NotAllowed(entry, Refusal(Code.OUT_OF_LINE, unreadable))
            if refusal := refuse(chain.state, entry, self.book):
                return NotAllowed(entry, refusal)
            signer = self._hand(chain.signer or entry.signer) or self.signer
            oid = self.mirror.entry_commit(chain.tip, message=entry.message(), at=entry.time, signer=signer)
            chain.add(oid, entry)
            written.append((oid, entry))
        return written


def _measured(answer: AppendAnswer, seconds: float) -> None:
    if isinstance(answer, Appended) and answer.entries:
        MEASURES.count(Measure.LEDGER_ENTRIES, by=len(answer.entries))
        MEASURES.observe(Measure.APPEND_SECONDS, seconds)


def _unreadable(entry: Entry) -> str:
    """Say why an entry could not be read back, or '' where it can: what is written once cannot be rewritten."""
    try:
        return "" if parse(entry.line()) == entry else "it does not read back as it was meant"
    except EntryError as error:
        return str(error)
