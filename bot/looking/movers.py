"""By whose hands a commit came that waits for a review: asked at the forge, written down with what waits."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from bot.ports import Forge, Hands
from bot.repository.mirror import Mirror
from bot.repository.objects import Oid
from policies.canonical import Json
from policies.entries.authors import MAX_WHY, MOVERS
from policies.entries.entry import Entry, Kind
from policies.ledger.hands import whose
from policies.ledger.state import State
from policies.rules.rules import Rules

MAX_LOOKS = 20  # commits that one pass asks about, and one review
REVIEWED = frozenset(
    {Kind.EXTERNAL, Kind.MISMATCH, Kind.CONFIG}
)  # what comes by others' hands and is reviewed
_GUARDED = "guarded"


@dataclass(slots=True)
class Movers:
    """Asks the forge; what it told in full is kept."""

    mirror: Mirror
    forge: Forge | None = None
    kept: dict[str, Hands] = field(default_factory=dict)

    def look(self, commits: Iterable[str]) -> None:
        """Ask about commits that are not known in full yet, so many at once. Whatever the forge does is an answer."""
        wanted = [one for one in dict.fromkeys(commits) if one not in self.kept or self.kept[one].missing]
        for commit in wanted[:MAX_LOOKS]:
            self.kept[commit] = self._asked(Oid(commit))

    def _asked(self, commit: Oid) -> Hands:
        if self.forge is None:
            return Hands(missing="there is no forge to ask")
        if not self.mirror.known([commit]):
            return Hands(missing=f"{commit[:12]} is not on the target branch")
        parents = self.mirror.parents(commit)
        if not parents:
            return Hands(missing=f"nothing comes before {commit[:12]}")
        line = self.mirror.first_parents(self.mirror.tips().target, since=parents[0])[::-1]
        return self.forge.hands(parents[0], line if commit in line[:1] else (commit,))

    def evidence(self, rules: Rules, state: State, commits: Sequence[str]) -> dict[str, Json]:
        """Return what an entry attests of these commits; asks nobody."""
        hands = [self.kept.get(one, Hands(missing=f"{one[:12]} was not asked about")) for one in commits]
        found = whose(rules, state, {account.id: account.login for one in hands for account in one.accounts})
        missing = [*(one.missing for one in hands), found.why]
        why = "; ".join(dict.fromkeys(one for one in missing if one))
        movers = replace(
            found,
            is_known=not why,
            unnamed=sum(one.unnamed for one in hands),
            why=" ".join(why.split())[:MAX_WHY],
        )
        return {MOVERS: movers.as_json()}

    def attested(self, entries: Iterable[Entry], rules: Rules, state: State) -> list[Entry]:
        """Return entries of what others did, those that wait for a review with by whose hands it came."""
        return [
            replace(one, evidence={**one.evidence, **self.evidence(rules, state, commits_of(one))})
            if waits(one)
            else one
            for one in entries
        ]


def waits(entry: Entry) -> bool:
    """Whether what an entry tells came by others' hands and waits for a review."""
    return entry.kind in REVIEWED and (entry.kind is Kind.MISMATCH or entry.why == _GUARDED)


def commits_of(entry: Entry) -> tuple[str, ...]:
    """Return the commits that an entry is about."""
    return entry.commits or (entry.commit,)
