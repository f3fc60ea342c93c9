"""Folders of the clone: their files, and what differs between two. A folder that two commits share is read once."""

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from bot.errors import PermanentError
from bot.repository.objects import Oid

_MAX_ROWS = 200_000  # files and folders that are remembered, counted once for each folder above them
_MAX_TREES = 20_000
_MAX_DEPTH = 100  # folders that are walked by calling oneself
_ENTRY = re.compile(rb"([0-7]{5,7}) ([^\0]+)\0(.{20})", re.DOTALL)
_TYPE = 0o170000  # of a mode, as stat(2) says it
_FOLDER, _FILE, _LINK = 0o040000, 0o100000, 0o120000

Read = Callable[[Sequence[Oid]], Iterable[bytes]]  # the bytes of trees, in the order that was asked


@dataclass(frozen=True, slots=True)
class _Row:
    mode: int
    oid: Oid

    @property
    def is_folder(self) -> bool:
        return self.mode == _FOLDER

    @property
    def is_file(self) -> bool:
        return self.mode & _TYPE == _FILE


Rows = Mapping[bytes, _Row]


class Trees:
    """The trees of one repository, as git shows them: a mode is one of those that git writes."""

    def __init__(self, read: Read) -> None:
        """Read trees by ``read``."""
        self._read = read
        self._rows: OrderedDict[Oid, Rows] = OrderedDict()
        self._files: OrderedDict[tuple[Oid, str], dict[str, Oid]] = OrderedDict()
        self._counted = 0
        self._lock = threading.Lock()

    def files(self, root: Oid, prefixes: Iterable[str]) -> dict[str, Oid]:
        """Map the regular files below (or equal to) these paths to their blobs, in git's order; '' is the root.

        Raises: PermanentError where a tree cannot be read.
        """
        named = list(dict.fromkeys(prefixes))
        found: dict[str, Oid] = {}
        with self._lock:
            folders: dict[str, Oid | None] = {"": root}
            for prefix in named:
                found.update(self._at(folders, prefix) if prefix else self._below(root, ""))
        return dict(sorted(found.items())) if len(named) > 1 else found

    def changed(self, old: Oid, new: Oid) -> list[bytes]:
        """List the paths of what differs between two trees, files and links and all, in git's order."""
        with self._lock:
            return sorted(set(self._differing(old, new)))

    def _at(self, folders: dict[str, Oid | None], path: str) -> Mapping[str, Oid]:
        """Return the files at a path or below it. ``folders``: trees by path, as far as they were looked up."""
        parent = self._folder(folders, path.rpartition("/")[0])
        row = self._of(parent).get(path.rpartition("/")[2].encode()) if parent else None
        if row is None:
            return {}
        if row.is_folder:
            return self._below(row.oid, f"{path}/")
        return {path: row.oid} if row.is_file else {}

    def _folder(self, folders: dict[str, Oid | None], path: str) -> Oid | None:
        """Return the tree of a folder, as near to it begun as one was looked up."""
        names: list[str] = []
        while path not in folders:
            path, _, name = path.rpartition("/")
            names.append(name)
        tree = folders[path]
        for name in reversed(names):
            row = self._of(tree).get(name.encode()) if tree else None
            tree = row.oid if row and row.is_folder else None
            path = f"{path}/{name}" if path else name
            folders[path] = tree
        return tree

    def _below(self, tree: Oid, prefix: str) -> dict[str, Oid]:
        """Return the files of a tree, each path beginning with ``prefix``; not to be changed by who gets it."""
        key = (tree, prefix)
        if key in self._files:
            self._files.move_to_end(key)
            return self._files[key]
        rows = self._of(tree)
        self._fetch(row.oid for row in rows.values() if row.is_folder)
        is_deep = prefix.count("/") > _MAX_DEPTH
        found: dict[str, Oid] = {}
        for name, row in rows.items():
            try:
                path = prefix + name.decode()
            except UnicodeDecodeError:
                continue
            if row.is_folder:
                found.update(self._deep(row, path) if is_deep else self._below(row.oid, f"{path}/"))
            elif row.is_file:
                found[path] = row.oid
        self._files[key] = found
        self._counted += len(found)
        while self._counted > _MAX_ROWS and len(self._files) > 1:
            self._counted -= len(self._files.popitem(last=False)[1])
        return found

    def _deep(self, row: _Row, path: str) -> dict[str, Oid]:
        """Return the files of a folder so deep that nobody made it by hand; nothing of it is remembered."""
        found: dict[str, Oid] = {}
        for name, one in self._all(row, path.encode()):
            with suppress(UnicodeDecodeError):
                found |= {name.decode(): one.oid} if one.is_file else {}
        return dict(sorted(found.items()))

    def _differing(self, old: Oid, new: Oid) -> Iterator[bytes]:
        pairs = [(old, new, b"")] if old != new else []
        while pairs:
            one, other, prefix = pairs.pop()
            before, after = self._of(one), self._of(other)
            for name in before.keys() | after.keys():
                rows = before.get(name), after.get(name)
                if rows[0] == rows[1]:
                    continue
                if rows[0] and rows[1] and rows[0].is_folder and rows[1].is_folder:
                    pairs.append((rows[0].oid, rows[1].oid, prefix + name + b"/"))
                    continue
                for row in filter(None, rows):
                    yield from (path for path, _ in self._all(row, prefix + name))

    def _all(self, row: _Row, path: bytes) -> Iterator[tuple[bytes, _Row]]:
        """Yield what is no folder: the row itself, or all below it, however deep."""
        rows = [(path, row)]
        while rows:
            here, one = rows.pop()
            if one.is_folder:
                rows += ((here + b"/" + name, below) for name, below in self._of(one.oid).items())
            else:
                yield here, one

    def _of(self, tree: Oid) -> Rows:
        if tree not in self._rows:
            self._fetch([tree])
        return self._rows[tree]

    def _fetch(self, trees: Iterable[Oid]) -> None:
        wanted = list(dict.fromkeys(one for one in trees if one not in self._rows))
        if not wanted:
            return
        for oid, data in zip(wanted, self._read(wanted), strict=True):
            self._rows[oid] = _rows(oid, data)
        while len(self._rows) > max(_MAX_TREES, len(wanted)):
            self._rows.popitem(last=False)


def _rows(oid: Oid, data: bytes) -> Rows:
    found = _ENTRY.findall(data)
    if sum(len(mode) + len(name) + 22 for mode, name, _ in found) != len(data):
        raise PermanentError(f"tree {oid} cannot be read: it is malformed")
    return {name: _Row(_mode(int(mode, 8)), Oid(raw.hex())) for mode, name, raw in found}


def _mode(written: int) -> int:
    """Return a mode as git shows it: old programs wrote others."""
    kind = written & _TYPE
    if kind == _FILE:
        return 0o100755 if written & 0o100 else 0o100644
    return kind if kind in {_LINK, _FOLDER} else 0o160000
