"""The chat: Slack's Web API behind the ``Chat`` port. Accounts are looked up each time, messages edited in place."""

import logging
import re
import threading
from typing import Any

from slack_sdk import WebClient

from bot.cards import Shown
from bot.errors import PermanentError, SettingsError
from bot.ports import Account
from handlers.slack.blocks import COMMAND, Message
from handlers.slack.called import called
from handlers.slack.cards import render
from handlers.slack.errors import SlackRefusedError, translated
from policies.entries.entry import Placed

API_URL = "https://slack.com/api/"
METADATA = "countersign"  # event_type of our messages' metadata
TIMEOUT_SECONDS = 10
_CHANNEL_ID = re.compile(r"[CDG][A-Z0-9]{2,30}", re.ASCII)
_PAGE = 1000  # Slack, conversations.list
_MAX_PAGES = 200
_GONE = frozenset(
    {"message_not_found", "cant_update_message", "channel_not_found", "edit_window_closed", "thread_locked"}
)
_MEMBER = Account(is_active=True, is_bot=False, is_guest=False, is_home=True)
_NOBODY = Account(is_active=False, is_bot=False, is_guest=False, is_home=False)


def web_client(token: str, api_url: str = API_URL) -> WebClient:
    """Return a client that repeats nothing by itself. Raises: SettingsError."""
    if not (api_url.startswith(("https://", "http://")) and api_url.endswith("/api/")):
        raise SettingsError(f"SLACK_API_URL is {api_url[:100]!r}; expected an address that ends with /api/")
    return WebClient(
        token=token, base_url=api_url, timeout=TIMEOUT_SECONDS, retry_handlers=[], logger=_quiet()
    )


def _quiet() -> logging.Logger:
    """Return a logger for the SDK that keeps answers which it cannot read, and prints, out of the log."""
    logger = logging.getLogger("countersign.slack-sdk")
    logger.setLevel(logging.CRITICAL)
    return logger


class SlackChat:
    """Shows cards and says who an account is. Thread-safe. Raises: BotError."""

    def __init__(self, client: WebClient, command: str = COMMAND) -> None:
        self._client = client
        self._command = command
        self._lock = threading.Lock()
        self._home = ""
        self._channels: dict[str, str] = {}  # name without # -> id

    def account(self, team: str, user: str) -> Account:
        """Look an account up, now: flags change, and a decision hangs on them."""
        home = self.home()
        try:
            with translated("users.info"):
                found = self._client.users_info(user=user).get("user")
        except SlackRefusedError as error:
            if error.code in {"user_not_found", "user_not_visible"}:
                return _NOBODY
            raise
        return _account(found, home, is_from_home=team == home) if isinstance(found, dict) else _NOBODY

    def email(self, user: str) -> str:
        """Return the confirmed address of a full member who alone has it, '' where there is none such.

        Slack shows addresses only with the scope ``users:read.email``.
        """
        home = self.home()
        with translated("users.info"):
            found = self._client.users_info(user=user).get("user")
        if not isinstance(found, dict) or _account(found, home, is_from_home=True) != _MEMBER:
            return ""
        profile = found.get("profile")
        address = profile.get("email") if isinstance(profile, dict) else None
        if not isinstance(address, str) or not address or found.get("is_email_confirmed") is not True:
            return ""
        with translated("users.lookupByEmail"):
            owner = self._client.users_lookupByEmail(email=address).get("user")
        return address if isinstance(owner, dict) and owner.get("id") == found.get("id") else ""

    def group(self, named: str) -> frozenset[str]:
        """Return the user ids of a user group, named ``@handle`` or by its id. Raises: BotError."""
        handle = named.removeprefix("@")
        with translated("usergroups.list"):
            answer = self._client.usergroups_list(include_users=True)
        for group in answer.get("usergroups") or ():
            if handle in {group.get("handle"), group.get("id")}:
                return frozenset(one for one in group.get("users") or () if isinstance(one, str))
        raise PermanentError(
            f"slack:{named[:80]} is not there: somebody makes the user group again, or the rules name another one"
        )

    def show(self, shown: Shown, *, seq: int, place: Placed | None) -> Placed:
        """Edit where it stands; post where it stands nowhere any more."""
        message = called(render(shown, seq), self._command)
        metadata = {"event_type": METADATA, "event_payload": {"what": shown.what, "seq": seq}}
        if place is not None and place.message and self._edited(place, message, metadata):
            return Placed(shown.what, place.channel, place.message, seq)
        return self._posted(shown, seq, message, metadata)

    def withdraw(self, place: Placed) -> None:
        """Delete a message of ours; one that is gone already is fine."""
        try:
            with translated("chat.delete", where=place.channel):
                self._client.chat_delete(channel=place.channel, ts=place.message)
        except SlackRefusedError as error:
            if error.code not in _GONE:
                raise

    def _edited(self, place: Placed, message: Message, metadata: dict[str, Any]) -> bool:
        try:
            with translated("chat.update", where=place.channel):
                self._client.chat_update(
                    channel=place.channel,
                    ts=place.message,
                    text=message.text,
                    blocks=list(message.blocks),
                    metadata=metadata,
                    parse="none",
                    link_names=False,
                )
        except SlackRefusedError as error:
            if error.code in _GONE:
                return False
            raise
        return True

    def _posted(self, shown: Shown, seq: int, message: Message, metadata: dict[str, Any]) -> Placed:
        channel = self._channel(shown.channel)
        try:
            with translated("chat.postMessage", where=shown.channel):
                answer = self._client.chat_postMessage(
                    channel=channel,
                    text=message.text,
                    blocks=list(message.blocks),
                    metadata=metadata,
                    unfurl_links=False,
                    unfurl_media=False,
                    parse="none",
                    link_names=False,
                )
        except SlackRefusedError:
            self._forget(shown.channel)
            raise
        return Placed(shown.what, str(answer["channel"]), str(answer["ts"]), seq)

    def _channel(self, named: str) -> str:
        """Return a channel's id; a name is looked up once. Raises: PermanentError, that says who can mend it."""
        if _CHANNEL_ID.fullmatch(named):
            return named
        name = named.removeprefix("#")
        with self._lock:
            if name not in self._channels:
                self._channels.update(self._listed())
            if name in self._channels:
                return self._channels[name]
        raise PermanentError(
            f"Countersign finds no channel #{name}: somebody makes it, or types `/invite @countersign` in it "
            "if it is private, or the rules name another one"
        )

    def _listed(self) -> dict[str, str]:
        found: dict[str, str] = {}
        cursor = ""
        for _ in range(_MAX_PAGES):
            with translated("conversations.list"):
                answer = self._client.conversations_list(
                    types="public_channel,private_channel", exclude_archived=True, limit=_PAGE, cursor=cursor
                )
            found |= {
                str(one["name"]): str(one["id"]) for one in answer.get("channels") or () if "name" in one
            }
            cursor = str((answer.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                break
        return found

    def _forget(self, named: str) -> None:
        with self._lock:
            self._channels.pop(named.removeprefix("#"), None)

    def home(self) -> str:
        """Return the workspace of the bot, which never changes for a token."""
        with self._lock:
            if not self._home:
                with translated("auth.test"):
                    self._home = str(self._client.auth_test()["team_id"])
            return self._home


def _account(user: dict[str, Any], home: str, *, is_from_home: bool) -> Account:
    """Read the flags (Slack, "User object"); a deactivated account comes without most of them."""
    guest = ("is_restricted", "is_ultra_restricted", "is_stranger")
    bot = ("is_bot", "is_workflow_bot", "is_connector_bot")
    enterprise = user.get("enterprise_user")  # of an organization with several workspaces
    teams = enterprise.get("teams") if isinstance(enterprise, dict) else None
    is_elsewhere = isinstance(teams, list) and home not in teams
    return Account(
        is_active=user.get("deleted") is False and not user.get("is_invited_user"),
        is_bot=any(bool(user.get(flag)) for flag in bot) or user.get("id") == "USLACKBOT",
        is_guest=any(bool(user.get(flag)) for flag in guest),
        is_home=is_from_home and user.get("team_id") == home and not is_elsewhere,
    )
