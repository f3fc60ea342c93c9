"""Collections that only grow: equal to the plain ones, and no copy touches another."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies import growing
from policies.growing import Growing, Trail

PAIRS = st.lists(st.tuples(st.integers(0, 30), st.integers()), max_size=60)
COPY = st.integers(0, 59)


@pytest.fixture(autouse=True)
def _small_base(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growing, "_OWN", 4)


@given(PAIRS, st.sets(COPY), st.sampled_from(["set", "default"]))
def test_a_growing_mapping_is_a_plain_one(pairs: list[tuple[int, int]], copies: set[int], way: str) -> None:
    found: Growing[int, int] = Growing()
    plain: dict[int, int] = {}
    before: list[tuple[Growing[int, int], dict[int, int]]] = []

    for number, (key, value) in enumerate(pairs):
        if number in copies:
            before.append((found, dict(plain)))
            found = found.copy()
        if way == "default":
            found.setdefault(key, value)
            plain.setdefault(key, value)
        else:
            found[key] = value
            plain[key] = value

    for was, kept in (*before, (found, plain)):
        assert dict(was) == kept
        assert list(was) == list(kept)
        assert len(was) == len(kept)
        assert was == kept
        assert repr(was) == f"Growing({kept!r})"
        assert all((key in was) == (key in kept) for key in range(31))
        assert was.get(31) is None


@given(st.lists(st.integers(), max_size=20), st.lists(st.integers(), max_size=5), st.integers(0, 20))
def test_two_trails_from_one_do_not_meet(items: list[int], others: list[int], at: int) -> None:
    trails = [Trail[int]()]
    for item in items:
        trails.append(trails[-1].and_then(item))
    other = trails[min(at, len(items))]
    for item in others:
        other = other.and_then(item)

    for length, trail in enumerate(trails):
        assert trail == tuple(items[:length])
        assert len(trail) == length
        assert list(reversed(trail)) == items[:length][::-1]
    assert list(other) == [*items[: min(at, len(items))], *others]


@pytest.mark.parametrize(
    "read",
    [
        lambda one: one[0],
        lambda one: one[-1],
        lambda one: one[1:],
        lambda one: one[::-1],
        lambda one: 3 in one,
        hash,
        len,
    ],
    ids=["first", "last", "rest", "backwards", "in it", "hash", "length"],
)
def test_a_trail_reads_as_its_tuple(read: Callable[[object], object]) -> None:
    trail = Trail((1, 2)).and_then(3)
    trail.and_then(4)

    assert read(trail) == read((1, 2, 3))
    assert repr(trail) == "Trail((1, 2, 3))"
    assert trail != [1, 2, 3]


@pytest.mark.parametrize("index", [3, -4])
def test_a_trail_ends_where_it_ends(index: int) -> None:
    trail = Trail((1, 2, 3))
    trail.and_then(4)

    with pytest.raises(IndexError):
        _ = trail[index]


def test_what_two_copies_share_is_told_once_and_in_its_order() -> None:
    found: Growing[int, str] = Growing()
    for number in range(6):
        found[number] = "old"
    copied = found.copy()
    copied[9] = "new"
    copied[2] = "new"

    assert list(copied) == [0, 1, 2, 3, 4, 5, 9]
    assert len(copied) == 7
    assert list(found) == [0, 1, 2, 3, 4, 5]
    assert (found[2], copied[2]) == ("old", "new")


# --- read by one while another copies ---------------------------------------------------------------------------


class Key:
    """A key that lets somebody else act while it is compared, as a switch of threads may."""

    def __init__(self, number: int, meanwhile: Callable[[], object] = int) -> None:
        self.number, self.meanwhile = number, meanwhile

    def __hash__(self) -> int:
        return self.number

    def __eq__(self, other: object) -> bool:
        self.meanwhile()
        return isinstance(other, Key) and self.number == other.number


def grown(count: int = 6) -> Growing[Key, int]:
    """Return a mapping that the next copy lays down as a base."""
    found: Growing[Key, int] = Growing()
    for number in range(count):
        found[Key(number)] = number
    return found


@pytest.mark.parametrize("bases", [0, 1])
def test_what_is_read_while_somebody_copies_is_there(bases: int) -> None:
    found = grown()
    for _ in range(bases):
        found.copy()
        for number in range(6, 12):
            found[Key(number)] = number

    assert found[Key(5, found.copy)] == 5
    assert found.get(Key(4, found.copy)) == 4
    assert Key(3, found.copy) in found
    begun = iter(found)
    first = next(begun)
    found.copy()
    assert [one.number for one in (first, *begun)] == [one.number for one in found]


def test_two_that_copy_at_the_same_time_lose_nothing() -> None:
    found = grown()
    found.copy()
    copies: list[Growing[Key, int]] = []

    def meanwhile() -> None:
        if not copies:
            copies.append(Growing())
            copies[0] = found.copy()

    found[Key(0, meanwhile)] = 7  # compared with the base's when both are laid together
    for number in range(20, 26):
        found[Key(number)] = number

    copies.append(found.copy())

    for one in (*copies, found):
        assert sorted(one.values()) == [1, 2, 3, 4, 5, 7, *range(20, 26)]


def test_a_trail_goes_on_rightly_where_another_was_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    begun = Trail(("a",))

    class Late(list[str]):
        """A list to which somebody else appends just before."""

        def append(self, item: str) -> None:
            if item == "mine":
                super().append("theirs")
            super().append(item)

    monkeypatch.setattr(begun, "_items", Late(["a"]))

    assert tuple(begun.and_then("mine")) == ("a", "mine")
    assert tuple(begun) == ("a",)
