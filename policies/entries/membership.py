"""Who is in a team that lives outside of the repository: looked up, attested in the entry, counted for minutes."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

from policies.canonical import Json
from policies.entries.entry import EntryError, parse_time, write_time

Members = Mapping[str, frozenset[str]]  # team -> names of persons; a team that is not in it has nobody

NOBODY: Members = MappingProxyType({})
FRESH = timedelta(minutes=10)  # between a look at the world and the entry that leans on it
SKEW = timedelta(minutes=5)  # between the clocks of two machines


def is_fresh(looked: Json | None, at: datetime) -> bool:
    """Whether a look, as an entry names its time, was made shortly before ``at`` (UTC)."""
    try:
        seen = parse_time(looked) if isinstance(looked, str) else None
    except EntryError:
        return False
    return seen is not None and at - FRESH <= seen <= at + SKEW


def attested(members: Members, people: Iterable[str], looked: datetime) -> dict[str, Json]:
    """Return the evidence of who of these people is in which team; ``looked`` is when the oldest team was asked."""
    if not members:
        return {}
    wanted = frozenset(people)
    named: dict[str, Json] = {team: [*sorted(who & wanted)] for team, who in sorted(members.items())}
    return {"members": named, "members_looked": write_time(looked)}


def members_of(evidence: Mapping[str, Json], at: datetime) -> Members:
    """Return what an entry attests, nobody where the look is missing, malformed, or not of these minutes."""
    found = evidence.get("members")
    if not isinstance(found, Mapping) or not is_fresh(evidence.get("members_looked"), at):
        return NOBODY
    return {
        team: frozenset(one for one in who if isinstance(one, str))
        for team, who in found.items()
        if isinstance(who, list)
    }
