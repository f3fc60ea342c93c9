"""Gates that ask outside: what was looked up is evidence; what is unknown, missing or stale waits."""

from policies.entries.facts import MAX_AGE, MAX_AGE_OF_CONTENT, verdict_of
from policies.gates.case import Case, Gate
from policies.rules.rules import OutsideGate
from policies.verdict import PASSED, Failed, Passed, Verdict

PLATFORMS = "service/platforms"  # its facts: no gate of the rules can have this name
OF_CONTENT = frozenset({"signature", "labels", PLATFORMS})  # kinds that ask about a digest alone


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
    """Is the image signed by a key or an identity of the rule, for exactly this digest?"""
    return _of_kind(case, "signature")


def labels(case: Case) -> Verdict:
    """Does the image carry the labels or annotations that the rule names?"""
    return _of_kind(case, "labels")


def platforms(case: Case) -> Verdict:
    """Is the image built for each platform that the service names (``platforms``)?"""
    return _known(case, PLATFORMS, PLATFORMS) if case.rule.service.platforms else PASSED


def asks(gate: OutsideGate, *, is_offer: bool) -> bool:
    """Whether it can be asked: before somebody has asked for a version there is no pull request with checks."""
    return not (is_offer and gate.kind == "checks" and gate.settings.get("on") == ("head",))


GATES: frozenset[Gate] = frozenset({checks, http, prometheus, signature, labels, platforms})


def _known(case: Case, name: str, kind: str) -> Verdict:
    """Return what is known of one gate. What moves needs a fresh answer; an offer takes an older one of a digest."""
    max_age = MAX_AGE_OF_CONTENT if case.is_offer and kind in OF_CONTENT else MAX_AGE
    return verdict_of(case.facts, name, case.at, max_age)


def _of_kind(case: Case, kind: str) -> Verdict:
    """Return the worst answer of the rule's gates of a kind: failed, else waiting, else passed."""
    mine = [one for one in case.rule.environment.gates if one.kind == kind]
    answers = [_known(case, one.name, kind) for one in mine if asks(one, is_offer=case.is_offer)]
    failed = next((one for one in answers if isinstance(one, Failed)), None)
    return failed or next((one for one in answers if not isinstance(one, Passed)), PASSED)
