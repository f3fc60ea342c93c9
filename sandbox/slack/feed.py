"""What happened in the workspace, in order: a terminal, a page or a script follows it."""

import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class EventKind(StrEnum):
    """What somebody could have seen happen."""

    POSTED = "posted"
    EDITED = "edited"
    DELETED = "deleted"
    WHISPERED = "whispered"  # an ephemeral message
    WHISPER_EDITED = "whisper-edited"
    WHISPER_DELETED = "whisper-deleted"
    VIEW_OPENED = "view-opened"
    VIEW_PUSHED = "view-pushed"
    VIEW_UPDATED = "view-updated"
    VIEW_REFUSED = "view-refused"  # errors beside the fields of a modal
    VIEW_CLOSED = "view-closed"
    HOME_PUBLISHED = "home-published"
    COMMAND = "command"
    CLICKED = "clicked"
    SUBMITTED = "submitted"
    WARNED = "warned"  # Slack's own sign that the app did not answer


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it was at one moment; ``only_for`` names who alone sees it, where it is ephemeral."""

    channel: str
    ts: str
    user: str
    text: str
    blocks: tuple[dict[str, Any], ...] = ()
    thread_ts: str = ""
    edited: str = ""
    metadata: dict[str, Any] | None = None
    attachments: tuple[dict[str, Any], ...] = ()
    only_for: str = ""
    by_app: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """A modal or App Home as one person had it before them at one moment."""

    id: str
    user: str
    payload: dict[str, Any]
    hash: str
    root: str
    previous: str = ""

    @property
    def is_modal(self) -> bool:
        """True of a modal, false of an App Home."""
        return bool(self.payload["type"] == "modal")


@dataclass(frozen=True, slots=True)
class Event:
    """One visible change. ``at`` is in seconds since 1970 (UTC); ``user`` acted, or is who alone sees it."""

    number: int
    kind: EventKind
    at: float
    user: str
    channel: str = ""
    message: Message | None = None
    view: View | None = None
    text: str = ""
    only_for: str = ""

    def is_seen_by(self, user: str) -> bool:
        """Tell whether this is public or meant for ``user``."""
        return self.only_for in {"", user}

    def as_json(self) -> dict[str, Any]:
        """Write it for a page: plain values all the way down."""
        return asdict(self)


class Feed:
    """The events so far. Thread-safe; ``lock`` is shared with the workspace, so that order is what happened."""

    def __init__(self, clock: Callable[[], float], lock: threading.RLock) -> None:
        self._clock = clock
        self._changed = threading.Condition(lock)
        self._events: list[Event] = []
        self._subscribers: list[Callable[[Event], object]] = []

    @property
    def position(self) -> int:
        """The number of the newest event; 0 before the first."""
        with self._changed:
            return len(self._events)

    def add(
        self,
        kind: EventKind,
        user: str,
        *,
        channel: str = "",
        message: Message | None = None,
        view: View | None = None,
        text: str = "",
        only_for: str = "",
    ) -> Event:
        """Append an event and tell it to all who follow."""
        with self._changed:
            number = len(self._events) + 1
            event = Event(number, kind, self._clock(), user, channel, message, view, text, only_for)
            self._events.append(event)
            for callback in tuple(self._subscribers):
                callback(event)
            self._changed.notify_all()
            return event

    def events(self, since: int = 0) -> tuple[Event, ...]:
        """Return what came after event number ``since``."""
        with self._changed:
            return tuple(self._events[since:])

    def subscribe(
        self, callback: Callable[[Event], object], *, since: int | None = None
    ) -> Callable[[], None]:
        """Call back for each event in order, first for those after ``since``; the answer ends it.

        The workspace stands still meanwhile: a callback hands the event on (a queue, a terminal) and waits for nobody.
        """
        with self._changed:
            for event in () if since is None else self.events(since):
                callback(event)
            self._subscribers.append(callback)

        def end() -> None:
            with self._changed:
                if callback in self._subscribers:
                    self._subscribers.remove(callback)

        return end

    def wait_for(self, predicate: Callable[[Event], object], timeout: float = 5, *, since: int = 0) -> Event:
        """Return the first event after ``since`` that ``predicate`` likes, waiting ``timeout`` seconds for it.

        Raises: TimeoutError, with the last things that did happen.
        """
        ends = time.monotonic() + timeout
        looked_at = since
        with self._changed:
            while True:
                for event in self._events[looked_at:]:
                    if predicate(event):
                        return event
                looked_at = len(self._events)
                if not self._changed.wait(ends - time.monotonic()) and looked_at == len(self._events):
                    raise TimeoutError(f"not seen within {timeout:g} s; {self._last_words(since)}")

    def _last_words(self, since: int) -> str:
        last = self._events[since:][-5:]
        if not last:
            return "nothing happened"
        return "last: " + "; ".join(
            f"{one.kind} {one.user} {(one.message.text if one.message else one.text)[:120]!r}" for one in last
        )
