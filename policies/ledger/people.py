"""Who a Slack or forge account is: ``people`` in Git first, then links; one human has one account on each side."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from policies.entries.entry import By, Link
from policies.entries.membership import Members
from policies.entries.remembered import ForgeId
from policies.rules.rules import Person, Rules

__all__ = ["ACCOUNTS_DECIDE", "ForgeId", "Known", "Link", "is_one", "known", "of_forge", "of_slack"]

# What was asked for, linked or set before is judged by names, as it was then: older ledgers stay valid.
ACCOUNTS_DECIDE: Final = datetime(2026, 11, 26, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Known:
    """One human as rules and ledger know them; '' = no account. ``forge_id`` 0: no entry has named it yet.

    ``is_in_git``: the rules name them; who is known by a link alone fills no line that names nobody. ``domain``: of the
    e-mail address by which alone they are known, '' = Git or they themselves said who they are.
    """

    name: str
    slack: str
    github: str
    forge_id: int
    is_in_git: bool = True
    domain: str = ""

    def owns(self, number: int, login: str) -> bool:
        """Whether this forge account is theirs: by its number where that is known, else by the login in Git."""
        if self.forge_id:
            return number == self.forge_id
        return bool(number and self.github) and login.lower() == self.github.lower()


def known(rules: Rules, links: Mapping[str, Link], ids: Mapping[str, ForgeId], person: str) -> Known | None:
    """Return one person; what Git says wins over their link, and a link that Git contradicts is none."""
    named = rules.people.get(person)
    link = links.get(person)
    if link and not (agrees(rules, link) and _counts(rules, link)):
        link = None
    if named is None:
        return _linked(link) if link else None
    slack = named.slack or (link.slack_user if link else "")
    github = named.github or (link.forge_login if link else "")
    return Known(person, slack, github, _number(github, link, ids.get(person)))


def _linked(link: Link) -> Known:
    """Return somebody whom a link alone names."""
    who = Known(link.person, link.slack_user, link.forge_login, link.forge_id, is_in_git=False)
    return replace(who, domain=link.domain)


def _counts(rules: Rules, link: Link) -> bool:
    """Whether a link by an address is one that the rules switch on, of somebody whom Git does not name."""
    return not link.domain or (link.domain in rules.identity.email and link.person not in rules.people)


def _number(github: str, link: Link | None, seen: ForgeId | None) -> int:
    """Return the account's number: as the person proved it, else as an entry named it first."""
    if link:  # it agrees: Git names this login, or none
        return link.forge_id
    return seen.number if seen and seen.login.lower() == github.lower() else 0


def agrees(rules: Rules, link: Link) -> bool:
    """Whether Git gives neither account of a link to somebody else, nor another one to this person."""
    return all(_is_same(person, link) for person in rules.people.values())


def _is_same(person: Person, link: Link) -> bool:
    has_slack = person.slack == link.slack_user
    has_login = person.github.lower() == link.forge_login.lower()
    if person.name != link.person:
        return not has_slack and not has_login
    return (has_slack or not person.slack) and (has_login or not person.github)


def is_one(one: By, other: By, since: datetime) -> bool:
    """Whether two words are one human's: by the name, and by an account on either side, for names may change.

    ``since``: when it began what they speak about (UTC).
    """
    if one.person == other.person:
        return True
    has_slack = bool(one.slack_user) and one.slack_user == other.slack_user
    has_forge = bool(one.forge_id) and one.forge_id == other.forge_id
    return since >= ACCOUNTS_DECIDE and (has_slack or has_forge)


def everybody(rules: Rules, links: Mapping[str, Link], ids: Mapping[str, ForgeId]) -> Iterator[Known]:
    """Yield all that are known, those of Git first."""
    for name in dict.fromkeys((*rules.people, *links)):
        found = known(rules, links, ids, name)
        if found:
            yield found


def of_slack(rules: Rules, links: Mapping[str, Link], ids: Mapping[str, ForgeId], user: str) -> Known | None:
    """Return who a Slack user id is."""
    return next((one for one in everybody(rules, links, ids) if user and one.slack == user), None)


def of_forge(
    rules: Rules, links: Mapping[str, Link], ids: Mapping[str, ForgeId], *, number: int, login: str
) -> Known | None:
    """Return who a forge account is."""
    return next((one for one in everybody(rules, links, ids) if one.owns(number, login)), None)


def who_may_count(
    rules: Rules, links: Mapping[str, Link], ids: Mapping[str, ForgeId], members: Members
) -> Members:
    """Return members of teams without those who are known by an address alone, where such a match does not approve."""
    if rules.identity.approve or not rules.identity.email:
        return members
    matched = {one.name for one in everybody(rules, links, ids) if one.domain}
    return {team: who - matched for team, who in members.items()}
