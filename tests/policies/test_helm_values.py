"""Helm values: a repository and a tag beside each other, in values files and HelmReleases."""

import pytest

from policies import references
from policies.image import Digest, Tag
from policies.places import ProblemCode, ReferenceKind

OLD, NEW = "sha256:" + "b" * 64, Digest("sha256:" + "a" * 64)


@pytest.mark.parametrize(
    ("text", "repository", "tag", "places"),
    [
        ("repository: r/a\ntag: 1.10", "r/a", "1.10", ["repository", "tag"]),
        ("image: {repository: r/a, tag: v1}", "r/a", "v1", ["image.repository", "image.tag"]),
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
    ],
)
def test_values_beside_each_other_are_one_image(
    text: str, repository: str, tag: str | None, places: list[str]
) -> None:
    (found,) = references.find("values.yaml", f"# image\n{text}\n".encode()).references

    assert (found.kind, found.repository, found.tag) == (ReferenceKind.VALUES, repository, tag)
    assert [scalar.where for scalar in found.scalars] == [f"values:{at}" for at in places]


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
