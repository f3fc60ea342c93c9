"""One comment of ours on a pull request that is kept up to date: found again by a hidden marker and by who wrote it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot import faults
from bot.errors import PermanentError, TransientError
from bot.forge.acts import Acts
from bot.forge.bodies import MAX_BODY, list_of, number_of, object_of, part, text_of

MARKER = "<!-- countersign: what the rules become -->"  # GitHub shows no HTML comments
CUT = "Cut here, as GitHub takes no more: `countersign simulate` and `countersign lint` say all of it."
_PER_PAGE = 100  # GitHub, the most
_MAX_PAGES = 20  # nobody talks more than this below one pull request


@dataclass(slots=True)
class Comments:
    """Keeps the comment; one that says it already is not written again."""

    acts: Acts
    _account: int = 0  # whose token it is; looked up once

    def keep(self, number: int, text: str, *, is_edit: bool) -> None:
        """Let the comment say ``text`` (Markdown); ``is_edit``: only where it is there. Raises: BotError."""
        wanted = {"body": text_of(f"{MARKER}\n{text}"[: MAX_BODY + 1])}
        if len(wanted["body"]) > MAX_BODY:
            wanted = {"body": _cut(wanted["body"])}
        there = self._ours(number)
        if (there is None and is_edit) or _says(there, wanted["body"]):
            return
        key = number_of(there.get("id"), "a comment") if there else 0
        path = f"/issues/comments/{key}" if key else f"/issues/{number}/comments"
        faults.point("before-comment")
        self.acts.change(
            path,
            wanted,
            f"the comment on pull request {number}",
            lambda: _says(self._ours(number), wanted["body"]) or None,
            verb="PATCH" if key else "POST",
        )
        faults.point("after-comment")

    def _ours(self, number: int) -> Mapping[str, Any] | None:
        """Return our comment, the oldest where there are several. Raises: BotError, where there is no end to them."""
        for page in range(1, _MAX_PAGES + 1):
            answer = self.acts.wire.read(f"/issues/{number}/comments", per_page=_PER_PAGE, page=page)
            if answer is None:
                raise TransientError(f"there is no pull request {number} at the forge now")
            comments = [object_of(one) for one in list_of(answer)]
            marked = (one for one in comments if text_of(one.get("body")).startswith(MARKER))
            found = next((one for one in marked if self._is_ours(one)), None)
            if found is not None or len(comments) < _PER_PAGE:
                return found
        raise PermanentError(
            f"pull request {number} has more comments than are read ({_PER_PAGE * _MAX_PAGES})"
        )

    def _is_ours(self, comment: Mapping[str, Any]) -> bool:
        """Say who wrote it: our App, by its number or client id, as a bot; else the account of our token."""
        author = part(comment, "user")
        if app := self.acts.wire.login.app_id:
            made = part(comment, "performed_via_github_app")
            return author.get("type") == "Bot" and app in {str(made.get(key)) for key in ("id", "client_id")}
        if not self._account:
            me = object_of(self.acts.wire.read_elsewhere("/user"))
            self._account = number_of(me.get("id"), "the account of our token")
        return author.get("id") == self._account


def _says(comment: Mapping[str, Any] | None, body: str) -> bool:
    return comment is not None and text_of(comment.get("body")) == body


def _cut(body: str) -> str:
    """Cut at the end of a line, so that no code span stays open, and say where the rest is."""
    room = body[: MAX_BODY - len(CUT) - 2]
    return f"{room[: room.rfind(chr(10))].rstrip()}\n\n{CUT}"
