"""Where the GitOps repository lives: an address that git may be given, parted from its secrets."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import unquote, urlsplit, urlunsplit

from bot.errors import SettingsError
from bot.repository.git import Credentials

# host:path as scp writes it; no dash where ssh would read an option
_SCP = re.compile(r"(?:[A-Za-z0-9._][A-Za-z0-9._-]*@)?[A-Za-z0-9][A-Za-z0-9.-]*:(?![/-]*-)[^\s:][^\s]*")
_SSH_HOST = re.compile(r"(?:[A-Za-z0-9._][A-Za-z0-9._-]*@)?[A-Za-z0-9\[][A-Za-z0-9.:\[\]-]*")
_USER = "x-access-token:"  # GitHub: whoever the token says that it is
_HERE = frozenset(
    {"localhost", "127.0.0.1", "::1"}
)  # never leaves the machine: a port is named, no secret leaks
_EXPECTED = "COUNTERSIGN_REPOSITORY is https://HOST/OWNER/NAME, ssh://..., USER@HOST:PATH, or a path"

Refused = Callable[[str], bool]  # hears which token was refused, says whether there is another


@dataclass(frozen=True, slots=True)
class Remote:
    """An address without secrets, what git may speak to reach it, and who we are there."""

    address: str
    transport: str  # https, http (this machine alone), ssh or file
    credentials: Credentials | None

    @classmethod
    def parse(cls, text: str, token: Callable[[], str] | None = None, refused: Refused | None = None) -> Self:
        """Read a URL or path; a login in it is kept apart, never passed on.

        ``refused`` hears of a token that the host did not take, and says whether there is another.
        Raises: SettingsError.
        """
        if (
            not text.strip()
            or text.startswith("-")
            or not text.isprintable()
            or "::" in text.partition("/")[0]
        ):
            raise SettingsError(f"the repository has no usable address; {_EXPECTED}")
        if "://" in text:
            return cls._of_url(text, token, refused)
        try:
            if _SCP.fullmatch(text) and not Path(text).exists():
                return cls(text, "ssh", None)
            return cls(str(Path(text).expanduser().resolve()), "file", None)
        except (OSError, RuntimeError, ValueError) as error:  # too long, a loop of links, ~nobody
            raise SettingsError(f"the repository's path cannot be read; {_EXPECTED}") from error

    @classmethod
    def _of_url(cls, text: str, token: Callable[[], str] | None, refused: Refused | None) -> Self:
        try:
            url = urlsplit(text)
            port = f":{url.port}" if url.port else ""
        except ValueError as error:
            raise SettingsError(f"the repository's URL cannot be read; {_EXPECTED}") from error
        if url.scheme == "file" and url.netloc in {"", "localhost"} and url.path:
            return cls(str(Path(unquote(url.path)).resolve()), "file", None)
        if url.scheme == "ssh" and url.password is None and _SSH_HOST.fullmatch(url.netloc):
            return cls(text, "ssh", None)
        is_here = url.scheme == "http" and url.hostname in _HERE and bool(port)
        if not (url.scheme == "https" or is_here) or not url.hostname or url.query or url.fragment:
            raise SettingsError(f"{url.scheme[:20]!r} is no way to reach a repository here; {_EXPECTED}")
        host = f"[{url.hostname}]" if ":" in url.hostname else url.hostname
        address = urlunsplit((url.scheme, host + port, url.path, "", ""))
        login = _credentials(f"{url.scheme}://{host}{port}/", url.username, url.password, token, refused)
        return cls(address, url.scheme, login)

    def config(self) -> dict[str, str]:
        """Tell git what it needs to reach this place and no other."""
        named = {"remote.origin.url": self.address}
        if self.transport in {"file", "http"}:
            named[f"protocol.{self.transport}.allow"] = "always"
        return named


def _credentials(
    url: str,
    user: str | None,
    password: str | None,
    token: Callable[[], str] | None,
    refused: Refused | None,
) -> Credentials | None:
    """Prefer the token that is refreshed to a login that stands in the URL."""
    if token is not None:
        tell = (lambda login: refused(login.removeprefix(_USER))) if refused is not None else None
        return Credentials(url, lambda: f"{_USER}{token()}", tell)
    if user is None:
        return None
    # A token alone may stand in the place of the user.
    login = f"{unquote(user)}:{unquote(password)}" if password else f"{_USER}{unquote(user)}"
    return Credentials(url, lambda: login)
