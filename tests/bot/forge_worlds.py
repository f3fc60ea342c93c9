"""A forge twin on a port with an App installed on its repository, and a clock of ours."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from bot.forge.app import PERMISSIONS, AppLogin
from bot.forge.pull_requests import GitHubForge
from bot.forge.wire import Manner
from sandbox.forge.twin import AppAccount, ForgeTwin, User
from sandbox.git import Git
from sandbox.http import serve

ADA = User(583, "ada-l", "token-ada", name="Ada")
BOT = User(900, "countersign-bot", "token-bot", is_bot=True)
REPOSITORY = "example/gitops"
BRANCH = "countersign/production/api/0123456789ab"
APP_ID, INSTALLATION = 4711, 99
START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
MANNER = Manner(timeout=5, between_writes=0, between_looks=0)


@cache
def app_key(number: int = 0) -> RSAPrivateKey:
    """Return a key of an App; made once, for that takes its time."""
    return generate_private_key(65_537, 2048)


def pem(key: RSAPrivateKey) -> str:
    """Write a key as GitHub hands it out."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()


def public(key: RSAPrivateKey) -> str:
    """Write what the forge keeps of a key."""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def app_account(**changed: Any) -> AppAccount:
    """Return our App as the forge knows it: with exactly the permissions that we ask for."""
    known: dict[str, Any] = {
        "id": APP_ID,
        "public_key": public(app_key()),
        "installation": INSTALLATION,
        "login": "countersign[bot]",
        "permissions": dict(PERMISSIONS),
    }
    return AppAccount(**(known | changed))


@dataclass
class AppWorld:
    """The forge, where it is, and what time it is for it and for us."""

    twin: ForgeTwin
    url: str
    path: Path
    stack: ExitStack
    clock: list[datetime] = field(default_factory=lambda: [START])

    def now(self) -> datetime:
        return self.clock[0]

    def wind(self, **span: float) -> None:
        self.clock[0] += timedelta(**span)

    def login(self, app_id: str = str(APP_ID), key: RSAPrivateKey | None = None) -> AppLogin:
        return AppLogin(
            app_id, key or app_key(), REPOSITORY, clock=self.now, base_url=self.url, manner=MANNER
        )

    def forge(self, login: AppLogin | None = None) -> GitHubForge:
        forge = GitHubForge(
            REPOSITORY,
            "main",
            login or self.login(),
            base_url=self.url,
            manner=MANNER,
            sleep=lambda _seconds: None,
        )
        self.stack.callback(forge.close_connections)
        return forge

    def git(self, *arguments: str) -> str:
        return Git(self.path).text(*arguments).strip()

    def push(self, branch: str = BRANCH, version: str = "1.1.0") -> str:
        files = {"apps/production/api.yaml": f"image: api:{version}\n"}
        return self.twin.push_to_branch(branch, files, f"production: api {version}", login=ADA.login)

    def asked(self, method: str, ends: str) -> int:
        """Count the requests of one kind."""
        seen = self.twin.seen()
        return sum(one.method == method and one.target.partition("?")[0].endswith(ends) for one in seen)


@contextmanager
def app_world(folder: Path) -> Iterator[AppWorld]:
    """Serve a forge over a repository in ``folder`` while the block runs."""
    path = folder / "gitops.git"
    Git.bare(path)
    clock = [START]
    twin = ForgeTwin(path, users=(ADA, BOT), clock=lambda: clock[0])
    twin.install_app(app_account())
    twin.push_to_branch(
        "main",
        {"apps/production/api.yaml": "image: api:1.0.0\n", "README.md": "# Here\n"},
        "Begin",
        login=ADA.login,
    )
    with ExitStack() as stack:
        yield AppWorld(twin, stack.enter_context(serve(twin.app, name="localhost")), path, stack, clock)
