"""What the page shows, as plain values: the workspace as one person sees it, Git, pull requests, ledger, registry."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from sandbox.git import Git
from sandbox.gitops import BRANCH
from sandbox.record import Recorded
from sandbox.slack.feed import Event, EventKind
from sandbox.slack.people import Person
from sandbox.slack.workspace import Workspace

SHOWN_COMMITS = "60"
SHOWN_ENTRIES = 300
SHOWN_PULLS = 30
# The workspace's hint for the command, as the app's manifest has it.
HINT = "/promote SERVICE [VERSION] [to ENV] because WHY | help"
_UNIT = "\x1f"
# What nobody but the person who did it sees in Slack.
_OWN = frozenset({EventKind.COMMAND, EventKind.CLICKED, EventKind.SUBMITTED, EventKind.WARNED})

Json = dict[str, Any]


def is_seen(workspace: Workspace, event: Event, user: str) -> bool:
    """Tell whether an event may be shown to a person: it is public where they are, or theirs."""
    if event.kind in _OWN and event.user != user:
        return False
    if not event.is_seen_by(user):
        return False
    return not event.channel or any(
        channel.id == event.channel and user in channel.members for channel in workspace.channels
    )


def workspace_as_seen(workspace: Workspace, person: Person) -> Json:
    """Return all that one person has before them; ``position`` is the newest event that is surely in it."""
    position, me = workspace.feed.position, person.id
    workspace.direct(me)  # everybody has one with the bot
    home = workspace.views.home(me)
    return {
        "position": position,
        "me": me,
        "hint": HINT,
        "app": {"user": workspace.app.user, "name": workspace.app.name, "commands": workspace.app.commands},
        "users": [
            {"id": one.id, "name": one.name, "shown": one.real_name or one.name, "bot": one.is_bot}
            for one in workspace.users
        ],
        "groups": [{"id": one.id, "handle": one.handle} for one in workspace.usergroups],
        "channels": [
            {"id": one.id, "name": one.name, "im": one.is_im}
            for one in workspace.channels
            if me in one.members and not one.is_archived
        ],
        "messages": [asdict(message) for message in person.screen()],
        "typed": [
            {"at": event.at, "channel": event.channel, "text": event.text}
            for event in workspace.events()
            if event.kind is EventKind.COMMAND and event.user == me
        ],
        "views": [asdict(view) for view in workspace.views.stack(me)],
        "home": asdict(home) if home else None,
    }


def commits(git: Git, health: list[dict[str, str]]) -> list[Json]:
    """Return the newest commits of the target branch with trailers, and what the delivery tool said of each."""
    form = f"--format=%H%n%an%n%cI%n%(trailers:only,unfold,separator=%x1f)%n%B{_UNIT}"
    text = git.text("log", "--first-parent", "-z", "-n", SHOWN_COMMITS, form, f"refs/heads/{BRANCH}")
    return [_commit(part, health) for part in text.split("\0") if part.strip()]


def _commit(text: str, health: list[dict[str, str]]) -> Json:
    oid, author, at, trailers, message = text.removesuffix(_UNIT).split("\n", 4)
    subject, _, body = message.strip("\n").partition("\n")
    pairs = [one.partition(": ") for one in trailers.split(_UNIT) if one]
    return {
        "oid": oid,
        "author": author,
        "at": at,
        "subject": subject,
        "body": _above_trailers(body.strip("\n"), has_trailers=bool(pairs)),
        "trailers": [[name, value] for name, _, value in pairs],
        "health": {one["environment"]: one["state"] for one in health if one["commit"] == oid},
    }


def _above_trailers(body: str, *, has_trailers: bool) -> str:
    return body.rpartition("\n\n")[0] if has_trailers else body


def ledger_rows(entries: list[Recorded]) -> list[Json]:
    """Return the newest entries as rows, oldest first."""
    first = max(0, len(entries) - SHOWN_ENTRIES)
    return [_row(number, entry) for number, entry in enumerate(entries[first:], start=first + 1)]


def shown(entries: list[Recorded]) -> list[Recorded]:
    """Return entries without the words that two people took out; Git has them still."""
    redacted = {entry["erases"]: number for number, entry in _numbered(entries) if entry.kind == "redact"}
    return [
        replace(entry, line={**entry.line, "note": f"(redacted, see #{redacted[number]})"})
        if number in redacted and entry["note"]
        else entry
        for number, entry in _numbered(entries)
    ]


def _numbered(entries: list[Recorded]) -> list[tuple[int, Recorded]]:
    return [(int(entry["seq"] or 0), entry) for entry in entries]


def _row(number: int, entry: Recorded) -> Json:
    return {
        "number": number,
        "oid": entry.oid,
        "kind": entry.kind,
        "at": str(entry["at"]),
        "who": _speakers(entry["by"]),
        "what": " ".join(str(one) for one in (entry["service"], entry.tag, entry["environment"]) if one),
        "note": str(entry["note"] or entry["why"]),
        "promotion": str(entry["promotion"]),
        "signed": entry.is_signed,
    }


def _speakers(by: object) -> str:
    """Name who an entry says it is by: one person, two (a handing over), or the bot."""
    several = [one for one in (by if isinstance(by, list) else [by]) if isinstance(one, Mapping)]
    return " and ".join(str(one.get("person") or "the bot") for one in several) or "the bot"
