"""The words of ``/promote`` and how each is said; words that are said elsewhere."""

from handlers.slack.blocks import COMMAND

USAGE = {
    "": "SERVICE [VERSION] [to ENV] [because WHY]",
    "all": "all [to ENV] [because WHY]",
    "approve": "approve #418 [because WHY]",
    "approve all": "approve all [in ENV] [because WHY]",
    "unapprove": "unapprove #418 [because WHY]",
    "reject": "reject #418 because WHY",
    "cancel": "cancel #418 [because WHY]",
    "rollback": "rollback SERVICE [to VERSION] [in ENV...] because WHY",
    "hold": "hold SERVICE [in ENV] [until WHEN] because WHY",
    "resume": "resume SERVICE [in ENV] because WHY",
    "block": "block SERVICE VERSION because WHY",
    "unblock": "unblock SERVICE VERSION because WHY",
    "freeze": "freeze ENV...|all [until WHEN] because WHY",
    "unfreeze": "unfreeze ENV because WHY",
    "emergency": "emergency SERVICE VERSION to ENV because WHY",
    "review": "review #12 because WHY",
    "redact": "redact #12 because WHY",
    "fork": "fork because WHY",
    "status": "status [SERVICE|ENV]",
    "why": "why SERVICE [VERSION] [to ENV]",
    "changes": "changes SERVICE [VERSION] [in ENV]",
    "check": "check [SERVICE]",
    "pending": "pending",
    "history": "history SERVICE",
    "who": "who SERVICE",
    "stats": "stats [SERVICE|ENV]",
    "whoami": "whoami",
    "link": "link",
    "help": "help [WORD]",
}
# what newcomers look for here and is said to `countersign` in a shell -> the word that answers it here, '' = none
OF_THE_SHELL = {
    "plan": "status",
    **dict.fromkeys("doctor evidence init ledger lint pass retire rules serve simulate verify".split(), ""),  # noqa: SIM905  a list of words
}


def of_the_shell(word: str) -> str | None:
    """Return what is said of a word of the command line; nothing where it is none."""
    instead = OF_THE_SHELL.get(word.lower())
    if instead is None:
        return None
    here = f"here it is `{COMMAND} {instead}`" if instead else f"`{COMMAND} help` has those of Slack"
    return f"`{word.lower()}` is a word of the command line, `countersign`; {here}."
