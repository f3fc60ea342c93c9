"""Where the offline commands get their input: tags and Flux documents from files, stdin, or a live registry."""

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.folder import Folder
from bot.registries.login import Logins
from bot.registries.registry import PycurlRegistry
from handlers.shell.given import STDIN, Given, kind_of, named, read_json, strings
from handlers.shell.terminal import UseError
from policies.flux import documents as flux_documents
from policies.flux.documents import FluxDocuments
from policies.images.evidence import DigestAnswer, Silence, Silent, TagAnswer, TagList
from policies.images.image import Digest, Repository, Tag
from policies.manifests.places import Problem
from policies.rules.rules import Host
from policies.texts import yaml_text
from policies.texts.yaml_text import YamlRefused

MAX_BYTES = 64 * 1024 * 1024  # of a list of tags; a hundred thousand of them take two


@dataclass(frozen=True, slots=True)
class Live:
    """How registries are asked: the folder of the Docker config, and what is allowed for their hosts."""

    docker_config: Path
    http: bool = False
    private: bool = False

    def tags(self, repositories: Iterable[Repository]) -> dict[Repository, TagAnswer]:
        """Ask for tags; what a registry does not say is a silence."""
        wanted = list(repositories)
        registry = self._registry()
        try:
            return registry.tags(wanted, self._hosts(wanted))
        finally:
            registry.close()

    def digests(self, images: Iterable[tuple[Repository, Tag]]) -> dict[tuple[Repository, Tag], DigestAnswer]:
        """Ask what tags stand for."""
        wanted = list(images)
        registry = self._registry()
        try:
            return registry.digests(wanted, self._hosts(repository for repository, _ in wanted))
        finally:
            registry.close()

    def _registry(self) -> PycurlRegistry:
        return PycurlRegistry(Logins(self.docker_config))

    def _hosts(self, repositories: Iterable[Repository]) -> dict[str, Host]:
        allowed = Host(http=self.http, private=self.private)
        return {repository.host: allowed for repository in repositories}


@dataclass(frozen=True, slots=True)
class Shelf:
    """Tags, and digests where they are known, of repositories by their canonical names, from a file."""

    listed: Mapping[str, tuple[str, ...]]
    known: Mapping[tuple[str, str], Digest] = field(default_factory=dict)

    def tags(self, repositories: Iterable[Repository]) -> dict[Repository, TagAnswer]:
        """Look tags up."""
        return {
            repository: TagList(self.listed[repository.canonical])
            if repository.canonical in self.listed
            else Silence(Silent.UNKNOWN, f"the tags that were given have none of {repository}")
            for repository in repositories
        }

    def digests(self, images: Iterable[tuple[Repository, Tag]]) -> dict[tuple[Repository, Tag], DigestAnswer]:
        """Look digests up."""
        return {
            (repository, tag): self.known.get((repository.canonical, tag))
            or Silence(Silent.NO_SUCH_TAG, f"the tags that were given have no digest of {repository}:{tag}")
            for repository, tag in images
        }


def read_tags(source: str) -> list[str]:
    """Read tags: one a line, a JSON list, or what a registry answers to tags/list. Raises: UseError."""
    text = _text(source)
    if not text.lstrip().startswith(("{", "[")):
        return [line for line in (line.strip(" \t\r") for line in text.split("\n")) if line]
    document = read_json(source, text)
    at = ("tags",) if isinstance(document, dict) and "tags" in document else ()
    return strings(
        Given(source, text, at), _listed(document), "a list of tags, or an object with one under tags"
    )


def read_shelf(source: str) -> Shelf:
    """Read a JSON object of repositories; each has its tags, or ``tags`` and ``digests``. Raises: UseError."""
    text = _text(source)
    document = read_json(source, text)
    if not isinstance(document, dict):
        what = f"{kind_of(document)}, not an object of repositories; expected {{REPOSITORY: [TAG, ...]}}"
        raise UseError(Given(source, text).said(what))
    listed: dict[str, tuple[str, ...]] = {}
    known: dict[tuple[str, str], Digest] = {}
    for name, entry in document.items():
        given = Given(source, text, (name,))
        canonical = given.parsed(Repository, name).canonical
        held = entry if isinstance(entry, dict) else {}
        digests = held.get("digests", {})
        if not isinstance(digests, dict):
            what = f"{kind_of(digests)} under digests of {name[:140]!r}; expected an object of tags and their digests"
            raise UseError(given.below("digests").said(what))
        for tag, digest in digests.items():
            known[canonical, tag] = given.below("digests", tag).parsed(Digest, str(digest))
        tags = given.below("tags") if "tags" in held else given
        listed[canonical] = tuple(strings(tags, _listed(entry), f"a list of tags under {name[:140]!r}"))
    return Shelf(listed, known)


def read_documents(paths: Iterable[Path]) -> FluxDocuments:
    """Read the Flux documents of files and folders; a file may have any name. Raises: UseError, PermanentError."""
    files: dict[str, bytes] = {}
    unread: list[Problem] = []
    for path in paths:
        if not path.is_dir():
            content = files[str(path)] = _content(str(path))
            unread += _not_yaml(str(path), content)
            continue
        folder = Folder.open(path)
        files |= {os.path.join(path, name): content for name, content in folder.files()}  # noqa: PTH118  as typed
        unread += [Problem(str(path / one.path), 1, one.code, one.detail) for one in folder.left_out]
    found = flux_documents.read(files)
    return FluxDocuments(
        found.repositories, found.policies, found.automations, (*found.problems, *unread), found.namespaces
    )


def _not_yaml(path: str, content: bytes) -> Iterator[Problem]:
    """Name a file that was named by itself, holds no word of Flux, and is not even YAML."""
    if flux_documents.GROUP.encode() not in content:
        try:
            yaml_text.read(content)
        except YamlRefused as refused:
            yield Problem(path, refused.line, refused.code, refused.detail)


def _text(source: str) -> str:
    content = _content(source)
    try:
        return content.decode("utf-8").removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UseError(f"{named(source)}:{line}: a byte that is not UTF-8; expected UTF-8 text") from error


def _content(source: str) -> bytes:
    try:
        if source == STDIN:
            content = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with Path(source).open("rb") as file:
                content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UseError(f"{named(source)} cannot be read: {error.strerror}; expected a file") from error
    if len(content) > MAX_BYTES:
        raise UseError(f"{named(source)} is too large; expected at most {MAX_BYTES} bytes")
    return content


def _listed(document: Any) -> Any:
    """Return the list of tags; registries say null for a repository that has none."""
    if not isinstance(document, dict) or "tags" not in document:
        return document
    return [] if document["tags"] is None else document["tags"]
