"""Whether what was seen of a place's health may be said: of what stands there, on a commit that has it, as a change."""

from policies.allowed.asked import Asked, No, Refusal
from policies.allowed.facts import known_names
from policies.codes import Code
from policies.entries.entry import Kind, Pinned
from policies.ledger.state import is_same


def health(asked: Asked) -> No:
    """Is it of what stands there now, on a commit where it stands, and is it news?"""
    yield from known_names(asked)
    entry, state = asked.entry, asked.state
    if not entry.evidence:
        yield Refusal(Code.EVIDENCE_MISSING, "what was looked at has to be said")
    move = state.last_move(entry.environment, entry.service)
    start = state.genesis.commit if state.genesis else ""
    if not asked.book.follows(move.commit if move else start, entry.commit):
        yield Refusal(Code.OUT_OF_LINE, f"{entry.commit[:12]} does not come after what moved there last")
        return
    stands = move.image if move else _at(asked, start)
    if not _are_same(stands, entry.image) or not _are_same(_at(asked, entry.commit), entry.image):
        yield Refusal(Code.CHANGE_MOVED, f"{entry.image[0].tag} is not what stands there")
    last = state.health_of(entry.environment, entry.service)
    if last and last.is_healthy == (entry.kind is Kind.HEALTHY):
        yield Refusal(Code.OUT_OF_LINE, f"it was said already, by #{last.seq}")


def _at(asked: Asked, commit: str) -> tuple[Pinned, ...]:
    """Return what stood there at a commit, as the rules in force say where to look."""
    rules = asked.rules
    if rules is None:
        return ()
    return asked.book.baseline(commit, rules, asked.entry.environment, asked.entry.service)


def _are_same(some: tuple[Pinned, ...], others: tuple[Pinned, ...]) -> bool:
    return len(some) == len(others) and all(any(is_same(one, other) for other in others) for one in some)
