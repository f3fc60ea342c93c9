"""Requests about one repository: reads again where that helps, writes exactly once, errors sorted."""

import re
from collections.abc import Mapping
from typing import Any, Protocol

from pydantic import SecretStr

from bot.errors import BotError, PermanentError, SettingsError, TransientError
from bot.forge.client import (
    FORBIDDEN,
    MAX_SAID,
    Client,
    ErrorAnswerError,
    Json,
    Manner,
    UnsureError,
    patient_retry,
    plain,
)

__all__ = ["MAX_SAID", "Login", "Manner", "RefusalError", "TokenLogin", "UnsureError", "Wire", "plain"]

_READS = 4  # questions that go side by side
REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}", re.ASCII)
_ACCEPTED = re.compile(r"[a-z_]{1,40}=(?:read|write|admin)(?:[,;] ?[a-z_]{1,40}=(?:read|write|admin))*")
_UNAUTHORIZED, _NOT_FOUND, _CONFLICT, _SERVER = 401, 404, 409, 500


class Login(Protocol):
    """Who we are at the forge. Asked from any thread."""

    @property
    def name(self) -> str:
        """Return the setting, or what it stands for, as a sentence names it."""

    @property
    def app_id(self) -> str:
        """Return the App that we are, '' for a plain token."""

    def token(self) -> str:
        """Return a token that is valid now. Raises: BotError."""

    def refuse(self, token: str) -> bool:
        """Forget a token that was refused; say whether another one may be had."""


class TokenLogin:
    """One token that a person made; there is no other."""

    name = "GITHUB_TOKEN"
    app_id = ""

    def __init__(self, token: SecretStr) -> None:
        """Keep it. Raises: SettingsError where it is empty."""
        self._token = SecretStr(token.get_secret_value().strip())
        if not self._token.get_secret_value():
            raise SettingsError("GITHUB_TOKEN: it is empty")

    def token(self) -> str:
        """Return the token."""
        return self._token.get_secret_value()

    def refuse(self, token: str) -> bool:  # noqa: ARG002  there is nothing to forget
        """Say that there is no other."""
        return False


class RefusalError(Exception):
    """The forge said no; nothing was done by this request. ``said`` is one plain line of its own."""

    def __init__(self, status: int, said: str, foreseen: BotError) -> None:
        """Keep the answer, and the error that it is where nobody expects it."""
        super().__init__(said)
        self.status = status
        self.said = said
        self.foreseen = foreseen


class Wire:
    """Clients for one repository: those that read, side by side, and the one that writes."""

    def __init__(self, repository: str, login: Login, base_url: str, manner: Manner) -> None:
        """Open nothing yet. Raises: SettingsError."""
        if REPOSITORY.fullmatch(repository) is None:
            raise SettingsError(
                f"COUNTERSIGN_FORGE_REPOSITORY: {plain(repository)!r} is no repository; expected OWNER/NAME"
            )
        self.repository = repository
        self.owner = repository.partition("/")[0]
        self.login = login
        graph_url = base_url.rstrip("/").removesuffix("/v3")  # GitHub Enterprise Server: /api/graphql
        self._reader = Client(base_url, manner, patient_retry(), most=_READS)
        self._writer = Client(base_url, manner)
        self._graph = Client(graph_url, manner, most=_READS)

    def __repr__(self) -> str:
        """Name the repository and nothing else."""
        return f"Wire({self.repository!r})"

    def read(self, path: str, **parameters: str | int) -> Any | None:
        """Return what stands below the repository's address, None where it answers 404. Raises: BotError."""
        return self._look(f"/repos/{self.repository}{path}", parameters)

    def read_account(self, login: str) -> Any | None:
        """Return a user, None where there is none. Raises: BotError."""
        return self._look(f"/users/{login}", {})

    def read_elsewhere(self, address: str, **parameters: str | int) -> Any | None:
        """Return what stands at an address of the API, None where it answers 404. Raises: BotError."""
        return self._look(address, parameters)

    def query(self, text: str, variables: Mapping[str, str]) -> Any:
        """Ask a question of the GraphQL API, which changes nothing. Raises: BotError."""
        body = {"query": text, "variables": dict(variables)}
        try:
            return self._as_us(self._graph, "POST", "/graphql", body=body)
        except ErrorAnswerError as error:
            raise self._sorted(error, "read access") from error
        except UnsureError as error:
            raise TransientError(f"the forge cannot be read: {error}") from error

    def write(self, verb: str, path: str, body: Json, *, permission: str) -> Any:
        """Ask for a change once. Raises: RefusalError, UnsureError, BotError."""
        try:
            return self._as_us(self._writer, verb, f"/repos/{self.repository}{path}", body=body)
        except ErrorAnswerError as error:
            if error.status >= _SERVER:
                raise UnsureError(error.said) from error
            foreseen = self._sorted(error, permission)
            if error.status == _UNAUTHORIZED or error.is_slowed:
                raise foreseen from error
            raise RefusalError(error.status, error.said, foreseen) from error

    def close(self) -> None:
        """Close the connections."""
        self._reader.close()
        self._writer.close()
        self._graph.close()

    def _look(self, address: str, parameters: Mapping[str, str | int]) -> Any | None:
        try:
            return self._as_us(self._reader, "GET", address, parameters=parameters)
        except ErrorAnswerError as error:
            if error.status == _NOT_FOUND:
                return None
            raise self._sorted(error, "read access") from error
        except UnsureError as error:
            raise TransientError(f"the forge cannot be read: {error}") from error

    def _as_us(
        self,
        client: Client,
        verb: str,
        address: str,
        *,
        parameters: Mapping[str, str | int] | None = None,
        body: Json | None = None,
    ) -> Any:
        """Send a request; where our token is refused (401), nothing was done: once more with another one.

        A token has the permissions of the moment in which it was made: after 403 the next request gets a new one.
        """
        token = self.login.token()
        try:
            return client.send(verb, address, token, parameters=parameters, body=body)
        except ErrorAnswerError as error:
            is_denied = error.status == FORBIDDEN and not error.is_slowed
            has_another = (error.status == _UNAUTHORIZED or is_denied) and self.login.refuse(token)
            if is_denied or not has_another:
                raise
        return client.send(verb, address, self.login.token(), parameters=parameters, body=body)

    def _sorted(self, error: ErrorAnswerError, permission: str) -> BotError:
        status, said, who = error.status, error.said, self.login.name
        if status == _UNAUTHORIZED:
            remedy = (
                "is it still installed there?"
                if self.login.app_id
                else f"make a token for {self.repository} and set it"
            )
            return PermanentError(f"{who} is refused: the forge says {said!r}; {remedy}")
        if error.is_slowed:
            after = error.headers.get("retry-after", "")
            pause = f" for {int(after)} s" if re.fullmatch(r"[0-9]{1,6}", after, re.ASCII) else ""
            return TransientError(f"the forge asked us to slow down{pause}: {said}")
        if status == FORBIDDEN:
            accepted = error.headers.get("x-accepted-github-permissions", "")
            needed = accepted if _ACCEPTED.fullmatch(accepted) else permission
            return PermanentError(
                f"{who} may not do this in {self.repository}: give it {needed}; the forge says {said!r}"
            )
        if status == _NOT_FOUND:
            return self.missing_repository()
        if status >= _SERVER or status == _CONFLICT:
            return TransientError(f"the forge cannot do it now ({status}): {said}")
        return PermanentError(f"the forge refuses ({status}): {said}")

    def missing_repository(self) -> PermanentError:
        """Say that the repository itself is not to be seen."""
        access = "the App installed on it" if self.login.app_id else "a token that was given access to it"
        return PermanentError(
            f"COUNTERSIGN_FORGE_REPOSITORY: {self.repository} is not there, or {self.login.name} may not see it;"
            f" expected OWNER/NAME of the GitOps repository and {access}"
        )
