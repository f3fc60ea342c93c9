"""Helm values: a repository and a tag beside each other, in values files and HelmReleases."""

import pytest

from policies.images.image import Digest, Tag
from policies.manifests import references
from policies.manifests.places import ProblemCode, ReferenceKind

OLD, NEW = "sha256:" + "b" * 64, Digest("sha256:" + "a" * 64)


@pytest.mark.parametrize(
    ("text", "repository", "tag", "places"),
    [
        ("repository: r/a\ntag: 1.10", "r/a", "1.10", ["repository", "tag"]),
        ("image: {repository: r/a, tag: v1}", "r/a", "v1", ["image.repository", "image.tag"]),
        ("webImage: r/a\nwebTag: v1", "r/a", "v1", ["webImage", "webTag"]),
        ("webRepository: r/a\nwebTag: v1", "r/a", "v1", ["webRepository", "webTag"]),
        ("web: {apiImage: 'r/a:v1'}", "r/a", "v1", ["web.apiImage"]),
        ("api_image: r/a:v1", "r/a", "v1", ["api_image"]),
        (
            "image: {registry: ghcr.io, repository: r/a, tag: v1}",
            "ghcr.io/r/a",
            "v1",
            ["image.repository", "image.tag"],
        ),
        ("image: {registry: '', repository: r/a, tag: v1}", "r/a", "v1", ["image.repository", "image.tag"]),
        (
            f"i: {{repository: r/a, tag: v1, digest: '{OLD}'}}",
            "r/a",
            "v1",
            ["i.repository", "i.tag", "i.digest"],
        ),
        (f"i: {{repository: r/a, tag: '', digest: '{OLD}'}}", "r/a", None, ["i.repository", "i.digest"]),
        (f"i: {{repository: r/a, tag: 'v1@{OLD}'}}", "r/a", "v1", ["i.repository", "i.tag"]),
        ("i: {repository: r/a, tag: v1, digest: ''}", "r/a", "v1", ["i.repository", "i.tag", "i.digest"]),
        (
            "kind: HelmRelease\nspec: {values: {web: {image: {repository: r/a, tag: v1}}}}",
            "r/a",
            "v1",
            ["spec.values.web.image.repository", "spec.values.web.image.tag"],
        ),
        (
            "sidecars: [{name: s, repository: r/a, tag: v1}]",
            "r/a",
            "v1",
            ["sidecars.s.repository", "sidecars.s.tag"],
        ),
        ("x: &r r/a\nimage: {repository: *r, tag: v1}", "r/a", "v1", ["image.tag"]),
        ("base: &b {repository: r/a}\nimage: {<<: *b, tag: v1}", "r/a", "v1", ["image.tag"]),
        ("image: r/a\ntag: v1", "r/a", "v1", ["image", "tag"]),
        ("image: r/a\nimageTag: v1", "r/a", "v1", ["image", "imageTag"]),
        ("imageRepository: r/a\nimageTag: v1", "r/a", "v1", ["imageRepository", "imageTag"]),
        (
            "webImage: localhost:5000/a\nwebImageTag: v1",
            "localhost:5000/a",
            "v1",
            ["webImage", "webImageTag"],
        ),
        ("web_image: r/a\nweb_image_tag: v1", "r/a", "v1", ["web_image", "web_image_tag"]),
        (
            f"w: {{webRegistry: ghcr.io, webRepository: r/a, webTag: v1, webDigest: '{OLD}'}}",
            "ghcr.io/r/a",
            "v1",
            ["w.webRepository", "w.webTag", "w.webDigest"],
        ),
        ("image: r/a:v1", "r/a", "v1", ["image"]),
        ("image: 'localhost:5000/a:v1'\ntag: v2", "localhost:5000/a", "v1", ["image"]),
        (f"sidecars: [{{name: s, image: r/a:v1@{OLD}}}]", "r/a", "v1", ["sidecars.s.image"]),
        ("kind: HelmRelease\nspec: {values: {image: r/a:v1}}", "r/a", "v1", ["spec.values.image"]),
        (
            "apiVersion: monitoring.example.com/v1\nkind: Prometheus\nspec: {image: r/a:v1}",
            "r/a",
            "v1",
            ["spec.image"],
        ),
    ],
)
def test_values_beside_each_other_are_one_image(
    text: str, repository: str, tag: str | None, places: list[str]
) -> None:
    (found,) = references.find("values.yaml", f"# image\n{text}\n".encode()).references

    assert (found.kind, found.repository, found.tag) == (ReferenceKind.VALUES, repository, tag)
    assert [scalar.where for scalar in found.scalars] == [f"values:{at}" for at in places]


def test_several_images_of_one_map_are_apart() -> None:
    text = "webImage: r/a\nwebTag: '1'\njobRepository: r/b\njobTag: '2'\nimage: r/c:3\ntag: '4'\n"

    found = references.find("values.yaml", text.encode())

    assert [(one.repository, one.tag) for one in found.references] == [
        ("r/a", "1"),
        ("r/b", "2"),
        ("r/c", "3"),
    ]
    assert found.problems == ()


def test_two_names_beside_one_tag_are_said_and_not_guessed() -> None:
    found = references.find("values.yaml", b"repository: ghcr.io/x\nimage: app\ntag: '1'\n")

    assert found.references == ()
    assert [problem.code for problem in found.problems] == [ProblemCode.AMBIGUOUS]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("web.yaml", "image: r/a:v1"),
        (".gitlab-ci.yaml", "job: {image: r/a:v1}"),
        ("values.yaml", "image: r/a"),
        ("values.yaml", "image: {a: b}"),
        ("values.yaml", "image: [r/a:v1]"),
        ("values.yaml", "image: https://example.com/logo.png"),
        ("values.yaml", "image: a picture of r/a:v1"),
        ("values.yaml", "image: 12"),
        ("values.yaml", "image:"),
        ("values.yaml", "kind: HelmRelease\nspec: {image: r/a:v1, valuesFrom: [{image: r/a:v1}]}"),
        ("values.yaml", "apiVersion: apps/v1\nkind: Deployment\nspec: {image: r/a:v1}"),
        ("values.yaml", "apiVersion: x.fluxcd.io/v1\nkind: Y\nspec: {image: r/a:v1}"),
    ],
)
def test_image_alone_says_too_little_outside_of_values(path: str, text: str) -> None:
    assert references.find(path, text.encode()) == references.Found()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("image: r/a:{{ .Values.tag }}", ProblemCode.TEMPLATE),
        ("image: {{ .Values.image }}", ProblemCode.TEMPLATE),
        ("image: r/a\ntag: {{ .Values.tag }}", ProblemCode.TEMPLATE),
        ("image: r/a:1\nimage: r/a:2", ProblemCode.AMBIGUOUS),
        ("x: &i r/a:1\nimage: *i", ProblemCode.ALIAS),
        ("a: [{image: r/a:1}, {image: r/b:1}]", ProblemCode.DUPLICATE),
    ],
)
def test_an_image_of_values_that_cannot_be_written_is_named(text: str, code: ProblemCode) -> None:
    found = references.find("values.yaml", f"{text}\n".encode())

    assert found.references == ()
    assert {problem.code for problem in found.problems} == {code}


def test_a_marker_on_image_says_more_than_its_key() -> None:
    line = 'image: v1 # {"$imagepolicy": "n:a:tag"}\nrepository: r/a\n'

    (reference,) = references.find("values.yaml", line.encode()).references

    assert (reference.repository, reference.tag, reference.marker) == ("r/a", "v1", "n:a")


def test_several_images_of_one_file_are_apart() -> None:
    text = "a: {image: {repository: r/a, tag: '1'}}\nb: {image: {repository: r/a, tag: '2'}}\n"

    assert [one.tag for one in references.find("values.yaml", text.encode()).references] == ["1", "2"]


@pytest.mark.parametrize(
    "text",
    [
        "repository: r/a",
        "repository: r/a\ntag: ''",
        "repository: r/a\ntag:",
        "repository: ''\ntag: v1",
        "repository: https://charts.example.com/stable\ntag: v1",
        "repository: r/a\ntag: [v1]",
        "repository: {a: b}\ntag: v1",
        "repository: r/a\ntag: refs/heads/main",
        "tag: v1",
    ],
)
def test_what_is_no_image_passes_without_a_word(text: str) -> None:
    found = references.find("values.yaml", f"# image\n{text}\n".encode())

    assert (found.references, found.problems) == ((), ())


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("repository: r/a\ntag: '{{ .Values.tag }}'", ProblemCode.TEMPLATE),
        ("x: &t v1\nimage: {repository: r/a, tag: *t}", ProblemCode.ALIAS),
        ("a:\n- {repository: r/a, tag: v1}\n- {repository: r/b, tag: v1}", ProblemCode.DUPLICATE),
        ("{repository: r/a, tag: v1}\n---\n{repository: r/b, tag: v1}", ProblemCode.DUPLICATE),
        ("repository: r/a\ntag: v1\nsops: {mac: x}", ProblemCode.ENCRYPTED),
    ],
)
def test_what_looks_like_an_image_and_cannot_be_written_is_named(text: str, code: ProblemCode) -> None:
    found = references.find("values.yaml", f"{text}\n".encode())

    assert found.references == ()
    assert {problem.code for problem in found.problems} == {code}


@pytest.mark.parametrize(
    ("values", "pin", "keep"),
    [
        ("tag: v1", {"tag": f"v2@{NEW}"}, {"tag": "v2"}),
        (f"tag: 'v1@{OLD}'", {"tag": f"v2@{NEW}"}, {"tag": f"v2@{NEW}"}),
        (f"tag: v1, digest: '{OLD}'", {"tag": "v2", "digest": str(NEW)}, {"tag": "v2", "digest": str(NEW)}),
        ("tag: v1, digest: ''", {"tag": "v2", "digest": str(NEW)}, {"tag": "v2"}),
        (f"tag: '', digest: '{OLD}'", {"digest": str(NEW)}, {"digest": str(NEW)}),
    ],
)
def test_pin_and_keep(values: str, pin: dict[str, str], keep: dict[str, str]) -> None:
    (reference,) = references.find("v.yaml", f"{{repository: r/a, {values}}}".encode()).references

    for wanted, is_pin in ((pin, True), (keep, False)):
        written = {
            edit.where.removeprefix("values:"): edit.new
            for edit in references.rewrite(reference, Tag("v2"), NEW, pin=is_pin)
        }
        assert written == wanted


def test_a_marked_pair_is_one_reference() -> None:
    text = (
        'image:\n  repository: r/a # {"$imagepolicy": "n:a:name"}\n  tag: v1 # {"$imagepolicy": "n:a:tag"}\n'
        f'  digest: {OLD} # {{"$imagepolicy": "n:a:digest"}}\n'
    )

    (reference,) = references.find("values.yaml", text.encode()).references

    assert [scalar.where for scalar in reference.scalars] == [
        "marker:n:a:name",
        "marker:n:a:tag",
        "marker:n:a:digest",
    ]
    assert (reference.kind, reference.marker) == (ReferenceKind.MARKER, "n:a")


def test_releases_of_one_file_are_told_apart_by_their_names() -> None:
    values = "{values: {i: {repository: r/a, tag: v1}}}"
    release = f"kind: HelmRelease\nmetadata: {{name: NAME, namespace: n}}\nspec: {values}\n"

    found = references.find("a.yaml", "---\n".join(release.replace("NAME", name) for name in "ab").encode())
    twice = references.find("a.yaml", f"{release}---\n{release}".encode())

    assert [one.scalars[1].where for one in found.references] == [
        f"values:HelmRelease/n/{name}/spec.values.i.tag" for name in "ab"
    ]
    assert (twice.references, {problem.code for problem in twice.problems}) == ((), {ProblemCode.DUPLICATE})


def test_an_item_of_a_list_is_named_from_its_own_root() -> None:
    text = "kind: List\nitems: [{kind: HelmRelease, spec: {values: {i: {repository: r/a, tag: v1}}}}]"

    (reference,) = references.find("a.yaml", text.encode()).references

    assert reference.scalars[1].where == "values:spec.values.i.tag"
