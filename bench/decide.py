"""The whole decision for many services, after one new tag, and how it grows; all on one core.

`python -m bench.decide [--services 500] [--rounds 5]`: three environments, 200 versions of each service that the
ledger has seen. Staging runs the newest, production-eu is two versions behind, production-us five.
"""

import argparse
import hashlib
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise

from policies.decide import decide
from policies.deciding import Decider
from policies.entries.entry import Entry, Kind, Pinned, Sighting, write_time
from policies.images.evidence import TagList
from policies.images.image import Repository, Tag
from policies.ledger.state import State
from policies.rulebook.parse import parse
from policies.world import Pin, World

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
VERSIONS = 200
ENVIRONMENTS = """\
environments:
  staging: {path: apps/staging, channel: deploys, approvals: none}
  production-eu:
    path: apps/production-eu
    channel: deploys
    approvals: 1
    after: staging
    soak: 2h
    freeze: [Fri 15:00 - Mon 08:00]
  production-us: {like: production-eu, path: apps/production-us, after: production-eu, soak: 1h}
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
            seen = Sighting(name, repository, tag, digest(name, tag), before=index == 0)
            at = write_time(START - timedelta(hours=VERSIONS - index))
            state.apply(
                Entry(kind=Kind.SEEN, at=at, key=f"seen/{name}/{tag}", seen=(seen,), seq=state.seq + 1), ""
            )
        for environment, behind in BEHIND.items():
            stood = [Pinned(repository, tag, digest(name, tag)) for tag in tags[: VERSIONS - behind]]
            for index, (old, new) in enumerate(pairwise(stood), start=1):
                move = Entry(
                    kind=Kind.BUMP,
                    at=write_time(START - timedelta(hours=VERSIONS - index)),
                    key=f"bump/{environment}/{name}/{index}",
                    environment=environment,
                    service=name,
                    image=(new,),
                    previous=(old,),
                    seq=state.seq + 1,
                )
                state.apply(move, "")
            pins[environment, name] = Pin((stood[-1],))
    return World(rules=rules, commit=COMMIT, state=state, pins=pins, tags=lists)


def newer(known: World, name: str) -> World:
    """Return the same world, in which one service has a version that was just seen."""
    repository, tag = Repository.parse(f"registry.example/{name}"), Tag("1.10.0")
    state = known.state.copy()
    seen = Sighting(name, repository, tag, digest(name, tag))
    entry = Entry(
        kind=Kind.SEEN, at=write_time(START), key=f"seen/{name}/{tag}", seen=(seen,), seq=state.seq + 1
    )
    state.apply(entry, "")
    listed = known.tags[repository]
    assert isinstance(listed, TagList)
    return replace(known, state=state, tags={**known.tags, repository: TagList((*listed.tags, tag))})


def cpu(work: Callable[[], object]) -> float:
    """Return the seconds of processor time that something takes."""
    began = time.process_time()
    work()
    return time.process_time() - began


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--services", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    sizes = (options.services // 5, options.services, options.services * 2)
    print(f"{'services':>9} {'whole':>9} {'one new tag':>12} {'nothing new':>12}   CPU seconds, medians")
    for size in sizes:
        known = world(size)
        changed = newer(known, f"service-{size // 2}")
        decider = Decider()
        whole, after, still = [], [], []
        for _ in range(options.rounds):
            whole.append(cpu(partial(decide, known, START)))
            decider.decide(known, START)
            after.append(cpu(partial(decider.decide, changed, START)))
            still.append(cpu(partial(decider.decide, changed, START)))
            assert decider.decide(changed, START) == decide(changed, START)
        medians = map(statistics.median, (whole, after, still))
        print(f"{size:>9} {next(medians):>9.3f} {next(medians):>12.4f} {next(medians):>12.4f}", flush=True)


if __name__ == "__main__":
    main()
