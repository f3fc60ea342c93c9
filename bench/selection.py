"""Selecting from 100,000 tags: a registry's answer to the chosen tag, beside Flux's way in Go, in one run.

python -m bench.selection [--rounds N]
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import packaging.version
import semver

from bot.registries.oci import Caps, Endpoint, Response, TagsAsked
from policies.images.evidence import TagList
from policies.images.image import Repository
from policies.images.selection import SelectionPolicy
from policies.images.standing import advance, stand

COUNT = 100_000
RANGES = (">=1.0.0", ">=1.0.0 <90.0.0", "1.x")
BOUNDS = dict(zip(RANGES, ((1, 10**9), (1, 90), (1, 2)), strict=True))  # for libraries without such ranges
REPEATS = 3  # in one process; the least counts, as in the Go program
REPOSITORY = Repository("registry.example/shop/app")
FLUX = "Go: decode, choose"
WHOLE = "Go: whole scan"
TARGETS = {"cold": 0.7, "5 new": 0.3, "unchanged": 0.01}  # of Flux's CPU, which looks at all tags each time
GO_PROGRAM = Path(__file__).parent / "flux_path"
DEBIAN = "/usr/share/gocode"  # where golang-github-masterminds-semver-dev puts its source


def make_tags(count: int) -> list[str]:
    """Make what repositories hold: 56 % x.y.z, 14 % with a v, 11 % release candidates, 19 % builds of branches."""
    chance = random.Random(20_261_123)  # noqa: S311  the same tags in every run
    tags: dict[str, None] = {}
    while len(tags) < count:
        version = f"{chance.randrange(100)}.{chance.randrange(100)}.{chance.randrange(100)}"
        kind = chance.random()
        if kind < 0.56:
            tags[version] = None
        elif kind < 0.70:
            tags[f"v{version}"] = None
        elif kind < 0.81:
            tags[f"{version}-rc.{chance.randrange(9)}"] = None
        else:
            tags[f"main-{chance.randrange(16**8):08x}-{chance.randrange(1_700_000_000, 1_800_000_000)}"] = (
                None
            )
    return list(tags)


def body_of(tags: list[str]) -> bytes:
    """Write tags as a registry answers them."""
    return json.dumps({"name": "shop/app", "tags": tags}, separators=(",", ":")).encode()


# --- what is measured, each in a process of its own -------------------------------------------------------------


def _heard(body: bytes, before: TagsAsked | None) -> tuple[TagsAsked, TagList]:
    """Let the registry adapter take an answer in; the bytes are new ones, as they come from the network."""
    known = before.known if before else None
    asked = TagsAsked(Endpoint.of(REPOSITORY, {}), REPOSITORY, Caps(), known)
    answer = asked.hear(Response(200, body=body))
    if not isinstance(answer, TagList):
        raise SystemExit(f"the answer was not taken: {answer}")
    return asked, answer


def cold(body: bytes, _: bytes, range_: str) -> Callable[[], str | None]:
    """Decode and select, knowing nothing."""
    policy = SelectionPolicy.semver(range_)
    return lambda: stand(policy, _heard(bytes(bytearray(body)), None)[1]).best


def five_new(body: bytes, later: bytes, range_: str) -> Callable[[], str | None]:
    """Decode a list in which five tags are new, and look at these."""
    asked, answer = _heard(body, None)
    standing = stand(SelectionPolicy.semver(range_), answer)
    return lambda: advance(standing, _heard(bytes(bytearray(later)), asked)[1]).best


def unchanged(body: bytes, _: bytes, range_: str) -> Callable[[], str | None]:
    """Find that nothing has changed."""
    asked, answer = _heard(body, None)
    standing = stand(SelectionPolicy.semver(range_), answer)

    def look() -> str | None:
        again = _heard(bytes(bytearray(body)), asked)[1]
        return standing.best if again is answer else advance(standing, again).best

    return look


def python_semver(body: bytes, _: bytes, range_: str) -> Callable[[], str | None]:
    """Do it with python-semver, whose order is the same, by hand: it has no ranges of this kind."""
    low, high = (semver.Version(bound) for bound in BOUNDS[range_])

    def choose() -> str | None:
        best: Any = None
        for tag in json.loads(body)["tags"]:
            try:
                version = semver.Version.parse(tag.removeprefix("v"))
            except ValueError:
                continue
            if not version.prerelease and low <= version < high and (best is None or version > best):
                best = version
        return str(best)

    return choose


def with_packaging(body: bytes, _: bytes, range_: str) -> Callable[[], str | None]:
    """Do it with packaging, whose order is another one (PEP 440): for the cost alone."""
    low, high = (packaging.version.Version(f"{bound}") for bound in BOUNDS[range_])

    def choose() -> str | None:
        best: Any = None
        for tag in json.loads(body)["tags"]:
            try:
                version = packaging.version.Version(tag)
            except packaging.version.InvalidVersion:
                continue
            if not version.is_prerelease and low <= version < high and (best is None or version > best):
                best = version
        return str(best)

    return choose


WAYS = {
    "cold": cold,
    "5 new": five_new,
    "unchanged": unchanged,
    "python-semver": python_semver,
    "packaging": with_packaging,
}


def measure(name: str, body: Path, later: Path, range_: str) -> None:
    """Measure one way in this process, and print choice and CPU milliseconds."""
    way = WAYS[name](body.read_bytes(), later.read_bytes(), range_)
    least, choice = float("inf"), None
    for _ in range(REPEATS):
        start = time.process_time()
        choice = way()
        least = min(least, time.process_time() - start)
    print(json.dumps({"choice": choice, "milliseconds": least * 1000}))


# --- side by side -----------------------------------------------------------------------------------------------


def build(folder: Path) -> Path:
    """Build the Go program: with its module, or with Debian's source where there is no module proxy."""
    program = folder / "flux_path"
    ways: tuple[dict[str, str], ...] = ({}, {"GO111MODULE": "off", "GOPATH": DEBIAN})
    said = ""
    for way in ways:
        command = ["go", "build", "-o", str(program), "." if not way else "main.go"]
        done = subprocess.run(
            command, cwd=GO_PROGRAM, env=os.environ | way, capture_output=True, text=True, check=False
        )
        if done.returncode == 0:
            return program
        said += done.stderr
    raise SystemExit(
        f"the Go program cannot be built (golang-go, golang-github-masterminds-semver-dev):\n{said}"
    )


def side_by_side(rounds: int, range_: str) -> dict[str, list[float]]:
    """Run all ways one after the other, again and again; returns the CPU milliseconds of each."""
    tags = make_tags(COUNT)
    wanted = {">=1.0.0": "99.100.0", ">=1.0.0 <90.0.0": "89.100.0", "1.x": "1.100.0"}[range_]
    new = [wanted, f"{wanted}-rc.1", "0.100.0", "main-new", "0.0.100"]
    spent: dict[str, list[float]] = {name: [] for name in (FLUX, WHOLE, *WAYS)}
    choices: dict[str, set[str]] = {name: set() for name in spent}
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        body, later = folder / "body.json", folder / "later.json"
        body.write_bytes(body_of(tags))
        later.write_bytes(body_of([*tags, *new]))
        go = [str(build(folder)), str(body), range_]
        commands = {FLUX: [*go, "least"], WHOLE: [*go, "whole"]}
        for name in WAYS:
            files = [str(body), str(later), range_]
            commands[name] = [sys.executable, "-m", "bench.selection", "--measure", name, *files]
        for _ in range(rounds):
            for name, command in commands.items():
                out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
                said = json.loads(out)
                spent[name].append(said["milliseconds"])
                choices[name].add(said["choice"])
    if choices["cold"] != choices[FLUX] or choices["unchanged"] != choices[FLUX]:
        raise SystemExit(f"the choices differ: {choices}")
    if choices["5 new"] != {wanted}:
        raise SystemExit(f"the new tag was not chosen: {choices}")
    return spent


def main() -> None:
    """Measure one range after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument(
        "--measure", nargs=4, metavar=("NAME", "BODY", "LATER", "RANGE"), help=argparse.SUPPRESS
    )
    asked = parser.parse_args()
    if asked.measure:
        name, body, later, range_ = asked.measure
        measure(name, Path(body), Path(later), range_)
        return
    for range_ in RANGES:
        report(range_, asked.rounds)


def report(range_: str, rounds: int) -> None:
    """Print medians for one range, with their ratios to both ways in Go."""
    spent = side_by_side(rounds, range_)
    least, whole = (statistics.median(spent[name]) for name in (FLUX, WHOLE))
    print(f"{COUNT} tags, range {range_}, medians of {rounds} interleaved runs, CPU")
    for name, times in spent.items():
        median, target = statistics.median(times), TARGETS.get(name)
        verdict = (
            "" if target is None else f"  target {target:g} {'met' if median <= target * least else 'MISSED'}"
        )
        spread = f"[{min(times):.2f}-{max(times):.2f}]"
        print(
            f"  {name:<19} {median:8.2f} ms {spread:<19} {median / least:7.4f} / {median / whole:7.4f}{verdict}"
        )


if __name__ == "__main__":
    main()
