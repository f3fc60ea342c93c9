"""What Slack sends to an app when a person acts: forms of commands, payloads of interactions, events."""

import secrets
from typing import Any

from sandbox.slack.feed import Message, View
from sandbox.slack.form import filled
from sandbox.slack.members import User
from sandbox.slack.twin import SlackTwin
from sandbox.slack.view_answers import shown_view

_VERIFICATION = "sandbox-verification"  # Slack's old token: still sent, no longer to be trusted


class Payloads:
    """Words what one person does, with tickets (trigger ids, response URLs) of the workspace."""

    def __init__(self, twin: SlackTwin, user: str) -> None:
        self._twin = twin
        self._workspace = twin.workspace
        self._id = user

    def command(self, word: str, text: str, channel: str) -> dict[str, str]:
        """Return the form of a slash command."""
        there = self._workspace
        room = there.channel(channel)
        key = there.tickets.response_url(self._id, room.id)
        return {
            "token": _VERIFICATION,
            "team_id": self._team(),
            "team_domain": there.domain,
            "channel_id": room.id,
            "channel_name": "directmessage" if room.is_im else room.name,
            "user_id": self._id,
            "user_name": self._user.name,
            "command": word,
            "text": text,
            "api_app_id": there.app.id,
            "is_enterprise_install": "false",
            "response_url": self._twin.response_url(key),
            "trigger_id": there.tickets.trigger(self._id),
        }

    def click(
        self,
        on: Message | View,
        block: dict[str, Any],
        element: dict[str, Any],
        action: dict[str, Any],
        values: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Return the payload of a click (``block_actions``)."""
        blocks = list(on.blocks) if isinstance(on, Message) else on.payload["blocks"]
        state = filled(blocks, values or {})
        told: dict[str, Any] = {
            "trigger_id": self._workspace.tickets.trigger(self._id, on.id if isinstance(on, View) else ""),
            **self._place(on, state),
            "actions": [
                {
                    "action_id": element["action_id"],
                    "block_id": block["block_id"],
                    **action,
                    "type": element["type"],
                    "action_ts": self._now(),
                }
            ],
        }
        if isinstance(on, Message):
            told["response_url"] = self._twin.response_url(self._ticket(on))
            told["state"] = {"values": state}
        return self._payload("block_actions") | told

    def submission(self, view: View, state: dict[str, Any]) -> dict[str, Any]:
        """Return the payload of a modal that was sent."""
        return self._payload("view_submission") | {
            "trigger_id": self._workspace.tickets.trigger(self._id, view.id),
            "view": shown_view(self._workspace, view, state),
            "response_urls": [],
        }

    def closed(self, view: View, *, is_cleared: bool) -> dict[str, Any]:
        """Return the payload of a modal that was closed."""
        told = {"view": shown_view(self._workspace, view), "is_cleared": is_cleared}
        return self._payload("view_closed") | told

    def suggestion(
        self, on: Message | View, block: dict[str, Any], element: dict[str, Any], typed: str
    ) -> dict[str, Any]:
        """Return the payload that asks the app for the options of a menu."""
        asked = {"action_id": element["action_id"], "block_id": block["block_id"], "value": typed}
        return self._payload("block_suggestion") | asked | self._place(on, {})

    def shortcut(self, callback_id: str, message: Message | None) -> dict[str, Any]:
        """Return the payload of a shortcut, global or on a message."""
        told: dict[str, Any] = {
            "callback_id": callback_id,
            "action_ts": self._now(),
            "trigger_id": self._workspace.tickets.trigger(self._id),
        }
        if message is None:
            return self._payload("shortcut") | told
        told |= {"message_ts": message.ts, "response_url": self._twin.response_url(self._ticket(message))}
        return self._payload("message_action") | told | self._place(message, {})

    def home_opened(self) -> dict[str, Any]:
        """Return the event of somebody looking at the App Home."""
        there = self._workspace
        home = there.views.home(self._id)
        event: dict[str, Any] = {
            "type": "app_home_opened",
            "user": self._id,
            "channel": there.direct(self._id).id,
            "tab": "home",
            "event_ts": self._now(),
        }
        return self._event(event | ({"view": shown_view(there, home)} if home else {}))

    def _payload(self, kind: str) -> dict[str, Any]:
        there = self._workspace
        return {
            "type": kind,
            "user": {
                "id": self._id,
                "username": self._user.name,
                "name": self._user.name,
                "team_id": self._team(),
            },
            "api_app_id": there.app.id,
            "token": _VERIFICATION,
            "team": {"id": self._team(), "domain": there.domain},
            "enterprise": None,
            "is_enterprise_install": False,
        }

    def _place(self, on: Message | View, state: dict[str, Any]) -> dict[str, Any]:
        there = self._workspace
        if isinstance(on, View):
            return {
                "container": {"type": "view", "view_id": on.id},
                "view": shown_view(there, on, state),
            }
        room = there.channel(on.channel)
        place: dict[str, Any] = {
            "container": {
                "type": "message",
                "message_ts": on.ts,
                "channel_id": room.id,
                "is_ephemeral": bool(on.only_for),
                **({"thread_ts": on.thread_ts} if on.thread_ts else {}),
            },
            "channel": {"id": room.id, "name": "directmessage" if room.is_im else room.name},
        }
        if not on.only_for:  # Slack does not send an ephemeral message back
            place["message"] = there.as_seen(on)
        return place

    def _event(self, event: dict[str, Any]) -> dict[str, Any]:
        there = self._workspace
        installed = {"enterprise_id": None, "team_id": there.team, "user_id": there.app.user, "is_bot": True}
        return {
            "token": _VERIFICATION,
            "team_id": there.team,
            "api_app_id": there.app.id,
            "event": event,
            "type": "event_callback",
            "event_id": "Ev" + secrets.token_hex(5).upper(),
            "event_time": int(there.clock()),
            "authorizations": [{**installed, "is_enterprise_install": False}],
            "is_ext_shared_channel": False,
        }

    def _ticket(self, message: Message) -> str:
        return self._workspace.tickets.response_url(
            self._id,
            message.channel,
            source=message.ts,
            is_ephemeral=bool(message.only_for),
            thread_ts=message.thread_ts,
        )

    def _team(self) -> str:
        return self._user.team or self._workspace.team

    def _now(self) -> str:
        return f"{self._workspace.clock():.6f}"

    @property
    def _user(self) -> User:
        return self._workspace.user(self._id)
