"""What forge, Git host and Slack do wrong: in every state a promotion comes to its one end, once."""

import pytest

from tests.campaign.invariants import broken
from tests.campaign.length import LENGTH
from tests.campaign.outside import STATES, TROUBLES, Outside
from tests.campaign.stage import stage


@pytest.mark.timeout(3600)
def test_every_trouble_leads_to_the_same_end() -> None:
    pairs = [(one, state) for one in TROUBLES for state in (STATES if LENGTH.is_long else (one.bites,))]

    with stage() as hand:
        outside = Outside(hand)
        hand.office.look()
        for trouble, state in pairs:
            outside.meet(trouble, state)
        found = broken(hand.seen, at_rest=True)
        report = hand.seen.witness.verify()

    assert outside.wrong == []
    assert found == []
    assert report.findings == []
    assert outside.met >= len(TROUBLES)
