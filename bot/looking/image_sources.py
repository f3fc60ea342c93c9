"""Which commit of which repository an image says that it was built of: by its own labels and annotations."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from bot.forge.bodies import OID
from bot.forge.client import plain
from bot.forge.wire import REPOSITORY
from bot.looking.outside import REVISION, source_of
from bot.registries.image_contents import Contents, ImageContents
from policies.entries.entry import Pinned
from policies.images.evidence import Silence, Silent
from policies.images.image import Repository
from policies.rules.rules import Host

SOURCE = "org.opencontainers.image.source"  # OCI image specification, "Annotations"
AGAIN = timedelta(minutes=1)  # what a registry did not answer is asked again
LONGEST = 120.0  # seconds; no image is begun later in one reading
_MAX_KEPT = 500
_OF_A_HOST = frozenset(
    {Silent.UNREACHABLE, Silent.SLOW, Silent.THROTTLED}
)  # said of one image, true of its host


@dataclass(frozen=True, slots=True)
class Built:
    """A commit, and the address of its repository, as whoever built the image wrote them."""

    source: str
    revision: str


_Key = tuple[str, str]  # repository, digest


@dataclass(slots=True)
class ImageSources:
    """Reads images by their digests; what a registry answered is kept, for a digest means the same for ever.

    What it did not answer is kept, too, until ``read`` asks again: ``of`` lets nobody wait for it twice. Safe from any
    thread: two who read the same are told the same.
    """

    contents: Contents | None = None
    kept: dict[_Key, Built | str] = field(default_factory=dict)
    silent: dict[_Key, tuple[str, datetime]] = field(default_factory=dict)  # why, and when that was (UTC)
    tick: Callable[[], float] = time.monotonic  # seconds, of a clock that nobody sets

    def of(self, image: Pinned, hosts: Mapping[str, Host]) -> Built | str:
        """Return what an image says, or why it says nothing, on one line."""
        if not image.digest:
            return f"the digest of {image.repository}:{image.tag} is not known"
        key = _key(image)
        if found := self.kept.get(key):
            return found
        if silence := self.silent.get(key):
            return silence[0]
        said = self._read(image, hosts)
        return said.detail if isinstance(said, Silence) else said

    def unread(self, images: Iterable[Pinned], at: datetime) -> tuple[Pinned, ...]:
        """Return those of which a registry has said nothing yet, or not within a minute before ``at`` (UTC)."""
        never = datetime.min.replace(tzinfo=UTC)
        return tuple(
            one
            for one in dict.fromkeys(images)
            if self.contents is not None
            and one.digest
            and _key(one) not in self.kept
            and self.silent.get(_key(one), ("", never))[1] + AGAIN <= at
        )

    def read(self, images: Iterable[Pinned], hosts: Mapping[str, Host], at: datetime) -> None:
        """Ask registries what images say, at a time (UTC). It may take long.

        A host that does not answer for one image is not waited for again for the next, and what does not have its turn
        in time is as silent as that.
        """
        away: dict[str, Silence] = {}
        until = self.tick() + LONGEST
        for image in images:
            host = Repository(image.repository).host
            late = Silence(Silent.SLOW, "there was no time to ask") if self.tick() >= until else None
            said = late or away.get(host) or self._read(image, hosts)
            if isinstance(said, Silence):
                if len(self.silent) >= _MAX_KEPT:
                    self.silent.clear()
                self.silent[_key(image)] = (said.detail, at)
                away |= {host: said} if said.code in _OF_A_HOST else {}

    def _read(self, image: Pinned, hosts: Mapping[str, Host]) -> Built | str | Silence:
        if self.contents is None:
            return Silence(Silent.UNREACHABLE, "there is no registry to ask")
        labels = ImageContents(self.contents, hosts, Repository(image.repository), image.digest).labels()
        if isinstance(labels, Silence):
            return labels
        if len(self.kept) >= _MAX_KEPT:
            self.kept.clear()
            self.silent.clear()
        found = self.kept[_key(image)] = _built(image, labels)
        self.silent.pop(_key(image), None)
        return found


def _key(image: Pinned) -> _Key:
    return (str(image.repository), image.digest)


def _built(image: Pinned, labels: Mapping[str, str]) -> Built | str:
    missing = [name for name in (REVISION, SOURCE) if not labels.get(name)]
    if missing:
        return f"{image.repository}:{image.tag} has no {missing[0]}"
    if OID.fullmatch(labels[REVISION]) is None:
        return f"{REVISION} of {image.repository}:{image.tag} is {plain(labels[REVISION], 40)!r}, no commit"
    return Built(labels[SOURCE], labels[REVISION])


def repository_of(said: str, source: str, home: str) -> str:
    """Return OWNER/NAME of a repository that an image names, '' where it is not one that may be asked.

    It has to be the service's ``source``; where the rules name none, a repository of the owner whose page at the forge
    is ``home``. Host, owner and name are compared in small letters, and the scheme not at all.
    """
    try:
        url, named = urlsplit(said), source_of(said)
    except ValueError:  # brackets around no address
        return ""
    ours = urlsplit(home)
    if url.scheme not in {"https", "http"} or url.username or not (said.isascii() and said.isprintable()):
        return ""
    host = urlsplit(source).netloc if "://" in source else ours.netloc
    if source:
        is_ours = named.lower() == source_of(source).lower()
    else:
        is_ours = named.partition("/")[0].lower() == ours.path.strip("/").lower()
    is_there = url.netloc.lower() == host.lower() and REPOSITORY.fullmatch(named) is not None
    return named if is_ours and is_there else ""
