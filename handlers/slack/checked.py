"""What ``check`` answers: what registries have that the bot did not know, and what was not asked, and why."""

from collections.abc import Sequence

from bot.looking.on_demand import IN_SPAN, RECENT, SPAN, Listed
from handlers.engine import Engine
from handlers.slack.blocks import COMMAND, Said
from handlers.slack.questions import Check
from handlers.slack.reasons import phrase
from handlers.slack.spans import Code, Line, Moment, Sign, Strong, counted, joined, line, listed

MAX_TAGS = 10  # new tags of one repository in a sentence
MAX_TOLD = 30  # repositories of which something is told


def begun(asked: Check) -> Said:
    """Say that an answer takes a while."""
    if asked.service:
        return Said(line("Asking the registry about ", Strong(asked.service), "..."))
    return Said(line("Asking the registries..."))


def said(engine: Engine, asked: Check) -> Said:
    """Ask the registries and answer what they said. Raises: BotError."""
    rules = engine.look().rules
    services = rules.groups.get(asked.service, (asked.service,)) if asked.service else tuple(rules.services)
    found = engine.check(services)
    if not found:
        return Said(
            line(
                "Nothing was asked: the rules have no image there, or nothing was looked at yet. Try again after"
                " the next pass."
            )
        )
    told = [one for one in found if asked.service or one.new or one.silence]
    points = listed(told, MAX_TOLD, _repository)
    return Said(_head(found), (*points, *_bounds(found, is_one=bool(asked.service))))


def not_for_guests() -> Said:
    """Say why a guest's question is not passed on: what may be asked in a while is there for all to share."""
    head = line("A guest's question is not passed on to registries; they are asked at their interval anyway.")
    return Said(head, (line(Code(f"{COMMAND} status"), " says what is known."),))


def _head(found: Sequence[Listed]) -> Line:
    """Return what asking brought, of one repository or of several."""
    now = [one for one in found if not one.asked and not one.is_left]
    heard = [one for one in now if not one.silence]
    new = sum(len(one.new) for one in heard)
    news = f"{counted(new, 'new tag')}; the next pass decides." if new else "nothing new."
    news = news if heard else "no answer that can be used."
    if len(found) == 1:
        return line(f"The registry was asked: {news}" if now else "The registry was not asked again.")
    if not now:
        return line("No registry was asked again.")
    return line(f"Asked about {len(now)} of {len(found)} repositories: {news}")


def _repository(one: Listed) -> Line:
    where = line(Strong(str(one.repository)), f" ({', '.join(one.services)}): ")
    if one.asked:
        return line(*where, "asked ", Moment(one.asked), ", so not again yet")
    if one.is_left:
        return line(*where, "not asked: too much was asked lately")
    if one.silence:
        return line(Sign("warning"), " ", *where, f"{phrase(one.silence.code)}: {one.silence.detail}")
    if not one.new:
        return line(*where, f"{counted(one.tags, 'tag')}, nothing new")
    more = len(one.new) - MAX_TAGS
    new = joined(line(Code(tag)) for tag in one.new[:MAX_TAGS])
    return line(*where, f"{counted(one.tags, 'tag')}, new: ", *new, f" and {more} more" if more > 0 else "")


def _bounds(found: Sequence[Listed], *, is_one: bool) -> list[Line]:
    """Say what was not asked, and when it may be."""
    points = []
    recent = sum(one.asked is not None for one in found)
    if recent and not is_one:
        minutes = int(RECENT.total_seconds()) // 60
        span = "the last minute" if minutes == 1 else f"the last {minutes} minutes"
        points.append(line(f"{_were(recent)} asked within {span}, so not again yet"))
    if left := sum(one.is_left for one in found):
        span = f"{int(SPAN.total_seconds()) // 60} minutes"
        bound = f"at most {IN_SPAN} in {span} are asked out of turn"
        each = "it is asked at its interval" if left == 1 else "each is asked at its interval"
        points.append(line(f"{_were(left)} not asked, {bound}; {each} all the same"))
    if recent or left:
        points.append(line(Code(f"{COMMAND} status"), " says what is known."))
    return points


def _were(count: int) -> str:
    return "1 was" if count == 1 else f"{count} were"
