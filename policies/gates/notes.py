"""What is written down of gates that passed, beside an entry: how long it had soaked, that a check had succeeded."""

from datetime import timedelta

from policies.gates.case import Case, Gate
from policies.gates.clock import clock
from policies.gates.table import TABLE
from policies.times.duration import spell
from policies.verdict import Passed


def notes(case: Case, asked: tuple[Gate, ...]) -> dict[str, str]:
    """Return a note for each gate that the rule asks for: passed, with how long; or skipped, where it was not asked.

    A rollback asks for none of them, and says nothing.
    """
    found: dict[str, str] = {}
    if case.promotion and case.promotion.is_rollback:
        return found
    for name, wanted in _wanted(case).items():
        row = next(one for one in TABLE if one.name == name)
        if row.gate not in asked:
            found[name] = "skipped"
        elif isinstance(row.gate(case), Passed):
            found[name] = f"passed {wanted}".rstrip()
    return found


def _wanted(case: Case) -> dict[str, str]:
    """Return the gates that the rule asks for, each with how long it has been so, where that says something."""
    where = case.rule.environment
    clocks = [clock(case, before) for before in where.after]
    found: dict[str, str] = {}
    if where.soak:
        since = [one.since for one in clocks if one.since]
        found["soak"] = _span(case.at - (min(since) if where.after_any else max(since))) if since else ""
    if where.age:
        seen = [case.sighting(one) for one in case.image]
        known = [one.at for one in seen if one]
        found["age"] = _span(case.at - max(known)) if known else ""
    if any(one.is_watched for one in clocks):
        found["health"] = ""
    if case.rule.service.platforms:
        found["platforms"] = ""
    return found | dict.fromkeys(sorted({gate.kind for gate in where.gates}), "")


def _span(time: timedelta) -> str:
    """Return a length of time in whole minutes, seconds where there are none: 3h12m."""
    seconds = max(0, int(time.total_seconds()))
    return spell(timedelta(seconds=seconds - seconds % 60 if seconds >= 60 else seconds))  # noqa: PLR2004  a minute
