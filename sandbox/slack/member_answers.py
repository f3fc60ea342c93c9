"""The Web API about who and where: auth, team, users, conversations, user groups."""

from typing import Any

from sandbox.slack.call import Answer, Call, Method
from sandbox.slack.feed import Message
from sandbox.slack.members import Channel
from sandbox.slack.tickets import SlackRefusal

_READ = ("channels:read", "groups:read", "im:read", "mpim:read")
_HISTORY = ("channels:history", "groups:history", "im:history", "mpim:history")


def visible_channel(call: Call) -> Channel:
    """Return the channel that ``channel`` names by id, if the app may know of it. Raises: SlackRefusal."""
    key = call.needed("channel")
    channel = next((one for one in call.workspace.channels if one.id == key), None)
    own = call.workspace.app.user
    if channel is None or ((channel.is_private or channel.is_im) and own not in channel.members):
        raise SlackRefusal("channel_not_found")
    return channel


def _auth_test(call: Call) -> Answer:
    there = call.workspace
    return {
        "url": f"https://{there.domain}.slack.com/",
        "team": there.name,
        "user": there.user(there.app.user).name,
        "team_id": there.team,
        "user_id": there.app.user,
        "bot_id": there.app.bot_id,
        "is_enterprise_install": False,
    }


def _api_test(call: Call) -> Answer:
    if error := call.word("error"):
        raise SlackRefusal(error, args=dict(call.arguments))
    return {"args": dict(call.arguments)}


def _team_info(call: Call) -> Answer:
    there = call.workspace
    return {
        "team": {"id": there.team, "name": there.name, "domain": there.domain, "email_domain": "", "icon": {}}
    }


def _users_info(call: Call) -> Answer:
    key = call.needed("user")
    user = next((one for one in call.workspace.users if one.id == key), None)
    if user is None:
        raise SlackRefusal("user_not_found")
    return {"user": _shown_user(call, user.as_json(call.workspace.team))}


def _users_list(call: Call) -> Answer:
    users, cursor = call.page(call.workspace.users)
    shown = [_shown_user(call, user.as_json(call.workspace.team)) for user in users]
    return {"members": shown, "response_metadata": {"next_cursor": cursor}}


def _users_lookup(call: Call) -> Answer:
    email = call.needed("email").lower()
    for user in call.workspace.users:
        if user.email.lower() == email and not user.deleted and not user.team:
            return {"user": user.as_json(call.workspace.team)}
    raise SlackRefusal("users_not_found")


def _shown_user(call: Call, user: Answer) -> Answer:
    if "users:read.email" not in call.scopes:
        user["profile"].pop("email", None)
    return user


def _conversations_list(call: Call) -> Answer:
    kinds = set((call.word("types") or "public_channel").replace(" ", "").split(","))
    if not kinds <= {"public_channel", "private_channel", "im", "mpim"}:
        raise SlackRefusal("invalid_types")
    own = call.workspace.app.user
    found = [
        channel
        for channel in call.workspace.channels
        if _kind(channel) in kinds
        and (_kind(channel) == "public_channel" or own in channel.members)
        and not (call.flag("exclude_archived") and channel.is_archived)
    ]
    channels, cursor = call.page(found)
    return {
        "channels": [_shown_channel(call, channel) for channel in channels],
        "response_metadata": {"next_cursor": cursor},
    }


def _conversations_info(call: Call) -> Answer:
    channel = visible_channel(call)
    shown = _shown_channel(call, channel)
    if call.flag("include_num_members") and not channel.is_im:
        shown["num_members"] = len(channel.members)
    return {"channel": shown}


def _conversations_members(call: Call) -> Answer:
    members, cursor = call.page(sorted(visible_channel(call).members))
    return {"members": members, "response_metadata": {"next_cursor": cursor}}


def _conversations_open(call: Call) -> Answer:
    if call.word("channel"):
        channel = visible_channel(call)
        if not channel.is_im:
            raise SlackRefusal("channel_not_found")
    else:
        users = [user for user in call.needed("users").replace(" ", "").split(",") if user]
        if len(users) != 1:
            raise SlackRefusal("too_many_users" if users else "users_list_not_supplied")
        channel = _opened(call, users[0])
    shown = _shown_channel(call, channel) if call.flag("return_im") else {"id": channel.id}
    return {"channel": shown}


def _opened(call: Call, key: str) -> Channel:
    user = next((one for one in call.workspace.users if one.id == key), None)
    if user is None:
        raise SlackRefusal("user_not_found")
    if user.deleted:
        raise SlackRefusal("user_disabled")
    if user.is_bot:
        raise SlackRefusal("cannot_dm_bot")
    return call.workspace.direct(user.id)


def _history(call: Call) -> Answer:
    roots = [one for one in _stored(call) if one.thread_ts in {"", one.ts}]
    messages, cursor = call.page([one for one in reversed(roots) if _within(call, one)])
    return _page_of(call, messages, cursor)


def _replies(call: Call) -> Answer:
    ts = call.needed("ts")
    thread = [one for one in _stored(call) if ts in {one.ts, one.thread_ts}]
    if not thread:
        raise SlackRefusal("thread_not_found")
    messages, cursor = call.page([one for one in thread if one.ts == ts or _within(call, one)], 1000)
    return _page_of(call, messages, cursor)


def _stored(call: Call) -> tuple[Message, ...]:
    channel = visible_channel(call)
    if call.workspace.app.user not in channel.members:
        raise SlackRefusal("not_in_channel")
    return call.workspace.messages(channel.id)


def _within(call: Call, message: Message) -> bool:
    oldest, latest = call.word("oldest"), call.word("latest")
    try:
        ts, low, high = float(message.ts), float(oldest or 0), float(latest or "inf")
    except ValueError:
        raise SlackRefusal("invalid_ts_oldest") from None
    return low <= ts <= high if call.flag("inclusive") else low < ts < high


def _page_of(call: Call, messages: list[Message], cursor: str) -> Answer:
    shown = [call.workspace.as_seen(message) for message in messages]
    if call.flag("include_all_metadata"):
        for message, answer in zip(messages, shown, strict=True):
            if message.metadata:
                answer["metadata"] = message.metadata
    more: dict[str, Any] = {"response_metadata": {"next_cursor": cursor}} if cursor else {}
    return {"messages": shown, "has_more": bool(cursor), **more}


def _kind(channel: Channel) -> str:
    if channel.is_im:
        return "im"
    return "private_channel" if channel.is_private else "public_channel"


def _shown_channel(call: Call, channel: Channel) -> Answer:
    own = call.workspace.app.user
    if channel.is_im:
        return {"id": channel.id, "is_im": True, "is_archived": False, "user": channel.partner(own)}
    return {
        "id": channel.id,
        "name": channel.name,
        "name_normalized": channel.name,
        "is_channel": not channel.is_private,
        "is_group": channel.is_private,
        "is_im": False,
        "is_mpim": False,
        "is_private": channel.is_private,
        "is_archived": channel.is_archived,
        "is_member": own in channel.members,
        "context_team_id": call.workspace.team,
    }


def _usergroups_list(call: Call) -> Answer:
    groups = [
        {
            "id": group.id,
            "team_id": call.workspace.team,
            "is_usergroup": True,
            "name": group.name,
            "handle": group.handle,
            "date_delete": 1 if group.disabled else 0,
            **({"users": list(group.users)} if call.flag("include_users") else {}),
            **({"user_count": len(group.users)} if call.flag("include_count") else {}),
        }
        for group in call.workspace.usergroups
        if not group.disabled or call.flag("include_disabled")
    ]
    return {"usergroups": groups}


def _usergroups_users(call: Call) -> Answer:
    key = call.needed("usergroup")
    for group in call.workspace.usergroups:
        if group.id == key and (not group.disabled or call.flag("include_disabled")):
            return {"users": list(group.users)}
    raise SlackRefusal("no_such_subteam")


METHODS = {
    "api.test": Method(_api_test),
    "auth.test": Method(_auth_test),
    "team.info": Method(_team_info, ("team:read",)),
    "users.info": Method(_users_info, ("users:read",)),
    "users.list": Method(_users_list, ("users:read",)),
    "users.lookupByEmail": Method(_users_lookup, ("users:read.email",)),
    "conversations.list": Method(_conversations_list, _READ),
    "conversations.info": Method(_conversations_info, _READ),
    "conversations.members": Method(_conversations_members, _READ),
    "conversations.open": Method(_conversations_open, ("im:write", "mpim:write", "channels:manage")),
    "conversations.history": Method(_history, _HISTORY),
    "conversations.replies": Method(_replies, _HISTORY),
    "usergroups.list": Method(_usergroups_list, ("usergroups:read",)),
    "usergroups.users.list": Method(_usergroups_users, ("usergroups:read",)),
}
