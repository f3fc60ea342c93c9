"""Markers are read as kyaml reads them; what is meant as one and is none is named."""

import pytest

from policies.images.image import Digest, Tag
from policies.manifests import markers, references
from policies.manifests.markers import MarkerIgnored
from policies.manifests.places import Part, ProblemCode, ReferenceKind

APP = '{"$imagepolicy": "flux-system:app"}'


def of(suffix: str, policy: str = "flux-system:app") -> str:
    return f'# {{"$imagepolicy": "{policy}{suffix}"}}'


@pytest.mark.parametrize(
    ("comment", "policy", "part"),
    [
        (f"# {APP}", "flux-system:app", Part.IMAGE),
        (of(":tag"), "flux-system:app", Part.TAG),
        (of(":name"), "flux-system:app", Part.NAME),
        (of(":digest"), "flux-system:app", Part.DIGEST),
        (f"#{APP}", "flux-system:app", Part.IMAGE),
        (f"## \t {APP}  ", "flux-system:app", Part.IMAGE),
        ('# {"$imagepolicy" : "n:a" }', "n:a", Part.IMAGE),
        ('# {"$imagepolicy": "n:a", "x": "y"}', "n:a", Part.IMAGE),
        ('# {"$imagepolicy": "n:a", "x": null}', "n:a", Part.IMAGE),
        ('# {"$ref":"#/definitions/io.k8s.cli.setters.n:a:tag"}', "n:a", Part.TAG),
        ('# {"\\u0024imagepolicy": "n:a.b-c"} $', "", None),
    ],
)
def test_a_comment_is_read(comment: str, policy: str, part: Part | None) -> None:
    marker = markers.parse(comment)

    assert ((marker and marker.policy) or "", marker and marker.part) == (policy, part)


@pytest.mark.parametrize(
    "comment",
    [
        "# a note",
        "# costs $5",
        '# {"$openapi":"n:a"}',
        '# {"$ref": "#/definitions/x"}',
        '# {"$ref": "", "a": "$"}',
    ],
)
def test_another_comment_is_no_marker(comment: str) -> None:
    assert markers.parse(comment) is None


@pytest.mark.parametrize(
    ("comment", "code"),
    [
        (f"# {APP} trailing", ProblemCode.MARKER_INERT),
        (f"# text {APP}", ProblemCode.MARKER_INERT),
        ("# {'$imagepolicy': 'n:a'}", ProblemCode.MARKER_INERT),
        ('# {"$imagepolicy": "n:a", "x": 1}', ProblemCode.MARKER_INERT),
        ('# {"$imagepolicy": "n:a", "x": {"y": "z"}}', ProblemCode.MARKER_INERT),
        ('# ["$imagepolicy"]', ProblemCode.MARKER_INERT),
        ("# " + "[" * 100_000 + "$imagepolicy", ProblemCode.MARKER_INERT),
        ('# {"$imagepolicy": "a"}', ProblemCode.MARKER_INERT),
        ('# {"$imagepolicy": " n:a"}', ProblemCode.MARKER_INERT),
        ('# {"$imagepolicy": "n/a"}', ProblemCode.MARKER_INERT),
        ('# {"$imagepolicy": null}', ProblemCode.MARKER_INERT),
        ('# {"$imagepolicy": "n:a\\nImage: x"}', ProblemCode.MARKER_INERT),
        ('# {"$imagepolicy": "n:a:"}', ProblemCode.MARKER_SUFFIX),
        ('# {"$imagepolicy": "n:a:foo"}', ProblemCode.MARKER_SUFFIX),
        ('# {"$imagepolicy": "n:a:tag:x"}', ProblemCode.MARKER_SUFFIX),
        ('# {"$imagepolicy": "n:a:Tag"}', ProblemCode.MARKER_SUFFIX),
    ],
)
def test_a_comment_that_flux_ignores_is_named(comment: str, code: ProblemCode) -> None:
    with pytest.raises(MarkerIgnored) as ignored:
        markers.parse(comment)

    assert ignored.value.code == code


@pytest.mark.parametrize(
    ("path", "is_read"),
    [
        *(
            ("a.yaml", True),
            ("a.yml", True),
            (".github/a.yaml", True),
            ("x/Kustomization", True),
            (".yaml", True),
        ),
        *(
            ("a.YAML", False),
            ("a.json", False),
            ("kustomization", False),
            ("Kustomization/a", False),
            ("ayaml", False),
        ),
    ],
)
def test_files_are_chosen_as_flux_does(path: str, is_read: bool) -> None:  # noqa: FBT001  a table
    assert markers.is_read(path) == is_read
    assert bool(references.find(path, f"image: r/a:1 # {APP}\n".encode()).references) == is_read


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        (f"a: 1\n# {APP}\nb: 2\n", ProblemCode.MARKER_INERT, 2),
        (f"a: # {APP}\n  b: 1\n", ProblemCode.MARKER_INERT, 1),
        (f"a: # {APP}\nb: 1\n", ProblemCode.NOT_AN_IMAGE, 1),
        (f"a: [x, y] # {APP}\n", ProblemCode.MARKER_INERT, 1),
        (f"a:\n  b: |\n    c: x # {APP}\n", ProblemCode.BLOCK_SCALAR, 3),
        (f'a: "x\\\n  y" # {APP}\n', ProblemCode.BLOCK_SCALAR, 1),
        (f"a: &x r/a:1\nb: *x # {APP}\n", ProblemCode.ALIAS, 2),
        (f"- image: r/a:1 # {APP}\n", ProblemCode.NOT_AN_OBJECT, 1),
        (f"metadata: foo\ni: r/a:1 # {APP}\n", ProblemCode.NOT_AN_OBJECT, 2),
        (f"a: 1\nb: 'x # {APP}'\n", ProblemCode.MARKER_INERT, 2),
        (f"a: 1 # {APP}\n b: [\n", ProblemCode.UNPARSABLE, 2),
        (f"i: R/A:1 # {APP}\n", ProblemCode.NOT_AN_IMAGE, 1),
        (f"i: ${{X}}:1 # {APP}\n", ProblemCode.TEMPLATE, 1),
        (f"version: 1.0 {of(':tag')}\n", ProblemCode.MARKER_REPOSITORY, 1),
        (f"repository: v1 {of(':tag')}\n", ProblemCode.MARKER_REPOSITORY, 1),
        (f"repository: r/a\ntag: 1.0 # {APP}\n", ProblemCode.MARKER_FORM, 2),
        (f"repository: r/a {of(':name', 'n:b')}\ntag: 1.0 {of(':tag')}\n", ProblemCode.MARKER_FORM, 1),
        (f"repository: r/a\ntag: 1.0@ {of(':tag')}\n", ProblemCode.NOT_AN_IMAGE, 2),
        (f"i: r/a:1 # {APP}\ni: r/a:1\n", ProblemCode.AMBIGUOUS, 1),
    ],
)
def test_a_marker_that_cannot_be_followed_is_named(text: str, code: ProblemCode, line: int) -> None:
    found = references.find("a.yaml", text.encode())

    assert found.references == ()
    assert [(problem.code, problem.line) for problem in found.problems] == [(code, line)]


def test_a_thousand_stray_markers_on_one_line_are_each_named() -> None:
    found = references.find("a.yaml", f"a: 1\n# {APP * 1000}\n".encode())

    assert len(found.problems) == 1000


def test_a_marker_in_a_list_takes_the_repository_of_its_scalar() -> None:
    (reference,) = references.find(
        "a.yaml", f"args:\n- a\n- r/a:1@sha256:{'a' * 64} # {APP}\n".encode()
    ).references

    assert (reference.kind, reference.marker, reference.line) == (ReferenceKind.MARKER, "flux-system:app", 3)
    assert (reference.repository, reference.tag, reference.digest) == ("r/a", "1", f"sha256:{'a' * 64}")
    assert [scalar.where for scalar in reference.scalars] == ["marker:flux-system:app"]


def test_a_marked_image_without_a_tag_is_a_place_to_write_to() -> None:
    (reference,) = references.find("a.yaml", f"image: r/a # {APP}\n".encode()).references

    assert (reference.repository, reference.tag) == ("r/a", None)


@pytest.mark.parametrize(
    ("text", "repository"),
    [
        (f"url: x\nrepository: r/a\nversion: '1' {of(':tag')}\n", "r/a"),
        (f"name: r/a\ntag: '1' {of(':tag')}\n", "r/a"),
        (f"newName: r/a\nname: b\nnewTag: '1' {of(':tag')}\n", "r/a"),
        (f"registry: ghcr.io\nrepository: r/a\nv: '1' {of(':tag')}\n", "ghcr.io/r/a"),
        (f"n: r/a {of(':name')}\nv: '1' {of(':tag')}\n", "r/a"),
        (f"image: r/a:0 # {APP}\nname: WEB\nvalue: '1' {of(':tag')}\n", "r/a"),
        (f"image: r/a:0 # {APP}\nargs:\n- '1' {of(':tag')}\n", "r/a"),
        (f"anchors: &r r/a\nx: {{repository: *r, version: '1' {of(':tag')}\n  }}\n", "r/a"),
    ],
    ids=[
        "repository",
        "name",
        "newName",
        "registry",
        "same policy's name",
        "same policy's image",
        "in a list",
        "alias",
    ],
)
def test_a_marked_tag_finds_its_repository(text: str, repository: str) -> None:
    found = references.find("a.yaml", text.encode())

    tagged = [reference for reference in found.references if reference.tag == "1"]
    assert [reference.repository for reference in tagged] == [repository]


def test_a_tag_away_from_its_image_never_takes_a_digest() -> None:
    text = f"image: r/a:1 # {APP}\nlabels:\n  version: '1' {of(':tag')}\n"

    image, label = references.find("a.yaml", text.encode()).references
    edits = references.rewrite(label, Tag("2"), Digest("sha256:" + "a" * 64), pin=True)

    assert [scalar.part for scalar in label.scalars] == [Part.VERSION]
    assert [(edit.where, edit.new) for edit in edits] == [("marker:flux-system:app:tag", "2")]
    assert image.scalars[0].where == "marker:flux-system:app"


def test_a_marked_tag_takes_the_digest_beside_it() -> None:
    for digest, where in ((of(":digest"), "marker:flux-system:app:digest"), ("", "values:image.digest")):
        text = f"image:\n  name: r/a\n  tag: '1' {of(':tag')}\n  digest: sha256:{'a' * 64} {digest}\n"

        (reference,) = references.find("a.yaml", text.encode()).references

        assert [scalar.where for scalar in reference.scalars] == ["marker:flux-system:app:tag", where]
        assert reference.digest == f"sha256:{'a' * 64}"


def test_a_marked_digest_alone_is_a_reference() -> None:
    text = f"image:\n  name: r/a\n  digest: sha256:{'a' * 64} {of(':digest')}\n"

    (reference,) = references.find("a.yaml", text.encode()).references

    assert (reference.repository, reference.tag, len(reference.scalars)) == ("r/a", None, 1)


def test_one_marker_may_stand_at_many_scalars() -> None:
    found = references.find("a.yaml", f"a: r/a:1 # {APP}\nb: r/a:1 # {APP}\n".encode())

    assert [reference.line for reference in found.references] == [1, 2]
    assert found.problems == ()


def test_only_the_tag_takes_the_digest_beside_it() -> None:
    text = f"i:\n  repository: r/a\n  tag: '1' {of(':tag')}\n  version: '1' {of(':tag')}\n  digest: sha256:{'a' * 64}\n"

    found = references.find("a.yaml", text.encode())

    assert [[scalar.part for scalar in reference.scalars] for reference in found.references] == [
        [Part.NAME, Part.TAG, Part.DIGEST],
        [Part.VERSION],
    ]
    assert found.problems == ()


def test_each_marked_digest_is_kept() -> None:
    line = f"sha256:{'a' * 64} {of(':digest')}\n"
    text = f"image: r/a:1 # {APP}\nargs:\n- {line}- {line}more:\n  one: {line}  two: {line}"

    assert len(references.find("a.yaml", text.encode()).references) == 5


def test_a_label_that_is_no_tag_is_named() -> None:
    text = f"image: r/a:1 # {APP}\nlabels:\n  version: 1@ {of(':tag')}\n"

    assert [problem.code for problem in references.find("a.yaml", text.encode()).problems] == [
        ProblemCode.NOT_AN_IMAGE
    ]


@pytest.mark.parametrize("beside", ["registry", "repository"])
def test_what_moves_by_its_own_marker_names_no_repository(beside: str) -> None:
    text = f"{beside}: r/a:1 # {APP}\nname: r/b\nversion: '1' {of(':tag')}\n"

    (image, label) = references.find("a.yaml", text.encode()).references

    assert (image.repository, label.repository, label.scalars[0].part) == ("r/a", "r/a", Part.VERSION)


def test_a_digest_with_a_marker_of_its_own_is_not_taken_twice() -> None:
    text = f"i:\n  name: r/a\n  tag: '1' {of(':tag')}\n  digest: r/b:1 {of('', 'n:b')}\n"

    found = references.find("a.yaml", text.encode()).references

    assert [(one.marker, len(one.scalars)) for one in found] == [("flux-system:app", 1), ("n:b", 1)]
