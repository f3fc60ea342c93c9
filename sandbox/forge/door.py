"""The forge's door: who is asking, what is asked, and the faults that stand in between."""

import json
import logging
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.forge.accounts import Json
from sandbox.forge.answers import BELOW_THE_REPOSITORY, EVERYWHERE
from sandbox.forge.app_answers import BELOW_THE_REPOSITORY as APPS_BELOW
from sandbox.forge.app_answers import ROUTES
from sandbox.forge.apps import AppAccount, refuse_organization, refuse_without, user_of, words_of
from sandbox.forge.bodies import Bodies
from sandbox.forge.call import AppCall, AppFunction, Call, Function
from sandbox.forge.git import METHODS as GIT_METHODS
from sandbox.forge.git import GitDoor
from sandbox.forge.refusals import RefusalError, bad_credentials, not_found, unauthenticated, unreadable
from sandbox.forge.state import User
from sandbox.forge.world import World
from sandbox.git import GitError
from sandbox.http import KEPT_REQUESTS, Endpoint, Handler, Seen, endpoint, seen

_LOG = logging.getLogger(__name__)
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
_ERRORS = 400  # HTTP: refusals begin here
_HOURLY_LIMIT = 5000  # GitHub, requests of one user


@dataclass(slots=True)
class Fault:
    """An error that so many requests get: in place of their answer, or after what they asked was done."""

    refusal: RefusalError
    left: int
    method: str | None = None
    address: str = ""  # how the address ends
    is_after: bool = False
    body: bytes = b""  # answered as it is, as if all were well

    def meets(self, request: Request) -> bool:
        """Tell whether this request gets it."""
        is_asked = self.method in {None, request.method} and request.url.path.endswith(self.address)
        return is_asked and self.left > 0


@dataclass(slots=True)
class Door:
    """Lets requests in, one at a time."""

    world: World
    seconds: float = 0  # that pass before a request is looked at
    faults: list[Fault] = field(default_factory=list)
    seen: deque[Seen] = field(default_factory=lambda: deque(maxlen=KEPT_REQUESTS))

    def app(self) -> Starlette:
        """Return what is to be served."""
        below = f"/repos/{self.world.owner}/{self.world.name}"
        table = [*EVERYWHERE, *((method, below + path, call) for method, path, call in BELOW_THE_REPOSITORY)]
        routes = [Route(path, self._endpoint(function), methods=[method]) for method, path, function in table]
        words = [*ROUTES, *((method, below + path, call) for method, path, call in APPS_BELOW)]
        signed = [
            Route(path, self._served(self._signed(function)), methods=[method])
            for method, path, function in words
        ]
        git = f"/{self.world.owner}/{self.world.name}.git/{{rest:path}}"
        signed.append(Route(git, endpoint(self._git), methods=list(GIT_METHODS)))
        ways = {"/login/device/code": self._begins, "/login/oauth/access_token": self._exchanges}
        strangers = [Route(path, self._served(answer), methods=["POST"]) for path, answer in ways.items()]
        return Starlette(
            routes=[
                *strangers,
                *signed,
                *routes,
                Route("/{rest:path}", self._endpoint(_nothing), methods=_METHODS),
            ]
        )

    def _endpoint(self, function: Function) -> Endpoint:
        return self._served(lambda request, body: self._carried_out(function, request, body))

    def _signed(self, function: AppFunction) -> Handler:
        """Let an App in by the word that it signed."""

        def answer(request: Request, body: bytes) -> Response:
            scheme, _, token = request.headers.get("authorization", "").partition(" ")
            app = self.world.apps.speaker(words_of(scheme, token))
            call = AppCall(
                app, self.world.apps, dict(request.path_params), _read(body), self._bodies(request)
            )
            return function(call)

        return answer

    def _begins(self, request: Request, body: bytes) -> Response:
        """Give a code to type; nobody has to be signed in for it."""
        base = str(request.base_url).rstrip("/")
        return JSONResponse(self.world.sign_ins.begin(base, _read(body)))

    def _exchanges(self, _request: Request, body: bytes) -> Response:
        """Give a token for a code that was typed."""
        return JSONResponse(self.world.sign_ins.exchange(_read(body)))

    def _served(self, function: Handler) -> Endpoint:
        return endpoint(lambda request, body: self._answer(function, request, body))

    def _answer(self, function: Handler, request: Request, body: bytes) -> Response:
        time.sleep(self.seconds)
        with self.world.lock:
            fault = self._fault(request)
            if fault is not None and not fault.is_after:
                response = _spoiled(fault)
            else:
                response = self._sound(function, request, body)
            if fault is not None and response.status_code < _ERRORS:
                response = _spoiled(fault)
            self.seen.append(seen(request, response))
            return response

    def _git(self, request: Request, body: bytes) -> Response:
        with self.world.lock:
            response = GitDoor(self.world).answer(request, body)
            self.seen.append(seen(request, response))
            return response

    def _sound(self, function: Handler, request: Request, body: bytes) -> Response:
        try:
            return function(request, body)
        except RefusalError as refusal:
            return _refused(refusal)
        except GitError:
            _LOG.exception("the sandbox's forge could not answer %s %s", request.method, request.url.path)
            return _refused(RefusalError(500, "Server Error"))

    def _carried_out(self, function: Function, request: Request, body: bytes) -> Response:
        user, app = self._who(request)
        read, bodies = _read(body), self._bodies(request)
        path, target = dict(request.path_params), bodies.base + request.url.path
        with self.world.acting():
            call = Call(
                user, path, request.query_params, read, target, self.world.pulls, bodies, self.world.apps, app
            )
            response = function(call)
        response.headers["X-RateLimit-Limit"] = str(_HOURLY_LIMIT)
        response.headers["X-RateLimit-Remaining"] = str(_HOURLY_LIMIT - 1)
        return response

    def _bodies(self, request: Request) -> Bodies:
        base = str(request.base_url).rstrip("/")
        users = self.world.users | {
            user.login: user for user in map(user_of, self.world.apps.accounts.values())
        }
        return Bodies(base, self.world.owner, self.world.name, users, self.world.default_branch)

    def _who(self, request: Request) -> tuple[User, AppAccount | None]:
        """Return who asks: a person by their token, or an App by its installation's. Raises: RefusalError."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if not scheme:
            raise unauthenticated()
        if scheme.lower() not in {"token", "bearer"}:
            raise bad_credentials()
        below = f"/repos/{self.world.owner}/{self.world.name}"
        if (app := self.world.apps.of_token(token)) is not None:
            if request.url.path.startswith(below):
                refuse_without(app, request.method, request.url.path.removeprefix(below))
            elif request.url.path.startswith("/orgs/"):
                refuse_organization(app)
            return user_of(app), app
        login = self.world.sign_ins.tokens.get(token)
        user = next(
            (one for one in self.world.users.values() if one.token == token or one.login == login), None
        )
        if user is None or not token:
            raise bad_credentials()
        if user.permission == "none" and request.url.path.startswith("/repos/"):
            raise not_found()
        return user, None

    def _fault(self, request: Request) -> Fault | None:
        found = next((fault for fault in self.faults if fault.meets(request)), None)
        if found is not None:
            found.left -= 1
        return found


def _read(body: bytes) -> Json:
    """Return a JSON object, an empty one for no body. Raises: RefusalError."""
    if not body.strip():
        return {}
    try:
        read: Any = json.loads(body)
    except (ValueError, RecursionError):
        raise unreadable() from None
    if not isinstance(read, dict):
        raise unreadable()
    return read


def _spoiled(fault: Fault) -> Response:
    return Response(fault.body, media_type="application/json") if fault.body else _refused(fault.refusal)


def _refused(refusal: RefusalError) -> Response:
    return JSONResponse(refusal.body(), refusal.status, refusal.headers)


def _nothing(_: Call) -> Response:
    raise not_found()
