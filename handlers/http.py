"""The HTTP door: Slack's signed requests go to Bolt, what is malformed is refused; and whether we are well."""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs

from slack_bolt import App, BoltRequest, BoltResponse
from slack_sdk.signature import SignatureVerifier
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

MAX_BODY = 1_000_000  # bytes; Slack's own stay far below
_LOG = logging.getLogger(__name__)
_UNWELL = 503
_MAX_FIELDS = 200  # of a form; Slack's commands have a dozen

Odd = Callable[[str], None]  # hears what is wrong with a request that is Slack's and cannot be read
Health = Callable[[], Mapping[str, Any]]  # must have a bool at "ok"; the rest is for operators


def web(
    app: App,
    *,
    secret: str,
    health: Health,
    more: Sequence[BaseRoute] = (),
    odd: Odd = lambda _detail: None,
) -> Starlette:
    """Return the web app: POST /slack/events, GET /healthz, and other routes that are handed in.

    Without a secret Slack has no way in here: anybody could sign with an empty one.
    """

    async def healthz(_request: Request) -> Response:
        return await run_in_threadpool(_healthz, health)

    own = [Route("/healthz", healthz, methods=["GET"])]
    if secret:
        own.append(_events(app, SignatureVerifier(secret), odd))
    return Starlette(routes=[*own, *more])


def _events(app: App, verifier: SignatureVerifier, odd: Odd) -> Route:
    async def slack(request: Request) -> Response:
        return await _slack(app, verifier, odd, request)

    return Route("/slack/events", slack, methods=["POST"])


async def _slack(app: App, verifier: SignatureVerifier, odd: Odd, request: Request) -> Response:
    try:
        body = await _body(request)
    except ClientDisconnect:
        return PlainTextResponse("", 400)
    if body is None:
        return PlainTextResponse("too large", 413)
    text = _genuine(verifier, body, request)
    if text is None:
        return PlainTextResponse("invalid request", 401)
    if wrong := unreadable(text, request.headers.get("content-type", "")):
        _LOG.warning("a request that Slack signed was refused: %s", wrong)
        odd(wrong)
        return PlainTextResponse(wrong, 400)
    return await run_in_threadpool(_dispatched, app, text, request)


def unreadable(text: str, content_type: str) -> str:
    """Say what is wrong with a request of Slack's, '' where it can be read: an event, a command, an interaction.

    Nothing of the request itself is said.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/json":
        return _no_object(text, "the body")
    try:
        form = parse_qs(text, keep_blank_values=True, max_num_fields=_MAX_FIELDS)
    except ValueError:
        return f"the form has more than {_MAX_FIELDS} fields"
    if "payload" in form:
        return _no_object(form["payload"][0], "the payload")
    return "" if "command" in form or "ssl_check" in form else "it is no event, command or interaction"


def _no_object(text: str, what: str) -> str:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return f"{what} is not JSON"
    return "" if isinstance(found, dict) else f"{what} is no JSON object"


async def _body(request: Request) -> bytes | None:
    """Read the body as it comes; nothing where it is larger than the cap."""
    found = bytearray()
    async for chunk in request.stream():
        found += chunk
        if len(found) > MAX_BODY:
            return None
    return bytes(found)


def _genuine(verifier: SignatureVerifier, body: bytes, request: Request) -> str | None:
    """Return the body as text where Slack signed it within five minutes; whatever a forger sends is just not it."""
    try:
        text = body.decode()
        timestamp = request.headers.get("x-slack-request-timestamp", "")
        signature = request.headers.get("x-slack-signature", "")
        return text if verifier.is_valid(text, timestamp, signature) else None
    except (ValueError, TypeError, OverflowError):  # an odd time, an odd signature, bytes that are no text
        _LOG.info("a request with malformed proof was refused")
        return None


def _dispatched(app: App, text: str, request: Request) -> Response:
    headers: dict[str, str | Sequence[str]] = {
        name: request.headers.getlist(name) for name in request.headers
    }
    try:
        answer = app.dispatch(BoltRequest(body=text, query=request.url.query, headers=headers))
    except Exception:  # noqa: BLE001  a payload never stops the door
        _LOG.exception("a signed request could not be dispatched")
        return PlainTextResponse("", 500)
    return _as_response(answer)


def _as_response(answer: BoltResponse) -> Response:
    response = Response(answer.body, answer.status, media_type=answer.first_headers().get("content-type"))
    for name, values in answer.headers.items():
        if name.lower() not in {"content-type", "content-length"}:
            for value in values:
                response.headers.append(name, value)
    return response


def _healthz(health: Health) -> Response:
    try:
        told = dict(health())
    except Exception:  # noqa: BLE001  not to know is not to be well
        _LOG.exception("the state of health could not be told")
        return JSONResponse({"ok": False}, _UNWELL)
    return JSONResponse(told, 200 if told.get("ok") is True else _UNWELL)
