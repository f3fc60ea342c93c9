"""No step back without a named person (promise 5)."""

from policies.codes import Code
from policies.entry import Pinned
from policies.gates.case import Case
from policies.newness import is_newer
from policies.verdict import PASSED, Failed, Verdict


def downgrade(case: Case) -> Verdict:
    """Is it a step forward in the service's own order?"""
    return _forward(case, case.current, "")


def went_back(case: Case) -> Verdict:
    """Is it a step forward also from what the ledger moved there last? What an entry says stood there may be a lie."""
    move = case.state.last_move(case.environment, case.service)
    stood = move.image if move else case.baseline.get((case.environment, case.service), ())
    return _forward(case, stood, ", which was moved there")


def _forward(case: Case, stood: tuple[Pinned, ...], where: str) -> Verdict:
    """Where the old tag has no place in the order, any version is a step on."""
    state, place = case.state, (case.environment, case.service)
    for old in stood:
        for new in case.image:
            is_other = old.repository == new.repository and old.tag and old.tag != new.tag
            if state.is_answered(place, Code.DOWNGRADE, new, old):
                continue  # a named person said that exactly this step may be made
            if is_other and is_newer(case.rule.service, state, new.tag, old.tag) is False:
                return Failed(Code.DOWNGRADE, f"{new.tag} is not newer than {old.tag}{where}")
    return PASSED
