"""Who speaks, with the accounts that are known of them; and what the gates are told when nothing is known."""

from dataclasses import replace
from datetime import timedelta

import pytest

from policies.allowed.asked import Asked
from policies.allowed.cases import cases_of
from policies.allowed.humans import is_same_human, with_accounts, with_link
from policies.allowed.identity import names_for
from policies.entries.entry import By, Kind, Link
from policies.entries.remembered import ForgeId
from policies.ledger.people import ACCOUNTS_DECIDE
from policies.rules.rules import Rules, effective
from tests.policies.ledger_builders import Story, person, rules, story

LINK = Link("erin-k", "T0", "U0ERIN", 9, "erin-k")


def asked(found: Story) -> Asked:
    assert found.state.rules
    entry = found.complete(found.about(Kind.INTENT))
    return Asked(found.state, entry, found.book, found.book.versions[found.state.rules.commit])


def erin(slack: str = "", number: int = 0, login: str = "") -> By:
    return By("erin-k", "button", "T0", slack, number, login)


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        (erin("U0ERIN"), erin("U0ERIN", 9)),
        (erin("", 9), erin("U0ERIN", 9)),
        (erin("U0ERIN", 5), erin("U0ERIN", 5)),
        (erin("U0OLD", 9), erin("U0OLD", 9)),
        (erin("U0OLD"), erin("U0OLD")),
        (erin("", 5), erin("", 5)),
    ],
    ids=[
        "no number", "no Slack account", "another number", "another Slack account",
        "another Slack account alone", "another number alone",
    ],
)  # fmt: skip
def test_a_link_gives_who_spoke_by_one_of_its_accounts_the_other(by: By, expected: By) -> None:
    found = story().asked()
    found.state.links["erin-k"] = LINK

    assert with_link(asked(found), by) == expected


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        (By("ada", "review"), By("ada", "review", "", "U0ADA", 583, "ada-l")),
        (By("ada", "review", forge_id=583), By("ada", "review", "", "U0ADA", 583, "ada-l")),
        (By("ada", "review", forge_id=584), By("ada", "review", "", "U0ADA", 584, "")),
        (By("ada", "review", "", "U0OLD"), By("ada", "review", "", "U0OLD", 583, "ada-l")),
    ],
    ids=["no account", "their number", "another number", "another Slack account"],
)
def test_the_rules_give_who_speaks_the_accounts_that_they_did_not_name(by: By, expected: By) -> None:
    found = story().asked()
    found.state.forge_ids["ada"] = ForgeId(583, "ada-l")

    assert with_accounts(asked(found), by) == expected


@pytest.mark.parametrize(
    ("earlier", "late", "expected"),
    [
        (By("adele", "", forge_login="ada-l"), timedelta(), True),
        (By("adele", "", forge_login="ADA-L"), timedelta(), True),
        (By("adele", "", forge_login="ada-l"), timedelta(seconds=-1), False),
        (By("adele", "", forge_id=584, forge_login="ada-l"), timedelta(), False),
        (By("adele", ""), timedelta(), False),
    ],
    ids=["from then on", "in another case", "before", "an account that became another's", "no login"],
)
def test_one_login_is_one_human_where_no_number_tells_them_apart(
    earlier: By, late: timedelta, *, expected: bool
) -> None:
    found = story().asked()

    told = is_same_human(asked(found), earlier, person("ada"), under="", since=ACCOUNTS_DECIDE + late)

    assert told is expected


@pytest.mark.parametrize(
    ("login", "names"),
    [
        ("Erin_K", ("erin-k", "erin-k-7")),
        ("bob", ("bob-7",)),
        ("-erin", ()),
    ],
)
def test_a_login_that_cannot_be_a_name_gives_none(login: str, names: tuple[str, ...]) -> None:
    assert names_for(rules(), login, 7) == names


def test_an_entry_that_does_not_say_what_stood_there_is_about_what_the_request_said() -> None:
    found = story().asked()
    about, promotion = asked(found), found.promotion()
    assert about.rule

    (case,) = cases_of(about, about.rule, promotion)

    assert about.entry.previous == ()
    assert case.current == promotion.previous


def test_without_rules_or_genesis_nobody_knows_what_stood_where_and_since_when() -> None:
    found = story().asked()
    found.book.stood_since["staging", "web"] = found.at
    about = asked(found)
    rule = effective(rules(), "production", "web")
    assert rule

    (case,) = cases_of(about, rule)
    (without,) = cases_of(replace(about, rules=None), rule)

    assert case.stood_since(("staging", "web")) == found.at
    assert (without.rules, set(without.baseline.values())) == (Rules({}, {}), {()})
    assert without.stood_since(("staging", "web")) is None
    found.state.genesis = None
    assert case.stood_since(("staging", "web")) is None
