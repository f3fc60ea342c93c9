"""Who is one human, whatever their name is: by every account that entries, links and the rules of either time name."""

from dataclasses import replace
from datetime import datetime

from policies.allowed.asked import Asked
from policies.entries.entry import By
from policies.ledger.people import ACCOUNTS_DECIDE, Known, is_one, known
from policies.rules.rules import Rules

__all__ = ["is_same_human", "with_accounts", "with_link"]


def with_accounts(asked: Asked, by: By) -> By:
    """Return who speaks with both accounts that they have: a review names none in Slack."""
    return _with(by, _known(asked, asked.rules, by.person))


def with_link(asked: Asked, by: By) -> By:
    """Return who spoke before with both accounts of their link: a match by an address names none at the forge."""
    link = asked.state.links.get(by.person)
    if link is None or (by.slack_user != link.slack_user and by.forge_id != link.forge_id):
        return by
    return replace(by, slack_user=by.slack_user or link.slack_user, forge_id=by.forge_id or link.forge_id)


def is_same_human(asked: Asked, earlier: By, by: By, *, under: str, since: datetime) -> bool:
    """Whether who speaks now is who spoke then, ``under`` the rules at a commit.

    ``since``: when it began what they speak about (UTC).
    """
    before = with_link(asked, earlier)
    before = _with(before, _known(asked, asked.book.rules(under) if under else None, earlier.person))
    now = with_accounts(asked, by)
    return is_one(before, now, since) or (since >= ACCOUNTS_DECIDE and _has_login_of(now, before))


def _known(asked: Asked, rules: Rules | None, person: str) -> Known | None:
    return known(rules, asked.state.links, asked.state.forge_ids, person) if rules else None


def _with(by: By, who: Known | None) -> By:
    """Add the accounts that an entry does not name; a login only where no other account is meant."""
    if who is None:
        return by
    login = by.forge_login or (who.github if by.forge_id in {0, who.forge_id} else "")
    return replace(
        by, slack_user=by.slack_user or who.slack, forge_id=by.forge_id or who.forge_id, forge_login=login
    )


def _has_login_of(now: By, before: By) -> bool:
    """Whether both have one login, and it is not known that its account became somebody else's."""
    is_told_apart = bool(now.forge_id and before.forge_id)
    return (
        not is_told_apart and bool(now.forge_login) and now.forge_login.lower() == before.forge_login.lower()
    )
