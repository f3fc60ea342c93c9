"""Who is who at the forge: accounts, members of teams, and what reviewers said of a pull request."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from bot.errors import PermanentError
from bot.forge_bodies import OID, list_of, number_of, object_of, part
from bot.forge_client import plain
from bot.forge_wire import Wire
from bot.ports import ForgeAccount, Review

LOGIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,98})(?:\[bot\])?", re.ASCII)
_TEAM = re.compile(r"(?P<owner>[A-Za-z0-9][A-Za-z0-9-]{0,38})/(?P<team>[a-z0-9_][a-z0-9_.-]{0,99})", re.ASCII)
_PER_PAGE = 100  # GitHub, the most
_MAX_PAGES = 20  # 2,000 people of a team, reviews of a pull request
# GitHub, "Creating a commit with multiple authors", with the address that it gives to accounts
_CO_AUTHOR = re.compile(
    r"^Co-authored-by: [^\n<]*<(?P<id>[1-9][0-9]{0,14})\+(?P<login>[A-Za-z0-9-]{1,100})@users\.noreply\.[a-z.]{1,60}>"
    r"[ \t]*$",
    re.MULTILINE | re.IGNORECASE | re.ASCII,
)
_DECIDING = frozenset({"APPROVED", "CHANGES_REQUESTED", "DISMISSED"})  # a mere comment takes nothing back


@dataclass(slots=True)
class People:
    """Reads who is who by one wire."""

    wire: Wire
    wire_to: Callable[[str], Wire]
    others: dict[str, Wire] = field(default_factory=dict)

    def account(self, login: str) -> ForgeAccount | None:
        """Return whose login it is now, nothing where nobody has it. Raises: BotError."""
        if LOGIN.fullmatch(login) is None:
            return None
        answer = self.wire.read_account(quote(login, safe=""))
        return None if answer is None else account_of(answer)

    def account_of_id(self, number: int) -> ForgeAccount | None:
        """Return the account of a numeric id, whatever its login is now. Raises: BotError."""
        answer = self.wire.read_elsewhere(f"/user/{number}") if number > 0 else None
        found = None if answer is None else account_of(answer)
        return found if found and found.id == number else None

    def team(self, named: str) -> tuple[ForgeAccount, ...]:
        """Return the members of a team, ``organization/team``, those of its child teams too. Raises: BotError."""
        found = _TEAM.fullmatch(named)
        if found is None:
            raise PermanentError(f"github:{plain(named)} is no team; expected github:ORGANIZATION/TEAM")
        address = f"/orgs/{found['owner']}/teams/{found['team']}/members"
        listed = self._pages(address)
        if listed is None:
            raise PermanentError(
                f"github:{named} is not there, or {self.wire.login.name} may not see it; expected a team of the"
                " organization, and for the App the permission Members: read"
            )
        return tuple(account_of(one) for one in listed)

    def reviews(self, number: int) -> tuple[Review, ...]:
        """Return the reviews of a pull request that decide something, oldest first. Raises: BotError."""
        listed = self._pages(f"/repos/{self.wire.repository}/pulls/{number}/reviews")
        if listed is None:
            raise PermanentError(f"pull request {number} is not there in {self.wire.repository}")
        found = tuple(review_of(one) for one in listed if _decides(one))
        if not any(one.state == "DISMISSED" for one in found):
            return found
        pushed = self._dismissed_by_a_push(number)
        return tuple(
            Review(one.id, one.author, one.state, one.commit, one.body, is_stale=one.id in pushed)
            for one in found
        )

    def authors(
        self, repository: str, old: str, new: str, *, most: int
    ) -> tuple[tuple[ForgeAccount, ...], int] | None:
        """Return who wrote the commits between two refs, co-authors whom the forge numbers too. Raises: BotError."""
        if repository not in self.others:
            self.others[repository] = self.wire_to(repository)
        wire, found, unnamed, seen = self.others[repository], dict[int, ForgeAccount](), 0, 0
        total: int | None = None
        for page in range(1, most // _PER_PAGE + 2):
            path = f"/compare/{quote(old, safe='')}...{quote(new, safe='')}"
            answer = wire.read(path, per_page=_PER_PAGE, page=page)
            if answer is None:
                return None
            body = object_of(answer)
            total, commits = body.get("total_commits"), list_of(body.get("commits"))
            if not isinstance(total, int) or total > most:
                raise PermanentError(f"{repository} has more than {most} commits between {old} and {new}")
            seen += len(commits)
            for commit in map(object_of, commits):
                accounts = list(_wrote(commit))
                found |= {one.id: one for one in accounts}
                unnamed += not accounts
            if seen >= total or not commits:
                break
        if total is None or seen < total:
            raise PermanentError(f"{repository} does not list all commits between {old} and {new}")
        return tuple(found.values()), unnamed

    def _dismissed_by_a_push(self, number: int) -> frozenset[int]:
        """Return the reviews that the forge itself took back because the head moved: their events name a commit."""
        events = self._pages(f"/repos/{self.wire.repository}/issues/{number}/events") or ()
        found = set()
        for event in map(object_of, events):
            about = part(event, "dismissed_review")
            is_pushed = isinstance(about.get("dismissal_commit_id"), str)
            if event.get("event") == "review_dismissed" and is_pushed:
                found.add(number_of(about.get("review_id"), "a dismissed review"))
        return frozenset(found)

    def _pages(self, address: str) -> list[Any] | None:
        """Return all that is listed below an address, nothing where it answers 404. Raises: BotError."""
        found: list[Any] = []
        for page in range(1, _MAX_PAGES + 1):
            answer = self.wire.read_elsewhere(address, per_page=_PER_PAGE, page=page)
            if answer is None:
                return None
            listed = list_of(answer)
            found += listed
            if len(listed) < _PER_PAGE:
                return found
        raise PermanentError(f"{address} lists more than {_MAX_PAGES * _PER_PAGE}; expected fewer")


def _wrote(commit: Mapping[str, Any]) -> Iterator[ForgeAccount]:
    """Yield the accounts of a commit: its author's, and those of co-authors whose address names theirs."""
    if isinstance(commit.get("author"), dict) and commit["author"].get("login"):
        yield account_of(commit["author"])
    message = part(commit, "commit").get("message")
    for found in _CO_AUTHOR.finditer(message if isinstance(message, str) else ""):
        yield ForgeAccount(int(found["id"]), found["login"])


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


def review_of(answer: object) -> Review:
    """Read a review. Raises: PermanentError."""
    body = object_of(answer)
    commit = body.get("commit_id")
    return Review(
        id=number_of(body.get("id"), "a review"),
        author=account_of(body.get("user")),
        state=str(body.get("state")),
        commit=commit if isinstance(commit, str) and OID.fullmatch(commit) else "",
        body=plain(body.get("body"), 280),
    )


def _decides(answer: object) -> bool:
    """Whether a review says yes or no, or did; one whose author's account is gone says nothing."""
    body: Mapping[str, Any] = object_of(answer)
    return body.get("state") in _DECIDING and isinstance(body.get("user"), dict)


def last_words(reviews: tuple[Review, ...]) -> Iterator[Review]:
    """Yield the last deciding review of each person, oldest first."""
    last = {one.author.id: one for one in reviews}
    yield from (one for one in reviews if last[one.author.id] is one)
