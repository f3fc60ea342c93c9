"""What the forge says, read with care: its answers are somebody else's text until they have been looked at."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bot.errors import TransientError, UnreadableError
from bot.forge.client import plain
from bot.ports import Merged, NotMerged, OpenPullRequest, PullRequest

OID = re.compile(r"[0-9a-f]{40}", re.ASCII)
MAX_BODY = 65_536  # GitHub, characters of a description or comment
MAX_TITLE = 256  # GitHub, titles of issues and pull requests
_REVIEWS = re.compile(
    r"(?:at least ([0-9]{1,2}) approving reviews? (?:is|are) required|approving review|review from a code owner"
    r"|changes have been requested|waiting on code owner review)",
    re.IGNORECASE,
)
_TOKEN = re.compile(r"[!-~]{1,1000}", re.ASCII)
_LINK = re.compile(
    r"https?://[!-;=?-{}~]{1,500}", re.ASCII
)  # no spaces, and nothing that Slack reads as markup


def pull_of(answer: object) -> PullRequest:
    """Read a pull request as lists and single looks have it. Raises: UnreadableError."""
    body = object_of(answer)
    number, url, head = body.get("number"), body.get("html_url"), part(body, "head").get("sha")
    state, commit = body.get("state"), body.get("merge_commit_sha")
    is_merged = body.get("merged") is True or isinstance(body.get("merged_at"), str)
    if not isinstance(head, str) or OID.fullmatch(head) is None or state not in {"open", "closed"}:
        raise UnreadableError("the forge describes a pull request without a head commit or a state")
    if is_merged and not (isinstance(commit, str) and OID.fullmatch(commit)):
        raise TransientError("the forge does not say yet which commit a pull request was merged by")
    return PullRequest(
        number=number_of(number, "a pull request"),
        url=address_of(url),
        head=head,
        is_open=state == "open" and not is_merged,
        is_merged=is_merged,
        commit=commit if is_merged and isinstance(commit, str) else "",
    )


def open_pull_of(answer: object) -> OpenPullRequest:
    """Read what concerns us of anybody's open pull request. Raises: UnreadableError."""
    body = object_of(answer)
    head, base = part(body, "head"), part(body, "base")
    branch, target = (name_of(end.get("ref")) for end in (head, base))
    return OpenPullRequest(
        number=number_of(body.get("number"), "a pull request"),
        head=oid_text(head.get("sha"), "the head of a pull request"),
        branch=branch if is_home(head, base) else "",
        target=target,
    )


def paths_of(files: Iterable[object]) -> Iterator[str]:
    """Read the names of changed files; one that was renamed has two. Raises: UnreadableError."""
    for one in files:
        body = object_of(one)
        name, before = body.get("filename"), body.get("previous_filename")
        if not isinstance(name, str) or not name:
            raise UnreadableError("the forge lists a changed file without its name")
        yield name
        if isinstance(before, str):
            yield before


def landed(body: Mapping[str, Any], head: str) -> Merged | NotMerged | None:
    """Say how a pull request ended, None while it is open."""
    there = pull_of(body)
    if there.is_merged and there.head == head:
        return Merged(there.commit)
    if there.is_merged:
        return NotMerged("refused", f"it was merged at another head, {there.head[:12]}")
    return None if there.is_open else NotMerged("refused", "it is closed")


def reviews_asked(said: str) -> int:
    """Return how many reviews a refused merge asks for; 0 where it says nothing of them.

    GitHub, "Merge a pull request": 405 with the sentence that its page shows.
    """
    found = _REVIEWS.search(said)
    return int(found[1] or 1) if found else 0


def allows(repository: Mapping[str, Any], method: str) -> bool:
    """Is a merge method allowed? Where the forge keeps silent, merge commits are."""
    key = {"merge": "allow_merge_commit", "squash": "allow_squash_merge"}[method]
    return repository.get(key, method == "merge") is True


def is_ours(body: Mapping[str, Any], branch: str, target: str) -> bool:
    """Does it go from this branch of the repository itself to the target branch?"""
    head, base = part(body, "head"), part(body, "base")
    return (head.get("ref"), base.get("ref")) == (branch, target) and is_home(head, base)


def is_home(head: Mapping[str, Any], base: Mapping[str, Any]) -> bool:
    """Are both ends in one repository? A fork that was deleted has none."""
    names = [part(end, "repo").get("full_name") for end in (head, base)]
    return isinstance(names[0], str) and names[0] == names[1]


def address_of(url: object) -> str:
    """Return an address that people may be led to, '' where it is none."""
    return url if isinstance(url, str) and _LINK.fullmatch(url) else ""


def part(body: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return an object within an object, empty where there is none."""
    value = body.get(key)
    return value if isinstance(value, dict) else {}


def object_of(answer: object) -> Mapping[str, Any]:
    """Take an answer for an object. Raises: UnreadableError."""
    if not isinstance(answer, dict):
        raise UnreadableError(
            "the forge answers something that is no object; is COUNTERSIGN_GITHUB_URL its API?"
        )
    return answer


def list_of(answer: object) -> list[Any]:
    """Take an answer for a list. Raises: UnreadableError."""
    if not isinstance(answer, list):
        raise UnreadableError(
            "the forge answers something that is no list; is COUNTERSIGN_GITHUB_URL its API?"
        )
    return answer


def number_of(value: object, what: str) -> int:
    """Take a value for a number from 1. Raises: UnreadableError."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise UnreadableError(f"the forge gives {what} no number")
    return value


def oid_text(value: object, what: str) -> str:
    """Take a value for the id of a commit. Raises: UnreadableError."""
    if not isinstance(value, str) or OID.fullmatch(value) is None:
        raise UnreadableError(f"the forge gives {what} no commit")
    return value


def token_of(value: object) -> str:
    """Take a value for a token; it is never shown. Raises: UnreadableError."""
    if not isinstance(value, str) or _TOKEN.fullmatch(value) is None:
        raise UnreadableError("the forge gives the App something that is no token")
    return value


def name_of(value: object) -> str:
    """Return the name of a branch, '' for what cannot be one."""
    return value if isinstance(value, str) and value.isprintable() else ""


def text_of(value: object) -> str:
    """Return text as it was meant: the forge may write other line ends, and trims."""
    return value.replace("\r\n", "\n").strip() if isinstance(value, str) else ""


def title_of(text: str) -> str:
    """Return one line that the forge takes for a title."""
    return plain(text, MAX_TITLE)
