"""Apps on a port of this machine: started in a thread, quiet, stopped cleanly."""

import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import uvicorn
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

Handler = Callable[[Request, bytes], Response]
Endpoint = Callable[[Request], Awaitable[Response]]

KEPT_REQUESTS = 20_000  # that a twin remembers
STARTED_WITHIN_SECONDS = 10.0
STOPPED_WITHIN_SECONDS = 2  # what is still being answered then is cut off


class ServerError(Exception):
    """The app did not start."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One request that arrived at a twin, and how it was answered."""

    method: str
    target: str  # path and query
    status: int


def seen(request: Request, response: Response) -> Seen:
    """Write down a request."""
    query = f"?{request.url.query}" if request.url.query else ""
    return Seen(request.method, request.url.path + query, response.status_code)


@contextmanager
def serve(app: ASGIApp, *, name: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Serve ``app`` on 127.0.0.1 while the block runs; yield its base URL, in which the host is called ``name``.

    Port 0 is any free one. PyGithub insists on the host that bodies advertise: call it ``localhost`` there.
    Raises: OSError, when the port is taken; ServerError.
    """
    with socket.create_server(("127.0.0.1", port)) as listener:
        # what is accepted inherits it; without, an answer in two pieces waits 40 ms for the client's delayed ACK
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        server = uvicorn.Server(_settings(app))
        thread = threading.Thread(target=server.run, args=([listener],), name=f"serve {name}", daemon=True)
        thread.start()
        try:
            _wait_for(server, thread)
            yield f"http://{name}:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


def endpoint(handler: Handler) -> Endpoint:
    """Let a plain function answer: it gets the request with its body, in a thread of its own."""

    async def answer(request: Request) -> Response:
        return await run_in_threadpool(handler, request, await request.body())

    return answer


def _settings(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        loop="asyncio",
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        timeout_graceful_shutdown=STOPPED_WITHIN_SECONDS,
    )


def _wait_for(server: uvicorn.Server, thread: threading.Thread) -> None:
    ends = time.monotonic() + STARTED_WITHIN_SECONDS
    while not server.started:
        if not thread.is_alive() or time.monotonic() > ends:
            raise ServerError("the app did not start; is its port free, and does it import?")
        time.sleep(0.005)
