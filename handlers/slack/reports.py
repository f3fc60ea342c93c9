"""Answers to questions, by what each needs: a recent view, one version looked at, or somebody asked outside."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from bot.errors import BotError
from handlers.engine import Engine, Look
from handlers.slack import (
    approve_all,
    changes,
    checked,
    everything,
    messages,
    open_reviews,
    stats,
    strangers,
    waiting,
)
from handlers.slack.blocks import COMMAND, Said
from handlers.slack.help import help_about
from handlers.slack.questions import (
    AllApprovals,
    Changes,
    Check,
    Everything,
    Help,
    History,
    LinkMe,
    Pending,
    Question,
    Stats,
    Status,
    Who,
    WhoAmI,
    Why,
)
from handlers.slack.reasons import phrase, reasons, unplaced
from handlers.slack.spans import Code, Line, Mention, Moment, Sign, Span, Strong, counted, joined, line
from handlers.slack.unlisted import hinted, is_unlisted
from policies.decide import Candidate, Row, Standing
from policies.ledger.people import Known, known
from policies.ledger.state import Move
from policies.rules.rules import effective

MAX_MOVES = 15  # of a history; the ledger has all of them
MAX_REASONS = 4  # of one version
_NOBODY = "nobody is asked: it moves by itself"
_OBSERVED = "only observed: nothing is moved there"


def _nobody(_said: Said) -> None:
    """Tell nobody."""


def reply(
    engine: Engine, question: Question, *, user: str, team: str = "", tell: Callable[[Said], None] = _nobody
) -> Said:
    """Answer a question of the Slack user ``user``, of the workspace ``team``. Raises: BotError.

    ``tell`` hears that it takes a while, before somebody outside is asked.
    """
    match question:
        case Help():
            return help_about(question.word)
        case Everything():
            look = engine.look()
            stranger = strangers.unheard(engine, user, team)
            return _noted(look, everything.said(look, question, stranger.lines if stranger else ()))
        case AllApprovals():
            look = engine.look()
            stranger = strangers.unheard(engine, user, team)
            return _noted(look, stranger or approve_all.said(look, question, engine.person_of(user)))
        case WhoAmI() | LinkMe():
            return _flagged(engine, strangers.unheard(engine, user, team) or _whoami(engine, user))
        case Why() | Changes() | Check():
            return _noted(engine.look(), _asked(engine, question, team, user, tell))
        case Status() | Pending() | History() | Who() | Stats():
            look = engine.look()
            return _noted(look, _seen(look, question))


def _seen(look: Look, question: Status | Pending | History | Who | Stats) -> Said:
    match question:
        case Status():
            return _status(look, question)
        case Pending():
            return _pending(look)
        case History():
            return _history(look, question)
        case Who():
            return _who(look, question)
        case Stats():
            return stats.said(look, question)


def _asked(
    engine: Engine, question: Why | Changes | Check, team: str, user: str, tell: Callable[[Said], None]
) -> Said:
    """Answer what more than a look is needed for."""
    match question:
        case Why():
            return _why(engine, question)
        case Changes():
            tell(changes.begun(question))
            return changes.said(engine, question, is_outside=engine.is_outside(team, user))
        case Check() if engine.is_outside(team, user):
            return checked.not_for_guests()
        case Check():
            tell(checked.begun(question))
            return checked.said(engine, question)


def _flagged(engine: Engine, said: Said) -> Said:
    """Say that it is not checked yet, where that is so."""
    try:
        return said if engine.look().is_checked else messages.unchecked(said)
    except BotError:
        return said


def _noted(look: Look, said: Said) -> Said:
    """Add what the view could not be read anew for, and from when it is; or that it is not checked yet."""
    if not look.is_checked:
        return messages.unchecked(said)
    if not look.problem:
        return said
    note = line(Sign("warning"), " as of ", Moment(look.decision.at), ": ", look.problem)
    return replace(said, points=(note, *said.points))


def _status(look: Look, asked: Status) -> Said:
    rows = [
        row
        for row in look.decision.rows
        if (not asked.service or row.service in _services(look, asked.service))
        and asked.environment in {"", row.environment}
    ]
    moving = [row for row in rows if row.verdict is not Standing.CURRENT]
    shown = rows if asked.service else moving
    settled = len(rows) - len(moving)
    head = line(f"{counted(len(rows), 'place')}: {settled} up to date, {len(moving)} not.")
    rows_said = (_row(look, row, _since(look, row) if asked.service else None) for row in shown)
    return Said(head, (*standing_still(look), *rows_said))


def _services(look: Look, name: str) -> tuple[str, ...]:
    """Return the services that a name stands for: of a group its members, else the one of that name."""
    return look.rules.groups.get(name, (name,))


def _since(look: Look, row: Row) -> datetime | None:
    return look.current_since(row.environment, row.service)


def standing_still(look: Look) -> tuple[Line, ...]:
    """Return a line for each environment that is frozen."""
    at = look.decision.at
    frozen = [(name, one) for name in look.rules.environments if (one := look.state.freeze_on(name, at))]
    return tuple(
        line(
            Sign("snowflake"),
            " ",
            Strong(name),
            " is frozen",
            *_until(one.until),
            f": {one.note or phrase(one.why)}",
        )
        for name, one in frozen
    )


def _until(until: datetime | None) -> Line:
    return line(" until ", Moment(until)) if until else ()


def ready(look: Look, row: Row) -> str:
    """Return what happens to a version that nothing stands in the way of, after its name."""
    if look.is_observing:
        return " could move, but this bot only observes"
    where = look.rules.environments.get(row.environment)
    if where and look.rules.environment_for(row.environment, row.service).is_observed:
        return " could move, but the environment is only observed"
    return " moves at the next pass"


def _row(look: Look, row: Row, since: datetime | None = None) -> Line:
    """Return what runs in a place, since when (UTC) where that is asked, and what could come."""
    spans: list[Span] = [Strong(row.environment), ": ", row.service, " "]
    spans.append(Code(row.current) if row.current else "(no image found)")
    spans += [" since ", Moment(since)] if since and row.current else []
    best = row.best
    if best is not None:
        return (*spans, ", next ", *_candidate(best, ready(look, row)))
    if row.verdict is Standing.CURRENT:
        return (*spans, ", nothing newer may move")
    return (*spans, f", {unplaced(row.codes, row.detail)}")


def _candidate(candidate: Candidate, ready: str) -> Line:
    if candidate.verdict is Standing.CURRENT:
        return line(Code(candidate.version), " is what runs there now")
    if not candidate.reasons:
        return line(Code(candidate.version), ready)
    verb = " is refused: " if candidate.verdict is Standing.REFUSED else " waits: "
    said = reasons(candidate.reasons)
    more = f"; and {len(said) - MAX_REASONS} more" if len(said) > MAX_REASONS else ""
    return line(Code(candidate.version), verb, *joined(said[:MAX_REASONS], "; "), more)


def _behind(look: Look, group: Row) -> list[Row]:
    """Return the members of a group that has nothing to move for which something newer is there all the same."""
    members = look.rules.groups.get(group.service, ()) if group.best is None else ()
    rows = [row for row in look.decision.rows if row.environment == group.environment]
    return [row for row in rows if row.service in members and row.best is not None]


def _why(engine: Engine, asked: Why) -> Said:
    look = engine.look()
    rows = [
        row
        for row in (*look.decision.rows, *look.decision.groups)
        if row.service == asked.service and asked.environment in {"", row.environment}
    ]
    head = line(Strong(asked.service), *(line(" ", Code(asked.version)) if asked.version else ()), ":")
    if not asked.version:
        return Said(head, tuple(_row(look, one) for row in rows for one in (row, *_behind(look, row))))
    found = [(row, engine.why(row.environment, row.service, asked.version)) for row in rows]
    points = [
        line(Strong(row.environment), ": ", *_candidate(candidate, ready(look, row)))
        for row, candidate in found
        if candidate
    ]
    if not points:
        return Said(line("No rule covers ", Strong(asked.service), " there."), (_where(asked.service),))
    said = Said(head, tuple(points))
    unlisted = is_unlisted(candidate for _, candidate in found if candidate)
    return hinted(look, asked, said) if unlisted else said


def _pending(look: Look) -> Said:
    found = waiting.live(look)
    reviews = open_reviews.waiting(look)
    head = f"{counted(len(found), 'promotion')} under way" if found else "Nothing is under way"
    if reviews:
        head += f", {counted(len(reviews), 'review')} open"
    points = (*(waiting.under_way(look, one) for one in found), *reviews)
    return Said(
        line(f"{head}:" if points else f"{head}."), (*points, *([open_reviews.hint()] if reviews else []))
    )


def _history(look: Look, asked: History) -> Said:
    moves = [
        (environment, service, move)
        for (environment, service), found in look.state.moves.items()
        if service in _services(look, asked.service)
        for move in found
    ]
    if not moves:
        return Said(
            line("Nothing of ", Strong(asked.service), " was moved since the ledger began."),
            (_where(asked.service),),
        )
    newest = sorted(moves, key=lambda one: one[2].seq, reverse=True)
    head = line(f"{counted(len(moves), 'move')} of ", Strong(asked.service), ", newest first:")
    named = asked.service in look.rules.groups
    points = [
        _moved(environment, move, service if named else "")
        for environment, service, move in newest[:MAX_MOVES]
    ]
    if len(newest) > MAX_MOVES:
        points.append(line(f"and {len(newest) - MAX_MOVES} more in the ledger"))
    return Said(head, tuple(points))


def _where(service: str) -> Line:
    return line(Code(f"{COMMAND} status {service}"), " says what runs where.")


def _moved(environment: str, move: Move, service: str = "") -> Line:
    """Return one move of the past; of a group's with the service's name."""
    where = line(
        Moment(move.at), " ", Strong(environment), f" {move.kind}: {service}{' ' if service else ''}"
    )
    commit = line(" ", Code(move.commit[:7])) if move.commit else ()
    return line(*where, *waiting.versions(move.previous, move.image), *commit)


def _who(look: Look, asked: Who) -> Said:
    services = _services(look, asked.service)
    there = [
        (environment, service)
        for environment in look.rules.environments
        for service in services
        if effective(look.rules, environment, service)
    ]
    told: dict[tuple[str, Line], list[str]] = {}
    for environment, service in there:
        told.setdefault((environment, _approvers(look, environment, service)), []).append(service)
    points = []
    for (environment, said), names in told.items():
        of = f" for {', '.join(names)}" if len(services) > 1 else ""
        points.append(line(Strong(environment), f"{of}: ", *said))
    return Said(line("Who may approve ", Strong(asked.service), ":"), tuple(points))


def _approvers(look: Look, environment: str, service: str) -> Line:
    rule = effective(look.rules, environment, service)
    if rule is None or not rule.environment.is_guarded:
        is_observed = rule is not None and rule.environment.is_observed
        return line(_OBSERVED if is_observed else _NOBODY)
    found: list[Line] = []
    for asked in rule.environment.approvals:
        members = sorted(look.rules.members(asked.of, rule.service, look.members))
        named = joined(line(Mention("", one)) for one in members) if members else line("nobody yet")
        elsewhere = [
            team.source
            for team in look.rules.outside(asked.of, rule.service)
            if team.name not in look.members
        ]
        if elsewhere:  # looked up when somebody speaks; until then it is named, not guessed
            named = line(*(line(*named, " and ") if members else ()), f"who is in {' and '.join(elsewhere)}")
        found.append(line(f"{asked} (", *named, ")"))
    excluded = f"; not: {', '.join(rule.environment.exclude)}" if rule.environment.exclude else ""
    return line(*joined(found, " and "), excluded)


def _whoami(engine: Engine, user: str) -> Said:
    person = engine.person_of(user)
    try:
        look = engine.look()
    except BotError:
        return Said(line("You are known as ", Strong(person), "."), (line("Your Slack id is ", Code(user)),))
    return _known(look, person, user)


def _known(look: Look, person: str, user: str) -> Said:
    """Say whom somebody is taken for, why, and of which teams."""
    who = known(look.rules, look.state.links, look.state.forge_ids, person)
    teams = [name for name, team in look.rules.teams.items() if person in team.people]
    teams += [name for name, members in look.members.items() if person in members and name not in teams]
    of = f", of {', '.join(teams)}" if teams else ""
    says = "You linked yourself; you are known as "
    if who and who.is_in_git:
        says = "The rules take you for "
    elif who and who.domain:
        says = f"Your address at {who.domain} matches in Slack and GitHub; you are known as "
    return Said(
        line(says, Strong(person), f"{of}."), (line("Your Slack id is ", Code(user)), _account(look, who))
    )


def _account(look: Look, who: Known | None) -> Line:
    """Say which account at the forge is theirs, and how that is known."""
    if who is None or not who.github:
        return line("No GitHub account is linked to you; ", Code(f"{COMMAND} link"), " links yours.")
    number = f" ({who.forge_id})" if who.forge_id else ""
    if who.domain:
        may = "" if look.rules.identity.approve else ", approves nothing"
        weaker = f"{number}, by e-mail alone; this is looked up each time you speak{may}. "
        return line(
            "Your GitHub account is ", Code(who.github), weaker, Code(f"{COMMAND} link"), " makes it yours."
        )
    named = look.rules.people.get(who.name)
    how = "as the rules say" if named and named.github else "as you linked it"
    return line("Your GitHub account is ", Code(who.github), f"{number}, {how}.")
