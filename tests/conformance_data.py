"""Where the conformance data lies, and how a test notes what it compared."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_DEFAULT = Path(__file__).resolve().parent.parent / "../shared/conformance"
FOLDER = Path(os.environ.get("CONFORMANCE_DIR") or _DEFAULT).resolve()

# Names of report properties; they travel from the workers of pytest-xdist to the terminal.
FILE, DIFFERENT, OUT_OF_SCOPE = "conformance", "conformance-different", "conformance-out-of-scope"


@dataclass(frozen=True, slots=True)
class Conformance:
    """Notes what a test compares. A noted case is passed or failed as its test is, or different."""

    record: Callable[[str, object], None]

    def case(self, file: str) -> None:
        """Say that this test is one case of ``file``."""
        self.record(FILE, file)

    def different(self, rule: str) -> None:
        """Say that the case is answered otherwise than the data says, by a named rule."""
        self.record(DIFFERENT, rule)

    def out_of_scope(self, file: str, count: int) -> None:
        """Say that ``count`` cases of ``file`` are not run."""
        self.record(OUT_OF_SCOPE, f"{count} {file}")
