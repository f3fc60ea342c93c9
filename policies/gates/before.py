"""What the environments before say of it: it has run there, runs there now, is healthy there."""

from collections.abc import Callable

from policies.codes import Code
from policies.entries.remembered import Fortune
from policies.gates.case import Case, holds
from policies.gates.clock import befell, clock, watched
from policies.rules.rules import Takes
from policies.verdict import PASSED, Passed, Verdict, Waiting


def previous(case: Case) -> Verdict:
    """Has it run, as exactly this digest, in every environment that comes before?"""
    return each_before(case, _has_run_in)


def takes(case: Case) -> Verdict:
    """Is it what the environment before runs at this moment (``takes: same``)?"""
    return each_before(case, _runs_in) if case.rule.environment.takes is Takes.SAME else PASSED


def healthy(case: Case) -> Verdict:
    """Is it healthy in every environment before that declares what says so?"""
    return each_before(case, _healthy_in)


def each_before(case: Case, asked: Callable[[Case, str], Verdict]) -> Verdict:
    """Ask about each environment before; one is enough where the rule says so. The worst answer counts, or the best."""
    answers = [asked(case, before) for before in case.rule.environment.after]
    if not answers:
        return PASSED
    pick = min if case.rule.environment.after_any else max
    return pick(answers, key=_rank)


def _rank(verdict: Verdict) -> float:
    """Order answers: passed first, then what opens by itself, the sooner the better, then what does not."""
    if isinstance(verdict, Passed):
        return float("-inf")
    until = verdict.until if isinstance(verdict, Waiting) else None
    return until.timestamp() if until else float("inf")


def _has_run_in(case: Case, before: str) -> Verdict:
    if has_run(case, before):
        return PASSED
    return Waiting(Code.NOT_IN_PREVIOUS, f"it has not run in {before}")


def has_run(case: Case, environment: str) -> bool:
    """Whether the image was ever in place there, by the ledger or since before it."""
    if holds(case.stood_in(environment), case.image_in(environment)):
        return True
    return any(all(one.what is Fortune.MOVED for one in events) for events in befell(case, environment))


def _runs_in(case: Case, before: str) -> Verdict:
    move = case.state.last_move(before, case.service)
    stands = move.image if move else case.stood_in(before)
    if holds(stands, case.image_in(before)):
        return PASSED
    return Waiting(Code.NOT_THERE_NOW, f"{before} runs {stands[0].tag if stands else 'nothing known'}")


def _healthy_in(case: Case, before: str) -> Verdict:
    if not watched(case, before):
        return PASSED
    found = clock(case, before)
    if found.is_healthy:
        return PASSED
    if found.is_unhealthy:
        return Waiting(Code.UNHEALTHY, f"it is reported unhealthy in {before}")
    return Waiting(Code.NOT_HEALTHY, f"nothing has reported yet that it is healthy in {before}")
