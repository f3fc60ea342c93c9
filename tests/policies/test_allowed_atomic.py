"""A merge that we push ourselves is refused under a freeze; one by the forge is a fact."""

from dataclasses import replace

import pytest

from policies.codes import Code
from policies.entries.entry import Entry, Kind
from policies.ledger.state import Stage
from tests.policies.group_worlds import TEXT, about, asked, shop
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


LINES = "approvals: 2 of release-managers"
BY_COMMIT = f"{LINES}\n    via: commit"


def _single(text: str) -> tuple[Story, Entry]:
    found = merging(text, is_frozen=True)
    return found, found.about(Kind.MERGED)


def _group(text: str) -> tuple[Story, Entry]:
    found = asked(shop(text), {"web": "1.1.0", "cart": "1.2.0"})
    for name in ("ada", "bob"):
        found.add(about(found, Kind.APPROVE, person(name)))
    found.add(about(found, Kind.INTENT))
    found.add(found.stand(Kind.FREEZE, person("dan")))
    return found, about(found, Kind.MERGED)


def test_where_there_is_no_pull_request_no_forge_merges_past_a_freeze() -> None:
    for found, entry in (_single(RULES.replace(LINES, BY_COMMIT)), _group(TEXT.replace(LINES, BY_COMMIT))):
        assert [one.code for one in found.reasons(entry)] == [Code.OUT_OF_LINE]
        pushed = found.refusal(replace(entry, evidence={"pushed": True}))
        assert pushed
        assert pushed.code is Code.FROZEN


def test_a_forge_merges_a_group_where_there_are_pull_requests() -> None:
    found, entry = _group(TEXT)

    assert found.refusal(entry) is None


@pytest.mark.parametrize("is_read", [True, False], ids=["rules without it", "no rules at all"])
def test_rules_that_do_not_cover_it_tell_of_no_forge(*, is_read: bool) -> None:
    found, entry = _single(RULES)
    judged = found.promotion().rule.commit
    without = replace(found.book.versions[judged], services={})
    found.book.versions = {judged: without} if is_read else {}

    assert Code.NO_RULE in {one.code for one in found.reasons(entry)}
