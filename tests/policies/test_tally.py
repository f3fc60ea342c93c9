"""Counting approvals: each line is filled by other people, and one more never hurts."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.ledger.tally import may_fill, tally
from policies.rules.rules import Line
from tests.policies.ledger_builders import RULES, rules

PEOPLE = ("ada", "bob", "carol", "dan")
TEAMS = {"one": ("ada",), "two": ("ada", "bob"), "three": ("bob", "carol", "dan")}
TEXT = RULES.replace("teams: {", "teams: {one: [ada], two: [ada, bob], three: [bob, carol, dan], ")
OWNED = rules(TEXT.replace("versions: 1.x}\n  cart", "versions: 1.x, owner: two}\n  cart"))
WEB = OWNED.services["web"]
OF = st.lists(st.sampled_from(["one", "two", "three", "dan", "owners"]), max_size=2, unique=True).map(tuple)
LINES = st.lists(st.builds(Line, st.integers(1, 2), OF), min_size=1, max_size=3)
SPOKEN = st.lists(st.sampled_from(PEOPLE), max_size=6)


def _can_be_filled(lines: list[Line], people: list[str]) -> int:
    """Count by letting each person in turn try every free seat, or stand: slow, and plainly right."""
    if not people:
        return 0
    first, rest = people[0], people[1:]
    counts = [_can_be_filled(lines, rest)]
    for index, line in enumerate(lines):
        if line.count and first in OWNED.members(line.of, WEB):
            taken = [*lines[:index], Line(line.count - 1, line.of), *lines[index + 1 :]]
            counts.append(1 + _can_be_filled(taken, rest))
    return max(counts)


@given(LINES, SPOKEN)
def test_as_many_seats_are_taken_as_can_be(lines: list[Line], people: list[str]) -> None:
    assert tally(OWNED, WEB, lines, people).given == _can_be_filled(lines, list(dict.fromkeys(people)))


@given(LINES, SPOKEN, st.sampled_from(PEOPLE))
def test_one_more_approval_never_hurts(lines: list[Line], people: list[str], more: str) -> None:
    before, after = tally(OWNED, WEB, lines, people), tally(OWNED, WEB, lines, [*people, more])

    assert before.given <= after.given <= before.given + 1
    assert after.is_complete or not before.is_complete


@given(LINES, SPOKEN, st.randoms())
def test_the_order_in_which_people_spoke_does_not_matter(
    lines: list[Line],
    people: list[str],
    chance: random.Random,
) -> None:
    other = list(people)
    chance.shuffle(other)
    one, two = tally(OWNED, WEB, lines, people), tally(OWNED, WEB, lines, other)

    assert (one.given, one.is_complete) == (two.given, two.is_complete)


@given(LINES, SPOKEN)
def test_nobody_takes_two_seats_and_nobody_one_that_is_not_theirs(
    lines: list[Line], people: list[str]
) -> None:
    found = tally(OWNED, WEB, lines, people)
    seated = [person for _, sitting in found.lines for person in sitting]

    assert len(seated) == len(set(seated))
    assert all(person in OWNED.members(line.of, WEB) for line, sitting in found.lines for person in sitting)
    assert all(len(sitting) <= line.count for line, sitting in found.lines)


@given(LINES, SPOKEN)
def test_what_is_missing_is_what_was_wanted_and_not_given(lines: list[Line], people: list[str]) -> None:
    found = tally(OWNED, WEB, lines, people)

    assert found.wanted == sum(line.count for line in lines)
    assert sum(line.count for line in found.missing) == found.wanted - found.given
    assert found.is_complete is (not found.missing)


@pytest.mark.parametrize(
    ("lines", "people", "given"),
    [
        ([Line(2)], ["ada", "ada"], 1),
        ([Line(1, ("two",)), Line(1, ("one",))], ["ada", "bob"], 2),
        ([Line(1, ("owners",))], ["carol"], 0),
        ([Line(1, ("owners",))], ["bob"], 1),
        ([Line(2)], ["eve", "ada"], 1),
        ([], ["ada"], 0),
    ],
    ids=[
        "the same twice",
        "who sat first makes room",
        "no owner",
        "an owner",
        "a stranger",
        "nobody is asked",
    ],
)
def test_a_table_of_tallies(lines: list[Line], people: list[str], given: int) -> None:
    assert tally(OWNED, WEB, lines, people).given == given


def test_owners_of_a_service_without_an_owner_are_nobody() -> None:
    assert not may_fill(OWNED, OWNED.services["cart"], [Line(1, ("owners",))], "ada")
    assert may_fill(OWNED, WEB, [Line(1, ("owners",))], "ada")
    assert not may_fill(OWNED, WEB, [], "ada")
