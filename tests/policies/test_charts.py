"""Chart versions: found in one file, named by another, written as Helm and Flux read them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.errors import PolicyError
from policies.images.image import Digest, Tag
from policies.manifests import charts, references
from policies.manifests.places import Found, ProblemCode, ReferenceKind
from policies.texts.edit import apply

OLD, NEW = "sha256:" + "b" * 64, Digest("sha256:" + "a" * 64)
SOURCE = """\
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {name: web, namespace: apps}
spec:
  url: oci://ghcr.io/x/charts/web
  ref: REF
"""
RELEASE = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: web, namespace: apps}
spec:
  chart:
    spec:
      chart: web
      version: 1.2.3
      sourceRef: {kind: HelmRepository, name: charts, namespace: flux-system}
"""
REPOSITORY = """\
apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmRepository
metadata: {name: charts, namespace: flux-system}
spec: {type: oci, url: "oci://ghcr.io/x/charts/"}
"""


def source(ref: str) -> Found:
    return references.find("a.yaml", SOURCE.replace("REF", ref).encode())


def resolved(*files: str) -> Found:
    return charts.resolve(references.find(f"{index}.yaml", text.encode()) for index, text in enumerate(files))


@pytest.mark.parametrize(
    ("ref", "pin", "keep"),
    [
        ("{tag: 1.2.3}", {"web": "2.0.0"}, {"web": "2.0.0"}),
        (
            f"{{tag: 1.2.3, digest: '{OLD}'}}",
            {"web": "2.0.0", "web:digest": NEW},
            {"web": "2.0.0", "web:digest": NEW},
        ),
        (f"{{digest: '{OLD}'}}", {"web:digest": NEW}, {"web:digest": NEW}),
        ("{tag: 1.2.3, digest: ''}", {"web": "2.0.0", "web:digest": NEW}, {"web": "2.0.0"}),
    ],
)
def test_an_oci_repository_never_has_a_digest_in_its_tag(
    ref: str, pin: dict[str, str], keep: dict[str, str]
) -> None:
    (reference,) = source(ref).references

    assert (reference.kind, reference.repository) == (ReferenceKind.CHART, "ghcr.io/x/charts/web")
    for wanted, is_pin in ((pin, True), (keep, False)):
        edits = references.rewrite(reference, Tag("2.0.0"), NEW, pin=is_pin)
        assert {edit.where.removeprefix("chart:OCIRepository/apps/"): edit.new for edit in edits} == wanted


@pytest.mark.parametrize(
    ("ref", "code"),
    [
        ("{semver: 1.x}", ProblemCode.CHART_RANGE),
        ("{semver: 1.x, tag: 1.2.3}", ProblemCode.CHART_RANGE),
        (f"{{tag: 1.2.3@{OLD}}}", ProblemCode.NOT_AN_IMAGE),
        ("{tag: '${TAG}'}", ProblemCode.TEMPLATE),
        ("&r {tag: &t 1.2.3, digest: *t}", ProblemCode.ALIAS),
        ("{tag: 1.2.3, tag: 1.2.4}", ProblemCode.AMBIGUOUS),
    ],
)
def test_a_source_that_cannot_be_moved_is_named(ref: str, code: ProblemCode) -> None:
    found = source(ref)

    assert found.references == ()
    assert [problem.code for problem in found.problems] == [code]


@pytest.mark.parametrize("ref", ["{}", "{tag: ''}", "[tag]", "{commit: abc}", ""])
def test_a_source_without_a_version_passes_without_a_word(ref: str) -> None:
    assert source(ref) == Found()


def test_a_marked_tag_of_a_source_is_its_place() -> None:
    marker = '# {"$imagepolicy": "flux-system:web:tag"}'
    text = SOURCE.replace("REF", f"\n    tag: 1.2.3 {marker}")

    found = references.find("a.yaml", text.encode())

    assert [(one.kind, one.marker, one.shape) for one in found.references] == [
        (ReferenceKind.MARKER, "flux-system:web", ReferenceKind.CHART)
    ]
    assert [scalar.where for one in found.references for scalar in one.scalars] == [
        "marker:flux-system:web:tag"
    ]
    assert found.problems == ()


def test_a_release_is_named_by_the_helm_repository_of_another_file() -> None:
    alone = references.find("a.yaml", RELEASE.encode())
    (reference,) = resolved(RELEASE, REPOSITORY).references

    assert (alone.references, alone.problems) == ((), ())
    assert (reference.kind, reference.repository, reference.tag, reference.line) == (
        ReferenceKind.CHART,
        "ghcr.io/x/charts/web",
        "1.2.3",
        8,
    )
    assert [scalar.where for scalar in reference.scalars] == ["chart:HelmRelease/apps/web"]


def test_a_version_is_written_as_helm_reads_it() -> None:
    text = RELEASE.replace("1.2.3", "1.2.3+b.1")
    (reference,) = resolved(text, REPOSITORY).references

    edits = references.rewrite(reference, Tag("1.3.0_b.2"), NEW, pin=True)

    assert reference.tag == "1.2.3_b.1"
    assert apply(text.encode(), edits) == text.replace("1.2.3+b.1", "1.3.0+b.2").encode()
    with pytest.raises(PolicyError, match="not a chart's version"):
        references.rewrite(reference, Tag("latest"), None, pin=False)


def test_a_patch_takes_its_chart_from_the_release_that_it_patches() -> None:
    patch = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: web}\n"
    patch += "spec: {chart: {spec: {version: 1.3.0}}}\n"

    found = resolved(patch, RELEASE, REPOSITORY)

    assert [(one.path, one.repository, one.tag) for one in found.references] == [
        ("0.yaml", "ghcr.io/x/charts/web", "1.3.0"),
        ("1.yaml", "ghcr.io/x/charts/web", "1.2.3"),
    ]
    assert found.problems == ()


def test_a_patch_that_names_its_source_takes_the_chart_alone() -> None:
    patch = (
        RELEASE.replace("      chart: web\n", "")
        .replace("1.2.3", "1.3.0")
        .replace("name: charts", "name: mirror")
    )
    mirror = REPOSITORY.replace("name: charts", "name: mirror").replace("ghcr.io", "mirror.example")

    found = resolved(patch, RELEASE, REPOSITORY, mirror)

    assert [one.repository for one in found.references] == [
        "mirror.example/x/charts/web",
        "ghcr.io/x/charts/web",
    ]


def test_a_patch_of_one_of_two_releases_is_not_guessed() -> None:
    patch = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: web}\n"
    patch += "spec: {chart: {spec: {version: 1.3.0}}}\n"
    other = RELEASE.replace("namespace: apps", "namespace: other").replace("chart: web", "chart: web2")

    found = resolved(patch, RELEASE, other, REPOSITORY)

    assert [one.path for one in found.references] == ["1.yaml", "2.yaml"]
    assert [(one.path, one.code) for one in found.problems] == [("0.yaml", ProblemCode.CHART_SOURCE)]


@pytest.mark.parametrize(
    ("release", "repository", "codes"),
    [
        (RELEASE, REPOSITORY.replace("oci://ghcr.io", "https://charts.example"), []),
        (RELEASE.replace("kind: HelmRepository", "kind: GitRepository"), REPOSITORY, []),
        (RELEASE.replace("1.2.3", "1.2.x"), "", []),
        (RELEASE, "", [ProblemCode.CHART_SOURCE]),
        (
            RELEASE,
            REPOSITORY.replace("namespace: flux-system", "namespace: other"),
            [ProblemCode.CHART_SOURCE],
        ),
        (RELEASE.replace("1.2.3", "1.2"), REPOSITORY, [ProblemCode.CHART_RANGE]),
        (RELEASE.replace("1.2.3", "'>=1.2.3'"), REPOSITORY, [ProblemCode.CHART_RANGE]),
        (RELEASE, REPOSITORY.replace("/x/", "/X Y/"), [ProblemCode.NOT_AN_IMAGE]),
        (RELEASE, REPOSITORY + "---\n" + REPOSITORY.replace("/x/", "/y/"), [ProblemCode.AMBIGUOUS]),
    ],
    ids=["http", "git", "range of unknown", "no source", "other namespace", "1.2", "range", "bad", "two"],
)
def test_a_release_without_one_version_of_one_registry_is_no_reference(
    release: str, repository: str, codes: list[ProblemCode]
) -> None:
    found = resolved(release, repository)

    assert found.references == ()
    assert [problem.code for problem in found.problems] == codes


def test_a_helm_repository_of_the_same_folder_goes_first() -> None:
    here = REPOSITORY.replace("namespace: flux-system", "x: y")
    there = here.replace("/x/", "/y/")
    files = {"a/release.yaml": RELEASE, "a/source.yaml": here, "b/source.yaml": there}

    found = charts.resolve(references.find(path, text.encode()) for path, text in files.items())

    assert [one.repository for one in found.references] == ["ghcr.io/x/charts/web"]


def test_releases_that_cannot_be_told_apart_are_named() -> None:
    found = references.find("a.yaml", f"{RELEASE}---\n{RELEASE}".encode())

    assert found.charts == ()
    assert [problem.code for problem in found.problems] == [ProblemCode.DUPLICATE] * 2


def test_an_encrypted_release_is_refused() -> None:
    found = references.find("a.yaml", f"{RELEASE}sops: {{mac: x}}\n".encode())

    assert (found.charts, [problem.code for problem in found.problems]) == ((), [ProblemCode.ENCRYPTED])


VERSIONS = st.from_regex(
    r"v?[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}(-[a-z0-9.]{1,6})?(\+[a-z0-9.]{1,6})?", fullmatch=True
)


@given(VERSIONS)
def test_a_version_is_its_tag_there_and_back(version: str) -> None:
    assert charts.exact(version)
    assert charts.as_version(charts.as_tag(version)) == version


@given(VERSIONS, VERSIONS)
def test_moving_a_chart_twice_is_moving_it_once(before: str, after: str) -> None:
    text = RELEASE.replace("1.2.3", f"'{before}'").encode()

    def move(content: bytes) -> bytes:
        (one,) = resolved(content.decode(), REPOSITORY).references
        return apply(content, references.rewrite(one, charts.as_tag(after), None, pin=False))

    once = move(text)

    assert once == text.replace(before.encode(), after.encode())
    assert move(once) == once
