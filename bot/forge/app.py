"""Who we are at the forge as a GitHub App: its signed word, and tokens of an hour that are renewed in time."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from bot.errors import BotError, PermanentError, TransientError
from bot.forge.bodies import number_of, object_of, token_of
from bot.forge.client import Client, ErrorAnswerError, Json, Manner, UnsureError, patient_retry, plain

# What the App is given, and nothing else; docs/github.md says what each is for, a test keeps the two equal.
PERMISSIONS: Mapping[str, str] = {
    "metadata": "read",
    "contents": "write",
    "pull_requests": "write",
    "checks": "write",
    "statuses": "write",
}
EVENTS = ("check_run", "check_suite", "pull_request", "pull_request_review", "push", "status")

RENEWED_BEFORE = timedelta(minutes=5)  # its end: longer than any one request or push takes
MAX_LIFE = timedelta(hours=1)  # GitHub, installation access tokens
_SPOKEN_BEFORE = timedelta(seconds=60)  # GitHub, JWT: against clocks that differ
_SPOKEN_FOR = timedelta(minutes=9)  # GitHub, JWT: at most ten minutes
_UNAUTHORIZED, _NOT_FOUND, _SERVER = 401, 404, 500
_REFUSED = (
    "GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY are refused: the forge says {!r};"
    " take both from the App's own page at the forge, and look at this machine's clock"
)


@dataclass(frozen=True, slots=True)
class _Held:
    """A token, and when it ends (UTC)."""

    token: str = field(repr=False)
    ends: datetime


class AppLogin:
    """The installation of an App on one repository. Implements ``bot.forge_wire.Login``; safe from any thread."""

    name = "the GitHub App"

    def __init__(
        self,
        app_id: str,
        key: RSAPrivateKey,
        repository: str,
        *,
        clock: Callable[[], datetime],
        base_url: str = "",
        manner: Manner | None = None,
    ) -> None:
        """Open nothing yet. ``repository`` is OWNER/NAME, ``clock`` answers in UTC. Raises: SettingsError."""
        self.app_id = app_id
        self._key = key
        self._repository = repository
        self._clock = clock
        self._client = Client(base_url, manner or Manner(), patient_retry())
        self._lock = threading.Lock()  # held while a token is fetched: one is enough for everybody who waits
        self._installation = 0
        self._held: _Held | None = None

    def __repr__(self) -> str:
        """Name the App and the repository, no secrets."""
        return f"AppLogin({self.app_id!r}, {self._repository!r})"

    def token(self) -> str:
        """Return a token that is valid for some minutes at least. Raises: BotError."""
        with self._lock:
            now, held = self._clock(), self._held
            if held is None or now >= held.ends - RENEWED_BEFORE:
                held = self._held = self._renewed(held, now)
            return held.token

    def refuse(self, token: str) -> bool:
        """Forget a token that was refused, if it is still ours; another one may be had."""
        with self._lock:
            if self._held is not None and self._held.token == token:
                self._held = None
            return True

    def _renewed(self, held: _Held | None, now: datetime) -> _Held:
        """Fetch a new token; while the old one lasts, a forge that stumbles is no reason to stop."""
        try:
            return self._fetched(now)
        except TransientError:
            if held is None or now >= held.ends:
                raise
            return held
        finally:
            self._client.close()  # for an hour nobody asks again

    def _fetched(self, now: datetime) -> _Held:
        is_remembered = self._installation > 0
        try:
            return self._exchanged(now)
        except _GoneError as gone:
            self._installation = 0
            if not is_remembered:
                raise self._not_installed() from gone
        try:  # it was taken away and installed anew
            return self._exchanged(now)
        except _GoneError as gone:
            self._installation = 0
            raise self._not_installed() from gone

    def _exchanged(self, now: datetime) -> _Held:
        """Exchange our word for a token that opens this repository alone."""
        if not self._installation:
            found = self._ask("GET", f"/repos/{self._repository}/installation", now)
            self._installation = number_of(object_of(found).get("id"), "the installation of the App")
        address = f"/app/installations/{self._installation}/access_tokens"
        name = self._repository.partition("/")[2]
        answer = object_of(self._ask("POST", address, now, body={"repositories": [name]}))
        return _Held(token_of(answer.get("token")), min(_end(answer), now + MAX_LIFE))

    def _ask(self, verb: str, address: str, now: datetime, *, body: Json | None = None) -> Any:
        try:
            return self._client.send(verb, address, self._word(now), body=body)
        except UnsureError as error:
            raise TransientError(f"the forge gives the App no token: {error}") from error
        except ErrorAnswerError as error:
            if error.status == _NOT_FOUND:
                raise _GoneError from error
            raise self._sorted(error) from error

    def _word(self, now: datetime) -> str:
        """Sign who we are, for some minutes. RFC 7519; GitHub, "Generating a JSON Web Token for a GitHub App"."""
        said = {
            "iat": int((now - _SPOKEN_BEFORE).timestamp()),
            "exp": int((now + _SPOKEN_FOR).timestamp()),
            "iss": self.app_id,
        }
        return jwt.encode(said, self._key, algorithm="RS256")

    def _sorted(self, error: ErrorAnswerError) -> BotError:
        if error.status == _UNAUTHORIZED:
            return PermanentError(_REFUSED.format(error.said))
        if error.is_slowed or error.status >= _SERVER:
            return TransientError(f"the forge gives the App no token now ({error.status}): {error.said}")
        return PermanentError(f"the forge gives the App no token ({error.status}): {error.said}")

    def _not_installed(self) -> PermanentError:
        return PermanentError(
            f"GITHUB_APP_ID: the App {plain(self.app_id)} is not installed on {self._repository};"
            " an owner installs it on the App's page, under Install App, and chooses this repository"
        )


class _GoneError(Exception):
    """The installation is not there."""


def _end(answer: Mapping[str, Any]) -> datetime:
    """Read when a token ends. Raises: PermanentError."""
    said = answer.get("expires_at")
    try:
        end = datetime.fromisoformat(said) if isinstance(said, str) else None
    except ValueError:
        end = None
    if end is None or end.tzinfo is None:
        raise PermanentError("the forge gives the App a token without saying when it ends")
    return end.astimezone(UTC)
