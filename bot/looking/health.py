"""Looking after what was moved: is it healthy there, by what delivery tools and checks report on commits."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.errors import BotError
from bot.looking.survey import Survey
from bot.ports import Forge
from bot.repository.mirror import Mirror
from bot.repository.objects import Oid
from policies.entries.entry import Entry, Kind, Pinned, write_time
from policies.entries.reports import Report, is_healthy
from policies.ledger.keys import expected_key
from policies.ledger.state import Place as Where
from policies.ledger.state import is_same

MAX_COMMITS = 10  # newest ones with the same pin, beside the one that moved it
MAX_LOOKS = 40  # commits that are asked about in one pass; the rest has its turn in the next
SOON = timedelta(minutes=1)  # a commit is asked about as often as registries are, and at least so often
LINE = 1000  # commits of the target branch that are looked back


@dataclass(frozen=True, slots=True)
class Finding:
    """What reports say of one place since ``start``, which moved it; looked at ``first`` and ``last`` (UTC)."""

    start: Oid
    commit: Oid
    is_healthy: bool
    counted: tuple[Report, ...]
    first: datetime
    last: datetime

    @property
    def is_twice(self) -> bool:
        """Whether two looks found the same."""
        return self.last > self.first


@dataclass(slots=True)
class Watch:
    """Asks the forge, and says what is news. What it remembers may be lost: it is asked again then."""

    mirror: Mirror
    forge: Forge | None
    known: dict[Oid, tuple[datetime, tuple[Report, ...]]] = field(default_factory=dict)
    findings: dict[Where, Finding] = field(default_factory=dict)

    def look(self, look: Survey) -> list[str]:
        """Ask about what stands where the rules declare health; return what could not be asked, for an operator."""
        if self.forge is None:
            return []
        watched = list(_watched(look))
        line = self.mirror.first_parents(look.tips.target, limit=LINE) if watched else []
        places = {commit: index for index, commit in enumerate(line)}
        lines = {where: _commits(look, where, line, places) for where in watched}
        left = self._ask(self.forge, look, lines)
        wanted = {commit for line in lines.values() for commit in line}
        self.known = {commit: seen for commit, seen in self.known.items() if commit in wanted}
        self.findings = {
            where: found for where, line in lines.items() if (found := self._finding(look, where, line))
        }
        return left

    def _ask(self, forge: Forge, look: Survey, lines: Mapping[Where, tuple[Oid, ...]]) -> list[str]:
        """Ask about commits whose answer is old, each once; a forge that fails is left alone for this pass."""
        asked = 0
        for where, line in lines.items():
            every = min(look.world.rules.environment_for(*where).interval, SOON)
            for commit in line:
                is_fresh = commit in self.known and look.at < self.known[commit][0] + every
                if is_fresh or asked == MAX_LOOKS:
                    continue
                try:
                    self.known[commit] = (look.at, tuple(forge.reports(commit)))
                except BotError as error:
                    return [f"{'/'.join(where)}: its health was not asked: {error}"]
                asked += 1
        return []

    def _finding(self, look: Survey, where: Where, line: tuple[Oid, ...]) -> Finding | None:
        """Judge one place by what is known of its commits; nothing where something that has to report has not."""
        known = [(commit, *self.known[commit]) for commit in line if commit in self.known]
        declared = look.world.rules.environment_for(*where).health
        verdict, counted = is_healthy(declared, [reports for _, _, reports in known])
        if verdict is None:
            return None
        newest = next(commit for commit in line if any(one.commit == commit for one in counted))
        looked = max(at for _, at, _ in known)
        before = self.findings.get(where)
        is_again = before and (before.start, before.is_healthy) == (line[-1], verdict)
        return Finding(
            line[-1], newest, verdict, counted, before.first if before and is_again else looked, looked
        )

    def news(self, look: Survey) -> tuple[Entry, ...]:
        """Return an entry for each place whose health is news: the first healthy at once, any other after two looks."""
        found = []
        for where, finding in self.findings.items():
            last = look.state.health_of(*where)
            is_known = last and last.is_healthy is finding.is_healthy
            is_first = last is None and finding.is_healthy
            if not is_known and (is_first or finding.is_twice) and (image := _standing(look, where)):
                found.append(_entry(look, where, finding, image))
        return tuple(found)


def _commits(look: Survey, where: Where, line: Sequence[Oid], places: Mapping[Oid, int]) -> tuple[Oid, ...]:
    """Return commits on which the pin is the present one: the newest ones first, last the one that moved it."""
    move, genesis = look.state.last_move(*where), look.state.genesis
    start = places.get(Oid(move.commit if move else genesis.commit if genesis else ""))
    if start is None:
        return ()
    return (*line[: min(start + 1, MAX_COMMITS)], *line[max(start, MAX_COMMITS) : start + 1])


def _watched(look: Survey) -> Iterable[Where]:
    rules = look.world.rules
    return (
        where
        for where, pin in look.world.pins.items()
        if where[0] in rules.environments and rules.environment_for(*where).health and pin.image
    )


def _standing(look: Survey, where: Where) -> tuple[Pinned, ...]:
    """Return what stands there, where that is what the ledger has; else nobody knows what was healthy."""
    move, image = look.state.last_move(*where), look.world.pin(*where).image
    stands = move.image if move else look.world.baseline.get(where, ())
    is_known = len(stands) == len(image) and all(
        any(is_same(one, other) for other in stands) for one in image
    )
    return stands if is_known else ()


def _entry(look: Survey, where: Where, finding: Finding, image: tuple[Pinned, ...]) -> Entry:
    entry = Entry(
        kind=Kind.HEALTHY if finding.is_healthy else Kind.UNHEALTHY,
        at=write_time(look.at),
        key="",
        environment=where[0],
        service=where[1],
        commit=finding.commit,
        image=image,
        evidence={
            "statuses": [one.to_json() for one in finding.counted],
            "looked": write_time(finding.last),
        },
    )
    return replace(entry, key=expected_key(look.state, entry))
