"""``countersign history``: what was moved of a service or group, oldest first, and on whose word; from the ledger."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Protocol

import typer
from rich.table import Table

from bot import assembly
from bot.settings import Settings
from handlers.shell.tables import cell, table_of
from handlers.shell.terminal import FINE, UseError, patience, print_json, print_table, tell
from policies.entries.entry import By, Kind, Pinned, write_time
from policies.ledger.state import Move, State

HISTORY = "countersign.history/1"


class Doors(Protocol):
    """What the command line hands in."""

    def settings(self, *, log_level: str = "WARNING") -> Settings:
        """Read the settings. Raises: SettingsError."""


@dataclass(frozen=True, slots=True)
class Moved:
    """One move: what, where, when (UTC), and who answered for it (nobody named: the rule asked nobody)."""

    seq: int
    at: datetime
    environment: str
    kind: Kind
    image: tuple[Pinned, ...]
    previous: tuple[Pinned, ...]
    commit: str
    promotion: str = ""
    asked: int = 0  # the number of the entry that asked for it; 0 = none did
    requester: str = ""
    approvers: tuple[str, ...] = ()
    note: str = ""
    service: str = ""


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("history")(command)


def command(
    context: typer.Context,
    service: Annotated[str, typer.Argument(metavar="SERVICE")],
    environment: Annotated[str, typer.Argument(metavar="[ENVIRONMENT]")] = "",
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON; its schema names its version.")
    ] = False,
) -> int:
    """Show what was moved of a service, oldest first: when, where, from what to what, on whose word.

    Of a group what its services moved as one.
    """
    doors: Doors = context.find_root().obj
    with patience("reading the ledger"):
        desk = assembly.open_desk(doors.settings())
        state = desk.ledger.read(desk.mirror.fetch()).state
    everywhere = moves(state, service)
    if not everywhere:
        groups = {move.group for made in state.moves.values() for move in made if move.group}
        known = ", ".join(sorted({name for _, name in state.moves} | groups)) or "none yet"
        raise UseError(f"the ledger has no move of {service[:60]!r}; services that moved: {known[:500]}")
    found = [one for one in everywhere if environment in {"", one.environment}]
    if not found:
        known = ", ".join(sorted({one.environment for one in everywhere}))
        raise UseError(f"{service} has not moved in {environment[:60]!r}; it has in {known[:500]}")
    if as_json:
        print_json(to_json(service, found))
    else:
        print_table(to_table(found))
        tell(f"{len(found)} {'move' if len(found) == 1 else 'moves'} of {service}")
    return FINE


def moves(state: State, service: str, environment: str = "") -> list[Moved]:
    """Return the moves of a service, or of a group as one, oldest first; ``environment`` '' = all."""
    found = [
        _moved(state, where, what, move)
        for (where, what), made in state.moves.items()
        if environment in {"", where}
        for move in made
        if service in {what, move.group}
    ]
    return sorted(found, key=lambda one: one.seq)


def _moved(state: State, environment: str, service: str, move: Move) -> Moved:
    promotion = state.promotions.get(move.promotion)
    return Moved(
        seq=move.seq,
        at=move.at,
        environment=environment,
        kind=promotion.kind if promotion else move.kind,
        image=move.image,
        previous=move.previous,
        commit=move.commit,
        promotion=move.promotion,
        asked=promotion.seq if promotion else 0,
        requester=promotion.by.person if promotion and isinstance(promotion.by, By) else "",
        approvers=tuple(one.by.person for one in promotion.approvals) if promotion else (),
        note=promotion.note if promotion else "",
        service=service,
    )


def to_json(service: str, found: Sequence[Moved]) -> dict[str, Any]:
    """Return the shape that programs read."""
    return {"schema": HISTORY, "service": service, "moves": [_move_json(one) for one in found]}


def _move_json(one: Moved) -> dict[str, Any]:
    return {
        "seq": one.seq,
        "at": write_time(one.at),
        "service": one.service,
        "environment": one.environment,
        "kind": one.kind.value,
        "image": [str(image) for image in one.image],
        "previous": [str(image) for image in one.previous],
        "commit": one.commit,
        "promotion": one.promotion,
        "asked": one.asked or None,
        "requester": one.requester,
        "approvers": list(one.approvers),
        "note": one.note,
    }


def to_table(found: Sequence[Moved]) -> Table:
    """Return one line for each move."""
    several = len({one.service for one in found}) > 1
    service = ("SERVICE",) if several else ()
    table = table_of(
        "SEQ", "AT", "ENVIRONMENT", *service, "KIND", "FROM", "TO", "COMMIT", "ON THE WORD OF", "WHY"
    )
    for one in found:
        people = ", ".join(dict.fromkeys(name for name in (one.requester, *one.approvers) if name))
        table.add_row(
            *map(
                cell,
                (
                    f"#{one.seq}",
                    write_time(one.at),
                    one.environment,
                    *((one.service,) if several else ()),
                    f"{one.kind} #{one.asked}" if one.asked else one.kind.value,
                    _tags(one.previous),
                    _tags(one.image),
                    one.commit[:12],
                    people or "the rule",
                    one.note,
                ),
            )
        )
    return table


def _tags(images: Sequence[Pinned]) -> str:
    return ", ".join(image.tag or image.digest[:19] for image in images) or "-"
