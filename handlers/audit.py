"""What an auditor runs: ``evidence`` and ``ledger export``. A clone or its address is enough."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from bot import assembly
from bot.chain import Chain
from bot.desk import Desk
from bot.dossier import dossiers
from bot.settings import Settings
from bot.years import read_years, whole
from handlers import evidence_pages as pages
from handlers.export import export_csv, export_json
from handlers.terminal import FINDINGS, FINE, UseError, patience, print_json, print_lines, print_text, tell
from policies.entry import EntryError, parse_time, write_time
from policies.population import Change, population
from policies.sample import sample

SAMPLE = 0
_DAY = timedelta(days=1)

Repository = Annotated[
    str,
    typer.Argument(metavar="[REPOSITORY]", help="A clone or its address; else COUNTERSIGN_REPOSITORY."),
]
From = Annotated[str, typer.Option("--from", metavar="DATE", help="First day, in UTC: 2026-01-01.")]
To = Annotated[str, typer.Option("--to", metavar="DATE", help="Last day, included.")]
SettingsOf = Callable[[typer.Context, str], Settings]


@dataclass(frozen=True, slots=True)
class Days:
    """Whole days in UTC: from the first instant of the first to the last instant of the last."""

    first: str
    last: str

    @classmethod
    def parse(cls, first: str, last: str) -> "Days":
        """Read two days. Raises: UseError."""
        begins, ends = _instant("--from", first), _instant("--to", last)
        if begins > ends:
            raise UseError(f"--from is {first}, after --to {last}; expected the earlier day first")
        return cls(first, last)

    def has(self, change: Change) -> bool:
        """Whether a change came to what it came to on one of these days."""
        after = write_time(parse_time(f"{self.last}T00:00:00Z") + _DAY)
        return f"{self.first}T00:00:00Z" <= change.at < after


def _instant(name: str, text: str) -> str:
    try:
        parse_time(f"{text}T00:00:00Z")
    except EntryError as error:
        raise UseError(f"{name} is {text[:40]!r}; expected a day as 2026-11-23") from error
    return text


def register(app: typer.Typer, ledger: typer.Typer, settings: SettingsOf) -> None:
    """Add the commands to the command line; ``settings`` reads them, about the repository that is named."""

    @app.command()
    def evidence(
        context: typer.Context,
        repository: Repository = "",
        *,
        first: From,
        last: To,
        size: Annotated[
            int, typer.Option("--sample", metavar="N", min=0, help="Pages of N moves; 0 = all.")
        ] = SAMPLE,
        seed: Annotated[
            str, typer.Option("--seed", metavar="S", help="What the sample is drawn with.")
        ] = "1",
        out: Annotated[str, typer.Option("--out", metavar="DIR", help="Where the pages go.")] = "",
    ) -> int:
        """Write one page for each change and an index with the whole population, for an auditor."""
        days = Days.parse(first, last)
        if not seed.isascii() or not seed.isalnum():
            raise UseError(f"--seed is {seed[:40]!r}; expected letters and digits")
        folder = Path(out or f"evidence-{first}-{last}")
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise UseError(f"{folder} is there already; expected a folder that is empty or not there")
        with patience("reading the ledger"):
            desk, chain = _read(settings(context, repository))
            everything = [one for one in population(chain.state, chain.shown) if days.has(one)]
            chosen = sample(everything, size, seed)
            faults = tuple(map(str, chain.faults))
            what = pages.Range(first, last, size, seed, chain.year, chain.state.tip, faults)
            folder.mkdir(parents=True, exist_ok=True)
            for found in dossiers(chain, desk.mirror, desk.book, chosen):
                _write(folder / pages.name_of(found.change), pages.change_page(what, found))
            _write(folder / "index.html", pages.index(what, everything, chosen))
        print_lines([f"{len(everything)} changes, {len(chosen)} pages in {folder}"])
        return _told(chain)

    @ledger.command()
    def export(
        context: typer.Context,
        repository: Repository = "",
        *,
        as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
        as_json: Annotated[
            bool, typer.Option("--json", help="Print JSON; its schema names its version.")
        ] = False,
        first: From = "",
        last: To = "",
    ) -> int:
        """Print one row for each change: what, who, when, under which rule, and what became of it."""
        if as_csv == as_json:
            raise UseError("expected one of --csv and --json")
        days = Days.parse(first or "0001-01-01", last or "9999-12-30")
        with patience("reading the ledger"):
            _, chain = _read(settings(context, repository))
            rows = [one for one in population(chain.state, chain.shown) if days.has(one)]
        if as_csv:
            print_text(export_csv(rows))
        else:
            print_json(export_json(chain.year, chain.state.tip, rows))
        return _told(chain)


def _read(settings: Settings) -> tuple[Desk, Chain]:
    """Read the ledgers of all years as one."""
    desk = assembly.open_desk(settings)
    tips = desk.mirror.fetch()
    years = read_years(desk.mirror, desk.book, tips, progress=tell)
    return desk, whole(years) if years else desk.ledger.read(tips)


def _told(chain: Chain) -> int:
    for fault in chain.faults:
        tell(f"{fault}; run `countersign verify`")
    if not chain.entries:
        tell("the ledger is empty: no pass has been made yet")
    return FINDINGS if chain.faults else FINE


def _write(path: Path, content: str) -> None:
    path.write_text(content, "utf-8", newline="\n")
