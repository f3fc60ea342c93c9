"""Links of one human to one account on each side: look-alikes, renamed and re-registered logins, Git before links."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.allowed.identity import names_for
from policies.canonical import Json
from policies.codes import Code
from policies.entries.carried import carry, restore
from policies.entries.entry import Entry, EntryError, Kind, Link, parse, write_time
from policies.entries.remembered import ForgeId
from policies.ledger.people import everybody, known, of_forge, of_slack
from policies.ledger.state import State
from tests.policies.ledger_builders import RULES, Story, change_rules, person, rules, story

ERIN = Link("erin-k", "T0", "U0ERIN", 4242, "erin-k")
CAROL = Link("carol", "T0", "U0CAROL", 1093, "carol-c")


def code(found: Story, entry: Entry) -> Code | None:
    refusal = found.refusal(entry)
    return Code(refusal.code) if refusal else None


def changed(entry: Entry, what: str, **values: Json) -> Entry:
    told = entry.evidence[what]
    assert isinstance(told, Mapping)
    return replace(entry, evidence={**entry.evidence, what: {**told, **values}})


def test_who_is_not_in_git_is_known_by_a_link_under_their_login() -> None:
    found = story()
    found.add(found.linked_by(ERIN))

    who = known(rules(), found.state.links, found.state.forge_ids, "erin-k")
    assert who
    assert (who.slack, who.forge_id, who.is_in_git) == ("U0ERIN", 4242, False)
    hold = replace(found.stand(Kind.HOLD, person("dan")), by=replace(person("erin"), person="erin-k"))
    assert code(found, hold) is None


def test_who_is_known_by_a_link_alone_fills_no_line_that_names_nobody() -> None:
    found = story(RULES.replace("2 of release-managers", "1"))
    found.add(found.linked_by(ERIN))
    found.asked()

    entry = found.about(Kind.APPROVE, replace(person("erin"), person="erin-k"))
    assert code(found, entry) is Code.NOT_AN_APPROVER


def test_a_link_gives_somebody_of_git_their_other_account() -> None:
    found = story()
    found.add(found.linked_by(CAROL))

    who = of_forge(rules(), found.state.links, found.state.forge_ids, number=1093, login="carol-renamed")
    assert who
    assert (who.name, who.slack, who.is_in_git) == ("carol", "U0CAROL", True)
    assert of_forge(rules(), found.state.links, found.state.forge_ids, number=1094, login="carol-c") is None


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        (replace(ERIN, person="ada"), Code.UNKNOWN_PERSON),
        (replace(ERIN, person="release-managers"), Code.UNKNOWN_PERSON),
        (replace(ERIN, person="owners"), Code.UNKNOWN_PERSON),
        (replace(ERIN, person="erin"), Code.UNKNOWN_PERSON),
        (replace(ERIN, slack_user="U0ADA"), Code.LINKED_ELSEWHERE),
        (replace(ERIN, person="ada-l", forge_login="Ada-L"), Code.LINKED_ELSEWHERE),
        (replace(CAROL, forge_login="bob"), Code.LINKED_ELSEWHERE),
        (replace(CAROL, slack_user="U0DAN"), Code.UNKNOWN_PERSON),
        (Link("ada", "T0", "U0ADA", 999, "ada-x"), Code.UNKNOWN_PERSON),
        (Link("ada", "T0", "U0ADA", 583, "ADA-L"), None),
        (CAROL, None),
        (ERIN, None),
        (replace(ERIN, person="erin-k-4242"), None),
        (replace(ERIN, person="erin-k-4243"), Code.UNKNOWN_PERSON),
    ],
    ids=[
        "as somebody of Git",
        "as a team",
        "as the owners",
        "under another name",
        "to a Slack account that Git gives to another",
        "to a login that Git gives to another, in another case",
        "to a login that Git gives to another",
        "somebody of Git to another Slack account",
        "somebody of Git to another login",
        "as Git says",
        "what Git leaves open",
        "somebody whom Git does not know",
        "with the number, where the name is taken",
        "with another number",
    ],
)
def test_git_wins_over_links(link: Link, expected: Code | None) -> None:
    found = story()

    assert code(found, found.linked_by(link)) is expected


@pytest.mark.parametrize(
    "second",
    [
        replace(ERIN, person="mallory", forge_login="mallory", forge_id=5),
        replace(ERIN, person="erin-k-2", slack_user="U0OTHER"),
        Link("mallory", "T0", "U0OTHER", 4242, "mallory"),
        Link("dan", "T0", "U0DAN", 4242, "erin-k"),
    ],
    ids=["the same Slack account", "the same login", "the same number", "by somebody of Git"],
)
def test_one_human_has_one_account_on_each_side(second: Link) -> None:
    found = story()
    found.add(found.linked_by(ERIN))

    assert code(found, found.linked_by(second)) in {Code.LINKED_ELSEWHERE, Code.UNKNOWN_PERSON}


def test_an_account_that_somebody_spoke_by_is_theirs() -> None:
    found = story().asked()
    found.approved("bob")  # names 77

    assert code(found, found.linked_by(replace(ERIN, forge_id=77))) is Code.LINKED_ELSEWHERE


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        (ERIN, Code.OUT_OF_LINE),
        (replace(ERIN, forge_login="erin-new"), None),
        (replace(ERIN, forge_id=5000), Code.LINKED_ELSEWHERE),
        (replace(ERIN, slack_user="U0OTHER"), Code.LINKED_ELSEWHERE),
    ],
    ids=["the same", "the account has another login", "another account", "another Slack account"],
)
def test_who_is_linked_stays_linked_to_the_same_two_accounts(second: Link, expected: Code | None) -> None:
    found = story()
    found.add(found.linked_by(ERIN))

    assert code(found, found.linked_by(second)) is expected


def test_what_git_says_makes_room_for_another_link() -> None:
    found = story()
    found.add(found.linked_by(CAROL))
    change_rules(found, RULES.replace("carol: {slack: U0CAROL}", "carol: {slack: U0NEW}"))

    assert code(found, found.linked_by(replace(CAROL, slack_user="U0NEW"))) is None
    assert code(found, found.linked_by(CAROL)) is Code.UNKNOWN_PERSON


@pytest.mark.parametrize("login", ["\u0435rin-k", "erin\u2010k", "ERIN\u212a", "erin-k\n", "erin k", ""])
def test_a_login_that_only_looks_like_one_is_never_written(login: str) -> None:
    found = story()
    entry = found.linked_by(replace(ERIN, forge_login=login))

    with pytest.raises(EntryError):
        parse(replace(entry, at=write_time(found.at), key="identity/person/erin-k/1").line())


@pytest.mark.parametrize(
    ("what", "values", "expected"),
    [
        ("forge", {"id": 4243}, Code.EVIDENCE_MISSING),
        ("forge", {"login": "erin"}, Code.EVIDENCE_MISSING),
        ("forge", {"proof": "email"}, Code.EVIDENCE_MISSING),
        ("forge", {"looked": write_time(story().at - timedelta(hours=1))}, Code.EVIDENCE_MISSING),
        ("forge", {"looked": ""}, Code.EVIDENCE_MISSING),
        ("forge_account", {"active": False}, Code.ACCOUNT),
        ("forge_account", {"bot": True}, Code.ACCOUNT),
        ("account", {"guest": True}, Code.ACCOUNT),
        ("account", {"home": False}, Code.ACCOUNT),
        ("account", {"active": False}, Code.ACCOUNT),
    ],
)
def test_a_link_is_proved_on_both_sides_at_that_moment(
    what: str, values: dict[str, Json], expected: Code
) -> None:
    found = story()

    assert code(found, changed(found.linked_by(ERIN), what, **values)) is expected


@pytest.mark.parametrize(
    "changes",
    [
        {"via": "command"},
        {"forge_id": 4243},
        {"forge_login": "erin"},
        {"slack_user": "U0OTHER"},
        {"slack_team": "T0OTHER"},
    ],
)
def test_a_link_is_said_by_the_two_accounts_themselves(changes: dict[str, Any]) -> None:
    found = story()
    entry = found.linked_by(ERIN)

    assert code(found, replace(entry, by=replace(entry.by, **changes))) is Code.UNKNOWN_PERSON


def test_a_renamed_account_stays_the_same_person_and_who_takes_the_login_is_nobody() -> None:
    found = story()
    found.add(found.linked_by(ERIN))
    links, ids = found.state.links, found.state.forge_ids

    renamed = of_forge(rules(), links, ids, number=4242, login="erin-new")
    assert renamed
    assert renamed.name == "erin-k"
    assert of_forge(rules(), links, ids, number=9999, login="erin-k") is None


def test_what_git_says_later_makes_a_link_that_contradicts_it_none() -> None:
    found = story()
    found.add(found.linked_by(ERIN))
    found.add(found.linked_by(CAROL))
    text = RULES.replace("carol: {slack: U0CAROL}", "carol: {slack: U0CAROL, github: other}").replace(
        "dan: {slack: U0DAN}", "dan: {slack: U0DAN}\n  eve: {slack: U0ERIN}"
    )
    commit = change_rules(found, text)
    now = found.book.versions[commit]
    links, ids = found.state.links, found.state.forge_ids

    assert known(now, links, ids, "erin-k") is None
    eve = of_slack(now, links, ids, "U0ERIN")
    assert eve
    assert eve.name == "eve"
    carol = known(now, links, ids, "carol")
    assert carol
    assert (carol.github, carol.forge_id) == ("other", 0)
    assert of_forge(now, links, ids, number=1093, login="carol-c") is None


NUMBERS = st.integers(1, 5)
LOGINS = st.sampled_from(["ada-l", "ADA-L", "bob", "erin-k", "carol-c"])
USERS = st.sampled_from(["U0ADA", "U0BOB", "U0CAROL", "U0DAN", "U0ERIN"])
PERSONS = st.sampled_from(["ada", "bob", "carol", "dan", "erin-k"])
LINKS = st.builds(Link, PERSONS, st.just("T0"), USERS, NUMBERS, LOGINS)


@given(st.lists(LINKS, max_size=8))
def test_whatever_is_linked_no_account_is_two_peoples(offered: list[Link]) -> None:
    found = story()
    for link in offered:
        entry = found.linked_by(link)
        if found.refusal(entry) is None:
            found.add(entry)

    people = list(everybody(rules(), found.state.links, found.state.forge_ids))
    for values in (
        [one.slack for one in people if one.slack],
        [one.github.lower() for one in people if one.github and not one.forge_id],  # else the number decides
        [str(one.forge_id) for one in people if one.forge_id],
    ):
        assert len(values) == len(set(values)), people


@given(st.text(max_size=80), st.integers(1, 10**9))
def test_nobody_gets_a_name_that_the_rules_use(login: str, number: int) -> None:
    for name in names_for(rules(), login, number):
        assert name not in {*rules().people, *rules().teams, "owners"}


def test_first_met_numbers_are_kept_beside_links() -> None:
    found = story().asked()
    found.approved("ada")

    assert found.state.forge_ids["ada"] == ForgeId(583, "ada-l")


def test_links_numbers_and_reviews_go_over_into_the_next_year() -> None:
    found = story().asked()
    found.add(found.linked_by(ERIN))
    found.approved("ada")
    carried = carry(found.state, found.entries, found.at)

    later = State("2027")
    restore(later, json.loads(json.dumps(carried)))

    assert later.links == found.state.links
    assert later.forge_ids == found.state.forge_ids
    promotion = found.promotion()
    assert later.promotions[promotion.id] == promotion
    assert later.promotions[promotion.id].heads == promotion.heads
