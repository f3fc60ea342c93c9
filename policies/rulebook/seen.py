"""What rules may look at beside their own files: Flux's documents, and references in environments' folders."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from policies.flux import documents as flux_documents
from policies.flux.documents import FluxDocuments
from policies.manifests import kustomize, setters, workload
from policies.manifests.places import Reference
from policies.texts import yaml_text
from policies.texts.yaml_nodes import MapNode

_IMAGE, _SYNC = b"image.toolkit.fluxcd.io", b"kustomize.toolkit.fluxcd.io"
_NAMESPACE = b"Namespace"


@dataclass(frozen=True, slots=True)
class Sync:
    """A Flux Kustomization: the file in which it stands, and the folder that it applies."""

    path: str
    folder: str


@dataclass(frozen=True, slots=True)
class Flux:
    """What the files of a repository hold of Flux."""

    documents: FluxDocuments = field(default_factory=FluxDocuments)
    syncs: tuple[Sync, ...] = ()


class Seen(Protocol):
    """The repository at the rules' commit; what is not asked for is not read."""

    def flux(self) -> Flux:
        """Return Flux's documents of all files."""

    def references(self, folders: tuple[str, ...]) -> Iterable[Reference]:
        """Return the image references in these folders."""


class Nothing:
    """A repository that holds the rules and nothing else."""

    def flux(self) -> Flux:
        """Return no documents."""
        return Flux()

    def references(self, folders: tuple[str, ...]) -> Iterable[Reference]:  # noqa: ARG002  there is nothing in any
        """Return no references."""
        return ()


def concerns(path: str, content: bytes) -> bool:
    """Say whether a file can hold what ``read`` returns, or change how it reads other files."""
    if _IMAGE in content or _SYNC in content or _NAMESPACE in content:
        return True
    return path.rpartition("/")[2] in kustomize.FILES and b"namespace" in content


def read(files: Mapping[str, bytes]) -> Flux:
    """Read all documents of Flux; raises nothing, on any bytes."""
    syncs = [sync for path in sorted(files) if _SYNC in files[path] for sync in _syncs(path, files[path])]
    return Flux(flux_documents.read(files), tuple(syncs))


def says(path: str, content: bytes) -> object:
    """Return what one file adds to what ``read`` returns, to be compared; nothing where it adds nothing."""
    if not concerns(path, content):
        return None
    if _NAMESPACE in content:
        return content
    spaces = [
        root.text("namespace") for root in _documents(content) if path.rpartition("/")[2] in kustomize.FILES
    ]
    return read({path: content}), tuple(filter(None, spaces))


def _syncs(path: str, content: bytes) -> Iterable[Sync]:
    group = _SYNC.decode()
    for root in _documents(content):
        for item in workload.objects(root):
            spec = item.get("spec")
            is_sync = item.text("kind") == "Kustomization" and (item.text("apiVersion") or "").startswith(
                group
            )
            if is_sync and isinstance(spec, MapNode):
                yield Sync(path, setters.scope({"path": spec.text("path") or ""}))


def _documents(content: bytes) -> list[MapNode]:
    try:
        return [root for root in yaml_text.read(content).documents if isinstance(root, MapNode)]
    except yaml_text.YamlRefused:
        return []
