"""Socket Mode of the Slack twin: an app opens WebSockets, what people do arrives on one of them and is acknowledged."""

import json
import secrets
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.http import endpoint
from sandbox.slack.courier import ACK_SECONDS, Courier, Envelope
from sandbox.slack.twin import SlackTwin
from sandbox.slack.websocket import Frames, Opcode, WebSocketError, accepted, asked, refusal

MAX_CONNECTIONS = 10  # Slack, "Using Socket Mode"
METHOD = "apps.connections.open"
_EVENTS, _COMMANDS, _INTERACTIVE = "events_api", "slash_commands", "interactive"


class _Waiting:
    """One delivery that the app has not acknowledged yet."""

    def __init__(self) -> None:
        self.is_done = threading.Event()
        self.payload: Any = None


class SlackSocket:
    """The Socket Mode of one twin: serves it with ``opened``, delivers with ``deliver``, breaks it by its levers."""

    def __init__(self, twin: SlackTwin, *, app_token: str = "xapp-sandbox") -> None:  # noqa: S107  opens nothing
        self.twin = twin
        self.app_token = app_token
        self._address = ""
        self._tickets: set[str] = set()
        self._connections: list[_Connection] = []
        self._waiting: dict[str, _Waiting] = {}
        self._changed = threading.Condition()
        twin.app.router.routes.insert(0, Route(f"/api/{METHOD}", endpoint(self._open), methods=["POST"]))

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Take connections while the block runs. Raises: OSError."""

        class Handler(_Connection):
            there = self

        with _Server(("127.0.0.1", 0), Handler) as server:
            self._address = f"ws://127.0.0.1:{server.server_address[1]}/link"
            thread = threading.Thread(
                target=server.serve_forever, args=(0.05,), name="socket mode", daemon=True
            )
            thread.start()
            try:
                yield
            finally:
                self._address = ""
                server.shutdown()
                self.cut()
                thread.join()

    def deliver(self, kind: str, payload: Any) -> Any:
        """Send one envelope to one connection and return what acknowledges it (``None``: nothing but that).

        Raises: OSError where no app is connected, TimeoutError where none acknowledges in time.
        """
        waiting, key = _Waiting(), secrets.token_hex(16)
        envelope = {
            "envelope_id": key,
            "type": kind,
            "accepts_response_payload": kind != _EVENTS,
            "payload": payload,
        }
        with self._changed:
            if not self._connections:
                raise ConnectionRefusedError("no app is connected")
            chosen = secrets.choice(self._connections)
            self._waiting[key] = waiting
        try:
            chosen.tell(envelope)
            if not waiting.is_done.wait(ACK_SECONDS):
                raise TimeoutError("nothing acknowledged the envelope")
        finally:
            with self._changed:
                self._waiting.pop(key, None)
        return waiting.payload

    # What is there

    @property
    def connections(self) -> int:
        """How many connections are open now."""
        with self._changed:
            return len(self._connections)

    def wait_for(self, count: int = 1, timeout: float = 10) -> None:
        """Wait until so many connections are open. Raises: TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._connections) == count, timeout):
                raise TimeoutError(f"{len(self._connections)} connections are open, not {count}")

    # Levers

    def disconnect(self, reason: str = "refresh_requested") -> None:
        """Tell every connection that it will be closed, as Slack does every few hours; the app opens another."""
        for connection in self._now():
            with suppress(OSError):
                connection.tell({"type": "disconnect", "reason": reason, "debug_info": {"host": "sandbox"}})

    def cut(self) -> None:
        """Break every connection without a word."""
        for connection in self._now():
            connection.cut()

    # Within

    def _now(self) -> list["_Connection"]:
        with self._changed:
            return list(self._connections)

    def _open(self, request: Request, _body: bytes) -> Response:
        if request.headers.get("authorization", "") != f"Bearer {self.app_token}":
            return JSONResponse({"ok": False, "error": "invalid_auth"})
        if fault := self.twin.levers.take(METHOD):
            return JSONResponse({"ok": False, "error": fault.error}, fault.status)
        if not self._address:
            return JSONResponse({"ok": False, "error": "socket_mode_not_enabled"})
        ticket = secrets.token_hex(16)
        self._tickets.add(ticket)
        return JSONResponse({"ok": True, "url": f"{self._address}?ticket={ticket}&app_id={self._app_id}"})

    @property
    def _app_id(self) -> str:
        return self.twin.workspace.app.id

    def admit(self, target: str) -> bool:
        """Spend the ticket of an address; each opens one connection."""
        ticket = parse_qs(urlsplit(target).query).get("ticket", [""])[0]
        with self._changed:
            if ticket not in self._tickets or len(self._connections) >= MAX_CONNECTIONS:
                return False
            self._tickets.remove(ticket)
            return True

    def joined(self, connection: "_Connection") -> None:
        """Greet a new connection, then count on it."""
        connection.tell(
            {
                "type": "hello",
                "num_connections": self.connections + 1,
                "connection_info": {"app_id": self._app_id},
                "debug_info": {"host": "sandbox", "approximate_connection_time": 18060},
            }
        )
        with self._changed:
            self._connections.append(connection)
            self._changed.notify_all()

    def left(self, connection: "_Connection") -> None:
        """Forget a connection."""
        with self._changed:
            if connection in self._connections:
                self._connections.remove(connection)
                self._changed.notify_all()

    def heard(self, text: str) -> None:
        """Take an acknowledgement; one for nothing that waits is dropped, as Slack drops it."""
        try:
            said = json.loads(text)
        except ValueError:
            return
        key = said.get("envelope_id") if isinstance(said, dict) else None
        with self._changed:
            waiting = self._waiting.get(key) if isinstance(key, str) else None
        if waiting is not None:
            waiting.payload = said.get("payload")
            waiting.is_done.set()


class SocketCourier(Courier):
    """Carries the same deliveries over Socket Mode: nothing is signed there, the connection is the proof."""

    def __init__(self, there: SlackSocket) -> None:
        super().__init__("", "")
        self._there = there

    def _post(self, envelope: Envelope) -> tuple[int, str]:
        answer = self._there.deliver(*_opened(envelope))
        return HTTPStatus.OK.value, "" if answer is None else json.dumps(answer)


def _opened(envelope: Envelope) -> tuple[str, Any]:
    """Return the kind and the payload of what HTTP would have carried."""
    if envelope.headers["Content-Type"] == "application/json":
        return _EVENTS, json.loads(envelope.body)
    fields = dict(parse_qsl(envelope.body.decode(), keep_blank_values=True))
    return (_INTERACTIVE, json.loads(fields["payload"])) if "payload" in fields else (_COMMANDS, fields)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: connections end in many ways."""


class _Connection(socketserver.StreamRequestHandler):
    """One WebSocket of an app."""

    there: SlackSocket
    frames: Frames

    def handle(self) -> None:
        """Shake hands, greet, then listen until it ends."""
        try:
            target, headers = asked(self.rfile)
            answer = accepted(headers)
        except WebSocketError:
            self.wfile.write(refusal(HTTPStatus.BAD_REQUEST))
            return
        if not self.there.admit(target):
            self.wfile.write(refusal(HTTPStatus.FORBIDDEN))
            return
        self.wfile.write(answer)
        self.frames = Frames(self.rfile, self.wfile)
        try:
            self.there.joined(self)
            for text in self.frames.texts():
                self.there.heard(text)
        except (WebSocketError, OSError):
            return
        finally:
            self.there.left(self)

    def tell(self, message: dict[str, Any]) -> None:
        """Send one message. Raises: OSError."""
        try:
            self.frames.send(Opcode.TEXT, json.dumps(message).encode())
        except WebSocketError as error:
            raise ConnectionResetError(str(error)) from error

    def cut(self) -> None:
        """Break the connection."""
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)
