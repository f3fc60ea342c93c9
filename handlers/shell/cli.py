"""The command line: parse, call, print. Nobody decides here; ``pass`` is its only door."""

import os
import re
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Annotated, Protocol

import typer

from bot import assembly, faults
from bot.engine import Engine
from bot.errors import BotError, SettingsError
from bot.index import Index
from bot.linting import lint_commit, lint_folder
from bot.logs import LEVELS, set_up
from bot.look import Look
from bot.ports import Chat
from bot.promoting.desk import Desk
from bot.settings import Settings, load
from handlers.shell import (
    audit,
    doctor,
    effective,
    history,
    init,
    offline,
    retire,
    simulate,
    tables,
    verified,
)
from handlers.shell.next_steps import next_of
from handlers.shell.passed_over import ask_why
from handlers.shell.terminal import (
    FINDINGS,
    FINE,
    Run,
    UseError,
    checked,
    patience,
    print_json,
    print_line,
    print_lines,
    print_table,
    tell,
)
from policies.entries.entry import Entry, EntryError, Kind, parse_time
from policies.rulebook.findings import Finding, Weight
from policies.rules.rules import Rules

_DAY = len("2026-11-23")
_OID = re.compile(r"[0-9a-fA-F]{8,40}", re.ASCII)


class Server(Protocol):
    """What runs the bot until it is asked to stop."""

    def __call__(self, settings: Settings, /, *, is_observing: bool) -> None:
        """Serve; one that observes posts what it would do and writes nothing."""


@dataclass(frozen=True, slots=True)
class Doors:
    """What only the one door can hand in: the server, the chat of the settings if any, the operator's switches."""

    serve: Server
    chat: Callable[[Settings], Chat | None]
    log_level: str = ""  # '' = as fits the command
    is_debugging: bool = False
    switches: tuple[str, ...] = ()  # names of settings that the door reads itself

    def settings(self, *, log_level: str = "WARNING", repository: str = "") -> Settings:
        """Read the settings and begin to log; a ``repository`` that is named is looked at, not worked on.

        Raises: SettingsError.
        """
        level = (self.log_level or log_level).upper()
        if level not in LEVELS:
            raise SettingsError(f"COUNTERSIGN_LOG is {level[:20]!r}; expected one of {', '.join(LEVELS)}")
        set_up(level, is_debugging=self.is_debugging)
        settings = load(repository=repository)
        faults.arm(settings.fault)
        for name in sorted(set(settings.unknown) - set(self.switches)):
            tell(f"{name} is set, and no setting of ours; see docs/connect.md")
        return settings


Json = Annotated[bool, typer.Option("--json", help="Print JSON; its schema names its version.")]
Environment = Annotated[str, typer.Option("--environment", "-e", metavar="E", help="Only this environment.")]

app = typer.Typer(
    name="countersign",
    help="Promote container images through a GitOps repository, with approvals and a ledger in Git.",
    epilog="Exit codes: 0 fine, 1 findings, 2 wrong use or settings, 3 the world failed.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _version(*, is_asked: bool) -> None:
    if is_asked:
        print_lines([f"countersign {version_of('countersign')}"])
        raise typer.Exit


@app.callback()
def _whole(
    *,
    _: Annotated[
        bool, typer.Option("--version", callback=lambda is_asked: _version(is_asked=is_asked), is_eager=True)
    ] = False,
) -> None:
    """Settings come from the environment; only COUNTERSIGN_REPOSITORY is needed to look."""


# --- the bot ----------------------------------------------------------------------------------------------------


@app.command()
def serve(
    context: typer.Context,
    *,
    observe: Annotated[
        bool, typer.Option("--observe", help="Post what it would do; write nothing but its own database.")
    ] = False,
) -> int:
    """Run the bot: poll registries, answer Slack by Socket Mode or over HTTP on $PORT."""
    doors: Doors = context.obj
    doors.serve(doors.settings(log_level="INFO"), is_observing=observe)
    return FINE


@app.command("pass")
def pass_(
    context: typer.Context,
    environment: Environment = "",
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Write nothing; say what would move by itself.")
    ] = False,
) -> int:
    """Make one pass and exit: for cron, CI and tests. What is left is named; then the exit code is 1."""
    doors: Doors = context.obj
    settings = doors.settings()
    if dry_run:
        return _dry_pass(settings, environment)
    with (
        patience("the pass is at work"),
        assembly.working(settings, chat=doors.chat(settings), say=tell, printer=print_line) as engine,
    ):
        _check_environment(engine, environment)
        report = engine.run_pass(environment)
        print_lines([f"done: {line}" for line in report.done] + [f"left: {line}" for line in report.left])
        if not report.done and not report.left:
            tell("nothing had to be written")
        _tell_silent(engine)
    return FINDINGS if report.left else FINE


def _dry_pass(settings: Settings, environment: str) -> int:
    with patience("looking at the repository and its registries"), assembly.looking(settings) as engine:
        _check_environment(engine, environment)
        look = engine.plan(environment)
        moves = tables.would_move(look.decision, look.rules, environment)
        print_lines([f"would move: {line}" for line in moves])
        _tell_silent(engine)
    return FINE


def _tell_silent(engine: Engine) -> None:
    with suppress(BotError):  # nothing was looked at: the pass has said why
        for line in tables.silent(engine.look().decision):
            tell(f"not known: {line}")


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
)
def demo(context: typer.Context) -> None:
    """A whole world on this machine: demo [--script | --terminal] [--keep DIR] [--port N]; without --script a page."""
    sys.stdout.flush()
    sys.stderr.flush()
    command = [sys.executable, "-m", "sandbox", "demo", *context.args]
    os.execv(sys.executable, command)  # noqa: S606  our own interpreter; the sandbox knows settings alone


# --- looking ----------------------------------------------------------------------------------------------------


@app.command()
def plan(context: typer.Context, environment: Environment = "", *, as_json: Json = False) -> int:
    """Show every service in every environment: what runs there, what could come, and why not. Changes nothing."""
    with (
        patience("looking at the repository and its registries"),
        assembly.looking(_settings(context)) as engine,
    ):
        _check_environment(engine, environment)
        decision = tables.only(engine.plan(environment).decision, environment)
    if as_json:
        print_json(tables.plan_json(decision))
    else:
        print_table(tables.plan_table(decision))
    return FINE


@app.command()
def why(
    context: typer.Context,
    service: Annotated[str, typer.Argument(metavar="SERVICE")],
    environment: Annotated[str, typer.Argument(metavar="ENVIRONMENT")],
    version: Annotated[str, typer.Argument(metavar="[VERSION]")] = "",
    *,
    as_json: Json = False,
) -> int:
    """Say what stands in the way of a version; without one, of every version since the current one; or of a group."""
    with (
        patience("looking at the repository and its registries"),
        assembly.looking(_settings(context)) as engine,
    ):
        rules = _rules(engine.desk)
        checked("service", service, (*rules.services, *rules.groups))
        checked("environment", environment, rules.environments)
        if version and service in rules.groups:
            raise UseError(
                f"{service} is a group, whose services have versions of their own; name one of them"
            )
        look: Look = engine.plan(environment)
        found = ask_why(look, environment, service, version)
        since = None if service in rules.groups else look.current_since(environment, service)
    row = look.decision.row(environment, service)
    if row is None and service in rules.groups:
        raise UseError(f"the services of {service} do not move together in {environment}")
    if row is None:  # the rules changed between two looks
        raise UseError(f"no rule covers {service} in {environment} any more")
    at = look.decision.at
    steps = {one.version: next_of(look, environment, service, one, at) for one in found}
    if as_json:
        print_json(tables.why_json(look.decision, row, found, since, steps))
    else:
        print_lines(tables.why_lines(row, found, at, since, steps))
    return FINE


@app.command()
def lint(
    context: typer.Context,
    path: Annotated[
        str, typer.Argument(metavar="[PATH]", help="A folder that holds the rules' folder.")
    ] = "",
    *,
    as_json: Json = False,
) -> int:
    """Check rules and what they point at: of a folder, else of the repository's newest commit."""
    settings = _settings(context)
    with patience("reading rules and manifests"):
        if path:
            findings = _lint_folder(path, settings.rules)
        else:
            mirror = assembly.open_desk(settings).mirror
            findings = lint_commit(mirror, mirror.fetch().target, settings.rules)
    if as_json:
        print_json(tables.lint_json(findings))
    else:
        print_lines(tables.lint_lines(findings))
        tell(tables.lint_sum(findings))
    return FINDINGS if any(one.weight is Weight.ERROR for one in findings) else FINE


# --- the ledger -------------------------------------------------------------------------------------------------


@app.command()
def verify(
    context: typer.Context,
    repository: audit.Repository = "",
    *,
    since: Annotated[
        str, typer.Option("--since", metavar="TIME", help="Hold only later commits against the ledger (UTC).")
    ] = "",
    anchor: Annotated[
        list[str] | None,
        typer.Option("--anchor", metavar="OID", help="An end that you have from elsewhere; may be repeated."),
    ] = None,
    as_json: Json = False,
) -> int:
    """Re-perform the ledger from a clone alone, and hold the target branch against it, both ways."""
    settings = _settings(context, repository)
    ends = {f"--anchor {one[:40]}": _end(one) for one in anchor or ()}
    start = _instant(since)
    with patience("verifying"):
        desk = assembly.open_desk(settings)
        report = audit.held(desk, settings, start, ends)
    if as_json:
        print_json(verified.to_json(report))
    else:
        print_lines(verified.to_lines(report))
    return FINDINGS if report.findings else FINE


ledger = typer.Typer(help="Show the ledger, or make its index anew.", rich_markup_mode=None)
app.add_typer(ledger, name="ledger")


@ledger.command()
def show(
    context: typer.Context,
    repository: audit.Repository = "",
    *,
    kind: Annotated[str, typer.Option("--kind", metavar="K", help="Only entries of this kind.")] = "",
    promotion: Annotated[str, typer.Option("--promotion", metavar="ID", help="Only this promotion's.")] = "",
    last: Annotated[int, typer.Option("--last", metavar="N", min=0, help="Only the last N; 0 = all.")] = 0,
    as_json: Json = False,
) -> int:
    """Show the entries, oldest first."""
    if kind:
        checked("kind", kind, [one.value for one in Kind])
    with patience("reading the ledger"):
        desk = assembly.open_desk(_settings(context, repository))
        chain = desk.ledger.read(desk.mirror.fetch())
    found: list[tuple[str, Entry]] = [
        (oid, entry)
        for oid, entry in chain.shown
        if kind in {"", entry.kind} and entry.promotion.startswith(promotion)
    ]
    shown = found[-last:] if last else found
    if as_json:
        print_json(tables.ledger_json(chain.year, shown, chain.state.tip, chain.state.redacted))
    elif shown:
        print_table(tables.ledger_table(shown))
    else:
        tell("no entries" if chain.entries else "the ledger is empty: no pass has been made yet")
    for fault in chain.faults:
        tell(f"{fault}; run `countersign verify`")
    return FINDINGS if chain.faults else FINE


@ledger.command()
def rebuild(context: typer.Context) -> int:
    """Make the index anew from the ledger. Nothing is lost: it holds what the ledger says, and caches."""
    settings = _settings(context)
    with patience("reading the ledger"), assembly.alone(settings.state_folder, say=tell):
        desk = assembly.open_desk(settings)
        chain = desk.ledger.read(desk.mirror.fetch())
        for fault in chain.faults:
            tell(f"{fault}; run `countersign verify`")
        if chain.faults:
            return FINDINGS
        index = Index.open(settings.database)
        was = index.dump() if index.remembered() == (chain.tip or "") else None
        index.rebuild(chain)
        is_other = was is not None and index.dump() != was
        index.close()
    print_lines([f"{len(chain.entries)} entries are in {settings.database}"])
    if is_other:
        tell("the index that was there said something else than the ledger; it has been replaced")
    return FINE


# --- parts ------------------------------------------------------------------------------------------------------


def _settings(context: typer.Context, repository: str = "") -> Settings:
    doors: Doors = context.find_root().obj
    return doors.settings(repository=repository)


def _lint_folder(path: str, folder: str) -> tuple[Finding, ...]:
    """Look at a folder. Raises: UseError."""
    root = Path(path)
    if not (root / folder).is_dir():
        raise UseError(
            f"there is no folder {root / folder}; expected PATH to hold the rules' folder {folder}/"
        )
    return lint_folder(root, folder)


def _rules(desk: Desk) -> Rules:
    return desk.rules(desk.mirror.fetch()).rules


def _check_environment(engine: Engine, named: str) -> None:
    if named:
        checked("environment", named, _rules(engine.desk).environments)


def _end(text: str) -> str:
    """Return the beginning of an entry's commit. Raises: UseError."""
    if not _OID.fullmatch(text):
        raise UseError(
            f"--anchor is {text[:40]!r}; expected 8 to 40 hexadecimal digits, as the daily line has them"
        )
    return text.lower()


def _instant(text: str) -> str:
    """Return a time as the ledger writes it; a day is its first instant. Raises: UseError."""
    if not text:
        return ""
    full = f"{text}T00:00:00Z" if len(text) == _DAY else text
    try:
        parse_time(full)
    except EntryError as error:
        raise UseError(f"--since is {text[:40]!r}; expected 2026-11-23 or 2026-11-23T10:04:05Z") from error
    return full


audit.register(app, ledger, _settings)
offline.register(app)
init.register(app)
doctor.register(app)
retire.register(app)
history.register(app)
simulate.register(app)
effective.register(app)


def main(arguments: Sequence[str] | None, doors: Doors) -> int:
    """Run one command and return its exit code; whatever goes wrong is one line on stderr."""
    with Run(is_debugging=doors.is_debugging) as run:
        run.code = (
            app(args=arguments or ["--help"], obj=doors, standalone_mode=False, prog_name="countersign")
            or FINE
        )
    return run.code
