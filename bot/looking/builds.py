"""Asking when images were built: each digest once, a few in a pass, kept in the index, which may be lost."""

import json
import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime

from bot.errors import BotError
from bot.index import Index
from bot.ports import Registry
from bot.registries.image_contents import Contents, ImageContents
from policies.images import tag_list
from policies.images.builds import Build, BuildKey, Said, judged
from policies.images.evidence import DigestAnswer, Silence, Silent, TagAnswer, TagList, listed_by_all
from policies.images.image import Digest, Repository, Tag
from policies.images.selection import eligible
from policies.rules.rules import Host, Rules, Service

MAX_A_PASS = 200  # images that are looked into: three requests each, more for several platforms
AT_ONCE = 4
LONGEST = 120.0  # seconds; no image is begun later in one asking
_FOR_GOOD = frozenset({Silent.UNKNOWN, Silent.NO_SUCH_TAG, Silent.INVALID})  # asking again changes nothing
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Kept:
    """What an image said, or why it cannot: of which digest."""

    digest: str
    said: Said
    detail: str = ""


@dataclass(slots=True)
class Builds:
    """Knows when the images were built among which a service takes the newest; asks of the others nothing.

    Thread-safe: two who ask for the same at the same time are told the same.
    """

    registry: Registry
    contents: Contents | None
    index: Index | None = None
    most: int = MAX_A_PASS
    tick: Callable[[], float] = time.monotonic  # seconds, of a clock that nobody sets
    _kept: dict[BuildKey, _Kept] = field(default_factory=dict)
    _is_read: bool = False
    _reading: threading.Lock = field(default_factory=threading.Lock)

    def look(
        self,
        rules: Rules,
        tags: Mapping[Repository, TagAnswer],
        digests: Mapping[tuple[Repository, Tag], DigestAnswer],
        at: datetime,
    ) -> dict[BuildKey, Build]:
        """Ask what was not asked yet, at most so many and so long a pass; return what is known at this time (UTC)."""
        wanted = list(dict.fromkeys(_wanted(rules, tags)))
        if not wanted:
            return {}
        with self._reading:
            self._read()
        new = [key for key in wanted if self._is_new(key, digests.get(key[:2]))]
        self._ask(new[: self.most], rules.registries)
        if left := sum(key not in self._kept for key in wanted):
            _log.info("when images were built: %d of %d are looked up", len(wanted) - left, len(wanted))
        return self._known(wanted, at)

    def known(
        self, rules: Rules, tags: Mapping[Repository, TagAnswer], at: datetime
    ) -> dict[BuildKey, Build]:
        """Return what is known at this time (UTC) of what these rules take from these lists; asks nobody."""
        return self._known(_wanted(rules, tags), at)

    def _known(self, wanted: Iterable[BuildKey], at: datetime) -> dict[BuildKey, Build]:
        return {key: _build(self._kept[key], at) for key in wanted if key in self._kept}

    def _is_new(self, key: BuildKey, now: DigestAnswer | None) -> bool:
        """Whether nothing is known of it, or of another digest than the one that the tag names now."""
        kept = self._kept.get(key)
        return kept is None or (isinstance(now, Digest) and now != kept.digest)

    def _ask(self, keys: list[BuildKey], hosts: Mapping[str, Host]) -> None:
        answers = self.registry.digests([key[:2] for key in keys], hosts) if keys else {}
        found: dict[BuildKey, _Kept] = {}
        until = self.tick() + LONGEST

        def one(key: BuildKey) -> _Kept | None:
            return self._one(key, answers.get(key[:2]), hosts) if self.tick() < until else None

        with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
            asked = pool.map(one, keys)
            found.update((key, kept) for key, kept in zip(keys, asked, strict=True) if kept is not None)
        self._kept.update(found)
        self._remember({_text(key): _row(one) for key, one in found.items() if one.said})

    def _remember(self, rows: Mapping[str, tuple[str, str]]) -> None:
        if self.index is None or not rows:
            return
        try:
            self.index.remember_builds(rows)
        except BotError as error:
            _log.warning("when images were built is not remembered: %s", error)

    def _one(self, key: BuildKey, digest: DigestAnswer | None, hosts: Mapping[str, Host]) -> _Kept | None:
        """Look into one image; nothing where it is worth asking again."""
        repository, _, platforms = key
        if not isinstance(digest, Digest):
            return _silent("", digest)
        if self.contents is None:
            return None
        said = ImageContents(self.contents, hosts, repository, digest).built(platforms)
        return _silent(digest, said) if isinstance(said, Silence) else _Kept(digest, said)

    def _read(self) -> None:
        """Read once what an earlier process had asked."""
        if self._is_read or self.index is None:
            return
        try:
            rows = self.index.builds()
        except BotError as error:
            _log.warning("when images were built is not recalled: %s", error)
            return
        self._is_read = True
        for what, (digest, said) in rows.items():
            if (key := _key(what)) is not None and (read := _said(said)) is not None:
                self._kept.setdefault(key, _Kept(digest, read))


def _wanted(rules: Rules, tags: Mapping[Repository, TagAnswer]) -> Iterator[BuildKey]:
    """Yield the images of which somebody has to know when they were built, in one order."""
    for name in rules.services:
        for meant in rules.meanings(name):
            if meant.versions.needs_builds and meant.trouble is None:
                for tag in sorted(_tags(meant, tags), reverse=True):
                    yield from ((image, tag, meant.platforms) for image in meant.images)


def _tags(service: Service, tags: Mapping[Repository, TagAnswer]) -> Iterable[Tag]:
    unasked = Silence(Silent.UNREACHABLE, "it was not asked")
    answer = listed_by_all(tags.get(image, unasked) for image in service.images)
    if not isinstance(answer, TagList):
        return ()
    return eligible(service.versions, tag_list.without_excluded(answer.tags, service.exclusions))


def _silent(digest: str, answer: Silence | DigestAnswer | None) -> _Kept | None:
    """Return what an image is of which the registry has nothing; none where it may say something later."""
    if isinstance(answer, Silence) and answer.code in _FOR_GOOD:
        return _Kept(digest, (), answer.detail)
    return None


def _build(kept: _Kept, at: datetime) -> Build:
    return judged(kept.said, at) if not kept.detail else Build(None, kept.detail)


# --- rows of the index ----------------------------------------------------------------------------------------


def _text(key: BuildKey) -> str:
    repository, tag, platforms = key
    return json.dumps([repository, tag, list(platforms)])


def _key(text: str) -> BuildKey | None:
    match _read_json(text):
        case [str(repository), str(tag), list(platforms)]:
            return (Repository(repository), Tag(tag), tuple(map(str, platforms)))
        case _:
            return None


def _read_json(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _row(kept: _Kept) -> tuple[str, str]:
    return kept.digest, json.dumps([list(texts) for texts in kept.said])


def _said(text: str) -> Said | None:
    match _read_json(text):
        case list(rows) if all(isinstance(one, list) for one in rows):
            return tuple(tuple(map(str, texts)) for texts in rows)
        case _:
            return None
