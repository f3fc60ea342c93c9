"""The ledger of several years: each branch goes on from the one before, and carries what that one stood for."""

from collections.abc import Callable, Iterable
from datetime import datetime

from bot.chains.chain import Chain, Entries, Fault, grow
from bot.chains.signatures_ahead import Ahead, ahead
from bot.repository.mirror import Mirror, Tips
from bot.repository.objects import Oid, RawCommit
from policies.canonical import canonical
from policies.entries.carried import carry
from policies.entries.entry import Entry, Kind, write_time
from policies.entries.promotion import Stage
from policies.ledger.checkpoint import sum_of
from policies.ledger.keys import expected_key
from policies.ledger.state import State
from policies.validator import Book

_PROGRESS = 500  # entries between two lines of progress
_UNDER_WAY = frozenset({Stage.MERGING, Stage.MERGED})


def read_years(
    mirror: Mirror, book: Book, tips: Tips, *, progress: Callable[[str], None] = lambda _: None
) -> list[Chain]:
    """Read all branches, the oldest year first; what is wrong between two years is a fault of the later one."""
    found: list[Chain] = []
    for year, tip in sorted(tips.ledgers.items()):
        chain = read_year(mirror, book, year, tip, progress=progress)
        if wrong := wrongly_begun(found[-1], chain) if found else "":
            chain.faults.append(Fault(chain.entries[0][0], chain.entries[0][1].seq, wrong))
        found.append(chain)
    return found


def read_year(
    mirror: Mirror, book: Book, year: str, tip: Oid, *, progress: Callable[[str], None] = lambda _: None
) -> Chain:
    """Read one branch from its beginning."""
    chain = Chain(year, State(year))
    commits = mirror.raw_commits(tip)
    with ahead(commits) as signatures:
        _grow(chain, commits, book, signatures, progress)
    return chain


def _grow(
    chain: Chain,
    commits: list[RawCommit],
    book: Book,
    signatures: Ahead,
    progress: Callable[[str], None],
) -> None:
    for start in range(0, len(commits), _PROGRESS):
        part = commits[start : start + _PROGRESS]
        before = len(chain.entries)
        grow(chain, part, book, signatures.signed_by)
        if len(chain.entries) - before < len(part):
            stopped = commits[len(chain.entries)]
            rest = len(commits) - len(chain.entries) - 1
            progress(f"{rest} entries after {stopped.oid[:12]} stand on one that cannot be read")
            break
        if len(part) == _PROGRESS:
            progress(f"{start + len(part)} of {len(commits)} entries")


def whole(years: list[Chain]) -> Chain:
    """Return all years as one chain: every entry, and every promotion as it stood at last."""
    last = years[-1]
    state = last.state.copy()
    for chain in reversed(years[:-1]):
        for name, promotion in chain.state.promotions.items():
            state.promotions.setdefault(name, promotion)
    entries = Entries(one for chain in years for one in chain.entries)
    faults = [one for chain in years for one in chain.faults]
    signers = tuple(dict.fromkeys(key for chain in years for key in chain.signers))
    return Chain(last.year, state, entries, faults, signers)


def wrongly_begun(old: Chain, new: Chain) -> str:
    """Say why a year does not go on from the one before, '' where it does: the same state, tip and key."""
    genesis = new.state.genesis
    if genesis is None or not new.entries:
        return ""
    said = genesis.carried
    if not said:
        return f"it carries nothing, and ledger/{old.year} is there"
    if said.get("tip") != old.state.tip:
        return (
            f"it goes on from {str(said.get('tip'))[:12]}, and ledger/{old.year} ends at {old.state.tip[:12]}"
        )
    if genesis.signer != old.state.signer:
        return f"it names another key than the one that signed at the end of ledger/{old.year}"
    meant = carry(old.state, old.entries, genesis.time)
    if canonical(meant) != canonical(dict(said)):
        tables = (meant.get("tables"), said.get("tables"))
        names = sorted(
            name
            for name in {*_names(tables[0]), *_names(tables[1])}
            if canonical(_table(tables[0], name)) != canonical(_table(tables[1], name))
        )
        return f"what it carries is not what ledger/{old.year} stood for: {', '.join(names) or 'its head'}"
    return ""


def _names(tables: object) -> Iterable[str]:
    return tables.keys() if isinstance(tables, dict) else ()


def _table(tables: object, name: str) -> list[str]:
    return tables.get(name, []) if isinstance(tables, dict) else []


def may_turn(chain: Chain, year: str) -> bool:
    """Whether a new year may begin: nothing is being merged, so that no merge falls between two branches."""
    live = (chain.state.promotions[one] for one in chain.state.live.values())
    return bool(chain.entries) and chain.year < year and not any(one.stage in _UNDER_WAY for one in live)


def checkpoint(state: State, at: datetime) -> Entry:
    """Return the last entry of a year: the sum of what it stands for."""
    draft = Entry(kind=Kind.CHECKPOINT, at=write_time(at), key="", state=sum_of(state))
    return Entry(kind=draft.kind, at=draft.at, key=expected_key(state, draft), state=draft.state)


def genesis(old: Chain, year: str, tips: Tips, branch: str, at: datetime) -> Entry:
    """Return the first entry of the year that goes on from ``old``, whose checkpoint is made."""
    return Entry(
        kind=Kind.GENESIS,
        at=write_time(at),
        key=f"genesis/{year}",
        commit=tips.target,
        branch=branch,
        signer=old.state.signer,
        carried=carry(old.state, old.entries, at),
    )
