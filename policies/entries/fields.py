"""How each field of an entry is read from JSON: one row a field, one small reader each."""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

from policies.canonical import Json
from policies.entries.mail_domains import is_domain
from policies.entries.values import (
    BOT,
    Beside,
    Both,
    By,
    EntryError,
    Link,
    Member,
    Pinned,
    Placed,
    RuleAt,
    Sighting,
    Voice,
    parse_time,
)
from policies.errors import PolicyError
from policies.images.image import Repository, Tag

MAX_NOTE: Final = 280
TWO: Final = 2  # people, where one alone may not
MAX_DEPTH: Final = 16  # of evidence, so that no reader runs out of stack

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
        return read_fields(value, required, optional)

    return read


def read_fields(
    value: Mapping[str, Any],
    required: Mapping[str, Callable[[Any], Any]],
    optional: Mapping[str, Callable[[Any], Any]],
) -> dict[str, Any]:
    readers = [read for name in value if (read := required.get(name) or optional.get(name))]
    if len(readers) < len(value) or not required.keys() <= value.keys():
        missing = required.keys() - value.keys()
        unknown = value.keys() - required.keys() - optional.keys()
        raise EntryError(f"fields missing: {sorted(missing)}, not of this kind: {sorted(unknown)}")
    found = {}
    name = ""
    try:
        for (name, item), read in zip(value.items(), readers, strict=True):
            found[name] = read(item)
    except PolicyError as error:
        raise EntryError(f"{name}: {error}") from error
    return found


@lru_cache(maxsize=1024)
def _repository(text: str) -> None:
    """Refuse what is no repository; a ledger names the same few again and again. Raises: PolicyError."""
    Repository.parse(text)


_digest = _text(re.compile(r"sha256:[0-9a-f]{64}"), empty=True)


_image = _object({"repository": _string, "tag": _string, "digest": _digest}, {})
_sight = _object(
    {"service": _text(_NAME), "repository": _string, "tag": _string, "digest": _digest}, {"before": _boolean}
)
_place = _object(
    {"what": _text(_WORD), "channel": _text(_SLACK), "message": _text(_WORD), "seq": _integer}, {}
)
_rule_at = _object({"commit": _text(_OID), "files": _list_of(_text(_PATH)), "hash": _text(_HASH)}, {})


def _pinned(value: Any) -> Pinned:
    read = _image(value)
    _repository(read["repository"])
    if read["tag"]:
        Tag.parse(read["tag"])
    return Pinned(**read)


def _sighting(value: Any) -> Sighting:
    read = _sight(value)
    _repository(read["repository"])
    Tag.parse(read["tag"])
    return Sighting(**read)


def _placed(value: Any) -> Placed:
    return Placed(**_place(value))


def _rule(value: Any) -> RuleAt:
    return RuleAt(**_rule_at(value))


_member_of = _object({"service": _text(_NAME), "images": _integer}, {})


def _member(value: Any) -> Member:
    read = _member_of(value)
    if not read["images"]:
        raise EntryError(f"{read['service']} has no image; expected one at least")
    return Member(**read)


_slack = _object({"team": _text(_SLACK), "user": _text(_SLACK)}, {})
_forge = _object({"id": _integer, "login": _text(_LOGIN)}, {})
_person = _object({"person": _text(_NAME), "via": _string}, {"slack": _slack, "forge": _forge})


def _by(value: Any) -> Voice:
    if isinstance(value, list):
        if len(value) != TWO:
            raise EntryError("expected one speaker, or a list of two people")
        return Both(_one(value[0]), _one(value[1]))
    if value == {"bot": True} and isinstance(value["bot"], bool):
        return BOT
    return _one(value)


def _one(value: Any) -> By:
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


def _linked(value: Any) -> Link:
    read = _object({"person": _text(_NAME), "slack": _slack, "forge": _forge}, {"domain": _domain})(value)
    slack, forge = read["slack"], read["forge"]
    return Link(
        read["person"], slack["team"], slack["user"], forge["id"], forge["login"], read.get("domain", "")
    )


def _domain(value: Any) -> str:
    if isinstance(value, str) and is_domain(value):
        return value
    raise EntryError(f"{str(value)[:60]!r} is no mail domain")


def _evidence(value: Any) -> Mapping[str, Json]:
    if isinstance(value, dict) and value and _is_plain(value, MAX_DEPTH):
        return value
    raise EntryError(
        f"expected an object with something in it, without null, at most {MAX_DEPTH} levels deep"
    )


def _is_plain(value: Any, levels: int) -> bool:
    """Whether there is no null in it, and no more levels than these."""
    if isinstance(value, dict | list):
        items = value.values() if isinstance(value, dict) else value
        return levels > 0 and all(_is_plain(item, levels - 1) for item in items)
    return value is not None


_beside = _object(
    {
        "service": _text(_NAME),
        "image": _list_of(_pinned),
        "previous": _list_of(_pinned),
        "rule": _rule,
    },
    {"evidence": _evidence},
)


def _also(value: Any) -> Beside:
    return Beside(**_beside(value))


FIELDS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "v": _integer,
    "seq": _integer,
    "prev": _text(_OID, empty=True),
    "key": _text(_WORD),
    "kind": _string,
    "at": _time,
    "by": _by,
    "environment": _text(_NAME),
    "service": _text(_NAME),
    "group": _text(_NAME),
    "members": _list_of(_member),
    "promotion": _text(_PROMOTION),
    "image": _list_of(_pinned),
    "previous": _list_of(_pinned),
    "change": _text(_HASH),
    "rule": _rule,
    "also": _list_of(_also),
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
    "since": _text(_OID),
    "commits": _list_of(_text(_OID)),
    "linked": _linked,
    "state": _text(_HASH),
    "erases": _integer,
    "lost": _text(_OID),
    "input": _text(_HASH),
    "carried": _evidence,
    "evidence": _evidence,
    "why": _text(_CODE),
    "note": _note,
}
