"""Chart versions: the tag of an OCIRepository, and the version of a HelmRelease's chart from an OCI registry."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from policies.errors import PolicyError
from policies.images.image import Repository, Tag
from policies.manifests import workload
from policies.manifests.places import (
    ChartRepository,
    ChartVersion,
    Draft,
    Found,
    Part,
    Problem,
    ProblemCode,
    Reference,
    ReferenceKind,
    Release,
    Spot,
)
from policies.texts.yaml_nodes import MapNode, Node, ScalarNode

OCI = "oci://"
_SOURCE_API = "source.toolkit.fluxcd.io/"
_HELM_API = "helm.toolkit.fluxcd.io/"
# Exactly one version; 1.2, 1.x and >=1.2.3 are ranges for Helm.
_EXACT = re.compile(r"v?[0-9]+\.[0-9]+\.[0-9]+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?", re.ASCII)
_MAX_SHOWN = 140


def find(path: str, root: Node) -> Iterator[Draft | Problem]:
    """Yield each chart that one document pins."""
    for item in workload.objects(root):
        api, kind, spec = item.text("apiVersion") or "", item.text("kind"), item.get("spec")
        if not isinstance(spec, MapNode):
            continue
        if kind == "OCIRepository" and api.startswith(_SOURCE_API):
            yield from _of_source(path, item, spec)
        elif kind == "HelmRelease" and api.startswith(_HELM_API):
            yield from _of_release(item, spec)


def repositories(path: str, root: Node) -> Iterator[ChartRepository]:
    """Yield the HelmRepositories of one document: a HelmRelease of another file may name them."""
    for item in workload.objects(root):
        spec = item.get("spec")
        if item.text("kind") == "HelmRepository" and isinstance(spec, MapNode):
            namespace, name = _names(item)
            yield ChartRepository(path, name, namespace, spec.text("url") or "")


def exact(version: str) -> bool:
    """Say whether Helm reads ``version`` as exactly one version, not as a range."""
    return _EXACT.fullmatch(version) is not None


def as_tag(version: str) -> Tag:
    """Return the tag of a chart's version: OCI tags have no +, Helm writes _. Raises: PolicyError."""
    return Tag.parse(version.replace("+", "_"))


def as_version(tag: Tag) -> str:
    """Return the version that Helm reads in a chart's tag. Raises: PolicyError."""
    version = tag.replace("_", "+")
    if not exact(version):
        raise PolicyError(f"{tag!r} is not a chart's version; expected a tag such as 1.2.3")
    return version


def resolve(files: Iterable[Found]) -> Found:
    """Return the references of the chart versions in ``files``, which name their repositories in each other.

    What a HelmRelease leaves out (an overlay's patch) is taken from the one release of that name that says it.
    Charts from anywhere but an OCI registry have no tags to choose from, and pass without a word.
    """
    found = list(files)
    known = [repository for one in found for repository in one.repositories]
    charts = [chart for one in found for chart in one.charts]
    whole = [chart.release for chart in charts if chart.release.chart and chart.release.source]
    references: list[Reference] = []
    problems: list[Problem] = []
    for chart in charts:
        said = _Said(chart, _completed(chart.release, whole), known)
        outcome = said.outcome()
        if isinstance(outcome, Reference):
            references.append(outcome)
        elif outcome is not None:
            problems.append(outcome)
    return Found(tuple(references), tuple(problems))


def _of_source(path: str, item: MapNode, spec: MapNode) -> Iterator[Draft | Problem]:
    """Yield an OCIRepository's reference. For Flux a digest beside a range or a tag wins, then the range."""
    ref, url = spec.get("ref"), spec.text("url") or ""
    if not isinstance(ref, MapNode):
        return
    name = f"chart:{workload.identity(item)}"
    if ref.text("semver"):
        yield Problem(path, ref.line, ProblemCode.CHART_RANGE, _range(name, ref.text("semver") or ""))
        return
    tag, digest = ref.text("tag"), ref.text("digest")
    if not tag and not digest:
        return
    if tag and "@" in tag:
        detail = f"{name!r}: {tag[:_MAX_SHOWN]!r} is no tag for Flux; expected the digest in ref.digest"
        yield Problem(path, ref.line, ProblemCode.NOT_AN_IMAGE, detail)
        return
    wheres = (("tag", Part.VERSION, name), ("digest", Part.DIGEST, f"{name}:digest"))
    spots = tuple(
        Spot(node, part, where)
        for key, part, where in wheres
        if (node := ref.get(key)) is not None and not (isinstance(node, ScalarNode) and node.is_null)
    )
    pinned = tuple(spot for spot in spots if spot.part is Part.DIGEST or tag)
    yield Draft(ReferenceKind.CHART, url.removeprefix(OCI), pinned)


def _of_release(item: MapNode, spec: MapNode) -> Iterator[Draft]:
    """Yield the place of a HelmRelease's chart version."""
    chart = spec.get("chart")
    inner = chart.get("spec") if isinstance(chart, MapNode) else None
    version = inner.get("version") if isinstance(inner, MapNode) else None
    if not isinstance(inner, MapNode) or version is None or not inner.text("version"):
        return
    source = inner.get("sourceRef")
    kind, namespace, name = (
        [source.text(key) or "" for key in ("kind", "namespace", "name")]
        if isinstance(source, MapNode)
        else ["", "", ""]
    )
    own_namespace, own_name = _names(item)
    release = Release(own_name, own_namespace, inner.text("chart") or "", kind, namespace, name)
    spot = Spot(version, Part.CHART, f"chart:{workload.identity(item)}")
    yield Draft(ReferenceKind.CHART, None, (spot,), release=release)


def _range(where: str, text: str) -> str:
    return f"{where!r} follows {text[:_MAX_SHOWN]!r}, which Flux resolves; expected one version, to be moved"


def _names(item: MapNode) -> tuple[str, str]:
    """Return an object's namespace and name; empty where they are not written."""
    _, namespace, name = workload.identity(item).split("/", 2)
    return namespace, name


def _completed(release: Release, whole: Sequence[Release]) -> Release:
    """Fill in what a patch leaves out."""
    if release.chart and release.source:
        return release
    bases = {
        (one.chart, one.source_kind, one.source_namespace or one.namespace, one.source)
        for one in whole
        if one.name == release.name and _meet(one.namespace, release.namespace)
    }
    if len(bases) != 1:
        return release
    chart, kind, namespace, source = bases.pop()
    if release.source:
        return replace(release, chart=chart)
    return replace(
        release,
        chart=release.chart or chart,
        source_kind=kind,
        source_namespace=namespace,
        source=source,
    )


def _meet(one: str, other: str) -> bool:
    """Say whether two namespaces may be the same: Kustomize writes the one that is left out."""
    return not one or not other or one == other


@dataclass(frozen=True, slots=True)
class _Said:
    """A chart version with all that its files say of it."""

    chart: ChartVersion
    release: Release
    known: Sequence[ChartRepository]

    def outcome(self) -> Reference | Problem | None:
        """Return the reference, or why there is none; None where it is nobody's business."""
        if self.release.source_kind not in {"", "HelmRepository"}:
            return None
        urls = self._urls()
        if not urls:
            return self._unnamed()
        if len(urls) > 1:
            detail = f"its HelmRepository is one of {sorted(urls)}; expected one of that name"
            return self._problem(ProblemCode.AMBIGUOUS, detail[:400])
        url = urls.pop()
        return self._from(url) if url.startswith(OCI) else None

    def _from(self, url: str) -> Reference | Problem:
        """Return the reference to a chart of the registry at ``url``, or why it is none."""
        release, scalar = self.release, self.chart.scalar
        if not exact(scalar.value):
            return Problem(
                scalar.path, self.chart.line, ProblemCode.CHART_RANGE, _range(scalar.where, scalar.value)
            )
        try:
            repository = Repository.parse(f"{url.removeprefix(OCI).rstrip('/')}/{release.chart}")
            tag = as_tag(scalar.value)
        except PolicyError as error:
            return self._problem(ProblemCode.NOT_AN_IMAGE, str(error))
        marker = self.chart.marker
        kind = ReferenceKind.CHART if marker is None else ReferenceKind.MARKER
        return Reference(
            scalar.path, kind, repository, tag, None, (scalar,), marker, self.chart.line, ReferenceKind.CHART
        )

    def _urls(self) -> set[str]:
        """Return the addresses of the HelmRepositories that may be meant: in its own folder before others."""
        release = self.release
        namespace = release.source_namespace or release.namespace
        named = [one for one in self.known if one.name == release.source and release.source]
        same = [one for one in named if one.namespace == namespace]
        meant = same or [one for one in named if _meet(one.namespace, namespace)]
        folder = self.chart.scalar.path.rpartition("/")[0]
        near = [one for one in meant if one.path.rpartition("/")[0] == folder]
        return {one.url for one in near or meant}

    def _unnamed(self) -> Problem | None:
        """Say that no file names the repository of an exact version; a range is not ours to move anyway."""
        if not exact(self.chart.scalar.value):
            return None
        release = self.release
        what = f"HelmRepository {release.source}" if release.source else "chart.spec.sourceRef"
        detail = f"its {what} is not in these files; expected it there, with an {OCI} url or another"
        return self._problem(ProblemCode.CHART_SOURCE, detail)

    def _problem(self, code: ProblemCode, detail: str) -> Problem:
        scalar = self.chart.scalar
        return Problem(scalar.path, self.chart.line, code, f"{scalar.where!r}: {detail}")
