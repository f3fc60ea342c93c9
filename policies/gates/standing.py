"""What people said: the service is held, the environment stands still."""

from policies.codes import Code
from policies.gates.case import Case
from policies.verdict import PASSED, Verdict, Waiting


def held(case: Case) -> Verdict:
    """Is the service free to move?"""
    standing = case.state.hold_on(case.environment, case.service, case.at)
    return Waiting(Code.HELD, standing.note or standing.why, standing.until) if standing else PASSED


def frozen(case: Case) -> Verdict:
    """Is the environment free to move: not frozen, and no review overdue?"""
    standing = case.state.freeze_on(case.environment, case.at)
    if standing:
        return Waiting(Code.FROZEN, standing.note or standing.why, standing.until)
    late = case.state.overdue(case.environment, case.at)
    return Waiting(Code.REVIEW_OVERDUE, f"#{late[0]} waits for its review") if late else PASSED
