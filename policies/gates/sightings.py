"""What was there before Countersign looked first does not move by itself, unless the rules say so."""

from collections.abc import Iterable

from policies.codes import Code
from policies.entries.entry import Pinned
from policies.gates.case import Case
from policies.ledger.newness import is_newer
from policies.ledger.state import State
from policies.rules.rules import Service
from policies.verdict import PASSED, Verdict, Waiting


def known_before(case: Case) -> Verdict:
    """Was it published after we looked first (first start)?"""
    if case.rule.environment.catch_up:
        return PASSED
    found = was_before(case.rule.service, case.state, case.image)
    if not found:
        return PASSED
    if case.rule.environment.has_promotions:
        return Waiting(Code.KNOWN_BEFORE, f"{found} moves when somebody asks for it")
    return Waiting(
        Code.KNOWN_BEFORE, f"{found} stays until a newer version comes or the rules say catch-up: true"
    )


def was_before(service: Service, state: State, images: Iterable[Pinned]) -> str:
    """Return the tag that was there when the service was looked at first, or is older than such a one; '' = none."""
    if service.versions.followed:
        seen = [state.sighting(service.name, one, exact=True) for one in images]
        return next((one.sighting.tag for one in seen if one and one.sighting.before), "")
    before = state.before.get(service.name, ())
    for image in images:
        if any(image.tag == old or is_newer(service, state, old, image.tag) for old in before):
            return image.tag
    return ""
