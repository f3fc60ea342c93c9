"""What a pass does about gates outside, in one step: for tests that have no lock to let go of meanwhile."""

from bot.looking.outside import Outside
from bot.looking.survey import Survey
from policies.entries.facts import Fact
from policies.world import About


def looked_up(outside: Outside, look: Survey) -> dict[About, tuple[Fact, ...]]:
    """Ask about what could move or be asked for, and return all that is known of it."""
    wanted = outside.wanted(look)
    return outside.keep(wanted, outside.ask(wanted, lambda: look.at))
