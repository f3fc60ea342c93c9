"""What counts as an approval: presses and reviews, of whom, for which kind of promotion; and teams nobody looked up."""

from dataclasses import replace

import pytest

from policies.codes import Code
from policies.entries.authors import Authors
from policies.entries.entry import Kind
from policies.entries.values import Member
from policies.gates import approvals, count_approvals
from policies.gates.counting import asks_for_a_review, counts, counts_presses, has_review, skips
from policies.ledger.people import ACCOUNTS_DECIDE
from policies.ledger.state import Stage
from policies.rules.rules import AUTHORS, Apart, Evidence, Line, Team
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


def _emergency(skips: tuple[str, ...] | None) -> Apart | None:
    return Apart((Line(1, ("ada",)),), skips=skips) if skips is not None else None


@pytest.mark.parametrize(
    ("each", "members", "is_skipped"),
    [
        ([("soak",)], (), True),
        ([("freeze",)], (), False),
        ([None], (), False),
        ([("soak",), ("soak", "freeze")], ("web", "cart"), True),
        ([("soak",), ("freeze",)], ("web", "cart"), False),
        ([("soak",), None], ("web", "cart"), False),
        ([("freeze",), ("soak",)], ("cart",), True),
        ([("freeze",), ("soak",)], ("ghost",), False),
    ],
)
def test_an_emergency_skips_what_the_rule_of_each_that_moves_names(
    each: list[tuple[str, ...] | None], members: tuple[str, ...], *, is_skipped: bool
) -> None:
    about = case(at_stage(Stage.OPEN), environment="production", is_asked=True)
    assert about.promotion
    parts = [
        replace(
            about.rule,
            environment=replace(about.rule.environment, emergency=_emergency(skips)),
            service=replace(about.rule.service, name=name),
        )
        for name, skips in zip(("web", "cart"), each, strict=False)
    ]
    rule = replace(parts[0], parts=tuple(parts)) if len(parts) > 1 else parts[0]
    moving = tuple(Member(name, 1) for name in members)
    emergency = replace(about.promotion, kind=Kind.EMERGENCY, members=moving)

    assert skips(rule, emergency, "soak") is is_skipped
    assert not skips(rule, replace(emergency, kind=Kind.PROPOSE), "soak")


@pytest.mark.parametrize(
    ("approver", "wrote", "given"),
    [("", "ada-l", 1), ("ada-new", "ada-new", 1), ("ada-new", "ada-l", 2)],
    ids=["the login of the rules", "the login of the word", "not any more"],
)
def test_who_wrote_it_is_known_by_the_login_of_their_word_else_by_that_of_the_rules(
    approver: str, wrote: str, given: int
) -> None:
    about = case(at_stage(Stage.OPEN), environment="production", is_asked=True)
    assert about.promotion
    ada, bob = about.promotion.approvals
    given_by = (replace(ada, by=replace(ada.by, forge_login=approver)), bob)
    promotion = replace(
        about.promotion, approvals=given_by, authors=Authors(logins=(wrote,)), opened=ACCOUNTS_DECIDE
    )
    rule = replace(about.rule, environment=replace(about.rule.environment, exclude=(AUTHORS,)))

    assert count_approvals(about.rules, rule, promotion).given == given
