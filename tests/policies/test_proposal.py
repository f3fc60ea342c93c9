"""Proposing rules: environments by folders, services by images, versions by policies or tags, and what is left over."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.images.image import Repository, Tag
from policies.images.selection import SelectionPolicy, select
from policies.proposing.places import after, environments
from policies.proposing.proposal import Proposal, propose
from policies.proposing.services import named
from policies.proposing.text import PLACEHOLDER
from policies.proposing.versions import Versions, of_policy, of_tags
from policies.rulebook.lint import ReferenceSeen, lint
from policies.rulebook.parse import parse
from policies.rules.rules import Rules

REPOSITORIES = Path(
    os.environ.get("SHARED_REPOSITORIES", Path(__file__).parents[3] / "shared" / "repositories")
)
API = "ghcr.io/example/api"


def overlay(image: str, tag: str, *more: str) -> str:
    return "\n".join(
        [
            "apiVersion: kustomize.config.k8s.io/v1beta1",
            "kind: Kustomization",
            *more,
            "images:",
            f"  - name: {image}",
            f'    newTag: "{tag}"',
            "",
        ]
    )


def workload(image: str, comment: str = "") -> str:
    return f"""\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web}}
spec:
  template:
    spec:
      containers:
        - name: web
          image: {image}{comment}
"""


def flux(name: str, image: str, policy: str) -> str:
    return f"""\
apiVersion: image.toolkit.fluxcd.io/v1
kind: ImageRepository
metadata: {{name: {name}, namespace: flux-system}}
spec: {{image: {image}, interval: 5m}}
---
apiVersion: image.toolkit.fluxcd.io/v1
kind: ImagePolicy
metadata: {{name: {name}, namespace: flux-system}}
spec:
  imageRepositoryRef: {{name: {name}}}
  {policy}
"""


AUTOMATION = """\
apiVersion: image.toolkit.fluxcd.io/v1
kind: ImageUpdateAutomation
metadata:
  name: everything
  namespace: flux-system
spec:
  interval: 5m
  sourceRef: {kind: GitRepository, name: flux-system}
  git:
    commit:
      author: {email: flux@example.com}
  update:
    path: ./apps
    strategy: Setters
"""
TWO = {
    "apps/staging/kustomization.yaml": overlay(API, "1.4.2"),
    "apps/production/kustomization.yaml": overlay(API, "1.4.1"),
}


def proposed(files: Mapping[str, str]) -> Proposal:
    return propose({path: text.encode() for path, text in files.items()})


def rules_of(proposal: Proposal) -> Rules:
    return parse({path: text.encode() for path, text in proposal.files.items()})


def codes(proposal: Proposal) -> list[str]:
    return [str(note.code) for note in proposal.notes]


# Environments


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (["a/staging/a.yaml", "a/production/a.yaml"], {"staging": ["a/staging"], "production": ["a/production"]}),
        (["clusters/prod/a.yaml", "apps/prod/b.yaml"], {"prod": ["apps/prod", "clusters/prod"]}),
        (["a/prod/a.yaml", "a/prod/b.yaml", "c/production/a.yaml"], {"prod": ["a/prod", "c/production"]}),
        (["o/production-eu/a.yaml", "o/us-prod/a"], {"production-eu": ["o/production-eu"], "us-prod": ["o/us-prod"]}),
        (["environments/pre-prod/a.yaml"], {"pre-prod": ["environments/pre-prod"]}),
        (["environments/non_prod/a.yaml"], {"non-prod": ["environments/non_prod"]}),
        (["staging/apps/production/a.yaml"], {"staging": ["staging"]}),
        (["charts/web/values-production.yaml"], {"production": ["charts/web/values-production.yaml"]}),
        (["charts/web/staging.values.yaml"], {"staging": ["charts/web/staging.values.yaml"]}),
        (["charts/web/production.yaml"], {}),
        (["default/live-chat/a.yaml", "src/test/a.yaml"], {}),
        (["environments/test/a.yaml"], {"test": ["environments/test"]}),
        (["products/a.yaml", "reproduction/a.yaml"], {}),
        (["apps/sta*ging/a.yaml", "../staging/a.yaml"], {}),
        (["STAGING/a.yaml"], {"staging": ["STAGING"]}),
    ],
    ids=lambda value: "+".join(value)[:60] if isinstance(value, list) else "",
)  # fmt: skip
def test_folders_tell_environments(paths: list[str], expected: dict[str, list[str]]) -> None:
    found = environments(paths)

    assert {name: list(place.paths) for name, place in found.items()} == expected


def test_environments_come_after_those_of_the_nearest_rank_below() -> None:
    names = ("dev", "qa", "staging", "production-eu", "production-us")
    places = environments(f"apps/{name}/a.yaml" for name in names)

    befores = {name: after(place, places.values()) for name, place in places.items()}

    assert list(places) == list(names)
    assert befores == {
        "dev": (),
        "qa": ("dev",),
        "staging": ("qa",),
        "production-eu": ("staging",),
        "production-us": ("staging",),
    }


def test_only_folders_that_name_images_are_in_the_path() -> None:
    proposal = proposed(TWO | {"clusters/staging/apps.yaml": "kind: Kustomization\n"})

    assert rules_of(proposal).environments["staging"].paths == ("apps/staging",)


# Services


def test_a_service_is_proposed_for_an_image_that_stands_in_both() -> None:
    rules = rules_of(proposed(TWO))

    assert list(rules.services) == ["api"]
    assert rules.services["api"].image == API
    assert rules.services["api"].versions_text == ">=1.0.0 <2.0.0"
    assert rules.environments["production"].after == ("staging",)
    assert not rules.environments["staging"].is_guarded
    assert rules.environments["production"].is_guarded


def test_an_image_of_others_in_one_place_is_a_comment_that_parses_without_its_hash() -> None:
    proposal = proposed(TWO | {"apps/staging/redis.yaml": workload("redis:7.2.4")})
    text = proposal.files["promotion/services.yaml"]

    assert list(rules_of(proposal).services) == ["api"]
    assert "#  redis: {image: redis, versions: '>=7.0.0 <8.0.0'} # apps/staging/redis.yaml:9" in text
    taken = re.sub(r"(?m)^#  (\w)", r"  \1", text)
    whole = {**proposal.files, "promotion/services.yaml": taken}
    assert list(parse({path: one.encode() for path, one in whole.items()}).services) == ["api", "redis"]


def test_an_image_with_a_policy_is_a_service_in_one_place_too() -> None:
    policy = flux("web", "ghcr.io/example/web", "policy: {semver: {range: 2.x}}")
    marker = ' # {"$imagepolicy": "flux-system:web"}'
    proposal = proposed(
        {"apps/staging/web.yaml": workload("ghcr.io/example/web:2.3.0", marker), "flux/web.yaml": policy}
    )

    assert rules_of(proposal).services["web"].versions_text == "2.x"


def test_a_policy_with_a_filter_is_taken_over_whole() -> None:
    policy = """filterTags: {pattern: '^main-[a-f0-9]+-(?P<ts>[0-9]+)', extract: $ts}
  policy: {numerical: {order: asc}}"""
    files = {
        "apps/staging/web.yaml": workload("ghcr.io/example/web:main-0123abc-170"),
        "flux/web.yaml": flux("web", "ghcr.io/example/web", policy),
    }
    versions = rules_of(proposed(files)).services["web"].versions

    best = select(versions, ["main-0123abc-170", "main-fedcba9-180", "other-0123abc-990"]).best

    assert best == "main-fedcba9-180"


def test_policies_of_two_clusters_that_differ_are_remarked() -> None:
    files = TWO | {
        "clusters/staging/api.yaml": flux("api", API, "policy: {semver: {range: '>=1.0.0-0'}}"),
        "clusters/production/api.yaml": flux("api", API, "policy: {semver: {range: 1.x}}"),
    }
    text = proposed(files).files["promotion/services.yaml"]

    assert (
        "versions: '1.x'} # as ImagePolicy flux-system/api says; clusters/staging/api.yaml:6 says otherwise"
        in text
    )


def test_different_tags_in_one_environment_are_told_and_not_proposed() -> None:
    proposal = proposed(
        {"apps/staging/a.yaml": workload(f"{API}:1.0.0"), "apps/staging/b.yaml": workload(f"{API}:1.1.0")}
    )

    assert not proposal.services
    (note,) = proposal.notes
    assert note.code == "not-a-service"
    assert "1.0.0 in apps/staging/a.yaml:9, 1.1.0 in apps/staging/b.yaml:9" in note.detail


def test_two_images_of_one_name_are_told_apart() -> None:
    names = named(
        {
            one: Repository(one)
            for one in (
                "ghcr.io/one/api",
                "ghcr.io/two/api",
                "quay.io/one/api",
                "ghcr.io/x/web",
                "ghcr.io/x/freeze",
            )
        }
    )

    assert names["ghcr.io/x/web"] == "web"
    assert names["ghcr.io/x/freeze"] == "x-freeze"  # a word of the commands
    assert names["ghcr.io/two/api"] == "two-api"
    assert len(set(names.values())) == 5


REPOSITORY_PARTS = st.from_regex(r"[a-z][a-z0-9]{0,3}(?:[-_.][a-z0-9]{1,2})?", fullmatch=True)


@given(st.sets(st.lists(REPOSITORY_PARTS, min_size=1, max_size=4).map("/".join), max_size=12))
def test_every_image_has_a_name_of_its_own(paths: set[str]) -> None:
    images = {f"h.example/{path}": Repository(f"h.example/{path}") for path in paths}

    names = named(images)

    assert names.keys() == images.keys()
    assert len(set(names.values())) == len(names)


# Versions


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        (["1.4.2"], "'>=1.0.0 <2.0.0'"),
        (["v0.43.0"], "'>=0.0.0 <1.0.0'"),
        (["3.1.0", "1.9.0"], "'>=1.0.0 <4.0.0'"),
        (["2.0.0-rc.1"], "'>=2.0.0-0 <3.0.0-0'"),
        (["2026.8.3"], "'>=2026.0.0'"),
        (["20260823101500"], "{numerical: 'asc', tags: '^[0-9]{8,14}$'}"),
        (
            ["main-0a1b2c3-1724389200"],
            "{numerical: 'asc', tags: '^main-[0-9a-f]{7,40}-(?P<number>[0-9]+)$', extract: '$number'}",
        ),
        (["build-12", "build-13"], "{numerical: 'asc', tags: '^build-(?P<number>[0-9]+)$', extract: '$number'}"),
        (["RELEASE.2024-01-18T22-51-28Z"], r"{alphabetical: 'asc', tags: '^RELEASE\.[0-9]{4}-[0-9]{2}-[0-9]{2}'}"),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, list) else "",
)  # fmt: skip
def test_tags_tell_by_their_shape_what_may_come(tags: list[str], expected: str) -> None:
    found = of_tags(tags)

    assert isinstance(found, Versions)
    assert found.text == expected


@pytest.mark.parametrize(
    ("tags", "why"),
    [
        (["latest"], "the tag latest is moved in place"),
        (["18"], "no order can be read in the tag 18"),
        (["4.1.13-18-minimal"], "no order can be read"),
        (["1.43.3.10896"], "no order can be read"),
        (["0a1b2c3d4e5f"], "no order can be read"),
        (["1.2.3", "main-12"], "no order can be read in the tags 1.2.3, main-12"),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, list) else "",
)
def test_tags_without_an_order_are_told(tags: list[str], why: str) -> None:
    found = of_tags(tags)

    assert isinstance(found, str)
    assert why in found


TAGS = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,30}", fullmatch=True) | st.sampled_from(
    ["1.0.0", "v2.1.0", "1.0.0-rc.1", "main-12", "20240101", "RELEASE.2024-01-01"]
)


@given(st.lists(TAGS, min_size=1, max_size=4))
def test_what_is_guessed_takes_the_tags_that_run(tags: list[str]) -> None:
    found = of_tags(tags)

    if isinstance(found, Versions):
        rules = parse(
            {
                "promotion/a.yaml": f"services: {{api: {{image: {API}, versions: {found.text}}}}}\n".encode(),
            }
        )
        for tag in tags:
            assert select(rules.services["api"].versions, [tag]).best == Tag(tag)


def test_a_policy_that_is_no_line_of_ascii_is_not_taken_over() -> None:
    with pytest.raises(Exception, match="cannot be written"):
        of_policy(SelectionPolicy.semver("1.x", "^ä"))


# What could not be placed


def test_a_base_that_two_overlays_share_is_explained() -> None:
    files = {
        "apps/base/kustomization.yaml": "kind: Kustomization\nresources: [web.yaml]\n",
        "apps/base/web.yaml": workload("ghcr.io/example/web:2.0.0"),
        "apps/staging/kustomization.yaml": "kind: Kustomization\nresources: [../base]\n",
        "apps/production/kustomization.yaml": "kind: Kustomization\nresources:\n  - ../base\n",
    }

    (note,) = proposed(files).notes

    assert note.code == "shared-base"
    assert note.where == "apps/base/web.yaml:9"
    assert "ghcr.io/example/web:2.0.0 is shared by production, staging" in note.detail


@pytest.mark.parametrize(
    ("path", "code"),
    [("apps/base/web.yaml", "shared-base"), ("tools/web.yaml", "outside")],
)
def test_an_image_in_no_environment_is_told(path: str, code: str) -> None:
    proposal = proposed(TWO | {path: workload("ghcr.io/example/web:2.0.0")})

    assert codes(proposal) == [code]


def test_a_base_of_one_environment_is_told_so() -> None:
    files = {
        "apps/base/kustomization.yaml": "kind: Kustomization\nresources: [web.yaml]\n",
        "apps/base/web.yaml": workload("ghcr.io/example/web:2.0.0"),
        "apps/staging/kustomization.yaml": "kind: Kustomization\nresources: [../base]\n",
    }

    assert codes(proposed(files)) == ["base"]


def test_an_active_automation_is_named_with_the_patch_that_suspends_it() -> None:
    proposal = proposed(TWO | {"flux/automation.yaml": AUTOMATION})

    (note,) = proposal.notes
    assert note.code == "active-automation"
    assert "+  suspend: true" in note.patch


def test_a_suspended_automation_is_no_matter() -> None:
    suspended = AUTOMATION.replace("spec:\n", "spec:\n  suspend: true\n", 1)

    assert not proposed(TWO | {"flux/automation.yaml": suspended}).notes


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (workload("{{ .Values.image }}"), "template"),
        (workload(f"{API}:1.0.0") + "sops: {version: 3.8.1, mac: abc}\n", "encrypted"),
    ],
    ids=["template", "sops"],
)
def test_what_cannot_be_edited_is_told(text: str, code: str) -> None:
    proposal = proposed(TWO | {"apps/staging/other.yaml": text})

    assert codes(proposal) == [code]


def test_a_service_that_waits_for_an_environment_where_it_is_not_is_told() -> None:
    files = TWO | {
        f"apps/production/{name}.yaml": workload("ghcr.io/example/web:2.0.0") for name in ("one", "two")
    }

    proposal = proposed(files)

    assert [one.name for one in proposal.services] == ["api", "web"]
    assert codes(proposal) == ["nowhere-before"]


def test_what_flux_and_pipelines_write_for_themselves_is_passed_over() -> None:
    files = {
        "clusters/staging/flux-system/gotk-components.yaml": workload("ghcr.io/fluxcd/source-controller:v1.6.0"),
        "clusters/production/flux-system/gotk-components.yaml": workload("ghcr.io/fluxcd/source-controller:v1.6.0"),
        ".github/staging/test.yaml": workload("ghcr.io/example/ci:1.0.0"),
    }  # fmt: skip

    proposal = proposed(TWO | files)

    assert [one.name for one in proposal.services] == ["api"]
    assert not proposal.notes


def test_a_repository_without_environments_is_one() -> None:
    proposal = proposed(
        {"kubernetes/a.yaml": workload(f"{API}:1.0.0"), "kubernetes/b.yaml": workload(f"{API}:1.0.0")}
    )

    assert codes(proposal) == ["one-environment"]
    assert rules_of(proposal).environments["production"].paths == ("kubernetes",)
    assert list(rules_of(proposal).services) == ["api"]


def test_nothing_at_all_is_told() -> None:
    proposal = proposed({"README.yaml": "a: b\n"})

    assert codes(proposal) == ["no-references"]
    assert not rules_of(proposal).environments


def test_rules_that_are_there_are_not_looked_at() -> None:
    there = {"promotion/rules.yaml": "services: {api: {image: ghcr.io/example/other:1}}\n"}

    assert proposed(TWO | there).files == proposed(TWO).files


def test_lint_names_the_placeholder() -> None:
    rules = rules_of(proposed(TWO))
    seen = {
        name: [ReferenceSeen(f"apps/{name}/kustomization.yaml", 5, API)] for name in ("staging", "production")
    }

    (finding,) = lint(rules, seen)

    assert f"nobody could approve a request of {PLACEHOLDER}" in finding.what


# Laws


NAMES = st.sampled_from(
    ["apps/staging", "apps/production", "clusters/prod", "base", "tools", "apps/prod 'x'", "ä"]
)
IMAGES = st.sampled_from([API, "redis", "ghcr.io/two/api", "localhost:5000/api"])


@given(st.dictionaries(st.tuples(NAMES, st.integers(0, 3)), st.tuples(IMAGES, TAGS), max_size=8))
def test_whatever_is_proposed_parses(held: dict[tuple[str, int], tuple[str, str]]) -> None:
    files = {
        f"{where}/{number}.yaml": workload(f"{image}:{tag}") for (where, number), (image, tag) in held.items()
    }

    proposal = proposed(files)

    assert sorted(rules_of(proposal).services) == sorted(one.name for one in proposal.services)


@given(
    st.dictionaries(
        st.sampled_from(["apps/staging/a.yaml", "b/kustomization.yaml", "prod.yaml"]), st.binary(max_size=80)
    )
)
def test_no_bytes_stop_a_proposal(files: dict[str, bytes]) -> None:
    assert rules_of(propose(files)) is not None


# Real repositories


def real(name: str) -> Proposal:
    root = REPOSITORIES / name
    if not root.is_dir():
        pytest.skip(f"the folder {root} is absent (SHARED_REPOSITORIES)")
    return propose(
        {
            path.relative_to(root).as_posix(): path.read_bytes()
            for path in root.rglob("*.y*ml")
            if path.is_file()
        }
    )


def test_of_the_example_of_flux_environments_are_proposed_and_its_base_is_explained() -> None:
    proposal = real("flux2-kustomize-helm-example")

    assert list(rules_of(proposal).environments) == ["staging", "production"]
    assert not proposal.services
    assert set(codes(proposal)) == {"shared-base", "chart-range"}
    (base,) = [note for note in proposal.notes if note.code == "shared-base"]
    assert "public.ecr.aws/docker/library/redis:8.6.2 is shared by production, staging" in base.detail


def test_of_a_cluster_at_home_one_environment_is_proposed_and_images_of_others_as_comments() -> None:
    proposal = real("k8s-gitops")

    rules = rules_of(proposal)
    assert list(rules.environments) == ["production"]
    assert list(rules.services) == ["minecraft-server"]
    assert len(proposal.aside) > 60
    assert {"one-environment", "not-a-service", "alias", "shared"} <= set(codes(proposal))
    text = re.sub(r"(?m)^#  (\w)", r"  \1", proposal.files["promotion/services.yaml"])
    whole = {**proposal.files, "promotion/services.yaml": text}
    assert len(parse({path: one.encode() for path, one in whole.items()}).services) > 60
