"""Add up what keeps the ledger itself: who is who, which key signs, what is not shown, what was given up."""

from collections.abc import Mapping

from policies.entry import Entry, Kind
from policies.tables import Apply, Tables


def _identity(state: Tables, entry: Entry, _oid: str) -> None:
    if entry.signer:
        state.signer = entry.signer
    if entry.linked:
        counted = f"identity/person/{entry.linked.person}"
        state.counts[counted] = state.count(counted) + 1
        state.links[entry.linked.person] = entry.linked


def _redact(state: Tables, entry: Entry, _oid: str) -> None:
    state.redacted[entry.erases] = entry.seq


def _fork(state: Tables, entry: Entry, _oid: str) -> None:
    state.forks[entry.lost] = entry.seq


def _quarantine(state: Tables, entry: Entry, _oid: str) -> None:
    counted = quarantined_on(entry)
    state.counts[counted] = state.count(counted) + 1


def quarantined_on(entry: Entry) -> str:
    """Return what is counted of quarantines: those of one day."""
    return f"quarantine/{entry.at[:10]}"


APPLY: Mapping[Kind, Apply] = {
    Kind.IDENTITY: _identity,
    Kind.REDACT: _redact,
    Kind.FORK: _fork,
    Kind.QUARANTINE: _quarantine,
}
