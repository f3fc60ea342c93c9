"""The sum of a state: one hash by which two readers of a ledger see that they stand on the same."""

from collections.abc import Iterable

from policies.canonical import Json, digest_of
from policies.ledger.state import State


def sum_of(state: State) -> str:
    """Return the hash of what is decided and what is open: keys, live promotions, and what stands in the way."""
    return digest_of(
        {
            "seq": state.seq,
            "tip": state.tip,
            "signer": state.signer,
            "keys": digest_of(_rows([key, seq] for key, seq in state.keys.items())),
            "live": _rows([*place, one] for place, one in state.live.items()),
            "holds": _rows([*place, one.seq] for place, one in state.holds.items()),
            "blocks": _rows([*place[:2], str(place[2]), one.seq] for place, one in state.blocks.items()),
            "freezes": _rows([place, one.seq] for place, one in state.freezes.items()),
            "open": sorted(state.open),
        }
    )


def _rows(rows: Iterable[list[str | int]]) -> list[Json]:
    """Return rows in an order that everybody finds: that of their text."""
    found = sorted(rows, key=lambda row: [str(part) for part in row])
    return list(found)
