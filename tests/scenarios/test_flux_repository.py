"""A team's Flux repository as it stands: its policies choose, its markers are written, and nothing else."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.linting import lint_folder
from tests.real_registry import RealRegistry, require_real_registry
from tests.repositories import commit_to, git, make_bare, private_key, read_file
from tests.scenarios.test_strange_world import World

WEB, API = "acme/web", "acme/api"
SYNC = """\
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {{name: apps, namespace: flux-system}}
spec: {{interval: 5m, prune: true, path: ./apps/{name}, sourceRef: {{kind: GitRepository, name: fleet}}}}
"""
IMAGES = """\
apiVersion: image.toolkit.fluxcd.io/v1
kind: ImageRepository
metadata: {{name: web, namespace: flux-system}}
spec: {{image: {host}/acme/web, interval: 5m, exclusionList: ["-debug$", "^1\\\\.9\\\\."]}}
---
apiVersion: image.toolkit.fluxcd.io/v1
kind: ImagePolicy
metadata: {{name: web, namespace: flux-system}}
spec: {{imageRepositoryRef: {{name: web}}, policy: {{semver: {{range: "{range}"}}}}}}
"""
BUILDS = """\
apiVersion: image.toolkit.fluxcd.io/v1beta2
kind: ImageRepository
metadata: {{name: api, namespace: flux-system}}
spec: {{image: {host}/acme/api, interval: 5m}}
---
apiVersion: image.toolkit.fluxcd.io/v1beta2
kind: ImagePolicy
metadata: {{name: api, namespace: flux-system}}
spec:
  imageRepositoryRef: {{name: api}}
  filterTags: {{pattern: '^main-[0-9a-f]+-(?P<ts>[0-9]+)$', extract: $ts}}
  policy: {{numerical: {{order: asc}}}}
"""
AUTOMATION = """\
apiVersion: image.toolkit.fluxcd.io/v1
kind: ImageUpdateAutomation
metadata: {name: writer, namespace: flux-system}
spec:
  interval: 10m
  sourceRef: {kind: GitRepository, name: fleet}
  git: {commit: {author: {email: bot@example.com}}}
  update: {path: ./apps/staging}
"""
BASE = """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web}}
spec: {{template: {{spec: {{containers: [{{name: web, image: "{host}/acme/web"}}]}}}}}}
"""
OVERLAY = """\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [../../base]
images:
  - name: {host}/acme/web # who is asked? the shop team
    newTag: 1.0.0 # {{"$imagepolicy": "flux-system:web:tag"}}
  - {{name: {host}/acme/api, newTag: "main-aa-1"}} # {{"$imagepolicy": "flux-system:api:tag"}}
"""
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: api}}
spec:
  template:
    spec:
      containers:
        - name: api
          image: {host}/acme/api:main-aa-1 # {{"$imagepolicy": "flux-system:api"}}
        - {{name: copy, image: "{host}/acme/web:1.0.0"}} # not marked: nobody's but the team's
"""
RULES = """\
environments:
  staging:    {path: apps/staging, channel: deploys, approvals: none}
  production: {path: apps/production, channel: deploys, approvals: 1, after: staging}
"""
LISTED = """\
services:
  web: {versions: {flux: flux-system/web}}
  api: {versions: {flux: flux-system/api}}
"""
DISCOVERED = "discover: {flux: policies}\n"


def files(host: str, rules: str) -> dict[str, str]:
    return {
        "clusters/staging/apps.yaml": SYNC.format(name="staging"),
        "clusters/production/apps.yaml": SYNC.format(name="production"),
        "clusters/staging/images.yaml": IMAGES.format(host=host, range=">=1.0.0"),
        "clusters/production/images.yaml": IMAGES.format(host=host, range="1.0.x"),
        "infrastructure/builds.yaml": BUILDS.format(host=host),
        "apps/base/deployment.yaml": BASE.format(host=host),
        "apps/staging/web/kustomization.yaml": OVERLAY.format(host=host).replace(
            API_LINE.format(host=host), ""
        ),
        "apps/staging/api.yaml": DEPLOYMENT.format(host=host),
        "apps/production/kustomization.yaml": OVERLAY.format(host=host).replace(
            API_LINE.format(host=host), ""
        ),
        "apps/production/api.yaml": DEPLOYMENT.format(host=host),
        "promotion/rules.yaml": RULES + rules,
    }


API_LINE = OVERLAY.splitlines(keepends=True)[-1]


@pytest.fixture
def world(tmp_path: Path, rules: str) -> Iterator[World]:
    require_real_registry()
    with RealRegistry(tmp_path / "registry") as registry:
        registry.push_index(WEB, "1.0.0", "web 1.0.0")
        registry.push_index(API, "main-aa-1", "api 1")
        repository = make_bare(tmp_path / "gitops.git", [files(registry.host, rules)])
        home = tmp_path / "home"
        home.mkdir()
        yield World(registry, repository, home, {"COUNTERSIGN_SIGNING_KEY": private_key()})


@pytest.mark.parametrize("rules", [LISTED, DISCOVERED], ids=["listed", "discovered"])
def test_policies_choose_and_exactly_the_marked_scalars_are_written(world: World) -> None:
    world.run("pass")
    before = world.tip
    for tag in ("1.0.1", "1.2.0", "1.3.0-debug", "1.9.9", "2.0.0-rc.1"):
        world.registry.push_index(WEB, tag, f"web {tag}")
    for tag in ("main-ff-2", "main-bb-10", "dev-cc-99"):
        world.registry.push_index(API, tag, f"api {tag}")

    rows = world.plan()
    world.run("pass")

    best = {where: row["candidates"][0]["version"] for where, row in rows.items()}
    assert best == {
        ("staging", "web"): "1.2.0",  # neither excluded nor a prerelease
        ("production", "web"): "1.0.1",  # that cluster's own range
        ("staging", "api"): "main-bb-10",  # one policy for both, by number
        ("production", "api"): "main-bb-10",
    }
    changed = [
        line for line in git(world.repository, "diff", "-U0", before, "main").splitlines() if line[:1] in "+-"
    ]
    host = world.registry.host
    assert [line for line in changed if not line.startswith(("+++", "---"))] == [
        f'-          image: {host}/acme/api:main-aa-1 # {{"$imagepolicy": "flux-system:api"}}',
        f'+          image: {host}/acme/api:main-bb-10 # {{"$imagepolicy": "flux-system:api"}}',
        '-    newTag: 1.0.0 # {"$imagepolicy": "flux-system:web:tag"}',
        '+    newTag: 1.2.0 # {"$imagepolicy": "flux-system:web:tag"}',
    ]
    world.run("verify")


@pytest.mark.parametrize("rules", [LISTED])
def test_a_policy_that_changed_counts_at_once_and_the_ledger_says_since_when(world: World) -> None:
    world.run("pass")
    for tag in ("1.0.1", "1.2.0"):
        world.registry.push_index(WEB, tag, f"web {tag}")
    text = IMAGES.format(host=world.registry.host, range="1.0.x")
    commit_to(world.repository, {"README.md": "not a rule\n"})
    narrowed = commit_to(world.repository, {"clusters/staging/images.yaml": text})
    commit_to(world.repository, {"README.md": "not a rule either\n"})

    world.run("pass")
    world.forget()
    world.run("pass")

    rules = [entry for entry in world.entries() if entry["kind"] == "rules"]
    assert rules[-1]["commit"] == narrowed
    assert len(rules) == 2
    assert "newTag: 1.0.1 #" in read_file(world.repository, "apps/staging/web/kustomization.yaml")
    world.run("verify")


@pytest.mark.parametrize("rules", [LISTED])
@pytest.mark.parametrize(
    ("path", "text", "code", "says"),
    [
        ("clusters/staging/images.yaml", None, "flux-missing", "there is no ImagePolicy flux-system/web"),
        (
            "clusters/staging/more.yaml",
            IMAGES.replace("ImageRepository", "Gone"),
            "flux-ambiguous",
            "ImagePolicy flux-system/web stands more than once",
        ),
        (
            "clusters/staging/images.yaml",
            IMAGES.replace("{range}", "!"),
            "flux-invalid",
            "InvalidPolicy: clusters",
        ),
        (
            "clusters/staging/images.yaml",
            IMAGES.replace("interval: 5m,", "interval: 5m, suspend: true,"),
            "flux-suspended",
            "ImageRepository flux-system/web is suspended",
        ),
    ],
    ids=["missing", "ambiguous", "invalid", "suspended"],
)
def test_a_policy_that_cannot_be_used_stops_its_place_only(
    world: World, path: str, text: str | None, code: str, says: str
) -> None:
    world.run("pass")
    world.registry.push_index(WEB, "1.0.1", "web 1.0.1")
    world.registry.push_index(API, "main-cc-3", "api 3")
    host = world.registry.host
    commit_to(world.repository, {path: text and text.format(host=host, range=">=1.0.0")})

    rows = world.plan()
    world.run("pass", expect=None)

    assert rows["staging", "web"]["codes"] == [code]
    assert rows["staging", "web"]["current"] == "1.0.0"
    assert rows["production", "web"]["candidates"][0]["version"] == "1.0.1"
    assert says in world.run("plan")
    assert "newTag: 1.0.0 #" in read_file(world.repository, "apps/staging/web/kustomization.yaml")
    assert "api:main-cc-3 #" in read_file(world.repository, "apps/staging/api.yaml")


@pytest.mark.parametrize("rules", [LISTED])
def test_where_an_active_automation_writes_countersign_does_not(world: World) -> None:
    world.run("pass")
    world.registry.push_index(WEB, "1.0.1", "web 1.0.1")
    stood = commit_to(world.repository, {"clusters/staging/writer.yaml": AUTOMATION})

    rows = world.plan()
    world.run("pass", expect=None)
    shown = world.run("lint", expect=1)

    assert rows["staging", "web"]["codes"] == rows["staging", "api"]["codes"] == ["automation-active"]
    assert rows["production", "web"]["codes"] != ["automation-active"]
    assert "clusters/staging/writer.yaml" in world.run("plan")
    assert world.tip == stood
    assert (
        "clusters/staging/writer.yaml:1:1: ImageUpdateAutomation flux-system/writer writes to apps/staging"
        in shown
    )
    checkout = world.home / "checkout"
    git(world.home, "clone", "--quiet", str(world.repository), str(checkout))
    (patch,) = [one.patch for one in lint_folder(checkout, "promotion") if one.patch]
    git(checkout, "apply", stdin=patch.encode())
    mended = (checkout / "clusters/staging/writer.yaml").read_text()
    assert mended == AUTOMATION.replace("spec:\n", "spec:\n  suspend: true\n")

    commit_to(world.repository, {"clusters/staging/writer.yaml": mended})
    world.run("pass")

    assert "newTag: 1.0.1 #" in read_file(world.repository, "apps/staging/web/kustomization.yaml")
