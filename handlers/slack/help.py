"""What ``/promote help`` says: the grammar, a line for each word."""

from handlers.slack.blocks import COMMAND, Said
from handlers.slack.names import guesses
from handlers.slack.spans import Code, Line, line, marked
from handlers.slack.usage import OF_THE_SHELL, USAGE, of_the_shell

_MEANS = {
    "": "ask for a version in an environment; the newest that may be asked for where none is named",
    "all": "everything that may be asked for, as one list; a press asks for all of it, one request each",
    "approve": "approve a promotion, by the number of its pull request or its id",
    "approve all": "what waits for your approval, as one list; a press approves all of it as it is listed",
    "unapprove": "take your own approval back",
    "reject": "end a promotion, with a reason",
    "cancel": "withdraw your own request",
    "rollback": "put back what ran before, or an earlier version that you name; freezes do not stop it",
    "hold": "a service stays what it is",
    "resume": "it moves again",
    "block": "a version never moves",
    "unblock": "it may move again",
    "freeze": "an environment stands still",
    "unfreeze": "it moves again",
    "emergency": "move a version now, past what the rule lets an emergency skip; somebody else reviews it afterwards",
    "review": "close an emergency, a move by hand or a mismatch, by its number, commit or id, if you had no part in it",
    "redact": "show the words of an entry no more, by its number; somebody else confirms it",
    "fork": "go on from a ledger that was rewritten in Git, after you are told what is lost; somebody else confirms it",
    "status": "what runs where, and what waits",
    "why": "what stands in the way of a version",
    "changes": "what comes with a version: those in between, commits of its source, files and values",
    "check": "ask the registries now, instead of at their interval; what was asked within a minute is not asked again",
    "pending": "what is under way",
    "history": "what was moved",
    "who": "who may approve a service where",
    "stats": "how often versions landed in the last 30 days, how fast, and how many were rolled back",
    "whoami": "whom the rules take you for, and which accounts are yours",
    "link": "show which GitHub account is yours",
    "help": "this, or one word of it",
}
_WHEN = "WHEN is `2h`, `3d`, `18:00` (UTC), `2026-12-24` or `2026-12-24 08:00`. WHY is one line."


def help_about(word: str) -> Said:
    """Return the help for one word, or for all."""
    if not word:
        points = [_point(one) for one in USAGE]
        return Said(line("What you can say:"), (*points, marked(_WHEN)))
    if word in USAGE:
        return Said(line(*_point(word), "."), (marked(_WHEN),) if "WHEN" in USAGE[word] else ())
    if elsewhere := of_the_shell(word):
        return Said(marked(elsewhere), commands=(f"help {OF_THE_SHELL[word] or ''}".rstrip(),))
    commands = tuple(f"help {one}" for one in guesses(word, [one for one in USAGE if one]))
    said = line("There is no word ", Code(word), "; ", Code(f"{COMMAND} help"), " lists them.")
    return Said(said, commands=commands or ("help",))


def _point(word: str) -> Line:
    return line(Code(f"{COMMAND} {USAGE[word]}"), f": {_MEANS[word]}")
