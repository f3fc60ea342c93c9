"""What attests that two accounts have one e-mail address, by which they may be one human's."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from policies.canonical import Json
from policies.entries.membership import is_fresh

EMAIL: Final = "email"  # how a link was proved: both sides gave the same address
# What the forge vouches for: an address of a domain that the organization has verified, or that of the profile
HOW: Final = ("organization", "profile")


def attested(person: str, domain: str, how: str, looked: str) -> dict[str, Json]:
    """Return the evidence that two accounts of somebody had one address when looked up; the address is not in it."""
    return {"emails": {person: {"domain": domain, "how": how, "looked": looked}}}


def is_attested(evidence: Mapping[str, Json], person: str, domain: str, at: datetime) -> bool:
    """Whether evidence says so of this person and domain, looked up shortly before ``at`` (UTC)."""
    told = evidence.get("emails")
    found = told.get(person) if isinstance(told, Mapping) else None
    if not isinstance(found, Mapping):
        return False
    return found.get("domain") == domain and found.get("how") in HOW and is_fresh(found.get("looked"), at)
