"""Git objects as bytes: names that are safe to hand to git, commits and trees read and written exactly."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import NewType

from bot.errors import PermanentError
from policies.errors import PolicyError

Oid = NewType("Oid", str)

EMPTY_TREE = Oid("4b825dc642cb6eb9a060e54bf8d69288fbee4904")
REGULAR_MODES = frozenset({b"100644", b"100755", b"100664"})  # the last one is from old histories

_OID = re.compile(r"[0-9a-f]{40}", re.ASCII)
# git-check-ref-format(1), and nothing that begins with a dash.
_REF_PART = re.compile(r"(?![.-])(?!.*(?:\.\.|@\{|\.lock$|\.$))[^\x00-\x20\x7f~^:?*\[\\/]+")
_MAX_REF = 240
_MAX_PATH = 4096
_IDENTITY = re.compile(rb"(.*?) ?<([^<>]*)> (-?\d{1,12}) ([+-]\d{4})")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a commit names as author and committer."""

    name: str
    email: str

    def __post_init__(self) -> None:
        """Refuse what would move the borders of its line. Raises: PolicyError."""
        if not self.name or any(char in "<>" or not char.isprintable() for char in self.name + self.email):
            raise PolicyError(f"{self.name[:60]!r} <{self.email[:60]!r}> cannot be the author of a commit")

    def line(self, at: datetime) -> bytes:
        """Write it as a commit does; ``at`` is aware, its fractions of a second are dropped."""
        if at.tzinfo is None:
            raise PolicyError("the time of a commit needs a zone")
        return f"{self.name} <{self.email}> {int(at.timestamp())} +0000".encode()


BOT = Identity("Countersign", "countersign@localhost")


@dataclass(frozen=True, slots=True)
class CommitInfo:
    """A commit as it can be shown. Times are UTC; the message is as written, undecodable bytes replaced."""

    oid: Oid
    tree: Oid
    parents: tuple[Oid, ...]
    author: Identity
    authored_at: datetime
    committer: Identity
    committed_at: datetime
    message: str


@dataclass(frozen=True, slots=True)
class RawCommit:
    """A commit and its very bytes: what is signed, hashed and validated."""

    oid: Oid
    data: bytes


def oid_of(text: str) -> Oid:
    """Return ``text`` as an object id of a SHA-1 repository. Raises: PolicyError."""
    if _OID.fullmatch(text) is None:
        raise PolicyError(f"{text[:80]!r} is not an object id; expected 40 hexadecimal digits")
    return Oid(text)


def branch_name(text: str) -> str:
    """Return ``text`` as a short branch name. Raises: PolicyError."""
    if len(text) > _MAX_REF or any(_REF_PART.fullmatch(part) is None for part in text.split("/")):
        raise PolicyError(f"{text[:80]!r} is not a name for a branch")
    return text


def branch_ref(text: str) -> str:
    """Return ``text`` as the full name of a branch, ``refs/heads/...``. Raises: PolicyError."""
    if not text.startswith("refs/heads/"):
        raise PolicyError(f"{text[:80]!r} is not the full name of a branch; expected refs/heads/NAME")
    branch_name(text.removeprefix("refs/heads/"))
    return text


def file_path(text: str) -> str:
    """Return ``text`` as the path of a file or folder inside a repository. Raises: PolicyError."""
    parts = text.split("/")
    if (
        len(text) > _MAX_PATH
        or not text.isprintable()
        or any(part in {"", ".", ".."} or part.casefold() == ".git" for part in parts)
    ):
        raise PolicyError(f"{text[:80]!r} is not a path inside a repository")
    return text


def write_commit(
    tree: Oid, parents: Sequence[Oid], identity: Identity, at: datetime, message: str, *, signature: str = ""
) -> bytes:
    """Write a commit; the message stands there exactly as it is given. Raises: PolicyError."""
    if not message.strip() or "\0" in message:
        raise PolicyError("the message of a commit needs text, without zero bytes")
    who = identity.line(at)
    lines = [b"tree " + tree.encode(), *(b"parent " + parent.encode() for parent in parents)]
    lines += [b"author " + who, b"committer " + who]
    if signature:
        # A header goes on in lines that begin with a space.
        lines.append(b"gpgsig " + signature.rstrip("\n").replace("\n", "\n ").encode("ascii"))
    return b"\n".join((*lines, b"", message.encode()))


def read_commit(oid: Oid, data: bytes) -> CommitInfo:
    """Read a raw commit. Raises: PermanentError for one that git would not have written."""
    head, _, message = data.partition(b"\n\n")
    headers: dict[bytes, list[bytes]] = {}
    for line in head.split(b"\n"):
        name, _, value = line.partition(b" ")
        headers.setdefault(name, []).append(value)
    try:
        author, authored_at = _identity(headers[b"author"][0])
        committer, committed_at = _identity(headers[b"committer"][0])
        return CommitInfo(
            oid,
            oid_of(headers[b"tree"][0].decode("ascii", "replace")),
            tuple(oid_of(parent.decode("ascii", "replace")) for parent in headers.get(b"parent", [])),
            author,
            authored_at,
            committer,
            committed_at,
            message.decode("utf-8", "replace"),
        )
    except (KeyError, PolicyError) as error:
        raise PermanentError(f"commit {oid} cannot be read: its header is malformed") from error


def replace_in_tree(data: bytes, replaced: dict[bytes, Oid], *, folders: bool) -> bytes:
    """Put other objects in the place of regular files (or folders); all else keeps its bytes.

    Raises: KeyError with the first name that is not there.
    """
    wanted = dict(replaced)
    pieces: list[bytes] = []
    for mode, name, entry in _entries(data):
        if (mode == b"40000" if folders else mode in REGULAR_MODES) and name in wanted:
            pieces.append(mode + b" " + name + b"\0" + bytes.fromhex(wanted.pop(name)))
        else:
            pieces.append(entry)
    if wanted:
        raise KeyError(next(iter(wanted)))
    return b"".join(pieces)


def read_batch(data: bytes) -> Iterator[tuple[str, str, bytes]]:
    """Read what ``cat-file --batch`` answers: id, type and content; type ``missing`` with the asked name."""
    offset = 0
    while offset < len(data):
        end = data.index(b"\n", offset)
        words = data[offset:end].decode("utf-8", "replace").rsplit(" ", 2)
        offset = end + 1
        if words[-1] in {"missing", "ambiguous"} or len(words) != 3 or not words[2].isdigit():  # noqa: PLR2004  id, type, size
            yield " ".join(words[:-1]), "missing", b""
            continue
        size = int(words[2])
        yield words[0], words[1], data[offset : offset + size]
        offset += size + 1


def _entries(data: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Mode, name and all bytes of each entry of a tree."""
    offset = 0
    while offset < len(data):
        space = data.index(b" ", offset)
        end = data.index(b"\0", space) + 21  # the name's end, then 20 bytes of id
        yield data[offset:space], data[space + 1 : end - 21], data[offset:end]
        offset = end


@lru_cache(maxsize=16)  # author and committer of an entry are the same, to the second
def _identity(line: bytes) -> tuple[Identity, datetime]:
    """Read name, e-mail and time; characters that cannot be shown are replaced, odd times become the epoch's."""
    found = _IDENTITY.fullmatch(line)
    if found is None:
        return Identity("?", "?"), datetime.fromtimestamp(0, UTC)
    name = _named(found[1], found[2])
    try:
        at = datetime.fromtimestamp(int(found[3]), UTC)
    except (OverflowError, ValueError, OSError):
        at = datetime.fromtimestamp(0, UTC)
    return name, at


@lru_cache(maxsize=256)
def _named(name: bytes, email: bytes) -> Identity:
    """Return who it is; few people make many commits."""
    return Identity(_shown(name) or "?", _shown(email))


def _shown(part: bytes) -> str:
    text = part.decode("utf-8", "replace")
    return "".join("\ufffd" if char in "<>" or not char.isprintable() else char for char in text)
