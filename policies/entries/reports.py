"""What delivery tools and checks report on commits, and whether a place is healthy by it."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from policies.canonical import Json

_FLUX_SUFFIX = re.compile(r"/[0-9a-f]{8}", re.ASCII)  # Flux, commit statuses: a part of its provider's id


class ReportState(StrEnum):
    """What a commit status or a check run says."""

    SUCCESS = "success"
    FAILURE = "failure"
    PENDING = "pending"


@dataclass(frozen=True, slots=True)
class Report:
    """One commit status or check run, the newest of its name on its commit. ``at``: as the forge writes it."""

    commit: str
    name: str
    state: ReportState
    at: str = ""

    def to_json(self) -> Json:
        """Write it as evidence."""
        return {"commit": self.commit, "name": self.name, "state": self.state.value, "at": self.at}


def is_named(declared: str, name: str) -> bool:
    """Whether a report is the one that the rules name: by that name, or with the suffix that Flux gives it."""
    rest = name.removeprefix(declared)
    return name.startswith(declared) and (not rest or _FLUX_SUFFIX.fullmatch(rest) is not None)


def newest(declared: str, commits: Iterable[Sequence[Report]]) -> tuple[Report, ...]:
    """Return the newest ended report under a name, one for each of its forms (a cluster each); commits newest first.

    Flux never reports commits that it skipped, so that an older commit may have the newest report.
    """
    found: dict[str, Report] = {}
    for reports in commits:
        for one in reports:
            if one.state is not ReportState.PENDING and is_named(declared, one.name):
                found.setdefault(one.name, one)
    return tuple(found.values())


def is_healthy(
    declared: Sequence[str], commits: Sequence[Sequence[Report]]
) -> tuple[bool | None, tuple[Report, ...]]:
    """Say whether a place is healthy, and by which reports; None: something that has to report has not.

    ``commits`` are those on which the pin is the same, newest first. One failure is enough.
    """
    found = [newest(name, commits) for name in declared]
    counted = tuple(one for reports in found for one in reports)
    if any(one.state is ReportState.FAILURE for one in counted):
        return False, counted
    return (True if found and all(found) else None), counted
