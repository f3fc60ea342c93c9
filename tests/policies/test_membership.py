"""Teams that live elsewhere: attested, counted for minutes; what is missing, stale or made up counts for nobody."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.canonical import Json
from policies.codes import Code
from policies.entries.entry import Bot, Entry, Kind, write_time
from policies.entries.membership import FRESH, attested, members_of
from policies.gates import Case, approvals, count_approvals
from policies.rules.rules import Apart, Line, Team, effective
from policies.verdict import PASSED
from tests.policies.ledger_builders import FLAGS, RULES, START, Story, person, story

SECURITY = Team("security", source="github:acme/security")
ONCALL = Team("oncall", source="slack:@oncall")


def elsewhere(found: Story) -> Story:
    """Let the lines name one of security, and one of release-managers; and only on-call roll back."""
    first = found.book.line[0]
    rules = found.book.versions[first]
    production = replace(
        rules.environments["production"],
        approvals=(Line(1, ("security",)), Line(1, ("release-managers",))),
        rollback=Apart((Line(1, ("oncall",)),)),
    )
    found.book.versions[first] = replace(
        rules,
        environments={**rules.environments, "production": production},
        teams={**rules.teams, "security": SECURITY, "oncall": ONCALL},
    )
    return found


@pytest.fixture
def asked() -> Story:
    found = Story(elsewhere(Story(story().book)).book)
    found.add(found.genesis())
    found.add(found.rules_at(found.book.line[0]))
    return found.asked()


def evidence(found: Story, members: Mapping[str, list[str]], /, **changed: Any) -> dict[str, Json]:
    made: dict[str, Json] = {"account": dict(FLAGS), "members": {**members}}
    return made | {"members_looked": write_time(found.at)} | changed


def approval(found: Story, name: str, members: Mapping[str, list[str]], /, **changed: Any) -> Entry:
    return found.about(Kind.APPROVE, person(name), evidence=evidence(found, members, **changed))


def intent(found: Story, members: Mapping[str, list[str]], /, **changed: Any) -> Entry:
    accounts = {one.by.person: dict(FLAGS) for one in found.promotion().approvals}
    return found.about(
        Kind.INTENT, Bot(), evidence={"accounts": accounts, **evidence(found, members, **changed)}
    )


def code(found: Story, entry: Entry) -> Code | None:
    refusal = found.refusal(entry)
    return Code(refusal.code) if refusal else None


def test_a_member_as_attested_fills_the_line(asked: Story) -> None:
    asked.add(approval(asked, "dan", {"security": ["dan"]}))
    asked.add(approval(asked, "ada", {"security": []}))

    assert code(asked, intent(asked, {"security": ["dan"]})) is None


@pytest.mark.parametrize(
    "changed",
    [
        {"members": {}},
        {"members": {"security": []}},
        {"members": {"security": "dan"}},
        {"members": {"security": {"dan": True}}},
        {"members": [["security", "dan"]]},
        {"members": {"oncall": ["dan"]}},
        {"members": {"security": ["Dan"]}},
        {"members_looked": ""},
        {"members_looked": 0},
        {"members_looked": write_time(START - timedelta(hours=1))},
        {"members_looked": write_time(START + timedelta(hours=1))},
    ],
    ids=[
        "not looked up",
        "not a member",
        "no list",
        "an object",
        "a list",
        "of another team",
        "somebody of another name",
        "when is not said",
        "when is no time",
        "looked up too early",
        "looked up later",
    ],
)
def test_an_approver_whose_membership_is_not_attested_is_nobody(
    asked: Story, changed: dict[str, Any]
) -> None:
    entry = approval(asked, "dan", {"security": ["dan"]}, **changed)

    assert code(asked, entry) is Code.NOT_AN_APPROVER


@pytest.mark.parametrize(
    ("members", "changed", "expected"),
    [
        ({"security": ["dan"]}, {}, None),
        ({"security": []}, {}, Code.APPROVALS_MISSING),
        ({}, {}, Code.MEMBERS_UNKNOWN),
        (
            {"security": ["dan"]},
            {"members_looked": write_time(START - timedelta(days=1))},
            Code.MEMBERS_UNKNOWN,
        ),
    ],
    ids=["still a member", "left since", "not looked up again", "looked up too early"],
)
def test_membership_is_looked_up_again_before_the_merge(
    asked: Story, members: dict[str, list[str]], changed: dict[str, Any], expected: Code | None
) -> None:
    asked.add(approval(asked, "dan", {"security": ["dan"]}))
    asked.add(approval(asked, "ada", {}))

    assert code(asked, intent(asked, members, **changed)) is expected


def test_a_rollback_by_a_team_elsewhere_asks_for_the_same_evidence(asked: Story) -> None:
    asked.add(approval(asked, "dan", {"security": ["dan"]}))
    asked.add(approval(asked, "ada", {}))
    asked.add(intent(asked, {"security": ["dan"]}))
    asked.add(asked.about(Kind.MERGED))
    asked.add(asked.about(Kind.LANDED))

    back = asked.rollback("1.0.0", "bob", evidence=evidence(asked, {"oncall": ["bob"]}))
    assert code(asked, back) is None
    assert code(asked, replace(back, evidence=evidence(asked, {"oncall": ["ada"]}))) is Code.NOT_AN_APPROVER
    assert code(asked, replace(back, evidence={"account": dict(FLAGS)})) is Code.NOT_AN_APPROVER


def test_a_freeze_of_somebody_else_is_lifted_by_a_member_of_a_team_elsewhere(asked: Story) -> None:
    asked.add(asked.stand(Kind.FREEZE, person("carol")))
    lifted = asked.stand(Kind.UNFREEZE, person("dan"))

    assert code(asked, lifted) is Code.NOT_AN_APPROVER
    assert code(asked, replace(lifted, evidence=evidence(asked, {"security": ["dan"]}))) is None


def test_the_gate_names_the_team_that_could_not_be_looked_up(asked: Story) -> None:
    rules = asked.book.versions[asked.book.line[0]]
    rule = effective(rules, "production", "web")
    assert rule
    promotion = asked.promotion()

    def gate(members: Mapping[str, frozenset[str]]) -> object:
        case = Case(
            rules, rule, asked.state, promotion.image, (), asked.at, promotion=promotion, members=members
        )
        verdict = approvals(case)
        return verdict if verdict == PASSED else (verdict.code, verdict.detail)  # type: ignore[union-attr]  # it waits

    assert gate({}) == (Code.MEMBERS_UNKNOWN, "security (github:acme/security)")
    assert gate({"security": frozenset()}) == (Code.APPROVALS_MISSING, "0 of 2 approvals")


def test_teams_written_in_git_need_no_evidence() -> None:
    found = story().asked().approved("ada", "bob")

    assert code(found, found.about(Kind.INTENT)) is None
    assert RULES.count("github:") > 0  # persons have accounts there all the same


NAMES = st.sampled_from(["ada", "bob", "carol", "dan"])


@given(
    st.dictionaries(NAMES, st.frozensets(NAMES)),
    st.sets(NAMES),
    st.timedeltas(min_value=timedelta(0), max_value=timedelta(minutes=30)),
)
def test_what_is_attested_is_read_back_for_these_people_and_minutes(
    members: dict[str, frozenset[str]], people: set[str], later: timedelta
) -> None:
    made = attested(members, people, START)

    read = members_of(made, START + later)

    expected = {team: who & people for team, who in members.items()} if later <= FRESH else {}
    assert read == expected


def test_membership_never_makes_more_than_the_rule_names(asked: Story) -> None:
    rules = asked.book.versions[asked.book.line[0]]
    rule = effective(rules, "production", "web")
    assert rule
    asked.add(approval(asked, "dan", {"security": ["dan"]}))

    count = count_approvals(
        rules,
        rule,
        asked.promotion(),
        {"security": frozenset({"dan"}), "release-managers": frozenset({"dan"})},
    )

    assert [people for _, people in count.lines] == [("dan",), ()]
