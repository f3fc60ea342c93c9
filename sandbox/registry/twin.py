"""A container registry over HTTP: the pull side of the distribution API, and levers that break it."""

import asyncio
import json
import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.http import KEPT_REQUESTS, Seen, endpoint, seen
from sandbox.registry import images
from sandbox.registry.answers import (
    Fault,
    Repository,
    answered,
    blob,
    error,
    manifest,
    place,
    referrers,
    spoiled,
)
from sandbox.registry.images import Blob, Image
from sandbox.registry.tokens import LIFETIME, Tokens

__all__ = ["Fault", "RegistryError", "RegistryTwin", "Seen"]


_LOOK = 0.02  # seconds between two looks at whether what is held was let go


class RegistryError(Exception):
    """A lever was pulled on something that is not there."""


@dataclass(slots=True)
class _Trouble:
    fault: Fault
    repository: str | None
    seconds: float
    left: int | None

    def meets(self, repository: str, _kind: str) -> bool:
        return self.left != 0 and self.repository in {None, repository}


@dataclass(slots=True)
class Held:
    """Requests that are not answered before they are let go; ``asked`` once there is one."""

    repository: str | None
    kind: str | None  # of request: tags, manifests, blobs, referrers
    left: int | None
    asked: threading.Event = field(default_factory=threading.Event)
    let_go: threading.Event = field(default_factory=threading.Event)

    def meets(self, repository: str, kind: str) -> bool:
        """Whether a request is held."""
        is_meant = self.repository in {None, repository} and self.kind in {None, kind}
        return is_meant and self.left != 0 and not self.let_go.is_set()


M = TypeVar("M", _Trouble, Held)


class RegistryTwin:
    """A registry in memory. ``app`` serves it; every method may be called from any thread."""

    def __init__(
        self,
        *,
        tokens: bool = False,
        login: tuple[str, str] | None = None,
        token_lifetime: timedelta = LIFETIME,
        scopes_per_token: int | None = None,
        page_size: int | None = None,
        etags: bool = False,
    ) -> None:
        """Make an empty registry.

        ``tokens`` asks for bearer tokens, ``login`` for a name and a password (at the token service, or as HTTP
        Basic); ``page_size`` is the most tags that one page holds; ``etags`` answers If-None-Match with 304.
        """
        self._lock = threading.RLock()
        self._repositories: dict[str, Repository] = {}
        self._troubles: list[_Trouble] = []
        self._held: list[Held] = []
        self._seen: deque[Seen] = deque(maxlen=KEPT_REQUESTS)
        self._asks_tokens = tokens
        self._tokens = Tokens(login=login, lifetime=token_lifetime, scopes_per_token=scopes_per_token)
        self._page_size = page_size
        self._etags = etags
        self._has_referrers = False
        self.app = Starlette(
            routes=[
                Route("/token", endpoint(self._token), methods=["GET"]),
                Route(
                    "/{rest:path}", self._answer, methods=["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE"]
                ),
            ]
        )

    # Levers

    def list_referrers(self, *, does: bool) -> None:
        """Let it list what refers to an image from now on, or not."""
        self._has_referrers = does

    def push(self, name: str, tag: str, content: str | Image) -> str:
        """Put an image under a tag, new or not, and return its digest. The same content has the same digest."""
        made = content if isinstance(content, Image) else images.image(content)
        with self._lock:
            repository = self._repositories.setdefault(name, Repository())
            for part in (made.top, *made.manifests.values(), *made.blobs):
                repository.blobs[part.digest] = part
            repository.first_manifest[made.digest] = next(iter(made.manifests.values())).digest
            repository.tags[tag] = made.digest
        return made.digest

    def move(self, name: str, tag: str, content: str | Image) -> str:
        """Point a tag that is there to another image and return its digest. Raises: RegistryError."""
        with self._lock:
            before = self.digest(name, tag)
            after = self.push(name, tag, content)
        if after == before:
            raise RegistryError(f"{name}:{tag} already is {before}; a moved tag needs other content")
        return after

    def delete(self, name: str, tag: str) -> None:
        """Remove a tag; what it named stays reachable by digest. Raises: RegistryError."""
        with self._lock:
            self.digest(name, tag)
            del self._repositories[name].tags[tag]

    def digest(self, name: str, tag: str) -> str:
        """Return what a tag names now. Raises: RegistryError."""
        with self._lock:
            repository = self._repositories.get(name)
            if repository is None or tag not in repository.tags:
                raise RegistryError(f"there is no {name}:{tag} in the registry")
            return repository.tags[tag]

    def tags(self) -> dict[str, dict[str, str]]:
        """Return every repository's tags with their digests, for a page."""
        with self._lock:
            return {name: dict(repository.tags) for name, repository in sorted(self._repositories.items())}

    def fail(
        self, fault: Fault, *, repository: str | None = None, seconds: float = 1.0, times: int | None = None
    ) -> None:
        """Break answers from now on: everywhere or for one repository, for good or so many times.

        ``seconds`` is the delay of ``slow`` and the Retry-After of ``busy``.
        """
        with self._lock:
            self._troubles.append(_Trouble(Fault(fault), repository, seconds, times))

    def hold(
        self, *, repository: str | None = None, kind: str | None = None, times: int | None = None
    ) -> Held:
        """Answer nothing from now on until it is let go.

        Everywhere or of one repository, requests of all kinds or of one, for good or so many times.
        """
        with self._lock:
            self._held.append(Held(repository, kind, times))
            return self._held[-1]

    def heal(self) -> None:
        """End every fault."""
        with self._lock:
            self._troubles.clear()

    def expire_tokens(self) -> None:
        """End every bearer token that is out."""
        with self._lock:
            self._tokens.expire()

    def seen(self) -> list[Seen]:
        """Return the requests since the start, or since ``forget``; token requests count too."""
        with self._lock:
            return list(self._seen)

    def forget(self) -> None:
        """Count requests from nothing again."""
        with self._lock:
            self._seen.clear()

    # Answers

    async def _answer(self, request: Request) -> Response:
        name, kind, reference = place(request.url.path)
        if held := self._met(self._held, name, kind):
            held.asked.set()
            while not held.let_go.is_set():  # noqa: ASYNC110  an event of threads, without one of them for each request
                await asyncio.sleep(_LOOK)
        trouble = self._met(self._troubles, name, kind)
        if trouble is not None and trouble.fault is Fault.SLOW:
            await asyncio.sleep(trouble.seconds)
        with self._lock:
            response = self._ruined(request, trouble) or self._sound(request, name, kind, reference)
            if trouble is not None:
                response = spoiled(response, trouble.fault, kind)
            self._seen.append(seen(request, response))
        return response

    def _met(self, among: Iterable[M], name: str, kind: str) -> M | None:
        """Return the first that a request meets; it has met one more then."""
        with self._lock:
            found = next((one for one in among if one.meets(name, kind)), None)
            if found is not None and found.left is not None:
                found.left -= 1
            return found

    def _ruined(self, request: Request, trouble: _Trouble | None) -> Response | None:
        """Return the answer of a fault that leaves nothing of the right one."""
        match trouble.fault if trouble else None:
            case Fault.REFUSE:
                return error(503, "UNAVAILABLE", "service unavailable")
            case Fault.BUSY if trouble:
                retry_after = {"Retry-After": str(max(0, round(trouble.seconds)))}
                return error(429, "TOOMANYREQUESTS", "too many requests", retry_after)
            case Fault.UNAUTHORIZED:
                return self._challenge(request, place(request.url.path)[0], "")
            case _:
                return None

    def _sound(self, request: Request, name: str, kind: str, reference: str) -> Response:
        refused = self._refusal(request, name)
        if refused is not None:
            return refused
        if request.method not in {"GET", "HEAD"}:
            return error(405, "UNSUPPORTED", "the operation is unsupported")
        if request.url.path.rstrip("/") == "/v2":
            return answered(b"{}", "application/json")
        repository = self._repositories.get(name)
        if repository is None:
            return error(404, "NAME_UNKNOWN", "repository name not known to registry", detail={"name": name})
        return self._content(request, name, repository, kind, reference)

    def _content(
        self, request: Request, name: str, repository: Repository, kind: str, reference: str
    ) -> Response:
        match kind, reference:
            case "tags", "list":
                return self._tag_page(request, name, repository)
            case "manifests", _:
                return manifest(request, repository, reference)
            case "blobs", _:
                return blob(repository, reference)
            case "referrers", _ if self._has_referrers:
                return referrers(repository, reference)
            case _:
                return error(404, "UNSUPPORTED", "the sandbox's registry does not have this")

    def _tag_page(self, request: Request, name: str, repository: Repository) -> Response:
        """List tags in lexical order, by pages (OCI distribution specification, "Listing Tags")."""
        asked, last = request.query_params.get("n"), request.query_params.get("last", "")
        if asked is not None and not (asked.isascii() and asked.isdigit()):
            return error(400, "PAGINATION_NUMBER_INVALID", "invalid number of results requested")
        following = [tag for tag in sorted(repository.tags) if tag > last]
        size = min(
            (limit for limit in (self._page_size, int(asked) if asked else None) if limit is not None),
            default=len(following),
        )
        page = following[:size]
        headers = {}
        if page and len(page) < len(following):
            target = f"/v2/{name}/tags/list?" + urlencode({"last": page[-1], "n": size})
            headers["Link"] = f'<{target}>; rel="next"'
        body = json.dumps({"name": name, "tags": page}).encode()
        return self._unless_known(request, answered(body, "application/json", headers))

    def _unless_known(self, request: Request, response: Response) -> Response:
        if not self._etags:
            return response
        etag = f'"{Blob("", bytes(response.body)).digest}"'
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers={"ETag": etag})
        response.headers["ETag"] = etag
        return response

    # Who may

    def _refusal(self, request: Request, name: str) -> Response | None:
        authorization = request.headers.get("authorization", "")
        if not self._asks_tokens:
            return None if self._tokens.knows(authorization) else self._challenge(request, name, "")
        complaint = self._tokens.complaint(authorization, f"repository:{name}:pull" if name else None)
        return None if complaint is None else self._challenge(request, name, complaint)

    def _challenge(self, request: Request, name: str, complaint: str) -> Response:
        if self._asks_tokens:
            said = f'Bearer realm="{request.base_url}token",service="{self._tokens.service}"'
            said += f',scope="repository:{name}:pull"' if name else ""
            said += f',error="{complaint}"' if complaint else ""
        else:
            said = 'Basic realm="sandbox"'
        return error(401, "UNAUTHORIZED", "authentication required", {"WWW-Authenticate": said})

    def _token(self, request: Request, _: bytes) -> Response:
        with self._lock:
            token = self._tokens.issue(
                request.query_params.getlist("scope"), request.headers.get("authorization", "")
            )
            if token is None:
                response = error(401, "UNAUTHORIZED", "incorrect username or password")
            else:
                ends = round(self._tokens.lifetime.total_seconds())
                body = {"token": token, "access_token": token, "expires_in": ends}
                response = answered(json.dumps(body).encode(), "application/json")
            self._seen.append(seen(request, response))
        return response
