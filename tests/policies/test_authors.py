"""Authors of the code between two images, as entries attest them: excluded from approvals, never from the way back."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.canonical import Json
from policies.codes import Code
from policies.entries.authors import Authors
from policies.entries.entry import Bot, Entry, Kind
from tests.policies.ledger_builders import FLAGS, RULES, Story, person, story

AUTHORS = RULES.replace(
    "approvals: 2 of release-managers",
    "approvals: 2 of release-managers\n    exclude: [requester, authors]",
)
BY_BOB: dict[str, Json] = {"known": True, "people": ["bob"], "logins": ["bob", "mallory"]}
UNKNOWN: dict[str, Json] = {"known": False, "people": [], "logins": [], "why": "no tags"}


def asked(authors: Json, text: str = AUTHORS) -> Story:
    """Let Dan ask for a version whose request attests these authors."""
    found = story(text).staged("1.1.0")
    evidence: dict[str, Json] = {"account": dict(FLAGS), "authors": authors}
    found.add(found.propose("1.1.0", "dan", evidence=evidence))
    return found


def code(found: Story, entry: Entry) -> Code | None:
    refusal = found.refusal(entry)
    return Code(refusal.code) if refusal else None


def intent(found: Story, **evidence: Any) -> Entry:
    accounts = {one.by.person: dict(FLAGS) for one in found.promotion().approvals}
    return found.about(Kind.INTENT, Bot(), evidence={"accounts": accounts, **evidence})


@pytest.mark.parametrize(
    ("authors", "text", "expected"),
    [
        (BY_BOB, AUTHORS, Code.AUTHOR),
        (BY_BOB, RULES, None),
        (UNKNOWN, AUTHORS, None),
        ({**BY_BOB, "people": []}, AUTHORS, None),
        ({**BY_BOB, "people": "bob"}, AUTHORS, None),
        ([], AUTHORS, None),
        ({**BY_BOB, "ways": ["labels"]}, AUTHORS, Code.AUTHOR),
        ({**BY_BOB, "ways": "labels"}, AUTHORS, Code.AUTHOR),
    ],
    ids=[
        "an author",
        "where authors are not excluded",
        "not known",
        "nobody whom we know",
        "malformed",
        "a list",
        "by labels",
        "an odd way",
    ],
)
def test_an_author_whom_the_request_attests_may_not_approve(
    authors: Json, text: str, expected: Code | None
) -> None:
    found = asked(authors, text)

    assert code(found, found.about(Kind.APPROVE, person("bob"))) is expected
    assert code(found, found.about(Kind.APPROVE, person("ada"))) is None


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        ({"authors": UNKNOWN}, None),
        ({"authors": {"known": True, "people": [], "logins": []}}, None),
        ({"authors": BY_BOB}, Code.APPROVALS_MISSING),
        ({}, Code.EVIDENCE_MISSING),
        ({"authors": {"people": []}}, Code.EVIDENCE_MISSING),
        ({"authors": {"known": 1, "people": [], "logins": []}}, Code.EVIDENCE_MISSING),
        ({"authors": {"known": True, "people": ["x", 1], "logins": []}}, Code.EVIDENCE_MISSING),
    ],
    ids=[
        "not known",
        "nobody",
        "an approver, as found out since",
        "not said",
        "half said",
        "one is no yes",
        "odd",
    ],
)
def test_before_the_merge_it_is_said_who_wrote_it_and_none_of_them_counts(
    evidence: dict[str, Json], expected: Code | None
) -> None:
    found = asked(UNKNOWN).approved("ada", "bob")

    assert code(found, intent(found, **evidence)) is expected


def test_nobody_is_an_author_for_the_way_back() -> None:
    found = asked(UNKNOWN).approved("ada", "bob")
    found.add(intent(found, authors=UNKNOWN))
    found.add(found.about(Kind.MERGED))
    found.add(found.about(Kind.LANDED))
    evidence: dict[str, Json] = {"account": dict(FLAGS), "authors": BY_BOB}
    found.add(found.rollback("1.0.0", "bob", evidence=evidence))

    assert code(found, found.about(Kind.INTENT)) is None


NAMES = st.lists(st.text("abc-", min_size=1, max_size=8), max_size=4).map(tuple)


@given(st.builds(Authors, st.booleans(), NAMES, NAMES, st.integers(0, 1000), st.text(max_size=20), NAMES))
def test_what_is_attested_is_read_back(authors: Authors) -> None:
    assert Authors.attested({"authors": authors.as_json()}) == authors
