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
from policies.ledger.renames import renames
from policies.rules.rules import Rules

MAX_COMMITS = 20  # of one entry that are named; the rest is in Git


@dataclass(frozen=True, slots=True)
class Ruling:
    """A ``rules`` entry. ``commits``: the newest that changed the rules since the entry before, oldest first.

    ``unseen``: what no rule saw move: the rules had left it out meanwhile, or look for it in another place now.
    """

    oid: Oid
    entry: Entry
    commits: tuple[CommitInfo, ...]
    unseen: tuple[str, ...]
    between: Between | None = None


def rulings(
    entries: Iterable[tuple[Oid, Entry]],
    mirror: Mirror,
    book: Book,
    *,
    folder: str,
    off: Mapping[int, Between],
) -> Iterator[Ruling]:
    """Yield each change of the rules, oldest first. ``off``: entries that are dated out of their order, by index.

    Raises: BotError.
    """
    sight = _Sight(book)
    since = ""
    for index, (oid, entry) in enumerate(entries):
        if entry.kind is not Kind.RULES or not mirror.known([Oid(entry.commit)]):
            continue
        commits = _commits(mirror, entry, folder, since)
        unseen = [text for commit in commits for text in sight.moved(commit)]
        infos = tuple(mirror.commit_info(one) for one in commits[-MAX_COMMITS:])
        yield Ruling(oid, entry, infos, tuple(unseen), off.get(index))
        since = entry.commit


def _commits(mirror: Mirror, entry: Entry, folder: str, since: str) -> list[Oid]:
    """Return the commits that changed the rules up to an entry's, without those of the entry before, oldest first."""
    end = Oid(entry.commit)
    if not since:
        return [end]
    line = takewhile(lambda one: one != since, mirror.touching(end, folder))
    return [*reversed([one for one in line if one != end]), end]


@dataclass(slots=True)
class _Sight:
    """What stood where, as the rules that were in force saw it last."""

    book: Book
    rules: Rules | None = None
    stood: dict[Place, tuple[Pinned, ...]] = field(default_factory=dict)

    def moved(self, commit: Oid) -> Iterator[str]:
        """Go on to a commit that changed the rules; say of each place that they see anew how it moved unseen."""
        rules = self.book.rules(commit)
        if rules is None:
            return  # they do not parse: those before stay in force
        if self.rules is not None:
            before = self.book.places(commit, self.rules)
            self.stood |= {place: there.pin.image for place, there in before.items()}
        names = renames(rules)
        self.stood = {names.place(place): image for place, image in self.stood.items()}
        self.rules = rules
        for place, there in sorted(self.book.places(commit, rules).items()):
            was, now = self.stood.get(place), there.pin.image
            if was and not are_same(was, now):
                environment, service = place
                yield f"{service} in {environment} became {_named(now)}, from {_named(was)}, unseen by rules"


def _named(images: tuple[Pinned, ...]) -> str:
    return ", ".join(f"{one.repository}:{one.tag}" for one in images) or "nothing"
