"""Flux's setters: every marked scalar of a file gets its policy's image, by the name of the policy alone."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from policies.errors import PolicyError
from policies.images.image import Digest, ImageReference, Repository, Tag
from policies.images.image_name import ImageName
from policies.manifests import markers, places
from policies.manifests.markers import Mark
from policies.manifests.places import Part, Problem, ProblemCode
from policies.texts import edit, yaml_text
from policies.texts.yaml_nodes import ListNode, MapNode, Node, ScalarNode
from policies.texts.yaml_text import YamlText

_TOKEN = markers.TOKEN.encode()
_STRATEGY = "Setters"
# kyaml writes these for itself; where one names another file, Flux stops
_PATHS = ("config.kubernetes.io/path", "internal.config.kubernetes.io/path")
_STOPS = frozenset({ProblemCode.ENCRYPTED, ProblemCode.FOREIGN_PATH, ProblemCode.NOT_AN_OBJECT})


@dataclass(frozen=True, slots=True)
class Setting:
    """One file after its markers were followed: its bytes, what was changed, and what was not done."""

    content: bytes
    changes: tuple[edit.Edit, ...]
    problems: tuple[Problem, ...]


def set_markers(
    path: str, content: bytes, policies: Mapping[str, ImageReference], *, folder: str = ""
) -> Setting:
    """Write the image of each ``namespace:name`` of ``policies`` where a marker names it; raises nothing.

    ``folder`` is where the update begins, from where Flux counts the names of files.
    """
    if _TOKEN not in content or not markers.is_read(path):
        return Setting(content, (), ())
    try:
        yaml = yaml_text.read(content)
        marks, problems = markers.find(path, yaml)
        refusals = tuple(_refusals(path, _from(folder, path), yaml))
        if refusals:
            named = (problem for problem in problems if problem.code not in _STOPS)
            return Setting(content, (), (*named, *refusals))
        changes = []
        for mark in marks:
            image = policies.get(mark.marker.policy)
            problem = _not_done(path, yaml, mark, image)
            if problem is not None:
                problems.append(problem)
            elif image is not None and (new := _value(image, mark.marker.part)) != mark.node.value:
                node = mark.node
                changes.append(edit.Edit(path, mark.marker.where, node.value, new, node.start, node.end))
                problems += _stale(path, mark, marks)
        if changes:
            content = edit.splice(yaml.text, yaml.events, changes).encode("utf-8")
        return Setting(content, tuple(changes), tuple(problems))
    except yaml_text.YamlRefused as refused:
        return Setting(content, (), (Problem(path, refused.line, refused.code, refused.detail),))
    except edit.EditRefused as refused:
        return Setting(content, (), (Problem(path, 1, ProblemCode.UNPARSABLE, str(refused)),))


def latest(text: str) -> ImageReference:
    """Read ``image:tag[@digest]`` as Flux reads a policy's latest image. Raises: PolicyError."""
    name, _, digest = text.partition("@")
    ImageName.parse(text)
    base, colon, tag = name.rpartition(":")
    if not colon or "/" in tag:
        raise PolicyError(f"{text[:140]!r} has no tag; expected IMAGE:TAG, with @DIGEST behind it or not")
    # Flux lets a tag begin with a dot or a dash; no registry has one, and nothing is promoted from here.
    return ImageReference(Repository.parse(base), Tag(tag), Digest.parse(digest) if digest else None)


def scope(update: Mapping[str, str] | None) -> str:
    """Return what ``ImageUpdateAutomation.spec.update`` names, as a path that never leaves the repository.

    Raises: PolicyError, where it has no strategy or one that Flux does not know.
    """
    strategy = update.get("strategy", _STRATEGY) if update is not None else None
    if update is None or strategy != _STRATEGY:
        raise PolicyError(f"the update strategy is {strategy!r}; expected {_STRATEGY}")
    parts: list[str] = []
    for part in update.get("path", "").split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in {"", "."}:
            parts.append(part)
    return "/".join(parts)


def in_scope(path: str, folder: str) -> bool:
    """Say whether the file at ``path`` is ``folder``, or somewhere in it; nothing means the repository."""
    return not folder or path == folder or path.startswith(f"{folder}/")


def _value(image: ImageReference, part: Part) -> str:
    """Return what a marker of this form holds: the tag without digest, the digest or nothing."""
    match part:
        case Part.IMAGE:
            return str(image)
        case Part.TAG | Part.VERSION | Part.CHART:
            return str(image.tag or "")
        case Part.NAME:
            return str(image.repository)
        case Part.DIGEST:  # pragma: no branch  mypy sees that nothing is left
            return str(image.digest or "")


def _not_done(path: str, yaml: YamlText, mark: Mark, image: ImageReference | None) -> Problem | None:
    """Say why a mark is left alone."""
    if image is None:
        detail = (
            f"{mark.marker.where} follows a policy that is not given; expected one of its namespace and name"
        )
        return Problem(path, mark.node.line, ProblemCode.MARKER_POLICY, detail)
    if mark.node.start in yaml.repeated:
        detail = (
            f"{mark.marker.where} stands under a key that its map has twice, so that the first alone is written; "
            "expected it once"
        )
        return Problem(path, mark.node.line, ProblemCode.AMBIGUOUS, detail)
    return None


def _stale(path: str, mark: Mark, marks: Iterable[Mark]) -> Iterator[Problem]:
    """Name the digest beside a tag that moves: without a marker of its own it stays, and wins over the tag."""
    digest = mark.parent.get("digest") if mark.parent is not None and mark.key in {"tag", "newTag"} else None
    if not isinstance(digest, ScalarNode) or not digest.value or digest.is_null:
        return
    if all(other.node.start != digest.start for other in marks):
        detail = (
            f"the digest beside {mark.marker.where} has no marker and stays that of the old tag; "
            f"expected a marker {mark.marker.policy}:digest on it, or no digest"
        )
        yield Problem(path, digest.line, ProblemCode.STALE_DIGEST, detail)


def _from(folder: str, path: str) -> str:
    """Return the path as counted from ``folder``, which may be the file itself."""
    return path.rpartition("/")[2] if path == folder else path.removeprefix(f"{folder}/")


def _refusals(path: str, name: str, yaml: YamlText) -> Iterator[Problem]:
    """Yield what keeps a whole file from being written: Flux reads all of its documents, or none."""
    if yaml.encrypted_at is not None:
        yield places.encrypted(path, yaml.encrypted_at)
    for root in yaml.documents:
        if isinstance(root, ScalarNode) and root.is_null:
            continue
        metadata = root.get("metadata") if isinstance(root, MapNode) else None
        annotations = metadata.get("annotations") if isinstance(metadata, MapNode) else None
        if (odd := _odd(root, metadata, annotations)) is not None:
            yield Problem(
                path,
                odd[0],
                ProblemCode.NOT_AN_OBJECT,
                f"{odd[1]}, at which Flux skips the file; expected a map",
            )
        if isinstance(annotations, MapNode):
            for key in _PATHS:
                written = annotations.text(key)
                if written is not None and written != name:
                    detail = f"the annotation {key}: {written[:140]}, at which Flux stops; expected none"
                    yield Problem(path, annotations.line, ProblemCode.FOREIGN_PATH, detail)


def _odd(root: Node, metadata: Node | None, annotations: Node | None) -> tuple[int, str] | None:
    """Say what of a document is no object to Flux, and on which line; None where all is well."""
    if not isinstance(root, MapNode):
        return root.line, "a document that is not a map (a JSON 6902 patch?)"
    if isinstance(metadata, ListNode) or (isinstance(metadata, ScalarNode) and not metadata.is_null):
        return metadata.line, "a document whose metadata is not a map"
    if isinstance(annotations, ListNode):
        return annotations.line, "a document whose annotations are a list"
    return None
