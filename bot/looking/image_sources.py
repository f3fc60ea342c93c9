"""Which commit of which repository an image says that it was built of: by its own labels and annotations."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from bot.forge.bodies import OID
from bot.forge.client import plain
from bot.forge.wire import REPOSITORY
from bot.looking.outside import REVISION, source_of
from bot.registries.image_contents import Contents, ImageContents
from policies.entries.entry import Pinned
from policies.images.evidence import Silence
from policies.images.image import Repository
from policies.rules.rules import Host

SOURCE = "org.opencontainers.image.source"  # OCI image specification, "Annotations"
_MAX_KEPT = 500


@dataclass(frozen=True, slots=True)
class Built:
    """A commit, and the address of its repository, as whoever built the image wrote them."""

    source: str
    revision: str


@dataclass(slots=True)
class ImageSources:
    """Reads images by their digests; what a registry answered is kept, for a digest means the same for ever."""

    contents: Contents | None = None
    kept: dict[tuple[str, str], Built | str] = field(default_factory=dict)

    def of(self, image: Pinned, hosts: Mapping[str, Host]) -> Built | str:
        """Return what an image says, or why it says nothing, on one line."""
        if self.contents is None:
            return "there is no registry to ask"
        if not image.digest:
            return f"the digest of {image.repository}:{image.tag} is not known"
        key = (str(image.repository), image.digest)
        if key in self.kept:
            return self.kept[key]
        repository = Repository(image.repository)
        labels = ImageContents(self.contents, hosts, repository, image.digest).labels()
        if isinstance(labels, Silence):
            return labels.detail
        if len(self.kept) >= _MAX_KEPT:
            self.kept.clear()
        found = self.kept[key] = _built(image, labels)
        return found


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
