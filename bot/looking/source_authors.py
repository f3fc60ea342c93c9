"""Who wrote the code between two images: the source's commits, as the images and their tags name them, at the forge."""

import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bot.errors import BotError, PermanentError
from bot.looking.image_sources import ImageSources, repository_of
from bot.ports import Forge, ForgeAccount
from policies.entries.authors import LABELS, MAX_WHY, TAGS, Authors, together
from policies.entries.entry import Pinned, Share
from policies.ledger.people import of_forge
from policies.ledger.state import State
from policies.rules.rules import AUTHORS, EffectiveRule, Rules

MAX_COMMITS = 1000  # of a comparison; more are not known
_FORMS = ("{}", "v{}")  # how a tag of an image is called in Git
_ADDRESS = re.compile(
    r"(?:https?://[^/]+/)?([A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]{1,100}?)(?:\.git)?/?", re.ASCII
)
_MAX_KEPT = 500
_log = logging.getLogger(__name__)

Wrote = tuple[tuple[ForgeAccount, ...], int]  # accounts, and how many commits are nobody's
Pins = Sequence[Pinned]


@dataclass(slots=True)
class SourceAuthors:
    """Asks the forge in both ways, and takes all whom one of them names; a comparison that was answered is kept."""

    forge: Forge | None = None
    images: ImageSources = field(default_factory=ImageSources)
    kept: dict[tuple[str, str, str], Wrote] = field(default_factory=dict)

    def of(
        self, rules: Rules, state: State, rule: EffectiveRule, *, previous: Pins, image: Pins
    ) -> Authors | None:
        """Return who wrote it; nothing where the rule does not ask. Whatever the forge does is an answer."""
        if AUTHORS not in rule.environment.exclude:
            return None
        if self.forge is None:
            return Authors(why="there is no forge to ask")
        if not previous or not image:
            return Authors(why="there is no image to compare it with")
        ways: dict[str, Callable[[Forge], Wrote]] = {
            LABELS: lambda forge: self._by_labels(forge, rules, rule, previous, image),
            TAGS: lambda forge: self._by_tags(forge, rule, previous[0].tag, image[0].tag),
        }
        found: dict[str, Wrote] = {}
        why: list[str] = []
        for name, ask in ways.items():
            try:
                found[name] = ask(self.forge)
            except BotError as error:
                _log.info("the authors of %s are not known by %s: %s", rule.service.name, name, error)
                why.append(f"by {name}: {error}")
        accounts = {one.id: one for wrote, _ in found.values() for one in wrote}
        named = {
            person.name
            for one in accounts.values()
            if (person := of_forge(rules, state.links, state.forge_ids, number=one.id, login=one.login))
        }
        return Authors(
            is_known=bool(found),
            people=tuple(sorted(named)),
            logins=tuple(sorted({one.login for one in accounts.values()})),
            unnamed=max((unnamed for _, unnamed in found.values()), default=0),
            why=" ".join("; ".join(why).split())[:MAX_WHY],
            ways=tuple(found),
        )

    def _by_labels(
        self, forge: Forge, rules: Rules, rule: EffectiveRule, previous: Pins, image: Pins
    ) -> Wrote:
        """Ask for the commits between those that the images say they were built of. Raises: BotError."""
        before = {one.repository: one for one in previous}
        found: list[Wrote] = []
        for new in image:
            old = before.get(new.repository)
            if old is None:
                raise PermanentError(f"{new.repository} did not run before")
            found.append(self._labelled(forge, rules, rule, old, new))
        return tuple({one.id: one for wrote, _ in found for one in wrote}.values()), sum(n for _, n in found)

    def _labelled(self, forge: Forge, rules: Rules, rule: EffectiveRule, old: Pinned, new: Pinned) -> Wrote:
        read = [self.images.of(one, rules.registries) for one in (old, new)]
        said = [one for one in read if not isinstance(one, str)]
        if len(said) < len(read):
            raise PermanentError(next(one for one in read if isinstance(one, str)))
        places = {repository_of(one.source, rule.service.source, forge.home()) for one in said}
        if len(places) != 1 or "" in places:
            meant = rule.service.source or f"a repository below {forge.home()}"
            raise PermanentError(f"the images do not both name {meant} as their source")
        first, second = (one.revision for one in said)
        wrote = self._compared(forge, places.pop(), first, second)
        if wrote is None:
            raise PermanentError("a commit that an image names is not there, or may not be seen")
        if wrote == ((), 0):  # the same commit, or one from before: then nobody would have written it
            raise PermanentError("the image names no commit after that of the one that runs")
        return wrote

    def of_all(
        self, rules: Rules, state: State, rule: EffectiveRule, moves: Sequence[Share]
    ) -> Authors | None:
        """Return who wrote what several services bring together; nothing where none of their rules asks."""
        ruled = {one.service.name: one for one in rule.parts or (rule,)}
        found = [
            self.of(rules, state, ruled[one.service], previous=one.previous, image=one.image)
            for one in moves
            if one.service in ruled
        ]
        return together([one for one in found if one is not None])

    def _by_tags(self, forge: Forge, rule: EffectiveRule, old: str, new: str) -> Wrote:
        """Ask for the commits between two tags, as they are called in Git. Raises: BotError."""
        address = _ADDRESS.fullmatch(rule.service.source)
        if address is None:
            raise PermanentError(f"the rules name no source of {rule.service.name}")
        for form in _FORMS:
            found = self._compared(forge, address[1], form.format(old), form.format(new))
            if found is not None:
                return found
        raise PermanentError(
            f"{address[1]} has no tags {old} and {new}, with v before them neither, or may not be seen"
        )

    def _compared(self, forge: Forge, source: str, old: str, new: str) -> Wrote | None:
        """Ask once for the commits between two refs, None where one is not there. Raises: BotError."""
        key = (source, old, new)
        if key not in self.kept:
            found = forge.authors(source, old, new, most=MAX_COMMITS)
            if found is None:
                return None
            if len(self.kept) >= _MAX_KEPT:
                self.kept.clear()
            self.kept[key] = found
        return self.kept[key]
