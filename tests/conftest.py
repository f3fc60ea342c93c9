"""What all tests share: counting what was compared with the conformance data, one line per file at the end."""

import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterable

import pytest
from hypothesis import settings

from tests.conformance_data import DIFFERENT, FILE, FOLDER, OUT_OF_SCOPE, Conformance

# No test asks how long something took: machines are busy.
settings.register_profile(
    "untimed", parent=settings.get_profile(settings.get_current_profile_name()), deadline=None
)
settings.load_profile("untimed")


@pytest.fixture
def ssh_keygen() -> str:
    """Find ssh-keygen; where real parts are asked for, its absence is a failure."""
    found = shutil.which("ssh-keygen")
    if found is None and os.environ.get("COUNTERSIGN_TEST_REAL") == "1":
        pytest.fail("ssh-keygen is not installed (openssh-client)")
    if found is None:
        pytest.skip("ssh-keygen is not installed (openssh-client)")
    return found


@pytest.fixture
def conformance(record_property: Callable[[str, object], None]) -> Conformance:
    """Return what counts conformance cases."""
    return Conformance(record_property)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print one line per conformance file, or that the folder is absent."""
    listed = [report for reports in terminalreporter.stats.values() for report in reports]
    reports = [report for report in listed if isinstance(report, pytest.TestReport)]
    for file, count in sorted(_counts(reports).items()):
        terminalreporter.write_line(
            f"conformance {file} passed={count['passed']} different={count['different']} "
            f"outofscope={count['outofscope']} failed={count['failed']}"
        )
    if not FOLDER.is_dir() and any("tests/conformance/" in report.nodeid for report in reports):
        terminalreporter.write_line(f"conformance skipped: the folder {FOLDER} is absent (CONFORMANCE_DIR)")


def _counts(reports: Iterable[pytest.TestReport]) -> dict[str, Counter[str]]:
    """Count the outcomes of each file."""
    counts: dict[str, Counter[str]] = {}
    for report in reports:
        noted = dict(report.user_properties)
        if OUT_OF_SCOPE in noted and report.when == "call":
            number, file = str(noted[OUT_OF_SCOPE]).split(" ", 1)
            counts.setdefault(file, Counter())["outofscope"] += int(number)
        if FILE in noted and (report.when == "call" or report.failed):
            counts.setdefault(str(noted[FILE]), Counter())[_outcome(report)] += 1
    return counts


def _outcome(report: pytest.TestReport) -> str:
    """Name the outcome of one case."""
    if report.failed:
        return "failed"
    return "different" if DIFFERENT in dict(report.user_properties) else "passed"
