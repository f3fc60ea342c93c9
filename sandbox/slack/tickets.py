"""What Slack hands to an app for a short while: trigger ids (3 s, once) and response URLs (30 min, five times)."""

import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

TRIGGER_SECONDS = 3.0  # Slack, "Modals": a trigger expires after three seconds
RESPONSE_SECONDS = 30 * 60.0  # Slack, "Handling user interaction"
RESPONSE_USES = 5


class SlackRefusal(Exception):  # noqa: N818  Slack's word for its answer is "error", ours for saying no is refusal
    """Slack says no: ``error`` is its code, ``more`` what else stands in the answer."""

    def __init__(self, error: str, **more: object) -> None:
        super().__init__(error)
        self.error = error
        self.more = more


@dataclass(frozen=True, slots=True)
class Trigger:
    """Leave to open a modal for ``user``; ``view`` is the modal in which the click happened, if in one."""

    user: str
    view: str
    expires: float
    is_spent: bool = False


@dataclass(frozen=True, slots=True)
class ResponseUrl:
    """Leave to answer ``user`` in ``channel``; ``source`` is the ts of the message that was clicked, if any."""

    user: str
    channel: str
    source: str
    is_ephemeral: bool
    thread_ts: str
    expires: float
    uses: int = RESPONSE_USES


class Tickets:
    """Issues and takes tickets; thread-safe."""

    def __init__(self, clock: Callable[[], float], lock: threading.RLock) -> None:
        self._clock = clock
        self._lock = lock
        self._triggers: dict[str, Trigger] = {}
        self._responses: dict[str, ResponseUrl] = {}

    def trigger(self, user: str, view: str = "") -> str:
        """Issue a trigger id."""
        with self._lock:
            key = f"{len(self._triggers) + 1}.{secrets.randbelow(10**12)}.{secrets.token_hex(16)}"
            self._triggers[key] = Trigger(user, view, self._clock() + TRIGGER_SECONDS)
            return key

    def spend(self, key: str) -> Trigger:
        """Take a trigger id. Raises: SlackRefusal."""
        with self._lock:
            trigger = self._triggers.get(key)
            if trigger is None:
                raise SlackRefusal("invalid_trigger_id")
            if trigger.is_spent:
                raise SlackRefusal("exchanged_trigger_id")
            if self._clock() > trigger.expires:
                raise SlackRefusal("expired_trigger_id")
            self._triggers[key] = replace(trigger, is_spent=True)
            return trigger

    def response_url(
        self, user: str, channel: str, *, source: str = "", is_ephemeral: bool = False, thread_ts: str = ""
    ) -> str:
        """Issue the secret end of a response URL."""
        with self._lock:
            key = secrets.token_urlsafe(18)
            expires = self._clock() + RESPONSE_SECONDS
            self._responses[key] = ResponseUrl(user, channel, source, is_ephemeral, thread_ts, expires)
            return key

    def look_up(self, key: str) -> ResponseUrl:
        """Return a response URL that may still be used. Raises: SlackRefusal."""
        with self._lock:
            ticket = self._responses.get(key)
            if ticket is None:
                raise SlackRefusal("invalid_url")
            if self._clock() > ticket.expires:
                raise SlackRefusal("expired_url")
            if ticket.uses == 0:
                raise SlackRefusal("used_url")
            return ticket

    def use(self, key: str) -> ResponseUrl:
        """Take one of the uses of a response URL. Raises: SlackRefusal."""
        with self._lock:
            ticket = self.look_up(key)
            self._responses[key] = replace(ticket, uses=ticket.uses - 1)
            return ticket
