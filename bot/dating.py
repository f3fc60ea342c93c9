"""When things came: by the order of the ledger and of the target branch, whatever entries and commits say."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby

from bot.repository.objects import Oid
from policies.entries.entry import Entry, Kind
from policies.ledger.order import Between

# kinds whose commit goes out with them, or is the newest that there is then
_MADE_BY_IT = frozenset({Kind.BUMP, Kind.ROLLBACK, Kind.EMERGENCY, Kind.GENESIS})
MAX_NOTES = 20  # stretches of entries that are told one by one


@dataclass(frozen=True, slots=True)
class Dating:
    """The entries of all years and the target branch's first-parent line, both oldest first.

    ``off``: entries whose time breaks their order, by number. ``begins``, ``held``: the indexes of the first entry and
    of the first commit that may have come since somebody wants to know.
    """

    entries: Sequence[tuple[Oid, Entry]]
    line: Sequence[Oid]
    off: Mapping[int, Between]
    begins: int
    held: int

    @classmethod
    def of(
        cls,
        entries: Sequence[tuple[Oid, Entry]],
        line: Sequence[Oid],
        off: Mapping[int, Between],
        since: str,
    ) -> "Dating":
        """Put them in order. What stands before a commit that an old entry names is older than that entry.

        ``off``: see ``misdated_of``. ``since``: as the ledger writes it, '' = from the beginning.
        """
        begins = next(
            (index for index, (_, one) in enumerate(entries) if _may_be(one.at, off.get(one.seq), since)),
            len(entries),
        )
        place = {oid: index for index, oid in enumerate(line)}
        held = max((1 + place.get(Oid(entry.commit), -1) for _, entry in entries[:begins]), default=0)
        return cls(entries, line, off, begins, held)

    def fitting(self) -> Iterator[str]:
        """Yield the times of the entries that are in their order."""
        yield from (entry.at for _, entry in self.entries if entry.seq not in self.off)

    def notes(self) -> Iterator[str]:
        """Yield a line for each stretch of entries that are dated out of their order."""
        is_off = groupby((entry for _, entry in self.entries), lambda entry: entry.seq in self.off)
        runs = [list(run) for is_one, run in is_off if is_one]
        for run in runs[:MAX_NOTES]:
            first, last = run[0], run[-1]
            span = self.off[first.seq]
            if first is last:
                yield f"#{first.seq} is dated {first.at}, and those around it say {span}: one of them is wrong"
            else:
                yield (
                    f"#{first.seq} to #{last.seq} are dated {first.at} to {last.at}, and those around them say"
                    f" {span}: some of them are wrong"
                )
        if (left := len(runs) - MAX_NOTES) > 0:
            yield f"{left} more stretches of entries are dated out of their order"

    def commits(self) -> Mapping[Oid, Between]:
        """Return when each commit of the line came, by what entries say of those before it, and from it on."""
        made, known = self._named()
        first = self.entries[0][1] if self.entries else None
        begun = first.at if first and first.seq not in self.off else ""
        after = accumulate((made.get(oid, "") for oid in self.line), max, initial=begun)
        before = list(accumulate((known.get(oid, "") for oid in reversed(self.line)), _sooner))
        spans = zip(self.line, after, reversed(before), strict=False)
        return {oid: Between(earliest, latest) for oid, earliest, latest in spans}

    def _named(self) -> tuple[dict[str, str], dict[str, str]]:
        """Return when the commits that entries name were made at the earliest, and were there at the latest."""
        made: dict[str, str] = {}
        known: dict[str, str] = {}
        intended: dict[str, str] = {}  # by promotion
        for _, entry in self.entries:
            if entry.seq in self.off:
                continue
            if entry.kind is Kind.INTENT:
                intended.setdefault(entry.promotion, entry.at)
            if not entry.commit:
                continue
            known.setdefault(entry.commit, entry.at)
            if entry.kind in _MADE_BY_IT:
                made.setdefault(entry.commit, entry.at)
            elif at := intended.get(entry.promotion):
                made.setdefault(entry.commit, at)
        return made, known


def _may_be(at: str, span: Between | None, since: str) -> bool:
    """Whether an entry may have come since then, by its time or by its place."""
    return at >= since or (span is not None and (not span.before or span.before >= since))


def _sooner(one: str, other: str) -> str:
    return min(one, other) if one and other else one or other
