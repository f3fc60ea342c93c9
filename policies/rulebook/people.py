"""Who is who: ``people`` and ``teams`` of the rules."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from policies.rulebook.document import Entry
from policies.rulebook.fields import fields, is_name, kind_of, once, text_of
from policies.rulebook.findings import Findings, shown
from policies.rulebook.keys import PERSON
from policies.rulebook.text import Items, Node, Text
from policies.rules.rules import Person, Team

_SLACK_USER = re.compile(r"[UW][A-Z0-9]+", re.ASCII)
_MAX_SLACK_USER = 32
# GitHub, account names: letters, digits and single hyphens inside, at most 39.
_GITHUB_LOGIN = re.compile(r"[A-Za-z0-9](?:-?[A-Za-z0-9])*", re.ASCII)
_MAX_GITHUB_LOGIN = 39
_ELSEWHERE = ("github:", "slack:")
_LIST = "a list of people, such as [ada, bob]"
_SOURCES = "github:ORGANISATION/TEAM, slack:@HANDLE or slack:ID of a user group"
SOURCES = (
    re.compile(r"github:[A-Za-z0-9](?:-?[A-Za-z0-9]){0,38}/[a-z0-9][a-z0-9._-]{0,99}", re.ASCII),
    re.compile(r"slack:(?:@[a-z0-9][a-z0-9._-]{0,79}|S[A-Z0-9]{2,31})", re.ASCII),
)


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
    found = {name: team for name, entry in teams.items() if (team := _team(entry, persons, teams, findings))}
    return People(read, found, frozenset({*persons, *teams}))


def _person(entry: Entry, findings: Findings) -> Person:
    is_name(entry.name, "a person", findings)
    found = fields(entry.node, PERSON, findings)
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
) -> Team | None:
    is_name(entry.name, "a team", findings)
    name = entry.name.value
    if isinstance(entry.node, Text) and entry.node.value.startswith(_ELSEWHERE):
        return Team(name, source=entry.node.value) if _is_source(entry.node, findings) else None
    if not isinstance(entry.node, Items):
        expected = f"a list of people, such as [ada, bob], or {_SOURCES}"
        findings.add(entry.node.at, f"a team is {kind_of(entry.node)}", expected)
        return None
    if not entry.node.items:
        findings.add(entry.node.at, f"team {shown(name)} has nobody", "one person at least")
    texts = [_member(item, persons, teams, findings) for item in entry.node.items]
    members = once([text for text in texts if text is not None], "person", findings)
    return Team(name, members) if members else None


def _is_source(text: Text, findings: Findings) -> bool:
    """Return whether a team can be looked up where it lives."""
    if any(form.fullmatch(text.value) for form in SOURCES):
        return True
    findings.add(text.at, f"team {shown(text.value)}", f"{_SOURCES}, or {_LIST}")
    return False


def _member(
    node: Node, persons: Mapping[str, Entry], teams: Mapping[str, Entry], findings: Findings
) -> Text | None:
    text = text_of(node, "a member", findings)
    if text is None:
        return None
    if text.value.startswith(_ELSEWHERE):
        findings.add(text.at, f"member {shown(text.value)}", "a person, or the team alone without a list")
        return None
    if text.value in persons:
        return text
    if text.value in teams:
        findings.add(text.at, f"{text.value} is a team", "people: a team has no teams in it")
    else:
        findings.unknown(text.at, "person", text.value, persons)
    return None
