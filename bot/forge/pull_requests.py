"""The forge adapter: pull requests of one GitHub repository. Each write is done once, then looked at."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bot import faults
from bot.errors import BotError, PermanentError, TransientError
from bot.forge.acts import LOOKS, PULLS, Acts
from bot.forge.bodies import (
    MAX_BODY,
    OID,
    allows,
    is_home,
    is_ours,
    landed,
    list_of,
    object_of,
    part,
    pull_of,
    reviews_asked,
    text_of,
    title_of,
)
from bot.forge.client import Manner, UnsureError, plain, site_of
from bot.forge.comments import Comments
from bot.forge.emails import Emails
from bot.forge.hands import HandsOf
from bot.forge.looks import Looks
from bot.forge.people import People, merger_of
from bot.forge.reports import Reports
from bot.forge.verdict import Verdict, Verdicts
from bot.forge.wire import Login, RefusalError, Wire
from bot.ports import (
    Addressed,
    Changes,
    Compared,
    ForgeAccount,
    Hands,
    Merged,
    Merger,
    NotMerged,
    OpenPullRequest,
    PullRequest,
    Review,
)
from policies.entries.reports import Report

_PER_PAGE = 100  # GitHub, the most
_MAX_PAGES = 20  # nobody talks more than this below one pull request
_UNPROCESSABLE, _CONFLICT, _NOT_ALLOWED = 422, 409, 405

PATIENT = Manner()


class GitHubForge:
    """Pull requests from branches of one repository to its target branch. Implements ``bot.ports.Forge``."""

    def __init__(
        self,
        repository: str,
        branch: str,
        login: Login,
        *,
        base_url: str = "",
        manner: Manner = PATIENT,
        sleep: Callable[[float], None] = time.sleep,
        login_of: Callable[[str], Login] | None = None,
    ) -> None:
        """Open nothing yet. ``repository`` is OWNER/NAME; no ``base_url`` means github.com.

        ``login_of``: who we are at another repository, where our token opens this one alone. Raises: SettingsError.
        """
        self._wire = Wire(repository, login, base_url, manner)
        self._branch = branch
        self._site = site_of(base_url)
        self._acts = Acts(self._wire, manner.between_looks, sleep)
        self._verdicts = Verdicts(self._acts)
        self._comments = Comments(self._acts)
        self._looks = Looks(self._wire, branch)
        self._people = People(
            self._wire, lambda other: Wire(other, login_of(other) if login_of else login, base_url, manner)
        )
        self._emails = Emails(self._wire)
        self._hands = HandsOf(self._wire, branch)
        self._reports = Reports(self._wire)

    def __repr__(self) -> str:
        """Name the repository and the branch, no secrets."""
        return f"GitHubForge({self._wire.repository!r}, {self._branch!r})"

    def open_pull_request(self, *, branch: str, title: str, body: str) -> PullRequest:
        """Open a pull request from a branch to the target branch, or return the one that is there."""
        there = self._open_from(branch)
        if there is not None:
            return there
        wanted = {"title": title_of(title), "head": branch, "base": self._branch, "body": body[:MAX_BODY]}
        faults.point("before-pull-request")
        try:
            made = pull_of(self._wire.write("POST", "/pulls", wanted, permission=PULLS))
        except RefusalError as refusal:
            made = self._refused_to_open(branch, refusal)
        except UnsureError as unsure:
            made = self._acts.seen_or_later(lambda: self._open_from(branch), "the pull request", unsure)
        faults.point("after-pull-request")
        return made

    def find_pull_request(self, branch: str) -> PullRequest | None:
        """Return the newest pull request from a branch, open or not."""
        found = self._from_branch(branch, "all")
        return max(found, key=lambda pull: pull.number, default=None)

    def pull_request(self, number: int) -> PullRequest | None:
        """Return a pull request by its number."""
        body = self._body(number)
        return None if body is None else pull_of(body)

    def merger(self, number: int) -> Merger | None:
        """Return who merged a pull request and when, nothing where it is not merged."""
        body = self._body(number)
        return None if body is None else merger_of(body)

    def describe(self, number: int, *, title: str, body: str) -> None:
        """Replace title and body."""
        wanted = {"title": title_of(title), "body": body[:MAX_BODY]}

        def stands() -> bool | None:
            there = self._body(number)
            if there is None:
                raise PermanentError(f"there is no pull request {number} in {self._wire.repository}")
            return all(text_of(there.get(key)) == text_of(value) for key, value in wanted.items()) or None

        if not stands():
            faults.point("before-describe")
            self._acts.change(f"/pulls/{number}", wanted, f"the description of pull request {number}", stands)
            faults.point("after-describe")

    def merge(self, number: int, *, head: str, title: str, message: str) -> Merged | NotMerged:
        """Merge the very head that was cleared, with this commit title and message."""
        body = self._body(number)
        if body is None:
            return NotMerged("refused", f"there is no pull request {number} in {self._wire.repository}")
        ended = landed(body, head)
        if ended is not None:
            return ended
        base = part(body, "base").get("ref")
        if base != self._branch:
            return NotMerged("refused", f"it goes to {plain(base)!r} now, not to {self._branch!r}")
        method = self._method()
        if not method:
            return NotMerged("refused", "the repository allows neither merge commits nor squashing")
        wanted = {"sha": head, "merge_method": method, "commit_title": title, "commit_message": message}
        faults.point("before-merge")
        answer = self._merge_once(number, head, wanted)
        faults.point("after-merge")
        return answer

    def close(self, number: int, comment: str) -> None:
        """Close a pull request without merging, saying why. One that is merged or gone is left alone."""
        there = self.pull_request(number)
        if there is None or there.is_merged:
            return
        self._comment(number, comment)
        if there.is_open:
            faults.point("before-close")
            self._acts.change(
                f"/pulls/{number}",
                {"state": "closed"},
                f"the closing of pull request {number}",
                lambda: self._is_closed(number) or None,
            )
            faults.point("after-close")

    def branch_of(self, number: int) -> str:
        """Return the head branch of a pull request, '' where it has none in this repository."""
        body = self._body(number)
        if body is None:
            return ""
        head, base = part(body, "head"), part(body, "base")
        name = head.get("ref")
        return name if isinstance(name, str) and name.isprintable() and is_home(head, base) else ""

    def status(self, head: str, *, is_allowed: bool, description: str, summary: str = "") -> None:
        """Say the verdict ``countersign`` on a head: a check run of an App, else a commit status."""
        self._verdicts.say(head, Verdict(is_allowed, description, summary))

    def comment(self, number: int, text: str, *, is_edit: bool = False) -> None:
        """Keep one comment of ours on a pull request (Markdown); ``is_edit``: none is made where there is none."""
        self._comments.keep(number, text, is_edit=is_edit)

    def open_pull_requests(self) -> Sequence[OpenPullRequest]:
        """Return everybody's open pull requests, those that moved last first."""
        return self._looks.open_pull_requests()

    def changes(self, pull: OpenPullRequest) -> Changes:
        """Return what it would bring to the target branch, wherever it goes now."""
        return self._looks.changes(pull)

    def content(self, path: str, commit: str) -> bytes | None:
        """Return a file as it stands at a commit, nothing where there is none."""
        return self._looks.content(path, commit)

    def reports(self, commit: str, repository: str = "") -> Sequence[Report]:
        """Return the newest commit status or check run of each name on a commit, here or in another repository."""
        return self._reports.on(commit, repository)

    def account(self, login: str) -> ForgeAccount | None:
        """Return whose login it is now, nothing where nobody has it."""
        return self._people.account(login)

    def account_of_id(self, number: int) -> ForgeAccount | None:
        """Return the account of a numeric id, whatever its login is now."""
        return self._people.account_of_id(number)

    def team(self, named: str) -> Sequence[ForgeAccount]:
        """Return the members of ``organization/team``."""
        return self._people.team(named)

    def authors(
        self, repository: str, old: str, new: str, *, most: int
    ) -> tuple[tuple[ForgeAccount, ...], int] | None:
        """Return who wrote the commits of a repository from one ref to another, and how many are nobody's."""
        return self._people.authors(repository, old, new, most=most)

    def compared(self, repository: str, old: str, new: str, *, most: int) -> Compared | None:
        """Return what a ref of a repository has that another one has not; None where one of them is not there."""
        return self._people.compared(repository, old, new, most=most)

    def addresses(self) -> Sequence[Addressed]:
        """Return the e-mail addresses of the organization's members that the forge vouches for."""
        return self._emails.members()

    def home(self) -> str:
        """Return the address of the page of whoever owns the repository."""
        return f"{self._site}/{self._wire.owner}"

    def page(self) -> str:
        """Return the address of the repository's page."""
        return f"{self._site}/{self._wire.repository}"

    def pulls_of(self, commit: str) -> tuple[int, ...]:
        """Return the numbers of the merged pull requests that brought a commit to the target branch."""
        return self._hands.pulls_of(commit)

    def hands(self, before: str, line: Sequence[str]) -> Hands:
        """Return by whose hands the first commit of ``line`` came onto the target branch after ``before``."""
        return self._hands.look(before, line)

    def reviews(self, number: int) -> Sequence[Review]:
        """Return the reviews of a pull request that decide something, oldest first."""
        return self._people.reviews(number)

    def close_connections(self) -> None:
        """Let go of the network."""
        self._wire.close()

    # Looking

    def _open_from(self, branch: str) -> PullRequest | None:
        return next((pull for pull in self._from_branch(branch, "open") if pull.is_open), None)

    def _from_branch(self, branch: str, state: str) -> list[PullRequest]:
        head = f"{self._wire.owner}:{branch}"
        answer = self._read(
            "/pulls", head=head, base=self._branch, state=state, sort="created", direction="desc", per_page=10
        )
        bodies = [object_of(one) for one in list_of(answer)]
        # A filter that the forge does not understand, it leaves out.
        ours = [body for body in bodies if is_ours(body, branch, self._branch)]
        return [pull_of(body) for body in ours]

    def _body(self, number: int) -> Mapping[str, Any] | None:
        if number < 1:
            return None
        answer = self._wire.read(f"/pulls/{number}")
        if answer is None:
            self._read("")  # nothing there, or nothing to be seen at all?
            return None
        body = object_of(answer)
        if body.get("number") != number:
            raise PermanentError(f"the forge was asked for pull request {number} and answers with another")
        return body

    def _read(self, path: str, **parameters: str | int) -> Any:
        """Read what is there wherever the repository is. Raises: BotError."""
        answer = self._wire.read(path, **parameters)
        if answer is None:
            raise self._wire.missing_repository()
        return answer

    def _is_closed(self, number: int) -> bool:
        there = self.pull_request(number)
        return there is None or not there.is_open

    def _method(self) -> str:
        """Return how to merge: a rebase would lose the message. '' = not at all."""
        repository = object_of(self._read(""))
        allowed = [name for name in ("merge", "squash") if allows(repository, name)]
        return allowed[0] if allowed else ""

    def _has_comment(self, number: int, text: str) -> bool:
        for page in range(1, _MAX_PAGES + 1):
            answer = self._read(f"/issues/{number}/comments", per_page=_PER_PAGE, page=page)
            comments = [object_of(one) for one in list_of(answer)]
            if any(text_of(one.get("body")) == text for one in comments):
                return True
            if len(comments) < _PER_PAGE:
                return False
        return True  # a flood: one more helps nobody

    # Writing

    def _refused_to_open(self, branch: str, refusal: RefusalError) -> PullRequest:
        """Somebody may have been faster, or we ourselves before a crash."""
        is_there = refusal.status == _UNPROCESSABLE and "already exists" in refusal.said
        found = self._acts.looked_for(lambda: self._open_from(branch)) if is_there else None
        if found is None and (is_there or _is_unseen(refusal)):
            raise TransientError(f"no pull request from {plain(branch)} yet: {refusal.said}") from refusal
        if found is None:
            raise refusal.foreseen from refusal
        return found

    def _merge_once(self, number: int, head: str, wanted: Mapping[str, str]) -> Merged | NotMerged:
        path = f"/pulls/{number}/merge"
        try:
            answer = self._wire.write("PUT", path, wanted, permission="Contents: write, " + PULLS)
        except RefusalError as refusal:
            return self._landed_or(_not_merged(refusal), number, head, looks=1)
        except UnsureError as unsure:
            return self._landed_or(NotMerged("unknown", plain(str(unsure))), number, head, looks=LOOKS)
        sha = answer.get("sha") if isinstance(answer, dict) and answer.get("merged") is True else None
        if isinstance(sha, str) and OID.fullmatch(sha):
            return Merged(sha)
        unclear = NotMerged("unknown", "the forge answered the merge with something else")
        return self._landed_or(unclear, number, head, looks=LOOKS)

    def _landed_or(self, otherwise: NotMerged, number: int, head: str, *, looks: int) -> Merged | NotMerged:
        """Look whether exactly this head is merged; where that cannot be seen, nothing is certain."""

        def look() -> Merged | NotMerged | None:
            body = self._body(number)
            return None if body is None else landed(body, head)

        try:
            seen = self._acts.looked_for(look) if looks > 1 else look()
        except BotError as error:
            return NotMerged("unknown", plain(f"{otherwise.detail}; then: {error}"))
        return seen if isinstance(seen, Merged) else otherwise

    def _comment(self, number: int, comment: str) -> None:
        text = text_of(comment[:MAX_BODY])
        if not text or self._has_comment(number, text):
            return
        faults.point("before-comment")
        self._acts.change(
            f"/issues/{number}/comments",
            {"body": text},
            f"the comment on pull request {number}",
            lambda: self._has_comment(number, text) or None,
            verb="POST",
        )
        faults.point("after-comment")


def _not_merged(refusal: RefusalError) -> NotMerged:
    """Tell a head that moved, and reviews that the forge's own rules ask for, from all else."""
    if refusal.status == _CONFLICT:
        return NotMerged("head-moved", _reason(refusal))
    if (asked := reviews_asked(refusal.said)) and refusal.status == _NOT_ALLOWED:
        return NotMerged("review-required", _reason(refusal), asked)
    return NotMerged("refused", _reason(refusal))


def _reason(refusal: RefusalError) -> str:
    """Return the forge's own words, with what to do where a permission is missing."""
    is_denied = isinstance(refusal.foreseen, PermanentError) and refusal.status == 403  # noqa: PLR2004  HTTP, Forbidden
    return plain(str(refusal.foreseen)) if is_denied else refusal.said


def _is_unseen(refusal: RefusalError) -> bool:
    """Does the forge not see yet the branch that was pushed a moment ago?"""
    return refusal.status == _UNPROCESSABLE and "head invalid" in refusal.said
