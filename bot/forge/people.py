"""Who is who at the forge: accounts, members of teams, and what reviewers said of a pull request."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from bot.errors import PermanentError
from bot.forge.accounts import LOGIN, account_of, commits_between, comparison, named, wrote
from bot.forge.bodies import OID, address_of, list_of, number_of, object_of, oid_text, part
from bot.forge.client import plain
from bot.forge.wire import Wire
from bot.ports import Compared, ForgeAccount, Merger, Review, SourceCommit
from policies.entries.entry import EntryError, parse_time

_TEAM = re.compile(r"(?P<owner>[A-Za-z0-9][A-Za-z0-9-]{0,38})/(?P<team>[a-z0-9_][a-z0-9_.-]{0,99})", re.ASCII)
_PER_PAGE = 100  # GitHub, the most
_SUBJECT = 100  # characters of a commit's subject that people read
_MAX_PAGES = 20  # 2,000 people of a team, reviews of a pull request
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
        commits = commits_between(self._wire_of(repository), old, new, most=most)
        if commits is None:
            return None
        found, unnamed = dict[int, ForgeAccount](), 0
        for commit in commits:
            accounts = list(wrote(commit))
            found |= {one.id: one for one in accounts}
            unnamed += not accounts
        return tuple(found.values()), unnamed

    def compared(self, repository: str, old: str, new: str, *, most: int) -> Compared | None:
        """Return what ``new`` has that ``old`` has not, None where one of them is not there. Raises: BotError."""
        answer = comparison(self._wire_of(repository), old, new, most=most)
        if answer is None:
            return None
        body, commits = answer
        total, behind = body.get("total_commits"), body.get("behind_by")
        if not isinstance(total, int) or isinstance(total, bool) or total < len(commits):
            raise PermanentError(f"{repository} does not say how many commits lie between {old} and {new}")
        lacks = behind if isinstance(behind, int) and behind > 0 else 0
        return Compared(tuple(map(_source_commit, commits)), total, lacks, address_of(body.get("html_url")))

    def _wire_of(self, repository: str) -> Wire:
        if repository not in self.others:
            self.others[repository] = self.wire_to(repository)
        return self.others[repository]

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


def merger_of(answer: object) -> Merger | None:
    """Read who merged a pull request and when, nothing where it is not merged. Raises: PermanentError."""
    body = object_of(answer)
    at, who = body.get("merged_at"), body.get("merged_by")
    if not isinstance(at, str):
        return None
    try:
        return Merger(account_of(who) if isinstance(who, dict) else None, parse_time(at))
    except EntryError as error:
        raise PermanentError(
            f"the forge says that it was merged at {plain(at)!r}; expected a time"
        ) from error


def _source_commit(commit: Mapping[str, Any]) -> SourceCommit:
    """Read a commit of a comparison. Raises: BotError."""
    message = part(commit, "commit").get("message")
    first = message.lstrip().split("\n", 1)[0] if isinstance(message, str) else ""
    login = next((one.login for one in named(commit.get("author"))), "")
    return SourceCommit(oid_text(commit.get("sha"), "a commit"), plain(first, _SUBJECT), login)


def _decides(answer: object) -> bool:
    """Whether a review says yes or no, or did; one whose author's account is gone says nothing."""
    body: Mapping[str, Any] = object_of(answer)
    return body.get("state") in _DECIDING and isinstance(body.get("user"), dict)


def last_words(reviews: tuple[Review, ...]) -> Iterator[Review]:
    """Yield the last deciding review of each person, oldest first."""
    last = {one.author.id: one for one in reviews}
    yield from (one for one in reviews if last[one.author.id] is one)
