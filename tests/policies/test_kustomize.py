"""Entries of ``images:``, in every object and file where Kustomize reads them."""

import pytest

from policies.errors import PolicyError
from policies.images.image import Digest, Tag
from policies.manifests import kustomize, references
from policies.manifests.places import Part, ProblemCode, ReferenceKind
from policies.manifests.references import rewrite
from policies.texts import edit

OLD, NEW = Digest("sha256:" + "b" * 64), Digest("sha256:" + "a" * 64)
KUSTOMIZE = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"


@pytest.mark.parametrize(
    ("path", "head", "indent"),
    [
        ("kustomization.yaml", "", ""),
        ("a/kustomization.yml", "", ""),
        ("a/Kustomization", "", ""),
        ("kustomization.yaml", "kind: Component\n", ""),
        ("other.yaml", KUSTOMIZE, ""),
        ("other.yaml", "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n", ""),
        ("flux.yaml", "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nspec:\n", "  "),
    ],
)
def test_an_entry_is_found_where_kustomize_reads_it(path: str, head: str, indent: str) -> None:
    text = f"{head}{indent}images:\n{indent}- name: web\n{indent}  newName: ghcr.io/x/web\n{indent}  newTag: 1.0.0\n"

    (reference,) = references.find(path, text.encode()).references

    assert (reference.kind, reference.repository, reference.tag) == (
        ReferenceKind.KUSTOMIZE,
        "ghcr.io/x/web",
        "1.0.0",
    )
    assert [(scalar.part, scalar.where) for scalar in reference.scalars] == [
        (Part.NAME, "kustomize:web:newName"),
        (Part.TAG, "kustomize:web:newTag"),
    ]
    assert reference.line == text[: text.index("newTag")].count("\n") + 1


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("other.yaml", "images: [{name: r/a, newTag: '1'}]"),
        ("kustomization.yaml", "apiVersion: v1\nkind: ConfigMap\nimages: [{name: r/a, newTag: '1'}]"),
        ("kustomization.yaml", "kind: Deployment\nimages: [{name: r/a, newTag: '1'}]"),
        ("kustomization.yaml", "images: [{name: r/a}]"),
        ("kustomization.yaml", "images: [{name: r/a, newName: r/b}]"),
        ("kustomization.yaml", "images: [{name: r/a, newTag: ''}]"),
        ("kustomization.yaml", "images: [{name: r/a, newTag: }]"),
        ("kustomization.yaml", "images: [{newTag: '1'}, x, [y], {}]"),
        ("kustomization.yaml", "images: x"),
        ("kustomization.yaml", "images:"),
        ("kustomization.yaml", "- images: [{name: r/a, newTag: '1'}]"),
        ("flux.yaml", "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nspec: [images]"),
    ],
)
def test_what_pins_nothing_is_no_reference(path: str, text: str) -> None:
    found = references.find(path, text.encode())

    assert (found.references, found.problems) == ((), ())


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("images: [{name: r/a, newTag: '1'}, {name: r/a, newTag: '2'}]", ProblemCode.DUPLICATE),
        ("images: [{name: r/a, newTag: [1]}]", ProblemCode.NOT_AN_IMAGE),
        ("images: [{name: r/a, newTag: 'a b'}]", ProblemCode.NOT_AN_IMAGE),
        ("images: [{name: r/a, newTag: '1', digest: sha256:aa}]", ProblemCode.NOT_AN_IMAGE),
        ("images: [{name: r/a, newTag: '${TAG}'}]", ProblemCode.TEMPLATE),
        ("x: &x [{name: r/a, newTag: '1'}]\nimages: *x", ProblemCode.ALIAS),
        ("x: &x '1'\nimages: [{name: r/a, newTag: *x}]", ProblemCode.ALIAS),
        ("images: [{name: r/a, newTag: '1', newTag: '2'}]", ProblemCode.AMBIGUOUS),
        (
            "images: [{name: r/a, newTag: '1'}]\nimages: []\nimages: [{name: r/a, newTag: '1'}]",
            ProblemCode.AMBIGUOUS,
        ),
        ('images: [{name: "r/a\\nTrailer: x", newName: r/a, newTag: "1"}]', ProblemCode.NOT_AN_IMAGE),
        ("images: [{name: r/a, newTag: |\n 1\n}]", ProblemCode.UNPARSABLE),
        ("images:\n- name: r/a\n  newTag: |-\n    1\n", ProblemCode.BLOCK_SCALAR),
    ],
)
def test_an_entry_that_cannot_be_written_is_named(text: str, code: ProblemCode) -> None:
    found = references.find("kustomization.yaml", text.encode())

    assert found.references == ()
    assert {problem.code for problem in found.problems} == {code}
    assert all(problem.detail.isprintable() for problem in found.problems)


# (entry, tag written by pin, digest written by pin, the same by keep); None: not written
DIGESTS = [
    ("newTag: '1'", f"2@{NEW}", None, "2", None),
    (f"newTag: '1@{OLD}'", f"2@{NEW}", None, f"2@{NEW}", None),
    (f"newTag: '1', digest: '{OLD}'", "2", str(NEW), "2", str(NEW)),
    (f"newTag: '1@{OLD}', digest: '{OLD}'", "2", str(NEW), f"2@{NEW}", str(NEW)),
    (f"digest: '{OLD}'", None, str(NEW), None, str(NEW)),
    ("newTag: '1', digest: ''", "2", str(NEW), "2", None),
    ("newTag: '1', digest: ", f"2@{NEW}", None, "2", None),
    (f"newTag: '2', digest: '{OLD}'", None, str(NEW), None, str(NEW)),
    (f"newTag: '2', digest: '{NEW}'", None, None, None, None),
]


@pytest.mark.parametrize(("entry", "pin_tag", "pin_digest", "keep_tag", "keep_digest"), DIGESTS)
def test_pin_and_keep_never_leave_a_stale_digest(
    entry: str, pin_tag: str | None, pin_digest: str | None, keep_tag: str | None, keep_digest: str | None
) -> None:
    found = references.find("kustomization.yaml", f"images:\n- {{name: r/a, {entry}}}\n".encode())
    (reference,) = found.references

    for pin, tag, digest in ((True, pin_tag, pin_digest), (False, keep_tag, keep_digest)):
        written = {edit.where: edit.new for edit in references.rewrite(reference, Tag("2"), NEW, pin=pin)}
        wanted = {"kustomize:r/a:newTag": tag, "kustomize:r/a:digest": digest}
        assert written == {where: value for where, value in wanted.items() if value is not None}


@pytest.mark.parametrize(
    ("entry", "pin"), [("newTag: '1'", True), (f"digest: '{OLD}'", False), (f"newTag: '1@{OLD}'", False)]
)
def test_a_digest_that_is_needed_has_to_be_given(entry: str, pin: bool) -> None:  # noqa: FBT001  a table
    (reference,) = references.find(
        "kustomization.yaml", f"images: [{{name: r/a, {entry}}}]".encode()
    ).references

    with pytest.raises(PolicyError, match="takes a digest"):
        references.rewrite(reference, Tag("2"), None, pin=pin)


def test_a_marked_entry_is_one_reference_with_the_digest_beside_it() -> None:
    marker = '# {"$imagepolicy": "flux-system:web:tag"}'
    text = f"images:\n- name: web\n  newName: r/a\n  newTag: '1' {marker}\n  digest: {OLD}\n"

    (reference,) = references.find("kustomization.yaml", text.encode()).references

    assert (reference.kind, reference.marker, reference.repository) == (
        ReferenceKind.MARKER,
        "flux-system:web",
        "r/a",
    )
    assert [scalar.where for scalar in reference.scalars] == [
        "kustomize:web:newName",
        "marker:flux-system:web:tag",
        "kustomize:web:digest",
    ]


def test_kustomizations_of_one_file_are_told_apart_by_their_names() -> None:
    one = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: NAME, namespace: flux}\n"
    text = "---\n".join(
        one.replace("NAME", name) + "spec: {images: [{name: r/a, newTag: '1'}]}\n"
        for name in ("east", "west")
    )

    found = references.find("apps.yaml", text.encode())

    assert [reference.scalars[1].where for reference in found.references] == [
        "kustomize:Kustomization/flux/east/r/a:newTag",
        "kustomize:Kustomization/flux/west/r/a:newTag",
    ]
    assert found.problems == ()


@pytest.mark.parametrize(
    ("name", "image", "is_meant"),
    [
        ("ghcr.io/x/.*", "ghcr.io/x/web", True),
        ("ghcr.io/x/(web|api)", "ghcr.io/x/api", True),
        ("ghcr.io/x/(web|api)", "ghcr.io/x/apis", False),
        ("(.*)/web", "ghcr.io/x/web", True),
        ("x/web", "ghcr.io/x/web", False),
        ("a|b", "about", True),
        ("[", "[", False),
        ("(?=a)a", "a", False),
    ],
)
def test_a_name_is_a_pattern_as_kustomize_takes_it(*, name: str, image: str, is_meant: bool) -> None:
    assert kustomize.fits(name, image) is is_meant


@pytest.mark.parametrize("name", ["ghcr.io/x/.*", "(.*)/web", r"ghcr\.io/x/web", "web{}", "["])
def test_an_entry_for_all_that_fit_is_named_and_no_reference(name: str) -> None:
    found = references.find("a/kustomization.yaml", f"images:\n- name: '{name}'\n  newTag: '1'\n".encode())

    assert found.references == ()
    assert [(one.line, one.code) for one in found.problems] == [(2, ProblemCode.NAME_PATTERN)]
    assert [(one.path, one.line, one.name) for one in found.patterns] == [("a/kustomization.yaml", 2, name)]


def test_a_pattern_with_a_new_name_pins_that_image() -> None:
    text = "images:\n- {name: '(.*)/web', newName: ghcr.io/x/web, newTag: '1'}\n"

    found = references.find("kustomization.yaml", text.encode())

    assert [(one.repository, one.tag) for one in found.references] == [("ghcr.io/x/web", "1")]
    assert (found.problems, found.patterns) == ((), ())


RELEASE = f"""\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {{name: web, namespace: shop}}
spec:
  values: {{image: {{repository: ghcr.io/x/web, tag: 1.0.0, digest: {OLD}}}}}
  postRenderers:
    - kustomize:
        images:
          - name: ghcr.io/x/web
            newTag: 1.0.0 # pinned once more
            digest: {OLD}
          - {{name: 'ghcr.io/x/side.*', newTag: 2.0.0}}
"""


def test_the_images_of_a_post_renderer_are_places_of_the_release() -> None:
    found = references.find("web.yaml", RELEASE.encode())

    edits = [one for reference in found.references for one in rewrite(reference, Tag("2.0.0"), NEW, pin=True)]

    assert [(one.kind, one.line) for one in found.references] == [
        (ReferenceKind.VALUES, 5),
        (ReferenceKind.VALUES, 10),
    ]
    assert edit.apply(RELEASE.encode(), edits).decode() == RELEASE.replace("1.0.0", "2.0.0").replace(OLD, NEW)
    assert [(one.line, one.code) for one in found.problems] == [(12, ProblemCode.NAME_PATTERN)]
