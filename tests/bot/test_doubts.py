"""What somebody has to answer for: a step back that the selection takes, an age that nobody knows."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.ledger import NotAllowed, Proposal
from bot.looking.troubles import troubles_of
from bot.promoting.promoter import stand
from bot.promoting.suspicions import Suspicions
from policies.codes import Code
from policies.decide import Candidate, decide
from policies.entries.entry import Bot, Entry, Kind, Pinned
from policies.ledger.keys import expected_key
from policies.words import Hold, Resume
from tests.bot.ledger_worlds import FILES as WORLD_FILES
from tests.bot.ledger_worlds import RULES, digest, said, world
from tests.bot.test_suspicions import TEN, Town, town

__all__ = ["town"]  # the fixture

CATCHING_UP = RULES.replace("approvals: none}", "approvals: none, catch-up: true}")
AGED = RULES.replace(
    "approvals: 2 of release-managers, after: staging}", "approvals: 2 of release-managers, age: 1h}"
)

AHEAD = {
    path: text.replace("newTag: 1.0.0", "newTag: 1.5.0")
    for path, text in WORLD_FILES.items()
    if isinstance(text, str)
}


@pytest.fixture
def back(town: Town) -> Town:
    """A town in which the version that runs is gone from the registry: the selection takes an older one."""
    assert town.kinds(tags=[*TEN, "1.1.0"])[-1] is Kind.BUMP
    town.pass_(tags=list(TEN))
    return town


def _image(found: Town, environment: str = "staging") -> str:
    return found.world.desk.view(found.world.at).world.pin(environment, "web").image[0].tag


def test_a_step_back_is_held_at_the_second_sighting_and_told_once(back: Town) -> None:
    assert back.codes() == ("downgrade",)

    (hold,) = back.pass_()

    assert (hold.kind, hold.by, hold.why) == (Kind.HOLD, Bot(), "downgrade")
    assert (hold.environment, hold.service) == ("staging", "web")
    assert (hold.image[0].tag, hold.previous[0].tag) == ("1.0.9", "1.1.0")
    assert back.kinds() == []
    back.world.desk.suspicions = Suspicions()  # an empty disk: the ledger knows
    assert [back.kinds(), back.kinds()] == [[], []]
    assert _image(back) == "1.1.0"
    look = back.world.desk.view(back.world.at)
    told = [one for one in troubles_of(look, decide(look.world, look.at)) if one.code == "downgrade"]
    assert [(one.environment, one.service, one.subject) for one in told] == [("staging", "web", "1.0.9")]


def test_whoever_resumes_lets_exactly_that_step_through(back: Town, tmp_path: Path) -> None:
    back.pass_()

    back.answer(Resume("web", "1.1.0 was withdrawn"))

    assert back.kinds() == [Kind.BUMP]
    assert _image(back) == "1.0.9"
    assert back.kinds() == []
    assert back.world.audit(tmp_path / "auditor").findings == []
    # the same version from another one is another step, and nobody answered for it
    assert back.kinds(tags=[*TEN, "1.2.0"])[-1] is Kind.BUMP
    assert back.kinds(tags=list(TEN)) == []
    assert [entry.why for entry in back.pass_()] == ["downgrade"]


def test_who_resumes_lifts_what_they_were_told_of_and_answers_for_nothing_else(back: Town) -> None:
    (hold,) = back.pass_()
    word = Resume("web", "the registry is fine again")

    answer = back.world.append(lambda look, _tip: stand(look, said("ada", look.at), word, seen=()))

    assert isinstance(answer, NotAllowed)
    assert answer.refusal.code == Code.NOT_STANDING
    assert f"#{hold.seq} came after" in answer.refusal.detail
    assert back.world.state.answered == {}
    ((_, resume),) = back.world.done(
        lambda look, _tip: stand(look, said("ada", look.at), word, seen={hold.seq})
    )
    assert resume.evidence["lifts"] == [hold.seq]
    assert back.kinds() == [Kind.BUMP]


def test_a_doubt_that_a_person_s_hold_took_the_place_of_comes_back_and_is_answered(back: Town) -> None:
    (first,) = back.pass_()
    back.world.done(lambda look, _tip: stand(look, said("ada", look.at), Hold("web", "a demo", "staging")))
    assert [back.kinds(), back.kinds()] == [[], []], "nothing is written where somebody holds it anyway"
    back.answer(Resume("web", "the demo is over"))

    (again,) = back.pass_()

    assert (again.kind, again.why, again.image) == (Kind.HOLD, "downgrade", first.image)
    assert again.trigger == f"{first.trigger}/2"
    assert back.kinds() == []
    another = replace(said("ada"), trigger="click-2")
    back.world.done(lambda look, _tip: stand(look, another, Resume("web", "1.1.0 was withdrawn")))
    assert back.kinds() == [Kind.BUMP]
    assert _image(back) == "1.0.9"


def test_what_people_hold_is_lifted_by_a_word_wherever_they_were_told_of_it(back: Town) -> None:
    ((_, hold),) = back.world.done(
        lambda look, _tip: stand(look, said("ada", look.at), Hold("web", "a demo", "production"))
    )

    ((_, resume),) = back.world.done(
        lambda look, _tip: stand(look, said("ada", look.at), Resume("web", "over"), seen=())
    )

    assert (resume.kind, resume.evidence["lifts"]) == (Kind.RESUME, [hold.seq])


def test_an_older_version_still_does_not_move_once_it_was_answered_for_another(back: Town) -> None:
    back.pass_()
    back.answer(Resume("web", "1.1.0 was withdrawn"))

    assert back.kinds(tags=TEN[:-1]) == [Kind.SEEN]
    assert back.codes() == ("downgrade",)


def test_what_was_there_at_the_first_look_is_no_step_back(tmp_path: Path) -> None:
    found = Town(world(tmp_path, AHEAD))

    assert [found.pass_(), found.pass_()] == [[], []]
    assert found.codes() == ("current",)


def test_where_what_was_there_moves_too_it_is_one(tmp_path: Path) -> None:
    found = Town(world(tmp_path, {**AHEAD, "promotion/rules.yaml": CATCHING_UP}))

    assert found.kinds() == []
    assert [entry.why for entry in found.pass_()] == ["downgrade"]


def _aged(tmp_path: Path) -> Town:
    """A town where somebody asked for a version that no selection ever took."""
    found = Town(world(tmp_path, {**WORLD_FILES, "promotion/rules.yaml": AGED}))
    found.pass_(tags=["1.0.0", "1.1.0", "1.2.0"])
    found.world.ask("1.1.0")
    return found


def _candidate(found: Town) -> Candidate:
    look = found.world.desk.view(found.world.at)
    row = decide(look.world, look.at).row("production", "web")
    assert row
    return next(one for one in row.candidates if one.promotion)


def test_an_age_that_nobody_knows_is_held_and_answered(tmp_path: Path) -> None:
    found = _aged(tmp_path)
    assert "age-unknown" in _candidate(found).codes
    assert found.kinds() == []

    (hold,) = found.pass_()

    assert (hold.kind, hold.why, hold.environment) == (Kind.HOLD, "age-unknown", "production")
    assert hold.image == (Pinned("ghcr.io/example/web", "1.1.0", digest("1.1.0")),)
    assert {"age-unknown", "held"} <= set(_candidate(found).codes)
    found.answer(Resume("web", "it is a month old, see the build"))
    assert not {"age-unknown", "held"} & set(_candidate(found).codes)
    assert [found.kinds(), found.kinds()] == [[], []]
    assert found.world.audit(tmp_path / "auditor").findings == []


def test_an_age_that_is_known_is_nobodys_question(tmp_path: Path) -> None:
    found = Town(world(tmp_path, {**WORLD_FILES, "promotion/rules.yaml": AGED}))
    found.pass_(tags=["1.0.0", "1.1.0"])
    found.world.ask("1.1.0")

    assert [found.kinds(), found.kinds()] == [[], []]


def _hold(found: Town, **changes: object) -> Entry:
    image = (Pinned("ghcr.io/example/web", "1.0.9", digest("1.0.9")),)
    stood = (Pinned("ghcr.io/example/web", "1.1.0", digest("1.1.0")),)
    entry = Entry(
        kind=Kind.HOLD, at="", key="", environment="staging", service="web", image=image,
        previous=stood, trigger="downgrade/x", why="downgrade",
    )  # fmt: skip
    entry = replace(entry, at=f"{found.world.at + timedelta(minutes=1):%Y-%m-%dT%H:%M:%SZ}")
    return replace(entry, **changes)  # type: ignore[arg-type]  # a test's choice


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"why": "tags-lost"}, Code.OUT_OF_LINE),
        ({"image": ()}, Code.OUT_OF_LINE),
        ({"image": (Pinned("ghcr.io/example/web", "1.0.9"),)}, Code.OUT_OF_LINE),
        ({"environment": ""}, Code.NO_RULE),
        ({"why": "age-unknown"}, Code.OUT_OF_LINE),
        ({"image": (Pinned("ghcr.io/example/web", "1.2.0", digest("1.2.0")),)}, Code.OUT_OF_LINE),
    ],
    ids=["another code", "no image", "no digest", "no place", "no age is asked", "no step back"],
)
def test_a_guards_hold_names_what_it_doubts_and_only_that(
    back: Town, changes: dict[str, object], code: Code
) -> None:
    entry = _hold(back, **changes)

    answer = back.world.append(
        lambda look, _tip: Proposal((replace(entry, key=expected_key(look.state, entry)),))
    )

    assert isinstance(answer, NotAllowed)
    assert answer.refusal.code == code
