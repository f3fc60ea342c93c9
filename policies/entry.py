"""A ledger entry as a value: its kinds, its fields, its one line of canonical JSON. The contract is docs/ledger.md."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from policies.canonical import Json, canonical
from policies.errors import PolicyError
from policies.image import Digest, Repository, Tag

VERSION: Final = 1
MAX_NOTE: Final = 280
MAX_LINE: Final = 256 * 1024  # bytes; a carrier of a whole year's open things stays far below
MAX_DEPTH: Final = 16  # of evidence, so that no reader runs out of stack


class EntryError(PolicyError):
    """A line of the ledger cannot be read as an entry; the message says what is wrong with it."""


class UnknownKindError(EntryError):
    """A newer program wrote this entry; an older one may only read."""


class Kind(StrEnum):
    """What an entry says happened. Names are for ever."""

    GENESIS = "genesis"
    RULES = "rules"
    SEEN = "seen"
    SHOWN = "shown"
    BUMP = "bump"
    PROPOSE = "propose"
    APPROVE = "approve"
    UNAPPROVE = "unapprove"
    REJECT = "reject"
    CANCEL = "cancel"
    REBASED = "rebased"
    INTENT = "intent"
    ABORT = "abort"
    VOID = "void"
    ENDED = "ended"
    MERGED = "merged"
    LANDED = "landed"
    MISMATCH = "mismatch"
    ROLLBACK = "rollback"
    EXTERNAL = "external"
    REVIEW = "review"
    HOLD = "hold"
    RESUME = "resume"
    BLOCK = "block"
    UNBLOCK = "unblock"
    FREEZE = "freeze"
    UNFREEZE = "unfreeze"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Bot:
    """The bot says it of itself."""


@dataclass(frozen=True, slots=True)
class By:
    """A person said it. Ids decide, names decorate; ``forge_id`` 0 = not linked there. ``via``: button, command, ..."""

    person: str
    via: str
    slack_team: str = ""
    slack_user: str = ""
    forge_id: int = 0
    forge_login: str = ""


@dataclass(frozen=True, slots=True, order=True)
class Pinned:
    """One image of a service. ``digest`` '' = not known (what stood there before without one)."""

    repository: str
    tag: str
    digest: str = ""

    def __str__(self) -> str:
        return f"{self.repository}:{self.tag}" + (f"@{self.digest}" if self.digest else "")


@dataclass(frozen=True, slots=True)
class RuleAt:
    """Which effective rule judged: the commit it was read at, the files, its hash."""

    commit: str
    files: tuple[str, ...]
    hash: str


@dataclass(frozen=True, slots=True)
class Sighting:
    """A tag that a selection picked. ``before``: it was there when we first looked, so only a person moves it."""

    service: str
    repository: str
    tag: str
    digest: str
    before: bool = False


@dataclass(frozen=True, slots=True)
class Placed:
    """Where something is shown: ``what`` is our name of it, ``seq`` the redraw that was sent last."""

    what: str
    channel: str
    message: str
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One decision, effect or fact. Empty text, empty tuples and zero mean: the field does not apply."""

    kind: Kind
    at: str
    key: str
    by: Bot | By = Bot()
    v: int = VERSION
    seq: int = 0
    prev: str = ""
    environment: str = ""
    service: str = ""
    promotion: str = ""
    image: tuple[Pinned, ...] = ()
    previous: tuple[Pinned, ...] = ()
    change: str = ""
    rule: RuleAt | None = None
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
    evidence: Mapping[str, Json] = field(default_factory=dict)
    why: str = ""
    note: str = ""

    @property
    def time(self) -> datetime:
        """When it was decided (UTC)."""
        return parse_time(self.at)

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


def parse_time(text: str) -> datetime:
    """Return an instant written as RFC 3339, UTC, whole seconds, ``Z``. Raises: EntryError."""
    try:
        if _INSTANT.fullmatch(text):
            return datetime.fromisoformat(text)
    except ValueError:
        pass  # of the form, and no day of the calendar
    raise EntryError(f"{text[:40]!r} is not an instant; expected 2026-11-23T10:04:05Z")


def write_time(at: datetime) -> str:
    """Return an instant as the ledger writes it. ``at`` is aware."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse(line: bytes) -> Entry:
    """Read one canonical line. Raises: EntryError, UnknownKindError."""
    if len(line) > MAX_LINE:
        raise EntryError(f"the line has {len(line)} bytes; expected at most {MAX_LINE}")
    try:
        return _from_json(_object_in(line))
    except EntryError:
        raise
    except (ValueError, RecursionError) as error:
        raise EntryError(f"the body is not JSON as the ledger writes it: {error}"[:200]) from error


def _object_in(line: bytes) -> dict[str, Any]:
    """Return the object that the line is. Raises: EntryError, ValueError, RecursionError."""
    read = json.loads(line, parse_float=_no_float, parse_constant=_no_float, object_pairs_hook=_once)
    if not isinstance(read, dict):
        raise EntryError("the body is not a JSON object")
    if canonical(read) != line:
        raise EntryError("the body is not canonical JSON")
    if b"\\ud" in line:  # half of a pair is no character: nobody could show or store it
        json.dumps(read, ensure_ascii=False).encode()
    return read


def _no_float(text: str) -> Json:
    raise EntryError(f"{text[:20]} is a float; the ledger has none")


def _once(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise EntryError("a key stands twice in one object")
    return found


# --- fields: one row each: how it is read -----------------------------------------------------------------

_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z", re.ASCII)
_OID = re.compile(r"[0-9a-f]{40}", re.ASCII)
_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)
_PROMOTION = re.compile(r"[0-9a-f]{12}", re.ASCII)
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}", re.ASCII)
_CODE = re.compile(r"[a-z][a-z0-9-]{0,62}", re.ASCII)
_WORD = re.compile(r"[!-~]{1,512}", re.ASCII)
_LOGIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]|\[bot\])*", re.ASCII)
_SLACK = re.compile(r"[A-Z0-9]{2,32}", re.ASCII)
_PATH = re.compile(r"[^\x00-\x1f\x7f]{1,512}")
VIA: Final = frozenset({"button", "command", "modal", "shortcut", "review", "link"})
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def _text(pattern: re.Pattern[str], *, empty: bool = False) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if isinstance(value, str) and ((empty and not value) or pattern.fullmatch(value)):
            return value
        raise EntryError(f"{str(value)[:60]!r} is not of the form {pattern.pattern}")

    return read


def _string(value: Any) -> str:
    if isinstance(value, str):
        return value
    raise EntryError(f"{str(value)[:20]!r} is not text")


def _integer(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53:
        return value
    raise EntryError(f"{str(value)[:20]!r} is not a count")


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise EntryError(f"{str(value)[:20]!r} is not true or false")


def _time(value: Any) -> str:
    parse_time(value if isinstance(value, str) else "")
    return str(value)


def _note(value: Any) -> str:
    if isinstance(value, str) and value and len(value) <= MAX_NOTE and _CONTROL.search(value) is None:
        return value
    raise EntryError(f"a note is one line of at most {MAX_NOTE} characters")


def _list_of(read: Callable[[Any], Any]) -> Callable[[Any], tuple[Any, ...]]:
    def read_all(value: Any) -> tuple[Any, ...]:
        if isinstance(value, list) and value:
            return tuple(read(item) for item in value)
        raise EntryError("expected a list with something in it")

    return read_all


def _object(
    required: Mapping[str, Callable[[Any], Any]], optional: Mapping[str, Callable[[Any], Any]]
) -> Any:
    def read(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise EntryError("expected an object")
        return _read_fields(value, required, optional)

    return read


def _read_fields(
    value: Mapping[str, Any],
    required: Mapping[str, Callable[[Any], Any]],
    optional: Mapping[str, Callable[[Any], Any]],
) -> dict[str, Any]:
    missing = required.keys() - value.keys()
    unknown = value.keys() - required.keys() - optional.keys()
    if missing or unknown:
        raise EntryError(f"fields missing: {sorted(missing)}, not of this kind: {sorted(unknown)}")
    table = {**required, **optional}
    found = {}
    for name, item in value.items():
        try:
            found[name] = table[name](item)
        except PolicyError as error:
            raise EntryError(f"{name}: {error}") from error
    return found


_digest = _text(re.compile(r"sha256:[0-9a-f]{64}"), empty=True)


def _pinned(value: Any) -> Pinned:
    read = _object({"repository": _string, "tag": _string, "digest": _digest}, {})(value)
    Repository.parse(read["repository"])
    if read["tag"]:
        Tag.parse(read["tag"])
    return Pinned(**read)


def _sighting(value: Any) -> Sighting:
    shape = {"service": _text(_NAME), "repository": _string, "tag": _string, "digest": _digest}
    read = _object(shape, {"before": _boolean})(value)
    Repository.parse(read["repository"])
    Tag.parse(read["tag"])
    return Sighting(**read)


def _placed(value: Any) -> Placed:
    shape = {"what": _text(_WORD), "channel": _text(_SLACK), "message": _text(_WORD), "seq": _integer}
    return Placed(**_object(shape, {})(value))


def _rule(value: Any) -> RuleAt:
    shape = {"commit": _text(_OID), "files": _list_of(_text(_PATH)), "hash": _text(_HASH)}
    return RuleAt(**_object(shape, {})(value))


_person = _object(
    {"person": _text(_NAME), "via": _string},
    {
        "slack": _object({"team": _text(_SLACK), "user": _text(_SLACK)}, {}),
        "forge": _object({"id": _integer, "login": _text(_LOGIN)}, {}),
    },
)


def _by(value: Any) -> Bot | By:
    if value == {"bot": True} and isinstance(value["bot"], bool):
        return Bot()
    read = _person(value)
    if read["via"] not in VIA:
        raise EntryError(f"{read['via'][:20]!r} is no way in which a person speaks")
    slack, forge = read.get("slack", {}), read.get("forge", {})
    return By(
        person=read["person"],
        via=read["via"],
        slack_team=slack.get("team", ""),
        slack_user=slack.get("user", ""),
        forge_id=forge.get("id", 0),
        forge_login=forge.get("login", ""),
    )


def _evidence(value: Any) -> Mapping[str, Json]:
    if isinstance(value, dict) and value and _is_plain(value, MAX_DEPTH):
        return value
    raise EntryError(
        f"evidence is an object with something in it, without null, at most {MAX_DEPTH} levels deep"
    )


def _is_plain(value: Any, levels: int) -> bool:
    """Whether there is no null in it, and no more levels than these."""
    if isinstance(value, dict | list):
        items = value.values() if isinstance(value, dict) else value
        return levels > 0 and all(_is_plain(item, levels - 1) for item in items)
    return value is not None


_FIELDS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "v": _integer,
    "seq": _integer,
    "prev": _text(_OID, empty=True),
    "key": _text(_WORD),
    "kind": _string,
    "at": _time,
    "by": _by,
    "environment": _text(_NAME),
    "service": _text(_NAME),
    "promotion": _text(_PROMOTION),
    "image": _list_of(_pinned),
    "previous": _list_of(_pinned),
    "change": _text(_HASH),
    "rule": _rule,
    "head": _text(_OID),
    "commit": _text(_OID),
    "branch": _text(_PATH),
    "signer": _text(re.compile(r"ssh-ed25519 [A-Za-z0-9+/]{68}")),
    "seen": _list_of(_sighting),
    "shown": _list_of(_placed),
    "voided": _text(_HASH),
    "closes": _integer,
    "until": _time,
    "trigger": _text(_WORD),
    "evidence": _evidence,
    "why": _text(_CODE),
    "note": _note,
}
_ALWAYS: Final = frozenset({"v", "seq", "prev", "key", "kind", "at", "by"})
_FREE: Final = frozenset({"evidence", "why", "note"})
_WHERE: Final = frozenset({"environment", "service"})
_MOVE: Final = _WHERE | {"image", "change", "rule"}

# kind -> (fields it must have, fields it may have), beside those that all have
SHAPES: Final[Mapping[Kind, tuple[frozenset[str], frozenset[str]]]] = {
    Kind.GENESIS: (frozenset({"commit", "branch", "signer"}), frozenset()),
    Kind.RULES: (frozenset({"commit", "rule"}), frozenset()),
    Kind.SEEN: (frozenset({"seen"}), frozenset()),
    Kind.SHOWN: (frozenset({"shown"}), frozenset()),
    Kind.BUMP: (_MOVE | {"previous", "commit"}, frozenset()),
    Kind.PROPOSE: (_MOVE | {"promotion", "previous", "head"}, frozenset()),
    Kind.APPROVE: (_MOVE | {"promotion"}, frozenset({"head"})),
    Kind.UNAPPROVE: (_WHERE | {"promotion", "change", "rule"}, frozenset()),
    Kind.REJECT: (_WHERE | {"promotion"}, frozenset()),
    Kind.CANCEL: (_WHERE | {"promotion"}, frozenset()),
    Kind.REBASED: (_WHERE | {"promotion", "change", "rule", "head"}, frozenset()),
    Kind.INTENT: (_MOVE | {"promotion", "head"}, frozenset()),
    Kind.ABORT: (_WHERE | {"promotion", "head", "why"}, frozenset()),
    Kind.VOID: (_MOVE | {"promotion", "previous", "head", "voided", "why"}, frozenset()),
    Kind.ENDED: (_WHERE | {"promotion", "why"}, frozenset()),
    Kind.MERGED: (_WHERE | {"promotion", "head", "commit"}, frozenset()),
    Kind.LANDED: (_WHERE | {"promotion", "image", "commit"}, frozenset({"previous"})),
    Kind.MISMATCH: (_WHERE | {"promotion", "commit", "why"}, frozenset({"image"})),
    Kind.ROLLBACK: (_MOVE | {"promotion", "previous"}, frozenset({"head", "commit"})),
    Kind.EXTERNAL: (_WHERE | {"commit"}, frozenset({"image", "previous"})),
    Kind.REVIEW: (frozenset({"closes"}), frozenset({"environment", "service"})),
    Kind.HOLD: (frozenset({"service", "trigger"}), frozenset({"environment", "until"})),
    Kind.RESUME: (frozenset({"service", "trigger"}), frozenset({"environment"})),
    Kind.BLOCK: (frozenset({"service", "trigger", "image"}), frozenset({"environment"})),
    Kind.UNBLOCK: (frozenset({"service", "trigger", "image"}), frozenset({"environment"})),
    Kind.FREEZE: (frozenset({"environment", "trigger"}), frozenset({"until"})),
    Kind.UNFREEZE: (frozenset({"environment", "trigger"}), frozenset()),
    Kind.REFUSED: (_WHERE | {"promotion", "why"}, frozenset()),
}


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
    must, may = SHAPES[kind]
    required = {name: _FIELDS[name] for name in _ALWAYS | must}
    optional = {name: _FIELDS[name] for name in _FREE | may if name not in must}
    return Entry(**{**_read_fields(read, required, optional), "kind": kind})


def _to_json(entry: Entry) -> dict[str, Json]:
    must, may = SHAPES[entry.kind]
    found: dict[str, Json] = {name: getattr(entry, name) for name in ("v", "seq", "prev", "key", "at")}
    found["kind"] = entry.kind.value
    found["by"] = _by_json(entry.by)
    for name in must | may | _FREE:
        value = getattr(entry, name)
        if value or name in must:
            found[name] = _plain(value)
    extra = [f.name for f in fields(entry) if f.name not in found and getattr(entry, f.name)]
    if extra:
        raise EntryError(f"{entry.kind} does not carry {', '.join(extra)}")
    return found


def _by_json(by: Bot | By) -> Json:
    if isinstance(by, Bot):
        return {"bot": True}
    found: dict[str, Json] = {"person": by.person, "via": by.via}
    if by.slack_user:
        found["slack"] = {"team": by.slack_team, "user": by.slack_user}
    if by.forge_login:
        found["forge"] = {"id": by.forge_id, "login": by.forge_login}
    return found


def _plain(value: Any) -> Json:
    match value:
        case Pinned():
            return {"repository": value.repository, "tag": value.tag, "digest": value.digest}
        case RuleAt():
            return {"commit": value.commit, "files": list(value.files), "hash": value.hash}
        case Sighting():
            seen: dict[str, Json] = {n: getattr(value, n) for n in ("service", "repository", "tag", "digest")}
            return {**seen, "before": True} if value.before else seen
        case Placed():
            return {n: getattr(value, n) for n in ("what", "channel", "message", "seq")}
        case tuple():
            return [_plain(item) for item in value]
        case _:
            return value  # type: ignore[no-any-return]  # text, count or evidence: plain already


def digests_of(images: tuple[Pinned, ...]) -> str:
    """Return the digests of a service's images as keys carry them."""
    return "+".join(image.digest for image in images)


def is_exact(images: tuple[Pinned, ...]) -> bool:
    """Whether every image is named by tag and digest."""
    return bool(images) and all(image.tag and image.digest and Digest.parse(image.digest) for image in images)
