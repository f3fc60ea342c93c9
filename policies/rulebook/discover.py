"""Services that nobody has to list: of each ImagePolicy, or of each image, that an environment's folders name."""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from policies.errors import PolicyError
from policies.flux.documents import FluxName, policy_named
from policies.images.image import Repository
from policies.manifests.places import Reference
from policies.rulebook.document import Entry
from policies.rulebook.fields import text_of, texts_of
from policies.rulebook.findings import Findings, shown
from policies.rulebook.flux import Followed
from policies.rulebook.keys import DISCOVER
from policies.rulebook.path import PLACEHOLDER
from policies.rulebook.seen import Seen
from policies.rulebook.text import Node, Table, Text
from policies.rules.rules import Environment, Service

_KINDS = DISCOVER.known


@dataclass(frozen=True, slots=True)
class Listed:
    """What the rules list by themselves: it wins over what is discovered. ``names`` holds broken services, too."""

    names: Collection[str]
    services: Collection[Service]

    def has(self, name: str, image: str) -> bool:
        """Say whether a service has this name, or this canonical image without following a policy."""
        images = (one.image.canonical for one in self.services if not one.policy)
        return name in self.names or image in images

    def follows(self, policy: FluxName) -> bool:
        """Say whether a service follows this policy."""
        return any(one.policy and policy_named(one.policy).fits(policy) for one in self.services)


@dataclass(slots=True)
class Discovery:
    """Looks through the environments' folders."""

    environments: Collection[Environment]
    seen: Seen
    followed: Followed
    findings: Findings

    def entries(self, key: str, entry: Entry, listed: Listed, *, has_versions: bool) -> Iterator[Entry]:
        """Yield what could be written below ``services``, each with the place of the key that discovers it."""
        if key not in _KINDS:
            self.findings.unknown(entry.name.at, "key in discover", key, _KINDS)
        elif key == "flux":
            yield from self._policies(entry.node, listed)
        elif has_versions:
            yield from self._images(entry.node, listed)
        else:
            expected = "versions in defaults, such as 1.x"
            self.findings.add(entry.name.at, "discover has images, but no versions", expected)

    def _policies(self, node: Node, listed: Listed) -> Iterator[Entry]:
        word = text_of(node, "flux", self.findings)
        if word is None:
            return
        if word.value != "policies":
            self.findings.add(word.at, f"flux is {shown(word.value)}", "policies")
            return
        found: dict[str, list[FluxName]] = {}
        for policy in dict.fromkeys(one.name for one in self.followed.flux.documents.policies):
            if not listed.follows(policy) and self._stands(policy, listed):
                found.setdefault(policy.name, []).append(policy)
        for name, policies in sorted(found.items()):
            if self._is_alone(name, policies, word):
                flux = Table(word.at, ((Text(word.at, "flux"), Text(word.at, str(policies[0]))),))
                yield _entry(word, name, "versions", flux)

    def _stands(self, policy: FluxName, listed: Listed) -> bool:
        """Whether a policy has an image, and an environment names it or the policy."""
        meanings = self.followed.meanings(str(policy))
        for where in self.environments:
            image = meanings[where.name].image
            if image is None or listed.has(policy.name, image.canonical):
                continue
            for one in self._references(where):
                is_marked = one.marker is not None and policy_named(one.marker).fits(policy)
                if is_marked or one.repository.canonical == image.canonical:
                    return True
        return False

    def _images(self, node: Node, listed: Listed) -> Iterator[Entry]:
        found: dict[str, dict[str, Repository]] = {}
        words = texts_of(node, "images", self.findings) or ()
        patterns = [pattern for word in words if (pattern := _pattern(word, self.findings))]
        for where in self.environments:
            for one in self._references(where):
                image = one.repository
                name, canonical = image.rpartition("/")[2], image.canonical
                fits = any(pattern.fullmatch(text) for pattern in patterns for text in (image, canonical))
                if fits and not listed.has(name, canonical):
                    found.setdefault(name, {}).setdefault(canonical, image)
        for name, images in sorted(found.items()):
            if self._is_alone(name, list(images.values()), words[0]):
                yield _entry(words[0], name, "image", Text(words[0].at, str(next(iter(images.values())))))

    def _is_alone(self, name: str, found: list[FluxName] | list[Repository], word: Text) -> bool:
        if len(found) > 1:
            several = ", ".join(map(str, found[:5]))
            self.findings.add(
                word.at, f"{several} would all be the service {name}", "services with their names"
            )
        return len(found) == 1

    def _references(self, where: Environment) -> Iterable[Reference]:
        return self.seen.references(tuple(path.partition(PLACEHOLDER)[0].rstrip("/") for path in where.paths))


def _entry(word: Text, name: str, key: str, node: Node) -> Entry:
    return Entry(Text(word.at, name), Table(word.at, ((Text(word.at, key), node),)))


def _pattern(word: Text, findings: Findings) -> re.Pattern[str] | None:
    """Read a repository in which * stands for any part of one name. The host is whole."""
    try:
        Repository.parse(word.value.replace("*", "x"))
    except PolicyError as error:
        findings.refuse(word.at, error)
        return None
    if "*" in word.value.partition("/")[0]:
        findings.add(word.at, f"images is {shown(word.value)}", "a whole host, such as ghcr.io/acme/*")
        return None
    return re.compile(re.escape(word.value).replace(r"\*", "[^/]*"))
