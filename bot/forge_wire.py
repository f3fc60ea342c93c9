"""One request to the forge by PyGithub: reads again where that helps, writes exactly once, errors sorted."""

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from github import Auth, Consts, Github, GithubException, RateLimitExceededException
from pydantic import SecretStr
from urllib3 import Retry

from bot.errors import BotError, PermanentError, SettingsError, TransientError

Json = dict[str, Any]

MAX_SAID = 300  # characters of the forge's own words in ours
_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}", re.ASCII)
_ACCEPTED = re.compile(r"[a-z_]{1,40}=(?:read|write|admin)(?:[,;] ?[a-z_]{1,40}=(?:read|write|admin))*")
_TOKENS = re.compile(r"\b(?:gh[a-z]_|github_pat_)[A-Za-z0-9_-]+")
_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _CONFLICT, _SLOW_DOWN, _SERVER = 401, 403, 404, 409, 429, 500


@dataclass(frozen=True, slots=True)
class Manner:
    """How patient we are with the forge, in seconds."""

    timeout: int = 10  # without a byte
    between_writes: float = 1.0  # GitHub, "Best practices for using the REST API"
    between_looks: float = 1.0  # its answers may be a moment old


class RefusalError(Exception):
    """The forge said no; nothing was done by this request. ``said`` is one plain line of its own."""

    def __init__(self, status: int, said: str, foreseen: BotError) -> None:
        """Keep the answer, and the error that it is where nobody expects it."""
        super().__init__(said)
        self.status = status
        self.said = said
        self.foreseen = foreseen


class UnsureError(Exception):
    """No answer that says whether it was done: a time-out, a broken connection, 5xx, or noise."""


class Wire:
    """Two clients for one repository: one that reads, one that writes.

    PyGithub is asked by address and not through its objects: those complete themselves with further requests,
    follow URLs that stand in bodies, and believe what stands there.
    """

    def __init__(self, repository: str, token: SecretStr, base_url: str, manner: Manner) -> None:
        """Open nothing yet. Raises: SettingsError."""
        if _REPOSITORY.fullmatch(repository) is None:
            raise SettingsError(
                f"COUNTERSIGN_FORGE_REPOSITORY: {plain(repository)!r} is no repository; expected OWNER/NAME"
            )
        if not token.get_secret_value().strip():
            raise SettingsError("GITHUB_TOKEN: it is empty")
        self.repository = repository
        self.owner = repository.partition("/")[0]
        self._token = token
        # A pause that a rate limit asks for is not slept through here: the next pass comes anyway.
        again = Retry(
            total=2,
            backoff_factor=0.2,
            status_forcelist=(500, 502, 503, 504),
            allowed_methods=("GET",),
            respect_retry_after_header=False,
            raise_on_status=False,
        )
        self._reader = self._client(base_url, manner, again)
        self._writer = self._client(base_url, manner, None)
        self._reading, self._writing = threading.Lock(), threading.Lock()

    def __repr__(self) -> str:
        """Name the repository and nothing else."""
        return f"Wire({self.repository!r})"

    def read(self, path: str, **parameters: str | int) -> Any | None:
        """Return what stands below the repository's address, None where it answers 404. Raises: BotError."""
        return self._look(f"/repos/{self.repository}{path}", parameters)

    def read_account(self, login: str) -> Any | None:
        """Return a user, None where there is none. Raises: BotError."""
        return self._look(f"/users/{login}", {})

    def write(self, verb: str, path: str, body: Mapping[str, str], *, permission: str) -> Any:
        """Ask for a change once. Raises: RefusalError, UnsureError, BotError."""
        try:
            with self._writing:
                return self._send(self._writer, verb, f"/repos/{self.repository}{path}", body=body)
        except GithubException as error:
            if error.status >= _SERVER:
                raise UnsureError(self._said(error)) from error
            foreseen = self._sorted(error, permission)
            if error.status == _UNAUTHORIZED or _is_slowed(error):
                raise foreseen from error
            raise RefusalError(error.status, self._said(error), foreseen) from error

    def close(self) -> None:
        """Close the connections."""
        self._reader.close()
        self._writer.close()

    def _client(self, base_url: str, manner: Manner, retry: Retry | None) -> Github:
        try:
            return Github(
                auth=Auth.Token(self._token.get_secret_value().strip()),
                base_url=base_url.rstrip("/") or Consts.DEFAULT_BASE_URL,
                timeout=manner.timeout,
                user_agent="countersign",
                retry=retry,
                seconds_between_requests=0,
                seconds_between_writes=manner.between_writes,
            )
        except (AssertionError, AttributeError, ValueError) as error:
            raise SettingsError("COUNTERSIGN_GITHUB_URL: expected a URL, https://HOST/api/v3") from error

    def _look(self, address: str, parameters: Mapping[str, str | int]) -> Any | None:
        try:
            with self._reading:
                return self._send(self._reader, "GET", address, parameters=parameters)
        except GithubException as error:
            if error.status == _NOT_FOUND:
                return None
            raise self._sorted(error, "read access") from error
        except UnsureError as error:
            raise TransientError(f"the forge cannot be read: {error}") from error

    def _send(
        self,
        client: Github,
        verb: str,
        address: str,
        *,
        parameters: Mapping[str, str | int] | None = None,
        body: Mapping[str, str] | None = None,
    ) -> Any:
        """Send one request. Raises: GithubException, UnsureError."""
        asked, sent = dict(parameters or {}), None if body is None else dict(body)
        try:
            _, answer = client.requester.requestJsonAndCheck(verb, address, asked, input=sent)
        except GithubException:
            raise
        except OSError as error:  # whatever requests raises is one
            raise UnsureError(
                f"{plain(client.requester.hostname)} did not answer ({_kind(error)})"
            ) from error
        except (ValueError, TypeError, AttributeError, RuntimeError, AssertionError) as error:
            # PyGithub on bodies that are no JSON or no objects, and on redirects to elsewhere.
            raise UnsureError(f"the answer cannot be read ({_kind(error)})") from error
        return answer

    def _sorted(self, error: GithubException, permission: str) -> BotError:
        status, said = error.status, self._said(error)
        headers = error.headers or {}
        if status == _UNAUTHORIZED:
            return PermanentError(
                f"GITHUB_TOKEN is refused: the forge says {said!r}; make a token for {self.repository} and set it"
            )
        if _is_slowed(error):
            after = headers.get("retry-after", "")
            pause = f" for {int(after)} s" if re.fullmatch(r"[0-9]{1,6}", after, re.ASCII) else ""
            return TransientError(f"the forge asked us to slow down{pause}: {said}")
        if status == _FORBIDDEN:
            accepted = headers.get("x-accepted-github-permissions", "")
            needed = accepted if _ACCEPTED.fullmatch(accepted) else permission
            return PermanentError(
                f"GITHUB_TOKEN may not do this in {self.repository}: give it {needed}; the forge says {said!r}"
            )
        if status == _NOT_FOUND:
            return self.missing_repository()
        if status >= _SERVER or status == _CONFLICT:
            return TransientError(f"the forge cannot do it now ({status}): {said}")
        return PermanentError(f"the forge refuses ({status}): {said}")

    def missing_repository(self) -> PermanentError:
        """Say that the repository itself is not to be seen."""
        return PermanentError(
            f"COUNTERSIGN_FORGE_REPOSITORY: {self.repository} is not there, or GITHUB_TOKEN may not see it;"
            " expected OWNER/NAME of the GitOps repository and a token that was given access to it"
        )

    def _said(self, error: GithubException) -> str:
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
        return plain(_TOKENS.sub("***", line.replace(self._token.get_secret_value().strip(), "***")))


def plain(text: object, limit: int = MAX_SAID) -> str:
    """Return text of others as one printable line, '' for what is no text."""
    if not isinstance(text, str):
        return ""
    line = " ".join(text[: 4 * limit].split())
    line = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in line)
    return line if len(line) <= limit else line[: limit - 1] + "\N{HORIZONTAL ELLIPSIS}"


def _is_slowed(error: GithubException) -> bool:
    """GitHub, "Rate limits for the REST API": 403 or 429, told by a header or by the message."""
    if error.status == _SLOW_DOWN or isinstance(error, RateLimitExceededException):
        return True
    headers = error.headers or {}  # names in lower case
    is_spent = "retry-after" in headers or headers.get("x-ratelimit-remaining") == "0"
    return error.status == _FORBIDDEN and is_spent


def _kind(error: Exception) -> str:
    return type(error).__name__
