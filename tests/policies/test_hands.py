"""Whose accounts are named: people whom the rules know, and all others by login and number."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from policies.entries.authors import MAX_ACCOUNTS, Authors
from policies.entries.entry import By
from policies.ledger.hands import is_among, told_anew, whose
from policies.rules.rules import Rules
from tests.policies.ledger_builders import RULES, rules, story


def with_ada() -> Rules:
    found = rules(RULES)
    assert found.people["ada"].github
    return found


def test_accounts_of_people_are_theirs_and_strangers_are_named_all_the_same() -> None:
    known = with_ada()
    login = known.people["ada"].github

    assert whose(known, story().state, {7: login.upper(), 9: "stranger"}) == Authors(
        people=("ada",), logins=tuple(sorted((login.upper(), "stranger"))), ids=(7, 9)
    )


def test_nobody_is_hidden_behind_accounts_that_are_made_up() -> None:
    known = with_ada()
    made_up = {number: f"made-up-{number}" for number in range(MAX_ACCOUNTS)}

    found = whose(known, story().state, {**made_up, 99_999: known.people["ada"].github})

    assert found.people == ("ada",)
    assert 99_999 in found.ids
    assert found.why == "1 more accounts are not named"


# --- who is among them -------------------------------------------------------------------------------------------

CUT = datetime(2026, 11, 28, tzinfo=UTC)
MANY = Authors(is_known=True, ids=tuple(range(1, MAX_ACCOUNTS + 1)))
FEW = Authors(is_known=True, ids=(1,))


@pytest.mark.parametrize(
    ("since", "doubtful"), [(CUT, True), (CUT - timedelta(seconds=1), False)], ids=["from then on", "before"]
)
def test_from_a_moment_on_a_list_that_was_cut_lets_nobody_off(since: datetime, *, doubtful: bool) -> None:
    assert told_anew(MANY, FEW, since) == replace(FEW, is_doubtful=doubtful)
    assert told_anew(FEW, FEW, since) == FEW
    assert told_anew(MANY, MANY, since) == MANY


def test_where_one_of_the_two_was_not_told_the_other_stands() -> None:
    assert told_anew(MANY, None, CUT) is None
    assert told_anew(None, FEW, CUT) == FEW
    assert told_anew(None, None, CUT) is None


def _by(number: int = 0, login: str = "") -> By:
    return By("erin", "button", "T0", "U0ERIN", number, login)


@pytest.mark.parametrize(
    ("told", "by", "among"),
    [
        (Authors(is_doubtful=True), _by(7, "erin-k"), True),
        (Authors(is_doubtful=True), _by(7), True),
        (Authors(is_doubtful=True), _by(0, "erin-k"), True),
        (Authors(is_doubtful=True), _by(), False),
        (Authors(ids=(7,), logins=("erin-k",)), _by(7, "other"), True),
        (Authors(ids=(8,), logins=("erin-k",)), _by(7, "erin-k"), False),
        (Authors(ids=(8,), logins=("erin-k",)), _by(0, "Erin-K"), True),
        (Authors(logins=("Erin-K",)), _by(7, "erin-k"), True),
        (Authors(logins=("other",)), _by(7, "erin-k"), False),
        (Authors(logins=("",)), _by(), False),
        (Authors(people=("erin",)), _by(), True),
    ],
    ids=[
        "any account may be",
        "any number may be",
        "any login may be",
        "who has no account is not",
        "by number",
        "another number of that login",
        "no number of theirs is known",
        "no number was told",
        "another login",
        "nobody is a login that is none",
        "by name",
    ],
)
def test_who_speaks_is_among_them_by_any_account(told: Authors, by: By, *, among: bool) -> None:
    assert is_among(told, by, CUT) is among


def test_accounts_decide_from_a_moment_on() -> None:
    accounts = datetime(2026, 11, 26, tzinfo=UTC)

    assert is_among(FEW, _by(1), accounts)
    assert not is_among(FEW, _by(1), accounts - timedelta(seconds=1))
    assert is_among(Authors(people=("erin",)), _by(1), accounts - timedelta(seconds=1))
