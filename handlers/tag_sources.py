"""Where the offline commands get their input: tags and Flux documents from files, stdin, or a live registry."""

import json
import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.folder import Folder
from bot.registry import PycurlRegistry
from bot.registry_login import Logins
from handlers.terminal import UseError
from policies import flux_documents
from policies.errors import PolicyError
from policies.evidence import DigestAnswer, Silence, Silent, TagAnswer, TagList
from policies.flux_documents import FluxDocuments
from policies.image import Digest, Repository, Tag
from policies.places import Problem
from policies.rules import Host

STDIN = "-"
_KINDS = {dict: "an object", str: "text", type(None): "null", bool: "true or false", list: "a list"}
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
    document = _json(source, text)
    return _strings(source, _listed(document), "a list of tags, or an object with one under tags")


def read_shelf(source: str) -> Shelf:
    """Read a JSON object of repositories; each has its tags, or ``tags`` and ``digests``. Raises: UseError."""
    document = _json(source, _text(source))
    if not isinstance(document, dict):
        raise UseError(
            f"{_name(source)} is not an object of repositories; expected {{REPOSITORY: [TAG, ...]}}"
        )
    listed: dict[str, tuple[str, ...]] = {}
    known: dict[tuple[str, str], Digest] = {}
    for name, entry in document.items():
        try:
            canonical = Repository.parse(name).canonical
            digests = entry.get("digests", {}) if isinstance(entry, dict) else {}
            for tag, digest in digests.items() if isinstance(digests, dict) else ():
                known[canonical, tag] = Digest.parse(str(digest))
        except PolicyError as error:
            raise UseError(f"{_name(source)}: {error}") from error
        listed[canonical] = tuple(_strings(source, _listed(entry), f"a list of tags under {name[:140]!r}"))
    return Shelf(listed, known)


def read_documents(paths: Iterable[Path]) -> FluxDocuments:
    """Read the Flux documents of files and folders; a file may have any name. Raises: UseError, PermanentError."""
    files: dict[str, bytes] = {}
    unread: list[Problem] = []
    for path in paths:
        if not path.is_dir():
            files[str(path)] = _content(str(path))
            continue
        folder = Folder.open(path)
        files |= {os.path.join(path, name): content for name, content in folder.files()}  # noqa: PTH118  as typed
        unread += [Problem(str(path / one.path), 1, one.code, one.detail) for one in folder.left_out]
    found = flux_documents.read(files)
    return FluxDocuments(
        found.repositories, found.policies, found.automations, (*found.problems, *unread), found.namespaces
    )


def _text(source: str) -> str:
    content = _content(source)
    try:
        return content.decode("utf-8").removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UseError(f"{_name(source)}:{line}: a byte that is not UTF-8; expected UTF-8 text") from error


def _content(source: str) -> bytes:
    try:
        if source == STDIN:
            content = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with Path(source).open("rb") as file:
                content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UseError(f"{_name(source)} cannot be read: {error.strerror}") from error
    if len(content) > MAX_BYTES:
        raise UseError(f"{_name(source)} is too large; expected at most {MAX_BYTES} bytes")
    return content


def _json(source: str, text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise UseError(f"{_name(source)}:{error.lineno}: not JSON: {error.msg}; expected JSON") from error
    except RecursionError:
        raise UseError(f"{_name(source)}:1: nested too deep; expected a list of tags") from None


def _listed(document: Any) -> Any:
    """Return the list of tags; registries say null for a repository that has none."""
    if not isinstance(document, dict) or "tags" not in document:
        return document
    return [] if document["tags"] is None else document["tags"]


def _strings(source: str, found: Any, expected: str) -> list[str]:
    """Check that it is a list of texts. Raises: UseError."""
    if not isinstance(found, list):
        raise UseError(f"{_name(source)} holds {_KINDS.get(type(found), 'a number')}; expected {expected}")
    odd = next((item for item in found if not isinstance(item, str)), None)
    if odd is not None or None in found:
        raise UseError(f"{_name(source)} holds {str(odd)[:60]!r} among the tags; expected text")
    return found


def _name(source: str) -> str:
    return "stdin" if source == STDIN else source
