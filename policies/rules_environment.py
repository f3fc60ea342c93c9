"""An environment of the rules: where references live, and what is asked before they move."""

import re
from collections.abc import Collection
from datetime import timedelta

from policies.errors import PolicyError
from policies.rules import (
    DEFAULT_EXPIRE,
    DEFAULT_INTERVAL,
    DEFAULT_MERGE_WITHIN,
    REQUESTER,
    Apart,
    DigestRule,
    Environment,
    Line,
)
from policies.rules_approvals import approvals
from policies.rules_document import Entry
from policies.rules_fields import Fields, Keys, fields, is_name, once
from policies.rules_findings import Findings, shown
from policies.rules_path import PLACEHOLDER, folder, is_inside
from policies.rules_people import People
from policies.rules_text import Items, Table

_KEYS = Keys(
    "an environment",
    (
        "path",
        "channel",
        "approvals",
        "after",
        "digest",
        "exclude",
        "expire",
        "merge-within",
        "interval",
        "rollback",
        "catch-up",
        "evidence",
        "cluster",
    ),
    frozenset(
        {
            *("takes", "via", "opens", "merges", "soak", "age", "limit", "freeze", "gates", "health"),
            *("emergency", "pulled-from", "config", "zone", "notify", "like", "exceptions", "was"),
        }
    ),
)
_ROLLBACK = Keys("rollback", ("approvals",), frozenset({"tell", "review", "skips"}))
_SECOND = timedelta(seconds=1)
_YEAR = timedelta(days=366)
MAX_PATHS = 100
_MAX_CHANNEL = 80  # Slack, channel names
_CHANNEL = re.compile(r"[\w-]+")
_CHANNEL_ID = re.compile(r"[CG][A-Z0-9]+", re.ASCII)


def environment(
    entry: Entry, names: Collection[str], people: People, findings: Findings
) -> Environment | None:
    """Read one environment; ``names`` are those of all environments."""
    is_name(entry.name, "an environment", findings)
    found = fields(entry.node, _KEYS, findings)
    if found is None:
        return None
    lines = _approvals(entry, found, people)
    _evidence(found)
    return Environment(
        name=entry.name.value,
        paths=_paths(entry, found),
        clusters=_folders(found, "cluster"),
        channel=_channel(entry, found),
        approvals=lines,
        at=entry.name.at,
        after=_after(entry, found, names),
        digest=_digest(found, is_guarded=bool(lines)),
        exclude=_exclude(found),
        expire=found.span("expire", default=DEFAULT_EXPIRE, least=_SECOND, most=_YEAR),
        merge_within=found.span("merge-within", default=DEFAULT_MERGE_WITHIN, least=timedelta(0), most=_YEAR),
        rollback=Apart(_rollback(found, people)),
        interval=found.span("interval", default=DEFAULT_INTERVAL, least=_SECOND, most=_YEAR),
        catch_up=found.flag("catch-up", default=False),
    )


def _missing(entry: Entry, key: str, expected: str, found: Fields) -> None:
    found.missing(entry.name.at, f"{shown(entry.name.value)} has no {key}", f"{key}: {expected}")


def _approvals(entry: Entry, found: Fields, people: People) -> tuple[Line, ...]:
    node = found.node("approvals")
    if node is None:
        _missing(entry, "approvals", "none, 2, or 2 of TEAM (it has to be said)", found)
        return ()
    return approvals(node, people, found.findings)


def _paths(entry: Entry, found: Fields) -> tuple[str, ...]:
    if found.node("path") is None:
        _missing(entry, "path", "a folder such as apps/staging", found)
    return _folders(found, "path")


def _folders(found: Fields, key: str) -> tuple[str, ...]:
    """Read folders that lie beside each other; ``<service>`` may stand only in a path."""
    texts = found.texts(key)
    if texts is None:
        return ()
    if not 1 <= len(texts) <= MAX_PATHS:
        found.findings.add(found.place(key), f"{key} has {len(texts)} folders", f"1 to {MAX_PATHS} folders")
        return ()
    paths: list[str] = []
    for text in texts:
        try:
            path = folder(text.value)
        except PolicyError as error:
            found.findings.refuse(text.at, error)
            continue
        other = next((one for one in paths if is_inside(path, one) or is_inside(one, path)), None)
        if other is not None:
            found.findings.add(text.at, f"{key} {path} overlaps with {other}", "folders beside each other")
        if key != "path" and PLACEHOLDER in path:
            found.findings.add(text.at, f"{key} has {PLACEHOLDER}", "a folder such as clusters/staging")
        paths.append(path)
    return tuple(paths)


def _channel(entry: Entry, found: Fields) -> str:
    if found.node("channel") is None:
        _missing(entry, "channel", "the name or id of a channel", found)
    text = found.text("channel")
    if text is None:
        return ""
    name = text.value.removeprefix("#")
    is_plain = _CHANNEL.fullmatch(name) is not None and name == name.lower()
    if len(name) > _MAX_CHANNEL or not (is_plain or _CHANNEL_ID.fullmatch(name)):
        expected = "a name such as deploys in small letters, with or without #, or an id such as C0DEPLOYS"
        found.findings.add(text.at, f"{shown(text.value)} is not a channel", expected)
    return name


def _after(entry: Entry, found: Fields, names: Collection[str]) -> tuple[str, ...]:
    node = found.node("after")
    if isinstance(node, Table) and node.get("any") is not None:
        found.findings.add(
            node.at, "after: {any: ...} is not supported yet", "an environment, or a list of them"
        )
        return ()
    texts = found.texts("after") or ()
    if isinstance(node, Items) and not node.items:
        found.findings.add(node.at, "after has no environments", "one at least, or this key left out")
    for text in texts:
        if text.value == entry.name.value:
            found.findings.add(text.at, f"{text.value} comes after itself", "another environment")
        elif text.value not in names:
            found.findings.unknown(text.at, "environment", text.value, set(names) - {entry.name.value})
    return once(texts, "environment", found.findings)


def _digest(found: Fields, *, is_guarded: bool) -> DigestRule:
    text = found.text("digest")
    if text is None:
        return DigestRule.PIN if is_guarded else DigestRule.KEEP
    if text.value not in set(DigestRule):
        found.findings.add(text.at, f"digest is {shown(text.value)}", "pin or keep")
        return DigestRule.PIN
    return DigestRule(text.value)


def _exclude(found: Fields) -> tuple[str, ...]:
    if found.node("exclude") is None:
        return (REQUESTER,)
    texts = found.texts("exclude") or ()
    for text in texts:
        if text.value == "authors":
            found.findings.add(
                text.at, "exclude: authors is not supported yet", "[requester], or [] for nobody"
            )
        elif text.value != REQUESTER:
            found.findings.unknown(text.at, "word in exclude", text.value, (REQUESTER,))
    return once(texts, "word", found.findings)


def _rollback(found: Fields, people: People) -> tuple[Line, ...]:
    node = found.node("rollback")
    inner = fields(node, _ROLLBACK, found.findings) if node else None
    asked = inner.node("approvals") if inner else None
    if asked is None:
        if inner is not None:
            inner.missing(inner.at, "rollback has no approvals", "approvals: 1 of TEAM")
        return (Line(1),)
    lines = approvals(asked, people, found.findings)
    if not lines:
        expected = "1 or more: a rollback is the word of one person at least"
        found.findings.add(asked.at, "rollback asks nobody", expected)
    return lines


def _evidence(found: Fields) -> None:
    """Only Slack's presses count so far; the key is understood where it says so."""
    text = found.text("evidence")
    if text is not None and text.value != "slack":
        found.findings.add(text.at, f"evidence: {shown(text.value)} is not supported yet", "slack")
