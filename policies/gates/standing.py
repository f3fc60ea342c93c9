"""What people said: the service is held, the environment stands still."""

from policies.codes import Code
from policies.entries.entry import Kind
from policies.gates.case import Case
from policies.ledger.state import Open
from policies.verdict import PASSED, Verdict, Waiting


def held(case: Case) -> Verdict:
    """Is the service free to move?"""
    standing = case.state.hold_on(case.environment, case.service, case.at)
    return Waiting(Code.HELD, standing.note or standing.why, standing.until) if standing else PASSED


def reviewed(case: Case) -> Verdict:
    """Was every change of the environment's files reviewed, where they are guarded (``config``)?"""
    waits = [seq for seq, one in case.state.open.items() if _is_config(one, case.environment)]
    return Waiting(Code.CONFIG_UNREVIEWED, f"#{waits[0]} waits for its review") if waits else PASSED


def _is_config(one: Open, environment: str) -> bool:
    return one.kind is Kind.CONFIG and one.environment == environment


def frozen(case: Case) -> Verdict:
    """Is the environment free to move: not frozen, and no review overdue?"""
    standing = case.state.freeze_on(case.environment, case.at)
    if standing:
        return Waiting(Code.FROZEN, standing.note or standing.why, standing.until)
    late = case.state.overdue(case.environment, case.at)
    return Waiting(Code.REVIEW_OVERDUE, f"#{late[0]} waits for its review") if late else PASSED
