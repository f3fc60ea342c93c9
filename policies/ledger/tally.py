"""Count approvals: each line of a rule is filled by different people."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from policies.entries.membership import NOBODY, Members
from policies.rules.rules import Line, Rules, Service, effective


@dataclass(frozen=True, slots=True)
class Tally:
    """Who fills which line. ``lines`` pairs each line of the rule with the people who fill it, in the rule's order."""

    lines: tuple[tuple[Line, tuple[str, ...]], ...]

    @property
    def is_complete(self) -> bool:
        """Whether every line is filled."""
        return all(len(people) >= line.count for line, people in self.lines)

    @property
    def given(self) -> int:
        """How many approvals count."""
        return sum(len(people) for _, people in self.lines)

    @property
    def wanted(self) -> int:
        """How many the rule asks for."""
        return sum(line.count for line, _ in self.lines)

    @property
    def missing(self) -> tuple[Line, ...]:
        """What is still asked for: lines with the number of people that they lack."""
        return tuple(
            Line(line.count - len(people), line.of) for line, people in self.lines if len(people) < line.count
        )


def tally(
    rules: Rules,
    service: Service,
    lines: Sequence[Line],
    people: Iterable[str],
    members: Members = NOBODY,
) -> Tally:
    """Fill the lines with these people so that as many seats as can be are taken; a person takes one seat.

    A seat is one unit of a line's count. Augmenting paths (Kuhn): nobody who could help is left standing because
    somebody else sat down first, so one more approval never hurts.
    """
    seats = [index for index, line in enumerate(lines) for _ in range(line.count)]
    allowed = [rules.members(line.of, service, members) for line in lines]
    taken: dict[int, str] = {}
    for person in dict.fromkeys(people):
        _sit(person, seats, allowed, taken, set())
    found: list[list[str]] = [[] for _ in lines]
    for seat, person in sorted(taken.items()):
        found[seats[seat]].append(person)
    return Tally(tuple((line, tuple(found[index])) for index, line in enumerate(lines)))


def may_fill(
    rules: Rules, service: Service, lines: Sequence[Line], person: str, members: Members = NOBODY
) -> bool:
    """Whether the rule names this person in one of its lines at all."""
    return any(person in rules.members(line.of, service, members) for line in lines)


def may_approve(rules: Rules, environment: str, service: str, person: str, members: Members = NOBODY) -> bool:
    """Whether a person could approve something there; where nobody is asked, every linked person may.

    ``environment`` '' is everywhere: then somebody who may approve in one that asks, if there is one.
    """
    environments = [environment] if environment in rules.environments else list(rules.environments)
    services = [service] if service in rules.services else list(rules.services)
    found = [rule for where in environments for what in services if (rule := effective(rules, where, what))]
    if not found:
        return not any(rules.environments[where].is_guarded for where in environments)
    guarded = [rule for rule in found if rule.environment.is_guarded]
    return not guarded or any(
        may_fill(rules, rule.service, rule.environment.approvals, person, members) for rule in guarded
    )


def _sit(
    person: str, seats: list[int], allowed: list[frozenset[str]], taken: dict[int, str], tried: set[int]
) -> bool:
    for seat, line in enumerate(seats):
        if seat in tried or person not in allowed[line]:
            continue
        tried.add(seat)
        if seat not in taken or _sit(taken[seat], seats, allowed, taken, tried):
            taken[seat] = person
            return True
    return False
