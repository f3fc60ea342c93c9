"""Socket Mode: what people do in Slack arrives on a connection that we opened, so no address of ours is needed."""

import logging
import socket
import threading
from contextlib import suppress

from slack_bolt import App
from slack_bolt.adapter.socket_mode.builtin import SocketModeHandler
from slack_sdk import WebClient

from bot.errors import BotError
from handlers.slack.errors import SlackRefusedError, translated

RETRY_SECONDS = 5.0  # while Slack cannot be reached at the start; later the client reconnects by itself
PING_SECONDS = 2.0  # a connection that broke without a word is noticed after five of them
JOIN_SECONDS = 2.0  # for a connection that is being opened
CONCURRENCY = 10  # envelopes at a time; the work is the errands'
_TOKEN_WRONG = frozenset(
    {"invalid_auth", "not_authed", "not_allowed_token_type", "account_inactive", "token_revoked"}
)
_LOG = logging.getLogger(__name__)


class SocketMode:
    """Keeps one connection to Slack while it is open. A Slack that is down at the start is waited for."""

    def __init__(self, app: App, client: WebClient, app_token: str) -> None:
        """Open nothing yet."""
        self._handler = SocketModeHandler(
            app, app_token, web_client=client, ping_interval=PING_SECONDS, concurrency=CONCURRENCY
        )
        self._is_closed = threading.Event()
        self._thread = threading.Thread(target=self._connect, name="socket mode", daemon=True)

    @property
    def is_connected(self) -> bool:
        """Whether Slack can reach us now."""
        return bool(self._handler.client.is_connected())

    def start(self) -> None:
        """Connect, in the background, as often as it takes."""
        self._thread.start()

    def close(self) -> None:
        """Take nothing more, and let what was taken be acknowledged. Closing twice is once."""
        if self._is_closed.is_set():
            return
        self._is_closed.set()
        if self._thread.ident is not None:
            self._thread.join(JOIN_SECONDS)
        self._wake()
        self._handler.close()  # type: ignore[no-untyped-call]

    def _wake(self) -> None:
        """End the wait for the next message: the client looks only every three seconds whether it shall stop."""
        self._handler.client.auto_reconnect_enabled = False
        session = self._handler.client.current_session
        wire = session.sock if session is not None else None
        if wire is not None:
            with suppress(OSError):
                wire.shutdown(socket.SHUT_RDWR)

    def _connect(self) -> None:
        said = ""
        while not self._is_closed.is_set():
            problem = self._tried()
            if not problem:
                return
            if problem != said:
                _LOG.error("Slack cannot reach us: %s", problem)
            said = problem
            self._is_closed.wait(RETRY_SECONDS)

    def _tried(self) -> str:
        """Ask for an address and open a connection there; return why there is no address, '' = there is one."""
        try:
            with translated("apps.connections.open"):
                self._handler.connect()  # type: ignore[no-untyped-call]
        except SlackRefusedError as error:
            if error.code in _TOKEN_WRONG:
                return (
                    f"SLACK_APP_TOKEN is not taken ({error.code}); an app-level token xapp-... with the scope"
                    " connections:write is made under Basic Information"
                )
            return str(error)
        except BotError as error:
            return str(error)
        # From here on the client watches over the connection: one that was not taken is opened anew.
        _LOG.info("Socket Mode: %s", "connected" if self.is_connected else "not connected yet")
        return ""
