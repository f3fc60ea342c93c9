"""Reach: which files an environment pulls in, and which pins it has only there."""

from collections.abc import Mapping
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.manifests import references
from policies.manifests.places import ProblemCode
from policies.manifests.reach import MAX_DEPTH, Reach, reach, shared_pins

POD = "kind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: web, image: ghcr.io/x/app:1}]}\n"
FLUX = """\
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: apps}
spec: {path: ./apps, sourceRef: {kind: GitRepository, name: flux-system}}
"""


def encoded(files: Mapping[str, str]) -> dict[str, bytes]:
    return {path: text.encode() for path, text in files.items()}


def reached(files: Mapping[str, str], *roots: str) -> Reach:
    return reach(encoded(files), roots)


@pytest.mark.parametrize(
    ("kustomization", "pulled"),
    [
        ("resources: [../base/a.yaml]", ["base/a.yaml"]),
        ("resources: [../base]", ["base/b.yaml", "base/kustomization.yaml"]),
        ("resources: [./../base/.]", ["base/b.yaml", "base/kustomization.yaml"]),
        ("bases:\n- ../base/\n", ["base/b.yaml", "base/kustomization.yaml"]),
        ("components: [../part]", ["part/Kustomization", "part/p.yaml"]),
        ("patches: [{path: ../base/a.yaml}, {patch: 'x: y'}]", ["base/a.yaml"]),
        ("patchesStrategicMerge:\n- ../base/a.yaml\n- |-\n  kind: Pod\n", ["base/a.yaml"]),
        ("patchesJson6902: [{target: {kind: Pod}, path: ../base/a.yaml}]", ["base/a.yaml"]),
        ("replacements: [{path: ../base/a.yaml}]", ["base/a.yaml"]),
        (
            "configMapGenerator: [{files: [v.yaml=../base/a.yaml, ../base/b.yaml]}]",
            ["base/a.yaml", "base/b.yaml"],
        ),
        ("secretGenerator: [{envs: [../base/x.env], env: ../base/a.yaml}]", ["base/a.yaml", "base/x.env"]),
        ("helmCharts: [{name: c, valuesFile: ../base/a.yaml}]", ["base/a.yaml"]),
        ("helmCharts: [{name: c, additionalValuesFiles: [../base/a.yaml]}]", ["base/a.yaml"]),
        ("transformers: [../base/a.yaml]", ["base/a.yaml"]),
        ("x: &x [../base/a.yaml]\nresources: *x", ["base/a.yaml"]),
        ("resources: [a.yaml, https://example.com/a.yaml, 'git@github.com:x/y']", []),
        ("resources: [github.com/x/y//deploy?ref=v1, 'example.com/x/y']", []),
        ("valuesFrom: [../base/a.yaml]", []),
        ("resources: ../base", []),
        ("resources: [[../base], {a: ../base}, , 1]", None),
        ("resources: {{ .x }}\n{{- end }}", None),
        ("resources: [../missing.yaml]", None),
        ("resources: [../empty]", None),
        ("resources: [../../outside]", None),
        ("resources: [/base/a.yaml]", None),
    ],
)
def test_what_a_kustomization_names_is_pulled_in(kustomization: str, pulled: list[str] | None) -> None:
    files = {
        "env/kustomization.yml": kustomization,
        "env/a.yaml": POD,
        "base/a.yaml": POD,
        "base/b.yaml": POD,
        "base/x.env": "a=b",
        "base/kustomization.yaml": "resources: [b.yaml]",
        "part/Kustomization": "kind: Component\nresources: [p.yaml]",
        "part/p.yaml": POD,
        "empty/x.txt": "",
    }

    found = reached(files, "env")

    assert sorted(found.shared) == (pulled or [])
    assert bool(found.problems) == (pulled is None)
    assert found.own == {"env/kustomization.yml", "env/a.yaml"}
    assert found.files == found.own | set(found.shared)


@pytest.mark.parametrize(
    ("text", "line", "code"),
    [
        ("resources:\n- x.yaml\n", 2, ProblemCode.MISSING),
        ("components:\n\n- ../../../x\n", 3, ProblemCode.OUTSIDE),
        ("resources: [\n", 2, ProblemCode.UNPARSABLE),
        ("a: &a b\nresources: [caf\udce9]", 2, ProblemCode.NOT_UTF_8),
    ],
)
def test_what_cannot_be_followed_is_named_with_its_line(text: str, line: int, code: ProblemCode) -> None:
    content = text.encode("utf-8", "surrogateescape")

    (problem,) = reach({"e/kustomization.yaml": content}, ["e"]).problems

    assert (problem.path, problem.line, problem.code) == ("e/kustomization.yaml", line, code)


def test_flux_builds_a_folder_by_its_kustomization_or_as_a_whole() -> None:
    whole = {"clusters/a/apps.yaml": FLUX, "apps/web.yaml": POD, "apps/x/y.yaml": POD, "apps/x.txt": ""}
    own = whole | {"apps/kustomization.yaml": "resources: [web.yaml]"}
    inner = whole | {"apps/x/kustomization.yaml": "resources: []", "apps/x/z/a.yaml": POD}

    assert sorted(reached(whole, "clusters/a").shared) == ["apps/web.yaml", "apps/x/y.yaml"]
    assert sorted(reached(own, "clusters/a").shared) == ["apps/kustomization.yaml", "apps/web.yaml"]
    assert sorted(reached(inner, "clusters/a").shared) == ["apps/web.yaml", "apps/x/kustomization.yaml"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("./apps", "./other-repository"),
        ("./apps", "../apps"),
        ("GitRepository", "OCIRepository"),
        ("v1\nkind: Kustomization", "v1\nkind: Other"),
    ],
)
def test_what_flux_builds_from_elsewhere_is_left_out_without_a_word(old: str, new: str) -> None:
    files = {"clusters/a/apps.yaml": FLUX.replace(old, new), "apps/web.yaml": POD}

    found = reached(files, "clusters/a")

    assert (dict(found.shared), found.problems) == ({}, ())


def test_cycles_end() -> None:
    files = {
        "a/kustomization.yaml": "resources: [../b, ../a]\ncomponents: [.]",
        "b/kustomization.yaml": "resources: [../a]\n",
    }

    found = reached(files, "a")

    assert found == Reach(frozenset(files), {"b/kustomization.yaml": ("a/kustomization.yaml",)})


def test_depth_is_capped_and_said() -> None:
    files = {f"d{n}/kustomization.yaml": f"resources: [../d{n + 1}]" for n in range(MAX_DEPTH + 10)}
    files[f"d{MAX_DEPTH + 10}/kustomization.yaml"] = ""

    found = reached(files, "d0")

    assert len(found.files) == MAX_DEPTH + 1
    assert [problem.code for problem in found.problems] == [ProblemCode.TOO_DEEP]


@pytest.mark.parametrize(
    ("root", "count"),
    [
        ("", 3),
        (".", 3),
        ("apps", 2),
        ("./apps/", 2),
        ("apps/a", 1),
        ("apps/a/x.yaml", 1),
        ("ap", 0),
        ("../apps", 0),
    ],
)
def test_the_own_files_are_those_below_the_paths(root: str, count: int) -> None:
    files = {"apps/a/x.yaml": POD, "apps/b.yaml": POD, "apps-2/c.yaml": POD}

    assert len(reached(files, root).files) == count


def test_an_image_pinned_only_in_a_shared_base_is_named_with_those_who_share_it() -> None:
    files = {
        "apps/base/deployment.yaml": POD.replace("web, image", "side, image").replace("x/app", "x/side")
        + "---\n"
        + POD,
        "apps/base/kustomization.yaml": "resources: [deployment.yaml]",
        "apps/staging/kustomization.yaml": "resources: [../base]",
        "apps/production/kustomization.yaml": "resources: [../base]",
        "apps/dev/kustomization.yaml": "resources: [../base]\nimages: [{name: ghcr.io/x/app, newTag: '2'}]",
    }
    found = [one for path, text in files.items() for one in references.find(path, text.encode()).references]
    reaches = {name: reached(files, f"apps/{name}") for name in ("staging", "production", "dev")}

    pins = shared_pins(found, reaches)

    assert {name: [one.reference.repository for one in of] for name, of in pins.items()} == {
        "staging": ["ghcr.io/x/side", "ghcr.io/x/app"],
        "production": ["ghcr.io/x/side", "ghcr.io/x/app"],
        "dev": ["ghcr.io/x/side"],
    }
    assert pins["staging"][1].detail == (
        "ghcr.io/x/app is pinned only in apps/base/deployment.yaml:7, which dev, production and staging share"
    )


def test_a_base_of_one_environment_is_named_too() -> None:
    files = {"base/a.yaml": POD, "env/kustomization.yaml": "resources: [../base/a.yaml]"}
    found = references.find("base/a.yaml", files["base/a.yaml"].encode()).references

    (pin,) = shared_pins(found, {"prod": reached(files, "env")})["prod"]

    assert pin.detail == (
        "ghcr.io/x/app is pinned only in base/a.yaml:3, which prod pulls in from outside of its path"
    )


# Laws

FOLDERS = st.sampled_from(["a", "b", "c", "a/d"])
LINKS = st.sampled_from(
    ["../a", "../b", "../c", "d", "x.yaml", "../b/x.yaml", "../../c", "../x.txt", "https://x/y"]
)
KEYS = st.sampled_from(["resources", "components", "bases", "patchesStrategicMerge"])
KUSTOMIZATIONS = st.dictionaries(KEYS, st.lists(LINKS, max_size=3), max_size=2).map(
    lambda said: "\n".join(f"{key}: {links}" for key, links in said.items())
)
REPOSITORIES = st.dictionaries(FOLDERS, KUSTOMIZATIONS).map(
    lambda said: (
        {f"{folder}/kustomization.yaml": text for folder, text in said.items()}
        | {f"{folder}/x.yaml": POD for folder in said}
        | {"fl.yaml": FLUX.replace("./apps", "c")}
    )
)


@given(REPOSITORIES, FOLDERS, FOLDERS)
def test_the_reach_of_two_paths_is_that_of_each_together(files: dict[str, str], one: str, two: str) -> None:
    both = reached(files, one, two)

    assert both.files == reached(files, one).files | reached(files, two).files
    assert both.files <= files.keys()
    assert set(both.problems) == {*reached(files, one).problems, *reached(files, two).problems}


@given(REPOSITORIES, FOLDERS, st.randoms(use_true_random=False))
def test_the_reach_depends_neither_on_order_nor_on_other_files(
    files: dict[str, str], root: str, order: Random
) -> None:
    before = reached(files, root)
    items = [*files.items(), ("z/kustomization.yaml", "resources: [../a]")]
    order.shuffle(items)

    assert reached(dict(items), root) == before


@given(st.binary(max_size=40), st.text(max_size=5))
def test_reading_raises_nothing_on_any_bytes(junk: bytes, root: str) -> None:
    texts = (b"", b"resources: [", b"images:\n- ", FLUX.encode() + b"---\n")

    for text in texts:
        reach({"a/kustomization.yaml": text + junk, "b.yaml": text + junk}, [root, "a", ""])


def test_components_of_flux_are_reached_and_values_that_are_not_given_are_nobodys() -> None:
    files = {
        "clusters/a/apps.yaml": FLUX.replace(
            "spec: {path: ./apps,", "spec: {path: ./apps, components: [../part],"
        ),
        "apps/kustomization.yaml": "configMapGenerator: [{name: a, files: [missing.yaml, web.yaml]}]\n",
        "apps/web.yaml": POD,
        "part/kustomization.yaml": "kind: Component\nresources: [p.yaml]\n",
        "part/p.yaml": POD,
    }

    found = reached(files, "clusters/a")

    assert sorted(found.shared) == [
        "apps/kustomization.yaml",
        "apps/web.yaml",
        "part/kustomization.yaml",
        "part/p.yaml",
    ]
    assert not found.problems
