"""Corrected commands that an answer's choices make of a word: pressed, they are understood."""

import pytest

from bot.answers import NotRecorded
from handlers.slack.command import parse
from handlers.slack.spelling import corrected
from policies.words import Approve, Block, Freeze, Hold, Propose, Resume, Rollback, Unblock, Unfreeze, Word
from tests.handlers.samples import AT, NAMES

ENVIRONMENTS = ("staging", "production-eu")


@pytest.mark.parametrize(
    ("word", "code", "choices", "expected"),
    [
        (Propose("wob"), "unknown-service", ("web",), [Propose("web")]),
        (Hold("wob", "x"), "unknown-service", ("web",), [Hold("web", "x")]),
        (Block("web", "1.O", "x"), "unknown-version", ("1.0",), [Block("web", "1.0", "x")]),
        (Unblock("web", "1.O", "x"), "unknown-version", ("1.0",), [Unblock("web", "1.0", "x")]),
        (Rollback("web", "x", "9"), "unknown-version", ("1.0",), [Rollback("web", "x", "1.0")]),
        (
            Propose("web", environment="stagung"),
            "unknown-environment",
            ENVIRONMENTS,
            [Propose("web", environment="staging")],
        ),
        (
            Resume("web", "x"),
            "which-environment",
            ENVIRONMENTS,
            [Resume("web", "x", "staging"), Resume("web", "x", "production-eu")],
        ),
        (
            Unfreeze("gone", "x"),
            "unknown-environment",
            ENVIRONMENTS,
            [Unfreeze("staging", "x"), Unfreeze("production-eu", "x")],
        ),
        (Freeze(("staging",), "x"), "unknown-environment", ENVIRONMENTS, []),
        (Approve("#418"), "unknown-promotion", ("7f3a9c2e41d0",), []),
        (Propose("web"), "not-recorded", (), []),
    ],
    ids=lambda one: type(one).__name__ if isinstance(one, Word) else str(one)[:20],
)
def test_a_choice_makes_a_command_that_is_understood(
    word: Word, code: str, choices: tuple[str, ...], expected: list[Word]
) -> None:
    commands = corrected(word, NotRecorded(code=code, choices=choices))

    assert [parse(command, NAMES, AT) for command in commands] == expected
