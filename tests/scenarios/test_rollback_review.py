"""``rollback: {review: 2d}``: who had no part in a rollback closes it with a sentence, or nothing else moves."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.answers import NotRecorded, Recorded
from policies.ledger.state import Stage
from policies.words import Approve, Review, Rollback
from sandbox.gitops import CHECKOUT
from tests.scenarios.offices import Office, office_in

RULE = "approvals: 2 of release-managers\n"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with office_in(tmp_path) as made:
        made.change_rules("rules.yaml", RULE, f"{RULE}    rollback: {{approvals: 1, review: 2d}}\n")
        yield made


def test_a_rollback_is_reviewed_by_somebody_who_had_no_part_in_it(office: Office) -> None:
    promotion = office.asked("1.4.2")
    for name in ("ada", "bob"):
        office.say(name, Approve(promotion))
    assert office.stage(promotion) is Stage.LANDED

    back = office.say("ada", Rollback(CHECKOUT, "carts are empty", "", ("production",)))

    assert isinstance(back, Recorded), back
    assert back.due is not None
    assert office.stage(back.promotion) is Stage.LANDED, "the way back waits for no review"
    (seq,) = office.engine.look().state.open
    assert f"review #{seq}" in office.told()
    (finding,) = office.findings()
    assert finding.startswith("review-missing ")
    assert f"#{seq}: rollback of {CHECKOUT}" in finding

    office.clock.wind(days=1)
    office.look()
    assert "still waits for its review" in office.told()
    office.clock.wind(days=1)
    office.look()
    assert "was not reviewed in time" in office.told()
    late = office.asked("1.4.3")
    for name in ("ada", "bob"):
        office.say(name, Approve(late))
    assert office.stage(late) is Stage.OPEN, "nothing but rollbacks moves there"

    mine = office.say("ada", Review(f"#{seq}", "it was right"))
    assert isinstance(mine, NotRecorded)
    assert mine.code == "requester"
    assert isinstance(office.say("carol", Review(f"#{seq}", "it was right")), Recorded)
    office.look()

    assert office.stage(late) is Stage.LANDED
    assert office.findings() == []
