"""Linking: a person shows that an account at the forge is theirs, and the ledger remembers whose it is."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.answers import Answer, NotRecorded, Recorded
from bot.errors import BotError, TransientError
from bot.ledger import Appended, NotAllowed, NotWritten, Proposal
from bot.looking.quarantine import SIGN_IN
from bot.looking.survey import Survey
from bot.ports import Asked, Chat, Ended, ForgeAccount, SignedIn, SignIn, Waits
from bot.promoting.accounts import flags_of, forge_flags
from bot.promoting.desk import Desk
from policies.allowed.identity import DEVICE, names_for
from policies.canonical import Json
from policies.codes import Code
from policies.entries.entry import By, Entry, Kind, Link, write_time
from policies.ledger.keys import expected_key
from policies.ledger.people import agrees, of_forge, of_slack
from policies.ledger.state import State
from policies.rules.rules import Rules
from policies.words import Speaker

_log = logging.getLogger(__name__)
Tell = Callable[[Answer], None]
MAX_PENDING = 100  # people who hold a code at the same time


@dataclass(frozen=True, slots=True)
class Pending:
    """Somebody who was given a code: until when it holds, when we may look again, and how they are told."""

    speaker: Speaker
    asked: Asked
    until: datetime
    next_look: datetime
    tell: Tell


@dataclass(slots=True)
class Linking:
    """Gives codes and looks whether they were typed. What is pending is lost with the process: one asks again."""

    desk: Desk
    chat: Chat | None = None
    sign_in: SignIn | None = None
    pending: dict[tuple[str, str], Pending] = field(default_factory=dict)

    def begin(self, speaker: Speaker, at: datetime, tell: Tell) -> Asked | NotRecorded:
        """Give a code, or again the one that still holds. Raises: BotError."""
        if self.sign_in is None or self.chat is None:
            return NotRecorded(code="link-unavailable", detail="set GITHUB_CLIENT_ID")
        who = (speaker.team, speaker.user)
        known = self.pending.get(who)
        if known is None or known.until <= at:
            if len(self.pending) >= MAX_PENDING:
                return NotRecorded(code="link-busy")
            asked = self.sign_in.begin()
            known = Pending(speaker, asked, at + asked.life, at + asked.interval, tell)
        self.pending[who] = replace(known, tell=tell)
        return known.asked

    def look(self, at: datetime) -> None:
        """Look at the codes that may be looked at now, and tell each person how theirs ended."""
        for who, one in list(self.pending.items()):
            if at < one.next_look and at < one.until:
                continue
            answer = self._looked(who, one, at)
            if answer is not None:
                del self.pending[who]
                one.tell(answer)

    def _looked(self, who: tuple[str, str], one: Pending, at: datetime) -> Answer | None:
        """Look once; nothing while it waits."""
        if one.until <= at:
            return NotRecorded(code="sign-in-expired")
        if self.sign_in is None:
            return NotRecorded(code="link-unavailable")
        try:
            found = self.sign_in.look(one.asked)
            if isinstance(found, SignedIn):
                return self._linked(one.speaker, found.account, at)
        except TransientError as error:
            _log.warning("a sign-in is looked at again later: %s", error)
            found = Waits(one.asked.interval)
        except BotError as error:
            _log.warning("a sign-in failed: %s", error)
            self.desk.jar.hear(SIGN_IN, "who signed in", error)
            return NotRecorded(code="sign-in-unavailable", detail=str(error))
        match found:
            case Waits():
                asked = replace(one.asked, interval=found.interval)
                self.pending[who] = replace(one, asked=asked, next_look=at + found.interval)
                return None
            case Ended():
                return NotRecorded(code=found.code, detail=found.detail)

    def _linked(self, speaker: Speaker, account: ForgeAccount, at: datetime) -> Answer:
        """Write the link down, said by both accounts. Raises: BotError."""
        if self.chat is None:
            return NotRecorded(code=Code.ACCOUNT)
        looked = write_time(at)
        flags: dict[str, Json] = {**flags_of(self.chat, speaker.team, speaker.user)}
        proof: dict[str, Json] = {"id": account.id, "login": account.login, "proof": DEVICE, "looked": looked}
        evidence: dict[str, Json] = {
            "account": flags,
            "forge": proof,
            "forge_account": forge_flags(account),
            "looked": looked,
        }

        def compose(look: Survey, _tip: str) -> Proposal:
            name = person_for(look.world.rules, look.state, speaker, account)
            if not name:
                return Proposal()
            linked = Link(name, speaker.team, speaker.user, account.id, account.login)
            if look.state.links.get(name) == linked:
                return Proposal()
            by = By(name, "link", speaker.team, speaker.user, account.id, account.login)
            entry = Entry(kind=Kind.IDENTITY, at=looked, key="", by=by, linked=linked, evidence=evidence)
            return Proposal((replace(entry, key=expected_key(look.state, entry)),))

        answer = self.desk.append(compose, at)
        match answer:
            case NotAllowed():
                return NotRecorded(code=str(answer.refusal.code), detail=answer.refusal.detail)
            case NotWritten():
                return NotRecorded(code=answer.code, detail=answer.detail)
            case Appended():
                rules = self.desk.rules(self.desk.mirror.tips()).rules
                name = person_for(rules, answer.state, speaker, account)
                return Recorded(kind=Kind.IDENTITY, person=name, login=account.login)


def person_for(rules: Rules, state: State, speaker: Speaker, account: ForgeAccount) -> str:
    """Return as whom somebody is linked: as whom they are known or were matched, else under their login."""
    found = of_slack(rules, state.links, state.forge_ids, speaker.user) or of_forge(
        rules, state.links, state.forge_ids, number=account.id, login=account.login
    )
    if found:
        return found.name
    for one in state.links.values():
        if one.domain and one.slack_user == speaker.user and agrees(rules, one):
            return one.person  # the rules match nobody there any more; it is the same human
    names = names_for(rules, account.login, account.id)
    return next((name for name in names if name not in state.links), "")
