"""Lint of a folder: what only the repository's files show."""

from pathlib import Path

import pytest

from bot.linting import lint_folder
from policies.rulebook.findings import Weight
from tests.policies import twelve_services

RULES = """\
environments:
  staging:    {path: apps/staging, channel: deploys, approvals: none}
  production: {path: apps/production, channel: deploys, approvals: none, after: staging}
services:
  web: {image: ghcr.io/acme/web, versions: 1.xAT}
people: {ada: {slack: U0ADA}, bob: {slack: U0BOB}}
"""
POD = "kind: Pod\nspec: {containers: [{name: web, image: 'ghcr.io/acme/web:1.0.0'}]}\n"
BASE = "resources: [pod.yaml]\n"
OVERLAY = "resources: [../base]\n"
PINNED = f"{OVERLAY}images: [{{name: ghcr.io/acme/web, newTag: 1.1.0}}]\n"


def found(root: Path, files: dict[str, str], at: str = "") -> list[tuple[Weight, str]]:
    for name, text in {"promotion/rules.yaml": RULES.replace("AT", at), **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return [(one.weight, str(one)) for one in lint_folder(root, "promotion")]


def test_an_image_that_only_a_shared_base_pins_is_named(tmp_path: Path) -> None:
    files = {
        "apps/base/kustomization.yaml": BASE,
        "apps/base/pod.yaml": POD,
        "apps/staging/kustomization.yaml": PINNED,
        "apps/production/kustomization.yaml": OVERLAY,
    }

    ((weight, said),) = found(tmp_path, files)

    assert weight is Weight.WARNING
    what, _, expected = said.partition("; expected ")
    assert what == (
        "promotion/rules.yaml:5:3: ghcr.io/acme/web is pinned only in apps/base/pod.yaml:2,"
        " which production and staging share"
    )
    assert expected == "a pin in each environment's own path, such as images: of its kustomization"


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ('{"web": "1.0.0"}', []),
        (
            '{"web": ""}',
            ["promotion/rules.yaml:5:3: at of web in production: config/web.json:1: 'at:web': '' has no tag"],
        ),
        (None, ["promotion/rules.yaml:5:3: at of web in production: config/web.json is not there"]),
    ],
    ids=["fine", "nothing", "no file"],
)
def test_addresses_are_looked_at(tmp_path: Path, value: str | None, says: list[str]) -> None:
    files = {"apps/staging/pod.yaml": POD} | ({"config/web.json": value} if value else {})

    told = found(tmp_path, files, at=", at: {production: 'config/web.json: web'}")

    assert [said.partition("; expected")[0] for _, said in told] == says
    assert {weight for weight, _ in told} <= {Weight.ERROR}


def test_the_example_of_twelve_services_is_clean_on_its_folder(tmp_path: Path) -> None:
    twelve_services.write(tmp_path)

    assert [str(one) for one in lint_folder(tmp_path, "promotion")] == []


@pytest.mark.parametrize(
    ("path", "change", "told"),
    [
        (
            "apps/production-eu/checkout.yaml",
            ("ghcr.io/acme/checkout-worker:", "ghcr.io/acme/other:"),
            "image ghcr.io/acme/checkout-worker of checkout is nowhere in the paths of production-eu",
        ),
        (
            "promotion/services.yaml",
            ("shipping: {environments: [staging, production-eu]}", "shipping:"),
            "image ghcr.io/acme/shipping of shipping is nowhere in the paths of production-us",
        ),
        (
            "apps/sync.yaml",
            ("", "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nspec: {path: ./}\n"),
            "the rules in promotion are in what Flux applies: apps/sync.yaml applies the whole repository",
        ),
    ],
    ids=["one image of two", "where it does not exist", "what Flux applies"],
)
def test_what_does_not_fit_the_folder_is_told(
    tmp_path: Path, path: str, change: tuple[str, str], told: str
) -> None:
    twelve_services.write(tmp_path)
    file = tmp_path / path
    old, new = change
    text = file.read_text("utf-8") if old else ""
    assert old in text
    file.write_text(text.replace(old, new) if old else new, "utf-8")

    assert any(told in str(one) for one in lint_folder(tmp_path, "promotion"))


def test_a_trust_root_that_is_not_there_is_named_with_the_place_of_its_gate(tmp_path: Path) -> None:
    gate = (
        "    gates: [{signature: {identity: a@b.example, issuer: 'https://i.example', trust-root: ROOT}}]\n"
    )
    rules = RULES.replace("AT", "").replace(
        "  production: {path: apps/production, channel: deploys, approvals: none, after: staging}\n",
        "  production:\n    path: apps/production\n    channel: deploys\n    approvals: none\n    after: staging\n"
        + gate.replace("ROOT", "promotion/trusted_root.json"),
    )
    files = {"promotion/rules.yaml": rules, "apps/staging/pod.yaml": POD, "apps/production/pod.yaml": POD}

    ((weight, said),) = found(tmp_path, files)

    assert weight is Weight.ERROR
    assert said == (
        "promotion/rules.yaml:8:14: trust-root of signature names promotion/trusted_root.json, which is not there;"
        " expected a file with Sigstore's trust root, trusted_root.json"
    )
    assert found(tmp_path, {**files, "promotion/trusted_root.json": "{}"}) == []
