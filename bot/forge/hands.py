"""Whose hands moved a commit onto the target branch, as the forge tells it: written, committed, merged, pushed."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.errors import BotError, PermanentError
from bot.forge.accounts import commits_between, committed, named, wrote
from bot.forge.bodies import list_of, number_of, object_of, part
from bot.forge.wire import Wire
from bot.ports import ForgeAccount, Hands

MAX_COMMITS = 500  # that one move brings
_MAX_PULLS = 5  # of one commit
_PER_PAGE = 100  # GitHub, the most


@dataclass(slots=True)
class HandsOf:
    """Reads whose hands a commit of one repository came by; ``branch`` is the target branch."""

    wire: Wire
    branch: str

    def look(self, before: str, line: Sequence[str]) -> Hands:
        """Return who brought the first commit of ``line`` after ``before``; what cannot be seen is said, not raised.

        ``line``: the branch from that commit on, oldest first.
        """
        looks = (
            lambda hands: self._writers(before, line[0], hands),
            lambda hands: self._mergers(line[0], hands),
            lambda hands: self._pusher(line, hands),
        )
        hands = _Hands()
        for one in looks:
            hands.try_to(one)
        missing = "; ".join(hands.missing)
        return Hands(tuple(hands.found.values()), hands.unnamed, missing)

    def pulls_of(self, commit: str) -> tuple[int, ...]:
        """Return the numbers of the merged pull requests that brought a commit. Raises: BotError."""
        numbers = (number_of(one.get("number"), "a pull request") for one in self._merged(commit))
        return tuple(sorted(numbers))[:_MAX_PULLS]

    def _merged(self, commit: str) -> list[Mapping[str, Any]]:
        listed = self.wire.read(f"/commits/{commit}/pulls", per_page=_PER_PAGE)
        if listed is None:
            raise PermanentError(f"{self.wire.repository} does not show the pull requests of {commit[:12]}")
        pulls = [object_of(one) for one in list_of(listed)]
        return [one for one in pulls if one.get("merged_at") and part(one, "base").get("ref") == self.branch]

    def _writers(self, before: str, commit: str, hands: "_Hands") -> None:
        """Find authors, co-authors and committers of what it brought: of a merge, of its whole branch."""
        commits = commits_between(self.wire, before, commit, most=MAX_COMMITS)
        if commits is None:
            raise PermanentError(f"{self.wire.repository} does not show {commit[:12]}")
        for one in commits:
            authors = list(wrote(one))
            hands.unnamed += not authors
            hands.add(authors)
            hands.add(committed(one))

    def _mergers(self, commit: str, hands: "_Hands") -> None:
        """Find who opened and who merged the pull requests that brought it."""
        merged = self._merged(commit)
        if len(merged) > _MAX_PULLS:
            raise PermanentError(f"more than {_MAX_PULLS} pull requests have {commit[:12]}")
        for one in merged:
            hands.add(named(one.get("user")))
            whole = object_of(self.wire.read(f"/pulls/{number_of(one.get('number'), 'a pull request')}"))
            hands.add(named(whole.get("merged_by")))

    def _pusher(self, line: Sequence[str], hands: "_Hands") -> None:
        """Find who pushed it: the push that ended at it or, where it came with others, at the next one of them."""
        listed = self.wire.read("/activity", ref=f"refs/heads/{self.branch}", per_page=_PER_PAGE)
        if listed is None:
            raise PermanentError(f"{self.wire.repository} does not show who pushed")
        pushed = {
            str(one.get("after")): one.get("actor")
            for one in map(object_of, list_of(listed))
            if one.get("ref") == f"refs/heads/{self.branch}"
        }
        actor = next((pushed[one] for one in line if one in pushed), None)
        found = list(named(actor))
        if not found:
            raise PermanentError(f"{self.wire.repository} does not tell who pushed {line[0][:12]}")
        hands.add(found)


@dataclass(slots=True)
class _Hands:
    """What was found so far."""

    found: dict[int, ForgeAccount] = field(default_factory=dict)
    unnamed: int = 0
    missing: list[str] = field(default_factory=list)

    def add(self, accounts: Sequence[ForgeAccount] | Iterator[ForgeAccount]) -> None:
        """Add accounts, each once."""
        self.found |= {one.id: one for one in accounts}

    def try_to(self, look: Callable[["_Hands"], None]) -> None:
        """Look, or note why it cannot be seen."""
        try:
            look(self)
        except BotError as error:
            self.missing.append(str(error))
