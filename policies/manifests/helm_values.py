"""Helm values: a repository and a tag (a digest, a registry) beside each other, and ``image:`` as one text."""

from collections.abc import Iterator

from policies.manifests import workload
from policies.manifests.places import Draft, Part, Problem, ProblemCode, ReferenceKind, Spot
from policies.texts.yaml_nodes import AliasNode, ListNode, MapNode, Node, ScalarNode

_NAMES = ("repository", "image")
_SEPARATORS = ("_", "-")
_KNOWN_GROUPS = (".k8s.io", ".fluxcd.io")  # whose images stand in containers, or are none


def find(path: str, root: Node) -> Iterator[Draft | Problem]:
    """Yield the images of one document: a values file, a HelmRelease's values, or any other object."""
    for item in workload.objects(root):
        owner = workload.identity(item) if item.text("kind") else ""
        below = _texts_below(path, item)
        for place, values in maps(item):
            is_values = below is not None and (place == below or not below or place.startswith(f"{below}."))
            yield from _of_map(path, place, values, owner, is_values=is_values)


def _texts_below(path: str, item: MapNode) -> str | None:
    """Return the place below which ``image:`` is one text: in values, and in objects of other people's kinds.

    None: nowhere. Files without a kind are values by their name: in any other, image says too little.
    """
    group = (item.text("apiVersion") or "").partition("/")[0]
    if not item.text("kind"):
        return "" if "values" in path.rpartition("/")[2].lower() else None
    if item.text("kind") == "HelmRelease":
        return "spec.values"
    return "" if "." in group and not group.endswith(_KNOWN_GROUPS) else None


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


def _of_map(
    file: str, path: str, values: MapNode, owner: str, *, is_values: bool
) -> Iterator[Draft | Problem]:
    """Yield one map's images: ``tag`` beside ``repository``, ``webTag`` beside ``webImage``, ``apiImage: a/b:1``."""
    names_of: dict[str, list[str]] = {}
    for key in dict.fromkeys((*values.by_key, "repository")):  # which may be merged into the map
        stem = _stem(values, key)
        if stem is not None and _is_bare(values.text(key)):
            names_of.setdefault(stem, []).append(key)
    for stem, names in names_of.items():
        if len(names) > 1:
            detail = (
                f"{' and '.join(dotted(path, key) for key in names)!r} beside one tag; expected one of them"
            )
            yield Problem(file, values.line, ProblemCode.AMBIGUOUS, detail)
        else:
            yield _pair(path, values, names[0], stem, owner)
    taken = {name for names in names_of.values() for name in names}
    for key, image in values.by_key.items():
        is_text = _is_template(image) or isinstance(image, ScalarNode | AliasNode)
        if is_values and is_text and key not in taken and _is_image(key):
            spot = Spot(image, Part.IMAGE, dotted(path, key))
            yield Draft(ReferenceKind.VALUES, None, (spot,), certain=False, owner=owner)


def _is_image(key: str) -> bool:
    """Say whether a key is called an image: image, webImage, web_image, web-image."""
    return key == "image" or key.endswith(("Image", "_image", "-image"))


def _stem(values: MapNode, key: str) -> str | None:
    """Return what stands before ``tag`` in the key beside ``key``; None where nothing there pins it."""
    for stem in _stems(key):
        tag, digest = _beside(stem, "tag"), _beside(stem, "digest")
        if values.text(tag) or values.text(digest) or _is_template(values.get(tag)):
            return stem
    return None


def _stems(key: str) -> Iterator[str]:
    """Yield the stems of the keys that may go with a name: ``web`` for webRepository, webImage also for webImageTag."""
    for word in _NAMES:
        if key == word or key.endswith((word.capitalize(), *(mark + word for mark in _SEPARATORS))):
            stem = key[: -len(word)]
            yield stem
            if word == "image":
                yield key + stem[-1] if stem.endswith(_SEPARATORS) else key


def _beside(stem: str, word: str) -> str:
    return stem + (word if not stem or stem.endswith(_SEPARATORS) else word.capitalize())


def _is_template(node: Node | None) -> bool:
    """Say whether this is ``{{ ... }}``, which YAML takes for a map whose key is a map."""
    return isinstance(node, MapNode) and bool(node.items) and isinstance(node.items[0][0], MapNode)


def _is_bare(text: str | None) -> bool:
    """Say whether a name is there, and holds no tag or digest of its own."""
    return bool(text) and "@" not in text and ":" not in text.rpartition("/")[2] if text else False


def _pair(path: str, values: MapNode, name: str, stem: str, owner: str) -> Draft:
    """Return the reference of a name with what stands beside it."""
    tag, digest = _beside(stem, "tag"), _beside(stem, "digest")
    repository, registry = values.text(name) or "", values.text(_beside(stem, "registry"))
    spots = [
        Spot(node, part, dotted(path, key))
        for key, part in ((name, Part.NAME), (tag, Part.TAG), (digest, Part.DIGEST))
        if (node := values.get(key)) is not None and not (isinstance(node, ScalarNode) and node.is_null)
    ]
    # An empty tag means the chart's own version: the digest alone pins.
    pinned = [
        spot for spot in spots if spot.part is not Part.TAG or values.text(tag) or _is_template(spot.node)
    ]
    return Draft(
        ReferenceKind.VALUES,
        f"{registry}/{repository}" if registry else repository,
        tuple(pinned),
        certain=False,
        owner=owner,
    )
