"""``at:`` of the rules: one scalar by its file and key path, in YAML, JSON and TOML."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from policies.errors import PolicyError
from policies.images.image import Digest, ImageReference, Repository, Tag
from policies.manifests import markers
from policies.manifests.places import Draft, Found, Part, Problem, ProblemCode, ReferenceKind, Spot
from policies.manifests.settling import Settling
from policies.texts import json_text, toml_text, yaml_text
from policies.texts.key_path import Key, KeyPath
from policies.texts.yaml_nodes import AliasNode, MapNode, Node, ScalarNode
from policies.texts.yaml_text import YamlRefused, YamlText

_TREES: dict[str, Callable[[bytes], YamlText]] = {".json": json_text.read, ".toml": toml_text.read}
_TAGS = ("tag", "newTag")
_DIGEST = "digest"


@dataclass(frozen=True, slots=True)
class At:
    """A scalar's address: a file of the repository and the keys that lead to it."""

    path: str
    keys: KeyPath

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``apps/prod/values.yaml: web.image.tag``. Raises: PolicyError."""
        path, colon, keys = text.partition(": ")
        parts = path.split("/")
        if not colon or not path.isprintable() or {"", ".", ".."} & set(parts):
            expected = "expected a file of the repository, a colon, a space and keys"
            raise PolicyError(
                f"{text[:140]!r} names no place; {expected}, such as apps/values.yaml: web.image.tag"
            )
        if reader(path) is None:
            raise PolicyError(f"{path[:140]!r} cannot be written to; expected .yaml, .yml, .json or .toml")
        return cls(path, KeyPath.parse(keys.strip(" ")))

    def __str__(self) -> str:
        """Write it as it is read."""
        return f"{self.path}: {self.keys}"


def reader(path: str) -> Callable[[bytes], YamlText] | None:
    """Return what reads a file of this name; None where nothing does."""
    if markers.is_read(path):
        return yaml_text.read
    return next((read for suffix, read in _TREES.items() if path.endswith(suffix)), None)


def find(at: At, content: bytes, repository: Repository | None) -> Found:
    """Return the reference at a place, or why there is none; raises nothing, on any bytes.

    ``repository`` is what a tag or a digest there belongs to. What pins the same image beside it comes along.
    """
    read = reader(at.path)
    if read is None:
        detail = "a file of another format; expected .yaml, .yml, .json or .toml"
        return _nothing(at, 1, ProblemCode.UNPARSABLE, detail)
    try:
        text = read(content)
    except YamlRefused as refused:
        return _nothing(at, refused.line, refused.code, refused.detail)
    nodes = [(root, node) for root in text.documents for node in _all(root, at.keys)]
    if len(nodes) != 1:
        return _missing(at, text, many=len(nodes) > 1)
    root, node = nodes[0]
    draft = _draft(at, root, node, repository)
    if isinstance(draft, Found):
        return draft
    found = Settling(at.path, text).settle([draft], [], [])
    if not found.references and not found.problems:
        return _nothing(at, node.line, ProblemCode.NOT_AN_IMAGE, f"{_shown(node)} has no tag; expected one")
    return found


def _all(root: Node, keys: KeyPath) -> tuple[Node, ...]:
    """Return all that a key path leads to in one document."""
    nodes: tuple[Node, ...] = (root,)
    for step in keys.steps:
        nodes = tuple(found for node in nodes for found in step.of(node))
    return nodes


def _missing(at: At, text: YamlText, *, many: bool) -> Found:
    """Say that nothing is there, or more than one thing, or an alias on the way."""
    if many:
        return _nothing(at, 1, ProblemCode.AMBIGUOUS, "stands more than once in the file; expected it once")
    for root in text.documents:
        for length in range(1, len(at.keys.steps)):
            for node in _all(root, KeyPath(at.keys.steps[:length])):
                if isinstance(node, AliasNode):
                    detail = (
                        f"behind the alias *{node.name}; expected it written there, an alias is not followed"
                    )
                    return _nothing(at, node.line, ProblemCode.ALIAS, detail)
    return _nothing(at, 1, ProblemCode.MISSING, "is not in the file; expected a tag, a digest or an image")


def _draft(at: At, root: Node, node: Node, repository: Repository | None) -> Draft | Found:
    """Say what a value holds, by its content, and what has to move with it."""
    if isinstance(node, ScalarNode) and node.is_null:
        return _nothing(
            at, node.line, ProblemCode.NOT_AN_IMAGE, "nothing; expected a tag, a digest or an image"
        )
    value = node.value if isinstance(node, ScalarNode) else ""
    part = _part(value, repository)
    if part is not Part.IMAGE and repository is None:
        detail = f"{_shown(node)} does not say of which repository; expected a whole image"
        return _nothing(at, node.line, ProblemCode.NOT_AN_IMAGE, detail)
    spots = [Spot(node, part, f"at:{at.keys}"), *_beside(at, root, part)]
    named = None if part is Part.IMAGE else repository
    return Draft(ReferenceKind.AT, named, tuple(sorted(spots, key=lambda spot: spot.part is Part.DIGEST)))


def _part(value: str, repository: Repository | None) -> Part:
    """Tell an image, a tag and a digest from each other; ``1.2@sha256:...`` is a tag, ``web:1.2`` is none."""
    if _is(Digest.parse, value):
        return Part.DIGEST
    if not _is(ImageReference.parse, value):
        return Part.TAG  # what is none either, settling says
    written = ImageReference.parse(value)
    is_ours = repository is not None and written.repository.canonical == repository.canonical
    is_tag = _is(Tag.parse, value.partition("@")[0])
    return Part.IMAGE if is_ours or not is_tag else Part.TAG


def _is(parse: Callable[[str], object], value: str) -> bool:
    try:
        parse(value)
    except PolicyError:
        return False
    return True


def _beside(at: At, root: Node, part: Part) -> list[Spot]:
    """Return the digest beside a tag, or the tag beside a digest: neither may stay when the other moves."""
    last = at.keys.steps[-1]
    parents = _all(root, KeyPath(at.keys.steps[:-1]))
    parent = parents[0] if len(parents) == 1 else None
    if not isinstance(last, Key) or not isinstance(parent, MapNode):
        return []
    names: tuple[str, ...] = ()
    if part is Part.TAG and last.name in _TAGS:
        names = (_DIGEST,)
    elif part is Part.DIGEST and last.name == _DIGEST:
        names = _TAGS
    spots = [
        Spot(node, Part.DIGEST if name == _DIGEST else Part.TAG, f"at:{at.keys.beside(name)}")
        for name in names
        if (node := parent.get(name)) is not None and parent.text(name)
    ]
    return spots[:1]


def _nothing(at: At, line: int, code: str, detail: str) -> Found:
    return Found((), (Problem(at.path, line, code, f"{f'at:{at.keys}'!r}: {detail}"),))


def _shown(node: Node) -> str:
    return repr(node.value[:140]) if isinstance(node, ScalarNode) else "a map or a list"
