"""What was there before Countersign looked first moves by a person's word only."""

from policies.codes import Code
from policies.gates.case import Case
from policies.selection import newer
from policies.verdict import PASSED, Verdict, Waiting


def known_before(case: Case) -> Verdict:
    """Was it published after we looked first (first start)?"""
    if case.rule.environment.catch_up:
        return PASSED
    policy = case.rule.service.versions
    for old in case.state.before.get(case.service, ()):
        for image in case.image:
            if image.tag == old or newer(policy, old, image.tag):
                return Waiting(Code.KNOWN_BEFORE, f"{image.tag} was there before the first look")
    return PASSED
