"""What a version brings: versions, commits and files between what runs in a place and what could come there."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime

from bot.errors import BotError
from bot.look import Look
from bot.looking.source_commits import SourceCommits, Sourced
from bot.ports import Forge, Registry
from bot.promoting.desk import Desk
from bot.promoting.promoter import Declined
from policies.decide import Candidate, Row, Standing, answer_of
from policies.entries.entry import Pinned
from policies.errors import PolicyError
from policies.images.image import Digest, Repository, Tag
from policies.ledger.between import Between, between
from policies.ledger.newness import is_newer
from policies.rules.rules import EffectiveRule, Rules, effective
from policies.texts.edit import Edit

MAX_PLACES = 6  # of one question; who wants more names an environment


@dataclass(frozen=True, slots=True)
class Brings:
    """What a version brings to a place; where nothing could come, or it cannot be said, ``candidate`` says why.

    ``is_back``: the version is older than what runs, so that ``between`` and ``sourced`` are what would be taken out.
    ``files`` are the scalars that would be replaced; ``unedited`` says why that is not known ('' = it is).
    """

    environment: str
    service: str
    before: tuple[Pinned, ...] = ()
    after: tuple[Pinned, ...] = ()
    current: str = ""
    version: str = ""
    candidate: Candidate | None = None
    is_back: bool = False
    between: tuple[Between, ...] = ()
    sourced: tuple[Sourced, ...] = ()
    files: tuple[Edit, ...] = ()
    unedited: str = ""
    pull: tuple[int, str] = (0, "")
    links: tuple[tuple[str, str], ...] = ()
    codes: tuple[str, ...] = ()  # why nothing can be said of the place
    detail: str = ""


@dataclass(slots=True)
class Bringing:
    """Looks it up. The network is asked outside of the engine's lock, ``alone`` takes it for the clone."""

    desk: Desk
    registry: Registry
    forge: Forge | None
    alone: AbstractContextManager[object]
    commits: SourceCommits
    pulls: Callable[[], Mapping[str, tuple[int, str]]]

    def of(
        self, look: Look, service: str, version: str, environment: str, at: datetime
    ) -> tuple[Brings, ...]:
        """Return what a version ('' = the next one) brings, in one environment or ('') each that has the service."""
        found = []
        for row, rule in list(_places(look, service, environment))[:MAX_PLACES]:
            one = begun(look, rule, row, version)
            if one.after and one.candidate and one.candidate.verdict is not Standing.CURRENT:
                one = self._looked_up(look.rules, rule, one, at)
                one = self._edited(rule, one, at)
            found.append(self._linked(rule, one))
        return tuple(found)

    def _looked_up(self, rules: Rules, rule: EffectiveRule, one: Brings, at: datetime) -> Brings:
        """Ask registry and forge what lies between."""
        one = replace(one, before=self._exact(rules, one.before), after=self._exact(rules, one.after))
        old, new = (one.after, one.before) if one.is_back else (one.before, one.after)
        return replace(
            one,
            sourced=self.commits.between(self.forge, rules.registries, rule.service, old=old, new=new, at=at),
        )

    def _exact(self, rules: Rules, images: tuple[Pinned, ...]) -> tuple[Pinned, ...]:
        """Return images with the digests that their tags name now, where no digest is known."""
        wanted = [(Repository(one.repository), Tag(one.tag)) for one in images if not one.digest]
        answers = self.registry.digests(wanted, rules.registries) if wanted else {}
        known = {key: answer for key, answer in answers.items() if isinstance(answer, Digest)}
        return tuple(
            one
            if one.digest
            else replace(one, digest=known.get((Repository(one.repository), Tag(one.tag)), ""))
            for one in images
        )

    def _edited(self, rule: EffectiveRule, one: Brings, at: datetime) -> Brings:
        """Say which scalars would be replaced in the newest that the clone has."""
        try:
            with self.alone:
                place = self.desk.view(at).place(one.environment, one.service)
            edits = self.desk.writer.edits(place, rule, one.after)
        except Declined as declined:
            return replace(one, unedited=declined.answer.detail)
        except (PolicyError, BotError) as error:
            return replace(one, unedited=str(error))
        return replace(one, files=tuple(edit for edit in edits if edit.old != edit.new))

    def _linked(self, rule: EffectiveRule, one: Brings) -> Brings:
        if one.candidate is None or not one.candidate.promotion:
            return replace(one, links=rule.service.links)
        with self.alone:
            pull = self.pulls().get(one.candidate.promotion, (0, ""))
        return replace(one, links=rule.service.links, pull=pull)


def _places(look: Look, service: str, environment: str) -> Iterator[tuple[Row, EffectiveRule]]:
    """Yield the places that are asked about: of a group those of its members."""
    names = look.rules.groups.get(service, (service,))
    for row in look.decision.rows:
        rule = effective(look.rules, row.environment, row.service)
        if rule and row.service in names and environment in {"", row.environment}:
            yield row, rule


def begun(look: Look, rule: EffectiveRule, row: Row, version: str) -> Brings:
    """Return what is known without asking anybody: both ends, and the versions between them."""
    before = look.world.pin(row.environment, row.service).image
    candidate = answer_of(look.world, rule, row, version) if version else _next(row)
    one = Brings(
        row.environment,
        row.service,
        before,
        current=row.current,
        version=candidate.version if candidate else "",
        candidate=candidate,
        codes=row.codes,
        detail=row.detail,
    )
    if candidate is None:
        return one
    after = _images(look, rule, row, candidate)
    if not before or not after:
        return replace(one, after=after)
    ends = (after[0].tag, before[0].tag)
    back = is_newer(rule.service, look.state, *ends) is False and ends[0] != ends[1]
    between_ = between(look.rules, look.state, rule, row.selection, ends) if row.selection else ()
    return replace(one, after=after, is_back=back, between=between_)


def _next(row: Row) -> Candidate | None:
    """Return what is under way, else what would come next."""
    return next((one for one in row.candidates if one.promotion), row.best)


def _images(look: Look, rule: EffectiveRule, row: Row, candidate: Candidate) -> tuple[Pinned, ...]:
    """Return a version's images, '' for a digest that is not known; none where the registry has no such tag."""
    if candidate.verdict is Standing.CURRENT:
        return look.world.pin(row.environment, row.service).image
    if candidate.digest:
        return candidate.images(rule)
    if row.selection is None or candidate.version not in row.selection.fates:
        return ()
    try:
        tag = Tag.parse(candidate.version)
    except PolicyError:
        return ()
    return look.world.images_of(rule.service, tag)
