"""Accounts looked up when a decision hangs on them, as evidence."""

from bot.ports import Chat, ForgeAccount
from policies.canonical import Json
from policies.entries.entry import By


def account_flags(chat: Chat, by: By) -> dict[str, bool]:
    """Look up the Slack account by which somebody spoke."""
    return flags_of(chat, by.slack_team, by.slack_user)


def flags_of(chat: Chat, team: str, user: str) -> dict[str, bool]:
    """Look a Slack account up."""
    found = chat.account(team, user)
    return {"active": found.is_active, "bot": found.is_bot, "guest": found.is_guest, "home": found.is_home}


def forge_flags(found: ForgeAccount | None) -> dict[str, Json]:
    """Say what an account of the forge is; one that is gone is no active one."""
    return {
        "active": found is not None and found.is_active,
        "bot": found is not None and not found.is_person,
    }
