"""Words that were given at the forge, signed with the bot's own key: what nobody may append, and what may be."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from policies.canonical import Json
from policies.codes import Code
from policies.entries.entry import Bot, By, Entry, Kind, write_time
from policies.entries.remembered import ForgeId
from policies.entries.reviews import review_in
from tests.policies.ledger_builders import FLAGS, RULES, Story, change_rules, oid, person, story

FORGE_FLAGS: Mapping[str, Json] = {"active": True, "bot": False}
BOB = By("bob", "review", forge_id=77, forge_login="bob")


def evidence(found: Story, **changed: Any) -> dict[str, Json]:
    """Return what shows a review of the newest promotion by Bob; ``review_*`` changes what it says."""
    review: dict[str, Json] = {
        "id": 918273,
        "login": "bob",
        "user": 77,
        "commit": found.promotion().head,
        "state": "APPROVED",
        "looked": write_time(found.at),
    }
    review |= {name.removeprefix("review_"): value for name, value in changed.items() if "review_" in name}
    made: dict[str, Json] = {"review": review, "account": dict(FLAGS), "forge_account": dict(FORGE_FLAGS)}
    made["looked"] = write_time(found.at)
    return made | {name: value for name, value in changed.items() if "review_" not in name}


def reviewed(found: Story, by: By = BOB, kind: Kind = Kind.APPROVE, /, **changed: Any) -> Entry:
    return found.about(kind, by, evidence=evidence(found, **changed))


def code(found: Story, entry: Entry) -> Code | None:
    refusal = found.refusal(entry)
    return Code(refusal.code) if refusal else None


def test_a_review_of_the_head_counts_and_is_remembered_by_its_number() -> None:
    found = story().asked()
    found.add(reviewed(found))

    (approval,) = found.promotion().approvals
    assert (approval.review, approval.by) == (918273, BOB)
    assert found.state.forge_ids["bob"] == ForgeId(77, "bob")


# what the entry shows of the review -> why that is not enough
UNSHOWN: list[tuple[dict[str, Any], Code]] = [
    ({"review": {}}, Code.NOT_ATTESTED),
    ({"review": []}, Code.NOT_ATTESTED),
    ({"review_id": 0}, Code.NOT_ATTESTED),
    ({"review_id": True}, Code.NOT_ATTESTED),
    ({"review_id": "918273"}, Code.NOT_ATTESTED),
    ({"review_state": "approved"}, Code.NOT_ATTESTED),
    ({"review_state": "DISMISSED"}, Code.NOT_ATTESTED),
    ({"review_state": "CHANGES_REQUESTED"}, Code.NOT_ATTESTED),
    ({"review_looked": "yesterday"}, Code.NOT_ATTESTED),
    ({"review_looked": write_time(story().at - timedelta(days=1))}, Code.NOT_ATTESTED),
    ({"review_looked": write_time(story().at + timedelta(days=1))}, Code.NOT_ATTESTED),
    ({"review_commit": oid("another head")}, Code.HEAD_MOVED),
    ({"review_commit": ""}, Code.HEAD_MOVED),
    ({"review_user": 78}, Code.UNKNOWN_PERSON),
    ({"review_login": "mallory"}, Code.UNKNOWN_PERSON),
    ({"forge_account": {"active": False, "bot": False}}, Code.ACCOUNT),
    ({"forge_account": {"active": True, "bot": True}}, Code.ACCOUNT),
    ({"forge_account": {"active": 1, "bot": 0}}, Code.ACCOUNT),
    ({"forge_account": {}}, Code.ACCOUNT),
    ({"account": {**FLAGS, "active": False}}, Code.ACCOUNT),
    ({"account": {**FLAGS, "guest": True}}, Code.ACCOUNT),
    ({"account": {}}, Code.ACCOUNT),
]


@pytest.mark.parametrize(("changed", "expected"), UNSHOWN)
def test_what_does_not_show_a_review_of_this_change_by_an_active_person_is_refused(
    changed: dict[str, Any], expected: Code
) -> None:
    found = story().asked()

    assert code(found, reviewed(found, **changed)) is expected


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        (replace(BOB, person="mallory"), Code.UNKNOWN_PERSON),
        (replace(BOB, person="ada"), Code.UNKNOWN_PERSON),
        (replace(BOB, forge_id=0, forge_login=""), Code.UNKNOWN_PERSON),
        (replace(BOB, forge_login="b\u043eb"), None),  # cannot even be written: see below
        (replace(BOB, slack_team="T0", slack_user="U0BOB"), Code.OUT_OF_LINE),
    ],
    ids=["a stranger", "somebody else's account", "no account", "a homoglyph", "beside a Slack account"],
)
def test_a_review_by_another_account_is_refused(by: By, expected: Code | None) -> None:
    found = story().asked()
    entry = reviewed(found, by, review_login=by.forge_login or "bob", review_user=by.forge_id or 77)

    if expected is None:
        with pytest.raises(Exception, match="not of the form"):
            found.add(entry)
    else:
        assert code(found, entry) is expected


def test_a_login_is_the_same_in_another_case() -> None:
    found = story().asked()

    assert code(found, reviewed(found, replace(BOB, forge_login="BOB"), review_login="BOB")) is None


def _met() -> Story:
    """Let the ledger meet Bob's account, so that its number is known."""
    found = story().staged("1.1.0")
    found.add(found.propose("1.1.0", "bob"))
    found.add(found.about(Kind.CANCEL, person("bob")))
    found.add(found.propose("1.1.0", "carol"))
    return found


@pytest.mark.parametrize(
    ("number", "login", "expected"),
    [
        (77, "bob", None),
        (77, "robert", None),
        (78, "bob", Code.UNKNOWN_PERSON),
        (78, "robert", Code.UNKNOWN_PERSON),
    ],
    ids=["as it was", "renamed", "registered again by somebody else", "another one"],
)
def test_numbers_decide_and_logins_decorate_once_the_ledger_has_met_the_account(
    number: int, login: str, expected: Code | None
) -> None:
    found = _met()
    by = replace(BOB, forge_id=number, forge_login=login)

    assert code(found, reviewed(found, by, review_user=number, review_login=login)) is expected


def test_in_slack_too_a_login_that_somebody_else_took_is_not_named() -> None:
    found = _met()
    by = replace(person("bob"), forge_id=78)

    assert code(found, found.about(Kind.APPROVE, by)) is Code.UNKNOWN_PERSON


def test_other_rules_may_name_another_account_for_somebody() -> None:
    found = _met()
    change_rules(found, RULES.replace("github: bob", "github: robert"))
    by = replace(BOB, forge_id=500, forge_login="robert")

    assert code(found, reviewed(found, by, review_user=500, review_login="robert")) is None
    assert code(found, reviewed(found)) is Code.UNKNOWN_PERSON


def test_a_review_on_an_earlier_head_of_the_same_change_counts_after_it_was_built_anew() -> None:
    found = story().asked()
    before = found.promotion().head
    found.add(found.about(Kind.REBASED))

    assert code(found, reviewed(found, review_commit=before)) is None
    assert code(found, reviewed(found)) is None


def test_a_review_on_a_head_of_what_was_voided_does_not() -> None:
    found = story().asked()
    before = found.promotion().head
    found.add(found.about(Kind.VOID))

    assert code(found, reviewed(found, review_commit=before)) is Code.HEAD_MOVED
    assert code(found, reviewed(found)) is None


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"review_state": "DISMISSED"}, None),
        ({"review_state": "APPROVED", "review_id": 918274}, None),
        ({"review_state": "APPROVED"}, Code.NOT_ATTESTED),
        ({"review_state": "DISMISSED", "review_id": 918274}, Code.NOT_ATTESTED),
        ({"review_state": "CHANGES_REQUESTED"}, Code.NOT_ATTESTED),
    ],
    ids=["dismissed", "a newer one instead", "as it stands", "another one dismissed", "changes requested"],
)
def test_an_approval_by_review_is_taken_back_by_what_happened_to_it(
    changed: dict[str, Any], expected: Code | None
) -> None:
    found = story().asked()
    found.add(reviewed(found))

    assert code(found, reviewed(found, BOB, Kind.UNAPPROVE, **changed)) is expected


def test_a_press_is_not_taken_back_by_a_dismissed_review() -> None:
    found = story().asked().approved("bob")

    assert code(found, reviewed(found, BOB, Kind.UNAPPROVE, review_state="DISMISSED")) is Code.NOT_ATTESTED
    assert code(found, reviewed(found, BOB, Kind.UNAPPROVE)) is None


def test_changes_requested_reject_it_and_nothing_else_does() -> None:
    found = story().asked()

    asked_for = reviewed(found, BOB, Kind.REJECT, review_state="CHANGES_REQUESTED")
    assert code(found, asked_for) is None
    assert code(found, reviewed(found, BOB, Kind.REJECT)) is Code.NOT_ATTESTED
    assert code(found, replace(asked_for, note="")) is Code.NOTE_MISSING


@pytest.mark.parametrize("kind", [Kind.PROPOSE, Kind.CANCEL, Kind.ROLLBACK])
def test_nothing_else_is_said_by_a_review(kind: Kind) -> None:
    found = story().asked()
    entry = found.propose("1.1.0", by=BOB) if kind is Kind.PROPOSE else found.about(Kind.CANCEL, BOB)
    entry = found.rollback("1.0.0", by=BOB) if kind is Kind.ROLLBACK else entry

    assert code(found, replace(entry, evidence=evidence(found))) in {Code.ACCOUNT, Code.UNKNOWN_PERSON}


def test_who_asked_does_not_approve_by_a_review() -> None:
    found = story().staged("1.1.0")
    found.add(found.propose("1.1.0", "bob"))

    assert code(found, reviewed(found)) is Code.REQUESTER


@pytest.mark.parametrize(
    ("looked", "expected"),
    [
        ({"accounts": {"ada": FLAGS, "bob": FLAGS}, "forge_accounts": {"bob": FORGE_FLAGS}}, None),
        ({"accounts": {"ada": FLAGS, "bob": FLAGS}}, Code.ACCOUNT),
        ({"accounts": {"ada": FLAGS}, "forge_accounts": {"bob": FORGE_FLAGS}}, Code.ACCOUNT),
        (
            {
                "accounts": {"ada": FLAGS, "bob": FLAGS},
                "forge_accounts": {"bob": {"active": False, "bot": False}},
            },
            Code.ACCOUNT,
        ),
    ],
    ids=["both", "not at the forge", "not in Slack", "suspended since"],
)
def test_before_the_merge_a_reviewer_is_looked_up_again_on_both_sides(
    looked: dict[str, Any], expected: Code | None
) -> None:
    found = story().asked().approved("ada")
    found.add(reviewed(found))

    assert code(found, found.about(Kind.INTENT, Bot(), evidence=looked)) is expected


def test_evidence_of_no_form_is_no_review() -> None:
    for strange in ({}, {"review": None}, {"review": 1}, {"review": {"id": 2**60}}, {"review": {"id": -1}}):
        assert review_in(strange) is None  # type: ignore[arg-type]  # somebody else's
