"""Whether a link stands: one human, one account on each side, proved on both, and against nothing that Git says."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from policies.allowed.asked import Asked, No, Refusal
from policies.allowed.reviews import may_review
from policies.allowed.speakers import by_bot, looked_up, may_speak
from policies.codes import Code
from policies.entries.emails import EMAIL, is_attested
from policies.entries.entry import By, Link
from policies.entries.membership import is_fresh
from policies.ledger.people import ACCOUNTS_DECIDE, agrees
from policies.rules.rules import OWNERS, Rules

DEVICE: Final = (
    "device"  # how it was proved: the person signed in at the forge with a code that we showed them
)
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}", re.ASCII)


def by_themselves(asked: Asked) -> No:
    """Is it the person whose accounts these are, signed in on both sides; for a key or a match the bot?"""
    linked, by = asked.entry.linked, asked.entry.by
    if linked is None or linked.domain:
        yield from by_bot(asked)
        return
    if not isinstance(by, By) or by.person != linked.person:
        yield Refusal(Code.NOT_AN_APPROVER, f"{linked.person} links only themselves")
        return
    if by.via != "link" or not _is_same(by, linked):
        yield Refusal(Code.UNKNOWN_PERSON, "a link is said by the two accounts that it links")
    if not may_speak(asked.entry.evidence.get("account")):
        yield Refusal(
            Code.ACCOUNT, "expected an active member of the bot's own workspace, no guest and no bot"
        )
    yield from looked_up(asked)


def _is_same(by: By, linked: Link) -> bool:
    said = (by.slack_team, by.slack_user, by.forge_id, by.forge_login)
    return said == (linked.slack_team, linked.slack_user, linked.forge_id, linked.forge_login)


def link(asked: Asked, linked: Link) -> No:
    """Is it proved, does Git say nothing else, and has nobody else one of the accounts?"""
    if asked.rules is None:
        yield Refusal(Code.NO_RULE, "there are no rules yet")
        return
    yield from _proved(asked, linked)
    if linked.domain:
        yield from _matched(asked, asked.rules, linked)
    yield from _in_git(asked, asked.rules, linked)
    for name in _others(asked, asked.rules, linked):
        yield Refusal(Code.LINKED_ELSEWHERE, f"one of the accounts is {name}'s")
    yield from _again(asked, asked.rules, linked)


def _matched(asked: Asked, rules: Rules, linked: Link) -> No:
    """Do the rules switch it on, for nobody whom they name, and did both accounts have one address just then?"""
    if linked.domain not in rules.identity.email:
        yield Refusal(Code.NO_RULE, f"the rules match nobody by addresses at {linked.domain}")
    if linked.person in rules.people:
        yield Refusal(Code.UNKNOWN_PERSON, f"the rules say who {linked.person} is")
    if not is_attested(asked.entry.evidence, linked.person, linked.domain, asked.entry.time):
        yield Refusal(Code.EVIDENCE_MISSING, "expected that both accounts have one address, of this moment")
    if not may_speak(asked.entry.evidence.get("account")):
        yield Refusal(
            Code.ACCOUNT, "expected an active member of the bot's own workspace, no guest and no bot"
        )


def _again(asked: Asked, rules: Rules, linked: Link) -> No:
    """Is it the first link of this human, or the same two accounts, of which one has another name now?

    Else who holds one of somebody's accounts for a moment could put their own in the place of the other.
    """
    earlier = asked.state.links.get(linked.person)
    if earlier is None or not agrees(rules, earlier):
        return
    if earlier.domain and not linked.domain and earlier.slack_user == linked.slack_user:
        return  # a match by e-mail gives way to what the person shows
    if earlier == linked:
        yield Refusal(Code.OUT_OF_LINE, f"{linked.person} is linked so already")
    elif (earlier.slack_user, earlier.forge_id) != (linked.slack_user, linked.forge_id):
        other = f"{earlier.slack_user} and {earlier.forge_login}"
        yield Refusal(
            Code.LINKED_ELSEWHERE, f"{linked.person} is {other}; `people` in the rules may say else"
        )


def _proved(asked: Asked, linked: Link) -> No:
    """Does the entry show the forge's own word for the account, of this moment?"""
    proof = asked.entry.evidence.get("forge")
    told = proof if isinstance(proof, Mapping) else {}
    is_theirs = (told.get("id"), told.get("login")) == (linked.forge_id, linked.forge_login)
    if not linked.forge_id or not is_theirs or told.get("proof") != (EMAIL if linked.domain else DEVICE):
        yield Refusal(Code.EVIDENCE_MISSING, "expected the forge's own word: id, login, and how it was given")
    if not is_fresh(told.get("looked"), asked.entry.time):
        yield Refusal(Code.EVIDENCE_MISSING, "expected the forge's word of this moment")
    if not may_review(asked.entry.evidence.get("forge_account")):
        yield Refusal(Code.ACCOUNT, f"expected {linked.forge_login} to be an active person's account")


def _in_git(asked: Asked, rules: Rules, linked: Link) -> No:
    """Does ``people`` agree, or not know this human at all?"""
    named = rules.people.get(linked.person)
    if named is None:
        earlier = asked.state.links.get(linked.person)
        if earlier and earlier.slack_user == linked.slack_user:
            return  # the same human, with another account at the forge
        if linked.person not in names_for(rules, linked.forge_login, linked.forge_id):
            yield Refusal(
                Code.UNKNOWN_PERSON, f"the rules know no {linked.person}; expected the login as a name"
            )
        return
    if named.slack and named.slack != linked.slack_user:
        yield Refusal(Code.UNKNOWN_PERSON, f"the rules do not link {linked.person} to {linked.slack_user}")
    if named.github and named.github.lower() != linked.forge_login.lower():
        yield Refusal(Code.UNKNOWN_PERSON, f"the rules link {linked.person} to {named.github}")


def names_for(rules: Rules, login: str, number: int) -> tuple[str, ...]:
    """Return the names that somebody may have whom the rules do not name: the login, with its number where it is taken.

    Nobody gets a name that the rules use for a person or a team.
    """
    plain = re.sub(r"[^a-z0-9-]", "-", login.lower())
    taken = {*rules.people, *rules.teams, OWNERS}
    return tuple(name for name in (plain, f"{plain}-{number}") if name not in taken and _NAME.fullmatch(name))


def _others(asked: Asked, rules: Rules, linked: Link) -> Iterator[str]:
    """Yield who else has one of the accounts: by the rules, by a link, or by what an entry of theirs named."""
    login, state = linked.forge_login.lower(), asked.state
    for person in rules.people.values():
        has_login = person.github.lower() == login
        has_slack = person.slack == linked.slack_user
        if person.name != linked.person and (has_login or has_slack):
            yield person.name
    for one in state.links.values():
        is_same = one.forge_id == linked.forge_id or one.slack_user == linked.slack_user
        if one.domain and not linked.domain and not _is_theirs(asked, rules, one, linked):
            continue  # a match ends where somebody shows that the account is theirs
        if one.person != linked.person and is_same:
            yield one.person
    for name, met in state.forge_ids.items():
        if name != linked.person and met.number == linked.forge_id:
            yield name


def _is_theirs(asked: Asked, rules: Rules, match: Link, linked: Link) -> bool:
    """Whether a match is of the one who links: then they keep its name, also where the rules switched it off since."""
    if asked.entry.time < ACCOUNTS_DECIDE:
        return False
    return match.slack_user == linked.slack_user and agrees(rules, match)
