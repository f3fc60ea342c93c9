"""Proposing rules for odd repositories: digests alone, ranges of charts, links that lead nowhere, long names."""

import pytest

from policies.errors import PolicyError
from policies.images.image import Repository
from policies.images.selection import SelectionPolicy
from policies.proposing.places import environments, sharers
from policies.proposing.proposal import _that_parse
from policies.proposing.services import Draft, named
from policies.proposing.versions import Versions, of_policy
from policies.rulebook.fields import MAX_NAME
from tests.policies.test_proposal import API, TWO, codes, flux, overlay, proposed, rules_of, workload

DIGEST = "sha256:" + "a" * 64
RELEASE = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: web, namespace: apps}
spec:
  interval: 5m
  chart:
    spec:
      chart: web
      version: VERSION
      sourceRef: {kind: HelmRepository, name: charts, namespace: flux-system}
"""


@pytest.mark.parametrize("path", ["apps/staging/web.yaml", "tools/web.yaml"])
def test_an_image_without_a_tag_is_nobodys_service_and_no_matter(path: str) -> None:
    proposal = proposed(TWO | {path: workload(f"ghcr.io/example/web@{DIGEST}")})

    assert [one.name for one in proposal.services] == ["api"]
    assert "ghcr.io/example/web" not in str(proposal.files)


@pytest.mark.parametrize(
    ("version", "code"),
    [("1.2.3", "chart-source"), ("'>=1.0.0 <2.0.0'", "chart-range")],
    ids=["a version", "a range"],
)
def test_the_chart_of_a_release_is_told_and_not_promoted(version: str, code: str) -> None:
    proposal = proposed(TWO | {"apps/staging/release.yaml": RELEASE.replace("VERSION", version)})

    assert code in codes(proposal)


def test_what_is_wrong_in_the_documents_of_flux_is_told() -> None:
    broken = flux("api", API, "policy: {semver: {range: 1.x}}").replace("range: 1.x", "range: '>>1'")

    proposal = proposed(TWO | {"flux/api.yaml": broken})

    assert any("flux/api.yaml" in note.where for note in proposal.notes)


def test_a_policy_that_cannot_be_written_is_said_with_its_place() -> None:
    policy = "filterTags: {pattern: '^ä'}\n  policy: {semver: {range: 1.x}}"

    proposal = proposed(TWO | {"flux/api.yaml": flux("api", API, policy)})

    assert not proposal.services
    assert "flux/api.yaml:6: ImagePolicy flux-system/api cannot be taken over" in proposal.notes[0].detail


@pytest.mark.parametrize(
    "policy",
    [
        flux("api", API, "policy: {}"),
        flux("api", API, "policy: {semver: {range: 1.x}}").replace("{name: api}\n ", "{name: other}\n "),
        flux("api", "ghcr.io/UPPER/Case", "policy: {semver: {range: 1.x}}"),
    ],
    ids=["that chooses nothing", "of a repository that is not there", "of no image's name"],
)
def test_by_a_policy_that_says_nothing_the_tags_are_looked_at(policy: str) -> None:
    proposal = proposed(TWO | {"flux/api.yaml": policy})

    (service,) = proposal.services
    assert service.versions is not None
    assert "as ImagePolicy" not in service.versions.remark


def test_a_service_that_the_rules_refuse_is_put_aside_and_the_others_stay() -> None:
    places = proposed(TWO).environments
    good = Draft("api", Repository(API), Versions("1.x"), ("staging",), ("a.yaml:1",))
    bad = Draft("web", Repository("ghcr.io/example/web"), Versions("'>>1'"), ("staging",), ("b.yaml:1",))

    taken, refused = _that_parse((good, bad), places, "promotion")

    assert taken == (good,)
    assert [one.name for one in refused] == ["web"]
    assert refused[0].why.startswith("the rules refuse it: ")


def test_a_folder_whose_name_is_too_long_for_rules_is_no_environment() -> None:
    assert not environments([f"apps/production-{'x' * MAX_NAME}/a.yaml"])


def test_links_that_are_no_files_of_the_repository_share_nothing() -> None:
    links = "[../base, ../base, https://example.com/base, ../../.., {a: b}]"
    files = {
        "apps/base/kustomization.yaml": "resources: [web.yaml]\n",
        "apps/staging/kustomization.yaml": f"resources: {links}\n",
        "apps/production/kustomization.yaml": "resources: [\n",
    }
    seen = {path: text.encode() for path, text in files.items()}

    found = sharers(seen, environments(sorted(seen)))

    assert found["apps/base"] == {"staging"}
    assert not any("example.com" in path or path.startswith("..") for path in found)


def test_images_that_share_all_their_last_parts_are_numbered() -> None:
    paths = [f"{host}.example/{'/'.join('abcd')}" for host in ("one", "two", "three")]
    names = named({path: Repository(path) for path in paths})

    assert sorted(names.values()) == ["d-2", "d-3", "d-4"]


def test_a_path_that_is_not_ascii_is_written_so_that_it_is_read_back() -> None:
    files = {path.replace("apps/", 'äp"ps/'): overlay(API, "1.4.2") for path in TWO}

    proposal = proposed(files)

    assert rules_of(proposal).environments["staging"].paths == ('äp"ps/staging',)


def test_a_policy_with_an_empty_filter_cannot_be_written() -> None:
    with pytest.raises(PolicyError, match="nothing is written there"):
        of_policy(SelectionPolicy.semver("1.x", ""))
