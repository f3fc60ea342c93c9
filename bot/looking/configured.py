"""Changes of configuration: commits in an environment's reach that moved no image, noted once a pass.

Its reach are its folders, and the bases, components, patches and values that these pull in from the same repository.
"""

import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

from bot.errors import BotError
from bot.looking.book import Book
from bot.looking.survey import Survey
from bot.ports import Forge
from bot.repository.mirror import Mirror
from bot.repository.objects import Oid
from bot.repository.reaches import Reaches
from policies.allowed.facts import CONFIG_CODES
from policies.canonical import Json
from policies.entries.entry import Entry, Kind, write_time
from policies.ledger.keys import expected_key
from policies.rulebook.path import PLACEHOLDER
from policies.rules.rules import Environment

_log = logging.getLogger(__name__)
MAX_LOOKS = 20  # commits of which a pass asks the forge for their pull requests
MAX_COMMITS = 200  # that one entry names; the next pass goes on behind them


@dataclass(slots=True)
class Configured:
    """Finds such commits; what it saw of each is kept, and may be lost."""

    mirror: Mirror
    book: Book
    forge: Forge | None = None  # which tells the pull requests of commits
    _paths: dict[Oid, tuple[str, ...]] = field(default_factory=dict)
    _reached: dict[tuple[str, Oid], bool] = field(default_factory=dict)  # environment and commit
    _pulls: dict[Oid, tuple[int, ...]] = field(default_factory=dict)
    _moved: dict[Oid, frozenset[str]] = field(default_factory=dict)  # environments in which an image moved

    def entries(self, look: Survey) -> list[Entry]:
        """Return an entry for each environment with news of the kind, as its rule says: recorded or guarded."""
        genesis = look.state.genesis
        if genesis is None:
            return []
        line = self.mirror.first_parents(look.tips.target, since=Oid(genesis.commit))[::-1]
        heads = {look.state.promotions[one].head for one in look.state.live.values()}
        found = []
        reaches = Reaches(self.mirror)
        for where in look.world.rules.environments.values():
            why = CONFIG_CODES.get(where.config)
            since = look.state.configured.get(where.name, genesis.commit)
            fresh = line[line.index(Oid(since)) + 1 :] if since in line else line
            news = [one for one in fresh if why and self._is_news(look, where, one, heads, reaches)]
            if why and news:
                found.append(self.with_pulls(_entry(look, where, since, news[:MAX_COMMITS], why)))
        return found

    def _is_news(
        self, look: Survey, where: Environment, commit: Oid, heads: Iterable[str], reaches: Reaches
    ) -> bool:
        parents = self.mirror.parents(commit)
        if not parents or commit in look.state.ours or set(parents[1:]) & set(heads):
            return False  # ours, or a merge that is being written down
        if commit not in self._paths:
            self._paths[commit] = tuple(self.mirror.changed_paths(parents[0], commit))
        if not self._is_reached(look, where, commit, parents[0], reaches):
            return False
        if commit not in self._moved:
            moved = self.book.moved(parents[0], commit)
            self._moved[commit] = frozenset(place[0] for place, _, _ in moved)
        return where.name not in self._moved[commit]

    def _is_reached(
        self, look: Survey, where: Environment, commit: Oid, parent: Oid, reaches: Reaches
    ) -> bool:
        """Whether a commit changed something in reach."""
        key = (where.name, commit)
        if key not in self._reached:
            paths = self._paths[commit]
            is_own = any(_is_under(path, where) for path in paths)
            if is_own:
                reaches.forget(where)
            self._reached[key] = is_own or reaches.touches(
                look.world.rules, where, paths, parent=parent, commit=commit
            )
        return self._reached[key]

    def ask(self, entries: Iterable[Entry]) -> None:
        """Ask the forge which pull requests brought these commits, so many at once; the others stay unknown."""
        named = dict.fromkeys(Oid(one) for entry in entries for one in entry.commits)
        for commit in [one for one in named if one not in self._pulls][:MAX_LOOKS]:
            if self.forge is None:
                return
            try:
                self._pulls[commit] = self.forge.pulls_of(commit)
            except BotError as error:
                _log.info("the pull requests of %s are not known: %s", commit[:12], error)
                return

    def with_pulls(self, entry: Entry) -> Entry:
        """Return an entry with the pull requests of its commits, as far as they are known."""
        found = _numbers({Oid(one): self._pulls.get(Oid(one), ()) for one in entry.commits})
        if not found or self.forge is None:
            return entry
        return replace(entry, evidence={**entry.evidence, **found, "page": self.forge.page()})


def _numbers(pulls: Mapping[Oid, Sequence[int]]) -> dict[str, Json]:
    named: dict[str, Json] = {commit: list(numbers) for commit, numbers in pulls.items() if numbers}
    return {"pulls": named} if named else {}


def _is_under(path: str, where: Environment) -> bool:
    """Whether a file is in an environment's folders; <service> stands for any."""
    return any(_meant(folder).match(path) for folder in where.paths)


@cache
def _meant(folder: str) -> re.Pattern[str]:
    parts = folder.split(PLACEHOLDER)
    return re.compile(f"{'[^/]+'.join(map(re.escape, parts))}/" if folder not in {"", "."} else "")


def _entry(look: Survey, where: Environment, since: str, commits: list[Oid], why: str) -> Entry:
    entry = Entry(
        kind=Kind.CONFIG,
        at=write_time(look.at),
        key="",
        environment=where.name,
        since=since,
        commit=commits[-1],
        commits=tuple(commits),
        why=why,
    )
    return replace(entry, key=expected_key(look.state, entry))
