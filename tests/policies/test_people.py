"""Who an account is: Git first, then links; an account that is not there is nobody's."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from policies.entries.entry import By, Link
from policies.entries.remembered import ForgeId
from policies.ledger.people import (
    Known,
    agrees,
    everybody,
    is_one,
    known,
    of_forge,
    of_slack,
    who_may_count,
)
from tests.policies.ledger_builders import RULES, rules

ACCOUNTS = datetime(2026, 11, 26, tzinfo=UTC)
FAY = "  fay: {github: fay-f}\n"
TEXT = RULES.replace("teams:", f"{FAY}teams:")
DOMAIN = "acme.example"
ERIN = Link("erin", "T0", "U0ERIN", 4242, "erin-k")


def test_git_names_an_account_and_a_link_the_other() -> None:
    links = {
        "carol": Link("carol", "T0", "U0CAROL", 11, "carol-c"),
        "fay": Link("fay", "T0", "U0FAY", 12, "Fay-F"),
    }

    assert known(rules(TEXT), links, {}, "carol") == Known("carol", "U0CAROL", "carol-c", 11, is_in_git=True)
    assert known(rules(TEXT), links, {}, "fay") == Known("fay", "U0FAY", "fay-f", 12, is_in_git=True)


def test_a_link_that_git_contradicts_is_none() -> None:
    other = Link("ada", "T0", "U0ADA", 900, "ada-two")
    taken = replace(ERIN, slack_user="U0BOB")

    assert known(rules(TEXT), {"ada": other}, {}, "ada") == Known("ada", "U0ADA", "ada-l", 0)
    assert known(rules(TEXT), {"erin": taken}, {}, "erin") is None


def test_whose_accounts_nobody_knows_has_none() -> None:
    assert known(rules(TEXT), {}, {}, "carol") == Known("carol", "U0CAROL", "", 0, is_in_git=True, domain="")
    assert known(rules(TEXT), {}, {}, "fay") == Known("fay", "", "fay-f", 0, is_in_git=True, domain="")


def test_a_number_that_an_entry_named_is_theirs_while_the_login_is_the_same() -> None:
    assert known(rules(TEXT), {}, {"fay": ForgeId(7, "FAY-F")}, "fay") == Known("fay", "", "fay-f", 7)
    assert known(rules(TEXT), {}, {"fay": ForgeId(7, "fay")}, "fay") == Known("fay", "", "fay-f", 0)


def test_whom_a_link_alone_names_is_not_in_git() -> None:
    assert known(rules(), {"erin": ERIN}, {}, "erin") == Known(
        "erin", "U0ERIN", "erin-k", 4242, is_in_git=False, domain=""
    )


@pytest.mark.parametrize(
    ("link", "agreed"),
    [
        (ERIN, True),
        (replace(ERIN, slack_user="U0ADA"), False),
        (replace(ERIN, forge_login="ADA-L"), False),
        (Link("ada", "T0", "U0ADA", 583, "Ada-L"), True),
        (Link("ada", "T0", "U0ADA", 584, "ada-two"), False),
        (Link("ada", "T0", "U0OTHER", 583, "ada-l"), False),
        (Link("carol", "T0", "U0CAROL", 11, "whatever"), True),
        (Link("carol", "T0", "U0OTHER", 11, "whatever"), False),
        (Link("fay", "T0", "U0ANY", 12, "fay-f"), True),
        (Link("fay", "T0", "U0ANY", 12, "fay-g"), False),
    ],
    ids=[
        "nobody's accounts",
        "a Slack account of another",
        "a login of another",
        "both accounts of theirs",
        "another login",
        "another Slack account",
        "Git gives them no login",
        "Git gives them no login, another Slack account",
        "Git gives them no Slack account",
        "Git gives them no Slack account, another login",
    ],
)
def test_a_link_agrees_with_git_or_is_none(link: Link, *, agreed: bool) -> None:
    assert agrees(rules(TEXT), link) is agreed


@pytest.mark.parametrize(
    ("who", "number", "login", "owned"),
    [
        (Known("ada", "", "ada-l", 0), 583, "Ada-L", True),
        (Known("ada", "", "ada-l", 0), 0, "ada-l", False),
        (Known("ada", "", "ada-l", 0), 583, "other", False),
        (Known("ada", "", "ada-l", 7), 7, "other", True),
        (Known("ada", "", "ada-l", 7), 8, "ada-l", False),
        (Known("carol", "", "", 0), 583, "", False),
        (Known("carol", "", "", 0), 0, "", False),
    ],
    ids=[
        "by the login",
        "an account that is gone has no number",
        "another login",
        "by the number",
        "whoever has the login by now",
        "nobody knows an account of theirs",
        "no account at all",
    ],
)
def test_an_account_is_theirs_by_number_else_by_login(
    who: Known, number: int, login: str, *, owned: bool
) -> None:
    assert who.owns(number, login) is owned


def test_nobody_has_an_account_that_is_not_there() -> None:
    assert of_slack(rules(TEXT), {}, {}, "") is None
    assert of_forge(rules(TEXT), {}, {}, number=0, login="") is None
    assert of_forge(rules(TEXT), {}, {}, number=5, login="") is None


def _by(name: str, slack: str = "", number: int = 0) -> By:
    return By(name, "button", "T0" if slack else "", slack, number, f"login-{number}" if number else "")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (_by("ada"), _by("ada"), True),
        (_by("ada"), _by("bob"), False),
        (_by("ada", "U0ADA"), _by("bob", "U0BOB"), False),
        (_by("ada", "U0ADA"), _by("adele", "U0ADA"), True),
        (_by("ada", number=7), _by("adele", number=7), True),
        (_by("ada", number=7), _by("adele", number=8), False),
    ],
    ids=["a name", "nothing but names", "other accounts", "Slack", "forge", "another number"],
)
def test_two_words_are_one_human_s(one: By, other: By, *, same: bool) -> None:
    assert is_one(one, other, ACCOUNTS) is is_one(other, one, ACCOUNTS) is same


def test_accounts_decide_from_a_moment_on() -> None:
    one, other = _by("ada", "U0ADA"), _by("adele", "U0ADA")

    assert is_one(one, other, ACCOUNTS)
    assert not is_one(one, other, ACCOUNTS - timedelta(seconds=1))


@pytest.mark.parametrize(
    ("identity", "counted"),
    [
        ("", {"ada", "erin"}),
        (f"identity: {{email: [{DOMAIN}]}}\n", {"ada"}),
        (f"identity: {{email: [{DOMAIN}], approve: true}}\n", {"ada", "erin"}),
    ],
    ids=["no addresses", "addresses do not approve", "they do"],
)
def test_who_is_known_by_an_address_alone_counts_where_the_rules_say_so(
    identity: str, counted: set[str]
) -> None:
    text = RULES.replace("release-managers: [ada, bob, carol]", "release-managers: github:acme/managers")
    found, links = rules(text + identity), {"erin": replace(ERIN, domain=DOMAIN)}

    assert who_may_count(found, links, {}, {"managers": frozenset({"ada", "erin"})}) == {"managers": counted}
    assert ("erin" in {one.name for one in everybody(found, links, {})}) is bool(identity)
