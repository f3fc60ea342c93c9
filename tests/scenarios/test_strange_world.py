"""A world that the project did not make: any bare repository, a real registry, and nothing but one setting."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.real_registry import RealRegistry, require_real_registry
from tests.repositories import commit_to, git, make_bare, private_key

SERVICE = "team/checkout-api"
DEPLOYMENT = """\
# who deploys this? ask the platform team
apiVersion: apps/v1
kind: Deployment
metadata:
  name: checkout-api
spec:
  template:
    spec:
      containers:
        - name: app
          image: {host}/team/checkout-api:{tag}  # the one line that moves
          env: [{{name: MODE, value: "on"}}]
"""
KUSTOMIZATION = """\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [../base]
images:
  - name: {host}/team/checkout-api
    newTag: {tag}
"""
RULES = """\
environments:
  staging:    {{path: apps/staging, channel: deploys, approvals: none}}
  production: {{path: apps/production, channel: deploys, approvals: 1, after: staging}}
services:
  checkout-api: {{image: {host}/team/checkout-api, versions: 1.x}}
"""


@dataclass
class World:
    """A bare repository, a registry, and the settings of a stranger."""

    registry: RealRegistry
    repository: Path
    home: Path
    extra: dict[str, str] = field(default_factory=dict)

    def run(self, *arguments: str, expect: int | None = 0) -> str:
        """Run the command line as a process of its own; return what it prints."""
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "COUNTERSIGN_REPOSITORY": str(self.repository),
            "PYTHONPATH": str(Path(__file__).parents[2]),
            **self.extra,
        }
        done = subprocess.run(
            [sys.executable, "-m", "bot", *arguments],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
        )
        if expect is not None:
            assert done.returncode == expect, f"{done.returncode}: {done.stdout}\n{done.stderr}"
        return done.stdout

    def plan(self) -> dict[tuple[str, str], dict[str, Any]]:
        """Return the rows of the plan by environment and service."""
        read = json.loads(self.run("plan", "--json"))
        assert read["schema"] == "countersign.plan/1"
        assert read["commit"] == self.tip
        return {(row["environment"], row["service"]): row for row in read["rows"]}

    @property
    def tip(self) -> str:
        """The target branch's tip."""
        return git(self.repository, "rev-parse", "refs/heads/main")

    def entries(self) -> list[dict[str, Any]]:
        """Return the ledger's entries, oldest first, with plain git."""
        branch = git(self.repository, "for-each-ref", "--format=%(refname)", "refs/heads/ledger/")
        bodies = git(self.repository, "log", "--reverse", "--format=%b%x00", branch)
        return [json.loads(body) for body in bodies.split("\0") if body.strip()]

    def forget(self) -> None:
        """Lose the disk: database, clone, state folder."""
        shutil.rmtree(self.home)
        self.home.mkdir()


@pytest.fixture
def world(tmp_path: Path, manifest: str) -> Iterator[World]:
    require_real_registry()
    with RealRegistry(tmp_path / "registry") as registry:
        for tag in ("1.0.0", "1.1.0"):
            registry.push_index(SERVICE, tag, tag)
        text = {"workload": DEPLOYMENT, "kustomize": KUSTOMIZATION}[manifest]
        name = {"workload": "deployment.yaml", "kustomize": "kustomization.yaml"}[manifest]
        host = registry.host
        history = [
            {"README.md": "# a team's repository\n"},
            {f"apps/staging/{name}": text.format(host=host, tag="1.0.0")},
            {f"apps/production/{name}": text.format(host=host, tag="1.0.0")},
            {f"apps/staging/{name}": text.format(host=host, tag="1.1.0")},
            {"promotion/rules.yaml": RULES.format(host=host)},
        ]
        repository = make_bare(tmp_path / "gitops.git", history)
        home = tmp_path / "home"
        home.mkdir()
        yield World(registry, repository, home, {"COUNTERSIGN_SIGNING_KEY": private_key()})


@pytest.mark.parametrize("manifest", ["workload", "kustomize"])
def test_a_stranger_sees_a_new_tag_move_once(world: World) -> None:
    before = world.tip

    world.run("pass")

    assert world.tip == before, "the first pass moves nothing that was there before"
    assert next(entry["kind"] for entry in world.entries()) == "genesis"
    rows = world.plan()
    assert rows["staging", "checkout-api"]["verdict"] == "current"
    assert rows["production", "checkout-api"]["verdict"] == "waiting"

    digest = world.registry.push_index(SERVICE, "1.2.0", "new")
    rows = world.plan()

    assert rows["staging", "checkout-api"]["current"] == "1.1.0"
    assert rows["staging", "checkout-api"]["verdict"] == "ready"
    best = rows["production", "checkout-api"]["candidates"][0]
    assert (best["version"], best["verdict"], best["digest"]) == ("1.2.0", "waiting", digest)
    assert best["codes"]
    assert world.tip == before, "a plan writes nothing"

    world.run("pass")

    assert git(world.repository, "rev-list", "--count", f"{before}..main") == "1"
    assert git(world.repository, "diff", "--numstat", before, "main").split()[:2] == ["1", "1"]
    message = git(world.repository, "log", "-1", "--format=%B", "main")
    assert f"Digest: {digest}" in message.splitlines()
    assert f"Image: {world.registry.host}/{SERVICE}:1.2.0" in message.splitlines()
    moved = world.tip

    world.run("pass")
    world.forget()
    world.run("pass")

    assert world.tip == moved, "it moves once, also with an empty disk"
    assert [entry["kind"] for entry in world.entries()].count("bump") == 1
    assert world.plan()["production", "checkout-api"]["verdict"] == "waiting"
    world.run("verify")
    world.run("lint")
    why = world.run("why", "checkout-api", "production", "1.2.0")
    assert "not-requested" in why
    assert "bump: staging checkout-api" in world.run("ledger", "show")


@pytest.mark.parametrize("manifest", ["workload"])
def test_a_silent_registry_is_a_row_with_a_code_and_moves_nothing(world: World) -> None:
    world.run("pass")
    before = world.tip
    world.registry.stop()

    rows = world.plan()

    assert rows["staging", "checkout-api"]["codes"] == ["registry-unreachable"]
    world.run("pass", expect=None)
    assert world.tip == before


@pytest.mark.parametrize("manifest", ["workload"])
def test_a_move_by_hand_is_found_and_not_undone(world: World) -> None:
    world.run("pass")
    digest = world.registry.push_index(SERVICE, "1.2.0", "new")
    world.run("pass")
    text = DEPLOYMENT.format(host=world.registry.host, tag="1.1.0")
    by_hand = commit_to(world.repository, {"apps/staging/deployment.yaml": text}, message="Back by hand\n")

    findings = world.run("verify", expect=1)
    world.run("pass")

    assert by_hand[:8] in findings
    assert world.tip == by_hand, f"what a person did is not undone by the next pass ({digest})"
    assert world.entries()[-1]["kind"] in {"external", "shown"}


@pytest.mark.parametrize("manifest", ["workload"])
@pytest.mark.parametrize("point", ["before-bump-push", "after-bump-push"])
def test_a_pass_that_is_killed_around_its_push_goes_on(world: World, point: str) -> None:
    world.run("pass")
    before = world.tip
    world.registry.push_index(SERVICE, "1.2.0", "new")
    world.extra["COUNTERSIGN_FAULT"] = point

    world.run("pass", expect=-9)
    del world.extra["COUNTERSIGN_FAULT"]
    world.forget()
    world.run("pass")

    assert git(world.repository, "rev-list", "--count", f"{before}..main") == "1"
    assert [entry["kind"] for entry in world.entries()].count("bump") == 1
    world.run("verify")


@pytest.mark.parametrize("manifest", ["workload"])
def test_rules_that_stop_parsing_leave_the_last_good_ones_in_force(world: World) -> None:
    world.run("pass")
    commit_to(world.repository, {"promotion/rules.yaml": "environments: [\n"}, message="Break the rules\n")
    world.registry.push_index(SERVICE, "1.2.0", "new")

    complaint = world.run("lint", expect=1)
    world.run("pass", expect=None)

    assert "promotion/rules.yaml:" in complaint
    assert [entry["kind"] for entry in world.entries()].count("bump") == 1
    world.run("verify")


@pytest.mark.parametrize("manifest", ["workload"])
def test_each_digest_that_a_real_tag_names_is_a_version(world: World) -> None:
    first = world.registry.push_index(SERVICE, "latest", "first")
    host = world.registry.host
    text, file = DEPLOYMENT.format(host=host, tag="latest"), "apps/staging/deployment.yaml"
    rules = RULES.format(host=host).replace("versions: 1.x", "versions: {digest-of: latest}")
    files = {file: text, "apps/production/deployment.yaml": text, "promotion/rules.yaml": rules}
    before = commit_to(world.repository, files, message="Follow a tag\n")
    world.run("pass")
    assert world.tip == before, "what the tag named at the first look waits for a person"

    second = world.registry.push_index(SERVICE, "latest", "second")
    world.registry.push_index(SERVICE, "2.0.0", "another tag is none of it")
    world.run("pass")
    assert f"latest@{second}" in git(world.repository, "show", f"main:{file}")
    third = world.registry.push_index(SERVICE, "latest", "third")
    world.run("pass")

    assert git(world.repository, "rev-list", "--count", f"{before}..main") == "2"
    assert f"latest@{third}" in git(world.repository, "show", f"main:{file}")
    found = world.plan()["production", "checkout-api"]["candidates"]
    assert [one["digest"] for one in found] == [third, second, first], "newest first, each by itself"
    assert found[0]["version"] == f"latest@{third[:19]}"
    moved = world.tip

    assert world.registry.push_index(SERVICE, "latest", "second") == second
    world.run("pass")

    assert world.tip == moved, "a tag that goes back takes nobody with it"
    (back,) = world.plan()["staging", "checkout-api"]["candidates"]
    assert (back["digest"], back["verdict"]) == (second, "refused")
    assert "downgrade" in back["codes"]
    world.run("verify")
