"""Whether somebody is among those who wrote code, or by whose hands a commit came: by name, and by account."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from policies.entries.authors import Authors, accounts_told
from policies.entries.entry import By
from policies.entries.tables import Tables
from policies.ledger.people import ACCOUNTS_DECIDE, of_forge
from policies.rules.rules import Rules

__all__ = ["CUT_DECIDES", "is_among", "told_anew", "whose"]

# what is opened from here on: a list of accounts that was cut lets nobody off
CUT_DECIDES: Final = datetime(2026, 11, 28, tzinfo=UTC)


def whose(rules: Rules, state: Tables, accounts: Mapping[int, str]) -> Authors:
    """Return whose accounts these are (number -> login), and in ``why`` how many of them are left out."""
    known = {
        number: person.name
        for number, login in accounts.items()
        if (person := of_forge(rules, state.links, state.forge_ids, number=number, login=login))
    }
    logins, ids, left = accounts_told(accounts, known)
    return Authors(people=tuple(sorted(set(known.values()))), logins=logins, ids=ids, why=left)


def told_anew(before: Authors | None, now: Authors | None, since: datetime) -> Authors | None:
    """Return who is told now; in doubt where so many were told before that some may be left out, and now fewer are.

    A list that is cut names those first whom rules and links know by then, so the one told with a word lets its speaker
    off, and an older one does not. The accounts of commits do not become fewer: then not all of them were told.
    ``since``: when it began what it is about (UTC).
    """
    if now is None or before is None or since < CUT_DECIDES:
        return now
    is_whole = now.is_cut and now.is_known  # of a group one member's list may be cut and another's not known
    return replace(now, is_doubtful=True) if before.is_cut and not is_whole else now


def is_among(told: Authors | None, by: By, since: datetime) -> bool:
    """Whether who speaks, with the accounts that are known of them, is one of these people.

    Their account at the forge decides by its number, where the numbers were told, else by its login: the name in the
    rules may be another one by now. ``since``: when it began what it is about (UTC).
    """
    if told is None:
        return False
    if by.person in told.people:
        return True
    if since < ACCOUNTS_DECIDE:
        return False
    if told.is_doubtful:
        return bool(by.forge_id or by.forge_login)
    if by.forge_id and told.ids:
        return by.forge_id in told.ids
    return bool(by.forge_login) and by.forge_login.lower() in {one.lower() for one in told.logins}
