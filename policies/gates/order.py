"""No step back without a named person (promise 5)."""

from policies.codes import Code
from policies.entries.entry import Pinned
from policies.entries.remembered import is_version
from policies.gates.before import has_run
from policies.gates.case import Case, holds
from policies.ledger.newness import is_newer
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
    if case.is_followed:
        return _never_back(case, stood)
    for old in stood:
        for new in case.image:
            is_other = old.repository == new.repository and old.tag and old.tag != new.tag
            if state.is_answered(place, Code.DOWNGRADE, new, old):
                continue  # a named person said that exactly this step may be made
            if is_other and is_newer(case.rule.service, state, new.tag, old.tag) is False:
                return Failed(Code.DOWNGRADE, f"{new.tag} is not newer than {old.tag}{where}")
    return PASSED


def _never_back(case: Case, stood: tuple[Pinned, ...]) -> Verdict:
    """Of a tag that moves: is it no digest that ran here and was left? Who unblocked it, or answered, said so."""
    state, place = case.state, (case.environment, case.service)
    if holds(stood, case.image) or not has_run(case, case.environment):
        return PASSED
    for new in case.image:
        is_lifted = any(what == case.service and is_version(one, new) for _, what, one in state.unblocked)
        is_answered = any(state.is_answered(place, Code.DOWNGRADE, new, old) for old in stood)
        if not is_lifted and not is_answered:
            return Failed(Code.DOWNGRADE, f"{new.tag} names {new.digest[:19]} again, which ran here before")
    return PASSED
