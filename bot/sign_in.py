"""Signing in at the forge with a code (device flow): whose account it is, and nothing kept of the token.

GitHub, "Authorizing OAuth apps", device flow; RFC 8628. It needs a client id and no secret.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bot.errors import PermanentError, TransientError, UnreadableError
from bot.forge.accounts import account_of
from bot.forge.bodies import object_of, token_of
from bot.forge.client import Client, ErrorAnswerError, Manner, UnsureError, plain, site_of
from bot.ports import Asked, Ended, SignedIn, Waits

_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_JSON = {"Accept": "application/json"}
_LEAST, _MOST = timedelta(seconds=5), timedelta(minutes=15)
_SLOWER = timedelta(seconds=5)  # RFC 8628, section 3.5
_ENDINGS = {"expired_token": "sign-in-expired", "access_denied": "sign-in-denied"}
_UNAVAILABLE = "sign-in-unavailable"


@dataclass(slots=True)
class DeviceFlow:
    """Lets people sign in as an App. Implements ``bot.ports.SignIn``."""

    client_id: str
    site: Client
    api: Client

    @classmethod
    def open(cls, client_id: str, base_url: str = "", manner: Manner | None = None) -> "DeviceFlow":
        """Open nothing yet; ``base_url`` is the API's address, '' for github.com. Raises: SettingsError."""
        patience = manner or Manner()
        return cls(client_id, Client(site_of(base_url), patience), Client(base_url, patience))

    def __repr__(self) -> str:
        """Name the App."""
        return f"DeviceFlow({self.client_id!r})"

    def begin(self) -> Asked:
        """Ask for a code that a person types at the forge. Raises: BotError."""
        answer = self._ask("/login/device/code", {"client_id": self.client_id})
        if "error" in answer:
            raise PermanentError(
                f"GITHUB_CLIENT_ID: the forge gives no code ({plain(answer.get('error'), 80)});"
                " take the client id from the App's page, and tick Enable Device Flow there"
            )
        code, url = answer.get("user_code"), answer.get("verification_uri")
        if (
            not isinstance(code, str)
            or not isinstance(url, str)
            or not url.startswith(("https://", "http://"))
        ):
            raise UnreadableError("the forge gives a code that cannot be shown")
        return Asked(
            code=plain(code, 40),
            url=plain(url, 200),
            secret=token_of(answer.get("device_code")),
            interval=_span(answer.get("interval"), _LEAST),
            life=_span(answer.get("expires_in"), _MOST),
        )

    def look(self, asked: Asked) -> SignedIn | Waits | Ended:
        """Look whether the code was typed; then whose account it was. Raises: BotError."""
        wanted = {"client_id": self.client_id, "device_code": asked.secret, "grant_type": _GRANT}
        answer = self._ask("/login/oauth/access_token", wanted)
        error = answer.get("error")
        if error == "authorization_pending":
            return Waits(asked.interval)
        if error == "slow_down":
            return Waits(max(asked.interval + _SLOWER, _span(answer.get("interval"), _LEAST)))
        if error is not None:
            return Ended(_ENDINGS.get(str(error), _UNAVAILABLE), plain(error, 80))
        return self._whose(token_of(answer.get("access_token")))

    def _whose(self, token: str) -> SignedIn:
        """Ask once whose token it is; it is not kept."""
        try:
            answer = self.api.send("GET", "/user", token)
        except (ErrorAnswerError, UnsureError):  # nothing of the token's own words goes further
            raise TransientError("the forge does not say who signed in") from None
        try:
            return SignedIn(account_of(answer))
        except PermanentError:  # nor of what it says in a form that we do not know
            raise UnreadableError("the forge says who signed in, and it is no account") from None

    def _ask(self, path: str, wanted: Mapping[str, str]) -> Mapping[str, Any]:
        try:
            return object_of(self.site.send("POST", path, "", body=wanted, headers=_JSON))
        except UnsureError as error:
            raise TransientError(f"nobody can sign in now: {error}") from None
        except ErrorAnswerError as error:
            if error.is_slowed or error.status >= 500:  # noqa: PLR2004  HTTP, Server Error
                raise TransientError(f"nobody can sign in now ({error.status})") from None
            raise PermanentError(
                f"GITHUB_CLIENT_ID: the forge lets nobody sign in ({error.status});"
                " take the client id from the App's page, and tick Enable Device Flow there"
            ) from None


def _span(value: object, otherwise: timedelta) -> timedelta:
    """Read a number of seconds, not below our own least and not beyond our most."""
    if not isinstance(value, int) or isinstance(value, bool):
        return otherwise
    return min(max(timedelta(seconds=min(value, 10**6)), _LEAST), _MOST)
