"""The rules of ``promotion/*.yaml`` as values: everything that they say, and which rule judges one service where."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from policies.entries.membership import NOBODY, Members
from policies.rules.effective import NO_CALENDAR, EffectiveRule
from policies.rules.places import NO_TIME, ONE_PERSON, Environment, Service
from policies.rules.terms import (
    AUTHORS,
    DEFAULT_EXPIRE,
    DEFAULT_INTERVAL,
    DEFAULT_MERGE_WITHIN,
    OWNERS,
    REQUESTER,
    Apart,
    ConfigRule,
    DigestRule,
    Evidence,
    Host,
    Identity,
    Layer,
    Limit,
    Line,
    Merges,
    Opens,
    OutsideGate,
    Person,
    Position,
    Source,
    Takes,
    Team,
    Trouble,
    Via,
)
from policies.times.calendar import Calendar

__all__ = [
    "AUTHORS",
    "DEFAULT_EXPIRE",
    "DEFAULT_INTERVAL",
    "DEFAULT_MERGE_WITHIN",
    "NO_TIME",
    "ONE_PERSON",
    "OWNERS",
    "REQUESTER",
    "Apart",
    "ConfigRule",
    "DigestRule",
    "EffectiveRule",
    "Environment",
    "Evidence",
    "Host",
    "Identity",
    "Layer",
    "Limit",
    "Line",
    "Merges",
    "Opens",
    "OutsideGate",
    "Person",
    "Position",
    "Rules",
    "Service",
    "Source",
    "Takes",
    "Team",
    "Trouble",
    "Via",
    "effective",
    "moving_rule",
]


NO_EMAIL = Identity()


@dataclass(frozen=True, slots=True)
class Rules:
    """Everything that ``promotion/`` says, as one document. Orders are those of the files, files by name.

    ``there`` holds a service as it is meant in an environment, by both names, where that says more than the service;
    ``exceptions`` an environment as it is meant for a service. ``provenance`` says where each key was written, by
    environment and service; '' for the service = for all, '' for the environment = the service's own keys.
    """

    environments: Mapping[str, Environment]
    services: Mapping[str, Service]
    people: Mapping[str, Person] = field(default_factory=dict)
    teams: Mapping[str, Team] = field(default_factory=dict)
    registries: Mapping[str, Host] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    there: Mapping[tuple[str, str], Service] = field(default_factory=dict)
    exceptions: Mapping[tuple[str, str], Environment] = field(default_factory=dict)
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    calendar: Calendar = NO_CALENDAR
    provenance: Mapping[tuple[str, str], Mapping[str, Source]] = field(default_factory=dict)
    identity: Identity = NO_EMAIL
    # what was resolved of this very document: asked for with every entry, and always the same
    _resolved: dict[tuple[str, str], "EffectiveRule | None"] = field(
        init=False, default_factory=dict, compare=False, repr=False
    )

    def rule_for(self, environment: str, service: str) -> "EffectiveRule | None":
        """Return the rule for a service in an environment, or nothing where one of them is not in the rules."""
        place = (environment, service)
        if place not in self._resolved:
            self._resolved[place] = _resolved(self, environment, service)
        return self._resolved[place]

    def environment_for(self, environment: str, service: str) -> Environment:
        """Return an environment as it is meant for a service. Raises: KeyError where there is no such environment."""
        return self.exceptions.get((environment, service)) or self.environments[environment]

    def service_in(self, environment: str, service: str) -> Service | None:
        """Return a service as it is meant in an environment; nothing where it does not exist there."""
        found = self.there.get((environment, service)) or self.services.get(service)
        return found if found and found.is_in(environment) else None

    def group_of(self, service: str) -> tuple[str, ...]:
        """Return the services that move together with this one, itself among them; none where it is in no group."""
        return next((members for members in self.groups.values() if service in members), ())

    def together(self, environment: str, group: str) -> tuple[str, ...]:
        """Return the members of a group that move as one in an environment: those that exist there, two at least."""
        members = self.groups.get(group, ())
        there = tuple(one for one in members if self.service_in(environment, one) is not None)
        return there if environment in self.environments and len(there) > 1 else ()

    def moves_with(self, environment: str, service: str) -> str:
        """Return the group with which a service moves in an environment, '' = it moves by itself."""
        for group, members in self.groups.items():
            if service in members:
                return group if service in self.together(environment, group) else ""
        return ""

    def channel_for(self, environment: str, service: str) -> str:
        """Return where a service is said: in its own channel, else in the environment's."""
        found = self.services.get(service)
        return (found.channel if found else "") or self.environment_for(environment, service).channel

    def meanings(self, service: str) -> tuple[Service, ...]:
        """Return what a service is meant to be in one environment or another, each meaning once."""
        plain = self.services[service]
        found = [one for name in self.environments if (one := self.service_in(name, service))] or [plain]
        return tuple({id(one): one for one in found}.values())

    def members(self, named: tuple[str, ...], service: Service, found: Members = NOBODY) -> frozenset[str]:
        """Return the people whom an approval line names: members of teams, owners, persons. Nobody named = all in Git.

        ``found`` holds those of teams that live elsewhere, as they were looked up.
        """
        if not named:
            return frozenset(self.people)
        return frozenset(person for name in named for person in self._named(name, service, found))

    def _named(self, name: str, service: Service, found: Members) -> Collection[str]:
        team = self.teams.get(_meant(name, service))
        if team is not None:
            return found.get(team.name, ()) if team.source else team.people
        meant = _meant(name, service)
        return (meant,) if meant in self.people else ()

    def outside(self, named: tuple[str, ...], service: Service) -> tuple[Team, ...]:
        """Return the teams among these names whose members have to be looked up."""
        teams = [self.teams.get(_meant(name, service)) for name in named]
        return tuple(team for team in teams if team and team.source)

    def upstream(self, environment: str) -> tuple[str, ...]:
        """Return the environments that come before this one, near ones first, each once."""
        reached = [environment]
        for name in reached:
            before = self.environments[name].after if name in self.environments else ()
            reached.extend(other for other in before if other not in reached)
        return tuple(reached[1:])


def _meant(name: str, service: Service) -> str:
    """Return whom a name stands for: ``owners`` for the service's owner, nobody where it has none."""
    owner = "" if service.owner == OWNERS else service.owner
    return owner if name == OWNERS else name


def moving_rule(rules: Rules, environment: str, name: str) -> EffectiveRule | None:
    """Return the rule of what moves under a name in an environment: a service by itself, or a group.

    Nothing for a service that moves there with others: no part of a group moves alone.
    """
    if name not in rules.groups:
        return None if rules.moves_with(environment, name) else effective(rules, environment, name)
    found = [effective(rules, environment, one) for one in rules.together(environment, name)]
    parts = tuple(one for one in found if one is not None)
    if not parts:
        return None
    first = parts[0]
    images = tuple(image for one in parts for image in one.service.images)
    stands_for = Service(name, images, first.service.versions, "", first.service.at)
    return EffectiveRule(first.environment, stands_for, rules.calendar, rules.groups[name], parts=parts)


def effective(rules: Rules, environment: str, service: str) -> EffectiveRule | None:
    """Return the rule for a service in an environment, or nothing where one of them is not in the rules."""
    return rules.rule_for(environment, service)


def _resolved(rules: Rules, environment: str, service: str) -> EffectiveRule | None:
    what = rules.service_in(environment, service)
    if what is None or environment not in rules.environments:
        return None
    where = rules.environment_for(environment, service)
    group, matched = rules.group_of(service), rules.identity.approve
    return EffectiveRule(where, what, rules.calendar, group, does_email_approve=matched)
