"""What a person has to answer for: the validator's word on a guard's hold, and what lifting it lets through."""

from dataclasses import replace
from datetime import timedelta

import pytest

from policies import guards
from policies.codes import Code
from policies.decide import Row, Standing, decide_row
from policies.entries.entry import Bot, Entry, Kind, Pinned, Sighting, write_time
from policies.gates import age, downgrade
from policies.guards import Finding
from policies.images.evidence import TagList
from policies.images.image import Digest, Repository, Tag
from policies.verdict import PASSED
from policies.world import Pin, World
from tests.policies.gate_worlds import case
from tests.policies.ledger_builders import IMAGE, RULES, Story, person, pinned, rules, story

WEB = Repository(IMAGE)
AGED = RULES.replace("    after: staging\n", "    age: 1h\n")


def _written(found: Story, finding: Finding) -> Entry:
    return guards.entry_of(finding, at=found.at, first=found.at - timedelta(hours=1))


def _step(new: str = "1.0.0", old: str = "1.1.0", environment: str = "staging") -> Finding:
    return guards.step_back("web", environment, (pinned(new),), (pinned(old),), f"{new} is older")


def _answered(found: Story, finding: Finding) -> Story:
    found.add(_written(found, finding))
    found.add(found.stand(Kind.RESUME, person("ada"), environment=finding.environment))
    return found


def test_a_step_back_becomes_a_hold_that_names_both_ends() -> None:
    found = story()

    hold = found.add(_written(found, _step()))

    assert (hold.kind, hold.environment, hold.why) == (Kind.HOLD, "staging", "downgrade")
    assert (hold.image, hold.previous) == ((pinned("1.0.0"),), (pinned("1.1.0"),))
    assert guards.still_open(found.state, [_step()]) == ()
    assert guards.still_open(found.state, [_step(old="1.2.0")]) != ()


def test_resuming_lets_exactly_that_step_through() -> None:
    found = _answered(story(), _step())

    assert downgrade(case(found, "1.0.0", current=(pinned("1.1.0"),))) == PASSED
    for new, old, environment in (
        ("1.0.0", "1.2.0", "staging"),
        ("0.9.0", "1.1.0", "staging"),
        ("1.0.0", "1.1.0", "production"),
    ):
        assert downgrade(case(found, new, environment, current=(pinned(old),))) != PASSED


def _resume(found: Story, lifts: object, environment: str = "staging") -> Entry:
    resume = found.stand(Kind.RESUME, person("ada"), environment=environment)
    return replace(resume, evidence={**resume.evidence, "lifts": lifts})  # type: ignore[dict-item]  # a test's choice


def _replaced() -> tuple[Story, Entry, Entry]:
    """Let the bot doubt a step where it held already for the registry's evidence."""
    found = story()
    first = found.add(found.stand(Kind.HOLD, Bot(), environment="staging", why="external"))
    return found, first, found.add(_written(found, _step()))


def test_a_resume_answers_for_no_doubt_that_took_the_place_of_what_it_names() -> None:
    found, first, doubt = _replaced()
    resume = _resume(found, [first.seq])

    reasons = [(one.code, one.detail) for one in found.reasons(resume)]
    found.state.apply(found.complete(resume), "x" * 40)

    assert reasons == [
        (Code.NOT_STANDING, f"#{first.seq} is no hold that stands there"),
        (
            Code.NOT_STANDING,
            f"#{doubt.seq} came after what was looked at last; look at it, then say it again",
        ),
    ]
    assert found.state.answered == {}
    assert [one.seq for one in found.state.holds.values()] == [doubt.seq]


def test_a_doubt_whose_place_a_person_s_hold_took_is_open_again_until_somebody_answers() -> None:
    found, step, other = story(), _step(), _step(old="1.2.0")
    found.add(_written(found, step))
    assert guards.still_open(found.state, [step, other]) == (other,), "it is in force"

    mine = found.add(found.stand(Kind.HOLD, person("ada"), environment="staging"))
    assert guards.still_open(found.state, [step, other]) == (step, other)
    found.add(_resume(found, [mine.seq]))
    assert guards.still_open(found.state, [step]) == (step,)

    again = found.add(_written(found, guards.anew(found.state, step)))
    assert again.trigger == f"{step.trigger}/2"
    assert guards.still_open(found.state, [step]) == ()
    found.add(_resume(found, [again.seq]))
    assert guards.still_open(found.state, [step]) == (), "somebody answered for it"


@pytest.mark.parametrize(
    ("previous", "answered", "is_open"),
    [
        ((), ["1.0.0", "7.0.0"], False),
        ((), ["1.0.0"], True),
        ((), [], True),
        (("1.1.0",), ["1.0.0"], False),
        (("1.1.0",), ["7.0.0"], True),
    ],
    ids=["of both", "of one of two", "of none", "fewer stood there", "fewer stood there, of the other"],
)
def test_a_doubt_of_several_images_is_over_once_it_is_answered_of_each(
    previous: tuple[str, ...], answered: list[str], *, is_open: bool
) -> None:
    image = (pinned("1.0.0"), pinned("7.0.0", repository="ghcr.io/example/side"))
    stood = tuple(pinned(tag) for tag in previous)
    finding = replace(guards.ageless("web", "staging", image, "nobody knows"), previous=stood)
    found = story()
    for new in image:
        if new.tag in answered:
            old = stood[0] if stood else new
            found.state.answered["staging", "web", finding.code.value, new, old] = 7
    assert guards.still_open(found.state, [finding]) == (finding,), "it was never written down"

    found.state.keys[_written(found, finding).key] = 8

    assert bool(guards.still_open(found.state, [finding])) is is_open


def test_what_is_written_down_for_the_first_time_is_as_it_was_found() -> None:
    found, step = story(), _step()
    assert guards.anew(found.state, step) == step
    long = replace(step, trigger="x" * guards.MAX_TRIGGER)
    found.add(_written(found, long))

    again = guards.anew(found.state, long)
    assert again.trigger == f"{'x' * (guards.MAX_TRIGGER - 6)}/2"
    assert found.refusal(_written(found, long))
    assert found.refusal(_written(found, again)) is None


def test_a_resume_that_names_the_doubt_answers_for_it() -> None:
    found, _, doubt = _replaced()

    resume = found.add(_resume(found, [doubt.seq]))

    assert list(found.state.answered.values()) == [resume.seq]
    assert found.state.holds == {}


def test_a_resume_everywhere_leaves_the_doubts_that_it_does_not_name() -> None:
    found = story()
    mine = found.add(found.stand(Kind.HOLD, person("ada"), environment="production"))
    doubt = found.add(_written(found, _step()))

    found.add(_resume(found, [mine.seq], environment=""))

    assert [one.seq for one in found.state.holds.values()] == [doubt.seq]
    assert found.state.answered == {}


def test_a_resume_that_names_nothing_where_nothing_stands_lifts_nothing() -> None:
    found = story()

    assert [one.detail for one in found.reasons(_resume(found, []))] == [
        "nothing of the kind is in force there"
    ]


@pytest.mark.parametrize("told", ["every", {"3": 3}, ["3"], [True], [None]], ids=repr)
def test_what_is_no_list_of_numbers_lifts_nothing(told: object) -> None:
    found, _, doubt = _replaced()
    resume = _resume(found, told)

    refusal = found.refusal(resume)
    found.state.apply(found.complete(resume), "x" * 40)

    assert refusal is not None
    assert refusal.code == Code.OUT_OF_LINE
    assert [one.seq for one in found.state.holds.values()] == [doubt.seq]


def test_each_hold_is_named_once() -> None:
    found, _, doubt = _replaced()

    refusal = found.refusal(_resume(found, [doubt.seq, doubt.seq]))

    assert refusal is not None
    assert refusal.code == Code.OUT_OF_LINE


def test_a_hold_whose_time_is_over_answers_for_nothing() -> None:
    found = story()
    hold = replace(_written(found, _step()), until=write_time(found.at + timedelta(hours=1)))
    found.add(hold)
    found.at += timedelta(hours=2)
    found.state.apply(
        found.complete(found.stand(Kind.RESUME, person("ada"), environment="staging")), "x" * 40
    )

    assert found.state.answered == {}


def test_an_unknown_age_is_answered_for_that_digest() -> None:
    found = story(AGED)
    about = case(found, "1.1.0", "production")
    about = replace(about, rules=rules(AGED))
    assert getattr(age(about), "code", None) is Code.AGE_UNKNOWN

    _answered(found, guards.ageless("web", "production", (pinned("1.1.0"),), "nobody knows"))

    assert age(about) == PASSED
    assert age(replace(about, image=(pinned("1.1.0", digest="sha256:" + "0" * 64),))) != PASSED


WRONG: dict[str, tuple[dict[str, object], Code | None]] = {
    "as it is": ({}, None),
    "another code": ({"why": "tags-lost"}, Code.OUT_OF_LINE),
    "no image": ({"image": ()}, Code.OUT_OF_LINE),
    "no digest": ({"image": (Pinned(IMAGE, "1.0.0"),)}, Code.OUT_OF_LINE),
    "no place": ({"environment": ""}, Code.NO_RULE),
    "no step back": ({"image": (pinned("1.2.0"),)}, Code.OUT_OF_LINE),
    "no age is asked": ({"why": "age-unknown"}, Code.OUT_OF_LINE),
    "a person's": ({"by": person("ada"), "note": "x", "why": ""}, Code.OUT_OF_LINE),
    "only what stood there": ({"why": "tags-lost", "image": ()}, Code.OUT_OF_LINE),
}


@pytest.mark.parametrize(("changes", "code"), WRONG.values(), ids=WRONG)
def test_a_hold_names_only_what_a_guard_doubts(changes: dict[str, object], code: Code | None) -> None:
    found = story()
    entry = replace(_written(found, _step()), key="", **changes)  # type: ignore[arg-type]  # a test's choice

    assert (code in {one.code for one in found.reasons(entry)}) is (code is not None)
    if code is None:
        assert found.reasons(entry) == []


# --- what a decision offers -----------------------------------------------------------------------------------


def _row(found: Story, environment: str = "staging", *, text: str = RULES, current: str = "1.2.0") -> Row:
    tags = ("1.0.0", "1.1.0")
    world = World(
        rules=rules(text),
        commit=found.book.line[-1],
        state=found.state,
        pins={(name, "web"): Pin((pinned(current),)) for name in ("staging", "production")},
        tags={WEB: TagList(tags)},
        digests={(WEB, Tag(tag)): Digest(pinned(tag).digest) for tag in tags},
        baseline=found.book.stood,
    )
    row = decide_row(world, environment, "web", found.at)
    assert row
    return row


def _seen(*, before: bool = False) -> Story:
    found = story()
    one = Sighting("web", IMAGE, "1.1.0", pinned("1.1.0").digest, before)
    found.add(Entry(kind=Kind.SEEN, at="", key="", seen=(one,)))
    return found


def test_an_older_choice_is_offered_as_refused_where_nobody_is_asked() -> None:
    row = _row(_seen())

    assert (row.verdict, row.codes[0]) == (Standing.REFUSED, "downgrade")
    assert row.candidates[0].version == "1.1.0"
    assert row.previous == (pinned("1.2.0"),)


@pytest.mark.parametrize(
    ("environment", "text"),
    [("production", RULES), ("staging", RULES.replace("approvals: none", "approvals: observe"))],
    ids=["people are asked", "only observed"],
)
def test_elsewhere_it_is_nobodys_question(environment: str, text: str) -> None:
    assert _row(_seen(), environment, text=text).codes == ("current",)


def test_what_was_there_at_the_first_look_is_none_unless_it_moves_too() -> None:
    catching_up = RULES.replace("approvals: none", "approvals: none, catch-up: true")

    assert _row(_seen(before=True)).codes == ("current",)
    assert _row(_seen(before=True), text=catching_up).codes[0] == "downgrade"
    assert _row(_seen(), current="latest").codes != ("downgrade",)  # it has no place in the order
