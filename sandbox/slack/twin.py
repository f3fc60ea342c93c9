"""The Slack twin: the Web API and the response URLs of a workspace over HTTP, with levers to make it misbehave."""

import json
import threading
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from sandbox.http import endpoint
from sandbox.slack import chat as slack_chat
from sandbox.slack import member_answers as slack_members
from sandbox.slack import view_answers as slack_views
from sandbox.slack.call import Answer, Call, Method
from sandbox.slack.tickets import SlackRefusal
from sandbox.slack.workspace import Workspace

METHODS: dict[str, Method] = {**slack_members.METHODS, **slack_chat.METHODS, **slack_views.METHODS}
ALL_SCOPES = frozenset(scope for method in METHODS.values() for scope in method.scopes) | {"commands"}
EVERY_METHOD = "*"


@dataclass(frozen=True, slots=True)
class Fault:
    """One answer that the world spoils: Slack's ``error`` at ``status``, or a connection that breaks.

    ``is_done`` says whether the call took effect before its answer was lost.
    """

    error: str = ""
    status: int = 200
    retry_after: int | None = None
    is_drop: bool = False
    is_done: bool = False
    body: bytes = b""  # answered as it is


class Levers:
    """What goes wrong next, for each method (``*``: whichever comes next); thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: dict[str, deque[Fault]] = {}

    def ratelimit(self, method: str, times: int = 1, *, retry_after: int = 1) -> None:
        """Answer the next calls with 429 and ``Retry-After`` (seconds)."""
        self._add(method, times, Fault("ratelimited", 429, retry_after))

    def fail(self, method: str, error: str, times: int = 1, *, status: int = 200) -> None:
        """Answer the next calls with an error of Slack's."""
        self._add(method, times, Fault(error, status))

    def drop(self, method: str, times: int = 1, *, after: bool = False) -> None:
        """Break the connection instead of answering the next calls; ``after`` they took effect, or before."""
        self._add(method, times, Fault(is_drop=True, is_done=after))

    def garble(self, method: str, body: bytes, times: int = 1) -> None:
        """Answer the next calls with these bytes, as if all were well."""
        self._add(method, times, Fault(body=body))

    def clear(self) -> None:
        """Let everything work again."""
        with self._lock:
            self._faults.clear()

    def take(self, method: str) -> Fault | None:
        """Return what goes wrong with this call."""
        with self._lock:
            for key in (method, EVERY_METHOD):
                if waiting := self._faults.get(key):
                    return waiting.popleft()
        return None

    def _add(self, method: str, times: int, fault: Fault) -> None:
        with self._lock:
            self._faults.setdefault(method, deque()).extend([fault] * times)


class _Broken(Response):
    """An answer that breaks off after its head."""

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Send a head that promises more than comes."""
        await send(
            {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]}
        )
        await send({"type": "http.response.body", "body": b"{", "more_body": True})


class SlackTwin:
    """Answers for a workspace at ``app``; set ``url`` to where it is served, for response URLs."""

    def __init__(
        self,
        workspace: Workspace | None = None,
        *,
        token: str = "xoxb-sandbox",  # noqa: S107  a sample token opens nothing
        scopes: Iterable[str] = ALL_SCOPES,
        url: str = "",
    ) -> None:
        self.workspace = workspace or Workspace()
        self.levers = Levers()
        self.url = url
        self.token = token
        self.scopes = frozenset(scopes)
        self.app = Starlette(
            routes=[
                Route("/api/{method}", endpoint(self._api), methods=["GET", "POST"]),
                Route("/respond/{key}", endpoint(self._respond), methods=["POST"]),
            ]
        )

    @property
    def api_url(self) -> str:
        """The ``base_url`` of a client of the Web API."""
        return f"{self.url}/api/"

    def response_url(self, key: str) -> str:
        """Return the address at which an app redeems a response ticket."""
        return f"{self.url}/respond/{key}"

    def _api(self, request: Request, body: bytes) -> Response:
        name = request.path_params["method"]
        fault = self.levers.take(name)
        if fault is not None and not fault.is_done:
            return _spoiled(fault)
        try:
            answer = {"ok": True, **self._answer(name, request, body)}
        except SlackRefusal as refusal:
            answer = {"ok": False, "error": refusal.error, **refusal.more}
        return _spoiled(fault) if fault else JSONResponse(answer, headers=self._headers(name))

    def _answer(self, name: str, request: Request, body: bytes) -> Answer:
        arguments = {**request.query_params, **_parsed(request, body)}
        method = METHODS.get(name)
        if method is None:
            raise SlackRefusal("unknown_method", req_method=name)
        given = arguments.pop("token", None)
        if name != "api.test":
            self._authorise(request.headers.get("authorization", ""), given)
            self._permit(method)
        return method.answer(Call(self.workspace, arguments, self.scopes))

    def _authorise(self, header: str, argument: Any) -> None:
        scheme, _, bearer = header.partition(" ")
        token = bearer.strip() if scheme.lower() == "bearer" else argument
        if not token:
            raise SlackRefusal("not_authed")
        if token != self.token:
            raise SlackRefusal("invalid_auth")

    def _permit(self, method: Method) -> None:
        if method.scopes and not self.scopes.intersection(method.scopes):
            raise SlackRefusal(
                "missing_scope", needed=",".join(method.scopes), provided=",".join(sorted(self.scopes))
            )

    def _headers(self, name: str) -> dict[str, str]:
        headers = {"x-oauth-scopes": ",".join(sorted(self.scopes))}
        if (method := METHODS.get(name)) and method.scopes:
            headers["x-accepted-oauth-scopes"] = ",".join(method.scopes)
        return headers

    def _respond(self, request: Request, body: bytes) -> Response:
        fault = self.levers.take("response_url")
        if fault is not None and not fault.is_done:
            return _spoiled(fault)
        try:
            slack_chat.respond(self.workspace, request.path_params["key"], _parsed(request, body))
        except SlackRefusal as refusal:
            gone = refusal.error in {"used_url", "expired_url", "invalid_url"}
            answer = {"ok": False, "error": refusal.error, **refusal.more}
            return JSONResponse(answer, 404 if gone else 400)
        return _spoiled(fault) if fault else PlainTextResponse("ok")


def _spoiled(fault: Fault) -> Response:
    if fault.is_drop:
        return _Broken()
    if fault.body:
        return Response(fault.body, media_type="application/json")
    headers = {} if fault.retry_after is None else {"retry-after": str(fault.retry_after)}
    return JSONResponse({"ok": False, "error": fault.error}, fault.status, headers)


def _parsed(request: Request, body: bytes) -> Mapping[str, Any]:
    """Return the arguments of a form or of a JSON object. Raises: SlackRefusal."""
    if not body.strip():
        return {}
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json" or (not kind and body.startswith(b"{")):
        try:
            arguments = json.loads(body)
        except (ValueError, RecursionError):
            raise SlackRefusal("invalid_json") from None
        if not isinstance(arguments, dict):
            raise SlackRefusal("json_not_object")
        return arguments
    if kind != "application/x-www-form-urlencoded":
        raise SlackRefusal("invalid_form_data")
    return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
