"""Words spelled as commands again, and the corrected commands that an answer's choices make of a word."""

from dataclasses import replace
from datetime import datetime

from bot.answers import NotRecorded
from handlers.slack.names import MAX_GUESSES, guesses
from policies.codes import Code
from policies.words import (
    Approve,
    Block,
    Cancel,
    Confirm,
    Emergency,
    Fork,
    Freeze,
    Hold,
    Pair,
    Propose,
    Redact,
    Reject,
    Resume,
    Review,
    Rollback,
    Unapprove,
    Unblock,
    Unfreeze,
    Word,
)


def spell(word: Word | Pair) -> str:  # noqa: C901, PLR0911, PLR0912  one form for each word
    """Return a word as a person would type it behind ``/promote``."""
    match word:
        case Propose():
            return _spaced(word.service, word.version, _after("to", word.environment), _why(word.note))
        case Approve() | Unapprove() | Reject() | Cancel():
            return _spaced(type(word).__name__.lower(), word.promotion, _why(word.note))
        case Rollback():
            where = _after("in", " ".join(word.environments))
            return _spaced("rollback", word.service, _after("to", word.version), where, _why(word.note))
        case Hold():
            where = _after("in", word.environment)
            return _spaced("hold", word.service, where, _until(word.until), _why(word.note))
        case Resume():
            return _spaced("resume", word.service, _after("in", word.environment), _why(word.note))
        case Block() | Unblock():
            return _spaced(type(word).__name__.lower(), word.service, word.version, _why(word.note))
        case Freeze():
            return _spaced("freeze", " ".join(word.environments), _until(word.until), _why(word.note))
        case Emergency():
            where = _after("to", word.environment)
            return _spaced("emergency", word.service, word.version, where, _why(word.note))
        case Review():
            return _spaced("review", word.what, _why(word.note))
        case Redact():
            return _spaced("redact", f"#{word.entry}", _why(word.note))
        case Fork():
            return _spaced("fork", _why(word.note))
        case Confirm():
            return spell(word.what)
        case Unfreeze():
            return _spaced("unfreeze", word.environment, _why(word.note))


def corrected(word: Word | Pair, answer: NotRecorded) -> tuple[str, ...]:
    """Return at most three commands in which a choice of the answer stands for what was not understood."""
    match answer.code:
        case "which-environment":
            choices = answer.choices[:MAX_GUESSES]
        case "unknown-version":
            choices = _near(getattr(word, "version", ""), answer.choices)
        case "unknown-environment":
            choices = _near(getattr(word, "environment", ""), answer.choices)
        case "unknown-review":
            choices = answer.choices[:MAX_GUESSES]
        case Code.IN_GROUP | Code.NOT_WHOLE:
            choices = answer.choices
        case "unknown-service":
            choices = _near(getattr(word, "service", ""), answer.choices)
        case _:
            choices = ()
    found = [_chosen(word, answer.code, choice) for choice in choices]
    return tuple(spell(one) for one in found if one is not None)


def _near(word: str, choices: tuple[str, ...]) -> tuple[str, ...]:
    return guesses(word, choices) or choices[:MAX_GUESSES]


def _chosen(word: Word | Pair, code: str, choice: str) -> Word | None:  # noqa: PLR0911  one row for each word
    match word:
        case Propose() | Rollback() | Emergency() if code in {Code.IN_GROUP, Code.NOT_WHOLE}:
            return replace(word, service=choice, version="")
        case Rollback() if code.endswith("environment"):
            return replace(word, environments=(choice,))
        case Review() if code == "unknown-review":
            return replace(word, what=choice)
        case Propose() | Emergency() | Hold() | Resume() if code.endswith("environment"):
            return replace(word, environment=choice)
        case Unfreeze() if code == "unknown-environment":
            return replace(word, environment=choice)
        case Propose() | Emergency() | Rollback() | Block() | Unblock() if code == "unknown-version":
            return replace(word, version=choice)
        case Propose() | Emergency() | Rollback() | Hold() | Resume() | Block() | Unblock() if (
            code == "unknown-service"
        ):
            return replace(word, service=choice)
        case _:
            return None


def _spaced(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def _after(opener: str, words: str) -> str:
    return f"{opener} {words}" if words else ""


def _until(at: datetime | None) -> str:
    return f"until {at:%Y-%m-%d %H:%M}" if at else ""


def _why(note: str) -> str:
    return f"because {note}" if note else ""
