"""When the rules changed, by whom, and what they had lost sight of when they looked at it again."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import takewhile

from bot.looking.book import Book
from bot.repository.mirror import Mirror
from bot.repository.objects import CommitInfo, Oid
from policies.entries.entry import Entry, Kind, Pinned
from policies.entries.remembered import Place, are_same
from policies.ledger.order import Between
from policies.ledger.renames import renamed, renames
from policies.rules.rules import Rules

MAX_COMMITS = 20  # of one entry that are named; the rest is in Git


@dataclass(frozen=True, slots=True)
class Ruling:
    """A change of the rules, or of what they follow. ``entry``: what records it, nothing where none does so yet.

    ``commits``: the newest that came since the entry before, oldest first; ``left``: how many came before these.
    ``unseen``: what no rule saw move: the rules had left it out meanwhile, or look for it in another place now.
    """

    entry: Entry | None
    commits: tuple[CommitInfo, ...]
    left: int
    unseen: tuple[str, ...]
    between: Between | None = None


def rulings(
    entries: Iterable[tuple[Oid, Entry]], mirror: Mirror, book: Book, *, off: Mapping[int, Between]
) -> Iterator[Ruling]:
    """Yield each change of the rules, oldest first; at last what no entry records yet.

    ``off``: entries that are dated out of their order, by number. Raises: BotError.
    """
    sight = _Sight(book)
    since = ""
    for _, entry in entries:
        if entry.kind is not Kind.RULES or not mirror.known([Oid(entry.commit)]):
            continue
        if commits := _commits(book, Oid(entry.commit), since):
            yield _ruling(mirror, sight, entry, commits, off.get(entry.seq))
        since = entry.commit
    if since and (commits := _commits(book, mirror.tips().target, since)):
        yield _ruling(mirror, sight, None, commits, None)


def _commits(book: Book, end: Oid, since: str) -> list[Oid]:
    """Return the commits that changed the rules, or what they follow, up to ``end``, oldest first; at first its own."""
    return list(takewhile(lambda one: one != since, book.judging(end)))[::-1] if since else [end]


def _ruling(
    mirror: Mirror, sight: "_Sight", entry: Entry | None, commits: list[Oid], between: Between | None
) -> Ruling:
    unseen = tuple(text for commit in commits for text in sight.moved(commit))
    newest = commits[-MAX_COMMITS:]
    infos = tuple(mirror.commit_info(one) for one in newest)
    return Ruling(entry, infos, len(commits) - len(newest), unseen, between)


@dataclass(slots=True)
class _Sight:
    """What stood where, as the rules that were in force saw it last."""

    book: Book
    rules: Rules | None = None
    stood: dict[Place, tuple[Pinned, ...]] = field(default_factory=dict)  # what was somewhere, never nothing

    def moved(self, commit: Oid) -> Iterator[str]:
        """Go on to a commit that changed the rules; say of each place that they see anew how it moved unseen."""
        rules = self.book.rules(commit)
        if rules is None:
            return  # they do not parse: those before stay in force
        before = self.book.places(commit, self.rules) if self.rules else {}
        seen = {place: there.pin.image for place, there in before.items() if there.pin.image}
        names = renames(rules)
        self.stood = renamed(self.stood | seen, names.place)
        seen = renamed(seen, names.place)
        self.rules = rules
        found = {place: there.pin.image for place, there in self.book.places(commit, rules).items()}
        for place, now in sorted(found.items()):
            name, was = self._before(place, now, found)
            if was and (now or place in seen) and not are_same(was, now):
                environment, service = place
                named = f"{_named(was)}{f' (as {name})' if name != service else ''}"
                yield f"{service} in {environment} became {_named(now)}, from {named}, unseen by rules"

    def _before(
        self, place: Place, now: tuple[Pinned, ...], found: Mapping[Place, object]
    ) -> tuple[str, tuple[Pinned, ...]]:
        """Return what stood there last; of a new name under one that is gone, where that alone had these images."""
        environment, service = place
        images = [one.repository for one in now]
        same = [
            (name, was)
            for (where, name), was in self.stood.items()
            if where == environment
            and (where, name) not in found
            and [one.repository for one in was] == images
        ]
        if place in self.stood or len(same) != 1 or not images:
            return service, self.stood.get(place, ())
        return same[0]


def _named(images: tuple[Pinned, ...]) -> str:
    return ", ".join(f"{one.repository}:{one.tag}" for one in images) or "nothing"
