"""What each setting may be: checks that say which value is wrong, why, and what is expected."""

import re
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, SecretStr

from bot import faults
from bot.errors import SettingsError
from bot.repository.objects import branch_name, file_path
from bot.repository.remote import Remote
from policies.errors import PolicyError

_NUMBER = re.compile(r"[0-9]{1,6}", re.ASCII)
_COMMAND = re.compile(r"/[a-z0-9_-]{1,31}", re.ASCII)  # Slack, slash commands
FORGE_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}", re.ASCII)
_APP_ID = re.compile(
    r"[1-9][0-9]{0,18}|Iv[0-9A-Za-z.]{8,40}", re.ASCII
)  # GitHub: an App's id, or its client id
_CLIENT_ID = re.compile(r"[A-Za-z][0-9A-Za-z.]{8,60}", re.ASCII)
_SECRET = re.compile(r"[!-~]+", re.ASCII)
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_GITHUB = frozenset({"github.com", "api.github.com"})


def between(first: int, last: int) -> BeforeValidator:
    """Take a whole number."""

    def check(text: str) -> int:
        if _NUMBER.fullmatch(text) is None or not first <= int(text) <= last:
            raise ValueError(f"{text[:40]!r} is not a number from {first} to {last}")
        return int(text)

    return BeforeValidator(check)


def repository(text: str) -> str:
    """Take an address that git can be given."""
    try:
        Remote.parse(text)
    except SettingsError as error:
        raise ValueError(str(error)) from error
    return text


def branch(text: str) -> str:
    """Take the short name of a branch."""
    try:
        return branch_name(text)
    except PolicyError as error:
        raise ValueError(f"{error}; expected a short name such as main") from error


def folder(text: str) -> str:
    """Take a folder inside the repository."""
    try:
        return file_path(text.rstrip("/"))
    except PolicyError as error:
        raise ValueError(f"{error}; expected a folder such as promotion") from error


def forge_repository(text: str) -> str:
    """Take OWNER/NAME."""
    if FORGE_REPOSITORY.fullmatch(text) is None:
        raise ValueError(f"{text[:80]!r} is no repository at GitHub; expected OWNER/NAME")
    return text


def app_id(text: str) -> str:
    """Take the id of a GitHub App, or its client id."""
    if _APP_ID.fullmatch(text) is None:
        raise ValueError(f"{text[:40]!r} is no App id; expected a number, or a client id Iv...")
    return text


def client_id(text: str) -> str:
    """Take the client id of a GitHub App."""
    if _CLIENT_ID.fullmatch(text) is None:
        raise ValueError(f"{text[:40]!r} is no client id; expected Iv..., from the App's page under General")
    return text


def command(text: str) -> str:
    """Take a slash command."""
    if _COMMAND.fullmatch(text) is None:
        raise ValueError(f"{text[:40]!r} is no slash command; expected one such as /promote")
    return text


def url(text: str) -> str:
    """Take an address to which a token may be sent; it ends with a slash then."""
    try:
        parts = urlsplit(text)
        is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOCAL)
        is_bare = not (parts.username or parts.query or parts.fragment) and parts.port != 0
    except ValueError:
        is_safe = is_bare = False
    if not (is_safe and is_bare and parts.hostname and _SECRET.fullmatch(text)):
        raise ValueError("it is no address that a token may be sent to; expected https://HOST/PATH")
    return text.rstrip("/") + "/"


def github_url(text: str) -> str:
    """Take the address of a forge's API; '' is GitHub's own."""
    address = url(text)
    return "" if urlsplit(address).hostname in _GITHUB else address.rstrip("/")


def token(prefix: str = "") -> AfterValidator:
    """Take a secret that begins as its kind does; it is never shown."""

    def check(secret: SecretStr) -> SecretStr:
        text = secret.get_secret_value()
        if _SECRET.fullmatch(text) is None or not text.startswith(prefix):
            expected = f"{prefix}..." if prefix else "one word"
            raise ValueError(f"it does not look like one (it is not shown here); expected {expected}")
        return secret

    return AfterValidator(check)


def fault(text: str) -> str:
    """Take the name of a crash point, with or without a count."""
    name, colon, count = text.partition(":")
    if name not in faults.POINTS or (colon and not (_NUMBER.fullmatch(count) and int(count) > 0)):
        raise ValueError(f"{text[:60]!r} is not a crash point; expected NAME or NAME:COUNT of bot/faults.py")
    return text
