"""Registry logins by the Docker config rules: ``credHelpers``, then ``credsStore``, then ``auths``."""

import base64
import binascii
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson

HUB = "index.docker.io"
HUB_SERVER = "https://index.docker.io/v1/"  # the name under which `docker login` files Docker Hub
_HUB_NAMES = frozenset({"docker.io", HUB, "registry-1.docker.io"})
_HELPER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*", re.ASCII)
_UNSENDABLE = re.compile(r"[^!-~]")  # in a header line
_NOT_FOUND = b"credentials not found"  # docker-credential-helpers, credentials/error.go
_IDENTITY = "<token>"  # the user name under which helpers keep an identity token
KEEP = timedelta(minutes=10)  # the shortest-lived logins of helpers (Google's) last an hour
HELPER_TIMEOUT = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Login:
    """Who we are at one registry. Nothing of it is ever shown."""

    username: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)
    identity_token: str = field(default="", repr=False)
    registry_token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class LoginFailure:
    """A login was configured and cannot be had; ``detail`` is one line for people, without secrets."""

    detail: str


LoginAnswer = Login | LoginFailure | None


class Logins:
    """The logins of one Docker config folder; ``None`` as the folder means that nobody is logged in."""

    def __init__(
        self,
        folder: Path | None,
        *,
        helper_timeout: timedelta = HELPER_TIMEOUT,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        """Remember where to look; the file is read at each look-up, so that a new login needs no restart."""
        self._folder = folder
        self._helper_timeout = helper_timeout.total_seconds()
        self._ticks = ticks
        self._helped: dict[tuple[str, str], tuple[float, Login]] = {}

    def of(self, host: str) -> LoginAnswer:
        """Look up the login for a registry host: a login, None for nobody, or why it cannot be had."""
        config = self._config()
        if isinstance(config, LoginFailure):
            return config
        name = canonical_host(host)
        helper = _by_host(config.get("credHelpers"), name) or config.get("credsStore")
        if helper:
            answer = self._from_helper(helper, name)
            if answer is not None:
                return answer
        entry = _by_host(config.get("auths"), name)
        return _from_entry(entry, name) if entry is not None else None

    def forget(self, host: str) -> None:
        """Ask the helper again next time: the registry did not take what it gave."""
        name = canonical_host(host)
        for key in [key for key in list(self._helped) if key[1] == name]:
            self._helped.pop(key, None)

    def _config(self) -> dict[str, Any] | LoginFailure:
        if self._folder is None:
            return {}
        try:
            document = orjson.loads((self._folder / "config.json").read_bytes())
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except OSError as error:
            return LoginFailure(f"the Docker config cannot be read: {error.strerror}")
        except orjson.JSONDecodeError as error:
            return LoginFailure(f"the Docker config (config.json) is not JSON: line {error.lineno}")
        if not isinstance(document, dict):
            return LoginFailure("the Docker config (config.json) is not a JSON object")
        return document

    def _from_helper(self, helper: object, host: str) -> LoginAnswer:
        if not isinstance(helper, str) or _HELPER.fullmatch(helper) is None:
            return LoginFailure(
                f"the Docker config names a credential helper for {host} that is no program name"
            )
        kept = self._helped.get((helper, host))
        if kept is not None and self._ticks() < kept[0]:
            return kept[1]
        answer = _ask(f"docker-credential-{helper}", host, self._helper_timeout)
        if isinstance(answer, Login):
            self._helped[helper, host] = (self._ticks() + KEEP.total_seconds(), answer)
        return answer


def canonical_host(name: str) -> str:
    """Reduce a host or URL to one spelling of its host, as Docker does for the keys of its config."""
    bare = name.partition("://")[2] or name
    host = bare.partition("/")[0].lower()
    return HUB if host in _HUB_NAMES else host


def _by_host(table: object, host: str) -> object:
    """Return the entry of a host: under its very name, else under a URL that leads there."""
    if not isinstance(table, dict):
        return None
    exact = table.get(HUB_SERVER if host == HUB else host)
    if exact is not None:
        return exact
    return next((table[key] for key in table if isinstance(key, str) and canonical_host(key) == host), None)


def _from_entry(entry: object, host: str) -> LoginAnswer:
    """Read one entry of ``auths``; an empty one says only that a helper has the login."""
    broken = LoginFailure(
        f"the Docker config's login for {host} cannot be read; log in again: docker login {host}"
    )
    if not isinstance(entry, dict):
        return broken
    said = {
        key: entry.get(key) or ""
        for key in ("auth", "username", "password", "identitytoken", "registrytoken")
    }
    if not all(isinstance(value, str) for value in said.values()) or _UNSENDABLE.search(
        said["registrytoken"]
    ):
        return broken
    username, secret = said["username"], said["password"]
    if said["auth"]:
        try:
            plain = base64.b64decode(said["auth"], validate=True).decode()
        except (binascii.Error, UnicodeDecodeError, ValueError):
            return broken
        username, colon, secret = plain.partition(":")
        if not colon:
            return broken
    return _login(username, secret.strip("\0"), said["identitytoken"], said["registrytoken"])


def _login(username: str, secret: str, identity: str = "", registry: str = "") -> Login | None:
    """Make a login of what was found; None where nothing was."""
    if username == _IDENTITY:
        username, secret, identity = "", "", identity or secret
    found = username or secret or identity or registry
    return Login(username, secret, identity, registry) if found else None


def _ask(program: str, host: str, timeout: float) -> LoginAnswer:
    """Ask a credential helper. The host goes in and the login comes out by pipes, never by arguments."""
    name = f"the credential helper {program}, asked for {host},"
    try:
        process = subprocess.Popen(  # noqa: S603  the Docker config names the program; its name is checked
            [program, "get"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        return LoginFailure(f"{name} could not be started: {error.strerror}; is it installed and on PATH?")
    with process:
        try:
            out, _ = process.communicate((HUB_SERVER if host == HUB else host).encode(), timeout)
        except subprocess.TimeoutExpired:
            _end(process)
            return LoginFailure(f"{name} said nothing for {timeout:g} s")
    return _from_output(name, process.returncode, out)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill a helper with all that it has started; they would keep our end of the pipe open."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _from_output(name: str, status: int, out: bytes) -> LoginAnswer:
    if status != 0:
        return None if _NOT_FOUND in out else LoginFailure(f"{name} failed with exit status {status}")
    try:
        said = orjson.loads(out)
    except orjson.JSONDecodeError:
        said = None
    if not isinstance(said, dict):
        return LoginFailure(f"{name} answered something that is no login")
    username, secret = said.get("Username", ""), said.get("Secret", "")
    if not isinstance(username, str) or not isinstance(secret, str):
        return LoginFailure(f"{name} answered something that is no login")
    return _login(username, secret)
