"""The places of a GitOps file that pin an image, as values, and what stands in the way of writing there."""

from dataclasses import dataclass
from enum import StrEnum

from policies.image import Digest, Repository, Tag
from policies.yaml_nodes import Node


class Part(StrEnum):
    """What of an image one scalar holds."""

    IMAGE = "image"  # repository[:tag][@digest]
    TAG = "tag"  # the digest may stand behind it: tag@digest
    VERSION = "version"  # the tag alone, in a label or an environment variable: never a digest
    DIGEST = "digest"
    NAME = "name"


class ReferenceKind(StrEnum):
    """How a file says which image it means."""

    MARKER = "marker"
    KUSTOMIZE = "kustomize"
    WORKLOAD = "workload"
    VALUES = "values"


class ProblemCode(StrEnum):
    """Why something that looks like an image is not a reference. Stable; shown to people and in ``--json``."""

    ALIAS = "alias"
    AMBIGUOUS = "ambiguous"
    BLOCK_SCALAR = "block-scalar"
    DUPLICATE = "duplicate"
    ENCRYPTED = "encrypted"
    FOREIGN_PATH = "foreign-path"
    MARKER_FORM = "marker-form"
    MARKER_INERT = "marker-inert"
    MARKER_POLICY = "marker-policy"
    MARKER_REPOSITORY = "marker-repository"
    MARKER_SUFFIX = "marker-suffix"
    NOT_AN_IMAGE = "not-an-image"
    NOT_AN_OBJECT = "not-an-object"
    NOT_UTF_8 = "not-utf-8"
    SHARED = "shared"  # a notice: the reference is there, its value is repeated by an alias
    TEMPLATE = "template"
    TOO_DEEP = "too-deep"
    TOO_LARGE = "too-large"
    UNPARSABLE = "unparsable"


@dataclass(frozen=True, slots=True)
class Scalar:
    """One scalar of a reference; ``start`` and ``end`` span its text with quotes, in characters of the file."""

    path: str
    where: str
    part: Part
    value: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Reference:
    """One place that pins one image. ``marker`` is ``namespace:name`` of a Flux policy; ``line`` is 1-based."""

    path: str
    kind: ReferenceKind
    repository: Repository
    tag: Tag | None
    digest: Digest | None
    scalars: tuple[Scalar, ...]
    marker: str | None
    line: int


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that was not taken, or only with a warning: where, which code, and one line for people."""

    path: str
    line: int
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Found:
    """What one file holds."""

    references: tuple[Reference, ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Spot:
    """A node that is said to hold part of an image; not yet looked at."""

    node: Node
    part: Part
    where: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A reference before its values are read. ``repository`` is None where the image scalar names it.

    ``certain`` is false where the shape alone is no proof: then values that are no image pass without a word.
    ``owner`` is the object as kind/namespace/name, which tells places of one file apart that are called the same.
    """

    kind: ReferenceKind
    repository: str | None
    spots: tuple[Spot, ...]
    certain: bool = True
    marker: str | None = None
    owner: str = ""


def encrypted(path: str, line: int) -> Problem:
    """Refuse a file of sops: its check sum covers every value."""
    detail = "encrypted with sops, whose check sum an edit would break; expected a file in plain text"
    return Problem(path, line, ProblemCode.ENCRYPTED, detail)
