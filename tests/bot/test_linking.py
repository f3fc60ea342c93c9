"""As whom somebody is linked: one name a human, whatever the rules said when they were first met."""

import pytest

from bot.ports import ForgeAccount
from bot.promoting.linking import person_for
from policies.ledger.people import ACCOUNTS_DECIDE
from policies.words import Speaker
from tests.policies.ledger_builders import change_rules, rules
from tests.policies.test_emails import NAMED, ON, TEAM, met


@pytest.mark.parametrize(
    ("text", "user", "account", "expected"),
    [
        (ON, "U0ERIN", ForgeAccount(4242, "erin-k"), "erin-k"),
        (TEAM, "U0ERIN", ForgeAccount(4242, "erin-k"), "erin-k"),
        (TEAM, "U0ERIN", ForgeAccount(777, "erin-private"), "erin-k"),
        (TEAM, "U0REAL", ForgeAccount(4242, "erin-k"), "erin-k-4242"),
        (ON.replace("people:\n", NAMED), "U0ERIN", ForgeAccount(4242, "erin-k"), "erin"),
    ],
    ids=["matched", "matched before", "with another account", "somebody else's", "named in Git"],
)
def test_who_was_matched_keeps_the_name(text: str, user: str, account: ForgeAccount, expected: str) -> None:
    found = met()
    change_rules(found, text)
    found.at = ACCOUNTS_DECIDE

    assert person_for(rules(text), found.state, Speaker("T0", user, "command", "1"), account) == expected
