"""The settings: the only module that reads the environment. Each wrong value is named, with what is expected."""

import hashlib
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import mkstemp
from typing import Annotated, Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError

from bot import private_keys
from bot import settings_checks as checks
from bot.errors import SettingsError
from bot.repository.remote import Remote
from bot.signing import Signer

SIGNING_KEY_FILE = "signing_key"

# What is asked for where it is missing: what it is, where to get it, what it is for.
SOURCES = {
    "COUNTERSIGN_REPOSITORY": "the URL or path of your GitOps repository; all that is looked at and moved is there",
    "COUNTERSIGN_FORGE_REPOSITORY": "OWNER/NAME of the GitOps repository at GitHub, which its address does not say;"
    " pull requests are opened there",
    "GITHUB_APP_ID": "the number of your GitHub App, on its page under General; pull requests are opened and merged"
    " as that App",
    "GITHUB_APP_PRIVATE_KEY": "the text or the path of a private key that the App's page made for you;"
    " it proves that we are that App",
    "GITHUB_TOKEN": "a fine-grained token for the GitOps repository, under GitHub's Settings, Developer settings,"
    " with read and write access to Contents, Pull requests and Commit statuses;"
    " or GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY, see docs/github.md; pull requests are opened and merged with it",
    "SLACK_BOT_TOKEN": "the bot token xoxb-... of your Slack app, under OAuth & Permissions; cards are shown and"
    " people's accounts looked up with it",
    "SLACK_SIGNING_SECRET": "the signing secret of your Slack app, under Basic Information;"
    " or, for Socket Mode, SLACK_APP_TOKEN: an app-level token xapp-... made there, with connections:write;"
    " it proves that a click comes from Slack",
}

_SCP = re.compile(r"(?:[^@/]+@)?([^:/]+):(?!/)(.+)")
_OF_REPOSITORY = ("COUNTERSIGN_BRANCH", "COUNTERSIGN_DATABASE", "COUNTERSIGN_FORGE_REPOSITORY")
_OUR_OWN = ("COUNTERSIGN_TEST_",)  # read by the test suite alone


class Settings(BaseModel):
    """All settings, read once. What is not set has its default; '' and empty secrets mean: not set."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    repository: Annotated[str, AfterValidator(checks.repository)] = Field(
        "", alias="COUNTERSIGN_REPOSITORY", repr=False
    )
    branch: Annotated[str, AfterValidator(checks.branch)] = Field("", alias="COUNTERSIGN_BRANCH")
    mirror_remote: SecretStr = Field(SecretStr(""), alias="COUNTERSIGN_MIRROR_REMOTE")  # a login may be in it
    rules: Annotated[str, AfterValidator(checks.folder)] = Field("promotion", alias="COUNTERSIGN_RULES")
    database: Path = Field(alias="COUNTERSIGN_DATABASE")
    forge_repository: Annotated[str, AfterValidator(checks.forge_repository)] = Field(
        "", alias="COUNTERSIGN_FORGE_REPOSITORY"
    )
    github_url: Annotated[str, AfterValidator(checks.github_url)] = Field("", alias="COUNTERSIGN_GITHUB_URL")
    github_token: Annotated[SecretStr, checks.token()] = Field(SecretStr(""), alias="GITHUB_TOKEN")
    github_app_id: Annotated[str, AfterValidator(checks.app_id)] = Field("", alias="GITHUB_APP_ID")
    github_app_private_key: SecretStr = Field(SecretStr(""), alias="GITHUB_APP_PRIVATE_KEY")
    github_client_id: Annotated[str, AfterValidator(checks.client_id)] = Field("", alias="GITHUB_CLIENT_ID")
    github_webhook_secret: Annotated[SecretStr, checks.token()] = Field(
        SecretStr(""), alias="GITHUB_WEBHOOK_SECRET"
    )
    slack_api_url: Annotated[str, AfterValidator(checks.url)] = Field(
        "https://slack.com/api/", alias="SLACK_API_URL"
    )
    slack_bot_token: Annotated[SecretStr, checks.token("xoxb-")] = Field(
        SecretStr(""), alias="SLACK_BOT_TOKEN"
    )
    slack_app_token: Annotated[SecretStr, checks.token("xapp-")] = Field(
        SecretStr(""), alias="SLACK_APP_TOKEN"
    )
    slack_signing_secret: Annotated[SecretStr, checks.token()] = Field(
        SecretStr(""), alias="SLACK_SIGNING_SECRET"
    )
    command: Annotated[str, AfterValidator(checks.command)] = Field("/promote", alias="COUNTERSIGN_COMMAND")
    port: Annotated[int, checks.between(1, 65_535)] = Field(3000, alias="PORT")
    tick_seconds: Annotated[int, checks.between(1, 3_600)] = Field(15, alias="COUNTERSIGN_TICK")
    signing_key: SecretStr = Field(SecretStr(""), alias="COUNTERSIGN_SIGNING_KEY")
    signing_key_next: SecretStr = Field(SecretStr(""), alias="COUNTERSIGN_SIGNING_KEY_NEXT")
    fault: Annotated[str, AfterValidator(checks.fault)] = Field("", alias="COUNTERSIGN_FAULT")
    docker_config: Path = Field(alias="DOCKER_CONFIG")
    unknown: tuple[str, ...] = ()  # names that begin like ours and mean nothing

    @property
    def state_folder(self) -> Path:
        """Where the index, the bare clone and a key that was made are kept; all but the key may be lost."""
        return self.database.parent

    @property
    def has_forge(self) -> bool:
        """Is everything set that pull requests need?"""
        return not self._missing(self._for_forge())

    @property
    def is_app(self) -> bool:
        """Are we a GitHub App, or meant to be one? An App goes before a token."""
        return bool(self.github_app_id or self.github_app_private_key.get_secret_value())

    @property
    def has_chat(self) -> bool:
        """Is everything set that Slack needs?"""
        return not self._missing(self._for_chat())

    def need_repository(self) -> None:
        """Ask for the repository. Raises: SettingsError."""
        self._need({"COUNTERSIGN_REPOSITORY": self.repository})

    def need_forge(self) -> None:
        """Ask for what pull requests need. Raises: SettingsError, which names all that is missing."""
        self._need(self._for_forge())

    def need_chat(self) -> None:
        """Ask for what Slack needs. Raises: SettingsError, which names all that is missing."""
        self._need(self._for_chat())

    def need_all(self) -> None:
        """Ask for what the running bot needs. Raises: SettingsError, which names all that is missing.

        A forge of which nothing is set may be left out: only rules with pull requests need it, which are read later.
        """
        is_meant = self.is_app or bool(self.github_token.get_secret_value())
        without = {"COUNTERSIGN_REPOSITORY": self.repository, **self._for_chat()}
        if is_meant or self._missing(without):
            self._need(self._for_forge() | self._for_chat())

    def signer(self, folder: Path | None = None) -> tuple[Signer, bool]:
        """Return the signer of entries, and whether its key was made just now.

        The key is the setting's, else the one in ``folder`` (the state folder), else a new one that is kept there.
        Raises: SettingsError.
        """
        if self.signing_key.get_secret_value():
            return _signer_of(self.signing_key.get_secret_value()), False
        path = (folder or self.state_folder) / SIGNING_KEY_FILE
        try:
            is_new = not path.exists()
            if is_new:
                _keep(path, Signer.generate().to_openssh())
            path.chmod(0o600)
            return _read_signer(path.read_text("ascii"), str(path)), is_new
        except (OSError, ValueError) as error:
            raise SettingsError(
                f"COUNTERSIGN_SIGNING_KEY: it is not set, and {path} cannot be kept ({_reason(error)});"
                " set it, or make the folder writable"
            ) from error

    def next_signer(self) -> Signer | None:
        """Return the key that is to sign from now on, where one is set. Raises: SettingsError."""
        text = self.signing_key_next.get_secret_value()
        return _signer_of(text, "COUNTERSIGN_SIGNING_KEY_NEXT") if text else None

    def app_key(self) -> RSAPrivateKey:
        """Return the private key of the GitHub App. Raises: SettingsError."""
        return private_keys.read("GITHUB_APP_PRIVATE_KEY", self.github_app_private_key.get_secret_value())

    def _for_forge(self) -> dict[str, str]:
        return {
            "COUNTERSIGN_REPOSITORY": self.repository,
            "COUNTERSIGN_FORGE_REPOSITORY": self.forge_repository,
            **self._for_login(),
        }

    def _for_login(self) -> dict[str, str]:
        """Half an App is not quietly made up for by a token that happens to be there."""
        if not self.is_app:
            return {"GITHUB_TOKEN": self.github_token.get_secret_value()}
        return {
            "GITHUB_APP_ID": self.github_app_id,
            "GITHUB_APP_PRIVATE_KEY": self.github_app_private_key.get_secret_value(),
        }

    def _for_chat(self) -> dict[str, str]:
        wanted = {"SLACK_BOT_TOKEN": self.slack_bot_token.get_secret_value()}
        if not self.slack_app_token.get_secret_value():
            wanted["SLACK_SIGNING_SECRET"] = self.slack_signing_secret.get_secret_value()
        return wanted

    @staticmethod
    def _missing(wanted: Mapping[str, str]) -> list[str]:
        return [f"{name}: {SOURCES[name]}" for name, value in wanted.items() if not value]

    def _need(self, wanted: Mapping[str, str]) -> None:
        if missing := self._missing(wanted):
            raise SettingsError("\n".join(["not set:", *missing]))


NAMES = tuple(field.alias for field in Settings.model_fields.values() if field.alias)


def load(environ: Mapping[str, str] | None = None, *, repository: str = "") -> Settings:
    """Read the settings; by default from the environment. Raises: SettingsError, which names all that is wrong.

    ``repository`` takes the place of the one that is set, and of its branch and state folder.
    """
    given = os.environ if environ is None else environ
    if repository:
        given = {name: value for name, value in given.items() if name not in _OF_REPOSITORY}
        given = {**given, "COUNTERSIGN_REPOSITORY": repository}
    said: dict[str, Any] = {name: given[name].strip() for name in NAMES if given.get(name, "").strip()}
    home = Path(given.get("HOME") or Path.home())
    said.setdefault("COUNTERSIGN_DATABASE", str(_state(given, home) / _key(said) / "index.sqlite"))
    said.setdefault("DOCKER_CONFIG", str(home / ".docker"))
    for name in ("COUNTERSIGN_DATABASE", "DOCKER_CONFIG"):
        said[name] = Path(os.path.abspath(_expanded(said[name], home)))  # noqa: PTH100  links stay what they are
    derived = _owner_and_name(said.get("COUNTERSIGN_REPOSITORY", ""), said.get("COUNTERSIGN_GITHUB_URL", ""))
    if derived:
        said.setdefault("COUNTERSIGN_FORGE_REPOSITORY", derived)
    ours = (name for name in given if name.startswith("COUNTERSIGN_") and not name.startswith(_OUR_OWN))
    try:
        return Settings.model_validate({**said, "unknown": tuple(sorted(set(ours) - set(NAMES)))})
    except ValidationError as error:
        wrong = [f"{one['loc'][0]}: {one['msg'].removeprefix('Value error, ')}" for one in error.errors()]
        raise SettingsError("\n".join(wrong)) from None  # the cause would show the values


def _state(given: Mapping[str, str], home: Path) -> Path:
    """XDG Base Directory Specification: a path that is not absolute is to be ignored."""
    said = given.get("XDG_STATE_HOME", "")
    return (Path(said) if said.startswith("/") else home / ".local" / "state") / "countersign"


def _key(said: Mapping[str, str]) -> str:
    """Return a name for the repository's own folder: of its address, not of the login in it."""
    text = said.get("COUNTERSIGN_REPOSITORY", "")
    with suppress(SettingsError):
        text = Remote.parse(text).address
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _expanded(text: str, home: Path) -> Path:
    return home / text[2:] if text.startswith("~/") else Path(text)


def _owner_and_name(repository: str, github_url: str) -> str:
    """Read OWNER/NAME from the address of a repository at GitHub (or at the named Enterprise), '' otherwise."""
    try:
        hosts = {"github.com", "ssh.github.com"} if not github_url else {urlsplit(github_url).hostname or ""}
        url = urlsplit(repository) if "://" in repository else None
        scp = _SCP.fullmatch(repository) if url is None else None
        host, path = (scp[1], scp[2]) if scp else (url.hostname, url.path) if url else ("", "")
    except ValueError:
        return ""
    name = path.strip("/").removesuffix(".git")
    return name if host in hosts and checks.FORGE_REPOSITORY.fullmatch(name) else ""


def _signer_of(text: str, name: str = "COUNTERSIGN_SIGNING_KEY") -> Signer:
    """Read a key from its text, or from the file that the text names. Nothing of either is shown."""
    if "-----BEGIN" in text:
        return _read_signer(text, name)
    try:
        return _read_signer(_expanded(text, Path.home()).read_text("ascii"), f"{name}: the file")
    except (OSError, ValueError) as error:
        raise SettingsError(
            f"{name}: it is neither the text of a key nor the path of a file that can be read ({_reason(error)})"
        ) from None


def _read_signer(text: str, where: str) -> Signer:
    try:
        return Signer.from_openssh(text)
    except SettingsError as error:
        raise SettingsError(f"{where}: {error}") from None


def _keep(path: Path, text: str) -> None:
    """Write a key that only we can read, whole or not at all; one that another process made first stays."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, name = mkstemp(dir=path.parent, prefix=f".{path.name}.")  # made with mode 0600
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            path.hardlink_to(name)
    finally:
        Path(name).unlink()


def _reason(error: OSError | ValueError) -> str:
    return (error.strerror or "no reason given") if isinstance(error, OSError) else "it is no plain text"
