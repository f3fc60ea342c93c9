"""A folder of manifests on this disk: reading what is in it and nothing outside, replacing one file at a time."""

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from bot.errors import PermanentError
from policies.manifests.markers import is_read

MAX_FILES = 200_000  # a folder with more is not the one that was meant
MAX_BYTES = 256 * 1024 * 1024  # what is read to be refused; far less is edited
_PIECE = 65_536  # bytes; most files are read at once
_OWN = ".git"  # git's, not the repository's


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A file that was not read, and why, in one line for people."""

    path: str
    code: str
    detail: str


@dataclass(slots=True)
class Folder:
    """The YAML files below ``root``, which may be a single file. ``left_out`` grows while they are read."""

    root: Path
    left_out: list[LeftOut] = field(default_factory=list)

    @classmethod
    def open(cls, root: Path) -> "Folder":
        """Look whether the folder is there. Raises: PermanentError."""
        real = Path(os.path.realpath(root))
        if not real.is_dir() and not real.is_file():
            raise PermanentError(f"there is no folder or file {root}")
        return cls(real)

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Yield path (with slashes, relative) and content of each file, in no order. Raises: PermanentError."""
        if self.root.is_file():
            names: Iterator[str] = iter([str(self.root)])
            base = f"{self.root.parent}{os.sep}"
        else:
            names = self._walk()
            base = f"{self.root}{os.sep}".replace(os.sep * 2, os.sep)
        for count, name in enumerate(names):
            if count >= MAX_FILES:
                raise PermanentError(f"{self.root} has more than {MAX_FILES} YAML files; name a folder in it")
            path = name[len(base) :].replace(os.sep, "/")
            content = self._read(name, path)
            if content is not None:
                yield path, content

    def write(self, path: str, before: bytes, after: bytes) -> None:
        """Replace a file in one step, keeping its mode and owner. Raises: PermanentError.

        Whoever reads meanwhile finds the old file or the new one; one that is not ``before`` any more is left alone.
        """
        target = (self.root.parent if self.root.is_file() else self.root) / path
        spare = ""
        try:
            now = target.lstat()
            if not stat.S_ISREG(now.st_mode) or target.read_bytes() != before:
                raise PermanentError(f"{path} changed while it was looked at; nothing was written, try again")
            handle, spare = tempfile.mkstemp(
                prefix=f".{target.name[:100]}.", suffix=".tmp", dir=target.parent
            )
            with os.fdopen(handle, "wb") as file:
                file.write(after)
                made = os.fstat(file.fileno())
                if (made.st_uid, made.st_gid) != (now.st_uid, now.st_gid):
                    with suppress(PermissionError):  # only root gives files away; it clears bits of the mode
                        os.fchown(file.fileno(), now.st_uid, now.st_gid)
                os.fchmod(file.fileno(), stat.S_IMODE(now.st_mode))
            Path(spare).replace(target)
        except OSError as error:
            if spare:
                with suppress(OSError):
                    Path(spare).unlink()
            raise PermanentError(f"{path} cannot be written: {error.strerror}") from error

    def _walk(self) -> Iterator[str]:
        """Yield the files whose names Flux reads; links are followed to other files of this folder only."""
        folders = [str(self.root)]
        while folders:
            folder = folders.pop()
            try:
                with os.scandir(folder) as entries:
                    found = list(entries)
            except OSError as error:
                self._leave_out(folder, "unreadable", f"a folder that cannot be read: {error.strerror}")
                continue
            for entry in found:
                if entry.is_symlink():
                    self._note_link(entry)
                elif entry.is_dir(follow_symlinks=False):
                    if entry.name != _OWN:
                        folders.append(entry.path)
                elif is_read(entry.name) and entry.is_file(follow_symlinks=False):
                    yield entry.path

    def _note_link(self, entry: os.DirEntry[str]) -> None:
        """Name a link that leads outside; what is inside is met under its own name."""
        real = Path(os.path.realpath(entry.path))
        if real.exists() and (real.is_dir() or is_read(entry.name)) and not real.is_relative_to(self.root):
            self._leave_out(entry.path, "symlink", "a symbolic link that leads outside; it is not followed")

    def _read(self, name: str, path: str) -> bytes | None:
        try:
            handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                content = piece = os.read(handle, _PIECE)
                while len(piece) == _PIECE and len(content) <= MAX_BYTES:  # a file that gives less has ended
                    piece = os.read(handle, _PIECE)
                    content += piece
            finally:
                os.close(handle)
        except OSError as error:
            self.left_out.append(LeftOut(path, "unreadable", f"a file that cannot be read: {error.strerror}"))
            return None
        if len(content) > MAX_BYTES:
            self.left_out.append(LeftOut(path, "too-large", f"a file of more than {MAX_BYTES} bytes"))
            return None
        return content

    def _leave_out(self, name: str, code: str, detail: str) -> None:
        path = os.path.relpath(name, self.root).replace(os.sep, "/")
        self.left_out.append(LeftOut(path, code, detail))
