"""The laws of the way back: what was left stays out, what is newer flows on, and no freeze is in the way."""

import pytest

from policies.codes import Code
from policies.entries.entry import Kind
from policies.ledger.state import Stage
from tests.policies.ledger_builders import Story, at_stage, person, pinned, story


def _back_in_staging() -> Story:
    found = story().staged("1.1.0")
    found.add(found.rollback("1.0.0", environment="staging"))
    return found


def test_what_was_rolled_back_is_not_eligible_there_nor_downstream() -> None:
    found = _back_in_staging()

    for entry in (found.bump("1.1.0"), found.propose("1.1.0")):
        refusal = found.refusal(entry)
        assert refusal
        assert refusal.code is Code.BLOCKED


def test_the_next_newer_version_is_a_candidate_again() -> None:
    found = _back_in_staging()
    found.add(found.seen("1.2.0"))
    found.add(found.bump("1.2.0"))

    assert found.refusal(found.propose("1.2.0")) is None


@pytest.mark.parametrize("kind", [Kind.FREEZE, Kind.HOLD], ids=str)
def test_neither_a_freeze_nor_a_hold_stops_a_rollback(kind: Kind) -> None:
    found = at_stage(Stage.LANDED)
    found.add(found.stand(kind, person("ada")))
    found.add(found.rollback("1.0.0", "dan"))

    assert found.refusal(found.about(Kind.INTENT)) is None


def test_an_unblock_lets_what_was_left_come_again() -> None:
    found = _back_in_staging()
    found.add(found.stand(Kind.UNBLOCK, person("ada"), image=(pinned("1.1.0", digest=""),)))

    assert found.refusal(found.bump("1.1.0")) is None
