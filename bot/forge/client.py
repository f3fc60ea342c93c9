"""A PyGithub client: sends one request as whoever it is told to be, and sorts what comes back into two kinds."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from queue import LifoQueue
from typing import Any
from urllib.parse import urlsplit

from github import Auth, Consts, Github, GithubException
from urllib3 import Retry

from bot.errors import SettingsError

Json = Mapping[str, Any]

MAX_SAID = 300  # characters of the forge's own words in ours
FORBIDDEN, SLOW_DOWN = 403, 429
_TOKENS = re.compile(r"\b(?:gh[a-z]_|github_pat_)[A-Za-z0-9_-]+|\beyJ[\w-]{8,}(?:\.[\w-]*){0,2}")


@dataclass(frozen=True, slots=True)
class Manner:
    """How patient we are with the forge, in seconds."""

    timeout: int = 10  # without a byte
    between_writes: float = 1.0  # GitHub, "Best practices for using the REST API"
    between_looks: float = 1.0  # its answers may be a moment old


class ErrorAnswerError(Exception):
    """The forge answered with an error. ``said`` is one plain line of its own, without secrets."""

    def __init__(self, status: int, said: str, headers: Mapping[str, str]) -> None:
        """Keep the answer; names of headers are in lower case."""
        super().__init__(said)
        self.status = status
        self.said = said
        self.headers = headers

    @property
    def is_slowed(self) -> bool:
        """GitHub, "Rate limits for the REST API": 403 or 429, told by a header or by the message."""
        if self.status == SLOW_DOWN:
            return True
        is_spent = "retry-after" in self.headers or self.headers.get("x-ratelimit-remaining") == "0"
        return self.status == FORBIDDEN and (is_spent or "rate limit" in self.said.lower())


class UnsureError(Exception):
    """No answer that says whether it was done: a time-out, a broken connection, 5xx, or noise."""


class Client:
    """Asks by address and not through PyGithub's objects.

    Those complete themselves with further requests, follow URLs that stand in bodies, and believe what stands there.
    """

    def __init__(self, base_url: str, manner: Manner, retry: Retry | None = None, *, most: int = 1) -> None:
        """Open nothing yet; no ``base_url`` means github.com. Raises: SettingsError.

        ``most`` requests go side by side, so that one that hangs keeps nobody else from theirs; who comes then waits.
        """
        self._lines = [_Line.to(base_url, manner, retry) for _ in range(most)]
        self._idle: LifoQueue[_Line] = LifoQueue()  # the last again: few connections are opened
        for one in self._lines:
            self._idle.put(one)

    def send(
        self,
        verb: str,
        address: str,
        token: str,
        *,
        parameters: Mapping[str, str | int] | None = None,
        body: Json | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Send one request as the bearer of a token, '' as nobody. Raises: ErrorAnswerError, UnsureError."""
        asked, sent = dict(parameters or {}), None if body is None else dict(body)
        line = self._idle.get()
        line.bearer.held = token
        requester = line.github.requester
        try:
            return requester.requestJsonAndCheck(
                verb, address, asked, headers=dict(headers or {}), input=sent
            )[1]
        except GithubException as error:
            raise ErrorAnswerError(error.status, _said(error, token), error.headers or {}) from None
        except OSError as error:  # whatever requests raises is one
            raise UnsureError(f"{plain(requester.hostname)} did not answer ({_kind(error)})") from error
        except (ValueError, TypeError, AttributeError, RuntimeError, AssertionError) as error:
            # PyGithub on bodies that are no JSON or no objects, and on redirects to elsewhere.
            raise UnsureError(f"the answer cannot be read ({_kind(error)})") from error
        finally:
            line.bearer.held = ""
            self._idle.put(line)

    def close(self) -> None:
        """Close the connections."""
        for one in self._lines:
            one.github.close()


class _Bearer(Auth.Auth):
    """The token of the request that is being sent."""

    def __init__(self) -> None:
        self.held = ""

    @property
    def token_type(self) -> str:
        return "Bearer"

    def authentication(self, headers: dict[str, Any]) -> None:
        """Say who we are, where we are somebody."""
        if self.held:
            super().authentication(headers)

    @property
    def token(self) -> str:
        return self.held


@dataclass(frozen=True, slots=True)
class _Line:
    """What one request at a time goes through, and whose token it bears."""

    github: Github
    bearer: _Bearer

    @classmethod
    def to(cls, base_url: str, manner: Manner, retry: Retry | None) -> "_Line":
        bearer = _Bearer()
        try:
            github = Github(
                auth=bearer,
                base_url=base_url.rstrip("/") or Consts.DEFAULT_BASE_URL,
                timeout=manner.timeout,
                user_agent="countersign",
                retry=retry,
                seconds_between_requests=0,
                seconds_between_writes=manner.between_writes,
            )
        except (AssertionError, AttributeError, ValueError) as error:
            raise SettingsError("COUNTERSIGN_GITHUB_URL: expected a URL, https://HOST/api/v3") from error
        return cls(github, bearer)


def patient_retry() -> Retry:
    """Read again where the forge stumbles. A pause that a rate limit asks for is not slept through here.

    The next pass comes anyway.
    """
    return Retry(
        total=2,
        backoff_factor=0.2,
        status_forcelist=(500, 502, 503, 504),
        allowed_methods=("GET",),
        respect_retry_after_header=False,
        raise_on_status=False,
    )


def site_of(base_url: str) -> str:
    """Return where people sign in, of the API's address."""
    url = urlsplit(base_url)
    if not url.hostname or url.hostname == "api.github.com":
        return "https://github.com"
    return f"{url.scheme}://{url.netloc.removeprefix('api.')}"


def plain(text: object, limit: int = MAX_SAID) -> str:
    """Return text of others as one printable line, '' for what is no text."""
    if not isinstance(text, str):
        return ""
    line = " ".join(text[: 4 * limit].split())
    line = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in line)
    return line if len(line) <= limit else line[: limit - 1] + "\N{HORIZONTAL ELLIPSIS}"


def _said(error: GithubException, token: str) -> str:
    """Return the forge's own message with its reasons, on one line, without secrets."""
    answer = error.data if isinstance(error.data, dict) else {}
    errors = answer.get("errors")
    details = [
        one.get("message") or f"{one.get('field', '')} {one.get('code', '')}"
        if isinstance(one, dict)
        else one
        for one in (errors if isinstance(errors, list) else [])[:5]
    ]
    words = [plain(word) for word in (answer.get("message"), *details)]
    line = ": ".join(word for word in words if word) or f"HTTP {error.status}"
    return plain(_TOKENS.sub("***", line.replace(token, "***") if token else line))


def _kind(error: Exception) -> str:
    return type(error).__name__
