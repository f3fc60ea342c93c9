"""What ``check`` answers: what registries have that the bot did not know, and what was not asked, and why."""

from collections.abc import Sequence

from bot.looking.on_demand import IN_SPAN, RECENT, SPAN, Listed
from handlers.engine import Engine
from handlers.slack.blocks import COMMAND, Said
from handlers.slack.questions import Check
from handlers.slack.reasons import phrase
from handlers.slack.spans import Code, Line, Moment, Sign, Strong, counted, joined, line

MAX_TAGS = 10  # new tags of one repository in a sentence
MAX_TOLD = 30  # repositories of which something is told


def said(engine: Engine, asked: Check) -> Said:
    """Ask the registries and answer what they said. Raises: BotError."""
    rules = engine.look().rules
    services = rules.groups.get(asked.service, (asked.service,)) if asked.service else tuple(rules.services)
    found = engine.check(services)
    if not found:
        return Said(line("Nothing was asked: the rules have no image there, or nothing was looked at yet."))
    told = [one for one in found if asked.service or one.new or one.silence]
    points = [_repository(one) for one in told[:MAX_TOLD]]
    if len(told) > MAX_TOLD:
        points.append(line(f"and {len(told) - MAX_TOLD} more"))
    return Said(_head(found), (*points, *_bounds(found, is_one=bool(asked.service))))


def not_for_guests() -> Said:
    """Say why a guest's question is not passed on: what may be asked in a while is there for all to share."""
    head = line("A guest's question is not passed on to registries; they are asked at their interval anyway.")
    return Said(head, (line(Code(f"{COMMAND} status"), " says what is known."),))


def _head(found: Sequence[Listed]) -> Line:
    now = [one for one in found if not one.asked and not one.is_left]
    new = sum(len(one.new) for one in now)
    what = "repository" if len(found) == 1 else "repositories"
    if not now:
        return line(f"No registry was asked about {'it' if len(found) == 1 else 'them'} now.")
    news = f"{counted(new, 'new tag')}; the next pass decides." if new else "nothing new."
    return line(f"Asked about {len(now)} of {len(found)} {what}: {news}")


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
        points.append(
            line(f"{recent} were asked within the last {counted(minutes, 'minute')}, so not again yet")
        )
    if left := sum(one.is_left for one in found):
        span = int(SPAN.total_seconds()) // 60
        bound = f"at most {IN_SPAN} in {span} minutes are asked out of turn"
        points.append(line(f"{left} were not asked, {bound}; each is asked at its interval all the same"))
    return points
