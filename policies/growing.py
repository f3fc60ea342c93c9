"""Collections that only grow and are cheap to copy: what two copies share is never changed."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Generic, TypeVar, overload

K = TypeVar("K")
V = TypeVar("V")
T = TypeVar("T")
_OWN = 1024  # so many entries of one's own are copied; more are laid down as a base that copies share


class Growing(Mapping[K, V], Generic[K, V]):
    """A mapping that loses nothing: a base that copies share, and what was added or changed since."""

    __slots__ = ("_base", "_own")

    def __init__(self) -> None:
        """Begin empty."""
        self._base: dict[K, V] = {}
        self._own: dict[K, V] = {}

    def __getitem__(self, key: K) -> V:
        return self._own[key] if key in self._own else self._base[key]

    @overload
    def get(self, key: K, default: None = None, /) -> V | None: ...
    @overload
    def get(self, key: K, default: V | T, /) -> V | T: ...
    def get(self, key: K, default: object = None, /) -> object:
        """Return what a key has; said here because Mapping's own asks twice and catches an error."""
        own = self._own
        return own[key] if key in own else self._base.get(key, default)

    def __setitem__(self, key: K, value: V) -> None:
        self._own[key] = value

    def __contains__(self, key: object) -> bool:
        return key in self._own or key in self._base

    def __iter__(self) -> Iterator[K]:
        if not self._base:
            return iter(self._own)
        return chain(self._base, (key for key in self._own if key not in self._base))

    def __len__(self) -> int:
        return len(self._base) + sum(key not in self._base for key in self._own)

    def __repr__(self) -> str:
        return f"Growing({dict(self)!r})"

    def setdefault(self, key: K, value: V) -> None:
        """Set what is not there yet."""
        if key not in self:
            self._own[key] = value

    def copy(self) -> "Growing[K, V]":
        """Return a mapping that may grow without touching this one."""
        if len(self._own) > _OWN:
            self._base, self._own = ({**self._base, **self._own} if self._base else self._own), {}
        other: Growing[K, V] = Growing()
        other._base, other._own = self._base, dict(self._own)
        return other


class Trail(Sequence[T], Generic[T]):
    """A sequence that grows at its end: a longer one shares what it has in common with the shorter."""

    __slots__ = ("_items", "_length")

    def __init__(self, items: Sequence[T] = ()) -> None:
        """Begin with these."""
        self._items = list(items)
        self._length = len(self._items)

    def and_then(self, item: T) -> "Trail[T]":
        """Return the trail with one more at its end."""
        longer: Trail[T] = Trail()
        is_end = len(self._items) == self._length  # else another trail went on from here
        longer._items = self._items if is_end else self._items[: self._length]
        longer._items.append(item)
        longer._length = self._length + 1
        return longer

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[T, ...]: ...
    def __getitem__(self, index: int | slice) -> T | tuple[T, ...]:
        if isinstance(index, slice):
            return tuple(self._items[at] for at in range(*index.indices(self._length)))
        at = index + self._length if index < 0 else index
        if not 0 <= at < self._length:
            raise IndexError(index)
        return self._items[at]

    def __iter__(self) -> Iterator[T]:
        return islice(self._items, self._length)

    def __len__(self) -> int:
        return self._length

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Trail | tuple) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return f"Trail({tuple(self)!r})"
