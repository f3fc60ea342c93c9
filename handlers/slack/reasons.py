"""Reason codes as phrases that end the sentence "it waits: ..."."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from handlers.slack.spans import Line, Moment
from policies.codes import MEANINGS, Code
from policies.images.evidence import Silent
from policies.images.selection import Fate
from policies.verdict import NotYet, Waiting

PHRASES: dict[str, str] = {
    **{code.value: meaning for code, meaning in MEANINGS.items()},
    Code.FORGE_REVIEW: "waits for GitHub",
    Silent.UNREACHABLE: "the registry cannot be reached",
    Silent.SLOW: "the registry did not answer in time",
    Silent.DENIED: "the registry refuses the login",
    Silent.UNKNOWN: "the registry knows no such repository",
    Silent.NO_SUCH_TAG: "the registry has no such tag",
    Silent.INVALID: "the registry's answer cannot be read",
    Silent.REFUSED: "the rules do not allow this registry's address",
    Silent.THROTTLED: "the registry asked us to slow down",
    Fate.NOT_A_TAG: "its name cannot stand in a manifest",
    Fate.FILTERED: "the tag filter leaves it out",
    Fate.SAME_VALUE: "the filter reads the same value from another tag, which counts",
    Fate.NOT_A_VERSION: "it is not a semantic version",
    Fate.OUT_OF_RANGE: "it is outside of the range that the rules name",
    Fate.PRERELEASE: "it is a prerelease, and the rules do not name one",
    Fate.NOT_A_NUMBER: "it is not a number",
    Fate.UNDECIDED: "beside it stands a tag that is no number",
    Fate.BUILD_UNREAD: "when its tags were built is still being looked up",
    Fate.BUILD_UNKNOWN: "nothing says when the image was built",
    Fate.BUILD_UNTRUSTED: "what says when the image was built cannot be true",
    "selection-failed": "the rules' selection cannot decide between the tags",
    "rolled-back": "it was rolled back",
    "external": "somebody changed it in Git without Countersign",
    "mismatch": "what landed is not what was approved",
    "not-on-branch": "the merge is not on the target branch",
    "other-change": "other places were changed than those that were approved",
    "other-files": "other files were changed than those that were approved",
    "other-content": "the files have another content than the one that was approved",
}
# their detail says only what the phrase says already
_SELF_EXPLAINING = frozenset(
    {
        Code.NOT_REQUESTED,
        Code.WAITING_FOR_A_GO,
        Code.EXPIRED,
        Code.REQUESTER,
        Code.ALREADY_APPROVED,
        Code.NOT_APPROVED,
        Code.DIGEST_UNKNOWN,
        Code.DIGEST_MOVED,  # beside the digest that the card shows the first one says little
        Silent.NO_SUCH_TAG,
    }
)
# what time alone opens is said by when it does
_ENDS: dict[str, str] = {
    Code.SOAKING: "its soak ends ",
    Code.TOO_YOUNG: "it is old enough ",
    Code.LIMIT_REACHED: "the limit lets the next move through ",
    Code.FREEZE_WINDOW: "the freeze of the rules ends ",
}
# the same, for a terminal
_NEXT: dict[str, str] = {
    Code.SOAKING: "soak ends",
    Code.TOO_YOUNG: "old enough",
    Code.LIMIT_REACHED: "limit frees",
    Code.FREEZE_WINDOW: "window opens",
    Code.HELD: "hold ends",
    Code.FROZEN: "freeze ends",
    Code.FORGE_REFUSED: "tried again",
}
# their detail says more exactly what the phrase says: it stands in its place, with these words behind it
_BETTER: dict[str, str] = {
    Code.NOT_IN_PREVIOUS: ", as exactly this image",
    Code.NOT_HEALTHY: "",
    Code.UNHEALTHY: "",
    Code.NO_REFERENCE: "",
}


def phrase(code: str) -> str:
    """Return what a code means; a code that is not known here with spaces for its dashes."""
    return PHRASES.get(code, code.replace("-", " "))


def moment(at: datetime, now: datetime) -> str:
    """Return an instant (UTC) as a terminal shows it: the hour, with its day where that is another one."""
    return f"{at:%H:%M} UTC" if at.date() == now.date() else f"{at:%Y-%m-%d %H:%M} UTC"


def happens(verdict: NotYet, now: datetime) -> str:
    """Return what happens next to what waits, and when; '' where nobody knows when."""
    if not isinstance(verdict, Waiting) or verdict.until is None:
        return ""
    return f"{_NEXT.get(verdict.code, 'until')} {moment(verdict.until, now)}"


def reason(verdict: NotYet) -> Line:
    """Return one thing that stands in the way, with its detail, and until when."""
    (line,) = reasons([verdict])
    return line


def reasons(verdicts: Iterable[NotYet]) -> tuple[Line, ...]:
    """Return what stands in the way, each sentence once, with the details of all that say it."""
    told: dict[Line, list[str]] = {}
    for verdict in verdicts:
        details = told.setdefault(_sentence(verdict), [])
        detail = _detail(verdict)
        details += [detail] if detail and detail not in details else []
    return tuple((*head, *((": ", ", ".join(details)) if details else ())) for head, details in told.items())


def unplaced(codes: Sequence[str], detail: str) -> str:
    """Return why nothing can be said of a place: what its codes mean and the detail, or that alone."""
    if detail and codes and codes[0] in _BETTER:
        return f"{detail}{_BETTER[codes[0]]}"
    return ", ".join(map(phrase, codes)) + (f": {detail}" if detail else "")


def _sentence(verdict: NotYet) -> Line:
    """Return what a verdict says before its detail."""
    if verdict.detail and verdict.code in _BETTER:
        return (verdict.detail, _BETTER[verdict.code])
    if not isinstance(verdict, Waiting) or verdict.until is None:
        return (phrase(verdict.code.value),)
    if verdict.code in _ENDS:
        return (_ENDS[verdict.code], Moment(verdict.until))
    return (phrase(verdict.code.value), ", until ", Moment(verdict.until))


def _detail(verdict: NotYet) -> str:
    """Return what a verdict says more than its sentence, '' = nothing."""
    if verdict.code in _SELF_EXPLAINING or verdict.code in _BETTER:
        return ""
    detail = phrase(verdict.detail) if verdict.detail in PHRASES else verdict.detail
    return "" if detail == phrase(verdict.code.value) else detail
