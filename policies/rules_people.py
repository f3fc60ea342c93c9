"""Who is who: ``people`` and ``teams`` of the rules."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from policies.rules import Person, Team
from policies.rules_document import Entry
from policies.rules_fields import Keys, fields, is_name, kind_of, once, text_of
from policies.rules_findings import Findings, shown
from policies.rules_text import Items, Node, Text

_PERSON = Keys("a person", ("slack", "github"))
_SLACK_USER = re.compile(r"[UW][A-Z0-9]+", re.ASCII)
_MAX_SLACK_USER = 32
# GitHub, account names: letters, digits and single hyphens inside, at most 39.
_GITHUB_LOGIN = re.compile(r"[A-Za-z0-9](?:-?[A-Za-z0-9])*", re.ASCII)
_MAX_GITHUB_LOGIN = 39
_ELSEWHERE = ("github:", "slack:")


@dataclass(frozen=True, slots=True)
class People:
    """Persons and teams, and all names that are written for them, also where the rest did not fit."""

    persons: Mapping[str, Person]
    teams: Mapping[str, Team]
    names: frozenset[str]

    def members(self, names: tuple[str, ...]) -> frozenset[str] | None:
        """Return the people behind names of teams and persons, or nothing where one of them is not known."""
        groups = [self._named(name) for name in names]
        known = [group for group in groups if group is not None]
        return frozenset(one for group in known for one in group) if len(known) == len(groups) else None

    def _named(self, name: str) -> tuple[str, ...] | None:
        """Return who bears a name; nothing where it is not known, or not known here."""
        team = self.teams.get(name)
        if team is not None:
            return None if team.source else team.people
        return (name,) if name in self.persons else None


def people(persons: Mapping[str, Entry], teams: Mapping[str, Entry], findings: Findings) -> People:
    """Read both sections; an id that two people have is noted, and a team named as a person."""
    read = {name: _person(entry, findings) for name, entry in persons.items()}
    _unlike(persons, read, findings)
    for name in sorted(teams.keys() & persons.keys()):
        findings.add(teams[name].name.at, f"{name} is a person already", "another name for the team")
    members = {name: _team(entry, persons, teams, findings) for name, entry in teams.items()}
    return People(
        read,
        {name: Team(name, team) for name, team in members.items() if team},
        frozenset({*persons, *teams}),
    )


def _person(entry: Entry, findings: Findings) -> Person:
    is_name(entry.name, "a person", findings)
    found = fields(entry.node, _PERSON, findings)
    if found is None:
        return Person(entry.name.value)
    slack, github = found.text("slack"), found.text("github")
    if not found.entries:
        findings.add(entry.name.at, f"{shown(entry.name.value)} is not linked", "slack, github or both")
    if slack and (len(slack.value) > _MAX_SLACK_USER or _SLACK_USER.fullmatch(slack.value) is None):
        findings.add(
            slack.at, f"{shown(slack.value)} is not a Slack user id", "an id such as U0ADA (not the name)"
        )
    if github and (len(github.value) > _MAX_GITHUB_LOGIN or _GITHUB_LOGIN.fullmatch(github.value) is None):
        findings.add(github.at, f"{shown(github.value)} is not a GitHub login", "a login such as ada-l")
    return Person(entry.name.value, slack.value if slack else "", github.value if github else "")


def _unlike(entries: Mapping[str, Entry], read: Mapping[str, Person], findings: Findings) -> None:
    """Note an id that is linked to two people: nobody could say who of them pressed."""
    for where in ("slack", "github"):
        owner: dict[str, str] = {}
        for name, person in read.items():
            account = getattr(person, where).lower()
            if account and owner.setdefault(account, name) != name:
                at = entries[name].place(where)
                findings.add(
                    at, f"{account} is {owner[account]} already", f"each {where} account at one person"
                )


def _team(
    entry: Entry, persons: Mapping[str, Entry], teams: Mapping[str, Entry], findings: Findings
) -> tuple[str, ...]:
    is_name(entry.name, "a team", findings)
    if not isinstance(entry.node, Items):
        if not (isinstance(entry.node, Text) and _is_elsewhere(entry.node, findings)):
            findings.add(
                entry.node.at, f"a team is {kind_of(entry.node)}", "a list of people, such as [ada, bob]"
            )
        return ()
    if not entry.node.items:
        findings.add(entry.node.at, f"team {shown(entry.name.value)} has nobody", "one person at least")
    texts = [_member(item, persons, teams, findings) for item in entry.node.items]
    return once([text for text in texts if text is not None], "person", findings)


def _member(
    node: Node, persons: Mapping[str, Entry], teams: Mapping[str, Entry], findings: Findings
) -> Text | None:
    text = text_of(node, "a member", findings)
    if text is None or _is_elsewhere(text, findings):
        return None
    if text.value in persons:
        return text
    if text.value in teams:
        findings.add(text.at, f"{text.value} is a team", "people: a team has no teams in it")
    else:
        findings.unknown(text.at, "person", text.value, persons)
    return None


def _is_elsewhere(text: Text, findings: Findings) -> bool:
    """Return whether a team lives at the forge or the chat; that is noted, for it is not looked up yet."""
    if not text.value.startswith(_ELSEWHERE):
        return False
    findings.add(
        text.at, f"team {shown(text.value)} is not supported yet", "a list of people, such as [ada, bob]"
    )
    return True
