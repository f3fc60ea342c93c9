"""Whether an entry that keeps the ledger itself stands: links, keys, sums, erasures, forks, unreadable input."""

from collections.abc import Mapping
from typing import Final

from policies.allowed_speakers import noted
from policies.asked import Asked, No, Refusal
from policies.checkpoint import sum_of
from policies.codes import Code
from policies.entry import By, Link
from policies.fold_repair import quarantined_on

MAX_QUARANTINES: Final = 20  # a day: whoever sends junk must not fill the branch


def identity(asked: Asked) -> No:
    """Does it link a person, or name another key, and not both?"""
    linked, signer = asked.entry.linked, asked.entry.signer
    if (linked is None) != bool(signer):
        yield Refusal(Code.OUT_OF_LINE, "it links a person, or it names a signing key")
    if signer and not asked.is_by_bot:
        yield Refusal(Code.NOT_AN_APPROVER, "the key is the bot's to change")
    if signer and signer == asked.state.signer:
        yield Refusal(Code.OUT_OF_LINE, "it is the key that signs already")
    if linked:
        yield from _link(asked, linked)


def _link(asked: Asked, linked: Link) -> No:
    """Is it one human, both ways: as the rules link them, with proof, and nobody else's account?"""
    by = asked.entry.by
    if isinstance(by, By) and by.person != linked.person:
        yield Refusal(Code.NOT_AN_APPROVER, f"{by.person} links only themselves")
    person = asked.rules.people.get(linked.person) if asked.rules else None
    if person is None or person.slack != linked.slack_user:
        yield Refusal(Code.UNKNOWN_PERSON, f"the rules do not link {linked.person} to {linked.slack_user}")
    if person and person.github and person.github.lower() != linked.forge_login.lower():
        yield Refusal(Code.UNKNOWN_PERSON, f"the rules link {linked.person} to {person.github}")
    for name in _others(asked, linked):
        yield Refusal(Code.UNKNOWN_PERSON, f"the account at the forge is {name}'s")
    proof = asked.entry.evidence.get("forge")
    told = proof if isinstance(proof, Mapping) else {}
    is_theirs = (told.get("id"), told.get("login")) == (linked.forge_id, linked.forge_login)
    if not linked.forge_id or not is_theirs or not told.get("proof"):
        yield Refusal(Code.EVIDENCE_MISSING, "expected the forge's own word: id, login, and how it was given")


def _others(asked: Asked, linked: Link) -> list[str]:
    """Return who else has that account, by the rules or by an earlier link."""
    login = linked.forge_login.lower()
    people = asked.rules.people.values() if asked.rules else ()
    named = [one.name for one in people if one.github and one.github.lower() == login]
    bound = [one.person for one in asked.state.links.values() if one.forge_id == linked.forge_id]
    return [name for name in dict.fromkeys((*named, *bound)) if name != linked.person]


def checkpoint(asked: Asked) -> No:
    """Is it the sum of the state that it follows?"""
    expected = sum_of(asked.state)
    if asked.entry.state != expected:
        yield Refusal(Code.OUT_OF_LINE, f"the state's sum is {expected[:12]}")


def redact(asked: Asked) -> No:
    """Is there such an entry, not erased yet, and a reason?"""
    yield from noted(asked)
    if not 1 < asked.entry.erases <= asked.state.seq:
        yield Refusal(Code.NOT_STANDING, f"there is nothing to erase at #{asked.entry.erases}")
    elif asked.entry.erases in asked.state.redacted:
        yield Refusal(Code.NOT_STANDING, f"#{asked.entry.erases} is erased already")


def fork(asked: Asked) -> No:
    """Is a reason given for a tip that is given up, once?"""
    yield from noted(asked)
    if asked.entry.lost in asked.state.forks:
        yield Refusal(Code.NOT_STANDING, f"{asked.entry.lost[:12]} is given up already")


def quarantine(asked: Asked) -> No:
    """Are there not too many of that day?"""
    if asked.state.count(quarantined_on(asked.entry)) >= MAX_QUARANTINES:
        yield Refusal(Code.TOO_MANY, f"{MAX_QUARANTINES} of that day are enough")
