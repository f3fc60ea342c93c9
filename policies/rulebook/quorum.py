"""Whether lines of approvals can be filled at all: each place by another person."""

from collections.abc import Iterator

from policies.rules.rules import REQUESTER, Environment, Line, Rules, Service


def can_be_filled(lines: tuple[Line, ...], rules: Rules, service: Service, without: str = "") -> bool:
    """Return whether different people fill every line of a service, ``without`` one who may not.

    A line that names a team elsewhere has people whom nobody knows here.
    """
    known = [line for line in lines if not rules.outside(line.of, service)]
    places = [rules.members(line.of, service) - {without} for line in known for _ in range(line.count)]
    return _all_find_somebody(places)


def asked_in_vain(where: Environment, rules: Rules, service: Service) -> Iterator[str]:
    """Yield the people whose requests nobody could approve, because they may not do it themselves."""
    if REQUESTER not in where.exclude:
        return
    members = [rules.members(line.of, service) for line in where.approvals]
    places = sum(line.count for line in where.approvals)
    if all(len(line) > places for line in members):
        return  # whoever asks, each line has somebody left for each of its places
    for person in sorted(frozenset().union(*members)):
        if not can_be_filled(where.approvals, rules, service, without=person):
            yield person


def is_left_to_nobody(lines: tuple[Line, ...], rules: Rules) -> bool:
    """Return whether those who have to take part are all whom the rules know, so that nobody can look at it later."""
    return sum(line.count for line in lines) >= len(rules.people)


def _all_find_somebody(places: list[frozenset[str]]) -> bool:
    """Match places to people, each person once: augmenting paths (Kuhn), walked without recursion."""
    holder: dict[str, int] = {}
    return all(_find(place, places, holder) for place in range(len(places)))


def _find(place: int, places: list[frozenset[str]], holder: dict[str, int]) -> bool:
    came_from: dict[str, int] = {}
    waiting = [place]
    for asking in waiting:
        for person in sorted(places[asking] - came_from.keys()):
            came_from[person] = asking
            if person not in holder:
                _hand_over(person, place, came_from, holder)
                return True
            waiting.append(holder[person])
    return False


def _hand_over(person: str, place: int, came_from: dict[str, int], holder: dict[str, int]) -> None:
    """Give a free person to who asked, and what that one held to who asked for it, back to the first place."""
    held = {at: one for one, at in holder.items()}
    while True:
        asking = came_from[person]
        holder[person] = asking
        if asking == place:
            return
        person = held[asking]
