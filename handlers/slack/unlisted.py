"""What is said of a version that the registry does not list: those that it has, and how it is asked again."""

from collections.abc import Iterable

from handlers.engine import Look
from handlers.slack.blocks import COMMAND, Said
from handlers.slack.names import MAX_GUESSES, guesses
from handlers.slack.questions import Changes, Why
from handlers.slack.spans import Code, joined, line
from policies.decide import Candidate
from policies.images.evidence import Silent


def is_unlisted(candidates: Iterable[Candidate]) -> bool:
    """Whether the registry lists a version for none of the places that were asked about."""
    found = list(candidates)
    return bool(found) and all(Silent.NO_SUCH_TAG in one.codes for one in found)


def hinted(look: Look, asked: Why | Changes, said: Said) -> Said:
    """Add to an answer about a version that is not listed what could have been meant, and what can be done."""
    listed = _listed(look, asked.service)
    near = guesses(asked.version, listed)
    shown = near or listed[:MAX_GUESSES]
    if not shown:
        expected = line("The registry lists no version that the rules take.")
    else:
        begin = "Did you mean " if near else "Expected one that is listed, the newest: "
        named = joined((line(Code(one)) for one in shown), " or " if near else ", ")
        expected = line(begin, *named, "?" if near else ".")
    now = line(Code(f"{COMMAND} check {asked.service}"), " asks the registry now.")
    return Said(said.head, (*said.points, expected, now), commands=tuple(_again(asked, one) for one in shown))


def _listed(look: Look, service: str) -> tuple[str, ...]:
    """Return the versions of a service that may come somewhere or are chosen from, the newest first."""
    rows = [row for row in look.decision.rows if row.service == service]
    found = [one.version for row in rows for one in row.candidates]
    found += [tag for row in rows if row.selection for tag in row.selection.ranked]
    return tuple(dict.fromkeys(found))


def _again(asked: Why | Changes, version: str) -> str:
    """Return the command that asks the same of another version."""
    where = f"in {asked.environment}" if asked.environment else ""
    words = (type(asked).__name__.lower(), asked.service, version, where)
    return " ".join(word for word in words if word)
