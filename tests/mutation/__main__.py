"""Do the tests notice a fault? Every small fault in the modules that decide, one at a time.

``make mutants`` tries all, ``make mutants ARGS="tally --every 10"`` a part. Exits 1 where less than 95 % are noticed.
A fault that changes nothing anybody can see is argued in ``argued.py``; it counts neither way.
"""

import argparse
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pytest

from tests.mutation.argued import ARGUED
from tests.mutation.operators import Mutant, mutants
from tests.mutation.reach import QUIET, TESTS, Reach, reach
from tests.mutation.targets import ROOT, TARGETS, file_of
from tests.mutation.trial import Verdict, started

WANTED = 0.95


class Trials:
    """Tries faults in the place of running the tests that pytest has collected."""

    def __init__(self, parts: Mapping[str, Sequence[Mutant]], known: Reach, processes: int) -> None:
        self.parts = parts
        self.known = known
        self.processes = processes
        self.is_well = False

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Try the faults of each part, and say what was found."""
        items = {item.nodeid: item for item in session.items}
        found = [self._told(name, listed, items) for name, listed in self.parts.items()]
        self.is_well = all(found)
        return True

    def _told(self, name: str, listed: Sequence[Mutant], items: Mapping[str, pytest.Item]) -> bool:
        judged = [mutant for mutant in listed if mutant.name not in ARGUED]
        left = self._unnoticed([one for one in judged if one.is_inside], items, anew=False)
        left = self._unnoticed([*left, *(one for one in judged if not one.is_inside)], items, anew=True)
        count = Counter(mutant.module for mutant in left)
        for mutant in sorted(left, key=lambda one: (one.module, one.line, one.place, one.nth)):
            verdict = Verdict.SURVIVED if self._tests(mutant) else Verdict.UNREACHED
            say(f"{verdict}: {mutant}")
        for module in dict.fromkeys(mutant.module for mutant in listed):
            of = sum(mutant.module == module for mutant in judged)
            say(f"  {module}: {of - count[module]} of {of}")
        share = 1 - len(left) / len(judged) if judged else 1.0
        noticed = f"{len(judged) - len(left)} of {len(judged)} noticed, {share:.1%}"
        say(f"{name}: {noticed}; {len(listed) - len(judged)} argued")
        return share >= WANTED

    def _unnoticed(
        self, listed: Iterable[Mutant], items: Mapping[str, pytest.Item], *, anew: bool
    ) -> list[Mutant]:
        """Return the faults on which all tests pass, trying several at once."""
        running: dict[int, Mutant] = {}
        found: list[Mutant] = []
        for mutant in listed:
            tests = self._tests(mutant)
            if not tests:
                found.append(mutant)
                continue
            running[started(mutant, tests, items, anew=anew)] = mutant
            if len(running) >= self.processes:
                found += _ended(running)
        while running:
            found += _ended(running)
        return found

    def _tests(self, mutant: Mutant) -> tuple[str, ...]:
        return self.known.tests(mutant.module, mutant.line)


def _ended(running: dict[int, Mutant]) -> list[Mutant]:
    """Wait for one that ends; return it where nothing was noticed."""
    child, status = os.wait()
    mutant = running.pop(child)
    return [mutant] if status == 0 else []


def main(arguments: Sequence[str]) -> int:
    """Try faults, print those that no test notices, and a line for each part."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(TARGETS)}; or names of modules")
    parser.add_argument("--every", type=int, default=1, help="try only every nth fault")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument(
        "--keep", type=Path, help="a folder where what the tests reach is kept for the next run"
    )
    given = parser.parse_args(arguments)
    modules = {name: TARGETS.get(name, (name,)) for name in given.parts or TARGETS}
    parts = {
        name: [one for module in part for one in mutants(module, file_of(module).read_text())][:: given.every]
        for name, part in modules.items()
    }
    with tempfile.TemporaryDirectory() as empty:
        folder = given.keep or Path(empty)
        folder.mkdir(parents=True, exist_ok=True)
        say("looking which tests run which lines")
        known = reach([module for part in modules.values() for module in part], folder)
    trials = Trials(parts, known, given.processes)
    pytest.main([*QUIET, "-s", "--rootdir", str(ROOT), *TESTS], plugins=[trials])
    return 0 if trials.is_well else 1


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
