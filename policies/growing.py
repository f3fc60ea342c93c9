"""Collections that only grow and are cheap to copy: what two copies share is never changed."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Generic, TypeVar, overload

K = TypeVar("K")
V = TypeVar("V")
T = TypeVar("T")
_OWN = 1024  # so many entries of one's own are copied; more are laid down as a base that copies share


class Growing(Mapping[K, V], Generic[K, V]):
    """A mapping that loses nothing: a base that copies share, and what was added or changed since.

    One thread lets it grow, before others have it; any number read and copy it. Each of them looks at the two layers
    once: a copy puts both aside in one step, and leaves the dicts that others still look at as they are.
    """

    __slots__ = ("_layers",)

    def __init__(self) -> None:
        """Begin empty."""
        self._layers: tuple[dict[K, V], dict[K, V]] = ({}, {})  # the base, and one's own

    def __getitem__(self, key: K) -> V:
        base, own = self._layers
        return own[key] if key in own else base[key]

    @overload
    def get(self, key: K, default: None = None, /) -> V | None: ...
    @overload
    def get(self, key: K, default: V | T, /) -> V | T: ...
    def get(self, key: K, default: object = None, /) -> object:
        """Return what a key has; said here because Mapping's own asks twice and catches an error."""
        base, own = self._layers
        return own[key] if key in own else base.get(key, default)

    def __setitem__(self, key: K, value: V) -> None:
        self._layers[1][key] = value

    def __contains__(self, key: object) -> bool:
        base, own = self._layers
        return key in own or key in base

    def __iter__(self) -> Iterator[K]:
        base, own = self._layers
        if not base:
            return iter(own)
        return chain(base, (key for key in own if key not in base))

    def __len__(self) -> int:
        base, own = self._layers
        return len(base) + sum(key not in base for key in own)

    def __repr__(self) -> str:
        return f"Growing({dict(self)!r})"

    def setdefault(self, key: K, value: V) -> None:
        """Set what is not there yet."""
        if key not in self:
            self[key] = value

    def copy(self) -> "Growing[K, V]":
        """Return a mapping that may grow without touching this one."""
        base, own = self._layers
        if len(own) > _OWN:
            base, own = ({**base, **own} if base else own), {}
            self._layers = (base, own)
        other: Growing[K, V] = Growing()
        other._layers = (base, dict(own))
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
        items, length = self._items, self._length
        if len(items) == length:
            items.append(item)
        if items[length] is not item:  # another trail went on from here, perhaps just now
            items = [*items[:length], item]
        longer._items, longer._length = items, length + 1
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
