"""Whose accounts are named: people whom the rules know, and all others by login and number."""

from policies.entries.authors import MAX_ACCOUNTS, Authors
from policies.ledger.hands import whose
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
