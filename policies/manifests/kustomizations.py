"""Kustomizations as what they pull in and which images they set; Flux's own, which build a folder, as well."""

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from policies.manifests import markers, workload
from policies.manifests.kustomize import FILES
from policies.manifests.places import Problem
from policies.texts import yaml_text
from policies.texts.yaml_nodes import ListNode, MapNode, Node, ScalarNode, resolved
from policies.texts.yaml_text import YamlRefused

_FLUX_API = "kustomize.toolkit.fluxcd.io/"
_REMOTE = re.compile(
    r"[a-z0-9+.-]+://|git::|[\w.-]+@|[^/?]*\?|[a-z0-9-]+(?:\.[a-z0-9-]+)+[:/]", re.IGNORECASE
)
_PATCHES = ("patches", "patchesJson6902", "replacements")
_GENERATORS = ("configMapGenerator", "secretGenerator")


class Link(NamedTuple):
    """What a kustomization pulls in, as it is written, and on which line."""

    text: str
    line: int


class ImageEntry(NamedTuple):
    """One entry of ``images:``; ``pins``: it sets a tag or a digest."""

    name: str
    new_name: str
    pins: bool


@dataclass(frozen=True, slots=True)
class Kustomization:
    """What one kustomization says. ``folder`` is where its links begin; ``others`` hold no resources."""

    path: str
    folder: str
    resources: tuple[Link, ...] = ()
    components: tuple[Link, ...] = ()
    patches: tuple[Link, ...] = ()
    others: tuple[Link, ...] = ()
    images: tuple[ImageEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class Read:
    """What one file says: the kustomization that it is, and the builds that Flux's Kustomizations in it ask for.

    A build is a kustomization without resources, whose ``folder`` is the one that is built.
    """

    own: Kustomization | None = None
    builds: tuple[Kustomization, ...] = ()
    problem: Problem | None = None


class Tree:
    """The files of a repository as folders, with each kustomization read once; looks at bytes before it reads."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.files = files
        self._sorted = sorted(files)
        self._read: dict[str, Read] = {}

    def under(self, folder: str) -> Iterator[str]:
        """Yield the files below a folder, or the file of that name."""
        if folder in self.files:
            yield folder
            return
        prefix = f"{folder}/" if folder else ""
        for index in range(bisect_left(self._sorted, prefix), len(self._sorted)):
            if not self._sorted[index].startswith(prefix):
                return
            yield self._sorted[index]

    def is_folder(self, folder: str) -> bool:
        """Say whether any file is below it."""
        return folder not in self.files and next(self.under(folder), None) is not None

    def kustomization_in(self, folder: str) -> str | None:
        """Return the kustomization of a folder, which Kustomize looks for under three names."""
        prefix = f"{folder}/" if folder else ""
        return next((prefix + name for name in sorted(FILES) if prefix + name in self.files), None)

    def read(self, path: str) -> Read:
        """Return what a file of this tree says."""
        if path not in self._read:
            self._read[path] = read(path, self.files[path])
        return self._read[path]

    def built_by_flux(self, folder: str) -> Iterator[str]:
        """Yield what Flux builds of a folder: its kustomization, or all of it but what other ones below leave out."""
        own = self.kustomization_in(folder)
        if own is not None:
            yield own
            return
        covered: list[str] = []
        for path in self.under(folder):
            below = path.rpartition("/")[0]
            if covered and (below == covered[-1] or below.startswith(f"{covered[-1]}/")):
                continue
            nearest = self._topmost(folder, below)
            if nearest is not None:
                covered.append(nearest.rpartition("/")[0])
                yield nearest
            elif markers.is_read(path):
                yield path

    def _topmost(self, folder: str, below: str) -> str | None:
        """Return the kustomization that is nearest to ``folder`` on the way down to ``below``."""
        at = folder
        for part in below.removeprefix(folder).strip("/").split("/"):
            at = f"{at}/{part}" if at else part
            found = self.kustomization_in(at) if part else None
            if found is not None:
                return found
        return None


def read(path: str, content: bytes) -> Read:
    """Read one file; raises nothing, on any bytes."""
    is_own = path.rpartition("/")[2] in FILES
    if not is_own and not (markers.is_read(path) and _FLUX_API.encode() in content):
        return Read()
    try:
        text = yaml_text.read(content)
    except YamlRefused as refused:
        return Read(problem=Problem(path, refused.line, refused.code, refused.detail))
    folder = path.rpartition("/")[0]
    builds = [
        found for root in text.documents for item in workload.objects(root) if (found := _build(path, item))
    ]
    first = text.documents[0] if text.documents else None
    own = _own(path, folder, first) if is_own and isinstance(first, MapNode) else None
    return Read(own, tuple(builds))


def joined(folder: str, text: str) -> str | None:
    """Return where a relative path leads to from a folder; None where that is outside of the repository."""
    parts = [part for part in folder.split("/") if part]
    if text.startswith("/"):
        return None
    for part in text.split("/"):
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part not in {"", "."}:
            parts.append(part)
    return "/".join(parts)


def is_remote(text: str) -> bool:
    """Say whether Kustomize would fetch this: an address, not a path of this repository."""
    return _REMOTE.match(text) is not None


def _build(path: str, item: MapNode) -> Kustomization | None:
    """Return what a Flux Kustomization builds; an artifact of a registry is no folder of this repository."""
    spec = item.get("spec")
    is_flux = (item.text("apiVersion") or "").startswith(_FLUX_API) and item.text("kind") == "Kustomization"
    if not is_flux or not isinstance(spec, MapNode):
        return None
    source = spec.get("sourceRef")
    kind = source.text("kind") if isinstance(source, MapNode) else None
    folder = joined("", (spec.text("path") or "").lstrip("/"))
    if kind not in {None, "GitRepository"} or folder is None:
        return None
    return Kustomization(path, folder, components=_texts(spec.get("components")), images=_images(spec))


def _own(path: str, folder: str, root: MapNode) -> Kustomization:
    charts = [
        link
        for item in _maps(root.get("helmCharts"))
        for link in (*_text(item.get("valuesFile")), *_texts(item.get("additionalValuesFiles")))
    ]
    generated = [
        Link(link.text.rpartition("=")[2], link.line)
        for key in _GENERATORS
        for item in _maps(root.get(key))
        for link in (*_texts(item.get("files")), *_texts(item.get("envs")), *_text(item.get("env")))
    ]
    patches = [link for key in _PATCHES for item in _maps(root.get(key)) for link in _text(item.get("path"))]
    merged = [link for link in _texts(root.get("patchesStrategicMerge")) if _is_path(link.text)]
    plugins = [link for key in ("generators", "transformers", "crds") for link in _texts(root.get(key))]
    return Kustomization(
        path,
        folder,
        (*_texts(root.get("resources")), *_texts(root.get("bases"))),
        _texts(root.get("components")),
        (*patches, *merged),
        (*charts, *generated, *plugins),
        _images(root),
    )


def _is_path(text: str) -> bool:
    """Say whether this is a path; else it is the patch itself."""
    return not {"\n", ":", "{"} & set(text)


def _images(item: MapNode) -> tuple[ImageEntry, ...]:
    return tuple(
        ImageEntry(name, entry.text("newName") or "", bool(entry.text("newTag") or entry.text("digest")))
        for entry in _maps(item.get("images"))
        if (name := entry.text("name"))
    )


def _maps(node: Node | None) -> list[MapNode]:
    found = resolved(node) if node is not None else None
    items = found.items if isinstance(found, ListNode) else ()
    return [item for item in map(resolved, items) if isinstance(item, MapNode)]


def _texts(node: Node | None) -> tuple[Link, ...]:
    found = resolved(node) if node is not None else None
    items = found.items if isinstance(found, ListNode) else ()
    return tuple(link for item in items for link in _text(item))


def _text(node: Node | None) -> tuple[Link, ...]:
    found = resolved(node) if node is not None else None
    return (Link(found.value, found.line),) if isinstance(found, ScalarNode) and found.value else ()
