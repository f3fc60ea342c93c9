"""Whether somebody is among those who wrote code, or by whose hands a commit came: by name, and by account."""

from collections.abc import Mapping
from datetime import datetime

from policies.entries.authors import Authors, accounts_told
from policies.entries.entry import By
from policies.entries.tables import Tables
from policies.ledger.people import ACCOUNTS_DECIDE, of_forge
from policies.rules.rules import Rules

__all__ = ["is_among", "whose"]


def whose(rules: Rules, state: Tables, accounts: Mapping[int, str]) -> Authors:
    """Return whose accounts these are (number -> login), and in ``why`` how many of them are left out."""
    known = {
        number: person.name
        for number, login in accounts.items()
        if (person := of_forge(rules, state.links, state.forge_ids, number=number, login=login))
    }
    logins, ids, left = accounts_told(accounts, known)
    return Authors(people=tuple(sorted(set(known.values()))), logins=logins, ids=ids, why=left)


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
    if by.forge_id and told.ids:
        return by.forge_id in told.ids
    return bool(by.forge_login) and by.forge_login.lower() in {one.lower() for one in told.logins}
