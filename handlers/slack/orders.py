"""The words that decide something, read: ``approve``, ``rollback``, ``freeze`` and the others."""

import re
from datetime import datetime

from handlers.slack.blocks import COMMAND
from handlers.slack.clauses import Clauses, UnclearError, inert, quoted
from handlers.slack.usage import USAGE
from handlers.slack.when import until
from policies.errors import PolicyError
from policies.words import (
    Approve,
    Block,
    Cancel,
    Emergency,
    Fork,
    Freeze,
    Hold,
    Redact,
    Reject,
    Resume,
    Review,
    Rollback,
    Unapprove,
    Unblock,
    Unfreeze,
)

_NUMBER = re.compile(r"#?[1-9][0-9]{0,8}", re.ASCII)
_OID = re.compile(r"[0-9a-f]{7,40}", re.ASCII)
_SHORT = 7  # so many digits may be a commit
_PROMOTION = re.compile(r"[0-9a-f]{12}", re.ASCII)


def _promotion(said: Clauses, usage: str) -> str:
    """Return which promotion is meant: its id, or #number of its pull request. Raises: UnclearError."""
    if not said.free:
        raise UnclearError(
            f"Which one? Say `{COMMAND} {usage}`; `{COMMAND} pending` lists them.", ["pending"]
        )
    said.no_more(1)
    word = said.free[0].lower()
    if _PROMOTION.fullmatch(word):
        return word
    if _NUMBER.fullmatch(word):
        return f"#{word.removeprefix('#')}"
    raise UnclearError(
        f"{quoted(said.free[0])} is neither the number of a pull request, as #418, nor the id of a promotion;"
        f" `{COMMAND} pending` lists both.",
        ["pending"],
    )


def approve(said: Clauses, _at: datetime) -> Approve:
    """Read ``approve ...``. Raises: UnclearError."""
    return Approve(_promotion(said, USAGE["approve"]), note=said.reason)


def unapprove(said: Clauses, _at: datetime) -> Unapprove:
    """Read ``unapprove ...``. Raises: UnclearError."""
    return Unapprove(_promotion(said, USAGE["unapprove"]), said.reason)


def reject(said: Clauses, _at: datetime) -> Reject:
    """Read ``reject ...``. Raises: UnclearError."""
    return Reject(_promotion(said, USAGE["reject"]), said.because(USAGE["reject"]))


def cancel(said: Clauses, _at: datetime) -> Cancel:
    """Read ``cancel ...``. Raises: UnclearError."""
    return Cancel(_promotion(said, USAGE["cancel"]), said.reason)


def rollback(said: Clauses, _at: datetime) -> Rollback:
    """Read ``rollback ...``. Raises: UnclearError."""
    service = said.service(USAGE["rollback"])
    said.no_more(1)
    version = ""
    for word in said.parts.get("to", ()):
        if word.lower() in said.names.environments:
            corrected = said.instead("to", "in")
            raise UnclearError(f"{quoted(word)} is an environment; say `in {word.lower()}`.", [corrected])
        version = said.tag(word)
    if "to" in said.parts and not version:
        raise UnclearError("Which version? There is none behind `to`.")
    return Rollback(service, said.because(USAGE["rollback"]), version, said.environments("in"))


def hold(said: Clauses, at: datetime) -> Hold:
    """Read ``hold ...``. Raises: UnclearError."""
    service = said.service(USAGE["hold"])
    said.no_more(1)
    return Hold(service, said.because(USAGE["hold"]), said.environment("in", "to"), _until(said, at))


def resume(said: Clauses, _at: datetime) -> Resume:
    """Read ``resume ...``. Raises: UnclearError."""
    service = said.service(USAGE["resume"])
    said.no_more(1)
    return Resume(service, said.because(USAGE["resume"]), said.environment("in", "to"))


def block(said: Clauses, _at: datetime) -> Block:
    """Read ``block ...``. Raises: UnclearError."""
    service = said.service(USAGE["block"])
    return Block(service, said.version_of(service, needed=USAGE["block"]), said.because(USAGE["block"]))


def unblock(said: Clauses, _at: datetime) -> Unblock:
    """Read ``unblock ...``. Raises: UnclearError."""
    service = said.service(USAGE["unblock"])
    return Unblock(service, said.version_of(service, needed=USAGE["unblock"]), said.because(USAGE["unblock"]))


def freeze(said: Clauses, at: datetime) -> Freeze:
    """Read ``freeze ...``. Raises: UnclearError."""
    words = [word for word in said.free if word.lower() != "and"]
    if not words:
        raise UnclearError(f"Which environment? Say `{COMMAND} {USAGE['freeze']}`.")
    if [word.lower() for word in words] == ["all"]:
        named = said.names.environments
    else:
        named = tuple(dict.fromkeys(said.name_environment(word) for word in words))
    return Freeze(named, said.because(USAGE["freeze"]), _until(said, at))


def unfreeze(said: Clauses, _at: datetime) -> Unfreeze:
    """Read ``unfreeze ...``. Raises: UnclearError."""
    if not said.free:
        raise UnclearError(f"Which environment? Say `{COMMAND} {USAGE['unfreeze']}`.")
    said.no_more(1)
    return Unfreeze(said.name_environment(said.free[0]), said.because(USAGE["unfreeze"]))


def emergency(said: Clauses, _at: datetime) -> Emergency:
    """Read ``emergency ...``. Raises: UnclearError."""
    usage = USAGE["emergency"]
    service = said.service(usage)
    version = said.version(needed="" if service in said.names.groups else usage)
    environment = said.environment("to")
    if not environment:
        raise UnclearError(f"To which environment? Say `{COMMAND} {usage}`.")
    return Emergency(service, version, environment, said.because(usage))


def review(said: Clauses, _at: datetime) -> Review:
    """Read ``review ...``. Raises: UnclearError."""
    if not said.free:
        raise UnclearError(f"Which one? Say `{COMMAND} {USAGE['review']}`; the notice names it.")
    said.no_more(1)
    word = said.free[0].lower()
    if not _NUMBER.fullmatch(word) and not _OID.fullmatch(word):
        raise UnclearError(f"{quoted(said.free[0])} is neither a number, as #12, nor a commit or promotion.")
    what = f"#{word.removeprefix('#')}" if _NUMBER.fullmatch(word) and len(word) < _SHORT else word
    return Review(what, said.because(USAGE["review"]))


def redact(said: Clauses, _at: datetime) -> Redact:
    """Read ``redact ...``. Raises: UnclearError."""
    usage = USAGE["redact"]
    if not said.free:
        raise UnclearError(
            f"Which entry? Say `{COMMAND} {usage}`; `countersign ledger show` has the numbers."
        )
    said.no_more(1)
    if not _NUMBER.fullmatch(said.free[0]):
        raise UnclearError(f"{quoted(said.free[0])} is no number of an entry, as #12.")
    return Redact(int(said.free[0].removeprefix("#")), said.because(usage))


def fork(said: Clauses, _at: datetime) -> Fork:
    """Read ``fork ...``. Raises: UnclearError."""
    said.no_more(0)
    return Fork(said.because(USAGE["fork"]))


def _until(said: Clauses, at: datetime) -> datetime | None:
    if "until" not in said.parts:
        return None
    try:
        return until(said.parts["until"], at)
    except PolicyError as error:
        raise UnclearError(f"{inert(str(error))}.") from None
