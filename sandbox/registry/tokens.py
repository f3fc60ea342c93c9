"""Bearer tokens as registries hand them out: a challenge, scopes, an end."""

import base64
import secrets
import time
from dataclasses import dataclass, field
from datetime import timedelta

LIFETIME = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class _Token:
    scopes: frozenset[str]
    ends: float  # on the monotonic clock


@dataclass(slots=True)
class Tokens:
    """The token service of one registry; whoever holds it also holds the lock."""

    service: str = "sandbox"
    lifetime: timedelta = LIFETIME
    login: tuple[str, str] | None = None
    scopes_per_token: int | None = None  # GitLab and others honoured one scope only, and said nothing
    _issued: dict[str, _Token] = field(default_factory=dict)

    def issue(self, scopes: list[str], authorization: str) -> str | None:
        """Return a token for ``scopes``; None where a login is asked for and this one is not it."""
        if not self.knows(authorization):
            return None
        asked = [scope for given in scopes for scope in given.split()]
        token = secrets.token_urlsafe(24)
        self._issued[token] = _Token(
            frozenset(asked[: self.scopes_per_token]), time.monotonic() + self.lifetime.total_seconds()
        )
        return token

    def knows(self, authorization: str) -> bool:
        """Is this the login (HTTP Basic)? Anybody is welcome where none is set."""
        if self.login is None:
            return True
        scheme, _, encoded = authorization.partition(" ")
        try:
            name, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except ValueError:
            return False
        return scheme.lower() == "basic" and (name, password) == self.login

    def complaint(self, authorization: str, scope: str | None) -> str | None:
        """Return None for a token that opens ``scope``, else what the challenge says is wrong with it ('': none)."""
        scheme, _, value = authorization.partition(" ")
        if scheme.lower() != "bearer":
            return ""
        token = self._issued.get(value)
        if token is None or token.ends <= time.monotonic():
            self._issued.pop(value, None)
            return "invalid_token"
        return None if scope is None or scope in token.scopes else "insufficient_scope"

    def expire(self) -> None:
        """End every token that is out."""
        self._issued.clear()
