"""``countersign rules``: the effective rule of one service in one environment, each line with where it was said."""

from typing import Annotated, Any, Protocol

import typer
from rich.table import Table

from bot import assembly
from bot.settings import Settings
from handlers.shell.tables import cell, table_of
from handlers.shell.terminal import FINE, UseError, checked, patience, print_json, print_table, tell
from policies.rules.rules import EffectiveRule, Rules, effective, moving_rule
from policies.rules.shown import RuleLine, rule_lines, written

RULES = "countersign.rules/1"


class Doors(Protocol):
    """What the command line hands in."""

    def settings(self, *, log_level: str = "WARNING") -> Settings:
        """Read the settings. Raises: SettingsError."""


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("rules")(command)


def command(
    context: typer.Context,
    environment: Annotated[str, typer.Argument(metavar="ENVIRONMENT")],
    service: Annotated[str, typer.Argument(metavar="SERVICE")],
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON; its schema names its version.")
    ] = False,
) -> int:
    """Show the rule that judges a service in an environment: each key, its value, and where it was said."""
    doors: Doors = context.find_root().obj
    with patience("reading the rules"):
        desk = assembly.open_desk(doors.settings())
        found = desk.rules(desk.mirror.fetch())
    checked("environment", environment, found.rules.environments)
    checked("service or group", service, (*found.rules.services, *found.rules.groups))
    if service in found.rules.groups:
        return _group(found.rules, environment, service, found.commit, as_json=as_json)
    rule = effective(found.rules, environment, service)
    if rule is None:
        exists = ", ".join(found.rules.services[service].environments)
        raise UseError(f"{service} does not exist in {environment}; its rules name {exists}")
    lines = rule_lines(rule, found.rules.provenance)
    if as_json:
        print_json(to_json(rule, lines, found.commit))
    else:
        print_table(to_table(lines))
        tell(f"{service} in {environment}: rule {rule.hash[:12]} at {found.commit[:12]}")
        if group := found.rules.moves_with(environment, service):
            tell(f"it moves with {group}: countersign rules {environment} {group}")
    return FINE


def _group(rules: Rules, environment: str, group: str, commit: str, *, as_json: bool) -> int:
    """Show what judges a group: its services there, and each one's rule. Raises: UseError."""
    rule = moving_rule(rules, environment, group)
    if rule is None:
        named = ", ".join(rules.groups[group])
        raise UseError(f"the services of {group} ({named}) do not move together in {environment}")
    if as_json:
        parts = [to_json(one, rule_lines(one, rules.provenance), commit) for one in rule.parts]
        print_json(
            {
                "schema": RULES,
                "environment": environment,
                "group": group,
                "commit": commit,
                "hash": rule.hash,
                "members": parts,
            }
        )
        return FINE
    for one in rule.parts:
        print_table(to_table(rule_lines(one, rules.provenance)))
        tell(f"{one.service.name} in {environment}: rule {one.hash[:12]} at {commit[:12]}")
    tell(f"{group} moves as one in {environment}: rule {rule.hash[:12]}; each rule has to be met")
    return FINE


def to_json(rule: EffectiveRule, lines: tuple[RuleLine, ...], commit: str) -> dict[str, Any]:
    """Return the rule for programs; ``canonical`` is what approvals bind to, ``hash`` its sha256."""
    return {
        "schema": RULES,
        "environment": rule.environment.name,
        "service": rule.service.name,
        "commit": commit,
        "hash": rule.hash,
        "lines": [
            {
                "key": one.key,
                "value": one.value,
                "layer": one.layer.value,
                "file": one.source.at.file if one.source else "",
                "line": one.source.at.line if one.source else 0,
                "column": one.source.at.column if one.source else 0,
            }
            for one in lines
        ],
        "canonical": rule.canonical(),
    }


def to_table(lines: tuple[RuleLine, ...]) -> Table:
    """Return one line for each key."""
    table = table_of("KEY", "VALUE", "FROM")
    for row in written(lines):
        table.add_row(*map(cell, row))
    return table
