"""Cards and notices drawn for Slack. Pure: the same card and number of the redraw, the same message."""

from collections.abc import Sequence

from bot.cards import DECIDABLE, Card, CardStage, Notice, Shown
from handlers.slack import card_messages as words
from handlers.slack.blocks import (
    MAX_BUTTON_VALUE,
    Message,
    actions,
    bullets,
    button,
    confirm,
    quote,
    rich_text,
    section,
)
from handlers.slack.notice_messages import notice as notice_sentence
from handlers.slack.notice_messages import notice_detail
from handlers.slack.reasons import reason
from handlers.slack.spans import Json, Line, Sign, escaped, is_address, line, plain
from policies.codes import Code
from policies.verdict import Failed, NotYet

APPROVE = "approve"
REJECT = "reject"
PROMOTE = "promote"
ROLLBACK = "rollback"
LINK = "link_pull_request"  # ids that begin with link_ are acknowledged and nothing else
SHORT_CHANGE = 12  # of the change, in a button's value: which content the person saw
_DETAILED = DECIDABLE | {CardStage.CANDIDATE, CardStage.MERGING}


def render(shown: Shown, seq: int) -> Message:
    """Draw a card or a notice; each redraw has block ids of its own, as Slack asks for updates."""
    return _notice(shown, seq) if isinstance(shown, Notice) else _card(shown, seq)


def value_of(card: Card) -> str:
    """Return what decision buttons carry: ids, never authority."""
    return f"{card.promotion}|{card.change[:SHORT_CHANGE]}"


def candidate_value(card: Card) -> str:
    """Return what a candidate's button carries."""
    return f"{card.service}|{card.environment}|{card.asks or card.version}"


def _card(card: Card, seq: int) -> Message:
    head = words.headline(card)
    if card.stage in {CardStage.GONE, CardStage.RETIRED} or (
        card.stage is CardStage.MOVED and not card.is_rollback
    ):
        return _message(seq, head, *_review(card), buttons=_way_back(card))
    if card.stage in _DETAILED:
        return _message(seq, head, *_details(card), buttons=_buttons(card))
    return _message(seq, head, section(words.closing(card)), *_review(card), buttons=_way_back(card))


def _review(card: Card) -> list[Json]:
    return [bullets([words.review(card)])] if card.review else []


def _details(card: Card) -> list[Json]:
    """Return what stands below the sentence: facts, lines of the rule, what waits, the requester's words."""
    parts: list[Json] = []
    if facts := words.facts(card):
        parts.append(section(*facts))
    if rows := [*(words.rule_line(one) for one in card.lines), *_waits(card)]:
        parts.append(bullets(rows))
    if card.note:
        parts.append(quote(card.note))
    return parts


def _waits(card: Card) -> list[Line]:
    """Return what waits besides what is said already: approvals by the lines of the rule, a void by its warning."""
    said = {Code.APPROVALS_MISSING if card.lines else "", card.voided}
    told = [line(_sign(one), " ", *reason(one)) for one in card.waits if one.code not in said]
    return list(dict.fromkeys(told))


def _sign(verdict: NotYet) -> Sign:
    """Return what time opens with an hourglass, and what it does not as no entry."""
    return Sign("no_entry" if isinstance(verdict, Failed) else "hourglass_flowing_sand")


def _buttons(card: Card) -> list[Json]:
    found: list[Json] = []
    if card.is_observed:
        return found
    if card.stage is CardStage.CANDIDATE and len(candidate_value(card)) <= MAX_BUTTON_VALUE:
        found.append(button(PROMOTE, "Promote", value=candidate_value(card), style="primary"))
    if card.stage in DECIDABLE and card.promotion and len(value_of(card)) <= MAX_BUTTON_VALUE:
        if _takes_approvals(card):
            found.append(_approve(card))
        found.append(button(REJECT, "Reject...", value=value_of(card), style="danger"))
    if card.number and is_address(card.url):
        is_asked = card.stage is CardStage.OPEN and not card.counts_presses
        label = f"Review #{card.number} in GitHub" if is_asked else f"Pull request #{card.number}"
        if card.stage is CardStage.CLEARED:
            label = f"Merge #{card.number} in GitHub"
        found.append(button(LINK, label, url=card.url))
    return found


def _way_back(card: Card) -> list[Json]:
    """Offer the way back from what is reported unhealthy; it asks for a reason."""
    is_over = card.stage in {CardStage.LANDED, CardStage.MOVED} and card.health == "unhealthy"
    if card.is_observed or not is_over or len(candidate_value(card)) > MAX_BUTTON_VALUE:
        return []
    return [button(ROLLBACK, "Roll back...", value=candidate_value(card), style="danger")]


def _takes_approvals(card: Card) -> bool:
    """Whether one more approval changes anything: a line lacks somebody, or does by now, or the last is too old."""
    is_wanted = any(one.code in {Code.WAITING_FOR_A_GO, Code.AUTHOR} for one in card.waits)
    return card.counts_presses and (card.stage is CardStage.OPEN or is_wanted)


def _approve(card: Card) -> Json:
    missing = sum(one.missing for one in card.lines)
    is_last = missing == 1
    what = f"{card.service} {card.previous} \N{RIGHTWARDS ARROW} {card.version} in {card.environment}."
    then = "people may merge it" if card.by_people else "it is merged"
    more = f" Yours is the last approval: {then} when nothing else waits." if is_last else ""
    dialog = confirm(f"Approve for {card.environment}?", what + more, "Approve")
    again = "Approve again" if card.by_people else "Merge now"
    is_another = any(one.code == Code.AUTHOR for one in card.waits)
    label = "Approve" if missing or is_another or card.stage is CardStage.OPEN else again
    return button(APPROVE, label, value=value_of(card), style="primary", confirm=dialog)


def _notice(notice: Notice, seq: int) -> Message:
    detail = notice_detail(notice)
    return _message(seq, notice_sentence(notice), *([bullets(detail)] if detail else []))


def _message(seq: int, head: Line, *more: Json, buttons: Sequence[Json] = ()) -> Message:
    blocks = [rich_text(f"head-{seq}", section(head))]
    if more:
        blocks.append(rich_text(f"more-{seq}", *more))
    if buttons:
        blocks.append(actions(f"buttons-{seq}", buttons))
    return Message(escaped(plain(head)), tuple(blocks))
