"""POST /webhooks: GitHub says that something happened. We look for ourselves; what it says is not even read."""

import hashlib
import hmac
import logging
import re
import threading
from collections.abc import Callable

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

MAX_BODY = 25_000_000  # bytes; GitHub, "Webhook events and payloads": larger ones are not sent
QUIET_SECONDS = 2.0  # events come in bursts: one pass answers those of so long
WAKING = frozenset(
    {
        "push",
        "pull_request",
        "pull_request_review",
        "status",
        "check_run",
        "check_suite",
        "package",
        "registry_package",
    }
)
PACKAGES = frozenset({"package", "registry_package"})
_SIGNATURE = re.compile(r"sha256=[0-9a-f]{64}", re.ASCII)
_EVENT = re.compile(r"[a-z_]{1,64}", re.ASCII)
_LOG = logging.getLogger(__name__)


class Doorbell:
    """Rings once for all that press it within a while; ``ring`` is told whether a package was among it."""

    def __init__(self, ring: Callable[[bool], None], *, quiet_seconds: float = QUIET_SECONDS) -> None:
        self._ring = ring
        self._quiet_seconds = quiet_seconds
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self._is_package = False
        self._is_closed = False

    def press(self, *, is_package: bool = False) -> None:
        """Ring soon. What happened before the ringing is seen by what it wakes."""
        with self._lock:
            self._is_package = self._is_package or is_package
            if self._timer is None and not self._is_closed:
                self._timer = threading.Timer(self._quiet_seconds, self._rung)
                self._timer.daemon = True
                self._timer.start()

    def close(self) -> None:
        """Ring no more."""
        with self._lock:
            self._is_closed = True
            if self._timer is not None:
                self._timer.cancel()

    def _rung(self) -> None:
        with self._lock:
            is_package, self._is_package, self._timer = self._is_package, False, None
            if self._is_closed:
                return
        self._ring(is_package)


def webhooks(secret: str, doorbell: Doorbell) -> Route:
    """Return the route. Raises: ValueError without a secret, for then anybody could sign."""
    if not secret:
        raise ValueError("webhooks need a secret")

    async def answer(request: Request) -> Response:
        return await _answer(secret, doorbell, request)

    return Route("/webhooks", answer, methods=["POST"])


async def _answer(secret: str, doorbell: Doorbell, request: Request) -> Response:
    try:
        proof = await _proof(secret, request)
    except ClientDisconnect:
        return PlainTextResponse("", 400)
    if proof is None:
        return PlainTextResponse("too large", 413)
    given = request.headers.get("x-hub-signature-256", "")
    if _SIGNATURE.fullmatch(given) is None or not hmac.compare_digest(given, proof):
        _LOG.info("a webhook without the right signature was refused; is GITHUB_WEBHOOK_SECRET GitHub's?")
        return PlainTextResponse("invalid signature", 401)
    event = request.headers.get("x-github-event", "")
    if event not in WAKING:
        name = event if _EVENT.fullmatch(event) else "this event"
        return PlainTextResponse("pong" if event == "ping" else f"{name} changes nothing here")
    doorbell.press(is_package=event in PACKAGES)
    return PlainTextResponse("we are going to look", 202)


async def _proof(secret: str, request: Request) -> str | None:
    """Return the signature that the body should have; nothing where it is larger than the cap. It is not kept."""
    made, size = hmac.new(secret.encode(), digestmod=hashlib.sha256), 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_BODY:
            return None
        made.update(chunk)
    return f"sha256={made.hexdigest()}"
