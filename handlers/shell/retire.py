"""``countersign retire``: leave cleanly, and say what is left for a person."""

from collections.abc import Callable
from typing import Annotated, Protocol

import typer

from bot import assembly
from bot.ports import Chat
from bot.settings import Settings
from handlers.shell.terminal import FINDINGS, FINE, patience, print_lines, tell


class Doors(Protocol):
    """What the command line hands in."""

    @property
    def chat(self) -> Callable[[Settings], Chat | None]:
        """Return what makes the chat of the settings."""

    def settings(self, *, log_level: str = "WARNING") -> Settings:
        """Read the settings. Raises: SettingsError."""


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("retire")(retire)


def retire(
    context: typer.Context,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done; change nothing.")
    ] = False,
) -> int:
    """Leave: end what is open, close its pull requests, delete its branches, mark its cards. Stop the bot first."""
    doors: Doors = context.find_root().obj
    settings = doors.settings()
    settings.need_all()
    with (
        patience("leaving" if not dry_run else "looking at what is open"),
        assembly.working(settings, chat=doors.chat(settings), say=tell) as engine,
    ):
        assembly.need_forge(settings, engine)
        report = engine.retire(is_dry=dry_run)
        years = engine.desk.mirror.tips().ledgers
    prefix = "would " if dry_run else ""
    print_lines([f"{prefix}{line}" for line in report.done] + [f"left: {line}" for line in report.left])
    if not report.done and not report.left:
        print_lines(["nothing of Countersign is open"])
    print_lines(["", "For a person:", *(f"- {line}" for line in _by_hand(settings, list(years)))])
    return FINDINGS if report.left else FINE


def _by_hand(settings: Settings, years: list[str]) -> list[str]:
    """Return what no program of ours can or should do."""
    login = "uninstall and delete the GitHub App" if settings.is_app else "revoke the bot's GitHub token"
    found = [
        (
            "GitHub keeps the verdicts that were said on commits; take `countersign` out of the required checks"
            " of rulesets and branch protection, and the App out of their bypass lists"
        ),
        f"{login}; delete its webhook, where there is one",
        "delete the Slack app at api.slack.com/apps, under Basic Information",
        f"the folder {settings.rules}/ of the repository: keep it or delete it; nothing else reads it",
        "Flux: where an ImageUpdateAutomation was suspended for Countersign, `suspend: false` resumes it",
        f"this machine: the folder {settings.state_folder}; it holds the signing key, where the bot made one",
    ]
    if years:
        refs = " ".join(f"refs/heads/ledger/{year}" for year in sorted(years))
        found.append(
            "the record: keep its branches, or archive them, in a clone made with `git clone --mirror`, with"
            f" `git bundle create countersign-ledger.bundle {refs}`, and delete them then"
        )
    return found
