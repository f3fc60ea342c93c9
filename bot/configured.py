"""Changes of configuration: commits in an environment's folders that moved no image, noted once a pass."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from bot.book import Book
from bot.mirror import Mirror
from bot.objects import Oid
from bot.survey import Survey
from policies.allowed_facts import CONFIG_CODES
from policies.entry import Entry, Kind, write_time
from policies.keys import expected_key
from policies.rules import Environment
from policies.rules_path import PLACEHOLDER

MAX_COMMITS = 200  # that one entry names; the next pass goes on behind them


@dataclass(slots=True)
class Configured:
    """Finds such commits; what it saw of each is kept, and may be lost."""

    mirror: Mirror
    book: Book
    _paths: dict[Oid, tuple[str, ...]] = field(default_factory=dict)
    _moved: dict[Oid, frozenset[str]] = field(default_factory=dict)  # environments in which an image moved

    def entries(self, look: Survey) -> list[Entry]:
        """Return an entry for each environment with news of the kind, as its rule says: recorded or guarded."""
        genesis = look.state.genesis
        if genesis is None:
            return []
        line = self.mirror.first_parents(look.tips.target, since=Oid(genesis.commit))[::-1]
        heads = {look.state.promotions[one].head for one in look.state.live.values()}
        found = []
        for where in look.world.rules.environments.values():
            why = CONFIG_CODES.get(where.config)
            since = look.state.configured.get(where.name, genesis.commit)
            fresh = line[line.index(Oid(since)) + 1 :] if since in line else line
            news = [one for one in fresh if why and self._is_news(look, where, one, heads)]
            if why and news:
                found.append(_entry(look, where, since, news[:MAX_COMMITS], why))
        return found

    def _is_news(self, look: Survey, where: Environment, commit: Oid, heads: Iterable[str]) -> bool:
        parents = self.mirror.parents(commit)
        if not parents or commit in look.state.ours or set(parents[1:]) & set(heads):
            return False  # ours, or a merge that is being written down
        if commit not in self._paths:
            self._paths[commit] = tuple(self.mirror.changed_paths(parents[0], commit))
        if not any(_is_under(path, where) for path in self._paths[commit]):
            return False
        if commit not in self._moved:
            moved = self.book.moved(parents[0], commit)
            self._moved[commit] = frozenset(place[0] for place, _, _ in moved)
        return where.name not in self._moved[commit]


def _is_under(path: str, where: Environment) -> bool:
    """Whether a file is in an environment's folders; <service> stands for any."""
    folders = [folder.split(PLACEHOLDER, 1)[0].rstrip("/") for folder in where.paths]
    return any(folder in {"", "."} or path.startswith(f"{folder}/") for folder in folders)


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
