"""What the engine needs of the outside world: one Protocol each. Adapters implement them; tests hand in real ones."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from bot.cards import Shown
from policies.entries.entry import Placed
from policies.entries.reports import Report
from policies.images.evidence import DigestAnswer, TagAnswer
from policies.images.image import Repository, Tag
from policies.rules.rules import Host


class Clock(Protocol):
    """The time, asked in one place."""

    def now(self) -> datetime:
        """Return the present instant, UTC, aware."""


class Registry(Protocol):
    """Registries: each thing asked gets an answer or a silence with its reason; nothing is raised for what they do."""

    def tags(
        self, repositories: Iterable[Repository], hosts: Mapping[str, Host]
    ) -> Mapping[Repository, TagAnswer]:
        """Return the tags of each repository."""

    def digests(
        self, images: Iterable[tuple[Repository, Tag]], hosts: Mapping[str, Host]
    ) -> Mapping[tuple[Repository, Tag], DigestAnswer]:
        """Return the index digest that each tag names."""


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A pull request as the forge tells it now. ``commit`` is the merge commit once merged."""

    number: int
    url: str
    head: str
    is_open: bool
    is_merged: bool
    commit: str = ""


@dataclass(frozen=True, slots=True)
class Merger:
    """Who merged a pull request (none = the account is gone), and when (UTC)."""

    account: "ForgeAccount | None"
    at: datetime


@dataclass(frozen=True, slots=True)
class OpenPullRequest:
    """Anybody's open pull request: the commit, its branch ('' = in another repository), the branch it goes to."""

    number: int
    head: str
    branch: str
    target: str


@dataclass(frozen=True, slots=True)
class Changes:
    """What a commit would bring to the target branch: since which commit of it, in which files (renamed: both names).

    ``files`` is None where they are too many to be listed.
    """

    base: str
    files: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Merged:
    """The forge merged exactly the head that was asked for."""

    commit: str


@dataclass(frozen=True, slots=True)
class NotMerged:
    """The forge did not merge.

    ``code``: head-moved (409), review-required (its own rules ask for ``reviews``), refused (405 and the like), unknown
    (nothing is certain).
    """

    code: str
    detail: str
    reviews: int = 0


@dataclass(frozen=True, slots=True)
class ForgeAccount:
    """An account of the forge: its number stays, its login may be another one tomorrow, or somebody else's.

    ``is_person``: no bot and no organization. ``is_active``: not suspended, as far as the forge tells.
    """

    id: int
    login: str
    is_person: bool = True
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class Review:
    """What somebody said of one commit of a pull request.

    ``state``: APPROVED, CHANGES_REQUESTED or DISMISSED. ``is_stale``: the forge took it back because the head moved.
    """

    id: int
    author: ForgeAccount
    state: str
    commit: str
    body: str = ""
    is_stale: bool = False


@dataclass(frozen=True, slots=True)
class SourceCommit:
    """A commit of a source: its id, the first line of its message, its author's login ('' = no account)."""

    oid: str
    subject: str
    login: str = ""


@dataclass(frozen=True, slots=True)
class Compared:
    """What one ref of a source has that another one has not: its commits, oldest first, and how many in all.

    ``commits`` are the first of them where they are too many to be listed. ``behind`` is how many it lacks of the
    other's, ``url`` where the forge shows it ('' = not known).
    """

    commits: tuple[SourceCommit, ...]
    total: int
    behind: int = 0
    url: str = ""


@dataclass(frozen=True, slots=True)
class Addressed:
    """An e-mail address of an account, by its number. ``how``: organization, profile (what vouches for it)."""

    account: int
    address: str
    how: str


@dataclass(frozen=True, slots=True)
class Hands:
    """By whose hands a commit came onto the target branch: who wrote, committed, merged or pushed it.

    ``unnamed``: commits whose author is no account. ``missing``: what the forge did not tell, on one line.
    """

    accounts: tuple[ForgeAccount, ...] = ()
    unnamed: int = 0
    missing: str = ""


class Forge(Protocol):
    """The forge. Writes are done once, then looked at; never retried blindly. Raises: BotError."""

    def open_pull_request(self, *, branch: str, title: str, body: str) -> PullRequest:
        """Open a pull request from a branch to the target branch, or return the one that is there."""

    def find_pull_request(self, branch: str) -> PullRequest | None:
        """Return the newest pull request from a branch, open or not."""

    def pull_request(self, number: int) -> PullRequest | None:
        """Return a pull request by its number."""

    def merger(self, number: int) -> Merger | None:
        """Return who merged a pull request and when, nothing where it is not merged."""

    def describe(self, number: int, *, title: str, body: str) -> None:
        """Replace title and body."""

    def merge(self, number: int, *, head: str, title: str, message: str) -> Merged | NotMerged:
        """Merge the very head that was cleared, with this commit title and message."""

    def close(self, number: int, comment: str) -> None:
        """Close a pull request without merging, saying why."""

    def branch_of(self, number: int) -> str:
        """Return the head branch of a pull request, '' where there is none such."""

    def status(self, head: str, *, is_allowed: bool, description: str, summary: str = "") -> None:
        """Set the verdict ``countersign`` on a head: a check run of an App, else a commit status.

        A status has room for 140 characters of the description; a check run has the summary (Markdown) too.
        """

    def comment(self, number: int, text: str, *, is_edit: bool = False) -> None:
        """Keep one comment of ours on a pull request (Markdown), at most 65,536 characters; more is cut with a pointer.

        It is edited, never a second one made; ``is_edit``: none is made where there is none.
        """

    def open_pull_requests(self) -> Sequence[OpenPullRequest]:
        """Return everybody's open pull requests, those that moved last first."""

    def changes(self, pull: OpenPullRequest) -> Changes:
        """Return what it would bring to the target branch, wherever it goes now."""

    def content(self, path: str, commit: str) -> bytes | None:
        """Return a file as it stands at a commit, nothing where there is none; a large one is an error."""

    def reports(self, commit: str, repository: str = "") -> Sequence[Report]:
        """Return the newest commit status or check run of each name on a commit, here or in another repository."""

    def account(self, login: str) -> ForgeAccount | None:
        """Return whose login it is now, nothing where nobody has it."""

    def account_of_id(self, number: int) -> ForgeAccount | None:
        """Return the account of a numeric id, whatever its login is now."""

    def team(self, named: str) -> Sequence[ForgeAccount]:
        """Return the members of ``organization/team``; a team that cannot be seen is an error."""

    def authors(
        self, repository: str, old: str, new: str, *, most: int
    ) -> tuple[tuple[ForgeAccount, ...], int] | None:
        """Return who wrote the commits of a repository from one ref to another, and how many are nobody's.

        None where a ref is not there. More than ``most`` commits are an error.
        """

    def compared(self, repository: str, old: str, new: str, *, most: int) -> Compared | None:
        """Return what ``new`` of a repository has that ``old`` has not; None where one of them is not there.

        More than ``most`` commits are counted, and the first of them listed.
        """

    def addresses(self) -> Sequence[Addressed]:
        """Return the e-mail addresses of the organization's members that the forge vouches for."""

    def home(self) -> str:
        """Return the address of the page of whoever owns the repository: the forge, and the owner."""

    def page(self) -> str:
        """Return the address of the repository's page."""

    def pulls_of(self, commit: str) -> tuple[int, ...]:
        """Return the numbers of the pull requests that were merged and have a commit."""

    def hands(self, before: str, line: Sequence[str]) -> Hands:
        """Return by whose hands the first commit of ``line`` came after ``before``; ``line``: the branch from it on."""

    def reviews(self, number: int) -> Sequence[Review]:
        """Return the reviews of a pull request that decide something, oldest first."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A code that a person types at the forge, where, how often we may look, and for how long. ``secret`` is ours."""

    code: str
    url: str
    secret: str = field(repr=False)
    interval: timedelta
    life: timedelta


@dataclass(frozen=True, slots=True)
class Waits:
    """Nobody has typed the code yet; look again after this time."""

    interval: timedelta


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Somebody typed the code, signed in as this account."""

    account: ForgeAccount


@dataclass(frozen=True, slots=True)
class Ended:
    """The code holds no more. ``code``: sign-in-expired, sign-in-denied, sign-in-unavailable."""

    code: str
    detail: str = ""


class SignIn(Protocol):
    """Signing in at the forge. What it gives of a token is whose it is, and nothing else. Raises: BotError."""

    def begin(self) -> Asked:
        """Ask for a code."""

    def look(self, asked: Asked) -> SignedIn | Waits | Ended:
        """Look whether it was typed."""


@dataclass(frozen=True, slots=True)
class Account:
    """What the chat says of an account, looked up when it matters. ``is_home``: of the bot's own workspace."""

    is_active: bool
    is_bot: bool
    is_guest: bool
    is_home: bool


class Chat(Protocol):
    """The chat: shows cards and notices, and says who an account is. Raises: BotError."""

    def account(self, team: str, user: str) -> Account:
        """Look an account up."""

    def home(self) -> str:
        """Return the bot's own workspace."""

    def email(self, user: str) -> str:
        """Return the confirmed address of a full member who alone has it, '' where there is none such."""

    def group(self, named: str) -> frozenset[str]:
        """Return the user ids of a user group, named ``@handle`` or by its id; one that is not there is an error."""

    def show(self, shown: Shown, *, seq: int, place: Placed | None) -> Placed:
        """Post, or edit in place; a message that was deleted is posted again. Returns where it stands."""

    def withdraw(self, place: Placed) -> None:
        """Delete a message of ours; one that is gone already is fine."""
