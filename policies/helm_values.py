"""Helm values: ``repository`` and ``tag`` (and ``digest``, ``registry``) beside each other in one map."""

from collections.abc import Iterator

from policies import workload
from policies.places import Draft, Part, ReferenceKind, Spot
from policies.yaml_nodes import ListNode, MapNode, Node, ScalarNode


def find(root: Node) -> Iterator[Draft]:
    """Yield each such map of one document: a values file, a HelmRelease's values, or any other object."""
    for item in workload.objects(root):
        owner = workload.identity(item) if item.text("kind") else ""
        for path, values in maps(item):
            yield from _of_map(path, values, owner)


def maps(node: Node, path: tuple[str, ...] = ()) -> Iterator[tuple[str, MapNode]]:
    """Yield every map with its dotted path; an item of a list is known by its name, never by its index."""
    if isinstance(node, ListNode):
        for item in node.items:
            name = item.text("name") if isinstance(item, MapNode) else None
            yield from maps(item, (*path, name) if name else path)
    elif isinstance(node, MapNode):
        yield ".".join(path), node
        for key, value in node.items:
            if isinstance(key, ScalarNode) and isinstance(value, MapNode | ListNode):
                yield from maps(value, (*path, key.value))


def dotted(path: str, key: str) -> str:
    """Return the place of ``key`` in the map at ``path``."""
    return f"values:{path}.{key}" if path else f"values:{key}"


def _of_map(path: str, values: MapNode, owner: str) -> Iterator[Draft]:
    """Yield the map's reference where a repository stands beside a tag or a digest."""
    repository = values.text("repository")
    if not repository or not (values.text("tag") or values.text("digest")):
        return
    registry = values.text("registry")
    spots = [
        Spot(node, part, dotted(path, key))
        for key, part in (("repository", Part.NAME), ("tag", Part.TAG), ("digest", Part.DIGEST))
        if (node := values.get(key)) is not None and not (isinstance(node, ScalarNode) and node.is_null)
    ]
    # An empty tag means the chart's own version: the digest alone pins.
    pinned = [spot for spot in spots if spot.part is not Part.TAG or values.text("tag")]
    yield Draft(
        ReferenceKind.VALUES,
        f"{registry}/{repository}" if registry else repository,
        tuple(pinned),
        certain=False,
        owner=owner,
    )
