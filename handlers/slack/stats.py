"""What ``stats`` answers: figures of deployment from the ledger, by environment, or by service in one of them."""

from collections.abc import Iterable
from datetime import timedelta

from bot.wording import span
from handlers.engine import Look
from handlers.slack.blocks import Said
from handlers.slack.questions import Stats
from handlers.slack.spans import Line, Moment, Strong, counted, line, listed, marked
from policies.entries.remembered import Place
from policies.ledger.figures import WINDOW, Figures, Spread, figures, window

MAX_LINES = 30  # services in an answer, those that moved most
_TERMS = (
    "Lead time: from when a version was seen first to when it landed. Approved after: from the request to the approval"
    " that came last. Failed: left by a rollback, whenever that was."
)
_GROUPED = " Each service of a group counts by itself."


def said(look: Look, asked: Stats) -> Said:
    """Answer from what the ledger says up to the last look."""
    since, until = window(look.state, look.decision.at)
    names = look.rules.groups.get(asked.service, (asked.service,))
    places = [
        place
        for place in look.state.moves
        if (not asked.service or place[1] in names) and asked.environment in {"", place[0]}
    ]
    whole = figures(look.state, places, since, until)
    span_said = (
        f"in the last {WINDOW.days} days, since " if until - since == WINDOW else "since this ledger began, "
    )
    head = line(
        f"{counted(whole.deployments, 'deployment')}{_about(asked)} {span_said}",
        Moment(since),
        ":" if _is_any(whole) else ".",
    )
    by = 1 if asked.environment and not asked.service else 0
    told = [
        (name, figures(look.state, [one for one in places if one[by] == name], since, until))
        for name in _names(look, places, by)
    ]
    shown = [(name, found) for name, found in told if _is_any(found)]
    if by:
        shown.sort(key=lambda one: -one[1].deployments)
    points = listed(
        shown, MAX_LINES, lambda one: line(Strong(one[0]), ": ", *_figures(one[1], until - since))
    )
    grouped = {name for members in look.rules.groups.values() for name in members}
    terms = _TERMS + _GROUPED if any(service in grouped for _, service in places) else _TERMS
    return Said(head, (*points, marked(terms)) if points else ())


def _about(asked: Stats) -> str:
    return (f" of {asked.service}" if asked.service else "") + (
        f" in {asked.environment}" if asked.environment else ""
    )


def _names(look: Look, places: Iterable[Place], by: int) -> list[str]:
    """Return environments in the order of the rules, those that they have no more behind them; services by name."""
    found = sorted({place[by] for place in places})
    return found if by else sorted(found, key=lambda name: (*look.rules.environments, name).index(name))


def _is_any(of: Figures) -> bool:
    return bool(of.deployments or of.rollbacks or of.by_hand or of.ended)


def _figures(of: Figures, length: timedelta) -> Line:
    parts = [_often(of, length)]
    parts += [f"lead time {_spread(of.lead)}"] if of.lead else []
    parts += [f"approved after {_spread(of.waited)}"] if of.waited else []
    if of.deployments:
        share = f" ({round(100 * of.failed / of.deployments)} %)" if of.failed else ""
        parts.append(f"{of.failed or 'none'} failed{share}")
    parts += [f"restored after {_spread(of.restored)}"] if of.restored else []
    parts += [counted(of.rollbacks, "rollback")] if of.rollbacks else []
    parts += [f"{of.emergencies} by emergency"] if of.emergencies else []
    parts += [f"{counted(of.by_hand, 'move')} by hand"] if of.by_hand else []
    if of.ended:
        how = ", ".join(f"{count} {stage}" for stage, count in sorted(of.ended.items()))
        parts.append(f"requests that moved nothing: {how}")
    return line("; ".join(parts))


def _often(of: Figures, length: timedelta) -> str:
    """Return how many deployments, and how many that is in a week, where a week has passed."""
    count = counted(of.deployments, "deployment")
    weeks = length / timedelta(weeks=1)
    return f"{count} ({of.deployments / weeks:.1f} a week)" if of.deployments and weeks >= 1 else count


def _spread(of: Spread) -> str:
    if of.count == 1:
        return span(of.median)
    return f"{span(of.median)} (median of {of.count}, 9 of 10 within {span(of.most)})"
