"""Who may say an entry: the bot, or a linked person whose account may speak."""

from collections.abc import Mapping

from policies.asked import Asked, No, Refusal
from policies.canonical import Json, canonical
from policies.codes import Code
from policies.entry import MAX_NOTE, Bot, By

ACCOUNT_FLAGS = {"active": True, "bot": False, "guest": False, "home": True}

SPOKEN = frozenset(
    {"button", "command", "modal", "shortcut"}
)  # the ways whose account this version can judge


def by_bot(asked: Asked) -> No:
    """Is it the bot that says it?"""
    if not isinstance(asked.entry.by, Bot):
        yield Refusal(Code.NOT_AN_APPROVER, f"{asked.entry.kind} is the bot's to say")


def by_person(asked: Asked) -> No:
    """Is it a linked human, with an account that may speak, as looked up when it was said?"""
    by = asked.entry.by
    if not isinstance(by, By):
        yield Refusal(Code.UNKNOWN_PERSON, f"{asked.entry.kind} is a person's to say")
        return
    person = asked.rules.people.get(by.person) if asked.rules else None
    if person is None or not person.slack or person.slack != by.slack_user:
        yield Refusal(
            Code.UNKNOWN_PERSON, f"the rules do not link {by.person} to {by.slack_user or 'this account'}"
        )
    if person and by.forge_login and by.forge_login.lower() != person.github.lower():
        yield Refusal(Code.UNKNOWN_PERSON, f"the rules do not link {by.person} to {by.forge_login}")
    if by.via not in SPOKEN:
        yield Refusal(Code.ACCOUNT, f"nothing in the entry shows who spoke by {by.via}")
    if not may_speak(asked.entry.evidence.get("account")):
        yield Refusal(
            Code.ACCOUNT, "expected an active member of the bot's own workspace, no guest and no bot"
        )


def may_speak(flags: Json | None) -> bool:
    """Whether an account, as it was looked up, may speak: compared as written, for 1 is not true."""
    return isinstance(flags, Mapping) and canonical(flags) == canonical(ACCOUNT_FLAGS)


def by_either(asked: Asked) -> No:
    """May the bot (with a code) or a linked person say it?"""
    if isinstance(asked.entry.by, By):
        yield from by_person(asked)
    elif not asked.entry.why:
        yield Refusal(Code.NOTE_MISSING, "the bot gives a code")


def noted(asked: Asked) -> No:
    """Does it give a reason?"""
    if not asked.entry.note:
        yield Refusal(Code.NOTE_MISSING, f"a reason of at most {MAX_NOTE} characters")
