"""Who wrote the code between two images: the source's commits, as the images and their tags name them, at the forge."""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.errors import BotError, PermanentError
from bot.looking.image_sources import ImageSources
from bot.looking.source_refs import Refs, by_labels, by_tags, no_such_tags, pairs
from bot.ports import Forge, ForgeAccount
from policies.entries.authors import LABELS, MAX_WHY, TAGS, Authors, together
from policies.entries.entry import Pinned, Share
from policies.ledger.hands import whose
from policies.ledger.state import State
from policies.rules.rules import AUTHORS, EffectiveRule, Rules

MAX_COMMITS = 1000  # of a comparison; more are not known
_MAX_KEPT = 500
_log = logging.getLogger(__name__)

Wrote = tuple[tuple[ForgeAccount, ...], int]  # accounts, and how many commits are nobody's
Pins = Sequence[Pinned]


@dataclass(slots=True)
class SourceAuthors:
    """Asks the forge in both ways, and takes all whom one of them names; a comparison that was answered is kept."""

    forge: Forge | None = None
    images: ImageSources = field(default_factory=ImageSources)
    kept: dict[Refs, Wrote] = field(default_factory=dict)

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
        named = whose(rules, state, {one.id: one.login for wrote, _ in found.values() for one in wrote})
        why += [named.why] if named.why else []
        return replace(
            named,
            is_known=bool(found),
            unnamed=max((unnamed for _, unnamed in found.values()), default=0),
            why=" ".join("; ".join(why).split())[:MAX_WHY],
            ways=tuple(found),
        )

    def _by_labels(
        self, forge: Forge, rules: Rules, rule: EffectiveRule, previous: Pins, image: Pins
    ) -> Wrote:
        """Ask for the commits between those that the images say they were built of. Raises: BotError."""
        found = [self._labelled(forge, rules, rule, old, new) for old, new in pairs(previous, image)]
        return tuple({one.id: one for wrote, _ in found for one in wrote}.values()), sum(n for _, n in found)

    def _labelled(self, forge: Forge, rules: Rules, rule: EffectiveRule, old: Pinned, new: Pinned) -> Wrote:
        home, hosts = forge.home(), rules.registries
        wrote = self._compared(forge, by_labels(self.images, hosts, rule.service, home, old=old, new=new))
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

    def unread(self, rule: EffectiveRule, moves: Iterable[Share], at: datetime) -> tuple[Pinned, ...]:
        """Return the images that have to say of which commits they are, and have not been read; asks nobody."""
        ruled = {one.service.name: one for one in rule.parts or (rule,)}
        asked = [
            one for one in moves if one.service in ruled and AUTHORS in ruled[one.service].environment.exclude
        ]
        images = [image for one in asked for image in (*one.previous, *one.image)]
        return self.images.unread(images, at) if self.forge else ()

    def _by_tags(self, forge: Forge, rule: EffectiveRule, old: str, new: str) -> Wrote:
        """Ask for the commits between two tags, as they are called in Git. Raises: BotError."""
        for refs in by_tags(rule.service, old, new):
            found = self._compared(forge, refs)
            if found is not None:
                return found
        raise no_such_tags(refs)

    def _compared(self, forge: Forge, refs: Refs) -> Wrote | None:
        """Ask once for the commits between two refs, None where one is not there. Raises: BotError."""
        if refs not in self.kept:
            found = forge.authors(refs.source, refs.old, refs.new, most=MAX_COMMITS)
            if found is None:
                return None
            if len(self.kept) >= _MAX_KEPT:
                self.kept.clear()
            self.kept[refs] = found
        return self.kept[refs]
