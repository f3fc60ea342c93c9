"""The text of ``/promote ...`` read: a word that decides, a question, or what was not understood."""

import re
from collections.abc import Callable
from datetime import datetime

from handlers.clauses import Clauses, UnclearError, take_apart
from handlers.names import MAX_GUESSES, Names, guesses, look_up
from handlers.questions import (
    Help,
    History,
    Misunderstood,
    NotThereYet,
    Pending,
    Question,
    Status,
    Who,
    WhoAmI,
    Why,
)
from handlers.typed import typed
from handlers.when import until
from policies.errors import PolicyError
from policies.words import (
    Approve,
    Block,
    Cancel,
    Freeze,
    Hold,
    Propose,
    Reject,
    Resume,
    Rollback,
    Unapprove,
    Unblock,
    Unfreeze,
    Word,
)

LATER = ("all", "emergency", "review", "changes", "check", "link", "stats")  # DESIGN section 9, other issues
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
    "status": "status [SERVICE|ENV]",
    "why": "why SERVICE [VERSION] [to ENV]",
    "pending": "pending",
    "history": "history SERVICE",
    "who": "who SERVICE",
    "whoami": "whoami",
    "help": "help [WORD]",
}
_NUMBER = re.compile(r"#?[1-9][0-9]{0,8}", re.ASCII)
_PROMOTION = re.compile(r"[0-9a-f]{12}", re.ASCII)

Heard = Word | Question | Misunderstood
_Reader = Callable[[Clauses, datetime], Word | Question]


def parse(text: str, names: Names, at: datetime) -> Heard:
    """Read what stands behind the command; ``at`` (UTC) is now, for ``until``. Never raises."""
    said = typed(text)
    if said.fault:
        return Misunderstood(said.fault, given=text)
    try:
        return _read(said.words, said.reason, names, at)
    except UnclearError as unclear:
        return Misunderstood(unclear.sentence, given=text, corrected=unclear.corrected[:MAX_GUESSES])


def _read(words: tuple[str, ...], reason: str, names: Names, at: datetime) -> Word | Question:
    if not words:
        return Help()
    first = words[0].lower()
    if first in LATER:
        return NotThereYet(first)
    if first in _READERS:
        openers, reader = _READERS[first]
        return reader(take_apart(words, reason, names, skip=1, openers=openers), at)
    clauses = take_apart(words, reason, names, skip=0, openers=("to",))
    if clauses.free and not look_up(clauses.free[0], names.services):
        _unclear_first(clauses)
    return _propose(clauses)


def _unclear_first(clauses: Clauses) -> None:
    """Say that a first word is neither a service nor a command word. Raises: UnclearError."""
    word = clauses.free[0]
    near = guesses(word, (*clauses.names.services, *_READERS))
    if not any(name in clauses.names.services for name in near):
        corrected = [clauses.instead(word, name) for name in near] or ["help"]
        raise UnclearError(f"{word} is neither a service nor a word that I know.", corrected)
    begun = [name for name in clauses.names.services if name.startswith(word.lower())]
    sentence = f"More than one service begins with {word}." if begun else f"No service is called {word}."
    raise UnclearError(sentence, [clauses.instead(word, name) for name in near])


def _propose(said: Clauses) -> Propose:
    service = said.service(USAGE[""])
    return Propose(service, said.version(), said.environment("to"), said.reason)


def _promotion(said: Clauses, usage: str) -> str:
    """Return which promotion is meant: its id, or #number of its pull request. Raises: UnclearError."""
    if not said.free:
        raise UnclearError(f"Which one? Say `{usage}`; `pending` lists them.", ["pending"])
    said.no_more(1)
    word = said.free[0].lower()
    if _PROMOTION.fullmatch(word):
        return word
    if _NUMBER.fullmatch(word):
        return f"#{word.removeprefix('#')}"
    raise UnclearError(
        f"{said.free[0]} is neither the number of a pull request, as #418, nor the id of a promotion.",
        ["pending"],
    )


def _approve(said: Clauses, _at: datetime) -> Approve:
    return Approve(_promotion(said, USAGE["approve"]), note=said.reason)


def _unapprove(said: Clauses, _at: datetime) -> Unapprove:
    return Unapprove(_promotion(said, USAGE["unapprove"]), said.reason)


def _reject(said: Clauses, _at: datetime) -> Reject:
    return Reject(_promotion(said, USAGE["reject"]), said.because(USAGE["reject"]))


def _cancel(said: Clauses, _at: datetime) -> Cancel:
    return Cancel(_promotion(said, USAGE["cancel"]), said.reason)


def _rollback(said: Clauses, _at: datetime) -> Rollback:
    service = said.service(USAGE["rollback"])
    said.no_more(1)
    version = ""
    for word in said.parts.get("to", ()):
        if word.lower() in said.names.environments:
            corrected = said.instead("to", "in")
            raise UnclearError(f"{word} is an environment; say `in {word}`.", [corrected])
        version = said.tag(word)
    if "to" in said.parts and not version:
        raise UnclearError("Which version? There is none behind `to`.")
    return Rollback(service, said.because(USAGE["rollback"]), version, said.environments("in"))


def _hold(said: Clauses, at: datetime) -> Hold:
    service = said.service(USAGE["hold"])
    said.no_more(1)
    return Hold(service, said.because(USAGE["hold"]), said.environment("in", "to"), _until(said, at))


def _resume(said: Clauses, _at: datetime) -> Resume:
    service = said.service(USAGE["resume"])
    said.no_more(1)
    return Resume(service, said.because(USAGE["resume"]), said.environment("in", "to"))


def _block(said: Clauses, _at: datetime) -> Block:
    service = said.service(USAGE["block"])
    return Block(service, said.version(needed=USAGE["block"]), said.because(USAGE["block"]))


def _unblock(said: Clauses, _at: datetime) -> Unblock:
    service = said.service(USAGE["unblock"])
    return Unblock(service, said.version(needed=USAGE["unblock"]), said.because(USAGE["unblock"]))


def _freeze(said: Clauses, at: datetime) -> Freeze:
    words = [word for word in said.free if word.lower() != "and"]
    if not words:
        raise UnclearError(f"Which environment? Say `{USAGE['freeze']}`.")
    if [word.lower() for word in words] == ["all"]:
        named = said.names.environments
    else:
        named = tuple(dict.fromkeys(said.name_environment(word) for word in words))
    return Freeze(named, said.because(USAGE["freeze"]), _until(said, at))


def _unfreeze(said: Clauses, _at: datetime) -> Unfreeze:
    if not said.free:
        raise UnclearError(f"Which environment? Say `{USAGE['unfreeze']}`.")
    said.no_more(1)
    return Unfreeze(said.name_environment(said.free[0]), said.because(USAGE["unfreeze"]))


def _until(said: Clauses, at: datetime) -> datetime | None:
    if "until" not in said.parts:
        return None
    try:
        return until(said.parts["until"], at)
    except PolicyError as error:
        raise UnclearError(f"{error}.") from None


def _status(said: Clauses, _at: datetime) -> Status:
    service = environment = ""
    for word in said.free:
        if found := look_up(word, said.names.environments):
            environment = found
        elif found := look_up(word, said.names.services):
            service = found
        else:
            near = guesses(word, (*said.names.services, *said.names.environments))
            corrected = [said.instead(word, name) for name in near]
            raise UnclearError(f"{word} is neither a service nor an environment.", corrected)
    return Status(service, environment or said.environment("in", "to"))


def _why(said: Clauses, _at: datetime) -> Why:
    service = said.service(USAGE["why"])
    return Why(service, said.version(), said.environment("to", "in"))


def _pending(_said: Clauses, _at: datetime) -> Pending:
    return Pending()


def _history(said: Clauses, _at: datetime) -> History:
    service = said.service(USAGE["history"])
    said.no_more(1)
    return History(service)


def _who(said: Clauses, _at: datetime) -> Who:
    service = said.service(USAGE["who"])
    said.no_more(1)
    return Who(service)


def _whoami(_said: Clauses, _at: datetime) -> WhoAmI:
    return WhoAmI()


def _help(said: Clauses, _at: datetime) -> Help:
    return Help(said.free[0].lower() if said.free else "")


# command word -> the words that open a clause in it, and its reader
_READERS: dict[str, tuple[tuple[str, ...], _Reader]] = {
    "approve": ((), _approve),
    "unapprove": ((), _unapprove),
    "reject": ((), _reject),
    "cancel": ((), _cancel),
    "rollback": (("to", "in"), _rollback),
    "hold": (("in", "to", "until"), _hold),
    "resume": (("in", "to"), _resume),
    "block": ((), _block),
    "unblock": ((), _unblock),
    "freeze": (("until",), _freeze),
    "unfreeze": ((), _unfreeze),
    "status": (("in", "to"), _status),
    "why": (("to", "in"), _why),
    "pending": ((), _pending),
    "history": ((), _history),
    "who": ((), _who),
    "whoami": ((), _whoami),
    "help": ((), _help),
}
