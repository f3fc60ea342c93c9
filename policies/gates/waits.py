"""Gates that time alone opens: soak, age, limit, the rules' freeze windows."""

from datetime import datetime
from functools import lru_cache

from policies.codes import Code
from policies.entries.entry import Kind
from policies.gates.before import each_before
from policies.gates.case import Case
from policies.gates.clock import clock
from policies.ledger.state import Move
from policies.times.calendar import Calendar, Window
from policies.times.duration import spell
from policies.times.windows import is_in, opens
from policies.verdict import PASSED, Verdict, Waiting


def soak(case: Case) -> Verdict:
    """Has it run long enough in every environment before (``soak``)? Newer versions there do not stop its clock."""
    return each_before(case, _soaked_in) if case.rule.environment.soak else PASSED


def _soaked_in(case: Case, before: str) -> Verdict:
    needed, found = case.rule.environment.soak, clock(case, before)
    if found.since is None:
        what = "it is healthy" if found.is_watched else "it runs"
        return Waiting(Code.SOAKING, f"{spell(needed)} are needed; the clock starts when {what} in {before}")
    ends = found.since + needed
    if case.at >= ends:
        return PASSED
    what = "healthy in" if found.is_watched else "in"
    said = f"{what} {before} since {found.since:%Y-%m-%d %H:%M} UTC, {spell(needed)} are needed"
    return Waiting(Code.SOAKING, said, ends)


def age(case: Case) -> Verdict:
    """Has it been known long enough since it was first seen (``age``)?"""
    needed = case.rule.environment.age
    if not needed:
        return PASSED
    seen = [case.sighting(one) for one in case.image]
    known = [one.at for one in seen if one]
    place = (case.environment, case.service)
    if case.image and all(case.state.is_answered(place, Code.AGE_UNKNOWN, one) for one in case.image):
        return PASSED
    if len(known) < len(seen) or not known:
        return Waiting(Code.AGE_UNKNOWN, "the ledger has no first sighting of it")
    ends = max(known) + needed
    if case.at >= ends:
        return PASSED
    return Waiting(
        Code.TOO_YOUNG, f"first seen {max(known):%Y-%m-%d %H:%M} UTC, {spell(needed)} are needed", ends
    )


def limit(case: Case) -> Verdict:
    """Have fewer moves of the service been made there lately than the rule lets through (``limit``)?

    Rollbacks do not count. Other services do not either: a verdict never depends on them.
    """
    most = case.rule.environment.limit
    if most is None:
        return PASSED
    moves = case.state.moves.get((case.environment, case.service), ())
    recent = sorted(one.at for one in moves if _counts(case, one) and one.at > case.at - most.span)
    if len(recent) < most.count:
        return PASSED
    return Waiting(Code.LIMIT_REACHED, f"{most} have been made", recent[-most.count] + most.span)


def _counts(case: Case, move: Move) -> bool:
    promotion = case.state.promotions.get(move.promotion)
    return move.kind is not Kind.EXTERNAL and not (promotion and promotion.is_rollback)


def freeze(case: Case) -> Verdict:
    """Is it outside of the windows in which the rules let nothing move (``freeze``)?"""
    where, calendar = case.rule.environment, case.rules.calendar
    return _closed(where.freeze, calendar, where.zone or calendar.zone, case.at) if where.freeze else PASSED


@lru_cache(maxsize=256)  # every version of every service is asked at the same moment
def _closed(windows: tuple[Window, ...], calendar: Calendar, zone: str, at: datetime) -> Verdict:
    window = _window(windows, calendar, zone, at)
    if window is None:
        return PASSED
    return Waiting(Code.FREEZE_WINDOW, f"{window} ({zone or 'UTC'})", opens(windows, calendar, zone, at))


def _window(windows: tuple[Window, ...], calendar: Calendar, zone: str, at: datetime) -> Window | None:
    return next((one for one in windows if is_in(one, calendar, zone, at)), None)
