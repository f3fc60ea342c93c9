"""What changed rules would have made of the ledger: the files of a folder, held against what this clone records."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

from bot.errors import PermanentError
from bot.looking.book import Sight
from bot.promoting.desk import Desk
from bot.repository.mirror import MAX_BLOB_BYTES
from policies.rulebook.parse import parse
from policies.rules.rules import Rules
from policies.simulate import Simulation, simulate

MAX_DAYS = 3660
_RULES = (".yaml", ".yml")
_Answer = TypeVar("_Answer")


def read_folder(root: Path, folder: str) -> Mapping[str, bytes]:
    """Return the rule files of a folder under the names that they would have in the repository.

    Raises: PermanentError.
    """
    try:
        names = sorted(path for path in root.rglob("*") if path.suffix in _RULES and path.is_file())
        return {f"{folder}/{path.relative_to(root).as_posix()}": _start_of(path) for path in names}
    except OSError as error:
        raise PermanentError(f"{root} cannot be read: {error.strerror}") from error


def _start_of(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAX_BLOB_BYTES)


def simulated(desk: Desk, files: Mapping[str, bytes], *, at: datetime, span: timedelta) -> Simulation:
    """Replay the ledger of the last fetch, and judge what moved in the last ``span`` by these rules as well.

    Raises: RulesError where they do not parse; PermanentError where there is no ledger.
    """
    changed = parse(files, Sight(desk.book, desk.mirror.tips().target))
    found = replayed(desk, changed, at=at, span=span)
    if found is None:
        raise PermanentError("the ledger is empty, so nothing can be replayed; make a pass first")
    return found


def replayed(desk: Desk, changed: Rules, *, at: datetime, span: timedelta) -> Simulation | None:
    """Replay the ledger under other rules; nothing where there is none."""
    chain = desk.ledger.read(desk.mirror.tips())
    genesis = chain.state.genesis
    if genesis is None:
        return None

    return simulate(
        chain.year,
        [(str(oid), entry) for oid, entry in chain.entries],
        old=desk.book.rules,
        new=changed,
        baseline=once(partial(desk.book.baseline, genesis.commit)),
        since=at - span,
        until=at,
        stood_since=once(partial(desk.book.since, genesis.commit)),
    )


def once(look: Callable[[Rules, str, str], _Answer]) -> Callable[[Rules, str, str], _Answer]:
    """Return the same question, asked of Git once for each rules and place: a replay asks by turns for old and new."""
    known: dict[tuple[int, str, str], tuple[Rules, _Answer]] = {}

    def answer(rules: Rules, environment: str, service: str) -> _Answer:
        key = (id(rules), environment, service)
        if key not in known:
            known[key] = (rules, look(rules, environment, service))  # kept, so that no others get its id
        return known[key][1]

    return answer
