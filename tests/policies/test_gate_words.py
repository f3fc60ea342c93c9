"""What each gate says when it does not pass, and until when: people read it beside the code."""

import pytest

from policies.verdict import Failed, Verdict, Waiting
from tests.policies.test_gates import ALL

NEEDED = "2h are needed"
MOVED_THERE = ", which was moved there"
# the case of test_gates -> what is said, and when it opens by itself
SAID: dict[str, tuple[str, str]] = {
    "an older version": ("1.0.0 is not newer than 1.1.0", ""),
    "behind the last move": (f"1.2.0 is not newer than 1.5.0{MOVED_THERE}", ""),
    "behind the baseline": (f"1.0.0-a is not newer than 1.0.0{MOVED_THERE}", ""),
    "behind a move by hand": (f"1.2.0 is not newer than 1.9.0{MOVED_THERE}", ""),
    "another digest": ("1.1.0 was sha256:7fbd210ebec1 when it was first seen", ""),
    "no digest": ("the digest of 1.1.0 is not known", ""),
    "a major version further": ("3.0.0 is 2 major versions above 1.0.0", ""),
    "a change of files there": ("#2 waits for its review", ""),
    "a review that is overdue": ("#2 waits for its review", ""),
    "blocked": ("an incident", ""),
    "rolled back there": ("errors in checkout", ""),
    "has not run": ("it has not run in staging", ""),
    "there before": ("1.1.0 stays until a newer version comes or the rules say catch-up: true", ""),
    "there before where people are asked": ("1.1.0 moves when somebody asks for it", ""),
    "held": ("an incident", ""),
    "frozen": ("an incident", ""),
    "nobody asked": ("nobody has asked for it", ""),
    "one is missing": ("1 of 2 approvals", ""),
    "pressed where one has to be a review": ("one of the approvals has to be a review in GitHub", ""),
    "by a team that was not looked up": ("east (github:acme/east)", ""),
    "approved long ago": ("the last approval is too old", ""),
    "too old": ("the request is too old", ""),
    "takes what ran there": ("staging runs 1.2.0", ""),
    "takes from an environment of which nothing is known": ("staging runs nothing known", ""),
    "not reported yet": ("nothing has reported yet that it is healthy in staging", ""),
    "reported unhealthy": ("it is reported unhealthy in staging", ""),
    "soaking": (f"in staging since 2026-11-23 09:03 UTC, {NEEDED}", "11:03"),
    "has not run, so it does not soak": (f"{NEEDED}; the clock starts when it runs in staging", ""),
    "waits for the first healthy": (f"{NEEDED}; the clock starts when it is healthy in staging", ""),
    "soaks from the first healthy": (f"healthy in staging since 2026-11-23 09:34 UTC, {NEEDED}", "11:34"),
    "healthy again starts it anew": (f"healthy in staging since 2026-11-23 10:36 UTC, {NEEDED}", "12:36"),
    "moved again after a rollback it soaks anew": (
        f"in staging since 2026-11-23 14:06 UTC, {NEEDED}",
        "16:06",
    ),
    "a block starts it anew when it is lifted": (
        f"healthy in staging since 2026-11-23 10:06 UTC, {NEEDED}",
        "12:06",
    ),
    "soaked in one of two": (f"in west since 2026-11-23 11:04 UTC, {NEEDED}", "13:04"),
    "soaked in none of any": (f"in east since 2026-11-23 10:03 UTC, {NEEDED}", "12:03"),
    "ran in one of two": ("it has not run in east", ""),
    "too young": (f"first seen 2026-11-23 09:02 UTC, {NEEDED}", "11:02"),
    "of unknown age": ("the ledger has no first sighting of it", ""),
    "at the limit": ("2 per 1h have been made", "10:03"),
    "within a window": ("Mon 08:00-10:00 (UTC)", "10:00"),
    "within it in its own zone": ("Mon 10:00-12:00 (Europe/Berlin)", "11:00"),
    "within it in the calendar's zone": ("Mon 10:00-12:00 (Europe/Berlin)", "11:00"),
    "on a closed day": ("closed (UTC)", "00:00"),
    "checks is not looked at": ("my-checks has not been looked at yet", ""),
    "checks looked at too long ago": ("my-checks was looked at too long ago", ""),
    "platforms not looked at": ("service/platforms has not been looked at yet", ""),
    "frozen and lifted since": ("it was frozen after the last approval", ""),
}


def said(verdict: Verdict) -> tuple[str, str]:
    """Return what a verdict tells people, and the time of the day (UTC) at which it opens."""
    assert isinstance(verdict, Waiting | Failed)
    until = verdict.until if isinstance(verdict, Waiting) else None
    return verdict.detail, f"{until:%H:%M}" if until else ""


@pytest.mark.parametrize("name", SAID)
def test_a_gate_says_what_it_found_and_until_when(name: str) -> None:
    gate, make, _ = ALL[name]

    assert said(gate(make())) == SAID[name]
