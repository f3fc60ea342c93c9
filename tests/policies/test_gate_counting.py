"""What counts as an approval: presses and reviews, of whom, for which kind of promotion; and teams nobody looked up."""

from dataclasses import replace

import pytest

from policies.codes import Code
from policies.entries.entry import Kind
from policies.gates import approvals, count_approvals
from policies.gates.counting import asks_for_a_review, counts, counts_presses, has_review
from policies.ledger.state import Stage
from policies.rules.rules import Evidence, Line, Team
from policies.verdict import Waiting
from tests.policies.gate_worlds import case, ruled
from tests.policies.ledger_builders import at_stage, person, story

REVIEW = 918273


@pytest.mark.parametrize("kind", [Kind.PROPOSE, Kind.ROLLBACK, Kind.EMERGENCY])
@pytest.mark.parametrize(
    ("evidence", "asks", "presses"),
    [(Evidence.SLACK, False, True), (Evidence.ONE_REVIEW, True, True), (Evidence.REVIEW, True, False)],
)
def test_what_is_enough_evidence_and_for_a_way_back_or_an_emergency_a_press_always_is(
    kind: Kind, evidence: Evidence, *, asks: bool, presses: bool
) -> None:
    about = case(ruled(at_stage(Stage.OPEN), evidence=evidence), environment="production", is_asked=True)
    assert about.promotion
    promotion = replace(about.promotion, kind=kind)
    is_apart = kind is not Kind.PROPOSE

    assert asks_for_a_review(about.rule, promotion) is (asks and not is_apart)
    assert counts_presses(about.rule, promotion) is (presses or is_apart)


def test_where_reviews_alone_count_a_press_fills_nothing() -> None:
    about = case(
        ruled(at_stage(Stage.OPEN), evidence=Evidence.REVIEW), environment="production", is_asked=True
    )
    assert about.promotion
    promotion = about.promotion

    def given(*found: int) -> int:
        both = zip(promotion.approvals, found, strict=True)
        reviewed = replace(promotion, approvals=tuple(replace(one, review=review) for one, review in both))
        return count_approvals(about.rules, about.rule, reviewed).given

    assert [given(0, 0), given(REVIEW, 0), given(REVIEW, REVIEW + 1)] == [0, 1, 2]


def test_the_review_that_is_asked_for_is_of_somebody_who_fills_a_line() -> None:
    about = case(
        ruled(at_stage(Stage.OPEN), evidence=Evidence.ONE_REVIEW), environment="production", is_asked=True
    )
    assert about.promotion
    stranger = replace(about.promotion.approvals[0], by=person("dan"), review=REVIEW)
    promotion = replace(about.promotion, approvals=(*about.promotion.approvals, stranger))
    count = count_approvals(about.rules, about.rule, promotion)

    assert count.is_complete
    assert not has_review(promotion, count)
    told = approvals(replace(about, promotion=promotion))
    assert told == Waiting(Code.REVIEW_MISSING, "one of the approvals has to be a review in GitHub")


def test_teams_that_could_not_be_looked_up_are_named_each_once_with_where_they_live() -> None:
    found = ruled(story(), approvals=(Line(1, ("east", "west")), Line(1, ("west",)))).asked()
    about = case(found, environment="production", is_asked=True)
    teams = {name: Team(name, (), f"github:acme/{name}") for name in ("east", "west")}
    about = replace(about, rules=replace(about.rules, teams=teams))

    told = approvals(about)

    assert told == Waiting(Code.MEMBERS_UNKNOWN, "east (github:acme/east), west (github:acme/west)")
    known = {"east": frozenset({"dan"}), "west": frozenset({"dan"})}
    assert approvals(replace(about, members=known)) == Waiting(Code.APPROVALS_MISSING, "0 of 2 approvals")


def test_where_the_rule_has_none_of_its_services_nobody_can_fill_the_one_line() -> None:
    about = case(at_stage(Stage.OPEN), environment="production", is_asked=True)
    assert about.promotion
    grouped = replace(about.rule, parts=(about.rule,))  # and the promotion names no member

    ((names, count),) = counts(about.rules, grouped, about.promotion)

    assert (names, count.given, count.wanted) == (("",), 0, 1)
