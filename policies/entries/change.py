"""What an approval names: the change, as the set of scalars that it replaces."""

from collections.abc import Iterable
from typing import Protocol

from policies.canonical import Json, digest_of


class Replaced(Protocol):
    """One scalar in one file: its place without list indexes, its value before and after."""

    @property
    def path(self) -> str: ...
    @property
    def where(self) -> str: ...
    @property
    def old(self) -> str: ...
    @property
    def new(self) -> str: ...


def change_hash(edits: Iterable[Replaced]) -> str:
    """Return the sha256 of the canonical list of ``[path, where, old, new]``, sorted (LEDGER, field ``change``)."""
    rows: list[Json] = [[*row] for row in sorted((e.path, e.where, e.old, e.new) for e in edits)]
    return digest_of(rows)
