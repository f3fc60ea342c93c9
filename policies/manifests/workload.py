"""Workload images: ``image:`` of the containers of any object that holds a pod's lists of containers."""

from collections.abc import Iterator

from policies.manifests.places import Draft, Part, Problem, ProblemCode, ReferenceKind, Spot
from policies.texts.yaml_nodes import AliasNode, ListNode, MapNode, Node

_LISTS = frozenset({"containers", "initContainers", "ephemeralContainers"})


def objects(root: Node) -> Iterator[MapNode]:
    """Yield the objects of a document: itself, or the items of a ``kind: List``."""
    if not isinstance(root, MapNode):
        return
    items = root.get("items")
    if (root.text("kind") or "").endswith("List") and isinstance(items, ListNode):
        for item in items.items:
            yield from objects(item)
    else:
        yield root


def identity(item: MapNode) -> str:
    """Return ``kind/namespace/name`` as written: what is not written is empty."""
    metadata = item.get("metadata")
    names = (
        [metadata.text(key) or "" for key in ("namespace", "name")]
        if isinstance(metadata, MapNode)
        else ["", ""]
    )
    return "/".join([item.text("kind") or "", *names])


def find(path: str, root: Node) -> Iterator[Draft | Problem]:
    """Yield each container's image in one document."""
    for item in objects(root):
        if item.text("kind"):
            yield from _of_object(path, item, identity(item))


def _of_object(path: str, node: Node, owner: str) -> Iterator[Draft | Problem]:
    """Look for lists of containers anywhere below ``node``."""
    if isinstance(node, ListNode):
        for item in node.items:
            yield from _of_object(path, item, owner)
    elif isinstance(node, MapNode):
        for key, value in node.items:
            name = getattr(key, "value", None)
            if name in _LISTS and isinstance(value, ListNode | AliasNode):
                yield from _of_list(path, value, owner)
            yield from _of_object(path, value, owner)


def _of_list(path: str, containers: ListNode | AliasNode, owner: str) -> Iterator[Draft | Problem]:
    """Yield the images of one list of containers; what an alias repeats is named, not edited."""
    if isinstance(containers, AliasNode):
        yield _alias(path, containers)
        return
    for container in containers.items:
        if isinstance(container, AliasNode):
            yield _alias(path, container)
        elif isinstance(container, MapNode):
            image = container.get("image")
            if image is not None:
                where = f"workload:{owner}/{container.text('name') or ''}"
                yield Draft(ReferenceKind.WORKLOAD, None, (Spot(image, Part.IMAGE, where),))


def _alias(path: str, node: AliasNode) -> Problem:
    detail = f"containers by the alias *{node.name}; expected them written here, an alias is not followed"
    return Problem(path, node.line, ProblemCode.ALIAS, detail)
