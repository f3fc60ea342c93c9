"""The forge's door: who is asking, what is asked, and the faults that stand in between."""

import json
import logging
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.forge_accounts import Json
from sandbox.forge_answers import BELOW_THE_REPOSITORY, EVERYWHERE
from sandbox.forge_bodies import Bodies
from sandbox.forge_call import Call, Function
from sandbox.forge_refusals import RefusalError, bad_credentials, not_found, unauthenticated, unreadable
from sandbox.forge_state import User
from sandbox.forge_world import World
from sandbox.git import GitError
from sandbox.http import KEPT_REQUESTS, Endpoint, Seen, endpoint, seen

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

    def meets(self, request: Request) -> bool:
        """Tell whether this request gets it."""
        is_asked = self.method in {None, request.method} and request.url.path.endswith(self.address)
        return is_asked and self.left > 0


@dataclass(slots=True)
class Door:
    """Lets requests in, one at a time."""

    world: World
    faults: list[Fault] = field(default_factory=list)
    seen: deque[Seen] = field(default_factory=lambda: deque(maxlen=KEPT_REQUESTS))

    def app(self) -> Starlette:
        """Return what is to be served."""
        below = f"/repos/{self.world.owner}/{self.world.name}"
        table = [*EVERYWHERE, *((method, below + path, call) for method, path, call in BELOW_THE_REPOSITORY)]
        routes = [Route(path, self._endpoint(function), methods=[method]) for method, path, function in table]
        return Starlette(routes=[*routes, Route("/{rest:path}", self._endpoint(_nothing), methods=_METHODS)])

    def _endpoint(self, function: Function) -> Endpoint:
        return endpoint(lambda request, body: self._answer(function, request, body))

    def _answer(self, function: Function, request: Request, body: bytes) -> Response:
        with self.world.lock:
            fault = self._fault(request)
            if fault is not None and not fault.is_after:
                response = _refused(fault.refusal)
            else:
                response = self._sound(function, request, body)
            if fault is not None and response.status_code < _ERRORS:
                response = _refused(fault.refusal)
            self.seen.append(seen(request, response))
            return response

    def _sound(self, function: Function, request: Request, body: bytes) -> Response:
        try:
            return self._carried_out(function, request, body)
        except RefusalError as refusal:
            return _refused(refusal)
        except GitError:
            _LOG.exception("the sandbox's forge could not answer %s %s", request.method, request.url.path)
            return _refused(RefusalError(500, "Server Error"))

    def _carried_out(self, function: Function, request: Request, body: bytes) -> Response:
        user = self._user(request)
        read = _object(body)
        if read is None:
            raise unreadable()
        base = str(request.base_url).rstrip("/")
        bodies = Bodies(base, self.world.owner, self.world.name, self.world.users, self.world.default_branch)
        path, target = dict(request.path_params), base + request.url.path
        with self.world.acting():
            response = function(
                Call(user, path, request.query_params, read, target, self.world.pulls, bodies)
            )
        response.headers["X-RateLimit-Limit"] = str(_HOURLY_LIMIT)
        response.headers["X-RateLimit-Remaining"] = str(_HOURLY_LIMIT - 1)
        return response

    def _user(self, request: Request) -> User:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if not scheme:
            raise unauthenticated()
        known = self.world.users.values() if scheme.lower() in {"token", "bearer"} else ()
        user = next((one for one in known if one.token == token), None)
        if user is None:
            raise bad_credentials()
        if user.permission == "none" and request.url.path.startswith("/repos/"):
            raise not_found()
        return user

    def _fault(self, request: Request) -> Fault | None:
        found = next((fault for fault in self.faults if fault.meets(request)), None)
        if found is not None:
            found.left -= 1
        return found


def _object(body: bytes) -> Json | None:
    """Return a JSON object, an empty one for no body; None if it is anything else."""
    if not body.strip():
        return {}
    try:
        read: Any = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return read if isinstance(read, dict) else None


def _refused(refusal: RefusalError) -> Response:
    return JSONResponse(refusal.body(), refusal.status, refusal.headers)


def _nothing(_: Call) -> Response:
    raise not_found()
