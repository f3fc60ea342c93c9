"""An emergency and what follows it; and one word that goes back in several environments."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.answers import NotRecorded, Recorded
from bot.look import Look
from policies.ledger.state import Stage
from policies.words import Approve, Emergency, Freeze, Propose, Review, Rollback, Unfreeze
from sandbox.gitops import CHECKOUT
from tests.scenarios.offices import Office, office_in

BEFORE = "approvals: 2 of release-managers\n"
RULE = "    emergency: {approvals: 1 of ada or bob, tell: incidents, review: 2d, skips: [freeze]}\n"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with office_in(tmp_path) as made:
        text = made.world.git.text("show", "main:promotion/rules.yaml")
        for old in ("    health: [kustomization/apps/staging]\n", "    soak: 2s\n"):
            text = text.replace(old, "")  # what a cluster says is another story
        files: dict[str, str | None] = {"promotion/rules.yaml": text.replace(BEFORE, BEFORE + RULE) + "\n"}
        made.world.forge.push_to_branch("main", files, "Let two people call emergencies\n", login="bob")
        made.look()
        yield made


def _called(office: Office, by: str = "ada", version: str = "1.4.2") -> Recorded | NotRecorded:
    return office.say(by, Emergency(CHECKOUT, version, "production", "payments fail"))


def test_an_emergency_lands_by_one_word_past_the_freeze_that_its_rule_names(office: Office) -> None:
    open_before = office.asked("1.4.2")
    office.say("bob", Approve(open_before))
    assert isinstance(office.say("bob", Freeze(("production",), "the big sale")), Recorded)

    answer = _called(office)

    assert isinstance(answer, Recorded), answer
    assert office.stage(answer.promotion) is Stage.LANDED
    assert office.stage(open_before) is Stage.SUPERSEDED
    assert answer.due is not None
    office.look()
    assert office.engine.look().state.freeze_on("production", office.clock.at), "the freeze itself stands"


def test_an_emergency_is_reviewed_by_somebody_who_had_no_part_in_it(office: Office) -> None:
    office.asked("1.4.2")
    answer = _called(office)
    assert isinstance(answer, Recorded), answer
    (opened,) = office.engine.look().state.open
    mine = office.say("ada", Review(f"#{opened}", "it was right"))
    assert isinstance(mine, NotRecorded)
    assert mine.code == "requester"
    unknown = office.say("bob", Review("#99", "it was right"))
    assert isinstance(unknown, NotRecorded)
    assert (unknown.code, unknown.choices) == ("unknown-review", (f"#{opened}",))

    for named in (answer.commit[:10],):
        assert isinstance(office.say("bob", Review(named, "it was right")), Recorded)

    assert not office.engine.look().state.open
    again = office.say("bob", Review(answer.promotion, "once more"))
    assert isinstance(again, NotRecorded)


def test_what_is_not_reviewed_in_time_stops_all_but_the_way_back(office: Office) -> None:
    office.asked("1.4.2")
    answer = _called(office)
    assert isinstance(answer, Recorded), answer
    office.clock.wind(days=2, minutes=1)
    promotion = office.asked("1.4.3")
    office.say("ada", Approve(promotion))
    office.say("bob", Approve(promotion))
    assert office.stage(promotion) is Stage.OPEN
    assert "review-overdue" in {
        reason.code.value
        for row in office.engine.look().decision.rows
        if row.environment == "production"
        for candidate in row.candidates
        for reason in candidate.reasons
    }

    assert isinstance(office.say("bob", Review(answer.promotion, "late, and right")), Recorded)
    office.look()

    assert office.stage(promotion) is Stage.LANDED


def test_an_emergency_asks_what_its_rule_does_not_name(office: Office) -> None:
    office.world.push(CHECKOUT, "1.4.2")
    office.say("bob", Freeze(("staging",), "a demo"))
    office.look()

    answer = _called(office)

    assert isinstance(answer, Recorded), answer
    assert office.stage(answer.promotion) is Stage.OPEN
    assert {one.code.value for one in answer.waits} == {"not-in-previous"}
    office.say("bob", Unfreeze("staging", "over"))
    office.look()
    office.look()
    assert office.stage(answer.promotion) is Stage.LANDED


@pytest.mark.parametrize(
    ("by", "environment", "version", "code"),
    [
        ("carol", "production", "1.4.2", "not-an-approver"),
        ("ada", "staging", "1.4.2", "no-emergency"),
        ("ada", "production", "9.9.9", "unknown-version"),
        ("ada", "qa", "1.4.2", "unknown-environment"),
    ],
    ids=["not named", "where there is none", "no such version", "no such environment"],
)
def test_an_emergency_that_is_not_let_through(
    office: Office, by: str, environment: str, version: str, code: str
) -> None:
    office.world.push(CHECKOUT, "1.4.2")
    if environment == "staging":
        office.say("bob", Freeze(("staging",), "a demo"))
    office.look()

    answer = office.say(by, Emergency(CHECKOUT, version, environment, "payments fail"))

    assert isinstance(answer, NotRecorded), answer
    assert answer.code == code


def test_one_word_goes_back_in_several_environments_at_once(office: Office) -> None:
    promotion = office.asked("1.4.2")
    for name in ("ada", "bob"):
        office.say(name, Approve(promotion))
    assert office.stage(promotion) is Stage.LANDED
    before = len(office.kinds())

    answer = office.say("bob", Rollback(CHECKOUT, "carts are empty", "", ("production", "staging")))

    assert isinstance(answer, Recorded), answer
    assert [one.environment for one in (answer, *answer.more)] == ["production", "staging"]
    assert office.kinds()[before : before + 2] == ["rollback", "rollback"]
    for one in (answer, *answer.more):
        assert office.stage(one.promotion) is Stage.LANDED
    office.look()
    look = office.engine.look()
    assert isinstance(look, Look)
    pins = look.world.pins
    assert {pins[where, CHECKOUT].image[0].tag for where in ("staging", "production")} == {"1.4.1"}


def test_one_word_for_several_environments_is_written_whole_or_not_at_all(office: Office) -> None:
    for version in ("1.4.2", "1.4.3"):
        office.world.push(CHECKOUT, version)
        office.look()
    before = office.kinds()

    answer = office.say("bob", Rollback(CHECKOUT, "carts are empty", "1.4.2", ("staging", "production")))

    assert isinstance(answer, NotRecorded), answer
    assert office.kinds() == before
    assert isinstance(office.say("bob", Rollback(CHECKOUT, "x", "", ("staging",))), Recorded)
    again = office.say("carol", Propose(CHECKOUT, "1.4.3", "production", "once more"))
    assert isinstance(again, NotRecorded)
    assert again.code == "blocked", "what was rolled back is not eligible downstream"
