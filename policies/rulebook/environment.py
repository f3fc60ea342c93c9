"""An environment of the rules: where references live, and what is asked before they move."""

from collections.abc import Collection
from datetime import timedelta

from policies.errors import PolicyError
from policies.images.image import Repository
from policies.rulebook.apart import emergency, rollback
from policies.rulebook.approvals import Asked, approvals
from policies.rulebook.channel import channel, notified
from policies.rulebook.document import Entry
from policies.rulebook.fields import Fields, fields, former_names, is_name, once
from policies.rulebook.findings import Findings, shown
from policies.rulebook.gates import gates
from policies.rulebook.keys import AFTER, ENVIRONMENT_KEYS
from policies.rulebook.path import PLACEHOLDER, folder, is_inside
from policies.rulebook.people import People
from policies.rulebook.text import Items, Table
from policies.rulebook.waits import YEAR, age, freeze, jump, limit, soak, zone
from policies.rules.places import Environment
from policies.rules.terms import (
    AUTHORS,
    DEFAULT_EXPIRE,
    DEFAULT_INTERVAL,
    DEFAULT_MERGE_WITHIN,
    REQUESTER,
    ConfigRule,
    DigestRule,
    Evidence,
    Merges,
    Opens,
    Takes,
    Via,
)
from policies.times.calendar import Calendar

_SECOND = timedelta(seconds=1)
MAX_PATHS = 100
MAX_HEALTH = 20
_MAX_CHECK = 255
IMAGE = "<image>"


def environment(
    entry: Entry, names: Collection[str], people: People, calendar: Calendar, findings: Findings
) -> Environment | None:
    """Read one environment; ``names`` are those of all environments. Lines that are as another one's are still open."""
    is_name(entry.name, "an environment", findings, can_say_was=True)
    found = fields(entry.node, ENVIRONMENT_KEYS, findings)
    if found is None:
        return None
    asked = _approvals(entry, found, people)
    like = found.text("like")
    return Environment(
        name=entry.name.value,
        paths=_paths(entry, found),
        clusters=_folders(found, "cluster"),
        channel=_channel(entry, found),
        approvals=asked.lines,
        at=entry.name.at,
        after=_after(entry, found, names),
        digest=_digest(found, is_guarded=bool(asked.lines or asked.like)),
        exclude=_exclude(found),
        expire=found.span("expire", default=DEFAULT_EXPIRE, least=_SECOND, most=YEAR),
        merge_within=found.span("merge-within", default=DEFAULT_MERGE_WITHIN, least=timedelta(0), most=YEAR),
        rollback=rollback(found, people),
        interval=found.span("interval", default=DEFAULT_INTERVAL, least=_SECOND, most=YEAR),
        catch_up=found.flag("catch-up", default=False),
        after_any=_is_any(found),
        takes=found.choice("takes", Takes, Takes.NEWEST),
        via_said=_via(found),
        opens=found.choice("opens", Opens, Opens.ON_REQUEST),
        merges=_merges(found),
        soak=soak(found),
        age=age(found),
        limit=limit(found),
        jump=jump(found),
        freeze=freeze(found, calendar),
        gates=gates(found),
        health=_health(found),
        evidence=found.choice("evidence", Evidence, Evidence.SLACK),
        emergency=emergency(found, people),
        pulled_from=_pulled_from(found),
        config=found.choice("config", ConfigRule, ConfigRule.RECORD),
        zone=zone(found, calendar),
        notify=notified(found, people),
        like=like.value if like else "",
        approvals_as=asked.like,
        is_observed=asked.is_observed,
        was=former_names(found, "an environment"),
    )


def _missing(entry: Entry, key: str, expected: str, found: Fields) -> None:
    found.missing(entry.name.at, f"{shown(entry.name.value)} has no {key}", f"{key}: {expected}")


def _approvals(entry: Entry, found: Fields, people: People) -> Asked:
    node = found.node("approvals")
    if node is None:
        _missing(entry, "approvals", "none, 2, or 2 of TEAM (it has to be said)", found)
        return Asked()
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
    return channel(text, found.findings) if text else ""


def _is_any(found: Fields) -> bool:
    node = found.node("after")
    return isinstance(node, Table) and node.get("any") is not None


def _after(entry: Entry, found: Fields, names: Collection[str]) -> tuple[str, ...]:
    node = found.node("after")
    if isinstance(node, Table):
        inner = fields(node, AFTER, found.findings)
        if inner and inner.node("any") is None:
            inner.missing(node.at, "after is a table without any", "an environment, a list, or {any: [...]}")
        texts, node = (inner.texts("any") if inner else None) or (), node.get("any")
    else:
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
    return found.choice("digest", DigestRule, DigestRule.PIN if is_guarded else DigestRule.KEEP)


def _exclude(found: Fields) -> tuple[str, ...]:
    if found.node("exclude") is None:
        return (REQUESTER,)
    texts = found.texts("exclude") or ()
    for text in texts:
        if text.value not in {REQUESTER, AUTHORS}:
            found.findings.unknown(text.at, "word in exclude", text.value, (REQUESTER, AUTHORS))
    return once(texts, "word", found.findings)


def _via(found: Fields) -> Via | None:
    return found.choice("via", Via, Via.COMMIT) if found.node("via") else None


def _merges(found: Fields) -> Merges:
    return found.choice("merges", Merges, Merges.WHEN_APPROVED)


def _health(found: Fields) -> tuple[str, ...]:
    texts = found.texts("health") or ()
    if len(texts) > MAX_HEALTH:
        found.findings.add(found.place("health"), f"health has {len(texts)} names", f"at most {MAX_HEALTH}")
    for text in texts:
        if len(text.value) > _MAX_CHECK:
            what = f"health has a name of {len(text.value)} characters"
            found.findings.add(text.at, what, f"at most {_MAX_CHECK}")
    return once(texts, "name", found.findings)


def _pulled_from(found: Fields) -> str:
    """Read under which name images are pulled: <service> is the service's name, <image> the last part of its image."""
    text = found.text("pulled-from")
    if text is None:
        return ""
    try:
        Repository.parse(text.value.replace(PLACEHOLDER, "x").replace(IMAGE, "x"))
    except PolicyError as error:
        found.findings.refuse(text.at, error)
        return ""
    if PLACEHOLDER not in text.value and IMAGE not in text.value:
        expected = f"a repository with {PLACEHOLDER} or {IMAGE}, such as registry.example.com/{IMAGE}"
        found.findings.add(text.at, f"pulled-from is {shown(text.value)} for all", expected)
    return text.value
