"""The forge's repository over smart HTTP: git's own backend behind the check of a token, as GitHub does it."""

import base64
import binascii
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from sandbox.forge.apps import AppAccount, user_of
from sandbox.forge.state import User
from sandbox.forge.world import World
from sandbox.git import TIMEOUT_SECONDS

METHODS = ("GET", "POST")
_APP_USER = "x-access-token"  # GitHub, "Authenticating as a GitHub App installation"
_PUSH = "git-receive-pack"
_NOBODY = {"WWW-Authenticate": 'Basic realm="GitHub"'}


class _RefusedError(Exception):
    """A plain answer that lets nobody in."""

    def __init__(self, status: int, text: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(text)
        self.response = Response(f"{text}\n", status, headers, media_type="text/plain")


@dataclass(frozen=True, slots=True)
class GitDoor:
    """Answers clones, fetches and pushes of the one repository."""

    world: World

    def answer(self, request: Request, body: bytes) -> Response:
        """Let git answer, for who may ask that."""
        try:
            login = self._login(request)
        except _RefusedError as refused:
            return refused.response
        acting = self.world.pushing(login) if _is_push(request) else self.world.acting()
        with acting:
            return _backend(self.world.repository.git.repository, request, body, login)

    def _login(self, request: Request) -> str:
        """Return who asks. Raises: _RefusedError."""
        user, token = _basic(request.headers.get("authorization", ""))
        if not token:
            raise _RefusedError(401, "No anonymous access: a token is needed.", _NOBODY)
        app = self.world.apps.of_token(token) if user == _APP_USER else None
        person = user_of(app) if app else self._person(token)
        if person is None:
            raise _RefusedError(401, "Invalid username or token.", _NOBODY)
        if person.permission == "none":
            raise _RefusedError(404, "Repository not found.")
        if _is_push(request) and not _may_push(person, app):
            name = f"{self.world.owner}/{self.world.name}.git"
            raise _RefusedError(403, f"Permission to {name} denied to {person.login}.")
        return person.login

    def _person(self, token: str) -> User | None:
        return next((one for one in self.world.users.values() if one.token == token), None)


def _may_push(person: User, app: AppAccount | None) -> bool:
    return app.may("contents:write") if app else person.can_write


def _is_push(request: Request) -> bool:
    return request.url.path.endswith(f"/{_PUSH}") or request.query_params.get("service") == _PUSH


def _basic(header: str) -> tuple[str, str]:
    """Return user and password of RFC 7617, twice '' where there are none."""
    scheme, _, given = header.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        user, _, password = base64.b64decode(given, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return user, password


def _backend(repository: Path, request: Request, body: bytes, login: str) -> Response:
    """Run ``git http-backend`` as the Common Gateway Interface says (RFC 3875)."""
    environment = {
        "GIT_PROJECT_ROOT": str(repository.parent),
        "GIT_HTTP_EXPORT_ALL": "1",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_PROTOCOL": request.headers.get("git-protocol", ""),
        "PATH_INFO": f"/{repository.name}/{request.path_params['rest']}",
        "PATH": "/usr/bin:/bin",
        "QUERY_STRING": request.url.query,
        "REQUEST_METHOD": request.method,
        "CONTENT_TYPE": request.headers.get("content-type", ""),
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_CONTENT_ENCODING": request.headers.get("content-encoding", ""),
        "REMOTE_USER": login,
        "REMOTE_ADDR": "127.0.0.1",
    }
    done = subprocess.run(
        ["git", "http-backend"],
        input=body,
        env=environment,
        capture_output=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    head, _, content = done.stdout.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode("latin-1").split("\r\n") if ": " in line)
    if not headers:
        return Response("the sandbox's git did not answer\n", 500, media_type="text/plain")
    status = int(headers.pop("Status", "200").split(" ", 1)[0])
    return Response(content, status, headers)
