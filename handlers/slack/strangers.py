"""What somebody hears whom neither rules nor links know, at every door: that no word of theirs counts, and a way on."""

from handlers.engine import Engine
from handlers.slack.blocks import COMMAND, Said
from handlers.slack.spans import Code, Line, line

NOBODY = "The rules link nobody to your Slack account, so your word does not count yet."
OUTSIDE = (
    "As far as can be seen your account is a guest's, a bot's, deactivated, or of another workspace: such an account"
    " may not decide, so somebody of the team does."
)


def unheard(engine: Engine, user: str, team: str) -> Said | None:
    """Say what somebody has to do before their word counts; nothing where rules or links know them."""
    if engine.person_of(user):
        return None
    return nobody(user, is_outside=engine.is_surely_outside(team, user))


def nobody(user: str, *, is_outside: bool = False) -> Said:
    """Say that the rules know nobody of this Slack account. ``is_outside``: nor could they let it decide."""
    return Said(line(NOBODY), (line(OUTSIDE),) if is_outside else linking(user))


def linking(user: str) -> tuple[Line, ...]:
    """Return the ways to become somebody whom the rules know."""
    return (
        line(
            "Somebody adds ", Code(f"slack: {user}"), " under your name in the rules' ", Code("people"), "."
        ),
        line("Or you link your GitHub account by yourself: ", Code(f"{COMMAND} link"), "."),
    )
