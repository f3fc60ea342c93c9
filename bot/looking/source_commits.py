"""The commits of a service's source that one version brings over another: as the images, else the tags, name them."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.errors import BotError, PermanentError
from bot.forge.bodies import OID
from bot.looking.image_sources import ImageSources
from bot.looking.source_refs import Refs, by_labels, by_tags, no_such_tags, pairs
from bot.ports import Compared, Forge
from policies.entries.authors import LABELS, MAX_WHY, TAGS
from policies.entries.entry import Pinned
from policies.rules.rules import Host, Service

MAX_COMMITS = 200  # of a comparison that are listed; more are counted
MAX_SOURCES = 3  # of a service with several images
KEPT_FOR = timedelta(minutes=5)  # a tag may be moved, and what is not there may come
_MAX_KEPT = 500
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Sourced:
    """What the source says; nothing ``compared``: ``why`` says on one line why that is not known.

    ``way``: how it was known which commits to ask about, ``labels`` or ``tags``.
    """

    way: str = ""
    source: str = ""
    compared: Compared | None = None
    why: str = ""


@dataclass(slots=True)
class SourceCommits:
    """Asks the forge. What it said of two commits is kept for good, what it said of tags or denied for some minutes."""

    images: ImageSources = field(default_factory=ImageSources)
    kept: dict[Refs, tuple[Compared | None, datetime]] = field(default_factory=dict)

    def between(
        self,
        forge: Forge | None,
        hosts: Mapping[str, Host],
        service: Service,
        *,
        old: Sequence[Pinned],
        new: Sequence[Pinned],
        at: datetime,
    ) -> tuple[Sourced, ...]:
        """Return what the new images bring over the old ones, once for each source; ``at`` is now (UTC).

        Whatever happens is an answer.
        """
        if forge is None:
            return (Sourced(why="there is no forge to ask"),)
        if not old or not new:
            return (Sourced(why="there is no image to compare it with"),)
        ways: dict[str, Callable[[], list[Sourced]]] = {
            LABELS: lambda: self._by_labels(forge, hosts, service, old=old, new=new, at=at),
            TAGS: lambda: self._by_tags(forge, service, old[0].tag, new[0].tag, at),
        }
        why: list[str] = []
        for name, ask in ways.items():
            try:
                return tuple(ask())
            except BotError as error:
                _log.info("the commits of %s are not known by %s: %s", service.name, name, error)
                why.append(f"by {name}: {error}")
        return (Sourced(why=" ".join("; ".join(why).split())[: 2 * MAX_WHY]),)

    def _by_labels(
        self,
        forge: Forge,
        hosts: Mapping[str, Host],
        service: Service,
        *,
        old: Sequence[Pinned],
        new: Sequence[Pinned],
        at: datetime,
    ) -> list[Sourced]:
        """Compare the commits that the images name. Raises: BotError."""
        home = forge.home()
        asked = [
            by_labels(self.images, hosts, service, home, old=was, new=one) for was, one in pairs(old, new)
        ]
        found = []
        for refs in list(dict.fromkeys(asked))[:MAX_SOURCES]:
            compared = self._compared(forge, refs, at)
            if compared is None:
                raise PermanentError("a commit that an image names is not there, or may not be seen")
            found.append(Sourced(LABELS, refs.source, compared))
        return found

    def _by_tags(self, forge: Forge, service: Service, old: str, new: str, at: datetime) -> list[Sourced]:
        """Compare two tags, as they are called in Git. Raises: BotError."""
        for refs in by_tags(service, old, new):
            compared = self._compared(forge, refs, at)
            if compared is not None:
                return [Sourced(TAGS, refs.source, compared)]
        raise no_such_tags(refs)

    def _compared(self, forge: Forge, refs: Refs, at: datetime) -> Compared | None:
        """Ask for what lies between two refs, None where one is not there. Raises: BotError."""
        known = self.kept.get(refs)
        if known is not None:
            found, asked = known
            is_lasting = found is not None and OID.fullmatch(refs.old) and OID.fullmatch(refs.new)
            if is_lasting or at < asked + KEPT_FOR:
                return found
        found = forge.compared(refs.source, refs.old, refs.new, most=MAX_COMMITS)
        if len(self.kept) >= _MAX_KEPT:
            self.kept.clear()
        self.kept[refs] = (found, at)
        return found
