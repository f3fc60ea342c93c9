"""The front door: what files are looked at, what belongs together, what is one reference at most."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.images.image import Digest, Tag
from policies.manifests import references
from policies.manifests.places import Problem, ProblemCode
from policies.texts.edit import apply

NEW = Digest("sha256:" + "a" * 64)
APP = '# {"$imagepolicy": "flux-system:app"}'
TAG_APP = '# {"$imagepolicy": "flux-system:app:tag"}'

REPOSITORY_FILE = f"""\
# one of everything
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web, namespace: shop}}
spec:
  template:
    metadata:
      labels:
        version: "1.0" # {{"$imagepolicy": "flux-system:app:tag"}}
    spec:
      containers:
        - name: web
          image: ghcr.io/x/app:1.0 {APP}
        - name: side
          image: ghcr.io/x/side:1.0
---
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
images:
  - name: ghcr.io/x/app
    newTag: "1.0"
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
spec:
  values:
    image: {{repository: ghcr.io/x/app, tag: "1.0"}}
"""


def test_every_kind_of_place_is_found_in_one_file_in_its_order() -> None:
    found = references.find("all.yaml", REPOSITORY_FILE.encode())

    assert [[scalar.where for scalar in one.scalars] for one in found.references] == [
        ["marker:flux-system:app:tag"],
        ["marker:flux-system:app"],
        ["workload:Deployment/shop/web/side"],
        ["kustomize:ghcr.io/x/app:name", "kustomize:ghcr.io/x/app:newTag"],
        ["values:spec.values.image.repository", "values:spec.values.image.tag"],
    ]
    assert found.problems == ()


def test_no_scalar_belongs_to_two_references() -> None:
    found = references.find("all.yaml", REPOSITORY_FILE.encode()).references

    starts = [scalar.start for one in found for scalar in one.scalars]
    assert len(set(starts)) == len(starts)


def test_all_at_once_is_one_after_the_other() -> None:
    content = REPOSITORY_FILE.encode()
    found = references.find("all.yaml", content).references
    at_once = apply(
        content, [edit for one in found for edit in references.rewrite(one, Tag("2.0"), NEW, pin=True)]
    )

    for index in range(len(found)):
        one = references.find("all.yaml", content).references[index]
        content = apply(content, references.rewrite(one, Tag("2.0"), NEW, pin=True))

    assert content == at_once
    assert at_once.decode() == (
        REPOSITORY_FILE.replace("app:1.0 #", f"app:2.0@{NEW} #")
        .replace("side:1.0", f"side:2.0@{NEW}")
        .replace('newTag: "1.0"', f'newTag: "2.0@{NEW}"')
        .replace('tag: "1.0"', f'tag: "2.0@{NEW}"')
        .replace('version: "1.0"', 'version: "2.0"')
    )


def test_spans_are_characters_of_the_text_with_its_quotes() -> None:
    text = f"\ufeffé: 😀\r\nimage: 'r/a:1' {APP}\r\n"

    (reference,) = references.find("a.yaml", text.encode()).references

    assert [text[scalar.start : scalar.end] for scalar in reference.scalars] == ["'r/a:1'"]
    assert reference.line == 2


@pytest.mark.parametrize("content", ["image: r/a:1".encode("utf-16"), "image: r/a:1".encode("utf-16-be")])
def test_utf_16_is_named_where_it_says_so(content: bytes) -> None:
    found = references.find("a.yaml", content)

    wanted = (ProblemCode.NOT_UTF_8,) if content.startswith(b"\xff\xfe") else ()
    assert tuple(problem.code for problem in found.problems) == wanted


def test_files_that_cannot_hold_an_image_are_not_even_read() -> None:
    assert references.find("a.yaml", b"{{ not YAML") == references.Found()
    assert references.find("README.md", b"image: r/a:1") == references.Found()


def test_a_file_that_cannot_be_read_is_named_with_its_line() -> None:
    found = references.find("chart/templates/a.yaml", b"image: {{ .Values.image }}\n{{- end }}\n")

    assert found.references == ()
    assert [(problem.path, problem.line, problem.code) for problem in found.problems] == [
        ("chart/templates/a.yaml", 1, "template")
    ]


def test_an_encrypted_file_is_left_alone_only_where_it_holds_images() -> None:
    sops = "sops:\n  mac: x\n"

    assert references.find("a.yaml", f"# image\na: b\n{sops}".encode()) == references.Found()
    assert references.find("a.yaml", f"image: r/a:1 {APP}\n{sops}".encode()).problems == (
        Problem(
            "a.yaml",
            3,
            ProblemCode.ENCRYPTED,
            "encrypted with sops, whose check sum an edit would break; expected a file in plain text",
        ),
    )


def test_what_is_there_already_gives_no_edit() -> None:
    found = references.find("all.yaml", REPOSITORY_FILE.encode()).references

    assert [references.rewrite(one, Tag("1.0"), None, pin=False) for one in found] == [()] * 5


@given(st.integers(1, 40), st.booleans())
def test_a_place_can_be_found_below_any_depth(depth: int, is_flow: bool) -> None:  # noqa: FBT001  hypothesis
    inner = f"'r/a:1' {APP}\n"
    if is_flow:
        text = "{a: " * depth + inner + "}" * depth
    else:
        text = "".join(f"{' ' * level}a:\n" for level in range(depth)) + f"{' ' * depth}a: {inner}"

    assert len(references.find("a.yaml", text.encode()).references) == 1


@pytest.mark.parametrize(
    "line",
    [
        f"k%d: v1 {TAG_APP}\n",
        f"# {TAG_APP}\n",
        f"k%d: | {APP}\n  x\n",
        f"k: v1 {TAG_APP}\n",
        f"k%d: &x v1 {TAG_APP}\n",
    ],
    ids=["marked", "stray", "blocks", "equal keys", "anchors"],
)
def test_a_file_full_of_markers_takes_time_in_proportion(line: str) -> None:
    text = "repository: r/a\n" + "".join(line.replace("%d", str(number)) for number in range(30_000))

    found = references.find("a.yaml", text.encode())

    assert len(found.references) + len(found.problems) == 30_000


def test_a_container_of_an_unknown_kind_is_found_once() -> None:
    text = "apiVersion: example.com/v1\nkind: Thing\nspec: {containers: [{name: a, image: r/a:1}]}\n"

    assert len(references.find("a.yaml", text.encode()).references) == 1
