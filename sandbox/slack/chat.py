"""The Web API about messages: chat.*, and the response URLs by which an app answers a person."""

from collections.abc import Mapping
from typing import Any

from sandbox.slack.block_kit import problems_of_blocks
from sandbox.slack.call import Answer, Call, Method, refuse_problems
from sandbox.slack.feed import Message
from sandbox.slack.member_answers import visible_channel
from sandbox.slack.members import Channel
from sandbox.slack.tickets import SlackRefusal
from sandbox.slack.workspace import Workspace

MAX_POST = 40_000  # characters; Slack, chat.postMessage
MAX_UPDATE = 4000  # Slack, chat.update
_WRITE = ("chat:write",)


def _post_message(call: Call) -> Answer:
    channel = _target(call)
    text, blocks, attachments = _content(call, MAX_POST)
    message = call.workspace.post(
        channel.id,
        call.workspace.app.user,
        text,
        blocks,
        thread_ts=_thread(call, channel),
        metadata=_metadata(call),
        attachments=attachments,
    )
    return {"channel": channel.id, "ts": message.ts, "message": call.workspace.as_seen(message)}


def _update(call: Call) -> Answer:
    message = _own(call, "cant_update_message")
    text, blocks, attachments = _content(call, MAX_UPDATE)
    new = call.workspace.edit(message, text, blocks, metadata=_metadata(call), attachments=attachments)
    return {
        "channel": new.channel,
        "ts": new.ts,
        "text": new.text,
        "message": call.workspace.as_seen(new),
    }


def _delete(call: Call) -> Answer:
    message = _own(call, "cant_delete_message")
    call.workspace.delete(message)
    return {"channel": message.channel, "ts": message.ts}


def _post_ephemeral(call: Call) -> Answer:
    channel = _target(call)
    key = call.needed("user")
    user = next((one for one in call.workspace.users if one.id == key), None)
    if user is None or user.deleted or user.id not in channel.members:
        raise SlackRefusal("user_not_in_channel")
    text, blocks, attachments = _content(call, MAX_POST)
    message = call.workspace.whisper(
        channel.id, user.id, text, blocks, thread_ts=_thread(call, channel), attachments=attachments
    )
    return {"message_ts": message.ts}


def _get_permalink(call: Call) -> Answer:
    channel = visible_channel(call)
    message = call.workspace.message(channel.id, call.needed("message_ts"))
    place = f"https://{call.workspace.domain}.slack.com/archives/{channel.id}/p{message.ts.replace('.', '')}"
    if message.thread_ts and message.thread_ts != message.ts:
        place += f"?thread_ts={message.thread_ts}&cid={channel.id}"
    return {"channel": channel.id, "permalink": place}


def _target(call: Call) -> Channel:
    """Return where an app may write: a channel by id, a public one also by name, a person's direct message."""
    key = call.needed("channel")
    there = call.workspace
    channel = next((one for one in there.channels if one.id == key), None)
    if channel is None and any(user.id == key and not user.deleted for user in there.users):
        channel = there.direct(key)
    if channel is None:
        name = key.removeprefix("#")
        channel = next((one for one in there.channels if one.name == name and not one.is_private), None)
    if channel is None:
        raise SlackRefusal("channel_not_found")
    return _writable(call, channel)


def _writable(call: Call, channel: Channel) -> Channel:
    if channel.is_archived:
        raise SlackRefusal("is_archived")
    if call.workspace.app.user not in channel.members:
        if channel.is_private or channel.is_im:
            raise SlackRefusal("channel_not_found")
        if "chat:write.public" not in call.scopes:
            raise SlackRefusal("not_in_channel")
    return channel


def _own(call: Call, refusal: str) -> Message:
    """Return the message that ``channel`` and ``ts`` name, if the app wrote it."""
    channel = visible_channel(call)
    message = call.workspace.message(channel.id, call.needed("ts"))
    if not message.by_app:
        raise SlackRefusal(refusal)
    return message


def _thread(call: Call, channel: Channel) -> str:
    ts = call.word("thread_ts")
    if ts and call.workspace.find(channel.id, ts) is None:
        raise SlackRefusal("thread_not_found")
    return ts


def _metadata(call: Call) -> dict[str, Any] | None:
    value = call.structure("metadata", "invalid_metadata_format")
    if value is None:
        return None
    is_whole = isinstance(value, dict) and isinstance(value.get("event_payload"), dict)
    if not is_whole or not isinstance(value.get("event_type"), str):
        raise SlackRefusal("invalid_metadata_format")
    return dict(value)


def _content(call: Call, most: int) -> tuple[str, list[dict[str, Any]], list[dict[str, Any]]]:
    """Return text, blocks and attachments of a message that Slack would take. Raises: SlackRefusal."""
    blocks = call.structure("blocks", "invalid_blocks_format")
    attachments = call.structure("attachments", "invalid_attachments")
    if blocks is not None and not isinstance(blocks, list):
        raise SlackRefusal("invalid_blocks_format")
    if attachments is not None and not (
        isinstance(attachments, list) and all(isinstance(one, dict) for one in attachments)
    ):
        raise SlackRefusal("invalid_attachments")
    refuse_problems("invalid_blocks", problems_of_blocks(blocks or []))
    text = call.word("text")
    if not (text.strip() or blocks or attachments):
        raise SlackRefusal("no_text")
    if len(text) > most:
        raise SlackRefusal("msg_too_long")
    return text, blocks or [], attachments or []


def respond(workspace: Workspace, key: str, arguments: Mapping[str, Any]) -> None:
    """Do what an app posts to a response URL. Raises: SlackRefusal."""
    call = Call(workspace, arguments, frozenset())
    ticket = workspace.tickets.look_up(key)
    source = workspace.find(ticket.channel, ticket.source) if ticket.source else None
    if call.flag("delete_original"):
        workspace.tickets.use(key)
        if source is None:
            raise SlackRefusal("message_not_found")
        workspace.delete(source)
        return
    text, blocks, attachments = _content(call, MAX_POST)
    workspace.tickets.use(key)
    if call.flag("replace_original") and source is not None:
        workspace.edit(source, text, blocks, attachments=attachments)
    else:
        say(workspace, ticket.channel, ticket.user, arguments, call.word("thread_ts"))


def say(
    workspace: Workspace, channel: str, user: str, arguments: Mapping[str, Any], thread_ts: str = ""
) -> Message:
    """Say what an app answers to a person: to all where it says ``in_channel``, else to that person alone.

    Raises: SlackRefusal.
    """
    call = Call(workspace, arguments, frozenset())
    text, blocks, attachments = _content(call, MAX_POST)
    if call.word("response_type") == "in_channel":
        own = workspace.app.user
        return workspace.post(channel, own, text, blocks, thread_ts=thread_ts, attachments=attachments)
    return workspace.whisper(channel, user, text, blocks, thread_ts=thread_ts, attachments=attachments)


METHODS = {
    "chat.postMessage": Method(_post_message, _WRITE),
    "chat.update": Method(_update, _WRITE),
    "chat.delete": Method(_delete, _WRITE),
    "chat.postEphemeral": Method(_post_ephemeral, _WRITE),
    "chat.getPermalink": Method(_get_permalink),
}
