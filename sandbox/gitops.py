"""The GitOps repository of the sandbox: overlays, a workload with a marker, rules, some days of history."""

import time
from dataclasses import dataclass
from pathlib import Path

from sandbox.git import Git

BRANCH = "main"
CHECKOUT = "checkout-api"
WEB = "web"
STAGING = "staging"
PRODUCTION = "production"
CHECKOUT_AT_FIRST = "1.4.1"
WEB_AT_FIRST = "2.3.0"
_DAY_SECONDS = 86_400

_BASE = """\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
  - checkout-api.yaml
"""
_CHECKOUT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: checkout-api
spec:
  selector:
    matchLabels: {app: checkout-api}
  template:
    metadata:
      labels: {app: checkout-api}
    spec:
      containers:
        - name: checkout-api
          image: REGISTRY/example/checkout-api # the tag is each overlay's
          ports:
            - containerPort: 8080
"""
_OVERLAY = """\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: ENVIRONMENT
resources:
  - ../base
  - deployment.yaml
images:
  - name: REGISTRY/example/checkout-api
    newTag: VERSION # what runs in ENVIRONMENT
"""
_WEB = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 2
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
        - name: web
          image: REGISTRY/example/web:VERSION # {"$imagepolicy": "flux-system:web"}
"""
_RULES = """\
# What may run, and what is asked before it does. The day is short: registries are asked every second.
environments:
  staging:
    path: apps/staging
    approvals: none
    health: [kustomization/apps/staging]
    channel: deploys
    interval: 1s
  production:
    path: apps/production
    after: staging
    soak: 2s
    approvals: 2 of release-managers
    health: [kustomization/apps/production]
    channel: deploys
    interval: 1s
services:
  checkout-api: {image: REGISTRY/example/checkout-api, versions: 1.x}
  web: {image: REGISTRY/example/web, versions: 2.x}
"""
_PEOPLE = """\
# Who is who, reviewed like everything else.
people:
  ada: {slack: U0ADA, github: ada-l}
  bob: {slack: U0BOB, github: bob}
  carol: {slack: U0CAROL, github: carol}
teams:
  release-managers: [ada, bob, carol]
"""


@dataclass(frozen=True, slots=True)
class _Commit:
    days_ago: int
    author: str
    message: str
    files: dict[str, str]


def make(folder: Path, *, registry: str) -> Git:
    """Make the bare repository with its history; ``registry`` is the host and port of the images."""
    git = Git.bare(folder, branch=BRANCH)
    now = int(time.time())
    history = [_written(commit, registry, now) for commit in _history()]
    git.run("fast-import", "--quiet", stdin="".join(history).encode())
    return git


def _history() -> list[_Commit]:
    checkout, web = CHECKOUT_AT_FIRST, WEB_AT_FIRST
    first = {
        "apps/base/kustomization.yaml": _BASE,
        "apps/base/checkout-api.yaml": _CHECKOUT,
        **_overlay(STAGING, "1.4.0", web),
        **_overlay(PRODUCTION, "1.4.0", web),
    }
    rules = {"promotion/rules.yaml": _RULES, "promotion/people.yaml": _PEOPLE}
    return [
        _Commit(9, "Ada <ada@example.com>", "Run checkout-api and web in staging and production", first),
        _Commit(6, "Bob <bob@example.com>", "Try checkout-api 1.4.1 in staging", _overlay(STAGING, checkout, web)),
        _Commit(4, "Ada <ada@example.com>", "Take 1.4.1 to production", _overlay(PRODUCTION, checkout, web)),
        _Commit(1, "Carol <carol@example.com>", "Say who may promote what", rules),
    ]  # fmt: skip


def _overlay(environment: str, checkout: str, web: str) -> dict[str, str]:
    kustomization = _OVERLAY.replace("ENVIRONMENT", environment).replace("VERSION", checkout)
    return {
        f"apps/{environment}/kustomization.yaml": kustomization,
        f"apps/{environment}/deployment.yaml": _WEB.replace("VERSION", web),
    }


def _written(commit: _Commit, registry: str, now: int) -> str:
    """Write a commit in the language of git fast-import."""
    at = now - commit.days_ago * _DAY_SECONDS
    lines = [f"commit refs/heads/{BRANCH}\n"]
    lines += [f"{role} {commit.author} {at} +0000\n" for role in ("author", "committer")]
    lines.append(_counted(commit.message + "\n"))
    for path, content in commit.files.items():
        lines.append(f"M 100644 inline {path}\n{_counted(content.replace('REGISTRY', registry))}")
    return "".join(lines)


def _counted(content: str) -> str:
    return f"data {len(content.encode())}\n{content}\n"
