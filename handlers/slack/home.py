"""The App Home, drawn: what waits for somebody, what they asked for, what runs where, what stands still. Pure."""

from collections.abc import Iterator, Sequence

from handlers.engine import Look
from handlers.slack import open_reviews, waiting
from handlers.slack.blocks import (
    COMMAND,
    MAX_BUTTON_TEXT,
    actions,
    bullets,
    button,
    confirm,
    plain_text,
    quote,
    rich_text,
    section,
)
from handlers.slack.cards import APPROVE, REJECT, SHORT_CHANGE
from handlers.slack.messages import CHECKING
from handlers.slack.reasons import phrase
from handlers.slack.reports import ready, standing_still
from handlers.slack.spans import Code, Json, Line, Moment, Strong, line, listed, plain
from handlers.slack.strangers import nobody
from policies.decide import Row, Standing
from policies.entries.entry import By
from policies.entries.tables import Tables
from policies.ledger.state import Move, Promotion
from policies.ledger.state import Standing as InForce

FORM = "open_form"  # action id: the form that asks for a version
MAX_DECISIONS = 10  # with buttons; what is more is counted
MAX_ROWS = 30  # of one environment
MAX_ENVIRONMENTS = 20
MAX_MOVES = 10
MAX_REVIEWS = 10
_ARROW = " \N{RIGHTWARDS ARROW} "


def home(look: Look, person: str, user: str) -> Json:
    """Return the view of one person; ``person`` '' = the rules do not link the Slack user ``user`` to anybody."""
    blocks = [
        *_unchecked(look),
        *_identity(look, person, user),
        *_waiting(look, person),
        *_asked(look, person),
        *_reviews(look),
        *_board(look),
        *_still(look),
        *_moves(look.state),
        rich_text("as-of", section(line("As of ", Moment(look.decision.at), ". ", look.problem))),
    ]
    return {"type": "home", "callback_id": "home", "blocks": blocks}


def _unchecked(look: Look) -> Iterator[Json]:
    """Say that nothing of this is checked yet, where that is so."""
    if not look.is_checked:
        yield rich_text("unchecked", section(line(CHECKING)))


def _header(name: str) -> Json:
    return {"type": "header", "block_id": f"header-{name}", "text": plain_text(name, MAX_BUTTON_TEXT)}


def _part(name: str, lines: Sequence[Line], otherwise: str) -> Iterator[Json]:
    yield _header(name)
    yield rich_text(f"part-{name}", bullets(lines) if lines else section(line(otherwise)))


def _identity(look: Look, person: str, user: str) -> Iterator[Json]:
    if person:
        teams = [
            name
            for name, team in look.rules.teams.items()
            if person in {*team.people, *look.members.get(name, ())}
        ]
        of = f", of {', '.join(teams)}" if teams else ""
        yield rich_text("identity", section(line("The rules take you for ", Strong(person), f"{of}.")))
    else:
        yield rich_text("identity", section(*nobody(user).lines))
    yield actions("begin", [button(FORM, "Promote an image...", value="home", style="primary")])


# --- promotions ---------------------------------------------------------------------------------------------------


def _waiting(look: Look, person: str) -> Iterator[Json]:
    """Yield what waits for this person's approval, each with its buttons."""
    yield _header("Waiting for you")
    mine = [one for one in waiting.live(look) if person and waiting.may_approve(look, one, person)]
    if not mine:
        yield rich_text("nothing", section(line("Nothing waits for your approval.")))
    for one in mine[:MAX_DECISIONS]:
        yield rich_text(
            f"waits-{one.id}", section(_wanted(look, one)), *([quote(one.note)] if one.note else [])
        )
        if look.is_checked:
            yield actions(f"decide-{one.id}", _buttons(look, one))
    if len(mine) > MAX_DECISIONS:
        yield rich_text(
            "more", section(line(f"and {len(mine) - MAX_DECISIONS} more: ", Code(f"{COMMAND} approve all")))
        )


def _wanted(look: Look, promotion: Promotion) -> Line:
    """Return what is asked for, and how it is approved where no press does it."""
    by_review = " It is approved by a review of the pull request, in GitHub."
    return line(*_request(look, promotion), "" if waiting.takes_a_press(look, promotion) else by_review)


def _request(look: Look, promotion: Promotion) -> Line:
    """Return what is asked for, by whom, and how many agree."""
    return line(*_move(promotion), *waiting.progress(look, promotion), ".")


def _move(promotion: Promotion) -> Line:
    kind = "Rollback: " if promotion.is_rollback else "Emergency: " if promotion.is_emergency else ""
    versions = waiting.versions(promotion.previous, promotion.image)
    return line(kind, Strong(promotion.service), " ", *versions, " in ", Strong(promotion.environment))


def _buttons(look: Look, promotion: Promotion) -> list[Json]:
    value = f"{promotion.id}|{promotion.change[:SHORT_CHANGE]}"
    what = f"{plain(_move(promotion))}."
    dialog = confirm(f"Approve for {promotion.environment}?", what, "Approve")
    approve = button(APPROVE, "Approve", value=value, style="primary", confirm=dialog)
    reject = button(REJECT, "Reject...", value=value, style="danger")
    return [approve, reject] if waiting.takes_a_press(look, promotion) else [reject]


def _asked(look: Look, person: str) -> Iterator[Json]:
    mine = [one for one in waiting.live(look) if isinstance(one.by, By) and one.by.person == person]
    yield from _part("Your requests", [_request(look, one) for one in mine], "You have asked for nothing.")


def _reviews(look: Look) -> Iterator[Json]:
    """Yield what waits for a review, where something does."""
    found = open_reviews.waiting(look)
    if not found:
        return
    more = [line(f"and {len(found) - MAX_REVIEWS} more: ", Code(f"{COMMAND} pending"))]
    rest = more if len(found) > MAX_REVIEWS else []
    yield from _part("Open reviews", [*found[:MAX_REVIEWS], *rest, open_reviews.hint()], "")


# --- the board ----------------------------------------------------------------------------------------------------


def _board(look: Look) -> Iterator[Json]:
    yield _header("What runs where")
    names = list(look.rules.environments)
    for name in names[:MAX_ENVIRONMENTS]:
        rows = [row for row in look.decision.rows if row.environment == name and row.current]
        yield rich_text(f"board-{name}", section(_head(name, rows)), *_listed(look, rows))
    if len(names) > MAX_ENVIRONMENTS:
        more = line(f"and {len(names) - MAX_ENVIRONMENTS} more environments: ", Code(f"{COMMAND} status"))
        yield rich_text("board-more", section(more))


def _head(name: str, rows: Sequence[Row]) -> Line:
    behind = sum(1 for row in rows if row.verdict is not Standing.CURRENT)
    services = "1 service" if len(rows) == 1 else f"{len(rows)} services"
    return line(Strong(name), f": {services}, {behind} not up to date" if rows else ": nothing runs here")


def _listed(look: Look, rows: Sequence[Row]) -> list[Json]:
    """Return what is behind first: in a large environment the rest is only counted."""
    ordered = sorted(rows, key=lambda row: row.verdict is Standing.CURRENT)
    lines = listed(ordered, MAX_ROWS, lambda row: _row(look, row))
    return [bullets(lines)] if lines else []


def _row(look: Look, row: Row) -> Line:
    """Return what runs, what could come, and the first thing that it waits for; `/promote why` has the rest."""
    spans = line(Strong(row.service), " ", Code(row.current))
    best = row.best
    if best is None or best.verdict is Standing.CURRENT:
        return spans if row.verdict is Standing.CURRENT else line(*spans, f", {phrase(row.codes[0])}")
    if not best.reasons:
        return line(*spans, ", ", Code(best.version), ready(look, row))
    more = f" and {len(best.reasons) - 1} more" if len(best.reasons) > 1 else ""
    return line(*spans, ", next ", Code(best.version), f" waits: {phrase(best.reasons[0].code)}{more}")


def _still(look: Look) -> Iterator[Json]:
    at = look.decision.at
    held = [
        line(Strong(service), *_in(environment), " is held", *_because(one))
        for (environment, service), one in look.state.holds.items()
        if one.is_on(at)
    ]
    yield from _part("Standing still", [*standing_still(look), *held], "Nothing is frozen or held.")


def _in(environment: str) -> Line:
    return line(" in ", Strong(environment)) if environment else ()


def _because(standing: InForce) -> Line:
    until = line(" until ", Moment(standing.until)) if standing.until else ()
    return (*until, f": {standing.note or standing.why}")


def _moved(environment: str, service: str, move: Move) -> Line:
    versions = waiting.versions(move.previous, move.image)
    where = line(Strong(service), " ", *versions, " in ", Strong(environment), f", {move.kind}, ")
    return line(*where, Moment(move.at))


def _moves(state: Tables) -> Iterator[Json]:
    found = [
        (move, _moved(environment, service, move))
        for (environment, service), moves in state.moves.items()
        for move in moves[-MAX_MOVES:]
    ]
    newest = sorted(found, key=lambda one: one[0].seq, reverse=True)[:MAX_MOVES]
    yield from _part("Last moves", [said for _, said in newest], "Nothing was moved since the ledger began.")
