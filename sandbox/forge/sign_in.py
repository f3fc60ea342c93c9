"""People who sign in to an App with a code: the device flow as GitHub answers it (RFC 8628)."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sandbox.forge.accounts import Json

LIFE = timedelta(minutes=15)  # GitHub, of a device code
INTERVAL = timedelta(seconds=5)
_GRANT = "urn:ietf:params:oauth:grant-type:device_code"


@dataclass(slots=True)
class _Code:
    """One code that was given out; ``login`` once somebody typed it, '' once they refused."""

    client: str
    typed: str
    ends: datetime
    interval: timedelta
    login: str | None = None
    asked: datetime | None = None


@dataclass(slots=True)
class SignIns:
    """All codes and the tokens that came of them. Whoever holds it also holds the lock."""

    clock: Callable[[], datetime]
    clients: set[str] = field(default_factory=set)
    tokens: dict[str, str] = field(default_factory=dict, repr=False)  # token -> login
    _codes: dict[str, _Code] = field(default_factory=dict, repr=False)

    def begin(self, base: str, wanted: Json) -> Json:
        """POST /login/device/code."""
        client = wanted.get("client_id")
        if not isinstance(client, str) or client not in self.clients:
            return _error("incorrect_client_credentials")
        secret = secrets.token_hex(20)
        letters = "".join(secrets.choice("BCDFGHJKLMNPQRSTVWXZ") for _ in range(8))
        typed = f"{letters[:4]}-{letters[4:]}"
        self._codes[secret] = _Code(client, typed, self.clock() + LIFE, INTERVAL)
        return {
            "device_code": secret,
            "user_code": typed,
            "verification_uri": f"{base}/login/device",
            "expires_in": int(LIFE.total_seconds()),
            "interval": int(INTERVAL.total_seconds()),
        }

    def exchange(self, wanted: Json) -> Json:  # noqa: PLR0911  a row for each answer
        """POST /login/oauth/access_token."""
        if wanted.get("grant_type") != _GRANT:
            return _error("unsupported_grant_type")
        code = self._codes.get(str(wanted.get("device_code")))
        if code is None:
            return _error("incorrect_device_code")
        if code.client != wanted.get("client_id"):
            return _error("incorrect_client_credentials")
        now = self.clock()
        if now >= code.ends:
            return _error("expired_token")
        before, code.asked = code.asked, now
        if before is not None and now < before + code.interval:
            code.interval += INTERVAL
            return _error("slow_down") | {"interval": int(code.interval.total_seconds())}
        if code.login is None:
            return _error("authorization_pending")
        if not code.login:
            return _error("access_denied")
        del self._codes[str(wanted["device_code"])]
        token = f"ghu_{secrets.token_hex(18)}"
        self.tokens[token] = code.login
        return {"access_token": token, "token_type": "bearer", "scope": ""}

    def waits(self, code: str) -> bool:
        """Tell whether a code may be typed: it was given out, and holds, and nobody has answered it."""
        found = self._of(code)
        return found is not None and found.login is None and self.clock() < found.ends

    def typed(self, code: str, login: str) -> bool:
        """Let somebody type a code, signed in as ``login``; '' refuses. Says whether there is such a code."""
        found = self._of(code)
        if found is not None:
            found.login = login
        return found is not None

    def _of(self, code: str) -> _Code | None:
        return next((one for one in self._codes.values() if one.typed == code), None)


def _error(code: str) -> Json:
    return {
        "error": code,
        "error_description": code.replace("_", " "),
        "error_uri": "https://docs.github.com",
    }
