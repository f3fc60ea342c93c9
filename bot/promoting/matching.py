"""Matching by e-mail, where the rules switch it on: one address, at one account in the chat and one at the forge."""

import logging
from dataclasses import dataclass, replace
from datetime import datetime

from bot.errors import BotError
from bot.ledger import NotAllowed, Proposal
from bot.looking.survey import Survey
from bot.ports import Chat, Forge, ForgeAccount
from bot.promoting.accounts import flags_of, forge_flags
from bot.promoting.desk import Desk
from policies.allowed.identity import names_for
from policies.canonical import Json
from policies.entries.emails import EMAIL, attested
from policies.entries.entry import Entry, Kind, Link, write_time
from policies.entries.mail_domains import address_of
from policies.ledger.keys import expected_key
from policies.ledger.people import Known, of_slack
from policies.rules.rules import Rules
from policies.words import Speaker

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Matched:
    """The account at the forge that has the address of somebody in the chat; ``how``: what vouches for it."""

    account: ForgeAccount
    domain: str
    how: str


@dataclass(slots=True)
class Matching:
    """Looks at both sides each time that something leans on a match: addresses change."""

    desk: Desk
    chat: Chat | None
    forge: Forge | None

    def look(self, rules: Rules, user: str) -> Matched | None:
        """Return the one account with the one address of a Slack user; whatever is not certain is nobody."""
        if self.chat is None or self.forge is None or not rules.identity.email:
            return None
        try:
            address = address_of(self.chat.email(user), rules.identity.email)
            if address is None:
                return None
            theirs = [
                one
                for one in self.forge.addresses()
                if (found := address_of(one.address, rules.identity.email)) and found[0] == address[0]
            ]
            if len({one.account for one in theirs}) != 1:
                return None
            account = self.forge.account_of_id(theirs[0].account)
        except BotError as error:
            _log.warning("nobody is matched by e-mail: %s", error)
            return None
        how = min(one.how for one in theirs)
        return (
            Matched(account, address[1], how) if account and account.is_person and account.is_active else None
        )

    def meet(self, rules: Rules, speaker: Speaker, at: datetime) -> None:
        """Write down who somebody is whom neither rules nor links know, where an address says it. Raises: BotError."""
        if not rules.identity.email:
            return
        state = self.desk.ledger.read(self.desk.mirror.tips()).state
        if of_slack(rules, state.links, state.forge_ids, speaker.user):
            return
        found = self.look(rules, speaker.user)
        if found is None or self.chat is None:
            return
        account, looked = found.account, write_time(at)
        names = names_for(rules, account.login, account.id)
        name = next((one for one in names if one not in state.links), "")
        if not name:
            return
        flags: dict[str, Json] = {**flags_of(self.chat, speaker.team, speaker.user)}
        linked = Link(name, speaker.team, speaker.user, account.id, account.login, found.domain)
        entry = Entry(
            kind=Kind.IDENTITY,
            at=looked,
            key="",
            linked=linked,
            evidence={
                "account": flags,
                "forge": {"id": account.id, "login": account.login, "proof": EMAIL, "looked": looked},
                "forge_account": forge_flags(account),
                **attested(name, found.domain, found.how, looked),
            },
        )

        def compose(look: Survey, _tip: str) -> Proposal:
            return Proposal((replace(entry, key=expected_key(look.state, entry)),))

        answer = self.desk.append(compose, at)
        if isinstance(answer, NotAllowed):
            _log.warning("nobody is matched by e-mail: %s", answer.refusal)

    def evidence(self, rules: Rules, who: Known, at: datetime) -> dict[str, Json]:
        """Return that both accounts of somebody have one address now; nothing where that is not so any more."""
        found = self.look(rules, who.slack) if who.domain else None
        if found is None or found.account.id != who.forge_id or found.domain != who.domain:
            return {}
        return attested(who.name, who.domain, found.how, write_time(at))
