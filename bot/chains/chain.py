"""The ledger branch read as a chain: each commit of the right form, signed, and allowed where it stands."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import overload

from bot.chains import signatures_ahead
from bot.errors import BotError
from bot.repository.objects import EMPTY_TREE, CommitInfo, Oid, RawCommit, read_commit
from bot.signing import split_signature, wire_of
from policies.entries.entry import Entry, EntryError, Kind, UnknownKindError, parse
from policies.entries.redacted import veiled
from policies.errors import PolicyError
from policies.growing import Growing, Trail
from policies.ledger.state import State
from policies.validator import Book, refuse


@dataclass(frozen=True, slots=True)
class Fault:
    """Something is wrong with one entry: its commit, its number where it has one, and what."""

    oid: Oid
    seq: int
    what: str
    is_newer: bool = False

    def __str__(self) -> str:
        return f"entry {self.oid[:12]} (#{self.seq or '?'}): {self.what}"


class Entries(Sequence[tuple[Oid, Entry]]):
    """The entries of a branch with their commits, oldest first; what two copies have in common is there once."""

    __slots__ = ("_numbers", "_trail")

    def __init__(self, entries: Iterable[tuple[Oid, Entry]] = ()) -> None:
        """Begin with these."""
        self._trail: Trail[tuple[Oid, Entry]] = Trail()
        self._numbers: Growing[str, int] = Growing()
        for one in entries:
            self.append(one)

    def append(self, one: tuple[Oid, Entry]) -> None:
        """Add one at the end."""
        self._trail = self._trail.and_then(one)
        self._numbers[one[0]] = one[1].seq

    def has(self, oid: str) -> bool:
        """Whether one of them is this commit."""
        return oid in self._numbers

    def copy(self) -> "Entries":
        """Return a line that may grow without touching this one."""
        other = Entries()
        other._trail, other._numbers = self._trail, self._numbers.copy()
        return other

    @overload
    def __getitem__(self, index: int) -> tuple[Oid, Entry]: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[tuple[Oid, Entry], ...]: ...
    def __getitem__(self, index: int | slice) -> tuple[Oid, Entry] | tuple[tuple[Oid, Entry], ...]:
        return self._trail[index]

    def __iter__(self) -> Iterator[tuple[Oid, Entry]]:
        return iter(self._trail)

    def __len__(self) -> int:
        return len(self._trail)


@dataclass(slots=True)
class Chain:
    """A branch as far as it was read. ``faults`` empty: every entry stands where it may."""

    year: str
    state: State
    entries: Entries = field(default_factory=Entries)
    faults: list[Fault] = field(default_factory=list)
    signers: tuple[str, ...] = ()  # all keys that ever signed it, or may from here on

    @property
    def tip(self) -> Oid | None:
        """The last entry's commit, nothing where the branch is empty."""
        return Oid(self.state.tip) if self.state.tip else None

    @property
    def signer(self) -> str:
        """The public key that signs from here on: genesis names it, or the last change of key."""
        return self.state.signer

    @property
    def shown(self) -> list[tuple[str, Entry]]:
        """The entries as they may be shown: without the words that two people took out."""
        return list(veiled(self.entries, self.state.redacted))

    def add(self, oid: Oid, entry: Entry) -> None:
        """Add an entry that was read or made."""
        self.state.apply(entry, oid)
        self.entries.append((oid, entry))
        if self.signer and self.signer not in self.signers:
            self.signers = (*self.signers, self.signer)

    def copy(self) -> "Chain":
        """Return a chain that may grow without touching this one."""
        return replace(self, state=self.state.copy(), entries=self.entries.copy(), faults=list(self.faults))


SignedBy = Callable[[RawCommit], bytes | None]  # the key, on the wire, whose good signature a commit has


def year_begun(first: RawCommit) -> str:
    """Return the year whose branch a commit begins, '' where it begins none."""
    try:
        entry = parse(first.data.rstrip(b"\n").rpartition(b"\n")[2])
    except EntryError:
        return ""
    kind, _, year = entry.key.partition("/")
    return year if entry.kind is Kind.GENESIS and kind == Kind.GENESIS.value else ""


def grow(
    chain: Chain, commits: Iterable[RawCommit], book: Book, signed_by: SignedBy = signatures_ahead.signed_by
) -> None:
    """Read on: add commits, parents before children, and note what is wrong with each."""
    for raw in commits:
        try:
            entry = read_entry(raw, chain.signer, signed_by)
        except UnknownKindError as error:
            chain.faults.append(Fault(raw.oid, 0, str(error), is_newer=True))
            return
        except (PolicyError, BotError) as error:
            chain.faults.append(Fault(raw.oid, 0, str(error)))
            return
        if refusal := refuse(chain.state, entry, book):
            chain.faults.append(Fault(raw.oid, entry.seq, f"{entry.kind} is not allowed there: {refusal}"))
        chain.add(raw.oid, entry)


def read_entry(raw: RawCommit, signer: str, signed_by: SignedBy = signatures_ahead.signed_by) -> Entry:
    """Read one commit of the branch; ``signer`` '' = it must be genesis, which names its own. Raises: EntryError."""
    info = read_commit(raw.oid, raw.data)
    if info.tree != EMPTY_TREE or len(info.parents) > 1:
        raise EntryError("an entry has the empty tree and one parent")
    entry = _body(info)
    key = signer or (entry.signer if entry.kind is Kind.GENESIS else "")
    signed = signed_by(raw)
    if signed is None and split_signature(raw.data)[1] is None:
        raise EntryError("it is not signed")
    if not key or signed is None or signed != wire_of(key):
        raise EntryError("its signature is not the ledger's key's")
    if entry.prev != (info.parents[0] if info.parents else ""):
        raise EntryError("it names another parent than its commit")
    if info.authored_at != entry.time or info.committed_at != entry.time or info.author != info.committer:
        raise EntryError("its commit has another author or time than the entry")
    return entry


def _body(info: CommitInfo) -> Entry:
    subject, blank, rest = info.message.partition("\n\n")
    line = rest.removesuffix("\n")
    if not blank or "\n" in line or "\n" in subject:
        raise EntryError("its message is not a subject, an empty line and one line of JSON")
    entry = parse(line.encode("utf-8", "surrogateescape"))
    if subject != entry.subject:
        raise EntryError(f"its subject is {subject[:80]!r}, expected {entry.subject!r}")
    return entry
