"""Put the engine together from settings: to look, where nothing is written down, or to work, alone on its folder."""

import fcntl
import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

from bot.engine import Engine
from bot.errors import BotError, PermanentError, SettingsError, TransientError
from bot.forge.app import AppLogin
from bot.forge.pull_requests import GitHubForge
from bot.forge.wire import Login, TokenLogin
from bot.index import Index
from bot.ledger import Ledger
from bot.looking.book import Book
from bot.observing import Observer
from bot.pacing import Pace
from bot.ports import Chat
from bot.promoting.desk import Desk
from bot.promoting.poller import Writer
from bot.promoting.promoter import Declined
from bot.registries.login import Logins
from bot.registries.registry import PycurlRegistry
from bot.repository.mirror import Mirror
from bot.repository.remote import Remote
from bot.repository.second_remote import SecondRemote
from bot.scheduler import SystemClock
from bot.settings import Settings
from bot.showing.outbox import Outbox
from bot.sign_in import DeviceFlow
from bot.signing import Signer

LOCK = "lock"
MIRROR = "mirror.git"
WAIT_SECONDS = 20.0  # for another process on the same folder: one that stops is gone by then
_GITHUB = "github.com"
_log = logging.getLogger(__name__)

Say = Callable[[str], None]


def open_desk(
    settings: Settings,
    signer: Signer | None = None,
    *,
    remembered: str = "",
    login: Login | None = None,
    pace: Pace | None = None,
) -> Desk:
    """Open the clone and what reads it; without a signer, with a key that nobody knows, for looking.

    ``remembered``: the end of the ledger that the index saw last. ``login``: who we are at the forge, else as the
    settings say. Raises: BotError.
    """
    settings.need_repository()
    login = login or _login(settings)
    remote = Remote.parse(settings.repository)
    if remote.transport == "file" and not Path(remote.address).is_dir():
        raise SettingsError(f"COUNTERSIGN_REPOSITORY: there is no repository at {remote.address}")
    mirror = Mirror.open(
        settings.repository,
        settings.state_folder / MIRROR,
        branch=settings.branch or None,
        token=_git_token(settings, remote, login),
        refused=login.refuse if login else None,
        pace=pace,
    )
    book = Book(mirror, settings.rules)
    successor = settings.next_signer() if signer else None
    signer = signer or Signer.generate()
    second = _second(settings)
    ledger = Ledger(mirror, signer, book, remembered, successor, second)
    return Desk(mirror, ledger, book, Writer(mirror, settings.rules, signer))


def _second(settings: Settings) -> SecondRemote | None:
    """Return the second remote, asked where the ledger ends there; one that is away now is no anchor now."""
    address = settings.mirror_remote.get_secret_value()
    if not address:
        return None
    second = SecondRemote(address, settings.state_folder / MIRROR)
    try:
        second.ask()
    except BotError as error:
        _log.warning("the second remote was not reached: %s", error)
    return second


def _login(settings: Settings) -> Login | None:
    """Say who we are at the forge: an App where one is set, else a token. Raises: SettingsError."""
    if not settings.is_app:
        token = settings.github_token
        return TokenLogin(token) if token.get_secret_value() else None
    if not settings.has_forge:
        return None
    return _app_login(settings, settings.forge_repository)


def _app_login(settings: Settings, repository: str) -> AppLogin:
    """Be the App's installation on one repository: each of its tokens opens that one alone."""
    return AppLogin(
        settings.github_app_id,
        settings.app_key(),
        repository,
        clock=SystemClock().now,
        base_url=settings.github_url,
    )


def _git_token(settings: Settings, remote: Remote, login: Login | None) -> Callable[[], str] | None:
    """Return the forge's token where the repository is the forge's: no other host may see it."""
    forge, there = urlsplit(settings.github_url), urlsplit(remote.address)
    is_forge = there.hostname == ((forge.hostname or "").removeprefix("api.") or _GITHUB)
    is_this_machine = remote.transport == "http" and there.netloc == forge.netloc  # the very port
    if login is None or not ((remote.transport == "https" and is_forge) or is_this_machine):
        return None
    return login.token


@contextmanager
def looking(settings: Settings) -> Iterator[Engine]:
    """Yield an engine for questions: no key, no chat, no forge, an index in memory. Others may work meanwhile.

    Raises: BotError.
    """
    desk, index = open_desk(settings), Index.open(None)
    registry = PycurlRegistry(Logins(settings.docker_config))
    try:
        yield Engine(desk, registry, SystemClock(), index, Outbox(index, None, None), contents=registry)
    finally:
        registry.close()
        index.close()


@contextmanager
def observing(settings: Settings, *, chat: Chat, say: Say) -> Iterator[Engine]:
    """Yield an engine that writes nothing but its database and the chat: no key, no forge, no push.

    Raises: BotError.
    """
    settings.need_repository()
    with alone(settings.state_folder, say):
        index, registry = Index.open(settings.database), PycurlRegistry(Logins(settings.docker_config))
        try:
            desk = open_desk(settings)
            desk.observer = Observer(index)
            desk.mirror.forbid("this bot only observes")
            yield Engine(
                desk, registry, SystemClock(), index, Outbox(index, chat, None), None, chat, contents=registry
            )
        finally:
            registry.close()
            index.close()


@contextmanager
def working(
    settings: Settings, *, chat: Chat | None, say: Say, printer: Say | None = None, pace: Pace | None = None
) -> Iterator[Engine]:
    """Yield the engine that may write, alone on its state folder; ``say`` hears when that has to be waited for.

    Without a chat ``printer`` gets what would be said there. ``pace``: of pushes that nobody waits for; at once.

    Raises: BotError.
    """
    settings.need_repository()
    with alone(settings.state_folder, say):
        signer, is_new = settings.signer()
        if is_new:
            where = "set COUNTERSIGN_SIGNING_KEY to keep it elsewhere: a ledger is written by one key"
            _log.warning("a signing key was made in %s; %s", settings.state_folder, where)
        index = Index.open(settings.database)
        registry = PycurlRegistry(Logins(settings.docker_config))
        second: SecondRemote | None = None
        try:
            login = _login(settings)
            desk = open_desk(settings, signer, remembered=index.remembered(), login=login, pace=pace)
            if second := desk.ledger.second:
                second.send(desk.mirror.tips().ledgers)  # what an earlier run had no time for
            forge = _forge(settings, desk.mirror.branch, login)
            outbox = Outbox(index, chat, None if chat else printer)
            yield Engine(
                desk,
                registry,
                SystemClock(),
                index,
                outbox,
                forge,
                chat,
                _sign_in(settings),
                contents=registry,
            )
        finally:
            if second is not None:
                second.close()
            registry.close()
            index.close()


def _sign_in(settings: Settings) -> DeviceFlow | None:
    """Let people sign in where the App's client id is set."""
    return (
        DeviceFlow.open(settings.github_client_id, settings.github_url) if settings.github_client_id else None
    )


def _forge(settings: Settings, branch: str, login: Login | None) -> GitHubForge | None:
    if not settings.has_forge or login is None:
        return None
    return GitHubForge(
        settings.forge_repository,
        branch,
        login,
        base_url=settings.github_url,
        login_of=(lambda other: _app_login(settings, other)) if settings.is_app else None,
    )


def need_forge(settings: Settings, engine: Engine) -> None:
    """Ask for a forge where the rules have pull requests, or cannot be read. Raises: SettingsError, BotError."""
    if engine.forge is None and _has_pull_requests(engine.desk):
        settings.need_forge()


def _has_pull_requests(desk: Desk) -> bool:
    try:
        rules = desk.rules(desk.mirror.tips()).rules
    except Declined:
        return True
    return any(one.has_pull_requests for one in (*rules.environments.values(), *rules.exceptions.values()))


@contextmanager
def alone(folder: Path, say: Say) -> Iterator[None]:
    """Keep other writers of this machine off a state folder; wait for one that is there, and say so.

    Raises: TransientError when it stays, PermanentError where the folder cannot be used.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise PermanentError(
            f"the state folder {folder} cannot be used ({error.strerror}); see COUNTERSIGN_DATABASE"
        ) from error
    try:
        _take(descriptor, folder, say)
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _take(descriptor: int, folder: Path, say: Say) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    has_said = False
    while True:
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        owner = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip() or "another one"
        if time.monotonic() > deadline:
            raise TransientError(
                f"process {owner} is at work on {folder}; wait for it or stop it: one process works on a repository"
            )
        if not has_said:
            say(f"waiting for process {owner}, which is at work on {folder}")
            has_said = True
        time.sleep(0.1)
