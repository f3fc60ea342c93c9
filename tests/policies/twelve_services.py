"""Twelve services and two regions: the example of the docs, as the three files of a rules folder."""

from pathlib import Path

ENVIRONMENTS = """\
# promotion/environments.yaml: what is judged; owned by the platform team
calendar: {zone: Europe/Berlin, working: Mon-Fri 08:00-18:00, closed: [2026-12-24..2027-01-01]}
environments:
  staging:
    path: apps/staging
    approvals: none                          # has to be said: nobody is asked, so it commits at once
    health: [kustomization/apps/staging]     # commit statuses or checks that say "it runs"
    channel: deploys-staging
  production-eu:
    path: apps/production-eu
    after: staging                           # has run there, was healthy there, was not rolled back there
    soak: 2h
    approvals: [1 of owners, 1 of release-managers]
    freeze: [Fri 15:00 - Mon 08:00, closed]
    rollback: {approvals: 1 of owners or oncall}
    emergency: {approvals: 1 of oncall, tell: incidents, review: 2d, skips: [soak, freeze]}
    health: [kustomization/apps/production-eu]
    channel: deploys-production
    exceptions:
      payments-api: {approvals: [1 of owners, 1 of security], evidence: review}
  production-us:
    like: production-eu                      # all its keys first, then what is said here
    path: apps/production-us
    after: production-eu
    soak: 1h
    approvals: as production-eu
    health: [kustomization/apps/production-us]
"""
SERVICES = """\
# promotion/services.yaml: facts, said once; owned by the teams
defaults: {image: ghcr.io/acme/<service>, versions: ">=1.0.0", owner: platform}
services:
  cart-api:
  search-api: {owner: search}
  payments-api: {owner: payments}
  invoices: {owner: payments, versions: 2.x}
  mailer: {links: {dashboard: https://grafana.example.com/d/<service>}}
  catalog:
  reviews: {owner: search, versions: ">=0.9 <2"}
  stock: {channel: stock}
  shipping: {environments: [staging, production-eu]}
  checkout: {images: [ghcr.io/acme/checkout-api, ghcr.io/acme/checkout-worker], owner: checkout} # one version for both
  identity: {chart: oci://ghcr.io/acme/charts/identity, versions: 2.x}
  web: {versions: {numerical: asc, tags: '^main-[0-9a-f]+-(?P<ts>\\d+)$', extract: $ts}}
groups: {shop: [cart-api, web]}              # own versions each; move together or not at all
"""
PEOPLE = """\
# promotion/people.yaml: who is who, reviewed like everything else
people:
  ada: {slack: U0ADA, github: ada-l}
  bob: {slack: U0BOB, github: bob}
  carol: {slack: U0CAROL, github: carol-c}
  dan: {slack: U0DAN}
teams:
  release-managers: [ada, bob]
  platform: [ada, carol]
  search: [carol, dan]
  payments: [bob, dan]
  security: github:acme/security
  oncall: slack:@oncall
  checkout: github:acme/checkout
"""
FILES = {
    "promotion/environments.yaml": ENVIRONMENTS,
    "promotion/services.yaml": SERVICES,
    "promotion/people.yaml": PEOPLE,
}
_TAGS = {"web": "main-4f2a9c1-100", "identity": "2.1.0", "invoices": "2.0.0"}
_PLACES = ("staging", "production-eu", "production-us")


def encoded() -> dict[str, bytes]:
    """Return the files as the parser takes them."""
    return {path: text.encode() for path, text in FILES.items()}


def manifests() -> dict[str, str]:
    """Return the files of the environments: a workload for each image, a release for the chart."""
    found: dict[str, str] = {}
    names = [
        line.split(":")[0].strip()
        for line in SERVICES.split("services:\n")[1].splitlines()
        if line[:2] == "  "
    ]
    for place in _PLACES:
        for name in names:
            if name == "shipping" and place == "production-us":
                continue
            images = ["checkout-api", "checkout-worker"] if name == "checkout" else [name]
            found[f"apps/{place}/{name}.yaml"] = (
                _release(name) if name == "identity" else _workload(name, images)
            )
    return found


def write(root: Path) -> None:
    """Write the rules and their environments into a folder."""
    for path, text in {**FILES, **manifests()}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, "utf-8")


def _workload(name: str, images: list[str]) -> str:
    containers = "".join(
        f"        - {{name: {one}, image: 'ghcr.io/acme/{one}:{_TAGS.get(name, '1.0.0')}'}}\n"
        for one in images
    )
    return (
        f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}}}\n"
        f"spec:\n  template:\n    spec:\n      containers:\n{containers}"
    )


def _release(name: str) -> str:
    return (
        "apiVersion: source.toolkit.fluxcd.io/v1\nkind: HelmRepository\n"
        "metadata: {name: acme, namespace: shop}\nspec: {type: oci, url: oci://ghcr.io/acme/charts}\n---\n"
        f"apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {{name: {name}, namespace: shop}}\n"
        f"spec:\n  chart:\n    spec:\n      chart: {name}\n      version: {_TAGS[name]}\n"
        "      sourceRef: {kind: HelmRepository, name: acme}\n"
    )
