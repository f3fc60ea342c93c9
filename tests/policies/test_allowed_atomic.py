"""A merge that we push ourselves is refused under a freeze; one by the forge is a fact."""

import pytest

from policies.codes import Code
from policies.entry import Kind
from policies.state import Stage
from tests.policies.ledger_builders import RULES, Story, person, story

ATOMIC = RULES.replace(
    "approvals: 2 of release-managers", "approvals: 2 of release-managers\n    merges: atomic"
)


def merging(text: str, *, is_frozen: bool) -> Story:
    """Come to the point at which the head of an intent is merged."""
    found = story(text).asked().approved()
    found.add(found.about(Kind.INTENT))
    assert found.promotion().stage is Stage.MERGING
    if is_frozen:
        found.add(found.stand(Kind.FREEZE, person("dan")))
    return found


@pytest.mark.parametrize(
    ("text", "is_frozen", "is_pushed", "expected"),
    [
        (ATOMIC, False, True, None),
        (ATOMIC, True, True, Code.FROZEN),
        (ATOMIC, True, False, None),
        (RULES, False, True, Code.NO_RULE),
        (RULES, True, False, None),
    ],
    ids=[
        "pushed",
        "pushed when frozen",
        "by a person at the forge",
        "pushed where the forge merges",
        "by the forge",
    ],
)
def test_what_is_pushed_is_asked_again_whether_it_stands_still(
    text: str, *, is_frozen: bool, is_pushed: bool, expected: Code | None
) -> None:
    found = merging(text, is_frozen=is_frozen)
    evidence = {"pushed": True} if is_pushed else {}

    refusal = found.refusal(found.about(Kind.MERGED, evidence=evidence))

    assert (Code(refusal.code) if refusal else None) is expected
