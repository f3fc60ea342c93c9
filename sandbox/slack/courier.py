"""Carries what happens in Slack to the app's request URL, signed as Slack signs, and brings back its answer."""

import hashlib
import hmac
import http.client
import json
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

ACK_SECONDS = 3.0  # Slack, "Acknowledging": commands, clicks and submissions
_FORM = "application/x-www-form-urlencoded"
_OK = 200
_CLIENT_ERROR = 400
_SERVER_ERROR = 500


@dataclass(frozen=True, slots=True)
class Envelope:
    """A request as it goes over the wire; sent twice, it is a replay."""

    body: bytes
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class Ack:
    """What the app answered: HTTP status (0 where none came), body, seconds taken, Slack's word for a failure.

    ``since`` is the feed's position before the delivery: what follows from it comes after.
    """

    envelope: Envelope
    status: int = 0
    body: str = ""
    seconds: float = 0.0
    error: str = ""
    since: int = 0

    @property
    def is_ok(self) -> bool:
        """True when the app acknowledged in time."""
        return not self.error

    def json(self) -> dict[str, Any]:
        """Return the body as an object; empty where it is none."""
        try:
            value = json.loads(self.body)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Return the value of ``X-Slack-Signature``. Slack, "Verifying requests", version v0."""
    base = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()


class Courier:
    """Signs with ``secret`` and posts to ``url``, the app's request URL."""

    def __init__(self, url: str, secret: str) -> None:
        self.url = url
        self.secret = secret

    def form(self, fields: dict[str, str], *, at: float | None = None, secret: str | None = None) -> Envelope:
        """Seal a form. ``at`` (seconds since 1970) and ``secret`` are for forgeries."""
        return self.seal(urlencode(fields).encode(), _FORM, at=at, secret=secret)

    def payload(
        self, payload: dict[str, Any], *, at: float | None = None, secret: str | None = None
    ) -> Envelope:
        """Seal a click, a submission or another interaction."""
        return self.form({"payload": json.dumps(payload)}, at=at, secret=secret)

    def event(self, event: dict[str, Any]) -> Envelope:
        """Seal a delivery of the Events API."""
        return self.seal(json.dumps(event).encode(), "application/json")

    def seal(
        self, body: bytes, content_type: str, *, at: float | None = None, secret: str | None = None
    ) -> Envelope:
        """Sign a body."""
        timestamp = str(int(time.time() if at is None else at))
        return Envelope(
            body,
            {
                "Content-Type": content_type,
                "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
                "X-Slack-Request-Timestamp": timestamp,
                "X-Slack-Signature": signature(self.secret if secret is None else secret, timestamp, body),
            },
        )

    def send(self, envelope: Envelope, *, since: int = 0) -> Ack:
        """Post a sealed envelope and wait for the answer as long as Slack would."""
        began = time.monotonic()
        try:
            status, body = self._post(envelope)
        except TimeoutError:
            return Ack(envelope, seconds=time.monotonic() - began, error="operation_timeout", since=since)
        except (OSError, http.client.HTTPException):
            return Ack(envelope, seconds=time.monotonic() - began, error="dispatch_failed", since=since)
        seconds = time.monotonic() - began
        return Ack(envelope, status, body, seconds, _failure(status, seconds), since)

    def _post(self, envelope: Envelope) -> tuple[int, str]:
        where = urlsplit(self.url)
        port = where.port or (443 if where.scheme == "https" else 80)
        kind = http.client.HTTPSConnection if where.scheme == "https" else http.client.HTTPConnection
        connection = kind(where.hostname or "", port, timeout=ACK_SECONDS)
        try:
            connection.request("POST", where.path or "/", envelope.body, envelope.headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode("utf-8", "replace")
        finally:
            connection.close()


def _failure(status: int, seconds: float) -> str:
    if seconds > ACK_SECONDS:
        return "operation_timeout"
    if status >= _SERVER_ERROR:
        return "http_service_error"
    if status >= _CLIENT_ERROR:
        return "http_client_error"
    return "" if status == _OK else "invalid_response"
