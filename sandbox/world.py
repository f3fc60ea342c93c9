"""The world around the bot on one machine: repository, registry, forge and Slack, and the settings that lead there."""

import os
import secrets
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from sandbox import gitops
from sandbox.delivery import Delivery
from sandbox.forge.twin import ForgeTwin, User
from sandbox.forge.world import now as present
from sandbox.git import Git
from sandbox.http import serve
from sandbox.registry.images import image
from sandbox.registry.twin import RegistryTwin
from sandbox.slack.courier import Courier
from sandbox.slack.people import Person
from sandbox.slack.twin import SlackTwin
from sandbox.slack.workspace import Workspace

OWNER, NAME = "example", "gitops"
REPOSITORY = "gitops.git"
SIGNING_KEY = "signing_key"
TICK_SECONDS = 1
NOT_LENT = range(20_000, 32_000)  # below the ephemeral ports of Linux (32768 to 60999)
TRIED_PORTS = 20


@dataclass(frozen=True, slots=True)
class World:
    """Everything that the bot meets, and where it meets it."""

    folder: Path
    git: Git
    registry: RegistryTwin
    forge: ForgeTwin
    slack: SlackTwin
    courier: Courier
    addresses: dict[str, str]
    bot_port: int
    settings: dict[str, str]
    delivery: Delivery

    @property
    def signing_key(self) -> Path:
        """Where the bot's signing key lies."""
        return self.folder / SIGNING_KEY

    def person(self, name: str) -> Person:
        """Return somebody of the workspace. Raises: SlackRefusal."""
        return Person(self.slack, self.courier, name)

    def push(
        self, service: str, version: str, content: str = "", *, labels: Mapping[str, str] | None = None
    ) -> str:
        """Push an image and return its digest; other ``content`` or ``labels``, other digest."""
        made = image(content or f"{service} {version}", labels=labels)
        return self.registry.push(f"{OWNER}/{service}", version, made)


@contextmanager
def opened(folder: Path, *, port: int = 0, now: Callable[[], datetime] = present) -> Iterator[World]:
    """Make a world in ``folder`` and serve it while the block runs; ``port`` is the bot's, 0 any free one.

    ``now`` is the clock of forge and Slack.

    Raises: OSError, GitError, ServerError.
    """
    registry = RegistryTwin()
    token, secret = secrets.token_hex(20), secrets.token_hex(16)
    with ExitStack() as stack:
        images = stack.enter_context(serve(registry.app, name="localhost"))
        git = gitops.make(folder / REPOSITORY, registry=images.removeprefix("http://"))
        forge = ForgeTwin(git.repository, owner=OWNER, name=NAME, users=_users(token), clock=now)
        forge_url = stack.enter_context(serve(forge.app, name="localhost"))
        slack = SlackTwin(Workspace(clock=lambda: now().timestamp()), token=f"xoxb-{token}")
        slack.url = stack.enter_context(serve(slack.app))
        bot_port = port or _free_port()
        courier = Courier(f"http://127.0.0.1:{bot_port}/slack/events", secret)
        _write_key(folder / SIGNING_KEY)
        settings = {
            "COUNTERSIGN_REPOSITORY": str(git.repository),
            "COUNTERSIGN_FORGE_REPOSITORY": f"{OWNER}/{NAME}",
            "COUNTERSIGN_GITHUB_URL": forge_url,
            "COUNTERSIGN_SIGNING_KEY": str(folder / SIGNING_KEY),
            "COUNTERSIGN_TICK": str(TICK_SECONDS),
            "GITHUB_TOKEN": token,
            "PORT": str(bot_port),
            "SLACK_API_URL": slack.api_url,
            "SLACK_BOT_TOKEN": slack.token,
            "SLACK_SIGNING_SECRET": secret,
        }
        addresses = {"registry": images, "forge": forge_url, "slack": slack.url}
        environments = (gitops.STAGING, gitops.PRODUCTION)
        delivery = Delivery(git, forge, branch=gitops.BRANCH, environments=environments)
        world = World(folder, git, registry, forge, slack, courier, addresses, bot_port, settings, delivery)
        _fill(world)
        delivery.start()
        stack.callback(delivery.stop)
        yield world


def _fill(world: World) -> None:
    """Push what was there before the bot first looked: web has a version that nobody has taken yet."""
    for version in ("1.4.0", gitops.CHECKOUT_AT_FIRST):
        world.push(gitops.CHECKOUT, version)
    for version in (gitops.WEB_AT_FIRST, "2.4.0"):
        world.push(gitops.WEB, version)


def _users(token: str) -> list[User]:
    people = {"ada-l": ("Ada", 583), "bob": ("Bob", 77), "carol": ("Carol", 1093)}
    bot = User(9001, "countersign[bot]", token, "Countersign", is_bot=True)
    return [bot, *(User(key, login, secrets.token_hex(20), name) for login, (name, key) in people.items())]


def _write_key(path: Path) -> None:
    """Make the bot's signing key, which nobody else can read."""
    key = Ed25519PrivateKey.generate()
    text = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(text)


def _free_port() -> int:
    """Return a port that is free now: the bot keeps it over its restarts.

    It is none of those that the system lends to connections on their way out, which could take it meanwhile.
    """
    for _ in range(TRIED_PORTS):
        port = NOT_LENT.start + secrets.randbelow(len(NOT_LENT))
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
