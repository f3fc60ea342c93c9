"""Logins and ids that only look like somebody's: refused where they are read, and nobody's where they are compared."""

from dataclasses import replace

import pytest

from policies.entries.entry import By, EntryError, Kind, Link, parse, write_time
from policies.ledger.people import of_forge, of_slack
from policies.rulebook.findings import RulesError
from policies.rulebook.parse import parse as parse_rules
from tests.policies.ledger_builders import RULES, person, rules, story

LOGINS = [
    "\u0430da-l",  # Cyrillic a
    "ad\u0251-l",  # Latin alpha
    "ada\u2010l",  # a hyphen that is none of ASCII's
    "ada-\u0131",  # a dotless i
    "ada-l.",
    "ada-l ",
    "ada-l\u200b",
    "\uff41da-l",  # full width
    "a\u0301da-l",  # an accent of its own
    "ada_l",
    "@ada-l",
    "-ada-l",
]
USERS = [
    "\u0410DA",
    "U0AD\u0410",
    "u0ada",
    "U0ADA.",
    "U0ADA ",
    "U\u041eADA",
    "U0ADA\u200b",
    "\uff35\uff10ADA",
]


@pytest.mark.parametrize("login", LOGINS, ids=ascii)
def test_a_login_that_looks_like_one_is_refused_by_the_rules_and_is_nobodys(login: str) -> None:
    with pytest.raises(RulesError):
        parse_rules({"a.yaml": RULES.replace("github: ada-l", f"github: '{login}'").encode()})

    assert of_forge(rules(), {}, {}, number=583, login=login) is None


@pytest.mark.parametrize("user", USERS, ids=ascii)
def test_a_user_id_that_looks_like_one_is_refused_by_the_rules_and_is_nobodys(user: str) -> None:
    with pytest.raises(RulesError):
        parse_rules({"a.yaml": RULES.replace("slack: U0ADA", f"slack: '{user}'").encode()})

    assert of_slack(rules(), {}, {}, user) is None


def test_two_names_that_differ_by_case_alone_are_one_account() -> None:
    with pytest.raises(RulesError, match="ada-l is ada already"):
        parse_rules({"a.yaml": RULES.replace("github: bob", "github: ADA-L").encode()})

    found = of_forge(rules(), {}, {}, number=583, login="Ada-L")
    assert found is not None
    assert found.name == "ada"


@pytest.mark.parametrize("user", USERS, ids=ascii)
def test_an_entry_names_no_user_that_only_looks_like_one(user: str) -> None:
    found = story().asked()
    entry = found.complete(found.about(Kind.APPROVE, replace(person("ada"), slack_user=user)))

    with pytest.raises(EntryError):
        parse(entry.line())


@pytest.mark.parametrize("login", LOGINS, ids=ascii)
def test_an_entry_names_no_login_that_only_looks_like_one(login: str) -> None:
    found = story().asked()
    by = By("ada", "button", "T0", "U0ADA", 583, login)
    link = found.complete(found.linked_by(Link("erin-k", "T0", "U0ERIN", 4242, login)))
    said = found.complete(found.about(Kind.APPROVE, by))

    for entry in (replace(link, at=write_time(found.at)), said):
        with pytest.raises(EntryError):
            parse(entry.line())


def test_a_login_registered_anew_is_nobody_once_the_ledger_has_seen_its_number() -> None:
    found = story().asked()
    found.add(found.about(Kind.APPROVE, By("bob", "button", "T0", "U0BOB", 77, "bob")))
    state = found.state

    assert of_forge(rules(), state.links, state.forge_ids, number=78, login="bob") is None
    renamed = of_forge(rules(), state.links, state.forge_ids, number=77, login="robert")
    assert renamed is not None
    assert renamed.name == "bob"
