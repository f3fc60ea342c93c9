"""Whether an entry that keeps the ledger itself stands: links, keys, sums, erasures, forks, unreadable input."""

import re
from typing import Final

from policies.allowed import identity as allowed_identity
from policies.allowed.asked import Asked, No, Refusal
from policies.allowed.speakers import noted
from policies.codes import Code
from policies.ledger.checkpoint import sum_of
from policies.ledger.repair import has_words, quarantine_input, quarantined_on

_OID = re.compile(r"[0-9a-f]{40}", re.ASCII)
MAX_QUARANTINES: Final = 20  # a day: whoever sends junk must not fill the branch


def identity(asked: Asked) -> No:
    """Does it link a person, or name another key, and not both?"""
    linked, signer = asked.entry.linked, asked.entry.signer
    if (linked is None) != bool(signer):
        yield Refusal(Code.OUT_OF_LINE, "it links a person, or it names a signing key")
    if signer == asked.state.signer:
        yield Refusal(Code.OUT_OF_LINE, "it is the key that signs already")
    if linked:
        yield from allowed_identity.link(asked, linked)


def checkpoint(asked: Asked) -> No:
    """Is it the sum of the state that it follows?"""
    expected = sum_of(asked.state)
    if asked.entry.state != expected:
        yield Refusal(Code.OUT_OF_LINE, f"the state's sum is {expected[:12]}")


def redact(asked: Asked) -> No:
    """Is there such an entry, with words, not erased yet, and a reason?"""
    yield from noted(asked)
    if not 1 < asked.entry.erases <= asked.state.seq:
        yield Refusal(Code.NOT_STANDING, f"there is nothing to erase at #{asked.entry.erases}")
    elif asked.entry.erases in asked.state.redacted:
        yield Refusal(Code.NOT_STANDING, f"#{asked.entry.erases} is erased already")
    elif not has_words(asked.state, asked.entry.erases):
        yield Refusal(Code.NOT_STANDING, f"#{asked.entry.erases} has no words of a person")


def fork(asked: Asked) -> No:
    """Is a reason given for a tip that is given up, once?"""
    yield from noted(asked)
    if asked.entry.lost in asked.state.forks:
        yield Refusal(Code.NOT_STANDING, f"{asked.entry.lost[:12]} is given up already")
    named = asked.entry.evidence.get("ends", [])
    if not isinstance(named, list) or not all(isinstance(one, str) and _OID.fullmatch(one) for one in named):
        yield Refusal(Code.OUT_OF_LINE, "each other end that is given up is a commit of 40 digits")


def quarantine(asked: Asked) -> No:
    """Are there not too many of that day, and is its hash that of what it says?"""
    entry = asked.entry
    told = quarantine_input(entry.why, entry.evidence.get("about", ""), entry.evidence.get("detail", ""))
    if asked.is_told_rightly and entry.input != told:
        yield Refusal(
            Code.OUT_OF_LINE, "its hash is not that of who sent it, what it was about and what is wrong"
        )
    if asked.state.count(quarantined_on(asked.entry)) >= MAX_QUARANTINES:
        yield Refusal(Code.TOO_MANY, f"{MAX_QUARANTINES} of that day are enough")
