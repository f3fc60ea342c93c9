"""``countersign init``: propose the rules of a GitOps repository as a diff, or write them."""

import posixpath
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Protocol

import typer

from bot import assembly
from bot.errors import PermanentError
from bot.folder import Folder
from bot.settings import Settings, load
from handlers.shell.terminal import FINDINGS, FINE, UseError, patience, print_json, print_text, tell
from policies.manifests.markers import is_read
from policies.proposing.proposal import Note, Proposal, propose
from policies.proposing.services import Draft
from policies.rulebook import schema as rules_schema
from policies.rulebook.parse import RulesError
from policies.texts import unified_diff

SCHEMA = "countersign.init/1"


class HasSettings(Protocol):
    """What the command line hands in."""

    def settings(self, *, log_level: str = "WARNING") -> Settings:
        """Read the settings. Raises: SettingsError."""


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("init")(init)


def init(
    context: typer.Context,
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FOLDER]", help="A GitOps repository; else COUNTERSIGN_REPOSITORY, else this folder."
        ),
    ] = None,
    *,
    write: Annotated[bool, typer.Option("--write", help="Write the files; never over others.")] = False,
    schema: Annotated[
        bool, typer.Option("--schema", help="Print the JSON Schema of rules instead, for editors.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON; its schema names its version.")
    ] = False,
) -> int:
    """Propose rules for a GitOps repository: show a diff, and say what could not be placed."""
    if schema:
        print_text(rules_schema.schema())
        return FINE
    doors: HasSettings | None = context.find_root().obj
    settings = doors.settings() if doors else load()
    if folder is None and settings.repository:
        if write:
            raise UseError("--write needs a FOLDER: clone the repository, and name the clone")
        with patience("reading the repository"):
            files = _of_repository(settings)
    else:
        opened = _opened(folder or Path())
        with patience("reading the folder"):
            files = dict(opened.files())
        for left in opened.left_out:
            tell(f"not read: {left.path}: {left.detail}")
    there = sorted(path for path in files if path.startswith(f"{settings.rules}/"))
    proposal = _proposed(files, settings.rules)
    if as_json:
        print_json(_shape(proposal, there, is_written=write and not there))
    else:
        _show(proposal)
    return _end(proposal, there, (folder or Path()) if write else None, settings.rules)


def _opened(folder: Path) -> Folder:
    """Open a folder. Raises: UseError."""
    if not folder.is_dir():
        raise UseError(f"there is no folder {folder}; expected the root of a GitOps repository")
    return Folder.open(folder)


def _of_repository(settings: Settings) -> dict[str, bytes]:
    """Read the newest commit of the repository. Raises: BotError."""
    mirror = assembly.open_desk(settings).mirror
    listing = mirror.listing(mirror.fetch().target, [""])
    wanted = {path: oid for path, oid in listing.items() if is_read(path)}
    content = mirror.blobs(wanted.values())
    return {path: content[oid] for path, oid in wanted.items()}


def _proposed(files: Mapping[str, bytes], folder: str) -> Proposal:
    """Propose. Raises: UseError."""
    try:
        return propose(files, folder)
    except RulesError as error:
        raise UseError(f"nothing that parses could be proposed: {error.findings[0]}") from error


def _end(proposal: Proposal, there: list[str], target: Path | None, rules: str) -> int:
    """Write where that is asked, and say what comes next. Raises: PermanentError."""
    if there:
        tell(
            f"{rules}/ holds rules already ({', '.join(there[:5])}); nothing was written: take from this what you"
            f" miss, or move them away and run this again; `countersign lint .` checks the outcome"
        )
        return FINE if target is None else FINDINGS
    if target is None:
        tell(f"nothing was written; `countersign init FOLDER --write` writes these files to {rules}/")
        return FINE
    for path, text in proposal.files.items():
        _write(target / path, text)
        tell(f"written: {target / path}")
    _write(target / _schema_in(proposal), rules_schema.schema())
    tell(f"written: {target / _schema_in(proposal)}, by which editors complete the rules")
    tell("next: name your people in people.yaml and your channel, then `countersign lint .` and commit")
    return FINE


def _write(path: Path, text: str) -> None:
    """Make a new file. Raises: PermanentError, where there is one or it cannot be made."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8", newline="") as file:
            file.write(text)
    except FileExistsError:
        raise PermanentError(f"{path} is there already and is left as it is; move it away first") from None
    except OSError as error:
        raise PermanentError(
            f"{path} cannot be written: {error.strerror}; make its folder writable"
        ) from error


# --- saying -----------------------------------------------------------------------------------------------------


def _show(proposal: Proposal) -> None:
    """Print the diff on stdout, and what could not be placed on stderr."""
    sys.stdout.buffer.write(_diff(proposal).encode())
    sys.stdout.flush()
    for line in _said(proposal):
        tell(line)


def _said(proposal: Proposal) -> Iterator[str]:
    yield (
        f"{len(proposal.environments)} environments, {len(proposal.services)} services;"
        f" {len(proposal.aside)} images are no services ({len(proposal.notes)} notes)"
    )
    for note in proposal.notes:
        where = f"{note.where}: " if note.where else ""
        yield f"note: {where}{note.code}: {note.detail}"
        if note.patch:
            yield from note.patch.splitlines()


def _diff(proposal: Proposal) -> str:
    """Return the diff that makes the files, as ``git apply`` takes it."""
    pieces = []
    for path, text in sorted(proposal.files.items()):
        _, _, hunks = unified_diff.unified(path, "", text).partition("+++ ")
        pieces.append(f"--- /dev/null\n+++ {hunks}")
    return "".join(pieces)


def _shape(proposal: Proposal, there: list[str], *, is_written: bool) -> dict[str, Any]:
    """Return the proposal as ``countersign.init/1``."""
    return {
        "schema": SCHEMA,
        "written": sorted([*proposal.files, _schema_in(proposal)]) if is_written else [],
        "there": there,
        "files": dict(sorted(proposal.files.items())),
        "environments": [
            {"name": one.name, "path": list(one.paths), "guarded": one.is_guarded}
            for one in proposal.environments
        ],
        "services": [_service(one) for one in proposal.services],
        "not_services": [_service(one) | {"why": one.why} for one in proposal.aside],
        "notes": [_note(one) for one in proposal.notes],
        "diff": _diff(proposal),
    }


def _schema_in(proposal: Proposal) -> str:
    """Return where the schema is written: beside the files."""
    return f"{posixpath.dirname(next(iter(proposal.files)))}/{rules_schema.NAME_THERE}"


def _service(one: Draft) -> dict[str, Any]:
    return {
        "name": one.name,
        "image": str(one.image),
        "versions": one.versions.text if one.versions else "",
        "environments": list(one.environments),
        "places": list(one.places),
    }


def _note(one: Note) -> dict[str, str]:
    return {"code": str(one.code), "where": one.where, "detail": one.detail, "patch": one.patch}
