"""``/promote all``: one list of what may be asked for, a button that asks for all of it, and what came of each."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from bot.answers import Answer, NotRecorded
from handlers.engine import Look
from handlers.slack import bundles, speaking
from handlers.slack.blocks import COMMAND, Said
from handlers.slack.questions import Everything
from handlers.slack.spans import Code, Json, Line, Strong, counted, line, listed
from policies.codes import Code as Reason
from policies.group_rows import combination
from policies.rows import Candidate, Row
from policies.rules.rules import moving_rule
from policies.words import Propose

ASK_ALL = "ask_all"  # action id
_ASKS = "asks"  # what the value of the button calls its requests


def said(look: Look, asked: Everything, unheard: Sequence[Line] = ()) -> Said:
    """Answer what may be asked for, and offer to ask for it.

    ``unheard``: what somebody has to do first whose word would not count; they are shown no button.
    """
    where = line(" in ", Strong(asked.environment)) if asked.environment else ()
    named = look.rules.environments.get(asked.environment)
    if named and named.is_observed:
        return Said(line(Strong(asked.environment), " is only observed: nothing is moved there."))
    if named and not named.has_promotions:
        return Said(
            line("Nobody is asked in ", Strong(asked.environment), ": new versions move by themselves."),
            (
                line(
                    "What was there before the first look moves where the rules say ",
                    Code("catch-up: true"),
                    ".",
                ),
            ),
        )
    offers = list(_offers(look, asked.environment))
    points = listed(offers, bundles.MAX_LISTED, lambda offer: _offer(*offer))
    points += _others(look, asked.environment, [row for row, _ in offers])
    if not offers:
        return Said(line("Nothing may be asked for", *where, " now."), tuple(points))
    count = counted(len(offers), "version")
    head = line(f"{count} may be asked for", *where, "; nothing is asked for yet:")
    if look.is_observing:
        unheard = (line("This bot only observes: it takes no requests."),)
    if unheard or not look.is_checked:
        return Said(head, (*points, *unheard))
    words = [_word(row, candidate, asked.note) for row, candidate in offers]
    fits = _fitting(words)
    points += bundles.rest("asks for", fits, words)
    return Said(head, tuple(points), buttons=(asks_all(fits),))


def _offers(look: Look, environment: str) -> Iterator[tuple[Row, Candidate]]:
    """Yield what a person may ask for: of each place the newest such version, where nothing is under way."""
    for row in _rows(look, environment):
        found = next((one for one in row.candidates if one.may_be_asked_for), None)
        if found is not None and not found.promotion:
            yield row, found


def _rows(look: Look, environment: str) -> Iterator[Row]:
    """Yield the places where people ask: a group as one, not its members."""
    for row in (*look.decision.rows, *look.decision.groups):
        rule = moving_rule(look.rules, row.environment, row.service)
        if rule is None or environment not in {"", row.environment}:
            continue
        if rule.environment.has_promotions:
            yield row


def _offer(row: Row, candidate: Candidate) -> Line:
    came = line(Code(row.current), " \N{RIGHTWARDS ARROW} ") if row.current and not candidate.together else ()
    return line(Strong(row.environment), f": {row.service} ", *came, Code(candidate.version))


def _others(look: Look, environment: str, offered: Sequence[Row]) -> list[Line]:
    """Say how many are under way, and how many wait for something else than people."""
    rest = [row for row in _rows(look, environment) if row not in offered and row.candidates]
    live = [row for row in rest if any(one.promotion for one in row.candidates)]
    found = []
    if live:
        are = counted(len(live), "place", "is", "are")
        found.append(line(f"{are} under way: ", Code(f"{COMMAND} pending")))
    waits = [row for row in rest if row not in live]
    if waits:
        names = {row.service for row in waits}
        why = Code(f"{COMMAND} why {min(names) if len(names) == 1 else 'SERVICE'}")
        wait = counted(len(waits), "other" if offered or live else "place", "waits", "wait")
        found.append(line(f"{wait}: ", why, " says for what"))
    return found


def _word(row: Row, candidate: Candidate, note: str) -> Propose:
    version = combination(candidate.together) if candidate.together else candidate.version
    return Propose(row.service, version, row.environment, note)


def asks_all(words: Sequence[Propose]) -> Json:
    """Return the button that asks for all of these."""
    are = counted(len(words), "request", "is", "are")
    text = f"{are} made in your name, each as if you had asked for it alone."
    return bundles.press(ASK_ALL, "Ask for", text, written(words), len(words))


def _fitting(words: Sequence[Propose]) -> Sequence[Propose]:
    """Return the first of them that one button may carry, one at least."""
    return words[: bundles.fitting(_ASKS, _items(words), words[0].note)]


def _items(words: Sequence[Propose]) -> list[str]:
    return [f"{one.service}|{one.environment}|{one.version}" for one in words]


def written(words: Sequence[Propose]) -> str:
    """Return the button's value: exactly what the list showed, and the person's reason."""
    return bundles.written(_ASKS, _items(words), words[0].note)


def words_of(value: str) -> tuple[Propose, ...]:
    """Return the requests that a button's value stands for; none where it is not one of ours."""
    asks, reason = bundles.read(_ASKS, value, speaking.candidate_of)
    return tuple(replace(one, note=reason) for one in asks)


def outcome(told: Sequence[tuple[Propose, Answer, Said]], words: Sequence[Propose]) -> Said:
    """Word what came of each request."""
    after = line(Code(f"{COMMAND} all"), " lists what may be asked for now, ")
    return bundles.outcome(
        "Asked for", told, words, _came, line(*after, Code(f"{COMMAND} pending"), " what is under way")
    )


def _came(word: Propose, answer: Answer, each: Said) -> Line:
    """Return what came of one request, with the first things that are said of it."""
    where = line(Strong(word.environment), f": {word.service}: ")
    if isinstance(answer, NotRecorded) and answer.code == Reason.OPEN_ELSEWHERE:
        return line(*where, f"not asked for: {answer.detail}")
    return bundles.came(where, each)
