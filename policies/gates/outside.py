"""Gates that ask outside: what was looked up is evidence; what is unknown, missing or stale waits."""

from policies.facts import verdict_of
from policies.gates.case import Case
from policies.verdict import PASSED, Failed, Passed, Verdict

PLATFORMS = "service/platforms"  # its facts: no gate of the rules can have this name


def checks(case: Case) -> Verdict:
    """Have the checks that the rule names succeeded on the source, the head or the target branch?"""
    return _of_kind(case, "checks")


def http(case: Case) -> Verdict:
    """Does the address that the rule names answer as it has to?"""
    return _of_kind(case, "http")


def prometheus(case: Case) -> Verdict:
    """Is the number that the rule asks Prometheus for as it has to be?"""
    return _of_kind(case, "prometheus")


def signature(case: Case) -> Verdict:
    """Is the image signed by a key of the rule, for exactly this digest?"""
    return _of_kind(case, "signature")


def labels(case: Case) -> Verdict:
    """Does the image carry the labels or annotations that the rule names?"""
    return _of_kind(case, "labels")


def platforms(case: Case) -> Verdict:
    """Is the image built for each platform that the service names (``platforms``)?"""
    return verdict_of(case.facts, PLATFORMS, case.at) if case.rule.service.platforms else PASSED


def _of_kind(case: Case, kind: str) -> Verdict:
    """Return the worst answer of the rule's gates of a kind: failed, else waiting, else passed."""
    named = [one.name for one in case.rule.environment.gates if one.kind == kind]
    answers = [verdict_of(case.facts, name, case.at) for name in named]
    failed = next((one for one in answers if isinstance(one, Failed)), None)
    return failed or next((one for one in answers if not isinstance(one, Passed)), PASSED)
