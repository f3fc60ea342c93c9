"""Kustomize images: entries of ``images:`` in a Kustomization, a Component, Flux's Kustomization and a HelmRelease."""

from collections.abc import Iterator

from policies.errors import PolicyError
from policies.images.tag_filter import compiled
from policies.manifests import workload
from policies.manifests.places import Draft, NamePattern, Part, Problem, ProblemCode, ReferenceKind, Spot
from policies.texts.yaml_nodes import AliasNode, ListNode, MapNode, Node, ScalarNode

FILES = frozenset({"kustomization.yaml", "kustomization.yml", "Kustomization"})
_API = "kustomize.config.k8s.io/"
_FLUX_API = "kustomize.toolkit.fluxcd.io/"
_HELM_API = "helm.toolkit.fluxcd.io/"
# Kustomize puts the name into a pattern as it stands (api/internal/image, IsImageMatched); a dot changes nothing
# about the name of an image, any of these does.
_PATTERN = frozenset("\\^$*+?()[]{}|")
_BEHIND = r"(:[a-zA-Z0-9_.{}-]*)?(@[a-zA-Z0-9]+([.+_-][a-zA-Z0-9]+)*:[a-zA-Z0-9_.{}-]*)?"
_KINDS = frozenset({None, "Kustomization", "Component"})


def find(path: str, root: Node) -> Iterator[Draft | Problem]:
    """Yield each entry of one document that pins a tag or a digest."""
    for item, images in _lists(path, root):
        if isinstance(images, AliasNode):
            detail = (
                f"images by the alias *{images.name}; expected them written here, an alias is not followed"
            )
            yield Problem(path, images.line, ProblemCode.ALIAS, detail)
        for entry in _entries(images):
            if _is_pattern(entry):
                detail = f"{entry.text('name')!r} is a pattern: all images that fit get this tag; expected one name"
                yield Problem(path, entry.line, ProblemCode.NAME_PATTERN, detail[:400])
            else:
                yield from _of_entry(entry, item)


def patterns(path: str, root: Node) -> Iterator[NamePattern]:
    """Yield the entries of one document that pin every image that fits their name."""
    for _, images in _lists(path, root):
        for entry in _entries(images):
            if _is_pattern(entry):
                yield NamePattern(path, entry.line, entry.text("name") or "")


def fits(name: str, image: str) -> bool:
    """Say whether Kustomize takes ``image`` for one that an entry of this name means."""
    try:
        return compiled(f"^{name}{_BEHIND}$").search(image) is not None
    except PolicyError:  # no pattern at all: it fits nothing
        return False


def _lists(path: str, root: Node) -> Iterator[tuple[MapNode, Node]]:
    """Yield what ``images`` of the objects hold that Kustomize reads, with the object."""
    for item in workload.objects(root):
        api, kind, spec = item.text("apiVersion") or "", item.text("kind"), item.get("spec")
        holders: list[Node | None] = []
        if api.startswith(_FLUX_API) and kind == "Kustomization":
            holders = [spec]
        elif api.startswith(_HELM_API) and kind == "HelmRelease":
            holders = [one.get("kustomize") for one in _maps(spec, "postRenderers")]
        elif kind in _KINDS and (api.startswith(_API) or (path.rpartition("/")[2] in FILES and not api)):
            holders = [item]
        for holder in holders:
            images = holder.get("images") if isinstance(holder, MapNode) else None
            if images is not None:
                yield item, images


def _maps(node: Node | None, key: str) -> list[MapNode]:
    held = node.get(key) if isinstance(node, MapNode) else None
    return [one for one in held.items if isinstance(one, MapNode)] if isinstance(held, ListNode) else []


def _entries(images: Node) -> list[MapNode]:
    return [one for one in images.items if isinstance(one, MapNode)] if isinstance(images, ListNode) else []


def _is_pattern(entry: MapNode) -> bool:
    """Say whether an entry pins images by a pattern: with newName it is that one image."""
    name, pins = entry.text("name") or "", any(_written(entry.get(key)) for key in ("newTag", "digest"))
    return bool(pins and not entry.text("newName") and _PATTERN.intersection(name))


def _of_entry(entry: MapNode, item: MapNode) -> Iterator[Draft]:
    """Yield the entry's reference: newName or else name, and newTag or digest, or both."""
    name = entry.text("name")
    pins = {key: _written(entry.get(key)) for key in ("newTag", "digest")}
    if not name or not any(pins.values()):
        return
    # A release's own images are its values once more; they override nothing else of their folder.
    kind = ReferenceKind.VALUES if item.text("kind") == "HelmRelease" else ReferenceKind.KUSTOMIZE
    digest = entry.get("digest")  # an empty one is still a place to write to
    named = "newName" if entry.get("newName") is not None else "name"
    spots = (
        (entry.get(named), Part.NAME, named),
        (pins["newTag"], Part.TAG, "newTag"),
        (pins["digest"] or (digest if _is_empty_text(digest) else None), Part.DIGEST, "digest"),
    )
    yield Draft(
        kind,
        entry.text("newName") or name,
        tuple(Spot(node, part, f"kustomize:{name}:{key}") for node, part, key in spots if node is not None),
        owner=workload.identity(item),
    )


def _written(node: Node | None) -> Node | None:
    """Return a node that says something: not missing, not null, not empty."""
    return None if isinstance(node, ScalarNode) and (node.is_null or not node.value) else node


def _is_empty_text(node: Node | None) -> bool:
    return isinstance(node, ScalarNode) and bool(node.style) and not node.value
