"""The HTTP server: uvicorn in the main thread, on a socket of our own, until somebody asks it to stop."""

import signal
import socket
from collections.abc import Callable
from types import FrameType

import uvicorn
from starlette.applications import Starlette

from bot.errors import SettingsError

HOST = "0.0.0.0"  # noqa: S104  a platform's router comes from outside; who speaks is checked by signature
GRACE_SECONDS = 2  # for answers under way
_BACKLOG = 2048


def listen(port: int, host: str = HOST) -> socket.socket:
    """Take the port. Raises: SettingsError."""
    try:
        listener = socket.create_server((host, port), backlog=_BACKLOG)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SettingsError(
            f"PORT: {host}:{port} cannot be listened on ({reason}); set another one"
        ) from error
    # what is accepted inherits it; without, an answer in two pieces waits 40 ms for the other side's delayed ACK
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def run(app: Starlette, listener: socket.socket, ready: Callable[[int], None]) -> None:
    """Serve until SIGTERM or SIGINT; ``ready`` is told the port once requests are answered."""
    config = uvicorn.Config(
        app,
        log_config=None,  # our own logs say it
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=GRACE_SECONDS,
        server_header=False,
    )
    server = _Server(config, lambda: ready(listener.getsockname()[1]))

    def stop(_number: int, _frame: FrameType | None) -> None:
        server.should_exit = True

    # uvicorn raises again what it caught, once it has ended: our closing must survive that
    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        server.run(sockets=[listener])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Server(uvicorn.Server):
    """uvicorn, that says when it is ready."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so."""
        await super().startup(sockets)
        if self.started and not self.should_exit:
            self._ready()
