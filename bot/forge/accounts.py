"""Accounts of the forge as its bodies name them, and whose a commit is."""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from bot.errors import PermanentError
from bot.forge.bodies import list_of, number_of, object_of, part
from bot.forge.client import plain
from bot.forge.wire import Wire
from bot.ports import ForgeAccount

LOGIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,98})(?:\[bot\])?", re.ASCII)
_PER_PAGE = 100  # GitHub, the most
_WEB_FLOW = "web-flow"  # GitHub's own account, that commits what people do in the browser
# GitHub, "Creating a commit with multiple authors", with the address that it gives to accounts
_CO_AUTHOR = re.compile(
    r"^Co-authored-by: [^\n<]*<(?P<id>[1-9][0-9]{0,14})\+(?P<login>[A-Za-z0-9-]{1,100})@users\.noreply\.[a-z.]{1,60}>"
    r"[ \t]*$",
    re.MULTILINE | re.IGNORECASE | re.ASCII,
)


def account_of(answer: object) -> ForgeAccount:
    """Read an account. Raises: PermanentError."""
    body = object_of(answer)
    login = body.get("login")
    if not isinstance(login, str) or LOGIN.fullmatch(login) is None:
        raise PermanentError(f"the forge names an account {plain(login)!r}; expected a login")
    return ForgeAccount(
        id=number_of(body.get("id"), f"the account {login}"),
        login=login,
        is_person=body.get("type") == "User" and not login.endswith("[bot]"),
        is_active=not isinstance(body.get("suspended_at"), str),
    )


def wrote(commit: Mapping[str, Any]) -> Iterator[ForgeAccount]:
    """Yield the accounts that wrote a commit: its author's, and those of co-authors whose address names theirs."""
    yield from named(commit.get("author"))
    message = part(commit, "commit").get("message")
    for found in _CO_AUTHOR.finditer(message if isinstance(message, str) else ""):
        yield ForgeAccount(int(found["id"]), found["login"])


def committed(commit: Mapping[str, Any]) -> Iterator[ForgeAccount]:
    """Yield the account that committed it; the forge itself, for what is done in the browser, is nobody."""
    yield from (one for one in named(commit.get("committer")) if one.login != _WEB_FLOW)


def named(account: object) -> Iterator[ForgeAccount]:
    """Yield an account where the forge names one. Raises: PermanentError."""
    if isinstance(account, dict) and account.get("login"):
        yield account_of(account)


def commits_between(wire: Wire, old: str, new: str, *, most: int) -> list[Mapping[str, Any]] | None:
    """Return the commits from one ref to another; None where one is not there.

    Raises: BotError, where they are more than ``most``, or not all are listed.
    """
    answer = comparison(wire, old, new, most=most)
    if answer is None:
        return None
    body, found = answer
    total = body.get("total_commits")
    if not isinstance(total, int) or total > most:
        raise PermanentError(f"{wire.repository} has more than {most} commits between {old} and {new}")
    if len(found) < total:
        raise PermanentError(f"{wire.repository} does not list all commits between {old} and {new}")
    return found


def comparison(
    wire: Wire, old: str, new: str, *, most: int
) -> tuple[Mapping[str, Any], list[Mapping[str, Any]]] | None:
    """Return the forge's comparison of two refs and its commits, oldest first; None where a ref is not there.

    Of more than ``most`` commits only the first page is read. Raises: BotError.
    """
    found: list[Mapping[str, Any]] = []
    body: Mapping[str, Any] = {}
    for page in range(1, most // _PER_PAGE + 2):
        path = f"/compare/{quote(old, safe='')}...{quote(new, safe='')}"
        answer = wire.read(path, per_page=_PER_PAGE, page=page)
        if answer is None:
            return None
        body = object_of(answer)
        total, commits = body.get("total_commits"), list_of(body.get("commits"))
        found += map(object_of, commits)
        if not isinstance(total, int) or total > most or len(found) >= total or not commits:
            break
    return body, found
