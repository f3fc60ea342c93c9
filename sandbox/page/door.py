"""The page's door: who may speak to it. This machine's browser on its own address, and nobody else's script."""

from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

NAMES = ("127.0.0.1", "localhost")
FORBIDDEN, WRONG_KIND = 403, 415
# Nothing from elsewhere is loaded, and nobody frames the page.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Door:
    """Refuses other hosts' names (DNS rebinding) and other sites' POSTs; adds headers to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or answer why not."""
        if scope["type"] != "http":
            return
        refusal = refused(scope["method"], Headers(scope=scope), _port(scope))

        async def decorated(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
                message["headers"] = [*message.get("headers", []), *own]
            await send(message)

        await (refusal or self._app)(scope, receive, decorated)


def refused(method: str, headers: Headers, port: int) -> Response | None:
    """Return why a request is not let in, or None. ``port`` is the one that it arrived at."""
    hosts = [f"{name}:{port}" for name in NAMES]
    if headers.getlist("host") != [headers.get("host")] or headers.get("host") not in hosts:
        return _no("this page is for this machine: ask for it as " + f"http://{hosts[0]}/", FORBIDDEN)
    if method in {"GET", "HEAD"}:
        return None
    origin, site = headers.get("origin"), headers.get("sec-fetch-site", "same-origin")
    if site != "same-origin" or origin not in {None, *(f"http://{host}" for host in hosts)}:
        return _no("another site's page may not act here", FORBIDDEN)
    # A form of another site cannot send this type without being asked first (Fetch, "CORS-safelisted").
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        return _no("expected application/json", WRONG_KIND)
    return None


def _port(scope: Scope) -> int:
    return int((scope.get("server") or ("", 0))[1] or 0)


def _no(words: str, status: int) -> Response:
    return JSONResponse({"error": words}, status)
