"""Which tests run which lines, and how long each takes: one run of the tests of policies under coverage."""

import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from coverage import CoverageData

from tests.mutation.targets import OWN_TESTS, ROOT, file_of

TESTS = ("tests/policies",)
# options of a run whose answer is yes or no, in one process
QUIET = ("-q", "-pno:cacheprovider", "-pno:cov", "-pno:xdist", "-ptests.mutation.calm")
MAX_SECONDS = 20.0  # of tests for one fault, as long as they took while it was looked which lines they run


@dataclass(frozen=True, slots=True)
class Reach:
    """What runs what. Durations are in seconds."""

    by_line: Mapping[str, Mapping[int, frozenset[str]]]
    durations: Mapping[str, float]

    def tests(self, module: str, line: int) -> tuple[str, ...]:
        """Return the tests that could notice a change of a line: the module's own first, then the quickest.

        A line that runs when the module is imported is noticed by those which run anything of the module.
        """
        lines = self.by_line.get(module, {})
        found = lines.get(line) or frozenset().union(*lines.values())
        own = (f"test_{module.rpartition('.')[2]}.py", *OWN_TESTS.get(module, ()))
        ordered = sorted(
            found, key=lambda test: (not any(one in test for one in own), self.durations.get(test, 1.0), test)
        )
        return tuple(_within(ordered, self.durations))


def reach(modules: Iterable[str], folder: Path) -> Reach:
    """Read which lines each test runs from a folder; where it is empty, run the tests once.

    Raises: RuntimeError where a test fails.
    """
    data, report = folder / "coverage", folder / "report.xml"
    if not report.exists():
        _run(data, report)
    read = CoverageData(str(data))
    read.read()
    by_line = {module: _contexts(read, file_of(module)) for module in modules}
    return Reach(by_line, _durations(report))


def _run(data: Path, report: Path) -> None:
    done = subprocess.run(
        [
            sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "tests.mutation.calm",
            "--cov=policies", "--cov-context=test", "--cov-report=", f"--junitxml={report}",
            "-o", "junit_duration_report=call", *TESTS,
        ],
        cwd=ROOT, env={"PATH": "/usr/bin:/bin", "COVERAGE_FILE": str(data), "HOME": str(data.parent)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        report.unlink(missing_ok=True)
        raise RuntimeError(f"the tests fail as they are:\n{done.stdout[-2_000:]}{done.stderr[-1_000:]}")


def _contexts(read: CoverageData, path: Path) -> dict[int, frozenset[str]]:
    found = read.contexts_by_lineno(str(path))
    return {
        line: frozenset(context.split("|")[0] for context in contexts if context)
        for line, contexts in found.items()
        if any(contexts)
    }


def _durations(report: Path) -> dict[str, float]:
    tree = ET.parse(report)  # noqa: S314 - written by the line above
    found: dict[str, float] = {}
    for case in tree.iter("testcase"):
        file = f"{case.get('classname', '').replace('.', '/')}.py"
        found[f"{file}::{case.get('name')}"] = float(case.get("time") or 0)
    return found


def _within(tests: Iterable[str], durations: Mapping[str, float]) -> Iterable[str]:
    left = MAX_SECONDS
    for test in tests:
        left -= durations.get(test, 1.0) + 0.004
        if left < 0:
            return
        yield test
