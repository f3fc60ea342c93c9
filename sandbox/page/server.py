"""The demo's page: its files, the stream of what happens, and what a visitor does, on 127.0.0.1 alone."""

import errno
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from sandbox.bot import BotProcessError
from sandbox.forge.twin import ForgeError
from sandbox.git import GitError
from sandbox.http import endpoint, serve
from sandbox.levers import LeverError, Levers
from sandbox.page.acts import Acts, MisuseError
from sandbox.page.door import Door
from sandbox.page.state import Json, workspace_as_seen
from sandbox.page.stream import Stream
from sandbox.registry.twin import RegistryError
from sandbox.slack.form import CannotDoError
from sandbox.slack.tickets import SlackRefusal
from sandbox.world import World

PORT = 8080
TRIED_PORTS = 50  # 8080, 8081, ... before any free one
MAX_BODY = 65_536  # bytes of one request
FILES = Path(__file__).parent
KINDS = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}
_REFUSED = (CannotDoError, LeverError, ForgeError, RegistryError)


class PortTakenError(Exception):
    """Somebody else listens there; the message names the port."""


class Page:
    """Answers for one world at ``app``."""

    def __init__(self, world: World, levers: Levers, stream: Stream) -> None:
        self._world = world
        self._stream = stream
        self._acts = Acts(world, levers)
        self._files = {path.name: path for path in FILES.iterdir() if path.suffix in KINDS}
        self.app = Door(
            Starlette(
                routes=[
                    Route("/", endpoint(self._index), methods=["GET"]),
                    Route("/page/{name}", endpoint(self._file), methods=["GET"]),
                    Route("/state", endpoint(self._state), methods=["GET"]),
                    Route("/entries/{oid}", endpoint(self._entry), methods=["GET"]),
                    Route("/events", self._events, methods=["GET"]),
                    Route("/act/{deed}", endpoint(self._act), methods=["POST"]),
                ]
            )
        )

    def _index(self, _request: Request, _body: bytes) -> Response:
        return self._sent("index.html")

    def _file(self, request: Request, _body: bytes) -> Response:
        return self._sent(request.path_params["name"])

    def _sent(self, name: str) -> Response:
        """Send one of our own files; a name that is none of them is not looked up on the disk."""
        path = self._files.get(name)
        if path is None:
            return PlainTextResponse("there is no such file", 404)
        return Response(path.read_bytes(), headers={"Content-Type": KINDS[path.suffix]})

    def _state(self, request: Request, _body: bytes) -> Response:
        workspace = self._world.slack.workspace
        try:
            person = self._world.person(request.query_params.get("as", ""))
        except SlackRefusal as refusal:
            return _no(_slack_words(refusal), 404)
        shown = workspace_as_seen(workspace, person)
        return JSONResponse({**shown, "sections": self._stream.sections()})

    def _entry(self, request: Request, _body: bytes) -> Response:
        entry = self._stream.entry(request.path_params["oid"])
        if entry is None:
            return _no("there is no such entry in the ledger", 404)
        return JSONResponse({"oid": entry.oid, "signed": entry.is_signed, "line": dict(entry.line)})

    async def _events(self, request: Request) -> Response:
        try:
            person = self._world.person(request.query_params.get("as", ""))
        except SlackRefusal as refusal:
            return _no(_slack_words(refusal), 404)

        async def told() -> AsyncIterator[str]:
            async for text in self._stream.follow(person):
                yield text

        return StreamingResponse(told(), media_type="text/event-stream")

    def _act(self, request: Request, body: bytes) -> Response:
        try:
            answer = self._acts.do(request.path_params["deed"], _parsed(body))
        except MisuseError as error:
            return _no(str(error), 400)
        except SlackRefusal as refusal:
            return _no(_slack_words(refusal), 409)
        except _REFUSED as error:
            return _no(str(error), 409)
        except (BotProcessError, GitError) as error:
            return _no(str(error), 500)
        self._stream.poke()
        return JSONResponse({"ok": True, **answer})


@contextmanager
def served(world: World, levers: Levers, *, port: int | None = None) -> Iterator[str]:
    """Serve the page while the block runs and yield its address; without a port 8080 or the next that is free.

    Raises: PortTakenError, where ``port`` cannot be had.
    """
    with Stream(world, levers) as stream, _bound(Page(world, levers, stream), port) as address:
        try:
            yield f"{address}/"
        finally:
            stream.end()


@contextmanager
def _bound(page: Page, port: int | None) -> Iterator[str]:
    with ExitStack() as stack:
        yield _entered(stack, page, [port] if port is not None else [*range(PORT, PORT + TRIED_PORTS), 0])


def _entered(stack: ExitStack, page: Page, ports: list[int]) -> str:
    """Serve the page at the first of ``ports`` that is free. Raises: PortTakenError."""
    for port in ports:
        try:
            return stack.enter_context(serve(page.app, port=port))
        except OSError as error:
            if port == ports[-1]:
                raise PortTakenError(taken(port, error)) from error
    raise PortTakenError("there is no port to try")


def taken(port: int, error: OSError) -> str:
    """Say why a port cannot be had, and what to do."""
    why = "somebody else listens there" if error.errno == errno.EADDRINUSE else str(error.strerror).lower()
    return f"port {port}: {why}; name another with --port, or leave it out and the next free one is taken"


def _parsed(body: bytes) -> Json:
    """Return the object that a request holds. Raises: MisuseError."""
    if len(body) > MAX_BODY:
        raise MisuseError(f"a request has at most {MAX_BODY} bytes")
    try:
        given: Any = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise MisuseError("expected JSON") from error
    if not isinstance(given, dict):
        raise MisuseError("expected an object")
    return given


def _slack_words(refusal: SlackRefusal) -> str:
    return f"Slack refuses: {refusal.error}"


def _no(words: str, status: int) -> Response:
    return JSONResponse({"error": words}, status)
