"""A ledger entry as a value, and its one line of canonical JSON. The contract is docs/ledger.md."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any, Final

import orjson

from policies.canonical import Json, canonical
from policies.entries.fields import FIELDS, MAX_DEPTH, MAX_NOTE, VIA, read_fields
from policies.entries.shapes import ALWAYS, FREE, SHAPES
from policies.entries.values import (
    BOT,
    Beside,
    Bot,
    Both,
    By,
    EntryError,
    Kind,
    Link,
    Member,
    Pinned,
    Placed,
    RuleAt,
    Share,
    Sighting,
    UnknownKindError,
    Voice,
    content_of,
    digests_of,
    is_exact,
    parse_time,
    shares,
    write_time,
)

__all__ = [
    "MAX_DEPTH",
    "MAX_LINE",
    "MAX_NOTE",
    "SHAPES",
    "VERSION",
    "VIA",
    "Beside",
    "Bot",
    "Both",
    "By",
    "Entry",
    "EntryError",
    "Kind",
    "Link",
    "Member",
    "Pinned",
    "Placed",
    "RuleAt",
    "Share",
    "Sighting",
    "UnknownKindError",
    "Voice",
    "content_of",
    "digests_of",
    "is_exact",
    "parse",
    "parse_time",
    "shares",
    "write_time",
]

VERSION: Final = 1
# a number is written right after one of these; within a text it may look alike, so that a match is no proof
_MAYBE_FLOAT = re.compile(rb"[:,\[]-?[0-9]+[.eE]")
MAX_LINE: Final = 256 * 1024  # bytes
MAX_CARRYING: Final = 32 << 20  # of a genesis that carries an old year over


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One decision, effect or fact. Empty text, empty tuples and zero mean: the field does not apply."""

    kind: Kind
    at: str
    key: str
    by: Voice = BOT
    v: int = VERSION
    seq: int = 0
    prev: str = ""
    environment: str = ""
    service: str = ""
    group: str = ""
    members: tuple[Member, ...] = ()
    promotion: str = ""
    image: tuple[Pinned, ...] = ()
    previous: tuple[Pinned, ...] = ()
    change: str = ""
    rule: RuleAt | None = None
    also: tuple[Beside, ...] = ()
    head: str = ""
    commit: str = ""
    branch: str = ""
    signer: str = ""
    seen: tuple[Sighting, ...] = ()
    shown: tuple[Placed, ...] = ()
    voided: str = ""
    closes: int = 0
    until: str = ""
    trigger: str = ""
    since: str = ""
    commits: tuple[str, ...] = ()
    linked: Link | None = None
    state: str = ""
    erases: int = 0
    lost: str = ""
    input: str = ""
    carried: Mapping[str, Json] = field(default_factory=dict)
    evidence: Mapping[str, Json] = field(default_factory=dict)
    why: str = ""
    note: str = ""

    @property
    def time(self) -> datetime:
        """When it was decided (UTC)."""
        return parse_time(self.at)

    @property
    def speaker(self) -> Bot | By:
        """Who says it; of two people the first."""
        return self.by.one if isinstance(self.by, Both) else self.by

    @property
    def each(self) -> "tuple[Entry, ...]":
        """The entry once for each service that it moves, as if it were of that one alone; ``change`` is of all."""
        if not self.also:
            return (self,)
        own = replace(self, also=())
        return (
            own,
            *(replace(own, **{f.name: getattr(one, f.name) for f in fields(one)}) for one in self.also),
        )

    @property
    def shares(self) -> tuple[Share, ...]:
        """What each service moves: of a group its members, else the one that the entry is about."""
        return shares(self.service, self.members, self.image, self.previous)

    @property
    def subject(self) -> str:
        """The commit's first line: validated ids only."""
        names = [self.environment, self.service, self.promotion]
        ids = " ".join(name for name in names if name) or self.branch_id
        return f"{self.kind}: {ids} (#{self.seq})"

    @property
    def branch_id(self) -> str:
        """What an entry about nothing else is about: the last part of its key, as an id."""
        return re.sub(r"[^a-z0-9]+", "-", self.key.rsplit("/", 1)[-1].lower()).strip("-")[:40] or "0"

    def line(self) -> bytes:
        """Return the body: one line of canonical JSON."""
        return canonical(_to_json(self))

    def message(self) -> str:
        """Return the whole commit message."""
        return f"{self.subject}\n\n{self.line().decode()}\n"


def parse(line: bytes) -> Entry:
    """Read one canonical line. Raises: EntryError, UnknownKindError."""
    limit = MAX_CARRYING if b'"kind":"genesis"' in line else MAX_LINE
    if len(line) > limit:
        raise EntryError(f"the line has {len(line)} bytes; expected at most {limit}")
    try:
        return _from_json(_object_in(line))
    except EntryError:
        raise
    except (ValueError, RecursionError) as error:
        raise EntryError(f"the body is not JSON as the ledger writes it: {error}"[:200]) from error


def _object_in(line: bytes) -> dict[str, Any]:
    """Return the object that the line is. Raises: EntryError, ValueError, RecursionError."""
    if (plain := _plainly(line)) is not None:
        return plain
    read = json.loads(line, parse_float=_no_float, parse_constant=_no_float, object_pairs_hook=_once)
    if not isinstance(read, dict):
        raise EntryError("the body is not a JSON object")
    if canonical(read) != line:
        raise EntryError("the body is not canonical JSON")
    if b"\\ud" in line:  # half of a pair is no character: nobody could show or store it
        json.dumps(read, ensure_ascii=False).encode()
    return read


def _plainly(line: bytes) -> dict[str, Any] | None:
    """Return the object of a line without escapes, read the fast way; nothing where there is any doubt about it.

    Written again it is the very line: so it is canonical, and no key stands twice.
    """
    if b"\\" in line or b"\x7f" in line or not line.isascii():
        return None
    try:
        read = orjson.loads(line)
        is_line = isinstance(read, dict) and orjson.dumps(read, option=orjson.OPT_SORT_KEYS) == line
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return None
    return read if is_line and not (_MAYBE_FLOAT.search(line) and _has_float(read)) else None


def _has_float(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_has_float, value.values()))
    return any(map(_has_float, value)) if isinstance(value, list) else isinstance(value, float)


def _no_float(text: str) -> Json:
    raise EntryError(f"{text[:20]} is a float; the ledger has none")


def _once(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise EntryError("a key stands twice in one object")
    return found


def _from_json(read: Mapping[str, Any]) -> Entry:
    version = read.get("v")
    if version != VERSION or isinstance(version, bool):
        raise UnknownKindError(
            f"the entry has version {str(version)[:20]!r}; this program reads version {VERSION}"
        )
    try:
        kind = Kind(str(read.get("kind")))
    except ValueError as error:
        raise UnknownKindError(
            f"{str(read.get('kind'))[:40]!r} is no kind that this program knows"
        ) from error
    required, optional = _READERS[kind]
    return Entry(**{**read_fields(read, required, optional), "kind": kind})


_READERS = {
    kind: (
        {name: FIELDS[name] for name in ALWAYS | must},
        {name: FIELDS[name] for name in FREE | may if name not in must},
    )
    for kind, (must, may) in SHAPES.items()
}


def _to_json(entry: Entry) -> dict[str, Json]:
    must, may = SHAPES[entry.kind]
    found: dict[str, Json] = {name: getattr(entry, name) for name in ("v", "seq", "prev", "key", "at")}
    found["kind"] = entry.kind.value
    found["by"] = _by_json(entry.by)
    for name in must | may | FREE:
        value = getattr(entry, name)
        if value or name in must:
            found[name] = _plain(value)
    extra = [f.name for f in fields(entry) if f.name not in found and getattr(entry, f.name)]
    if extra:
        raise EntryError(f"{entry.kind} does not carry {', '.join(extra)}")
    return found


def _by_json(by: Voice) -> Json:
    if isinstance(by, Bot):
        return {"bot": True}
    if isinstance(by, Both):
        return [_by_json(by.one), _by_json(by.other)]
    found: dict[str, Json] = {"person": by.person, "via": by.via}
    if by.slack_user:
        found["slack"] = {"team": by.slack_team, "user": by.slack_user}
    if by.forge_login:
        found["forge"] = {"id": by.forge_id, "login": by.forge_login}
    return found


def _plain(value: Any) -> Json:  # noqa: PLR0911  one row a value: a table
    match value:
        case Pinned():
            return {"repository": value.repository, "tag": value.tag, "digest": value.digest}
        case RuleAt():
            return {"commit": value.commit, "files": list(value.files), "hash": value.hash}
        case Beside():
            beside: dict[str, Json] = {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
            return {name: one for name, one in beside.items() if one}
        case Member():
            return {"service": value.service, "images": value.images}
        case Sighting():
            seen: dict[str, Json] = {n: getattr(value, n) for n in ("service", "repository", "tag", "digest")}
            return {**seen, "before": True} if value.before else seen
        case Placed():
            return {n: getattr(value, n) for n in ("what", "channel", "message", "seq")}
        case Link():
            slack: Json = {"team": value.slack_team, "user": value.slack_user}
            forge: Json = {"id": value.forge_id, "login": value.forge_login}
            matched: dict[str, Json] = {"domain": value.domain} if value.domain else {}
            return {"person": value.person, "slack": slack, "forge": forge, **matched}
        case tuple():
            return [_plain(item) for item in value]
        case _:
            return value  # type: ignore[no-any-return]  # text, count or evidence: plain already
