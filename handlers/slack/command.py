"""The text of ``/promote ...`` read: a word that decides, a question, or what was not understood."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from handlers.slack import orders
from handlers.slack.blocks import COMMAND
from handlers.slack.clauses import Clauses, UnclearError, meant, quoted, take_apart
from handlers.slack.names import MAX_GUESSES, Names, guesses, look_up
from handlers.slack.questions import (
    AllApprovals,
    Changes,
    Check,
    Everything,
    Help,
    History,
    LinkMe,
    Misunderstood,
    Pending,
    Question,
    Stats,
    Status,
    Who,
    WhoAmI,
    Why,
)
from handlers.slack.typed import typed
from handlers.slack.usage import OF_THE_SHELL, USAGE, of_the_shell
from policies.words import Pair, Propose, Word

Heard = Word | Pair | Question | Misunderstood
_Reader = Callable[[Clauses, datetime], Word | Pair | Question]


def parse(text: str, names: Names, at: datetime, command: str = COMMAND) -> Heard:
    """Read what stands behind the command; ``at`` (UTC) is now, for ``until``. Never raises.

    ``command``: what it is called in this workspace; who pastes it whole means what stands behind it.
    """
    said = typed(text)
    if said.words[:1] in {(COMMAND,), (command,)}:
        said = replace(said, words=said.words[1:])
    if said.fault:
        return Misunderstood(said.fault, given=text, corrected=(_help_with(said.words),))
    try:
        return _read(said.words, said.reason, names, at)
    except UnclearError as unclear:
        corrected = unclear.corrected[:MAX_GUESSES] or (_help_with(said.words),)
        return Misunderstood(_with_usage(unclear.sentence, said.words), given=text, corrected=corrected)


def _with_usage(sentence: str, words: Sequence[str]) -> str:
    """Return a sentence with the form of what somebody began to say, where it does not name a form already."""
    first = words[0].lower()
    form = f"`{COMMAND} {USAGE.get(first, USAGE[''])}`"
    return sentence if f"`{COMMAND} " in sentence else f"{sentence} Say {form}."


def _help_with(words: Sequence[str]) -> str:
    """Return the command that says how the word is said that somebody began with."""
    first = words[0].lower() if words else ""
    return f"help {first}" if first in USAGE else "help"


def _read(words: tuple[str, ...], reason: str, names: Names, at: datetime) -> Word | Pair | Question:
    if not words:
        return Help()
    first = words[0].lower()
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
    if (elsewhere := of_the_shell(word)) is not None:
        instead = OF_THE_SHELL[word.lower()]
        raise UnclearError(elsewhere, [clauses.instead(word, instead)] if instead else [])
    services = clauses.names.services
    begun = [name for name in services if name.startswith(word.lower())]
    near = begun[:MAX_GUESSES] or guesses(word, (*services, *_READERS))
    corrected = [clauses.instead(word, name) for name in near]
    if begun:
        raise UnclearError(f"More than one service begins with {quoted(word)}{meant(near)}", corrected)
    if any(name in services for name in near):
        raise UnclearError(f"No service is called {quoted(word)}{meant(near)}", corrected)
    end = f"; `{COMMAND} help` lists the words, `{COMMAND} status` says what runs where."
    if near:
        end = f"{meant(near)} Say `{COMMAND} {USAGE[near[0]]}`."
    raise UnclearError(
        f"{quoted(word)} is neither a service nor a word that I know{end}", corrected or ["help"]
    )


def _propose(said: Clauses) -> Propose:
    service = said.service(USAGE[""])
    return Propose(service, said.version(), said.environment("to"), said.reason)


def _all(said: Clauses, _at: datetime) -> Everything:
    said.no_more(0)
    return Everything(said.environment("to", "in"), said.reason)


def _approve(said: Clauses, at: datetime) -> Word | Question:
    if [word.lower() for word in said.free] == ["all"]:
        return AllApprovals(said.environment("in", "to"), said.reason)
    if said.parts:
        usage = f"`{COMMAND} {USAGE['approve']}`, or `{COMMAND} {USAGE['approve all']}`"
        raise UnclearError(f"An environment is named where all are approved. Say {usage}.", ["approve all"])
    return orders.approve(said, at)


def _status(said: Clauses, _at: datetime) -> Status:
    return Status(*_service_or_environment(said))


def _stats(said: Clauses, _at: datetime) -> Stats:
    return Stats(*_service_or_environment(said))


def _service_or_environment(said: Clauses) -> tuple[str, str]:
    """Return the service and the environment that are named, '' for what is not. Raises: UnclearError."""
    services: list[str] = []
    environments: list[str] = []
    for word in said.free:
        if found := look_up(word, said.names.environments):
            environments.append(found)
        elif found := look_up(word, said.names.services):
            services.append(found)
        else:
            near = guesses(word, (*said.names.services, *said.names.environments))
            corrected = [said.instead(word, name) for name in near]
            end = meant(near, (*said.names.environments, *said.names.services))
            raise UnclearError(f"{quoted(word)} is neither a service nor an environment{end}", corrected)
    environments += [found] if (found := said.environment("in", "to")) else []
    for what, named in (("service", services), ("environment", environments)):
        if len(set(named)) > 1:
            raise UnclearError(f"One {what} at a time; you named {', '.join(named)}.")
    return "".join(services[:1]), "".join(environments[:1])


def _why(said: Clauses, _at: datetime) -> Why:
    service = said.service(USAGE["why"])
    return Why(service, said.version_of(service), said.environment("to", "in"))


def _changes(said: Clauses, _at: datetime) -> Changes:
    service = said.service(USAGE["changes"])
    return Changes(service, said.version_of(service), said.environment("in", "to"))


def _check(said: Clauses, _at: datetime) -> Check:
    said.no_more(1)
    return Check(said.service(USAGE["check"]) if said.free else "")


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


def _link(_said: Clauses, _at: datetime) -> LinkMe:
    return LinkMe()


def _help(said: Clauses, _at: datetime) -> Help:
    return Help(said.free[0].lower() if said.free else "")


# command word -> the words that open a clause in it, and its reader
_READERS: dict[str, tuple[tuple[str, ...], _Reader]] = {
    "all": (("to", "in"), _all),
    "approve": (("in", "to"), _approve),
    "unapprove": ((), orders.unapprove),
    "reject": ((), orders.reject),
    "cancel": ((), orders.cancel),
    "rollback": (("to", "in"), orders.rollback),
    "hold": (("in", "to", "until"), orders.hold),
    "resume": (("in", "to"), orders.resume),
    "block": ((), orders.block),
    "unblock": ((), orders.unblock),
    "freeze": (("until",), orders.freeze),
    "unfreeze": ((), orders.unfreeze),
    "emergency": (("to",), orders.emergency),
    "review": ((), orders.review),
    "redact": ((), orders.redact),
    "fork": ((), orders.fork),
    "status": (("in", "to"), _status),
    "why": (("to", "in"), _why),
    "changes": (("in", "to"), _changes),
    "check": ((), _check),
    "pending": ((), _pending),
    "history": ((), _history),
    "who": ((), _who),
    "stats": (("in", "to"), _stats),
    "whoami": ((), _whoami),
    "link": ((), _link),
    "help": ((), _help),
}
