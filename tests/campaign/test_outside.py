"""What forge, Git host and Slack do wrong: in every state a promotion comes to its one end, once."""

import pytest

from tests.campaign.outside import STATES, TROUBLES, met, pairs


@pytest.mark.timeout(3600)
def test_every_trouble_leads_to_the_same_end() -> None:
    (some,) = pairs(is_long=False, count=0, seed=1)

    assert met(some) == (len(TROUBLES), ())


def test_the_long_form_lets_everything_meet_everything_once() -> None:
    every = [pair for some in pairs(is_long=True, count=0, seed=1) for pair in some]

    assert len(every) == len(set(every)) == len(TROUBLES) * len(STATES)
    assert {one for some in pairs(is_long=True, count=20, seed=1) for one in some} < set(every)
