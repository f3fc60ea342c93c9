"""Overrides: the workloads' images that never run as written, precisely."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.manifests import references
from policies.manifests.overrides import overrides
from policies.manifests.places import Reference

POD = "kind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: web, image: r/app:1}]}\n"
SETS = "images: [{name: r/app, newTag: '2'}]\n"
FLUX = """\
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: apps}
spec: {path: ./app, images: [{name: r/app, newTag: '2'}]}
"""


def found_in(files: dict[str, str]) -> list[Reference]:
    return [one for path, text in files.items() for one in references.find(path, text.encode()).references]


def overridden(files: dict[str, str]) -> list[str]:
    content = {path: text.encode() for path, text in files.items()}
    return sorted(one.path for one in overrides(content, found_in(files)))


@pytest.mark.parametrize(
    ("files", "paths"),
    [
        ({"a/kustomization.yaml": f"resources: [x.yaml]\n{SETS}", "a/x.yaml": POD}, ["a/x.yaml"]),
        ({"a/kustomization.yaml": SETS, "a/x.yaml": POD}, []),
        (
            {"a/kustomization.yaml": f"resources: [b/x.yaml]\n{SETS}", "a/b/x.yaml": POD, "a/x.yaml": POD},
            ["a/b/x.yaml"],
        ),
        ({"kustomization.yaml": f"resources: [a/b]\n{SETS}", "a/b/x.yaml": POD}, []),
        (
            {
                "o/kustomization.yaml": f"resources: [../b]\n{SETS}",
                "b/kustomization.yaml": "resources: [x.yaml]",
                "b/x.yaml": POD,
            },
            ["b/x.yaml"],
        ),
        (
            {
                "o/kustomization.yaml": f"resources: [../b]\n{SETS}",
                "p/kustomization.yaml": "resources: [../b]\n",
                "b/kustomization.yaml": "resources: [x.yaml]",
                "b/x.yaml": POD,
            },
            [],
        ),
        (
            {
                "o/kustomization.yaml": f"resources: [../b]\n{SETS}",
                "p/kustomization.yaml": f"resources: [../b]\n{SETS}",
                "b/kustomization.yaml": "resources: [x.yaml]",
                "b/x.yaml": POD,
            },
            ["b/x.yaml"],
        ),
        (
            {
                "o/kustomization.yaml": "resources: [x.yaml]\ncomponents: [../c]\n",
                "c/kustomization.yaml": f"kind: Component\n{SETS}",
                "o/x.yaml": POD,
            },
            ["o/x.yaml"],
        ),
        (
            {
                "o/kustomization.yaml": "resources: [x.yaml, ../c]\n",
                "c/kustomization.yaml": SETS,
                "o/x.yaml": POD,
            },
            [],
        ),
        ({"a/kustomization.yaml": f"patches: [{{path: x.yaml}}]\n{SETS}", "a/x.yaml": POD}, ["a/x.yaml"]),
        ({"f.yaml": FLUX, "app/x.yaml": POD}, ["app/x.yaml"]),
        (
            {"f.yaml": FLUX, "app/x.yaml": POD, "app/kustomization.yaml": "resources: [x.yaml]"},
            ["app/x.yaml"],
        ),
        ({"f.yaml": FLUX, "app/x.yaml": POD, "app/kustomization.yaml": "resources: []"}, []),
        (
            {
                "f.yaml": FLUX,
                "app/k/kustomization.yaml": "resources: [x.yaml]",
                "app/k/x.yaml": POD,
                "x.yaml": POD,
            },
            ["app/k/x.yaml"],
        ),
        ({"f.yaml": f"{FLUX}---\n{FLUX.replace('2', '')}", "app/x.yaml": POD}, []),
        ({"a/kustomization.yaml": f"resources: [x.yaml, ., ../a]\n{SETS}", "a/x.yaml": POD}, []),
        ({"a/kustomization.yaml": "resources: [{", "a/x.yaml": POD}, []),
    ],
    ids=[
        *(
            "its own",
            "not listed",
            "beside one that is listed",
            "no kustomization there",
            "a base",
            "one of two",
        ),
        *(
            "both of two",
            "a component",
            "a resource's entry is its own",
            "a patch",
            "flux",
            "flux and its own",
        ),
        *("flux without it", "flux and below", "one of two of flux", "a cycle of roots", "unreadable"),
    ],
)
def test_what_a_kustomization_really_overrides(files: dict[str, str], paths: list[str]) -> None:
    assert overridden(files) == paths


@pytest.mark.parametrize(
    ("images", "is_overridden"),
    [
        ("{name: r/app, newTag: '2'}", True),
        (f"{{name: r/app, digest: 'sha256:{'a' * 64}'}}", True),
        ("{name: r/app, newName: r/b}", False),
        ("{name: r/app, newName: r/b}, {name: r/b, newTag: '2'}", True),
        ("{name: r/b, newTag: '2'}, {name: r/app, newName: r/b}", False),
        ("{name: docker.io/r/app, newTag: '2'}", False),
        ("{name: r/app, newTag: ''}", False),
        ("{name: app, newTag: '2'}", False),
        ("{newTag: '2'}, x, [y]", False),
    ],
)
def test_an_entry_overrides_by_the_name_as_it_is_written(images: str, is_overridden: bool) -> None:  # noqa: FBT001  a table
    files = {"kustomization.yaml": f"resources: [x.yaml]\nimages: [{images}]", "x.yaml": POD}

    assert bool(overridden(files)) == is_overridden


def test_a_name_that_a_base_changed_is_the_one_that_an_overlay_sets() -> None:
    files = {
        "o/kustomization.yaml": "resources: [../b]\nimages: [{name: r/new, newTag: '2'}]",
        "b/kustomization.yaml": "resources: [x.yaml]\nimages: [{name: r/app, newName: r/new}]",
        "b/x.yaml": POD,
    }

    assert overridden(files) == ["b/x.yaml"]
    assert overridden(files | {"o/kustomization.yaml": f"resources: [../b]\n{SETS}"}) == []


def test_only_images_of_containers_are_overridden_marked_or_not() -> None:
    marked = POD.replace("}]}", '}]} # {"$imagepolicy": "n:a"}').replace(
        "{containers: [{name: web, image: r/app:1}]}", "\n  containers:\n  - name: web\n    image: r/app:1"
    )
    files = {
        "kustomization.yaml": f"resources: [x.yaml, v.yaml]\n{SETS}",
        "x.yaml": marked,
        "v.yaml": "kind: HelmRelease\nspec: {values: {image: {repository: r/app, tag: '1'}}}\n",
    }

    assert overridden(files) == ["x.yaml"]


def test_a_repository_that_would_take_for_ever_to_build_overrides_nothing() -> None:
    files = {
        f"{side}{n}/kustomization.yaml": f"components: [../a{n + 1}, ../b{n + 1}]"
        for n in range(1, 30)
        for side in "ab"
    }
    files |= {"kustomization.yaml": f"resources: [x.yaml]\ncomponents: [a1, b1]\n{SETS}", "x.yaml": POD}

    assert overridden(files) == []


PARTS = st.sampled_from(
    ["resources: [../b, x.yaml]", "components: [../c]", "patches: [{path: x.yaml}]", "a: b"]
)
FILES = st.dictionaries(st.sampled_from("abcd"), st.lists(PARTS, max_size=2, unique=True), max_size=4).map(
    lambda said: (
        {f"{name}/kustomization.yaml": "\n".join([*parts, ""]) for name, parts in said.items()}
        | {f"{name}/x.yaml": POD for name in said}
    )
)


@given(FILES, st.sampled_from("abcd"))
def test_without_entries_nothing_is_overridden_and_each_entry_only_adds(
    files: dict[str, str], name: str
) -> None:
    path = f"{name}/kustomization.yaml"
    entry = {path: files.get(path, "resources: [x.yaml]\n") + SETS}

    assert overridden(files) == []
    assert set(overridden(files | entry)) <= set(overridden(_with_entries(files | entry)))


def _with_entries(files: dict[str, str]) -> dict[str, str]:
    return {path: text if "images" in text or text == POD else text + SETS for path, text in files.items()}


@given(FILES, st.randoms(use_true_random=False))
def test_the_order_of_files_changes_nothing(files: dict[str, str], order: Random) -> None:
    items = list(_with_entries(files).items())
    before = overridden(dict(items))
    order.shuffle(items)

    assert overridden(dict(items)) == before
