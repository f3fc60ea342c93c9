"""The append loop: each entry is checked against the very state that it follows, and pushed if that still stands."""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from bot import faults
from bot.chain import Chain, grow
from bot.errors import TransientError
from bot.measures import MEASURES, Measure
from bot.mirror import Mirror, Tips
from bot.objects import Oid
from bot.push import Lost, Ok, RefUpdate, Refused, Unknown
from bot.signing import Signer, is_vouched
from policies.codes import Code
from policies.entry import Entry, EntryError, parse
from policies.state import State
from policies.validator import Book, Refusal, refuse

GIVE_UP_SECONDS = 60.0  # a person sees "not recorded, press again", never silence
MAX_TRIES = 40
JITTER_SECONDS = 0.3  # after a lost race, so that two writers do not meet again
HOST_REFUSES = "the host refuses the push: "
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
    _chain: Chain | None = None
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def read(self, tips: Tips, year: str = "") -> Chain:
        """Return the ledger as the last fetch saw it; only what is new since then is read and checked."""
        with self._lock:
            year = year or max(tips.ledgers, default="")
            tip = tips.ledgers.get(year)
            chain = self._chain
            if chain is not None and chain.tip and not self._goes_on(chain, tips.ledgers.get(chain.year)):
                self.remembered = chain.tip  # what was read once and is gone is an anchor
            if chain is None or chain.year != year or (chain.tip and not self._goes_on(chain, tip)):
                chain = Chain(year, State(year))
            else:
                chain = chain.copy()
            if tip and tip != chain.tip and not chain.faults:
                grow(chain, self.mirror.raw_commits(tip, since=chain.tip), self.book)
            self._chain = chain
            return chain

    def _goes_on(self, chain: Chain, tip: Oid | None) -> bool:
        return tip is not None and (
            chain.tip == tip or (bool(chain.tip) and self.mirror.is_ancestor(Oid(chain.state.tip), tip))
        )

    def read_only_because(self, tips: Tips) -> str:
        """Say why nothing may be appended, or '' where it may: a fault, another's key, a history that was cut."""
        chain = self.read(tips)
        if chain.faults:
            newer = (
                "a newer program wrote it; upgrade"
                if chain.faults[0].is_newer
                else "run `countersign verify`"
            )
            return f"{chain.faults[0]}; {newer}"
        if chain.tip and self._hand(chain) is None:
            return "the ledger is signed with another key; set COUNTERSIGN_SIGNING_KEY to that key"
        if missing := self._cut(tips, chain):
            return f"the ledger no longer contains {missing[:12]}, which {missing[40:]}; somebody rewrote history"
        return ""

    @property
    def hands(self) -> tuple[Signer, ...]:
        """Our keys: the one that is set, and the one that is to follow it."""
        return (self.signer, self.successor) if self.successor else (self.signer,)

    def _hand(self, chain: Chain) -> Signer | None:
        """Return which of our keys signs next; none where the ledger names another one."""
        if not chain.signer:
            return self.signer
        return next((one for one in self.hands if one.public_key == chain.signer), None)

    def _cut(self, tips: Tips, chain: Chain) -> str:
        """Return the first anchor (40 digits, then who names it) that the ledger lost, or ''."""
        known = {oid for oid, _ in chain.entries} | chain.state.forks.keys()
        if self.remembered and self.remembered not in known:
            return f"{self.remembered}the index of this machine saw last"
        keys = {*chain.signers, *(one.public_key for one in self.hands)}
        for one in self.mirror.anchors(tips.target, limit=ANCHORS):
            # Anybody who may push can write a trailer; where there is a ledger, only the bot's own word counts.
            if one.tip not in known and (not chain.tip or is_vouched(keys, one.tip, one.proof)):
                return f"{one.tip}commit {one.commit[:12]} names"
        return ""

    def append(self, compose: Compose, *, year: str, look_first: bool = True) -> AppendAnswer:
        """Write what ``compose`` makes of the present tips and state; made anew whenever somebody was faster.

        ``look_first`` false: begin with what the last fetch saw (one handshake less). ``year``: of a new ledger.
        """
        with self._lock:
            began = time.monotonic()
            deadline = began + GIVE_UP_SECONDS
            detail = ""
            for attempt in range(MAX_TRIES):
                if attempt or look_first:
                    self._fetch_until(deadline)
                answer = self._try(compose, year)
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

    def _try(self, compose: Compose, year: str) -> AppendAnswer | Lost | Unknown:
        tips = self.mirror.tips()
        if reason := self.read_only_because(tips):
            return NotWritten("ledger-read-only", reason)
        chain = self.read(tips)
        grown = chain.copy() if chain.year else Chain(year, State(year))
        proposal = compose(tips, grown.state.copy())
        written = self._build(grown, proposal)
        if isinstance(written, NotAllowed):
            return written
        if not written:
            self.mirror.pace.went(proposal.entries)  # all of it is there already
            return Appended((), grown.state)
        ref = f"refs/heads/ledger/{grown.year}"
        moves = [RefUpdate(ref, tips.ledgers.get(grown.year), written[-1][0]), *proposal.updates]
        faults.point(f"before-{proposal.point}-push")
        answer = self.mirror.push(moves)
        faults.point(f"after-{proposal.point}-push")
        match answer:
            case Ok():
                self._chain = grown
                self.mirror.remember(moves)
                self.mirror.pace.went(proposal.entries)
                self.remembered = written[-1][0]
                return Appended(tuple(written), grown.state)
            case Refused():
                return NotWritten("not-recorded", f"{HOST_REFUSES}{answer.detail}")
            case Lost() | Unknown():
                return answer

    def _build(self, chain: Chain, proposal: Proposal) -> list[tuple[Oid, Entry]] | NotAllowed:
        """Make the commits of what is not there yet, each checked against the state before it."""
        written: list[tuple[Oid, Entry]] = []
        for wanted in proposal.entries:
            if wanted.key in chain.state.keys:
                continue
            entry = replace(wanted, seq=chain.state.seq + 1, prev=chain.state.tip)
            if unreadable := _unreadable(entry):
                return NotAllowed(entry, Refusal(Code.OUT_OF_LINE, unreadable))
            if refusal := refuse(chain.state, entry, self.book):
                return NotAllowed(entry, refusal)
            signer = self._hand(chain) or self.signer
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
