"""The words of ``/promote`` and how each is said."""

LATER = ("all", "changes", "check", "stats")  # DESIGN section 9, other issues
USAGE = {
    "": "SERVICE [VERSION] [to ENV] [because WHY]",
    "approve": "approve #418 [because WHY]",
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
    "pending": "pending",
    "history": "history SERVICE",
    "who": "who SERVICE",
    "whoami": "whoami",
    "link": "link",
    "help": "help [WORD]",
}
