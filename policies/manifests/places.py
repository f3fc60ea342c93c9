"""The places of a GitOps file that pin an image, as values, and what stands in the way of writing there."""

from dataclasses import dataclass
from enum import StrEnum

from policies.images.image import Digest, Repository, Tag
from policies.texts.yaml_nodes import Node


class Part(StrEnum):
    """What of an image one scalar holds."""

    IMAGE = "image"  # repository[:tag][@digest]
    TAG = "tag"  # the digest may stand behind it: tag@digest
    VERSION = "version"  # the tag alone, in a label or an environment variable: never a digest
    CHART = "chart"  # a chart's version as Helm writes it: + where its tag has _
    DIGEST = "digest"
    NAME = "name"


class ReferenceKind(StrEnum):
    """How a file says which image it means."""

    MARKER = "marker"
    KUSTOMIZE = "kustomize"
    WORKLOAD = "workload"
    VALUES = "values"
    CHART = "chart"
    AT = "at"


class ProblemCode(StrEnum):
    """Why something that looks like an image is not a reference. Stable; shown to people and in ``--json``."""

    ALIAS = "alias"
    AMBIGUOUS = "ambiguous"
    BLOCK_SCALAR = "block-scalar"
    CHART_RANGE = "chart-range"  # a notice: Flux chooses the version in the cluster
    CHART_SOURCE = "chart-source"
    DUPLICATE = "duplicate"
    ENCRYPTED = "encrypted"
    FOREIGN_PATH = "foreign-path"
    MARKER_FORM = "marker-form"
    MARKER_INERT = "marker-inert"
    MARKER_POLICY = "marker-policy"
    MARKER_REPOSITORY = "marker-repository"
    MARKER_SUFFIX = "marker-suffix"
    MISSING = "missing"
    NAME_PATTERN = "name-pattern"  # an entry of images: that sets the tag of every image that fits
    NOT_AN_IMAGE = "not-an-image"
    NOT_AN_OBJECT = "not-an-object"
    NOT_UTF_8 = "not-utf-8"
    OUTSIDE = "outside"
    STALE_DIGEST = "stale-digest"
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
    """One place that pins one image. ``marker`` is ``namespace:name`` of a Flux policy; ``line`` is 1-based.

    ``shape`` is the kind of place that it would be without its marker; None where it would be none.
    """

    path: str
    kind: ReferenceKind
    repository: Repository
    tag: Tag | None
    digest: Digest | None
    scalars: tuple[Scalar, ...]
    marker: str | None
    line: int
    shape: ReferenceKind | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that was not taken, or only with a warning: where, which code, and one line for people."""

    path: str
    line: int
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Release:
    """What a HelmRelease says of its chart; empty where it does not, as in a patch.

    ``source`` and ``source_namespace`` name the object that it comes from, and ``source_kind`` its kind.
    """

    name: str
    namespace: str
    chart: str
    source_kind: str
    source_namespace: str
    source: str


@dataclass(frozen=True, slots=True)
class ChartVersion:
    """A place that pins a chart, whose repository another file may have to name: not a reference yet."""

    release: Release
    scalar: Scalar
    marker: str | None
    line: int


@dataclass(frozen=True, slots=True)
class ChartRepository:
    """A HelmRepository: where charts come from, as it is written there."""

    path: str
    name: str
    namespace: str
    url: str


@dataclass(frozen=True, slots=True)
class NamePattern:
    """An entry of ``images:`` whose name is a regular expression, and that sets a tag or a digest."""

    path: str
    line: int
    name: str


@dataclass(frozen=True, slots=True)
class Found:
    """What one file holds. ``charts`` become references when ``policies.charts.resolve`` sees all files.

    ``patterns`` pin whatever image fits, which is no place to write one service's tag to.
    """

    references: tuple[Reference, ...] = ()
    problems: tuple[Problem, ...] = ()
    charts: tuple[ChartVersion, ...] = ()
    repositories: tuple[ChartRepository, ...] = ()
    patterns: tuple[NamePattern, ...] = ()


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
    ``release`` says of which chart this is the version.
    """

    kind: ReferenceKind
    repository: str | None
    spots: tuple[Spot, ...]
    certain: bool = True
    marker: str | None = None
    owner: str = ""
    release: Release | None = None


def encrypted(path: str, line: int) -> Problem:
    """Refuse a file of sops: its check sum covers every value."""
    detail = "encrypted with sops, whose check sum an edit would break; expected a file in plain text"
    return Problem(path, line, ProblemCode.ENCRYPTED, detail)
