"""Whether somebody is among those who wrote code, or by whose hands a commit came: by name, and by account."""

from datetime import datetime

from policies.entries.authors import Authors
from policies.entries.entry import By
from policies.ledger.people import ACCOUNTS_DECIDE

__all__ = ["is_among"]


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
