"""The whole decision for many services, after one new tag, and how it grows; all on one core.

`python -m bench.decide [--services 500] [--rounds 5]`: three environments, 200 versions of each service that the
ledger has seen. Staging runs the newest, production-eu is two versions behind, production-us five.
"""

import argparse
import hashlib
import statistics
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from policies.decide import decide
from policies.entry import Kind, Pinned, Sighting
from policies.evidence import TagList
from policies.image import Repository, Tag
from policies.rules_parse import parse
from policies.state import Move, Seen, State
from policies.world import Pin, World

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
VERSIONS = 200
ENVIRONMENTS = """\
environments:
  staging: {path: apps/staging, channel: deploys, approvals: none}
  production-eu:
    {path: apps/production-eu, channel: deploys, approvals: 1, after: staging}
  production-us: {path: apps/production-us, channel: deploys, approvals: 1, after: production-eu}
people: {ada: {slack: U0ADA}, bob: {slack: U0BOB}}
services:
"""
BEHIND = {"staging": 0, "production-eu": 2, "production-us": 5}
COMMIT = "0" * 40


def digest(name: str, tag: str) -> str:
    """Return the digest of a sample image."""
    return "sha256:" + hashlib.sha256(f"{name}:{tag}".encode()).hexdigest()


def world(services: int) -> World:
    """Make a world in which every version was seen, and every environment has moved as often."""
    names = [f"service-{index}" for index in range(services)]
    lines = "".join(f"  {name}: {{image: registry.example/{name}, versions: 1.x}}\n" for name in names)
    rules = parse({"promotion/rules.yaml": (ENVIRONMENTS + lines).encode()})
    state = State("2026")
    tags = [f"1.{index // 20}.{index % 20}" for index in range(VERSIONS)]
    pins, lists = {}, {}
    for name in names:
        repository = Repository.parse(f"registry.example/{name}")
        lists[repository] = TagList(tuple(Tag(tag) for tag in tags))
        for index, tag in enumerate(tags):
            at = START - timedelta(hours=VERSIONS - index)
            seen = Sighting(name, repository, tag, digest(name, tag), before=index == 0)
            state.seen[name, repository, tag] = Seen(seen, at)
        for environment, behind in BEHIND.items():
            stood = [Pinned(repository, tag, digest(name, tag)) for tag in tags[: VERSIONS - behind]]
            state.moves[environment, name] = tuple(
                Move((new,), (old,), COMMIT, START - timedelta(hours=VERSIONS - index), index, Kind.BUMP)
                for index, (old, new) in enumerate(zip(stood, stood[1:], strict=False), start=1)
            )
            pins[environment, name] = Pin((stood[-1],))
    return World(rules=rules, commit=COMMIT, state=state, pins=pins, tags=lists)
