"""Rosters: who is in the teams that live at the forge or in the chat; looked up, kept for moments, never guessed."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.errors import BotError
from bot.looking.quarantine import TEAMS, Jar
from bot.ports import Chat, Forge, ForgeAccount
from policies.canonical import Json
from policies.codes import Code
from policies.entries.membership import FRESH, Members, attested
from policies.ledger.people import everybody, who_may_count
from policies.ledger.state import State
from policies.rules.rules import EffectiveRule, Line, Rules, Team

KEPT = timedelta(seconds=60)  # between two looks at one team; before a merge it is looked up anew
_GITHUB, _SLACK = "github:", "slack:"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Roster:
    """The accounts of one team, and when they were looked up (UTC). Slack's are user ids."""

    at: datetime
    accounts: tuple[ForgeAccount, ...] = ()
    users: frozenset[str] = frozenset()


@dataclass(slots=True)
class Rosters:
    """Looks teams up. ``troubles``: why one could not be, by its source; it has nobody then."""

    forge: Forge | None = None
    chat: Chat | None = None
    kept: dict[str, Roster] = field(default_factory=dict)
    troubles: dict[str, str] = field(default_factory=dict)
    jar: Jar | None = None

    def refresh(self, teams: Iterable[Team], at: datetime, *, kept: timedelta = KEPT) -> None:
        """Look up what is older than ``kept``; a team that cannot be looked up has nobody, and that is noted."""
        self.keep(self.looked_up(self.due(teams, at, kept=kept), at))

    def due(self, teams: Iterable[Team], at: datetime, *, kept: timedelta = KEPT) -> tuple[str, ...]:
        """Return the sources of these teams of which is known nothing, or nothing that new."""
        sources = dict.fromkeys(team.source for team in teams if team.source)
        return tuple(
            source
            for source in sources
            if (known := self.kept.get(source)) is None or not at - kept < known.at <= at
        )

    def looked_up(self, sources: Iterable[str], at: datetime) -> Mapping[str, Roster | BotError]:
        """Look sources up, or say why one could not be; changes nothing that others read."""
        found: dict[str, Roster | BotError] = {}
        for source in sources:
            try:
                found[source] = self._asked(source, at)
            except BotError as error:
                _log.warning("the team %s has nobody for now: %s", source, error)
                found[source] = error
                if self.jar:
                    self.jar.hear(TEAMS, source, error)
        return found

    def keep(self, found: Mapping[str, Roster | BotError], began: datetime | None = None) -> None:
        """Keep what was looked up; what somebody else looked up after it ``began`` (UTC) is newer and stays."""
        for source, roster in found.items():
            known = self.kept.get(source)
            if began is not None and known is not None and known.at > began:
                continue
            self.kept.pop(source, None)
            self.troubles.pop(source, None)
            if isinstance(roster, Roster):
                self.kept[source] = roster
            else:
                self.troubles[source] = str(roster)

    def _asked(self, source: str, at: datetime) -> Roster:
        if source.startswith(_GITHUB):
            if self.forge is None:
                raise BotError(
                    f"{source}: there is no forge to look it up; set GITHUB_APP_ID or GITHUB_TOKEN"
                )
            return Roster(at, accounts=tuple(self.forge.team(source.removeprefix(_GITHUB))))
        if self.chat is None:
            raise BotError(f"{source}: there is no chat to look it up; set SLACK_BOT_TOKEN")
        return Roster(at, users=self.chat.group(source.removeprefix(_SLACK)))

    def said(self, teams: Iterable[Team]) -> str:
        """Return why teams have nobody, or that people left them, on one line."""
        sources = [team.source for team in teams if team.source in self.troubles]
        return "; ".join(self.troubles[one] for one in sources) or "people left the teams that the rule names"

    def left(self) -> list[str]:
        """Return what could not be looked up, for an operator."""
        return [f"{Code.MEMBERS_UNKNOWN}: {source}: {why}" for source, why in self.troubles.items()]

    def members(self, rules: Rules, state: State, at: datetime) -> Members:
        """Return who is in which team as far as it was looked up these minutes; asks nobody."""
        found = {name: people for name, people, _ in self._named(rules, state, at)}
        return who_may_count(rules, state.links, state.forge_ids, found)

    def _named(
        self, rules: Rules, state: State, at: datetime
    ) -> Iterator[tuple[str, frozenset[str], datetime]]:
        """Yield team, persons, and when it was looked up."""
        fresh = {
            team.name: self.kept[team.source]
            for team in rules.teams.values()
            if team.source in self.kept and at - FRESH < self.kept[team.source].at <= at
        }
        people = tuple(everybody(rules, state.links, state.forge_ids)) if fresh else ()
        for name, roster in fresh.items():
            found = frozenset(
                one.name
                for one in people
                if (one.slack and one.slack in roster.users)
                or any(one.owns(account.id, account.login) for account in roster.accounts)
            )
            yield name, found, roster.at

    def evidence(
        self, rules: Rules, state: State, teams: Iterable[Team], people: Iterable[str], at: datetime
    ) -> Mapping[str, Json]:
        """Return what an entry attests of these people and teams."""
        wanted = {team.name for team in teams}
        found = [one for one in self._named(rules, state, at) if one[0] in wanted]
        looked = min((one[2] for one in found), default=at)
        return attested({name: who for name, who, _ in found}, people, looked)


def lines_that_ask(rule: EffectiveRule) -> tuple[Line, ...]:
    """Return every line of a rule: of approvals, of the way back, of an emergency."""
    where = rule.environment
    emergency = where.emergency.approvals if where.emergency else ()
    return (*where.approvals, *where.rollback.approvals, *emergency)


def teams_of(rules: Rules, judging: Iterable[EffectiveRule]) -> tuple[Team, ...]:
    """Return the teams that live elsewhere and that one of these rules names."""
    found = (
        team
        for rule in judging
        for line in lines_that_ask(rule)
        for team in rules.outside(line.of, rule.service)
    )
    return tuple({team.name: team for team in found}.values())
