"""Services of several images, and environments that pull them under another name: one version, the same digests."""

from tests.handlers.test_cli import Cli, app, nothing_set
from tests.repositories import commit_to, git

__all__ = ["app", "nothing_set"]  # fixtures

NAMES = ("checkout-api", "checkout-worker")
RULES = """\
environments:
  staging: {{path: apps/staging, channel: deploys, approvals: none, digest: pin}}
  edge:
    path: apps/edge
    channel: deploys
    approvals: none
    digest: pin
    after: staging
    pulled-from: {host}/mirror/<image>
services:
  checkout: {{images: [{host}/team/checkout-api, {host}/team/checkout-worker], versions: 1.x}}
people: {{ada: {{slack: U0ADA}}}}
"""


def manifest(host: str, folder: str, name: str, tag: str) -> str:
    """Return a workload of one image."""
    return (
        f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}}}\nspec:\n  template:\n    spec:\n"
        f"      containers:\n        - {{name: app, image: {host}/{folder}/{name}:{tag}}}\n"
    )


def world(app: Cli, tag: str = "1.0.0") -> str:
    """Let both images run everywhere; return the registry's host."""
    host = git(app.repository, "show", "HEAD:promotion/rules.yaml").partition("image: ")[2].partition("/")[0]
    files = {"promotion/rules.yaml": RULES.format(host=host)}
    for name in NAMES:
        files[f"apps/staging/{name}.yaml"] = manifest(host, "team", name, tag)
        files[f"apps/edge/{name}.yaml"] = manifest(host, "mirror", name, tag)
        for folder in ("team", "mirror"):
            app.registry.push(f"{folder}/{name}", "1.0.0", f"old {name}")
    commit_to(app.repository, files, message="Two images\n")
    assert app.run("pass")[0] == 0
    return host


def stands(app: Cli, environment: str, name: str) -> str:
    """Return what an environment's file says of an image, without its registry."""
    text = git(app.repository, "show", f"HEAD:apps/{environment}/{name}.yaml")
    return text.partition("image: ")[2].partition("}")[0].partition("/")[2].partition("@")[0]


def row(app: Cli, environment: str) -> dict[str, object]:
    """Return the plan's row of an environment."""
    rows: list[dict[str, object]] = app.read("plan", "--environment", environment)["rows"]
    return rows[0]


def test_a_version_moves_when_all_of_its_images_are_there_and_in_one_commit(app: Cli) -> None:
    world(app)
    app.registry.push("team/checkout-api", "1.1.0", "new api")

    app.run("pass")
    assert stands(app, "staging", "checkout-api") == "team/checkout-api:1.0.0"

    app.registry.push("team/checkout-worker", "1.1.0", "new worker")
    code, out, err = app.run("pass")
    assert code == 0, err
    assert "bump: staging checkout" in out
    for name in NAMES:
        assert stands(app, "staging", name) == f"team/{name}:1.1.0"
    changed = git(app.repository, "show", "--format=", "--name-only", "HEAD").split()
    assert sorted(changed) == [
        *(f"apps/staging/{name}.yaml" for name in NAMES),
        "apps/staging/deployment.yaml",
    ]
    assert app.run("verify")[0] == 0


def test_an_environment_that_pulls_from_elsewhere_waits_until_the_same_digest_is_there(app: Cli) -> None:
    world(app)
    for name in NAMES:
        app.registry.push(f"team/{name}", "1.1.0", f"new {name}")
    app.run("pass")
    assert stands(app, "edge", "checkout-api") == "mirror/checkout-api:1.0.0"

    app.registry.push("mirror/checkout-api", "1.1.0", "new checkout-api")
    app.registry.push("mirror/checkout-worker", "1.1.0", "something else")
    app.run("pass")
    assert stands(app, "edge", "checkout-api") == "mirror/checkout-api:1.0.0"
    assert "not-in-previous" in str(row(app, "edge"))

    app.registry.push("mirror/checkout-worker", "1.1.0", "new checkout-worker")
    app.run("pass")
    app.run("pass")
    said = row(app, "edge")
    assert "digest-moved" in str(said), (
        said
    )  # the tag was seen with another digest first: bad evidence stops it

    for folder in ("team", "mirror"):
        for name in NAMES:
            app.registry.push(f"{folder}/{name}", "1.2.0", f"newest {name}")
    code, _, err = app.run("pass")
    assert code == 0, err
    for name in NAMES:
        assert stands(app, "staging", name) == f"team/{name}:1.2.0"
        assert stands(app, "edge", name) == f"mirror/{name}:1.2.0"
    assert app.run("verify")[0] == 0


def test_images_of_one_version_with_two_tags_are_said_and_not_guessed(app: Cli) -> None:
    host = world(app)
    files = {"apps/staging/checkout-worker.yaml": manifest(host, "team", "checkout-worker", "1.0.1")}
    commit_to(app.repository, files, message="Another tag\n")

    said = row(app, "staging")

    assert said["codes"] == ["ambiguous-references"]
