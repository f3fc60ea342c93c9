"""A Slack workspace as values in memory: who is there, what was said, what each person has before them."""

import copy
import secrets
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, TypeVar

from sandbox.slack.block_kit import with_ids
from sandbox.slack.feed import Event, EventKind, Feed, Message
from sandbox.slack.members import Channel, User, Usergroup, World, sample_world
from sandbox.slack.tickets import SlackRefusal, Tickets
from sandbox.slack.views import Views

SLACKBOT = "USLACKBOT"

_Member = TypeVar("_Member", User, Channel)


class Workspace:
    """Holds users, channels, messages and views; thread-safe. ``clock`` gives seconds since 1970 (UTC)."""

    def __init__(self, world: World | None = None, *, clock: Callable[[], float] = time.time) -> None:
        world = world or sample_world()
        self.team, self.domain, self.name, self.app = world.team, world.domain, world.name, world.app
        self.clock = clock
        self._lock = threading.RLock()
        self.feed = Feed(clock, self._lock)
        self.views = Views(self.feed, self._lock)
        self.tickets = Tickets(clock, self._lock)
        self._users = {user.id: user for user in world.users}
        self._channels = {channel.id: channel for channel in world.channels}
        self._usergroups = {group.id: group for group in world.usergroups}
        self._messages: dict[tuple[str, str], Message] = {}
        self._whispers: dict[tuple[str, str], Message] = {}
        self._last = 0

    # Who is there

    @property
    def users(self) -> tuple[User, ...]:
        """All users, the bot too."""
        with self._lock:
            return tuple(self._users.values())

    @property
    def channels(self) -> tuple[Channel, ...]:
        """All channels and direct messages."""
        with self._lock:
            return tuple(self._channels.values())

    @property
    def usergroups(self) -> tuple[Usergroup, ...]:
        """All user groups."""
        with self._lock:
            return tuple(self._usergroups.values())

    def user(self, key: str) -> User:
        """Return the user with this id or name. Raises: SlackRefusal."""
        return _pick(self.users, key.removeprefix("@"), "user_not_found")

    def channel(self, key: str) -> Channel:
        """Return the channel with this id or name, with or without #. Raises: SlackRefusal."""
        return _pick(self.channels, key.removeprefix("#"), "channel_not_found")

    def set_user(self, user: User) -> None:
        """Add a user, or change one: deactivated, made a guest."""
        with self._lock:
            self._users[user.id] = user

    def set_channel(self, channel: Channel) -> None:
        """Add a channel, or change one: renamed, archived."""
        with self._lock:
            self._channels[channel.id] = channel

    def set_usergroup(self, group: Usergroup) -> None:
        """Add a user group, or change one."""
        with self._lock:
            self._usergroups[group.id] = group

    def invite(self, user: str, channel: str) -> None:
        """Let somebody into a channel."""
        with self._lock:
            there = self.channel(channel)
            self.set_channel(replace(there, members=there.members | {self.user(user).id}))

    def remove(self, user: str, channel: str) -> None:
        """Put somebody out of a channel."""
        with self._lock:
            there = self.channel(channel)
            self.set_channel(replace(there, members=there.members - {self.user(user).id}))

    def direct(self, user: str) -> Channel:
        """Return the direct message between the bot and a person, opening it where there is none."""
        with self._lock:
            pair = frozenset({self.user(user).id, self.app.user})
            for channel in self._channels.values():
                if channel.is_im and channel.members == pair:
                    return channel
            opened = Channel("D" + secrets.token_hex(4).upper(), "", pair, is_im=True)
            self.set_channel(opened)
            return opened

    # What was said

    def post(
        self,
        channel: str,
        user: str,
        text: str,
        blocks: Iterable[dict[str, Any]] = (),
        *,
        thread_ts: str = "",
        metadata: dict[str, Any] | None = None,
        attachments: Iterable[dict[str, Any]] = (),
    ) -> Message:
        """Say something in a channel."""
        with self._lock:
            message = self._made(channel, user, text, blocks, thread_ts=thread_ts, attachments=attachments)
            message = replace(message, metadata=copy.deepcopy(metadata))
            self._messages[channel, message.ts] = message
            self.feed.add(EventKind.POSTED, user, channel=channel, message=message)
            return message

    def edit(
        self,
        message: Message,
        text: str,
        blocks: Iterable[dict[str, Any]] = (),
        *,
        metadata: dict[str, Any] | None = None,
        attachments: Iterable[dict[str, Any]] = (),
    ) -> Message:
        """Change what a message says. Text alone gets the mark of an edit, blocks do not.

        Slack, "Modifying messages".
        """
        with self._lock:
            shown = with_ids(blocks)
            new = replace(
                message,
                text=text,
                blocks=shown,
                edited=message.edited if shown else self._next_ts(),
                metadata=copy.deepcopy(metadata) if metadata is not None else message.metadata,
                attachments=tuple(copy.deepcopy(list(attachments))),
            )
            shelf = self._whispers if message.only_for else self._messages
            if (message.channel, message.ts) not in shelf:
                raise SlackRefusal("message_not_found")
            shelf[message.channel, message.ts] = new
            kind = EventKind.WHISPER_EDITED if message.only_for else EventKind.EDITED
            self.feed.add(kind, new.user, channel=new.channel, message=new, only_for=new.only_for)
            return new

    def delete(self, message: Message) -> None:
        """Take a message away. Raises: SlackRefusal."""
        with self._lock:
            shelf = self._whispers if message.only_for else self._messages
            if shelf.pop((message.channel, message.ts), None) is None:
                raise SlackRefusal("message_not_found")
            kind = EventKind.WHISPER_DELETED if message.only_for else EventKind.DELETED
            self.feed.add(
                kind, message.user, channel=message.channel, message=message, only_for=message.only_for
            )

    def whisper(
        self,
        channel: str,
        to: str,
        text: str,
        blocks: Iterable[dict[str, Any]] = (),
        *,
        user: str = "",
        thread_ts: str = "",
        attachments: Iterable[dict[str, Any]] = (),
    ) -> Message:
        """Say something in a channel that only one person sees."""
        with self._lock:
            speaker = user or self.app.user
            message = replace(
                self._made(channel, speaker, text, blocks, thread_ts=thread_ts, attachments=attachments),
                only_for=to,
            )
            self._whispers[channel, message.ts] = message
            self.feed.add(EventKind.WHISPERED, speaker, channel=channel, message=message, only_for=to)
            return message

    def message(self, channel: str, ts: str) -> Message:
        """Return one message as it is now. Raises: SlackRefusal."""
        with self._lock:
            try:
                return self._messages[channel, ts]
            except KeyError:
                raise SlackRefusal("message_not_found") from None

    def find(self, channel: str, ts: str) -> Message | None:
        """Return a message or an ephemeral one as it is now, if it is still there."""
        with self._lock:
            return self._messages.get((channel, ts)) or self._whispers.get((channel, ts))

    def messages(self, channel: str) -> tuple[Message, ...]:
        """Return what stands in a channel, threads too, oldest first."""
        key = self.channel(channel).id
        with self._lock:
            return tuple(sorted((m for m in self._messages.values() if m.channel == key), key=_age))

    def whispers(self, user: str) -> tuple[Message, ...]:
        """Return the ephemeral messages that a person still has on the screen, oldest first."""
        key = self.user(user).id
        with self._lock:
            return tuple(sorted((m for m in self._whispers.values() if m.only_for == key), key=_age))

    # What happened

    def events(self, since: int = 0) -> tuple[Event, ...]:
        """Return what came after event number ``since``."""
        return self.feed.events(since)

    def subscribe(
        self, callback: Callable[[Event], object], *, since: int | None = None
    ) -> Callable[[], None]:
        """Follow the feed; see ``Feed.subscribe``."""
        return self.feed.subscribe(callback, since=since)

    def wait_for(self, predicate: Callable[[Event], object], timeout: float = 5, *, since: int = 0) -> Event:
        """Wait for an event; see ``Feed.wait_for``. Raises: TimeoutError."""
        return self.feed.wait_for(predicate, timeout, since=since)

    def as_seen(self, message: Message) -> dict[str, Any]:
        """Write a message as the Web API and the payloads of clicks show it."""
        answer: dict[str, Any] = {
            "type": "message",
            "user": message.user,
            "ts": message.ts,
            "text": message.text,
            "team": self.team,
        }
        if message.by_app:
            answer |= {"bot_id": self.app.bot_id, "app_id": self.app.id}
        if message.blocks:
            answer["blocks"] = copy.deepcopy(list(message.blocks))
        if message.attachments:
            answer["attachments"] = copy.deepcopy(list(message.attachments))
        if message.thread_ts:
            answer["thread_ts"] = message.thread_ts
        if message.edited:
            answer["edited"] = {"user": message.user, "ts": message.edited}
        return answer

    def _made(
        self,
        channel: str,
        user: str,
        text: str,
        blocks: Iterable[dict[str, Any]],
        *,
        thread_ts: str,
        attachments: Iterable[dict[str, Any]],
    ) -> Message:
        return Message(
            channel,
            self._next_ts(),
            user,
            text,
            with_ids(blocks),
            thread_ts=thread_ts,
            attachments=tuple(copy.deepcopy(list(attachments))),
            by_app=user == self.app.user,
        )

    def _next_ts(self) -> str:
        """Return a ts that no message had before: seconds and microseconds."""
        self._last = max(self._last + 1, int(self.clock() * 1_000_000))
        seconds, micro = divmod(self._last, 1_000_000)
        return f"{seconds}.{micro:06d}"


def _pick(among: Iterable[_Member], key: str, error: str) -> _Member:
    for one in among:
        if key and key in {one.id, one.name}:
            return one
    raise SlackRefusal(error)


def _age(message: Message) -> str:
    return message.ts
