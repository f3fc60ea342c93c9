"""What is true of a world of Countersign at every moment, and what is true of it at rest: I1 to I15, one list.

Each is checked by a reader that shares no code with the bot, except where the bot's own validator is what is asked
(I5) or its own index (I14). A check yields one line for each thing that is not so.
"""

from collections.abc import Callable
from dataclasses import dataclass

from tests.campaign.chain_checks import (
    allowed_where_it_stands,
    keys_once,
    nothing_under_a_freeze,
    one_at_a_time,
    one_line,
    one_open_pull_request,
)
from tests.campaign.move_checks import (
    anchored,
    bumps_in_order,
    index_equal,
    landed_as_approved,
    lives_on,
    population,
    said_as_approved,
)
from tests.campaign.people_checks import four_eyes
from tests.campaign.said_checks import no_secret, no_secret_anywhere, said_after, told_stays
from tests.campaign.seen import Broken, Seen

__all__ = ["INVARIANTS", "Invariant", "Seen", "broken"]


@dataclass(frozen=True, slots=True)
class Invariant:
    """One thing that is always so. ``at_rest``: only where nobody is in the middle of anything."""

    name: str
    sentence: str
    check: Callable[[Seen], Broken]
    at_rest: bool = False


INVARIANTS: tuple[Invariant, ...] = (
    Invariant("I1", "no message says what is not yet on the remote", said_after),
    Invariant("I2", "what was acknowledged is in the chain for ever", told_stays),
    Invariant("I3", "keys are unique", keys_once),
    Invariant("I4", "one parent, the next number, the empty tree, a valid signature", one_line),
    Invariant("I5", "every entry is allowed in the state of its parent", allowed_where_it_stands),
    Invariant("I6", "enough different people approved exactly this, none who asked", four_eyes),
    Invariant("I7", "what landed is what was approved", landed_as_approved),
    Invariant("I7r", "what a pull request says is what was approved", said_as_approved, at_rest=True),
    Invariant("I8", "one live intent, one outcome, one pull request", one_at_a_time),
    Invariant("I8r", "one open pull request for each place", one_open_pull_request, at_rest=True),
    Invariant("I9", "nothing moves under a freeze but backwards", nothing_under_a_freeze),
    Invariant("I10", "every intent has an outcome, every move one entry", population, at_rest=True),
    Invariant("I11", "bumps and their entries are one to one, in order", bumps_in_order),
    Invariant("I12", "a ledger that lost an anchor is only read", anchored),
    Invariant("I13", "no secret in ledger, chat or log", no_secret),
    Invariant("I13r", "no secret in any file or pull request", no_secret_anywhere, at_rest=True),
    Invariant("I14", "the database is what the ledger makes", index_equal),
    Invariant("I15", "bad input is refused and the process goes on", lives_on),
)


def broken(seen: Seen, *, at_rest: bool = False) -> list[str]:
    """Return what is not so, each with its invariant's name."""
    asked = [one for one in INVARIANTS if at_rest or not one.at_rest]
    return [f"{one.name} ({one.sentence}): {what}" for one in asked for what in one.check(seen)]
