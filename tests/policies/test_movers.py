"""By whose hands a change came may not review it: as its entry attests it, and as the review does."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from policies.allowed.asked import Refusal
from policies.canonical import Json
from policies.codes import Code
from policies.entries.authors import MOVERS, Authors
from policies.entries.carried import carry, restore
from policies.entries.entry import Kind
from policies.entries.promotion import Stage
from policies.entries.tables import Tables
from policies.rules.rules import ConfigRule
from tests.policies.gate_worlds import ruled
from tests.policies.ledger_builders import Story, at_stage, person, story


def told(*people: str, why: str = "") -> dict[str, Json]:
    """Return evidence of who moved something."""
    return {MOVERS: Authors(is_known=not why, people=people, logins=people, why=why).as_json()}


def by_hand(evidence: Mapping[str, Json]) -> Story:
    found = story()
    found.add(found.external("1.1.0", environment="production", why="guarded", evidence=evidence))
    return found


def mismatched(evidence: Mapping[str, Json]) -> Story:
    found = at_stage(Stage.MERGED)
    found.add(found.about(Kind.MISMATCH, evidence=evidence))
    return found


def configured(evidence: Mapping[str, Json]) -> Story:
    found = ruled(story(), config=ConfigRule.GUARD)
    found.add(replace(found.config("a", why="guarded"), evidence=evidence))
    return found


def review(found: Story, by: str, evidence: Mapping[str, Json] | None = None) -> Refusal | None:
    """Let somebody review what is open, with what was asked for the review itself."""
    (opened,) = found.state.open
    entry = found.word(Kind.REVIEW, person(by), closes=opened, note="seen")
    return found.refusal(replace(entry, evidence={**entry.evidence, **(evidence or {})}))


@pytest.mark.parametrize("made", [by_hand, mismatched, configured])
def test_who_moved_it_does_not_review_it_and_somebody_else_does(made: object) -> None:
    assert callable(made)
    found = made(told("dan", "ada"))

    refused = [review(found, "dan")] if made is mismatched else [review(found, "dan"), review(found, "ada")]

    assert [one.code for one in refused if one] == [Code.MOVER] * len(refused)


def test_somebody_who_had_no_hand_in_it_reviews_it() -> None:
    assert review(by_hand(told("ada")), "bob") is None


def test_what_is_told_only_when_the_review_is_given_counts_as_well() -> None:
    found = by_hand(told(why="the forge was silent"))

    refused = review(found, "bob", told("bob"))

    assert refused is not None
    assert refused.code is Code.MOVER
    assert review(found, "ada", told("bob")) is None


def test_what_was_told_first_counts_though_the_forge_is_silent_at_the_review() -> None:
    refused = review(by_hand(told("ada")), "ada", told(why="the forge is silent"))

    assert refused is not None
    assert refused.code is Code.MOVER


def test_people_who_were_found_count_though_not_all_is_known() -> None:
    assert review(by_hand(told("ada", why="the forge does not tell who pushed")), "ada") is not None


@pytest.mark.parametrize(
    "evidence", [{}, {MOVERS: "ada"}, {MOVERS: {"known": 1}}, told(why="nobody told")], ids=str
)
def test_where_nobody_is_told_as_in_older_ledgers_anybody_reviews(evidence: dict[str, Json]) -> None:
    assert review(by_hand(evidence), "ada") is None


def test_a_new_year_carries_them_along() -> None:
    found = by_hand(told("ada", why="the forge does not tell who pushed"))
    other = Tables("2027")

    restore(other, carry(found.state, found.entries, found.at))

    assert other.open == found.state.open
    (opened,) = other.open.values()
    assert opened.movers is not None
    assert opened.movers.people == ("ada",)
