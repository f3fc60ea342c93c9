"""Container images of any object that holds lists of containers."""

import pytest

from policies.images.image import Digest, Tag
from policies.manifests import references
from policies.manifests.places import ProblemCode, ReferenceKind

OLD, NEW = "sha256:" + "b" * 64, Digest("sha256:" + "a" * 64)
POD = "{containers: [{name: web, image: r/a:1}], initContainers: [{name: init, image: r/b:1}]}"


@pytest.mark.parametrize(
    ("text", "owner"),
    [
        (f"kind: Pod\nmetadata: {{name: x, namespace: n}}\nspec: {POD}", "Pod/n/x"),
        (f"kind: Deployment\nmetadata: {{name: x}}\nspec: {{template: {{spec: {POD}}}}}", "Deployment//x"),
        (
            f"kind: CronJob\nmetadata: {{name: x}}\nspec: {{jobTemplate: {{spec: {{template: {{spec: {POD}}}}}}}}}",
            "CronJob//x",
        ),
        (f"kind: RayCluster\nspec: {{workers: [{{template: {{spec: {POD}}}}}]}}", "RayCluster//"),
        (f"kind: PodTemplate\nmetadata: {{generateName: x}}\ntemplate: {{spec: {POD}}}", "PodTemplate//"),
        (f"kind: List\nitems:\n- kind: Pod\n  metadata: {{name: x}}\n  spec: {POD}", "Pod//x"),
        (f"kind: PodList\nitems:\n- {{kind: List, items: [{{kind: Pod, spec: {POD}}}]}}", "Pod//"),
        (f"kind: Other\nmetadata: x\nspec: {POD}", "Other//"),
    ],
)
def test_containers_are_found_at_any_depth(text: str, owner: str) -> None:
    found = references.find("a.yaml", text.encode()).references

    assert [(one.kind, one.repository, one.tag) for one in found] == [
        (ReferenceKind.WORKLOAD, "r/a", "1"),
        (ReferenceKind.WORKLOAD, "r/b", "1"),
    ]
    assert [scalar.where for one in found for scalar in one.scalars] == [
        f"workload:{owner}/web",
        f"workload:{owner}/init",
    ]


def test_ephemeral_containers_count() -> None:
    text = "kind: Pod\nspec: {ephemeralContainers: [{name: debug, image: r/a:1}]}"

    assert len(references.find("a.yaml", text.encode()).references) == 1


@pytest.mark.parametrize(
    "text",
    [
        "spec: {containers: [{name: a, image: r/a:1}]}",
        "kind: Pod\nspec: {containers: [{name: a, image: r/a}]}",
        "kind: Pod\nspec: {containers: [{name: a}, image, [image]]}",
        "kind: Pod\nspec: {containers: {image: r/a:1}}",
        "kind: CustomResourceDefinition\nspec: {properties: {containers: {items: {image: {type: string}}}}}",
        "kind: List\nitems: [image, 1]",
        "kind: ConfigMap\ndata:\n  a: |\n    kind: Pod\n    containers: [{image: r/a:1}]\n",
        "image",
    ],
)
def test_what_pins_nothing_is_no_reference(text: str) -> None:
    found = references.find("a.yaml", text.encode())

    assert (found.references, found.problems) == ((), ())


@pytest.mark.parametrize(
    ("containers", "code"),
    [
        ("[{name: a, image: r/a:1}, {name: a, image: r/a:1}]", ProblemCode.DUPLICATE),
        ("[{image: r/a:1}, {image: r/b:1}]", ProblemCode.DUPLICATE),
        ("[{name: a, image: 'r/a:${TAG}'}]", ProblemCode.TEMPLATE),
        ("[{name: a, image: {{ .Values.image }} }]", ProblemCode.TEMPLATE),
        ("[{name: a, image: 'R/A:1'}]", ProblemCode.NOT_AN_IMAGE),
        ("[{name: a, image: }]", ProblemCode.NOT_AN_IMAGE),
        ("[{name: a, image: {repository: x}}]", ProblemCode.NOT_AN_IMAGE),
        ("&c [*c]", ProblemCode.ALIAS),
        ("&c [{env: *c}]\n  initContainers: *c", ProblemCode.ALIAS),
        ('[{name: "a\\u0007", image: r/a:1}]', ProblemCode.NOT_AN_IMAGE),
    ],
)
def test_what_cannot_be_written_is_named(containers: str, code: ProblemCode) -> None:
    found = references.find("a.yaml", f"# image\nkind: Pod\nspec:\n  containers: {containers}\n".encode())

    assert found.references == ()
    assert {problem.code for problem in found.problems} == {code}


@pytest.mark.parametrize(
    ("image", "pin", "keep"),
    [
        ("r/a:1", f"r/a:2@{NEW}", "r/a:2"),
        (f"r/a:1@{OLD}", f"r/a:2@{NEW}", f"r/a:2@{NEW}"),
        (f"r/a@{OLD}", f"r/a:2@{NEW}", f"r/a@{NEW}"),
        ("localhost:5000/a:1", f"localhost:5000/a:2@{NEW}", "localhost:5000/a:2"),
    ],
)
def test_pin_and_keep_write_the_whole_scalar(image: str, pin: str, keep: str) -> None:
    text = f"kind: Pod\nspec: {{containers: [{{name: a, image: '{image}'}}]}}"
    (reference,) = references.find("a.yaml", text.encode()).references

    for wanted, is_pin in ((pin, True), (keep, False)):
        assert [edit.new for edit in references.rewrite(reference, Tag("2"), NEW, pin=is_pin)] == [wanted]


def test_an_anchored_image_warns_of_its_aliases() -> None:
    text = (
        "kind: Pod\nspec: {containers: [{name: a, image: &i r/a:1}], initContainers: [{name: b, image: *i}]}"
    )

    found = references.find("a.yaml", text.encode())

    assert [one.scalars[0].where for one in found.references] == ["workload:Pod///a"]
    assert sorted(problem.code for problem in found.problems) == [ProblemCode.ALIAS, ProblemCode.SHARED]
