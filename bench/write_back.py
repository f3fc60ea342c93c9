"""Tag known -> staging commit on the remote, beside a bare `git push` of a ready commit on the same remote.

One process, interleaved rounds, medians. The poll interval is not in it: the pass begins when the tag is there.
`python bench/write_back.py [--manifests 1000] [--rounds 15]`
"""

import argparse
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from bot.ledger import Appended, Ledger
from bot.looking.asking import asked, keep, questions
from bot.looking.book import Book
from bot.promoting.desk import Desk
from bot.promoting.poller import Writer, bumps
from bot.registries.login import Logins
from bot.registries.registry import PycurlRegistry
from bot.repository.mirror import Mirror
from bot.repository.objects import Oid
from bot.repository.push import Ok, RefUpdate
from bot.signing import Signer
from sandbox.http import serve
from sandbox.registry.twin import RegistryTwin
from tests.repositories import make_bare

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def manifest(host: str, name: str, tag: str) -> str:
    """Return a workload that names one image."""
    return (
        f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}}}\nspec:\n  template:\n    spec:\n"
        f"      containers:\n        - name: app\n          image: {host}/example/{name}:{tag}\n"
    )


def repository(folder: Path, host: str, manifests: int) -> Path:
    """Make a bare repository with so many manifests in two environments."""
    rules = (
        "environments:\n"
        "  staging: {path: apps/staging, channel: deploys, approvals: none}\n"
        "  production: {path: apps/production, channel: deploys, approvals: 1, after: staging}\n"
        f"services:\n  mover: {{image: {host}/example/mover, versions: 1.x}}\n"
    )
    files = {"promotion/rules.yaml": rules}
    for environment in ("staging", "production"):
        files[f"apps/{environment}/mover.yaml"] = manifest(host, "mover", "1.0.0")
        for index in range(manifests // 2):
            files[f"apps/{environment}/f{index % 50}/s{index}.yaml"] = manifest(host, f"s{index}", "1.0.0")
    return make_bare(folder / "gitops.git", [files])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--manifests", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    twin = RegistryTwin()
    registry = PycurlRegistry(Logins(None))
    ours: list[float] = []
    pushes: list[float] = []
    whole: list[float] = []
    with tempfile.TemporaryDirectory() as folder, serve(twin.app, name="localhost") as url:
        host = url.removeprefix("http://")
        twin.push("example/mover", "1.0.0", "start")
        bare = repository(Path(folder), host, options.manifests)
        mirror = Mirror.open(str(bare), Path(folder) / "mirror")
        book = Book(mirror, "promotion")
        desk = Desk(mirror, Ledger(mirror, Signer.generate(), book), book, Writer(mirror, "promotion"))
        move(desk, registry, START)
        for number in range(1, options.rounds + 1):
            pushes.append(bare_push(mirror, f"refs/heads/floor/{number}", START + timedelta(minutes=number)))
            twin.push("example/mover", f"1.0.{number}", f"content {number}")
            known, all_of_it = move(desk, registry, START + timedelta(minutes=number))
            ours.append(known)
            whole.append(all_of_it)
    floor, mine, total = (statistics.median(times) * 1000 for times in (pushes, ours, whole))
    print(f"{options.manifests} manifests, {options.rounds} rounds, medians")
    print(f"bare git push of a ready commit          {floor:7.1f} ms   1.0x")
    print(f"tag known -> commit and entry pushed     {mine:7.1f} ms   {mine / floor:.2f}x  (target <= 1.8x)")
    print(f"fetch, ask the registry, decide and push {total:7.1f} ms   {total / floor:.2f}x")


def bare_push(mirror: Mirror, ref: str, at: datetime) -> float:
    """Push a ready commit to a branch of its own; seconds."""
    tip = mirror.tips().target
    commit = mirror.commit([tip], {"promotion/rules.yaml": content(mirror, tip)}, message="floor\n", at=at)
    began = time.perf_counter()
    answer = mirror.push([RefUpdate(ref, None, commit)])
    spent = time.perf_counter() - began
    assert isinstance(answer, Ok), answer
    return spent


def content(mirror: Mirror, tip: Oid) -> bytes:
    """Return a file as it stands."""
    listing = mirror.listing(tip, ["promotion/rules.yaml"])
    return next(iter(mirror.blobs(listing.values()).values()))


def move(desk: Desk, registry: PycurlRegistry, at: datetime) -> tuple[float, float]:
    """Do what a pass does for staging; seconds from the tag known, and of all of it."""
    began = time.perf_counter()
    desk.mirror.fetch()
    rules = desk.rules(desk.mirror.tips()).rules
    state = desk.ledger.read(desk.mirror.tips()).state
    wanted = questions(rules, state, desk.answers, [one.image for one in rules.services.values()], at)
    keep(asked(registry, wanted), rules, desk.answers)
    known = time.perf_counter()
    answer = desk.append(
        lambda look, tip: bumps(
            look, desk.decide(look), desk.writer, branch=desk.mirror.branch, tip=tip, stuck=[]
        ),
        at,
        look_first=False,
    )
    done = time.perf_counter()
    assert isinstance(answer, Appended), answer
    desk.view(at)  # as a pass ends: people are shown what stands there now; the next pass begins warm
    return done - known, done - began


if __name__ == "__main__":
    main()
