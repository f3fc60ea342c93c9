"""What the environments before say of it."""

from policies.codes import Code
from policies.entry import Pinned
from policies.gates.case import Case, holds
from policies.verdict import PASSED, Verdict, Waiting


def previous(case: Case) -> Verdict:
    """Has it run, as exactly this digest, in every environment that comes before?"""
    for before in case.rule.environment.after:
        if not has_run(case, before, case.image):
            return Waiting(Code.NOT_IN_PREVIOUS, f"it has not run in {before}")
    return PASSED


def has_run(case: Case, environment: str, image: tuple[Pinned, ...]) -> bool:
    """Whether an image was ever in place there, by the ledger or since before it."""
    place = (environment, case.service)
    stood = [move.image for move in case.state.moves.get(place, ())] + [case.baseline.get(place, ())]
    return any(holds(images, image) for images in stood)
