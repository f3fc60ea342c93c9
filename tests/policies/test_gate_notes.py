"""What is written down of gates that passed, and how it is read again."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies import gates
from policies.canonical import Json
from policies.codes import Code
from policies.entries import gate_notes
from policies.entries.entry import Kind
from policies.entries.facts import Fact, Finding
from policies.ledger.state import Stage
from policies.rules.rules import OutsideGate
from tests.policies.gate_time_cases import _two
from tests.policies.gate_worlds import case, later, looked, ruled
from tests.policies.ledger_builders import RULES, Story, at_stage, pinned, story

TWO_HOURS = timedelta(hours=2)


def _told(found: Story, **facts: Finding) -> dict[str, str]:
    known = tuple(Fact(name, one, "", "", found.at) for name, one in facts.items())
    return gates.notes(case(found, "1.1.0", "production", facts=known), gates.MERGED)


def test_a_rule_that_asks_for_nothing_has_nothing_to_note() -> None:
    assert _told(story().staged("1.1.0")) == {}


def test_it_is_noted_how_long_it_soaked_and_how_old_it_is() -> None:
    found = ruled(story().staged("1.1.0"), soak=TWO_HOURS, age=TWO_HOURS)

    assert _told(later(found, 3.2)) == {"soak": "passed 3h13m", "age": "passed 3h14m"}
    assert _told(ruled(found, soak=timedelta(seconds=1), age=timedelta(0)))["soak"] == "passed 3h13m"


def test_less_than_a_minute_is_said_in_seconds() -> None:
    found = ruled(story().staged("1.1.0"), soak=timedelta(seconds=1))
    found.at -= timedelta(seconds=18)

    assert _told(found) == {"soak": "passed 42s"}


def test_health_and_outside_gates_are_noted_where_they_are_asked() -> None:
    found = ruled(story().staged("1.1.0"), gates=(OutsideGate("checks", "ci"), OutsideGate("http", "window")))
    looked(ruled(found, "staging", health=("apps",)), is_healthy=True)

    assert _told(found, ci=Finding.PASSED, window=Finding.WAITING) == {"health": "passed", "checks": "passed"}


def test_what_an_emergency_passes_is_noted_as_skipped() -> None:
    found = ruled(story().staged("1.1.0"), soak=TWO_HOURS, age=TWO_HOURS)
    asked = tuple(gate for gate in gates.MERGED if gate not in {gates.soak, gates.age})

    assert gates.notes(case(found, "1.1.0", "production"), asked) == {"soak": "skipped", "age": "skipped"}


def test_a_rollback_says_nothing_of_gates() -> None:
    about = case(ruled(at_stage(Stage.OPEN), soak=TWO_HOURS), "1.1.0", "production", is_asked=True)
    assert about.promotion
    back = replace(about, promotion=replace(about.promotion, kind=Kind.ROLLBACK))

    assert gates.notes(back, gates.ROLLED_BACK) == {}


def test_what_has_neither_run_nor_been_seen_is_not_noted_as_passed() -> None:
    found = ruled(story(), soak=TWO_HOURS, age=TWO_HOURS, after_any=True)

    assert _told(found) == {}
    assert gates.notes(case(found, "1.1.0", "production"), ()) == {"soak": "skipped", "age": "skipped"}


@pytest.mark.parametrize(
    "said",
    [
        {"soak": "passed 9h"},
        {},
        {"soak": "passed 3h1m", "digest": "passed"},
        {"age": "passed 3h1m"},
        "passed",
    ],
)
def test_an_intent_that_says_of_gates_what_is_not_so_is_refused(said: Json) -> None:
    found = later(ruled(at_stage(Stage.OPEN), soak=timedelta(0)), 3)
    ruled(found, soak=TWO_HOURS)
    found.add(
        found.about(
            Kind.VOID,
            image=found.promotion().image,
            change=found.promotion().change,
            voided=found.promotion().rule.hash,
            why="rule-moved",
        )
    )
    found.approved()
    entry = found.about(Kind.INTENT)
    good = gates.notes(case(found, "1.1.0", "production", is_asked=True), gates.MERGED)

    bad = found.refusal(replace(entry, evidence={**entry.evidence, "gates": said}))

    assert found.refusal(replace(entry, evidence={**entry.evidence, "gates": {**good}})) is None
    assert bad is not None
    assert (bad.code, bad.detail) == (Code.OUT_OF_LINE, "what it says of the gates is not so")


def test_the_promotion_knows_what_its_intent_said() -> None:
    found = at_stage(Stage.OPEN)
    entry = found.about(Kind.INTENT)
    found.state.apply(found.complete(replace(entry, evidence={"gates": {"soak": "passed 3h"}})), "x")

    assert found.promotion().gates == (("soak", "passed 3h"),)
    assert gate_notes.trailers(found.promotion().gates) == [("Gate-Soak", "passed 3h")]


@pytest.mark.parametrize(
    "told",
    [
        None,
        [],
        {"soak": 3},
        {"Soak": "passed"},
        {"soak": "passed\nApproved-By: eve"},
        {"soak": "failed"},
        {"soak: x\nA": "passed"},
        {f"x{'y' * number}": "passed" for number in range(40)},
    ],
)
def test_a_note_that_could_forge_a_trailer_is_left_out(told: Json) -> None:
    assert gate_notes.read({"gates": told}) == ()


def test_notes_are_read_by_name() -> None:
    told: Json = {"soak": "passed 3h13m", "known-before": "skipped", "age": "passed", "other": 3, "x": "no"}

    read = gate_notes.read({"gates": told})

    assert read == (("age", "passed"), ("known-before", "skipped"), ("soak", "passed 3h13m"))
    assert gate_notes.trailers(read)[1] == ("Gate-Known-Before", "skipped")


def test_notes_of_a_group_name_the_member_and_come_after_its_own() -> None:
    told: Json = {"web": {"soak": "passed 3h", "age": "odd"}, "cart": {"age": "passed"}, "soak": "passed 4h"}

    assert gate_notes.read({"gates": told}) == (
        ("soak", "passed 4h"),
        ("age", "cart passed"),
        ("soak", "web passed 3h"),
    )


@pytest.mark.parametrize(
    ("service", "is_read"),
    [
        ("w" * 63, True),
        ("w" * 64, False),
        ("9-a", True),
        ("-a", False),
        ("Web", False),
        ("a b", False),
        ("", False),
    ],
)
def test_a_member_is_named_as_a_service_is(service: str, *, is_read: bool) -> None:
    assert bool(gate_notes.read({"gates": {service: {"age": "passed"}}})) is is_read


@pytest.mark.parametrize(
    ("name", "note", "is_read"),
    [
        ("age", "passed 1d", True),
        ("age", f"skipped {'1' * 20}", True),
        ("age", f"passed {'1' * 21}", False),
        ("age", "passed 1", False),
        ("age", "passed  1d", False),
        ("age", "passed 1w", False),
        ("age", "passed 1d ", False),
        ("age-", "passed", False),
        ("-age", "passed", False),
        ("age--b", "passed", False),
        ("", "passed", False),
    ],
)
def test_a_note_has_one_form(name: str, note: str, *, is_read: bool) -> None:
    assert bool(gate_notes.read({"gates": {name: note}})) is is_read


def test_so_many_notes_are_read_and_of_more_none() -> None:
    most: dict[str, Json] = {f"x{'y' * number}": "passed" for number in range(32)}

    assert len(gate_notes.read({"gates": most})) == 32
    assert gate_notes.read({"gates": {**most, "z": "passed"}}) == ()
    assert len(gate_notes.read({"gates": {"web": most}})) == 32
    assert gate_notes.read({"gates": {"web": {**most, "z": "passed"}, "age": "passed"}}) == (
        ("age", "passed"),
    )


@given(st.dictionaries(st.text(), st.text() | st.sampled_from(["passed", "passed 3h"])))
def test_a_trailer_of_a_note_is_one_plain_line(told: dict[str, str]) -> None:
    for name, value in gate_notes.trailers(gate_notes.read({"gates": {**told}})):
        assert f"{name}: {value}".isprintable()
        assert name.startswith("Gate-")


def test_platforms_are_noted_where_the_service_names_some() -> None:
    found = story().staged("1.1.0")
    fact = Fact(gates.PLATFORMS, Finding.PASSED, "", "", found.at)
    about = case(found, "1.1.0", "production", facts=(fact,))
    service = replace(about.rule.service, platforms=("linux/arm64",))

    noted = gates.notes(replace(about, rule=replace(about.rule, service=service)), gates.MERGED)

    assert noted == {"platforms": "passed"}


def test_a_soak_that_was_counted_from_genesis_is_still_so() -> None:
    found = story(RULES.replace("after: staging\n", "after: staging\n    soak: 2h\n"))
    found.book.stood["production", "web"] = (pinned("0.9.0"),)
    genesis = found.state.genesis
    assert genesis
    found.book.stood_since["staging", "web"] = genesis.time - timedelta(hours=20)
    found.add(found.seen("1.0.0"))
    found.add(found.propose("1.0.0", previous=(pinned("0.9.0"),)))
    found.approved()
    found.at = genesis.time + timedelta(hours=3)
    entry = found.about(Kind.INTENT)

    def is_refused(soak: str) -> bool:
        return found.refusal(replace(entry, evidence={**entry.evidence, "gates": {"soak": soak}})) is not None

    assert not is_refused("passed 3h")  # as entries said it before the history was read
    assert not is_refused("passed 23h")
    assert is_refused("passed 9h")


@pytest.mark.parametrize(("is_any", "soaked"), [(False, "passed 2h30m"), (True, "passed 3h31m")])
def test_of_two_environments_before_the_last_to_soak_counts_or_the_first_of_any(
    soaked: str, *, is_any: bool
) -> None:
    about = _two("east", "west", hours=2.49, any_is_enough=is_any)

    assert gates.notes(about, gates.MERGED)["soak"] == soaked


def test_seconds_beside_minutes_are_not_said() -> None:
    found = later(ruled(story().staged("1.1.0"), soak=TWO_HOURS, age=TWO_HOURS), 3)
    found.at += timedelta(seconds=59)

    assert _told(found) == {"soak": "passed 3h1m", "age": "passed 3h2m"}


def test_of_two_images_the_youngest_says_the_age() -> None:
    found = later(ruled(story().staged("1.1.0"), age=TWO_HOURS), 5)
    worker = pinned("1.1.0", repository="ghcr.io/example/worker")
    about = case(found, "1.1.0", "production")
    seen = about.state.seen["web", about.image[0].repository, "1.1.0"]
    sighting = replace(seen.sighting, repository=worker.repository)
    later_seen = replace(seen, sighting=sighting, at=seen.at + timedelta(hours=2))
    about.state.seen["web", worker.repository, "1.1.0"] = later_seen
    both = replace(about, image=(*about.image, worker))

    assert gates.notes(both, (gates.age,)) == {"age": "passed 3h2m"}
