"""Every sentence that answers a person: recorded, refused, not understood, gone wrong."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from bot.answers import Awaiting, NotRecorded, Recorded
from bot.ports import Asked
from handlers.slack.blocks import COMMAND, Said
from handlers.slack.endings import after, ended, is_told
from handlers.slack.questions import Misunderstood
from handlers.slack.reasons import phrase, reason, reasons
from handlers.slack.spans import Code as Literal
from handlers.slack.spans import Line, Link, Moment, Sign, Span, Strong, joined, line, marked
from handlers.slack.spelling import corrected, spell
from handlers.slack.strangers import NOBODY
from policies.codes import Code
from policies.entries.entry import Kind
from policies.ledger.state import Promotion
from policies.verdict import Failed, NotYet
from policies.words import Pair, Rollback, Word

CHECKING = "The ledger is still being checked; decisions wait."  # stands in each answer until then
_NOT_NOW = "Not now: "
MAX_CHOICES = 10  # names in a sentence

# what a code says to the person who spoke, and what they can do next
REFUSALS: dict[str, str] = {
    Code.UNKNOWN_PERSON: f"{NOBODY} `{COMMAND} whoami` says what to add.",
    Code.ACCOUNT: "This account may not decide: it is deactivated, a guest, a bot, or from another workspace.",
    Code.REQUESTER: "You asked for it, so somebody else approves.",
    Code.AUTHOR: "Some of the code between the two images is yours, so somebody else approves.",
    Code.MATCHED: "You are known here by your e-mail address alone: you may ask, hold and freeze. For more,"
    f" `{COMMAND} link` shows which GitHub account is yours.",
    Code.MOVER: "You wrote, committed, merged or pushed some of it, so somebody else reviews it.",
    Code.NOT_AN_APPROVER: f"The rule does not name you for this. `{COMMAND} who SERVICE` says whom it names.",
    Code.ALREADY_APPROVED: "You have approved it already.",
    Code.NOT_APPROVED: "You have not approved it, so there is nothing to take back.",
    Code.CLOSED: f"It has ended, so nothing was recorded. `{COMMAND} pending` lists what is under way.",
    Code.EXPIRED: "The request has expired. Ask for the version anew, and it can be approved.",
    Code.CHANGE_MOVED: "The change is not the one that you saw any more. Look at the card again, then decide.",
    Code.RULE_MOVED: "The rule is not the one that you saw any more. Look at the card again, then decide.",
    Code.HEAD_MOVED: "The pull request is not the one that you saw any more. Look at the card again, then decide.",
    Code.LINKED_ELSEWHERE: "One of the two accounts is somebody else's. An operator looks at `people` in the rules.",
    Code.REVIEW_MISSING: "A press does not count there: the rule asks for a review of the pull request, in GitHub.",
    Code.NO_RULE: "No rule covers that service in that environment.",
    Code.NOTE_MISSING: "A reason has to be given: add `because` and why, in one line.",
    Code.NEVER_RAN: f"`VERSION` has never run there, so one cannot go back to it. `{COMMAND} history SERVICE` lists"
    " what was moved.",
    Code.OBSERVED: "That environment is only observed: nothing is moved there until its rule says otherwise.",
    Code.NOT_GUARDED: (
        "Nobody is asked there: new versions move by themselves. What was there before Countersign looked first moves"
        " where the rules say `catch-up: true`."
    ),
    Code.GUARDED: "That environment asks for approvals.",
    Code.NOT_STANDING: f"There is nothing of the kind in force there, so nothing was lifted. `{COMMAND} why SERVICE`"
    " says what stands in the way of a version.",
    Code.BLOCKED: "Somebody blocked the version, or it was rolled back here or in an environment before."
    f" `{COMMAND} unblock SERVICE VERSION because WHY` lets it move.",
    Code.HELD: f"Somebody holds the service where it is. `{COMMAND} resume SERVICE because WHY` lets it move.",
    Code.FROZEN: f"The environment stands still. `{COMMAND} unfreeze ENV because WHY` lets it move.",
    Code.OPEN_ELSEWHERE: f"A version of the service is under way there already. `{COMMAND} pending` shows it.",
    Code.OUT_OF_LINE: "It does not fit any more: somebody else was faster. Look again, then decide.",
    Code.NO_EMERGENCY: "The rule knows no emergency there. Ask for the version as usual, or roll back.",
    Code.NOT_OVER: "It is still under way. It can be reviewed once it has landed.",
    Code.CONFIG_UNREVIEWED: "Files of that environment changed in Git, and nobody has reviewed it yet.",
    Code.REVIEW_OVERDUE: f"An emergency or a rollback there was not reviewed in time. `{COMMAND} review` closes it.",
    Code.IN_GROUP: "That service moves with its group, together or not at all. Ask for the group.",
    Code.GROUP_WAITS: "The services of the group move together, and one of them is not ready.",
    Code.NOT_WHOLE: "A group moves as a whole, each service to its own version. Leave the version out.",
    Code.CURRENT: "It is what runs there now, so there is nothing to do.",
}
PROBLEM_SENTENCES: dict[str, str] = {
    "unknown-service": "The rules have no service SERVICE.",
    "unknown-environment": "The rules have no such environment.",
    "unknown-version": f"`VERSION` is not known there. `{COMMAND} why SERVICE` says what could come, `{COMMAND} check"
    " SERVICE` asks the registry now.",
    "unknown-promotion": f"No promotion that is under way goes by that name. `{COMMAND} pending` lists them.",
    "unknown-review": f"Nothing that waits for a review goes by that name. `{COMMAND} pending` lists what waits.",
    "unknown-entry": "The ledger has no entry with that number. `countersign ledger show` lists them.",
    "nothing-to-redact": "There are no words to hide: they are hidden already, or nobody said any.",
    "nothing-lost": "The ledger has everything that anybody here knows of, so there is nothing to give up.",
    "no-branch": "There is nothing to go on from, in the bot's clone neither. An operator brings the branch back, "
    "from another clone or a second remote.",
    "which-environment": "More than one environment could be meant. Say which.",
    "nothing-to-promote": f"There is nothing that may be asked for there now. `{COMMAND} why SERVICE` says why.",
    "nothing-to-roll-back": "There is no earlier version there to go back to.",
    "rules-unreadable": "The rules cannot be read, so nothing is decided until somebody mends them.",
    "ledger-read-only": "The ledger can only be read at the moment, so nothing was recorded. An operator has to look.",
    "ledger-checking": "The ledger is still being checked, so nothing was recorded. Say it again once that has ended.",
    "observing": "Observing: nothing is recorded. This bot only says what it would do; status, why, who and the other "
    "questions are answered.",
    "not-recorded": "It could not be recorded: the repository was not reachable or busy. Nothing happened; try again.",
    "forge-missing": "That needs a pull request, and no forge is set up. An operator has to add it.",
    "forge-failed": "The forge did not do it. It is tried again; the card shows how it goes.",
    "link-unavailable": "Nobody can link an account here yet. An operator sets `GITHUB_CLIENT_ID`, of the GitHub App.",
    "link-busy": "Too many people are linking their accounts at the moment. Try again in a quarter of an hour.",
    "sign-in-expired": f"The code has expired before it was typed. `{COMMAND} link` gives another one.",
    "sign-in-denied": f"It was refused at GitHub, so nothing was linked. `{COMMAND} link` gives another code.",
    "sign-in-unavailable": "GitHub gives no code at the moment, so nothing was linked. Try again in a while.",
    "registry-silent": "The registry does not answer, so the version cannot be checked. Try again in a while.",
}
# what stands before names among which one can choose
_CHOICES: dict[str, str] = {
    "unknown-service": "known: ",
    "unknown-environment": "known: ",
    "unknown-version": "known: ",
    "which-environment": "one of: ",
}
_NAMED = frozenset({Code.IN_GROUP, Code.NOT_WHOLE, Code.OPEN_ELSEWHERE})  # buttons or detail name the choices
_DETAIL_IS_SAID = frozenset(
    {
        Code.UNKNOWN_PERSON,
        Code.ACCOUNT,
        Code.REQUESTER,
        Code.NOT_AN_APPROVER,
        Code.ALREADY_APPROVED,
        Code.NOT_APPROVED,
        Code.CLOSED,
        Code.EXPIRED,
        Code.CHANGE_MOVED,
        Code.RULE_MOVED,
        Code.HEAD_MOVED,
        Code.NOTE_MISSING,
        Code.NOT_GUARDED,
        Code.OBSERVED,
        Code.NOT_STANDING,
        Code.NO_EMERGENCY,
        Code.CURRENT,
        "link-unavailable",
    }
)


def recorded(of: Recorded) -> Said:
    """Word what is on the remote now."""
    head = _RECORDED.get(of.kind, _other)(of)
    # how many approvals it has is in the sentence already
    said = {Code.APPROVALS_MISSING} if of.wanted else set()
    waits = [verdict for verdict in of.waits if verdict.code not in said]
    points = [line("It waits: ", *one) for one in reasons(waits)]
    if of.kind is Kind.ROLLBACK and of.previous:
        points.append(_left(of))
    if of.unseen:
        points.append(line("The channel cannot be told: ", of.unseen))
    if of.due:
        points.append(line("Somebody who had no part in it reviews it until ", Moment(of.due), "."))
    points += [_RECORDED.get(one.kind, _other)(one) for one in of.more]
    if of.url:
        points.append(line(Link(of.url, f"pull request #{of.number}" if of.number else "pull request")))
    return Said(head, tuple(points))


def code_to_type(of: Asked) -> Said:
    """Word what a person does to show which account is theirs."""
    head = line("Open ", Link(of.url, of.url), ", sign in as yourself, and type ", Literal(of.code), ".")
    minutes = int(of.life.total_seconds()) // 60
    return Said(
        head,
        (
            line(
                f"The code holds for {minutes} minutes, and is for you alone; you are told here when it is done."
            ),
            line("Countersign asks GitHub once whose account it is, and keeps nothing else."),
        ),
    )


def linked(of: Recorded | NotRecorded) -> Said:
    """Word how it ended."""
    if isinstance(of, Recorded):
        if not of.person:
            return Said(
                line("Your GitHub account has no login that could be a name here, so nothing was linked.")
            )
        return Said(line("You are linked: ", Strong(of.person), " is ", Literal(of.login), " in GitHub."))
    is_git = of.code == Code.UNKNOWN_PERSON
    said = (
        "The rules say who has these accounts, and they win; nothing was linked."
        if is_git
        else _sentence(of.code)
    )
    return Said(marked(said), (line(of.detail),) if of.detail and of.code not in _DETAIL_IS_SAID else ())


def refused(of: NotRecorded, word: Word | Pair, promotion: Promotion | None, person: str) -> Said:
    """Word why nothing was recorded, and what would have been understood."""
    if of.code == Code.ALREADY_APPROVED and (at := _approved_at(promotion, person)):
        head: Line = line("Already approved by you at ", Moment(at), ".")
    elif of.code == Code.CLOSED and promotion and is_told(promotion):
        return Said(ended(promotion), after(promotion, next(iter(of.choices), "")))
    else:
        is_back = isinstance(word, Rollback) and of.code == "unknown-version"
        head = marked(_about(_sentence(Code.NEVER_RAN if is_back else of.code), word))
    points: list[Line] = []
    if of.parts:
        points += [line(Literal(name), _stands(one), *reason(one)) for name, one in of.parts]
    elif of.waits:
        points += [line(Literal(of.detail), _stands(one), *reason(one)) for one in of.waits]
    elif of.detail and of.code not in _DETAIL_IS_SAID and of.detail not in _typed(word):
        points.append(line(phrase(of.detail)))
    if of.choices and of.code not in _NAMED:
        points.append(line(_CHOICES.get(of.code, ""), *_choices(of.choices)))
    given = spell(word) if of.code == "ledger-checking" else ""  # so that it need not be typed from memory
    return Said(head, tuple(points), given, corrected(word, of))


def _stands(one: NotYet) -> str:
    """Return how something stands in the way of a version."""
    return " cannot be asked for: " if isinstance(one, Failed) else " waits: "


def unchecked(said: Said) -> Said:
    """Add to an answer that what it says is not checked yet."""
    return replace(said, points=(line(Sign("warning"), " ", CHECKING), *said.points))


def nobody_else() -> Said:
    """Word that a second person could not see it where it was said."""
    return Said(line("Somebody else has to confirm that, and here are only you. Say it in a channel."))


def awaits(of: Awaiting) -> Said:
    """Word that nothing has happened yet."""
    return Said(
        line("Nothing is recorded yet: somebody else presses Confirm here until ", Moment(of.until), ".")
    )


def misunderstood(of: Misunderstood) -> Said:
    """Word what could not be read; the person's text comes back whole."""
    return Said(marked(of.sentence), given=of.given, commands=of.corrected)


def failed(error: str, key: str) -> Said:
    """Word that the world failed, as ``error`` says; ``key`` is also in the log."""
    return Said(line("That did not work: ", error), (_key(key),))


def broken(key: str) -> Said:
    """Word that we failed."""
    return Said(
        line("Something went wrong here, and it is logged. Look at the card to see what was recorded."),
        (_key(key),),
    )


def busy() -> Said:
    """Word that too much is being done already."""
    return Said(
        line(
            "Too much is being done at once, so this was not taken. Nothing happened; try again in a minute."
        )
    )


def stopping() -> Said:
    """Word that nothing is taken any more."""
    return Said(
        line("Countersign is stopping, so this was not taken. Nothing happened; try again in a minute.")
    )


def outdated() -> Said:
    """Word that a button means nothing any more."""
    return Said(
        marked(f"That button is from another version of Countersign. `{COMMAND} pending` has what is open.")
    )


def too_late() -> Said:
    """Word that the form came too late to be shown."""
    return Said(marked("The form could not be opened: Slack gave up waiting. Press the button again."))


def form_failed() -> Said:
    """Word that the form could not be shown at all, and another way."""
    return Said(
        marked(f"The form could not be opened. `{COMMAND} reject #NUMBER because WHY` does the same.")
    )


def _key(key: str) -> Line:
    return line("for the operator: ", Literal(key))


def _sentence(code: str) -> str:
    return REFUSALS.get(code) or PROBLEM_SENTENCES.get(code) or f"{_NOT_NOW}{phrase(code)}."


def _typed(word: Word | Pair) -> tuple[str, ...]:
    """Return the service and the version that somebody named, which the sentence says."""
    return tuple(getattr(word, name, "") for name in ("service", "version"))


def _about(sentence: str, word: Word | Pair) -> str:
    """Return a sentence that names the service and the version that were spoken of."""
    service, version = getattr(word, "service", ""), getattr(word, "version", "")
    if service and sentence.startswith(_NOT_NOW):
        sentence += f" `{COMMAND} why SERVICE` says for what it waits."
    if service:
        sentence = sentence.replace("SERVICE", service)
    return sentence.replace("VERSION", version) if version else sentence.replace("`VERSION`", "That version")


def _approved_at(promotion: Promotion | None, person: str) -> datetime | None:
    if promotion is None:
        return None
    return next((one.at for one in promotion.approvals if one.by.person == person), None)


def _choices(choices: tuple[str, ...]) -> Line:
    more = len(choices) - MAX_CHOICES
    named = joined(line(Literal(one)) for one in choices[:MAX_CHOICES])
    return (*named, f" and {more} more") if more > 0 else named


def _move(of: Recorded) -> Line:
    """Return service, version and environment, as far as they are known."""
    spans: list[Span] = [Strong(of.service)] if of.service else []
    if of.version:
        spans += [" ", Literal(of.version)]
    if of.environment:
        spans += [" in ", Strong(of.environment)] if spans else [Strong(of.environment)]
    return tuple(spans) or ("it",)


def _count(of: Recorded) -> str:
    return f"{of.given} of {of.wanted} approvals" if of.wanted else "no approval is needed"


def _propose(of: Recorded) -> Line:
    return line("You asked for ", *_move(of), f": {_count(of)}.")


def _approve(of: Recorded) -> Line:
    merged = " It is merged." if of.commit else ""
    return line("Your approval of ", *_move(of), f" is recorded: {_count(of)}.{merged}")


def _unapprove(of: Recorded) -> Line:
    return line("Your approval of ", *_move(of), f" is taken back: {_count(of)}.")


def _reject(of: Recorded) -> Line:
    return line("You rejected ", *_move(of), ".")


def _cancel(of: Recorded) -> Line:
    return line("You cancelled ", *_move(of), ".")


def _rollback(of: Recorded) -> Line:
    left = line(", away from ", Literal(of.previous)) if of.previous else ()
    verb = "went back to " if of.commit else "goes back to "
    where = line(" in ", Strong(of.environment)) if of.environment else ()
    return line(Strong(of.service), f" {verb}", Literal(of.version), *where, *left, ".")


def _emergency(of: Recorded) -> Line:
    rest = " is in place." if of.commit else f": {_count(of)}."
    return line("Emergency: ", *_move(of), rest)


def _review(of: Recorded) -> Line:
    about = line(" of ", *_move(of)) if of.service or of.environment else ()
    return line(f"You reviewed #{of.closes}", *about, ": it is closed.")


def _left(of: Recorded) -> Line:
    """Return what becomes of the version that a rollback leaves."""
    if of.group:
        each = f"{COMMAND} unblock SERVICE VERSION because WHY"
        return line(Literal(of.previous), " stay blocked there until somebody unblocks each: ", Literal(each))
    unblock = f"{COMMAND} unblock {of.service} {of.previous} because WHY"
    return line(Literal(of.previous), " stays blocked there until somebody unblocks it: ", Literal(unblock))


def _bump(of: Recorded) -> Line:
    return line("You moved ", *_move(of), ".")


def _standing(verb: str, end: str) -> Callable[[Recorded], Line]:
    return lambda of: line(verb, *_move(of), end)


def _other(of: Recorded) -> Line:
    return line(f"Recorded: {of.kind} of ", *_move(of), ".")


_RECORDED: dict[Kind, Callable[[Recorded], Line]] = {
    Kind.PROPOSE: _propose,
    Kind.APPROVE: _approve,
    Kind.UNAPPROVE: _unapprove,
    Kind.REJECT: _reject,
    Kind.CANCEL: _cancel,
    Kind.ROLLBACK: _rollback,
    Kind.EMERGENCY: _emergency,
    Kind.REVIEW: _review,
    Kind.BUMP: _bump,
    Kind.HOLD: _standing("You hold ", ": it stays what it is."),
    Kind.RESUME: _standing("You let ", " move again."),
    Kind.BLOCK: _standing("You blocked ", ": it never moves."),
    Kind.UNBLOCK: _standing("You unblocked ", "."),
    Kind.FREEZE: _standing("You froze ", ": it stands still; a rollback still passes."),
    Kind.UNFREEZE: _standing("You let ", " move again."),
}
