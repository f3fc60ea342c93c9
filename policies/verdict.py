"""The answer of a gate: passed, waiting, or failed; always with its reason."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Passed:
    """Nothing stands in the way here."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Not yet. ``code``: a stable reason (codes.py, a selection's fate, a registry's silence).

    ``until`` (UTC) where time alone opens it; ``detail`` is one line for people.
    """

    code: StrEnum
    detail: str = ""
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """Not as things stand; waiting does not help."""

    code: StrEnum
    detail: str = ""


Verdict = Passed | Waiting | Failed
NotYet = Waiting | Failed
PASSED = Passed()


def not_yet(verdicts: "tuple[Verdict, ...] | list[Verdict]") -> tuple[NotYet, ...]:
    """Return what stands in the way, in the gates' order."""
    return tuple(verdict for verdict in verdicts if not isinstance(verdict, Passed))
