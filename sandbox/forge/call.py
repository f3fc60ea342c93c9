"""One request to the forge as its answers see it, and what all of them need: lookups and pages."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlencode

from starlette.datastructures import QueryParams
from starlette.responses import JSONResponse, Response

from sandbox.forge.accounts import Json
from sandbox.forge.apps import AppAccount, Apps
from sandbox.forge.bodies import Bodies
from sandbox.forge.history import Commit
from sandbox.forge.pulls import Pulls, stamp
from sandbox.forge.refusals import custom, forbidden, not_found
from sandbox.forge.repository import ForgeRepository
from sandbox.forge.state import CheckRun, Comment, Pull, State, User

_PER_PAGE, _MAX_PER_PAGE = 30, 100
MAX_COMMITS = 250  # GitHub, of a pull request or a comparison

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call:
    """One request by a known user: what it asks, and the world that it asks about."""

    user: User
    path: dict[str, str]
    query: QueryParams
    body: Json
    target: str  # address without the query
    pulls: Pulls
    bodies: Bodies
    apps: Apps
    app: AppAccount | None = None  # who asks with an installation's token

    @property
    def repository(self) -> ForgeRepository:
        """The git side."""
        return self.pulls.repository

    @property
    def state(self) -> State:
        """The rest."""
        return self.pulls.state

    def now(self) -> str:
        """Return the time as GitHub writes it."""
        return stamp(self.pulls.clock())

    def writer(self) -> User:
        """Return the user, who has to be somebody who may write. Raises: RefusalError."""
        if not self.user.can_write:
            raise forbidden()
        return self.user

    def pull(self) -> Pull:
        """Return the pull request that the address names. Raises: RefusalError."""
        return found(self.state.pull(number(self.path["number"])))

    def commit(self, key: str = "ref") -> str:
        """Return the commit that the address names. Raises: RefusalError."""
        found = self.repository.resolve(self.path[key])
        if found is None:
            raise custom("Commit", f"No commit found for SHA: {self.path[key]}")
        return found

    def app_of(self, made: CheckRun | Comment) -> Json | None:
        """Write the App that a check run or comment is by."""
        app = self.apps.by_id(made.app)
        return None if app is None else self.bodies.app(app)


@dataclass(frozen=True, slots=True)
class AppCall:
    """One request by an App that speaks for itself."""

    app: AppAccount
    apps: Apps
    path: dict[str, str]
    body: Json
    bodies: Bodies


Function = Callable[[Call], Response]
AppFunction = Callable[[AppCall], Response]


def found(value: T | None) -> T:
    if value is None:
        raise not_found()
    return value


def named_not_found(message: str) -> Exception:
    refusal = not_found()
    refusal.message = message
    return refusal


def number(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise not_found()
    return int(text)


def page(call: Call, items: Sequence[T], write: Callable[[T], Json], *, key: str | None = None) -> Response:
    """Answer with one page of a list; Link names the others (GitHub, "Using pagination in the REST API")."""
    size = min(_MAX_PER_PAGE, max(1, _positive(call.query.get("per_page"), _PER_PAGE)))
    page = max(1, _positive(call.query.get("page"), 1))
    last = max(1, -(-len(items) // size))
    others = {"prev": page - 1, "next": page + 1, "last": last, "first": 1}
    kept = {name: value for name, value in call.query.items() if name not in {"page", "per_page"}}

    def target(number: int) -> str:
        return f"{call.target}?{urlencode(kept | {'per_page': str(size), 'page': str(number)})}"

    useful = {"prev", "first"} if page > 1 else set()
    useful |= {"next", "last"} if page < last else set()
    link = ", ".join(f'<{target(number)}>; rel="{name}"' for name, number in others.items() if name in useful)
    written = [write(item) for item in items[(page - 1) * size : page * size]]
    body = written if key is None else {"total_count": len(items), key: written}
    return JSONResponse(body, headers={"Link": link} if link else None)


def _positive(text: str | None, otherwise: int) -> int:
    return int(text) if text and text.isascii() and text.isdigit() else otherwise


def commits_of(call: Call, pull: Pull) -> list[Commit]:
    return call.repository.history(f"^{pull.base_sha}", pull.head_sha, oldest_first=True)
