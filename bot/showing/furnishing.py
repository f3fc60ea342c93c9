"""What the rules say about a service that its cards show: whom to ping, links, where its code is."""

from dataclasses import replace

from bot.cards import Card, Who
from policies.rules.rules import Rules

BROADCASTS = ("@here", "@channel")
_FORGE = "https://github.com"
_GROUP = "slack:"


def furnished(card: Card, rules: Rules) -> Card:
    """Return a card with what the rules say about its service; as it is where they do not name it any more."""
    together = rules.together(card.environment, card.service)
    if together:
        return replace(card, notified=pings(rules, card.environment, together[0]))
    service = rules.service_in(card.environment, card.service)
    if service is None or card.environment not in rules.environments:
        return card
    links = (("source", address_of(service.source)), *service.links) if service.source else service.links
    return replace(card, links=links, notified=pings(rules, card.environment, card.service))


def pings(rules: Rules, environment: str, service: str) -> tuple[Who, ...]:
    """Return who is pinged: people, members of teams, user groups and whole channels, each once."""
    found = [
        who for name in rules.environment_for(environment, service).notify for who in _pinged(rules, name)
    ]
    return tuple({(who.slack or who.name): who for who in found}.values())


def address_of(source: str) -> str:
    """Return where code is read: ``OWNER/NAME`` is at the forge."""
    return source if source.startswith("https://") else f"{_FORGE}/{source}"


def _pinged(rules: Rules, name: str) -> list[Who]:
    if name in BROADCASTS:
        return [Who(name, name.removeprefix("@"))]
    team = rules.teams.get(name)
    if team and team.source:
        group = team.source.removeprefix(_GROUP)
        return [Who(name, "" if group == team.source or group.startswith("@") else group)]
    people = team.people if team else ((name,) if name in rules.people else ())
    return [Who(one, rules.people[one].slack) for one in people] or [Who(name, name)]
