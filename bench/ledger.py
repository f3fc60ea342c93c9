"""The ledger at size: verified with signatures, rebuilt, read from an empty disk, appended to, written by eight.

`python bench/ledger.py [--entries 10000] [--rounds 15] [--writers 8] [--each 25] [--pause 0.5] [--whole]`
`--repository FOLDER/gitops.git` takes one that `bench/big_ledger.py FOLDER` made; it is copied, not written to.
The targets are for 100,000 entries.
"""

import argparse
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.big_ledger import KEY, make
from bot.chains.chain import Chain
from bot.chains.signatures_ahead import MANY
from bot.chains.years import read_year
from bot.checking import Checking
from bot.index import Index
from bot.ledger import Appended, Ledger, Proposal
from bot.looking.book import Book
from bot.preview import Preview, preview_of
from bot.repository.mirror import Mirror
from bot.repository.objects import Oid
from bot.signing import Signer
from bot.verify import verify
from policies.entries.entry import Entry, Kind, Placed, write_time
from policies.ledger.keys import expected_key

AT = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)


def _of_children() -> float:
    """Return the processor seconds of the processes that have ended: git, and the one that checks signatures."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@dataclass
class Clock:
    """Prints how long something took, beside what it may take for 100,000 entries."""

    entries: int

    def timed(self, what: str, work: Callable[[], object], limit: float) -> None:
        """Do it once and print."""
        began, cpu, others = time.perf_counter(), time.process_time(), _of_children()
        work()
        spent, used, beside = (
            time.perf_counter() - began,
            time.process_time() - cpu,
            _of_children() - others,
        )
        scale = 100_000 / self.entries
        print(
            f"{what:44} {spent:7.2f} s, cpu {used:6.2f} + {beside:6.2f} beside;  100,000: {spent * scale:6.1f} s,"
            f" cpu {used * scale:.1f} + {beside * scale:.1f}" + (f"  target <= {limit:g} s" if limit else "")
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--entries", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--writers", type=int, default=8)
    parser.add_argument("--each", type=int, default=25)
    parser.add_argument("--pause", type=float, default=0.5)
    parser.add_argument(
        "--repository", default="", help="one that bench/big_ledger.py made, its key beside it"
    )
    parser.add_argument("--only-writes", action="store_true", help="append and contend, nothing else")
    parser.add_argument("--whole", action="store_true", help="hold the target branch against it, too")
    parser.add_argument("--write", nargs=4, metavar=("REMOTE", "FOLDER", "KEY", "N"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.write:
        write(*options.write, pause=options.pause)
        return
    with tempfile.TemporaryDirectory() as aside:
        folder = Path(aside)
        if options.repository:
            kept, remote = Path(options.repository), folder / "gitops.git"
            shutil.copytree(kept, remote)
            signer = Signer.from_openssh((kept.parent / KEY).read_text())
        else:
            remote, signer = make(folder, options.entries)
        if not options.only_writes:
            alone(remote, folder, whole=options.whole)
        appending(remote, folder, signer, options.rounds)
        contending(remote, folder, signer, writers=options.writers, each=options.each, pause=options.pause)


def alone(remote: Path, folder: Path, *, whole: bool) -> None:
    """Measure what one reader does."""
    found: dict[str, Chain] = {}

    def opened(name: str) -> Mirror:
        mirror = Mirror.open(str(remote), folder / name, timeout_seconds=600)
        mirror.fetch()
        return mirror

    def checked(mirror: Mirror) -> None:
        tip = mirror.tips().ledgers["2026"]
        found["chain"] = read_year(mirror, Book(mirror, "promotion"), "2026", tip)
        assert not found["chain"].faults, found["chain"].faults[0]

    def seen(mirror: Mirror) -> Preview | None:
        tips, book = mirror.tips(), Book(mirror, "promotion")
        return preview_of(book, tips, "2026", mirror.raw_commits(tips.ledgers["2026"]), AT)

    def served(name: str) -> None:
        """Begin as a bot does that serves: a first look, then the check."""
        mirror = opened(name)
        book = Book(mirror, "promotion")
        ledger = Ledger(mirror, Signer.generate(), book)
        ledger.checking = Checking(lambda year, commits: preview_of(book, mirror.tips(), year, commits, AT))
        assert not ledger.read(mirror.tips()).faults
        assert entries < MANY or ledger.checking.preview is not None

    mirror = opened("first")
    entries = len(mirror.raw_commits(mirror.tips().ledgers["2026"]))
    clock = Clock(entries)
    print(f"{entries} entries")
    clock.timed("clone", lambda: opened("second"), 0)
    clock.timed("first look, unjudged", lambda: seen(mirror), 0)
    clock.timed("empty disk -> ready to read, unjudged", lambda: seen(opened("third")), 10)
    clock.timed("verify: chain, signatures, every decision", lambda: checked(mirror), 20)
    clock.timed("empty disk -> ready to write, checked", lambda: served("fourth"), 45)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"most memory until now {most:.0f} MB, for {entries} entries")
    index = Index.open(folder / "index.sqlite")
    clock.timed("rebuild of the index", lambda: index.rebuild(found["chain"]), 5)
    before = index.dump()
    index.rebuild(found["chain"])
    assert index.dump() == before
    index.close()
    if whole:
        clock.timed(
            "verify, with the target branch both ways",
            lambda: verify(mirror, Book(mirror, "promotion"), folder="promotion"),
            0,
        )


def shown(number: int, at: datetime) -> Callable[[object, object], Proposal]:
    """Return what says that a card stands somewhere: the smallest entry."""

    def compose(_tips: object, state: object) -> Proposal:
        card = Placed(f"card/bench/{number}", "C1", f"{number}.1", 1)
        entry = Entry(kind=Kind.SHOWN, at=write_time(at), key="", shown=(card,))
        key = expected_key(state, entry)  # type: ignore[arg-type]  # a state
        return Proposal((Entry(kind=entry.kind, at=entry.at, key=key, shown=entry.shown),))

    return compose


def appending(remote: Path, folder: Path, signer: Signer, rounds: int) -> None:
    """Measure an append beside a bare push of a ready commit, in turns.

    Both put one signed commit on the end of a branch as long as the ledger; the bare one is what a person types.
    """
    clone = folder / "append"
    mirror = Mirror.open(str(remote), clone, timeout_seconds=600)
    ledger = Ledger(mirror, signer, Book(mirror, "promotion"))
    mirror.fetch()
    ledger.read(mirror.tips())
    tip = mirror.tips().ledgers["2026"]

    def push(ready: Oid) -> None:
        command = [
            "git",
            "--git-dir",
            str(clone),
            "push",
            "--quiet",
            str(remote),
            f"{ready}:refs/heads/floor",
        ]
        subprocess.run(command, check=True)

    def append(number: int, at: datetime) -> None:
        answer = ledger.append(shown(number, at), year="2026", look_first=False)
        assert isinstance(answer, Appended), answer

    push(tip)
    spent: dict[str, list[float]] = {"ours": [], "floor": [], "cpu": []}
    for number in range(rounds):
        at = AT + timedelta(minutes=number)
        tip = mirror.entry_commit(tip, message=f"floor {number}\n", at=at, signer=signer)
        for who in ("floor", "ours") if number % 2 else ("ours", "floor"):
            began, cpu = time.perf_counter(), time.process_time()
            push(tip) if who == "floor" else append(number, at)
            spent[who].append(time.perf_counter() - began)
            if who == "ours":
                spent["cpu"].append(time.process_time() - cpu)
    mine, bare, own = (statistics.median(spent[what]) * 1000 for what in ("ours", "floor", "cpu"))
    print(
        f"append {mine:.1f} ms, bare push of a ready commit {bare:.1f} ms: {mine / bare:.2f}x  target <= 1.5x;"
        f" processor time without git {own:.1f} ms"
    )


def contending(remote: Path, folder: Path, signer: Signer, *, writers: int, each: int, pause: float) -> None:
    """Let several processes write at once; count what is there afterwards."""
    key = folder / "key"
    key.write_text(signer.to_openssh())
    command = [sys.executable, __file__, "--pause", str(pause), "--write", str(remote)]
    began = time.perf_counter()
    started = [
        subprocess.Popen(
            [*command, str(folder / f"writer{n}"), str(key), f"{n}:{each}"], stdout=subprocess.PIPE, text=True
        )
        for n in range(writers)
    ]
    times = sorted(float(line) for one in started for line in one.communicate()[0].split())
    spent = time.perf_counter() - began
    mirror = Mirror.open(str(remote), folder / "after", timeout_seconds=600)
    tips = mirror.fetch()
    chain = read_year(mirror, Book(mirror, "promotion"), "2026", tips.ledgers["2026"])
    cards = [
        one.what for _, entry in chain.entries for one in entry.shown if one.what.startswith("card/bench/w")
    ]
    lost, twice = writers * each - len(set(cards)), len(cards) - len(set(cards))
    p50, p99 = times[len(times) // 2], times[min(len(times) - 1, len(times) * 99 // 100)]
    print(
        f"{writers} writers, {writers * each} entries in {spent:.1f} s: {lost} lost, {twice} twice,"
        f" {len(chain.faults)} faults; append p50 {p50:.2f} s, p99 {p99:.2f} s"
    )


def write(remote: str, folder: str, key: str, told: str, *, pause: float) -> None:
    """Be one of the writers."""
    name, _, each = told.partition(":")
    mirror = Mirror.open(remote, Path(folder), timeout_seconds=600)
    signer = Signer.from_openssh(Path(key).read_text())
    ledger = Ledger(mirror, signer, Book(mirror, "promotion"))
    mirror.fetch()
    ledger.read(mirror.tips())
    for number in range(int(each)):
        time.sleep(random.uniform(0, 2 * pause))  # noqa: S311  spreads writers
        card = Placed(f"card/bench/w{name}-{number}", "C1", f"{number}.1", 1)

        def compose(_tips: object, state: object, card: Placed = card) -> Proposal:
            entry = Entry(kind=Kind.SHOWN, at=write_time(AT), key="", shown=(card,))
            found = expected_key(state, entry)  # type: ignore[arg-type]  # a state
            return Proposal((Entry(kind=entry.kind, at=entry.at, key=found, shown=entry.shown),))

        began = time.perf_counter()
        answer = ledger.append(compose, year="2026")
        assert isinstance(answer, Appended), answer
        print(time.perf_counter() - began)


if __name__ == "__main__":
    main()
