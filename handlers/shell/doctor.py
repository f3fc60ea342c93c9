"""``countersign doctor``: look at everything that the bot needs, say what is wrong and the line that mends it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Protocol

import typer

from bot.doctor.doctor import (
    Check,
    Mark,
    Seen,
    broken,
    clock_check,
    fail,
    git_check,
    left_out,
    registry_checks,
    repository_checks,
    settings_checks,
    target,
)
from bot.doctor.forge import Asker, forge_checks
from bot.doctor.reports import MAX_COMMITS, report_checks
from bot.doctor.signatures import signature_checks
from bot.errors import BotError, SettingsError
from bot.forge.app import AppLogin
from bot.scheduler import SystemClock
from bot.settings import SOURCES, Settings, load
from handlers.shell.terminal import FINDINGS, FINE, patience, print_json, print_line, tell
from handlers.slack.chat import web_client
from handlers.slack.doctor import Workspace

SCHEMA = "countersign.doctor/1"


class Doors(Protocol):
    """What the command line hands in."""

    @property
    def switches(self) -> tuple[str, ...]:
        """Return the names of settings that the door reads itself."""

    def settings(self, *, log_level: str = "WARNING") -> Settings:
        """Read the settings. Raises: SettingsError."""


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("doctor")(doctor)


def doctor(
    context: typer.Context,
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON; its schema names its version.")
    ] = False,
) -> int:
    """Look at settings, repository, ledger, Slack, GitHub, registries, clock; say what is wrong and what mends it."""
    doors: Doors | None = context.find_root().obj
    try:
        settings = doors.settings(log_level="ERROR") if doors else load()
    except SettingsError as error:
        checks = [fail("settings", line, "see docs/connect.md") for line in str(error).splitlines()]
        return _end([*checks, left_out("everything else", "the settings come first")], as_json=as_json)
    visit = Visit(settings, SystemClock().now, doors.switches if doors else ())
    checks = []
    with patience("looking"):
        for check in visit.checks():
            checks.append(check)
            if not as_json:
                print_line(str(check))
    return _end(checks, as_json=as_json, is_printed=True)


@dataclass(slots=True)
class Visit:
    """One look at a bot's world. ``now`` says what time it is here."""

    settings: Settings
    now: Callable[[], datetime]
    switches: tuple[str, ...] = ()
    dates: dict[str, tuple[str, datetime]] = field(default_factory=dict)

    def checks(self) -> Iterator[Check]:
        """Yield each check as it ends: what is configured is looked at, the rest is named."""
        yield from settings_checks(self.settings, self.switches)
        yield git_check()
        seen: Seen | None = None
        if self.settings.repository:
            found, seen = repository_checks(self.settings)
            yield from found
        else:
            yield left_out("repository, rules, ledger", "COUNTERSIGN_REPOSITORY is not set")
        yield from self._slack(seen)
        yield from self._forge(seen)
        yield from self._registries(seen)
        if seen is not None:
            yield from signature_checks(seen)
        yield from self._clock()

    def _slack(self, seen: Seen | None) -> Iterator[Check]:
        token = self.settings.slack_bot_token.get_secret_value()
        if not token:
            yield left_out("Slack", "SLACK_BOT_TOKEN is not set", f"set it: {SOURCES['SLACK_BOT_TOKEN']}")
            return
        try:
            self.settings.need_chat()
        except SettingsError as error:  # signed HTTP needs the one, Socket Mode the other
            yield from _unset("Slack", error, is_meant=True)
        try:
            there = Workspace(web_client(token, self.settings.slack_api_url))
        except BotError as error:
            yield fail("Slack", str(error), "unset SLACK_API_URL")
            return
        for check in there.checks(seen.rules if seen else None):
            if there.date:
                self.dates.setdefault("Slack", (there.date, self.now()))
            yield check

    def _forge(self, seen: Seen | None) -> Iterator[Check]:
        try:
            self.settings.need_forge()
        except SettingsError as error:
            yield from _unset("GitHub", error, is_meant=self.settings.is_app)
            return
        try:
            token = _forge_token(self.settings, self.now)
        except BotError as error:
            yield broken("GitHub App", error, "see docs/github.md")
            return
        repository, branch = self.settings.forge_repository, target(seen)[0] if seen else ""
        asker = Asker.open(repository, token, self.settings.github_url, is_app=self.settings.is_app)
        try:
            for check in forge_checks(asker, seen.rules if seen else None, branch, f"ledger/{self.now():%Y}"):
                yield check
                if asker.date and "GitHub" not in self.dates:
                    self.dates["GitHub"] = (asker.date, self.now())
            yield from _reports(asker, seen)
        finally:
            asker.close()

    def _registries(self, seen: Seen | None) -> Iterator[Check]:
        if seen is None or seen.rules is None or not seen.rules.services:
            yield left_out("registries", "there are no rules that name images")
            return
        yield from registry_checks(self.settings, seen.rules)

    def _clock(self) -> Iterator[Check]:
        yield clock_check(self.dates)


def _reports(asker: Asker, seen: Seen | None) -> Iterator[Check]:
    if seen is None or seen.rules is None:
        return
    try:
        commits = seen.desk.mirror.first_parents(seen.tips.target, limit=MAX_COMMITS)
        yield from report_checks(asker, seen.rules, list(commits))
    except BotError as error:
        yield broken("health", error, "try again")


def _forge_token(settings: Settings, now: Callable[[], datetime]) -> str:
    """Return what opens the forge now: the App's where one is set. Raises: BotError."""
    if not settings.is_app:
        return settings.github_token.get_secret_value()
    login = AppLogin(
        settings.github_app_id,
        settings.app_key(),
        settings.forge_repository,
        clock=now,
        base_url=settings.github_url,
    )
    return login.token()


def _unset(what: str, error: SettingsError, *, is_meant: bool) -> Iterator[Check]:
    """Name each setting that is not set. ``is_meant``: others say that it should be."""
    for line in str(error).splitlines()[1:]:
        name, _, source = line.partition(": ")
        yield (fail if is_meant else left_out)(what, f"{name} is not set", f"set it: {source}")


def _end(checks: list[Check], *, as_json: bool, is_printed: bool = False) -> int:
    """Print what is not printed yet, and return the exit code."""
    failed = sum(check.mark is Mark.FAIL for check in checks)
    warned = sum(check.mark is Mark.WARN for check in checks)
    if as_json:
        print_json(_shape(checks, is_fine=not failed))
    elif not is_printed:
        for check in checks:
            print_line(str(check))
    tell(f"{len(checks)} checks: {failed} failed, {warned} warnings")
    return FINDINGS if failed else FINE


def _shape(checks: list[Check], *, is_fine: bool) -> dict[str, Any]:
    """Return the checks as ``countersign.doctor/1``."""
    listed = [
        {"mark": one.mark.value.lower(), "what": one.what, "detail": one.detail, "remedy": one.remedy}
        for one in checks
    ]
    return {"schema": SCHEMA, "fine": is_fine, "checks": listed}
