"""What anybody's open pull requests would change, as the forge tells it."""

import binascii
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from bot.errors import PermanentError
from bot.forge.bodies import OID, list_of, object_of, oid_text, open_pull_of, part, paths_of
from bot.forge.client import plain
from bot.forge.wire import Wire
from bot.ports import Changes, OpenPullRequest

_PER_PAGE = 100  # GitHub, the most
_MAX_PULLS = 20  # pages of open pull requests: the oldest of more than 2,000 wait
_MAX_LISTED = 3000  # GitHub, files of a pull request
_MAX_COMPARED = 300  # GitHub, files of a comparison


@dataclass(slots=True)
class Looks:
    """Reads pull requests of a repository; ``branch`` is the target branch."""

    wire: Wire
    branch: str

    def open_pull_requests(self) -> tuple[OpenPullRequest, ...]:
        """Return everybody's open pull requests, those that moved last first. Raises: BotError."""
        found: dict[int, OpenPullRequest] = {}  # a page may repeat what moved meanwhile
        for page in range(1, _MAX_PULLS + 1):
            listed = list_of(self._read("/pulls", state="open", sort="updated", direction="desc", page=page))
            found |= {pull.number: pull for pull in map(open_pull_of, listed)}
            if len(listed) < _PER_PAGE:
                break
        return tuple(found.values())

    def changes(self, pull: OpenPullRequest) -> Changes:
        """Return what its head would bring to the target branch, wherever it goes now. Raises: BotError.

        What goes elsewhere today may be turned to the target branch tomorrow, and keeps its verdict.
        """
        path = f"/compare/{quote(self.branch)}...{pull.head}"
        compared = object_of(
            self._read(path, per_page=1)
        )  # the page counts commits; all files stand on the first
        base = oid_text(part(compared, "merge_base_commit").get("sha"), "the beginning of a pull request")
        files = list_of(compared.get("files"))
        if len(files) < _MAX_COMPARED:
            return Changes(base, tuple(paths_of(files)))
        return Changes(base, self._listed(pull.number) if pull.target == self.branch else None)

    def content(self, path: str, commit: str) -> bytes | None:
        """Return a file at a commit, nothing where there is no file. Raises: BotError; PermanentError over 1 MB."""
        if OID.fullmatch(commit) is None:
            raise ValueError(f"{plain(commit)!r} is not a commit")
        answer = self.wire.read(f"/contents/{quote(path)}", ref=commit)
        if not isinstance(answer, dict) or answer.get("type") != "file":
            return None
        return _decoded(answer, path)

    def _listed(self, number: int) -> tuple[str, ...] | None:
        files: list[Any] = []
        for page in range(1, _MAX_LISTED // _PER_PAGE + 1):
            listed = list_of(self._read(f"/pulls/{number}/files", page=page))
            files += listed
            if len(listed) < _PER_PAGE:
                return tuple(paths_of(files))
        return None

    def _read(self, path: str, **parameters: str | int) -> Any:
        answer = self.wire.read(path, **({"per_page": _PER_PAGE} | parameters))
        if answer is None:
            raise PermanentError(f"{path} is not there in {self.wire.repository}")
        return answer


def _decoded(answer: Mapping[str, Any], path: str) -> bytes:
    text = answer.get("content")
    if answer.get("encoding") != "base64" or not isinstance(text, str):
        raise PermanentError(f"{plain(path)} is too large for the forge to show")
    try:
        return b64decode(text)
    except (binascii.Error, ValueError) as error:
        raise PermanentError(f"the forge shows {plain(path)} in a form that cannot be read") from error
