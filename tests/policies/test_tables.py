"""What can be asked of the tables: at the very moment, of the very place and image."""

from dataclasses import replace
from datetime import timedelta

import pytest

from policies.canonical import Json
from policies.entries.entry import Bot, Entry, Kind, Pinned, write_time
from policies.entries.remembered import Open, Standing
from policies.entries.tables import Tables, lifted_blocks, lifted_holds
from policies.ledger.state import Stage, State
from tests.policies.ledger_builders import START, at_stage, oid, person, pinned, story

SIDE = "ghcr.io/example/side"
HELD = Standing(person("dan"), START, "an incident", "", None, 7)


def _lifts(kind: Kind, **fields: object) -> Entry:
    return replace(Entry(kind=kind, at=write_time(START), key="k", service="web"), **fields)  # type: ignore[arg-type]  # named by the tests


def test_a_ledger_begins_with_nothing() -> None:
    empty = Tables("2026")

    assert (empty.seq, empty.tip, empty.signer, empty.at) == (0, "", "", "")
    assert (empty.count("anything"), empty.under_way()) == (0, ())


def test_what_was_seen_of_a_place_is_of_what_stands_there() -> None:
    found = story()
    found.add(found.health())
    assert found.state.health_of("staging", "web") is not None, "nothing was moved there"
    assert found.state.health_of("production", "web") is None

    found.staged("1.1.0")
    assert found.state.health_of("staging", "web") is None, "it was seen of what stood there before"

    seen = found.add(found.health())
    now = found.state.health_of("staging", "web")
    assert now
    assert now.seq == seen.seq


def test_a_sighting_is_of_the_tag_or_of_this_very_digest() -> None:
    found = story()
    found.add(found.seen("1.1.0"))
    moved = pinned("1.1.0", digest=pinned("moved").digest)
    again = found.seen("1.1.0")
    found.add(replace(again, seen=(replace(again.seen[0], digest=moved.digest),)))
    first = found.state.sighting("web", pinned("1.1.0"), exact=False)

    assert first
    assert found.state.sighting("web", moved, exact=False) == first
    assert found.state.sighting("web", pinned("1.1.0"), exact=True) == first
    exact = found.state.sighting("web", moved, exact=True)
    assert exact
    assert exact.sighting.digest == moved.digest
    assert found.state.sighting("web", pinned("1.2.0"), exact=True) is None
    assert found.state.sighting("web", pinned("1.2.0"), exact=False) is None


def test_a_review_is_overdue_once_its_time_is_over_and_where_it_is_due() -> None:
    state = Tables("2026")
    state.open[1] = Open(Kind.EMERGENCY, "production", "web", oid("a"), START, due=START + timedelta(days=2))
    state.open[2] = Open(Kind.EMERGENCY, "live", "web", oid("b"), START, due=START + timedelta(days=1))
    state.open[3] = Open(Kind.EXTERNAL, "production", "web", oid("c"), START)
    due = START + timedelta(days=2)

    assert state.overdue("production", due) == []
    assert state.overdue("production", due + timedelta(seconds=1)) == [1]
    assert state.overdue("live", due) == [2]


BOTH = (pinned("1.1.0"), pinned("1.1.0-side", repository=SIDE))


@pytest.mark.parametrize("blocked", BOTH, ids=["the first image", "the second"])
def test_a_block_of_one_image_forbids_the_version(blocked: Pinned) -> None:
    state = State("2026")
    state.blocks["", "web", blocked] = HELD

    assert state.block_on(["production"], "web", BOTH) == HELD
    assert state.block_on(["production"], "web", ()) is None


@pytest.mark.parametrize("blocked", BOTH, ids=["the first image", "the second"])
def test_an_unblock_of_several_images_lifts_the_block_of_each(blocked: Pinned) -> None:
    state = State("2026")
    state.blocks["production", "web", blocked] = HELD

    assert lifted_blocks(state, _lifts(Kind.UNBLOCK, image=BOTH)) == (("production", "web", blocked),)


def test_an_unblock_leaves_other_places_and_other_services() -> None:
    state = State("2026")
    places = [(where, what, pinned("1.1.0")) for where in ("staging", "live") for what in ("web", "cart")]
    for place in places:
        state.blocks[place] = HELD
    image = (pinned("1.1.0"),)

    assert lifted_blocks(state, _lifts(Kind.UNBLOCK, environment="live", image=image)) == (places[2],)
    assert lifted_blocks(state, _lifts(Kind.UNBLOCK, image=image)) == (places[0], places[2])


def test_a_resume_leaves_other_places_and_other_services() -> None:
    state = State("2026")
    for place in (("staging", "web"), ("live", "web"), ("live", "cart")):
        state.holds[place] = HELD

    assert lifted_holds(state, _lifts(Kind.RESUME)) == (("staging", "web"), ("live", "web"))
    assert lifted_holds(state, _lifts(Kind.RESUME, environment="live")) == (("live", "web"),)


@pytest.mark.parametrize(
    ("lifts", "lifted"),
    [([7], True), ([6, 7], True), ([6], False), ([], False), ("7", False), ([True], False)],
    ids=str,
)
def test_a_resume_that_names_holds_lifts_those_alone(lifts: Json, *, lifted: bool) -> None:
    state = State("2026")
    state.holds["live", "web"] = HELD

    assert bool(lifted_holds(state, _lifts(Kind.RESUME, evidence={"lifts": lifts}))) is lifted


def test_what_a_person_answered_for_is_that_step_there_and_no_other() -> None:
    state = Tables("2026")
    new, old, place = pinned("1.0.0"), pinned("1.1.0"), ("staging", "web")
    state.answered[(*place, "downgrade", new, old)] = 7

    assert state.is_answered(place, "downgrade", new) is True
    assert state.is_answered(place, "downgrade", new, old) is True
    assert state.is_answered(place, "downgrade", new, pinned("1.1.0", digest="")) is True, (
        "as far as it is known"
    )
    assert state.is_answered(place, "downgrade", new, pinned("1.2.0")) is False
    assert state.is_answered(place, "downgrade", old, new) is False
    assert state.is_answered(place, "age-unknown", new) is False
    assert state.is_answered(("production", "web"), "downgrade", new) is False


def test_under_way_is_what_began_and_has_not_ended() -> None:
    found = at_stage(Stage.OPEN)
    assert found.state.under_way() == (found.promotion(),)
    assert found.state.live_at("production", "web") == found.promotion()

    found.add(found.about(Kind.ENDED, Bot()))
    assert found.state.under_way() == ()
    assert found.state.live_at("production", "web") is None
