"""The one runner of git: literal verbs, a clean environment, a time-out that ends the whole process group."""

import os
import re
import selectors
import signal
import subprocess
import time
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Self

from bot.errors import PermanentError, SettingsError, TransientError

OLDEST = (2, 38)  # first release with `merge-tree --write-tree`, and the oldest that is tested
MAX_OUTPUT_BYTES = 1 << 30  # 100,000 signed ledger entries are 0.12 GB
MAX_ERROR_BYTES = 1 << 16
_CHUNK = 1 << 16

# Nothing else is ever run: no verb with a work tree, an alias, a pager or an editor.
VERBS = frozenset(
    {
        "cat-file", "diff-tree", "fetch", "for-each-ref", "gc", "init", "log", "ls-remote", "ls-tree",
        "merge-base", "push", "repack", "rev-list", "update-ref", "version",
    }
)  # fmt: skip
_REMOTE_VERBS = frozenset({"fetch", "ls-remote", "push"})

# What a process needs to reach the network and its own temporary files; nothing that steers git.
_KEPT = (
    "PATH", "TMPDIR", "SSH_AUTH_SOCK", "SSL_CERT_FILE", "SSL_CERT_DIR",
    "http_proxy", "https_proxy", "all_proxy", "no_proxy", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",
)  # fmt: skip
_ENVIRONMENT = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",  # a replace ref must not show another commit than the one that is named
    "GIT_LITERAL_PATHSPECS": "1",
    # A connection shared by ssh would outlive its command and keep our pipes open.
    "GIT_SSH_COMMAND": "ssh -oBatchMode=yes -oControlMaster=no",
    "LC_ALL": "C",
}
_CONFIG = {
    "core.hooksPath": os.devnull,
    "core.fsmonitor": "false",
    "credential.helper": "",
    "fetch.recurseSubmodules": "false",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "protocol.allow": "never",
    "protocol.https.allow": "always",
    "protocol.ssh.allow": "always",
    "push.recurseSubmodules": "no",
    "transfer.bundleURI": "false",
    "transfer.fsckObjects": "true",
    # Harmless and common in old histories; hosts let them through as well.
    "fetch.fsck.badTimezone": "warn",
    "fetch.fsck.missingSpaceBeforeDate": "warn",
    "fetch.fsck.zeroPaddedFilemode": "warn",
}

_USERINFO = re.compile(r"(?<=://)[^/@\s]+@")
_TOKENS = re.compile(r"\b(?:gh[a-z]_|github_pat_|glpat-|xox[a-z]-|xapp-)[A-Za-z0-9_-]+")
_LOGIN = re.compile(r"[\x21-\x7e]+", re.ASCII)
_TRANSIENT = re.compile(
    r"could not resolve host|couldn't connect|failed to connect|connection (?:reset|refused|timed out|closed)"
    r"|operation timed out|temporary failure|early eof|hung up unexpectedly|unexpected disconnect|rpc failed"
    r"|returned error: (?:429|5\d\d)|network is unreachable|no route to host|gnutls|ssl_|tls connect"
    r"|\.lock': file exists|cannot lock ref|unable to fork|cannot allocate memory",
    re.IGNORECASE,
)

_PERMANENT = re.compile(
    r"authentication failed|permission denied|permission to .* denied|could not read (?:username|password)"
    r"|host key verification failed|returned error: 40[134]|not found|dubious ownership",
    re.IGNORECASE,
)
# How git tells that the host answered 401 or 403 to the request itself, before any branch was looked at.
_LOGIN_REFUSED = re.compile(
    r"authentication failed|could not read (?:username|password)|returned error: 40[13]|invalid credentials",
    re.IGNORECASE,
)


# What the operator looks at then.
LOGIN_HINT = (
    "; the host does not take our login for COUNTERSIGN_REPOSITORY: GITHUB_TOKEN was revoked or has expired, or the"
    " GitHub App is not installed there any more; `countersign doctor` says which"
)


class LateError(TransientError):
    """A command took longer than it may; it was killed, and what it had begun may still arrive."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command left: its exit code (negative: the signal), its output, its redacted complaints."""

    code: int
    out: bytes
    err: str


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who we are for one host: sent to URLs that begin with ``url``, asked anew for each command.

    ``login`` answers ``user:password``; for app tokens that is ``x-access-token:<token>``.
    """

    url: str
    login: Callable[[], str] = field(repr=False)
    refused: Callable[[str], bool] | None = field(
        default=None, repr=False
    )  # gets the login; is there another?


class Git:
    """Runs git on one bare repository; ``directory`` need not be there yet."""

    def __init__(
        self,
        directory: Path,
        *,
        environment: Mapping[str, str] | None = None,
        config: Mapping[str, str] | None = None,
        credentials: Credentials | None = None,
        timeout_seconds: float = 60.0,
    ) -> None:
        """Remember where and how; ``environment`` and ``config`` win over what is set for every command."""
        self.directory = directory.absolute()
        self._environment = dict(environment or {})
        self._config = dict(config or {})
        self._credentials = credentials
        self._timeout_seconds = timeout_seconds

    def run(
        self,
        arguments: Sequence[str],
        *,
        stdin: bytes = b"",
        timeout_seconds: float | None = None,
        check: bool = True,
        keep_open: Sequence[int] = (),
    ) -> Answer:
        """Run ``git ARGUMENTS`` and wait for its end; ``keep_open`` are descriptors that git inherits.

        Raises: LateError when the time is over; with ``check`` TransientError or PermanentError when git fails.
        """
        verb = arguments[0]
        if verb not in VERBS or any("\0" in argument for argument in arguments):
            raise ValueError(f"git {verb!r} is not among the commands that are run here")
        login = self._credentials.login() if self._credentials and verb in _REMOTE_VERBS else None
        seconds = timeout_seconds or self._timeout_seconds
        answer = self._once(arguments, login, stdin, seconds, keep_open)
        if self._has_another(login, answer):  # the host let nobody in: nothing was done
            another = self._credentials.login() if self._credentials else None
            answer = self._once(arguments, another, stdin, seconds, keep_open)
        if check and answer.code != 0:
            raise failure(verb, answer)
        return answer

    def _once(
        self,
        arguments: Sequence[str],
        login: str | None,
        stdin: bytes,
        seconds: float,
        keep_open: Sequence[int],
    ) -> Answer:
        process = self._start(arguments, self._environment_of(login), keep_open)
        out, err = _converse(process, arguments[0], stdin, seconds)
        return Answer(process.returncode, out, redact(err.decode("utf-8", "replace"), login))

    def _has_another(self, login: str | None, answer: Answer) -> bool:
        """Was the login refused (401, 403), and is there another?"""
        if login is None or self._credentials is None or self._credentials.refused is None:
            return False
        is_refused = answer.code != 0 and _LOGIN_REFUSED.search(answer.err) is not None
        return is_refused and self._credentials.refused(login)

    def start_reading(
        self, arguments: Sequence[str], *, stdin: IO[bytes] | None = None
    ) -> subprocess.Popen[bytes]:
        """Start a git that reads this repository and goes on until its standard input is closed.

        ``stdin``: what another process says; else whoever calls writes to it.

        Raises: TransientError, PermanentError where it cannot be started.
        """
        if arguments[0] not in VERBS - _REMOTE_VERBS:
            raise ValueError(f"git {arguments[0]!r} does not stay")
        return self._start(
            arguments, self._environment_of(None), (), complaints=subprocess.DEVNULL, stdin=stdin
        )

    def at(self, directory: Path) -> Self:
        """Return the same runner for another folder."""
        return type(self)(
            directory,
            environment=self._environment,
            config=self._config,
            credentials=self._credentials,
            timeout_seconds=self._timeout_seconds,
        )

    def require_version(self) -> None:
        """Make sure that git is there and new enough. Raises: PermanentError."""
        said = self.run(["version"]).out.decode("ascii", "replace").strip()
        found = re.search(r"(\d+)\.(\d+)", said)
        if found is None or (int(found[1]), int(found[2])) < OLDEST:
            raise PermanentError(
                f"git {OLDEST[0]}.{OLDEST[1]} or newer is needed, here is {said[:80]!r}; install a newer git"
            )

    def _start(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        keep_open: Sequence[int],
        complaints: int = subprocess.PIPE,
        stdin: IO[bytes] | None = None,
    ) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(  # noqa: S603  a literal verb, checked arguments, no shell
                ["git", *arguments],  # noqa: S607  which git is the operator's choice, by PATH
                stdin=stdin or subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=complaints,
                env=environment,
                cwd="/",  # GIT_DIR says where; a folder that is replaced meanwhile must not matter
                start_new_session=True,
                pass_fds=keep_open,
            )
        except FileNotFoundError as error:
            raise PermanentError(
                f"git is not installed, or not on PATH; install git {OLDEST[0]}.{OLDEST[1]} or newer"
            ) from error
        except OSError as error:
            raise TransientError(f"git could not be started: {error.strerror}") from error

    def _environment_of(self, login: str | None) -> dict[str, str]:
        config = {**_CONFIG, **self._config}
        if self._credentials is not None and login is not None:
            config[f"http.{self._credentials.url}.extraHeader"] = _header(login)
        numbered = {"GIT_CONFIG_COUNT": str(len(config))}
        for index, (key, value) in enumerate(config.items()):
            numbered |= {f"GIT_CONFIG_KEY_{index}": key, f"GIT_CONFIG_VALUE_{index}": value}
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        return kept | _ENVIRONMENT | numbered | {"GIT_DIR": str(self.directory)} | self._environment


def redact(text: str, login: str | None = None) -> str:
    """Take out of ``text`` whatever could be a secret: logins in URLs, tokens, ``login`` in all its forms."""
    if login:
        _, _, password = login.partition(":")
        for secret in filter(None, (login, password, b64encode(login.encode()).decode())):
            text = text.replace(secret, "***")
    return _TOKENS.sub("***", _USERINFO.sub("***@", text))


def complaint(err: str) -> str:
    """Shorten what git said on stderr to one printable line; the end matters most."""
    lines = [line.strip() for line in err.splitlines() if line.strip()]
    return "".join(char for char in "; ".join(lines)[-400:] if char.isprintable()) or "no reason given"


def failure(verb: str, answer: Answer) -> TransientError | PermanentError:
    """Sort a command that failed by what one can do about it."""
    text = f"git {verb} failed (exit {answer.code}): {complaint(answer.err)}"
    if _LOGIN_REFUSED.search(answer.err) is not None:
        text += LOGIN_HINT
    return TransientError(text) if is_transient(answer) else PermanentError(text)


def is_transient(answer: Answer) -> bool:
    """May the same command work later, with nothing changed? A killed one may."""
    if _PERMANENT.search(answer.err) is not None:
        return False
    return answer.code < 0 or _TRANSIENT.search(answer.err) is not None


def is_denied(answer: Answer) -> bool:
    """Did somebody say no, or not know us or the place at all?"""
    return _PERMANENT.search(answer.err) is not None


def _header(login: str) -> str:
    if _LOGIN.fullmatch(login) is None:
        raise SettingsError("the token for the repository has characters that no token has; set it anew")
    return f"Authorization: Basic {b64encode(login.encode()).decode()}"


def _converse(
    process: subprocess.Popen[bytes], verb: str, stdin: bytes, seconds: float
) -> tuple[bytes, bytes]:
    """Feed and hear the process until it ends; whatever goes wrong, its whole group ends too."""
    deadline = time.monotonic() + seconds
    with process:
        try:
            heard = _exchange(process, stdin, deadline)
            process.wait(max(deadline - time.monotonic(), 0))
        except (TimeoutError, subprocess.TimeoutExpired) as error:
            raise LateError(f"git {verb} took longer than {seconds:g} s and was stopped") from error
        except _FloodError as error:
            raise PermanentError(f"git {verb} said more than {MAX_OUTPUT_BYTES} bytes") from error
        finally:
            # Not reaped yet, so the group is still ours: never a stranger with a recycled number.
            if process.returncode is None:
                os.killpg(process.pid, signal.SIGKILL)
    return heard


class _FloodError(Exception):
    """More output than anything here should have."""


def _exchange(process: subprocess.Popen[bytes], stdin: bytes, deadline: float) -> tuple[bytes, bytes]:
    entrance, outlet, complaints = process.stdin, process.stdout, process.stderr
    if entrance is None or outlet is None or complaints is None:
        raise ValueError("the process was started without pipes")
    out, err = bytearray(), bytearray()
    rest = memoryview(stdin)
    os.set_blocking(entrance.fileno(), False)
    with selectors.DefaultSelector() as selector:
        selector.register(outlet, selectors.EVENT_READ, out)
        selector.register(complaints, selectors.EVENT_READ, err)
        selector.register(entrance, selectors.EVENT_WRITE)
        while selector.get_map():
            events = selector.select(max(deadline - time.monotonic(), 0))
            if not events:
                raise TimeoutError
            for key, _ in events:
                if key.fileobj is entrance:
                    rest = _feed(selector, entrance, rest)
                elif not _hear(key.fd, key.data):
                    selector.unregister(key.fileobj)
            if len(out) > MAX_OUTPUT_BYTES:
                raise _FloodError
            del err[:-MAX_ERROR_BYTES]
    return bytes(out), bytes(err)


def _feed(selector: selectors.BaseSelector, entrance: IO[bytes], rest: memoryview) -> memoryview:
    """Write a piece; close the pipe after the last, or when nobody reads it any more."""
    try:
        rest = rest[os.write(entrance.fileno(), rest[:_CHUNK]) :] if rest else rest
    except BrokenPipeError:
        rest = rest[:0]
    if not rest:
        selector.unregister(entrance)
        entrance.close()
    return rest


def _hear(descriptor: int, heard: bytearray) -> bool:
    """Read a piece; false at the end."""
    piece = os.read(descriptor, _CHUNK)
    heard += piece
    return bool(piece)
