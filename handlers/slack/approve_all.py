"""``/promote approve all``: one list of what waits for the asker, a button that approves it, and what came of each."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bot.answers import Answer
from handlers.engine import Look
from handlers.slack import bundles, speaking, waiting
from handlers.slack.blocks import COMMAND, Said
from handlers.slack.cards import SHORT_CHANGE
from handlers.slack.questions import AllApprovals
from handlers.slack.spans import Code, Json, Line, counted, line, listed
from policies.ledger.state import Promotion, Stage
from policies.words import Approve

APPROVE_ALL = "approve_all"  # action id
_APPROVES = "approves"  # what the value of the button calls its approvals


def said(look: Look, asked: AllApprovals, person: str) -> Said:
    """Answer what waits for ``person``, and offer to approve all of it as it is listed."""
    there = [one for one in waiting.live(look) if asked.environment in {"", one.environment}]
    mine = [one for one in there if waiting.may_approve(look, one, person)]
    where = f" in {asked.environment}" if asked.environment else ""
    points = listed(mine, bundles.MAX_LISTED, lambda one: waiting.under_way(look, one))
    points += _others(sum(one.stage is Stage.OPEN for one in there) - len(mine))
    if not mine:
        return Said(line(f"Nothing waits for your approval{where}."), tuple(points))
    wait = counted(len(mine), "promotion", "waits", "wait")
    head = line(f"{wait} for your approval{where}; nothing is approved yet:")
    pressed = [one for one in mine if waiting.takes_a_press(look, one)]
    points += _by_review(len(mine) - len(pressed))
    if not (look.is_checked and pressed):
        return Said(head, tuple(points))
    words = [Approve(one.id, one.change[:SHORT_CHANGE], asked.note) for one in pressed]
    fits = words[: bundles.fitting(_APPROVES, _items(words), asked.note)]
    points += bundles.rest("approves", fits, words)
    return Said(head, tuple(points), buttons=(approves_all(fits),))


def _by_review(count: int) -> list[Line]:
    """Say how many no press approves."""
    if not count:
        return []
    return [
        line(
            f"{counted(count, 'promotion', 'is', 'are')} approved by a review of the pull request, in GitHub"
        )
    ]


def _others(count: int) -> list[Line]:
    """Say how many wait for other people."""
    if not count:
        return []
    return [
        line(f"{counted(count, 'other', 'waits', 'wait')} for other people: ", Code(f"{COMMAND} pending"))
    ]


def approves_all(words: Sequence[Approve]) -> Json:
    """Return the button that approves all of these."""
    are = counted(len(words), "approval", "is", "are")
    text = f"{are} recorded in your name, each for exactly what the list shows."
    return bundles.press(APPROVE_ALL, "Approve", text, written(words), len(words))


def _items(words: Sequence[Approve]) -> list[str]:
    return [f"{one.promotion}|{one.change}" for one in words]


def written(words: Sequence[Approve]) -> str:
    """Return the button's value: exactly what the list showed, and the person's reason."""
    return bundles.written(_APPROVES, _items(words), words[0].note)


def words_of(value: str) -> tuple[Approve, ...]:
    """Return the approvals that a button's value stands for; none where it is not one of ours."""
    found, reason = bundles.read(_APPROVES, value, _exactly)
    return tuple(replace(one, note=reason) for one in found)


def _exactly(value: str) -> Approve | None:
    """Read one; what names no change is not what a list showed."""
    found = speaking.promotion_of(value)
    return Approve(*found) if found and len(found[1]) == SHORT_CHANGE else None


def outcome(
    promotions: Mapping[str, Promotion],
    told: Sequence[tuple[Approve, Answer, Said]],
    words: Sequence[Approve],
) -> Said:
    """Word what came of each approval; ``promotions`` are those that are known."""

    def came(word: Approve, _answer: Answer, each: Said) -> Line:
        return bundles.came(_where(promotions.get(word.promotion)), each)

    after = line(Code(f"{COMMAND} approve all"), " lists what waits for you now")
    return bundles.outcome("Approved", told, words, came, after)


def _where(promotion: Promotion | None) -> Line:
    return line(Code(promotion.id), f" {promotion.environment}: {promotion.service}: ") if promotion else ()
