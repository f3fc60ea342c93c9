"""The change is a set of scalars: neither their order nor a list's index makes another."""

import hashlib
import random
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from policies.entries.change import change_hash


@dataclass(frozen=True)
class Row:
    """One scalar that is replaced."""

    path: str
    where: str
    old: str
    new: str


ROWS = st.lists(st.builds(Row, *[st.text(max_size=4)] * 4), max_size=5)


@given(ROWS, st.randoms())
def test_the_order_of_edits_does_not_matter(rows: list[Row], chance: random.Random) -> None:
    other = list(rows)
    chance.shuffle(other)

    assert change_hash(other) == change_hash(rows)


@given(ROWS, ROWS)
def test_other_edits_are_another_change(one: list[Row], other: list[Row]) -> None:
    same = sorted(map(repr, one)) == sorted(map(repr, other))

    assert (change_hash(one) == change_hash(other)) is same


def test_the_hash_is_that_of_the_canonical_list() -> None:
    rows = [Row("b.yaml", "w", "1", "2"), Row("a.yaml", "w", "1", "\u00e9")]
    line = b'[["a.yaml","w","1","\\u00e9"],["b.yaml","w","1","2"]]'

    assert change_hash(rows) == hashlib.sha256(line).hexdigest()
    assert change_hash([]) == hashlib.sha256(b"[]").hexdigest()
