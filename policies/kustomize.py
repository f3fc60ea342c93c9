"""Kustomize images: the entries of ``images:`` in a Kustomization, a Component, and Flux's Kustomization."""

from collections.abc import Iterator

from policies import workload
from policies.places import Draft, Part, Problem, ProblemCode, ReferenceKind, Spot
from policies.yaml_nodes import AliasNode, ListNode, MapNode, Node, ScalarNode

FILES = frozenset({"kustomization.yaml", "kustomization.yml", "Kustomization"})
_API = "kustomize.config.k8s.io/"
_FLUX_API = "kustomize.toolkit.fluxcd.io/"
_KINDS = frozenset({None, "Kustomization", "Component"})


def find(path: str, root: Node) -> Iterator[Draft | Problem]:
    """Yield each entry of one document that pins a tag or a digest."""
    for item in workload.objects(root):
        images = _images(path, item)
        if isinstance(images, AliasNode):
            detail = (
                f"images by the alias *{images.name}; expected them written here, an alias is not followed"
            )
            yield Problem(path, images.line, ProblemCode.ALIAS, detail)
        elif isinstance(images, ListNode):
            for entry in images.items:
                if isinstance(entry, MapNode):
                    yield from _of_entry(entry, workload.identity(item))


def _images(path: str, item: MapNode) -> Node | None:
    """Return the list of images where this object is one that Kustomize reads."""
    api, kind = item.text("apiVersion") or "", item.text("kind")
    if api.startswith(_FLUX_API) and kind == "Kustomization":
        spec = item.get("spec")
        return spec.get("images") if isinstance(spec, MapNode) else None
    named = path.rpartition("/")[2] in FILES and not api
    return item.get("images") if kind in _KINDS and (named or api.startswith(_API)) else None


def _of_entry(entry: MapNode, owner: str) -> Iterator[Draft]:
    """Yield the entry's reference: newName or else name, and newTag or digest, or both."""
    name = entry.text("name")
    pins = {key: _written(entry.get(key)) for key in ("newTag", "digest")}
    if not name or not any(pins.values()):
        return
    digest = entry.get("digest")  # an empty one is still a place to write to
    named = "newName" if entry.get("newName") is not None else "name"
    spots = (
        (entry.get(named), Part.NAME, named),
        (pins["newTag"], Part.TAG, "newTag"),
        (pins["digest"] or (digest if _is_empty_text(digest) else None), Part.DIGEST, "digest"),
    )
    yield Draft(
        ReferenceKind.KUSTOMIZE,
        entry.text("newName") or name,
        tuple(Spot(node, part, f"kustomize:{name}:{key}") for node, part, key in spots if node is not None),
        owner=owner,
    )


def _written(node: Node | None) -> Node | None:
    """Return a node that says something: not missing, not null, not empty."""
    return None if isinstance(node, ScalarNode) and (node.is_null or not node.value) else node


def _is_empty_text(node: Node | None) -> bool:
    return isinstance(node, ScalarNode) and bool(node.style) and not node.value
