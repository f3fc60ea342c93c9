"""Whom nobody knows: what a chat says of an account, and what is said where it says nothing."""

from handlers.slack.strangers import NOBODY, OUTSIDE, unheard
from tests.handlers.samples import EngineOfValues


class _Silent(EngineOfValues):
    """An engine whose chat says nothing of anybody."""

    def is_outside(self, team: str, slack_user: str) -> bool:  # noqa: ARG002  it says it of everybody
        return True

    def is_surely_outside(self, team: str, slack_user: str) -> bool:  # noqa: ARG002  it says it of everybody
        return False


def test_a_chat_that_says_nothing_makes_nobody_a_guest() -> None:
    told = unheard(_Silent(), "U0NEW", "T0TEAM")

    assert told is not None
    assert NOBODY in told.text
    assert OUTSIDE not in told.text
    assert "/promote link" in told.text
