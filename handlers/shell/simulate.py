"""``countersign simulate``: what changed rules would have let through, stopped, sped up or slowed down."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Protocol

import typer

from bot import assembly
from bot.promoting.simulating import MAX_DAYS, read_folder, simulated
from bot.settings import Settings
from handlers.shell.tables import lint_lines
from handlers.shell.terminal import FINDINGS, FINE, UseError, patience, print_json, print_lines, tell
from policies.entries.entry import write_time
from policies.rulebook.findings import RulesError
from policies.simulate import Difference, Simulation
from policies.simulate_text import lines, sum_of

SIMULATE = "countersign.simulate/1"


class Doors(Protocol):
    """What the command line hands in."""

    def settings(self, *, log_level: str = "WARNING") -> Settings:
        """Read the settings. Raises: SettingsError."""


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("simulate")(command)


def command(
    context: typer.Context,
    rules: Annotated[
        str,
        typer.Option("--rules", metavar="DIR", help="A folder with the changed rules, such as promotion/."),
    ],
    days: Annotated[
        int, typer.Option("--days", metavar="N", min=1, max=MAX_DAYS, help="How far back moves are judged.")
    ] = 90,
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON; its schema names its version.")
    ] = False,
) -> int:
    """Replay the ledger under changed rules: what would have been let through, stopped, earlier or later."""
    doors: Doors = context.find_root().obj
    settings = doors.settings()
    folder = Path(rules)
    if not folder.is_dir():
        raise UseError(
            f"there is no folder {rules}; expected one with the changed rules, such as {settings.rules}/"
        )
    files = read_folder(folder, settings.rules)
    with patience("replaying the ledger"), assembly.looking(settings) as engine:
        engine.desk.mirror.fetch()
        try:
            found = simulated(engine.desk, files, at=engine.clock.now(), span=timedelta(days=days))
        except RulesError as error:
            print_lines(lint_lines(error.findings))
            return FINDINGS
    if as_json:
        print_json(to_json(found))
    else:
        print_lines([sum_of(found), *lines(found)])
        for one in found.unknown:
            tell(f"not known: {one}")
    return FINE


def to_json(found: Simulation) -> dict[str, Any]:
    """Return the shape that programs read."""
    return {
        "schema": SIMULATE,
        "since": write_time(found.since),
        "until": write_time(found.until),
        "moves": found.moves,
        "differences": [_difference_json(one) for one in found.differences],
        "unknown": list(found.unknown),
    }


def _difference_json(one: Difference) -> dict[str, Any]:
    return {
        "outcome": one.outcome.value,
        "environment": one.environment,
        "service": one.service,
        "version": one.version,
        "at": write_time(one.at) if one.at else None,
        "then": write_time(one.then) if one.then else None,
        "codes": list(one.codes),
    }
