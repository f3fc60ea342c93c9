"""GitHub Apps of the forge: words that they sign, installations, and tokens that end."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import jwt

from sandbox.forge.refusals import RefusalError, bad_credentials, not_found
from sandbox.forge.state import User

LIFE = timedelta(hours=1)  # GitHub, installation access tokens
_LONGEST_WORD = timedelta(minutes=10)  # GitHub, JWT
_CLOCKS_DIFFER = timedelta(seconds=60)

# What each address asks of an App: the first whose method and beginning (below the repository) fit counts.
# GitHub, "Permissions required for GitHub Apps".
_NEEDED: tuple[tuple[str, str, str], ...] = (
    ("GET", "/installation", ""),
    ("GET", "/pulls", "pull_requests:read"),
    ("GET", "/issues", "pull_requests:read"),
    ("GET", "/compare", "contents:read"),
    ("GET", "/contents", "contents:read"),
    ("GET", "/git", "contents:read"),
    ("GET", "/branches", "contents:read"),
    ("GET", "/check-runs", "checks:read"),
    ("GET", "/statuses", "statuses:read"),
    ("GET", "/commits", "contents:read"),
    ("GET", "/activity", "contents:read"),
    ("PUT", "/pulls/*/merge", "contents:write"),
    ("*", "/pulls", "pull_requests:write"),
    ("*", "/issues", "pull_requests:write"),
    ("*", "/check-runs", "checks:write"),
    ("*", "/statuses", "statuses:write"),
    ("*", "/git", "contents:write"),
    ("GET", "", "metadata:read"),
)
_OF_COMMITS = {"statuses": "statuses:read", "status": "statuses:read", "check-runs": "checks:read"}
_LEVELS = ("read", "write", "admin")


@dataclass(slots=True)
class AppAccount:
    """An App and its one installation. ``public_key`` is PEM; permissions as GitHub names them."""

    id: int
    public_key: str = field(repr=False)
    installation: int
    login: str  # its account, NAME[bot]
    permissions: dict[str, str]
    client_id: str = ""
    is_suspended: bool = False

    def may(self, permission: str) -> bool:
        """Has it this permission, ``NAME:LEVEL``, or a higher one?"""
        name, _, level = permission.partition(":")
        had = self.permissions.get(name, "")
        return not name or (had in _LEVELS and _LEVELS.index(had) >= _LEVELS.index(level))


@dataclass(slots=True)
class _Given:
    """A token that was given out, and when it ends."""

    app: int
    ends: datetime
    permissions: dict[str, str]


@dataclass(slots=True)
class Apps:
    """All Apps of the forge. Whoever holds it also holds the lock."""

    clock: Callable[[], datetime]
    accounts: dict[int, AppAccount] = field(default_factory=dict)
    life: timedelta = LIFE
    _given: dict[str, _Given] = field(default_factory=dict, repr=False)

    def speaker(self, word: str) -> AppAccount:
        """Return the App that signed a word (RFC 7519). Raises: RefusalError."""
        for app in self.accounts.values():
            try:
                said = jwt.decode(
                    word,
                    app.public_key,
                    algorithms=["RS256"],
                    options={
                        "require": ["iat", "exp", "iss"],
                        "verify_iat": False,  # by the forge's own clock, below
                        "verify_exp": False,
                        "verify_iss": False,
                    },
                )
            except jwt.InvalidTokenError:
                continue
            if str(said["iss"]) in {str(app.id), app.client_id} - {""}:
                self._check_times(said["iat"], said["exp"])
                return app
        raise RefusalError(401, "A JSON web token could not be decoded")

    def _check_times(self, issued: object, ends: object) -> None:
        now = self.clock().timestamp()
        if not isinstance(issued, int | float) or issued > now + _CLOCKS_DIFFER.total_seconds():
            text = "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued"
            raise RefusalError(401, text)
        if not isinstance(ends, int | float) or ends <= now:
            text = "'Expiration time' claim ('exp') must be a numeric value representing the future time"
            raise RefusalError(401, text)
        if ends - now > _LONGEST_WORD.total_seconds():
            raise RefusalError(401, "'Expiration time' claim ('exp') is too far in the future")

    def give(self, app: AppAccount, installation: int) -> tuple[str, datetime]:
        """Give out a token for an installation. Raises: RefusalError."""
        if installation != app.installation:
            raise not_found()
        if app.is_suspended:
            raise RefusalError(403, "This installation has been suspended")
        token, ends = f"ghs_{secrets.token_hex(18)}", self.clock() + self.life
        self._given[token] = _Given(app.id, ends, dict(app.permissions))
        return token, ends

    def forget(self) -> None:
        """Take back every token that was given out."""
        self._given.clear()

    def of_token(self, token: str) -> AppAccount | None:
        """Return the App that has a token, with what it might do when it got it; nothing once it has ended."""
        given = self._given.get(token)
        app = self.accounts.get(given.app) if given else None
        if given is None or app is None or self.clock() >= given.ends:
            return None
        return AppAccount(
            app.id, app.public_key, app.installation, app.login, given.permissions, app.client_id
        )

    def by_id(self, key: int) -> AppAccount | None:
        """Find an App."""
        return self.accounts.get(key)


def needed(method: str, path: str) -> str:
    """Return what an App needs for an address below the repository, ``NAME:LEVEL``; '' = nothing."""
    last = path.rpartition("/")[2]
    if path.startswith("/commits/") and last in _OF_COMMITS:
        return _OF_COMMITS[last]
    for verb, begins, permission in _NEEDED:
        if verb in {"*", method} and _fits(path, begins):
            return permission
    return "administration:write"  # what is not in the table is nothing for Apps here


def _fits(path: str, begins: str) -> bool:
    head, star, tail = begins.partition("*")
    return path.startswith(head) and path.endswith(tail) if star else path.startswith(begins)


def user_of(app: AppAccount) -> User:
    """Return the account under which an App acts."""
    permission = "write" if "write" in app.permissions.values() else "read"
    return User(1_000_000 + app.id, app.login, "", app.login.removesuffix("[bot]"), permission, is_bot=True)


def refuse_without(app: AppAccount, method: str, path: str) -> None:
    """Refuse an App what it has no permission for. Raises: RefusalError."""
    _refuse(app, needed(method, path))


def refuse_organization(app: AppAccount) -> None:
    """Refuse an App the organization's teams without that permission. Raises: RefusalError."""
    _refuse(app, "members:read")


def _refuse(app: AppAccount, permission: str) -> None:
    if not app.may(permission):
        headers: Mapping[str, str] = {"X-Accepted-GitHub-Permissions": permission.replace(":", "=")}
        raise RefusalError(403, "Resource not accessible by integration", headers=headers)


def stamp_of(at: datetime) -> str:
    """Write a time as GitHub does."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def words_of(scheme: str, token: str) -> str:
    """Return the signed word of a request. Raises: RefusalError where it has none."""
    if scheme.lower() != "bearer" or token.count(".") != 2:  # noqa: PLR2004  header, claims, signature
        raise bad_credentials()
    return token
